//! Makes the digest of a changed index right again, so that what comes after it is reached. Shared
//! with the fuzz target.

#[path = "../../src/digest.rs"]
mod digest;

/// Writes head, length and digest as they should be for what the bytes say of their index.
pub(crate) fn seal(bytes: &mut [u8]) {
    let Some(tail) = bytes.len().checked_sub(64).filter(|tail| *tail >= 16) else { return };
    bytes[..16].copy_from_slice(b"\x8bBKBLOB\n\x01\0\0\0\0\0\0\0");
    let length = bytes.len() as u64;
    bytes[tail + 40..tail + 48].copy_from_slice(&length.to_le_bytes());
    bytes[tail + 2..tail + 4].copy_from_slice(b"\r\n");
    let magic_number = u16::from_le_bytes([bytes[tail], bytes[tail + 1]]);
    let index = &bytes[tail + 32..tail + 40];
    let index = u64::from_le_bytes(index.try_into().expect("eight bytes"));
    let Some(covered) = usize::try_from(index).ok().and_then(|start| bytes.get(start..tail + 56))
    else {
        return;
    };
    let digest = digest::digest(magic_number, covered);
    bytes[tail + 56..].copy_from_slice(&digest.to_le_bytes());
}
