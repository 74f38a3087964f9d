//! Journal files of action results: a header, then records that can be found again after damage.
//! Knows no files, only their bytes.
//!
//! ```text
//! file   = magic "bkresult", u32 version = 1, u32 kind (1 journal, 2 sorted table), record…
//! record = B7 6B 72 01, 8 bytes checksum, u32 length, payload of that length
//! payload = 32 bytes action digest, u64 microseconds since 1970 when recorded,
//!           the result as `encoding` has it
//! ```
//!
//! Integers are little-endian. The checksum is the head of the SHA-256 of length and payload.
//! Old reader, new data: a file of another version or kind is skipped whole and reported; a
//! record whose result has another version is passed on as it is, and is a miss. Files of
//! another version belong in a folder of their own (`results-N`), so that versions coexist.

use bytekiln_action::{ActionDigest, Digest};

/// Bytes before the first record.
pub(super) const HEADER_LENGTH: usize = 16;
const MAGIC: &[u8; 8] = b"bkresult";
const VERSION: u32 = 1;

const MARK: [u8; 4] = [0xb7, b'k', b'r', 1];
/// Mark, checksum, length.
const HEAD_LENGTH: usize = 16;
/// Action digest and time.
const KEY_LENGTH: usize = 40;
/// No honest result is near this; it bounds what one damaged length can cost.
const MAX_PAYLOAD: usize = 16 << 20;

/// What a file of results is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum FileKind {
    /// Records in the order of their writing; grows.
    Journal = 1,
    /// Records in the order of their keys, then an index; never changes.
    Table = 2,
}

/// One record, not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) action: ActionDigest,
    /// Microseconds since 1970.
    pub(super) recorded: u64,
    /// See [`crate::decode_result`].
    pub(super) result: &'a [u8],
}

/// The header of a file.
pub(super) fn header(kind: FileKind) -> [u8; HEADER_LENGTH] {
    let mut out = [0; HEADER_LENGTH];
    out[..8].copy_from_slice(MAGIC);
    out[8..12].copy_from_slice(&VERSION.to_le_bytes());
    out[12..].copy_from_slice(&(kind as u32).to_le_bytes());
    out
}

/// The eight bytes that guard others against damage (not against malice: whoever can write here
/// can write a checksum too).
pub(super) fn checksum(bytes: &[u8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = Digest::of(bytes).hash;
    [a, b, c, d, e, f, g, h]
}

/// Appends a record; `false` (and nothing appended) if the result is too large to keep.
#[must_use]
pub(super) fn append_record(out: &mut Vec<u8>, record: &Record<'_>) -> bool {
    let length = KEY_LENGTH.saturating_add(record.result.len());
    let Ok(length_field) = u32::try_from(length) else { return false };
    if length > MAX_PAYLOAD {
        return false;
    }
    let mut guarded = Vec::with_capacity(4 + length);
    guarded.extend_from_slice(&length_field.to_le_bytes());
    guarded.extend_from_slice(&record.action.0);
    guarded.extend_from_slice(&record.recorded.to_le_bytes());
    guarded.extend_from_slice(record.result);
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&checksum(&guarded));
    out.extend_from_slice(&guarded);
    true
}

/// What came out of reading records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadReport {
    /// Bytes up to the end of the last whole record.
    pub(super) consumed: usize,
    /// Bytes before that which are in no whole record.
    pub(super) damaged: usize,
}

/// Passes each whole record of `bytes` (without the file's header) to `each`. Damage costs the
/// records that it touches: the reader goes on at the next mark that starts a whole record.
pub(super) fn read_records<'a>(bytes: &'a [u8], mut each: impl FnMut(Record<'a>)) -> ReadReport {
    let mut report = ReadReport { consumed: 0, damaged: 0 };
    let mut at = 0;
    // Bytes made of marks and long lengths would cost a hash each; four times over is enough.
    let mut patience = bytes.len().saturating_mul(4);
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= HEAD_LENGTH) {
        match read_record(rest) {
            Ok((record, length)) => {
                each(record);
                report.damaged += at - report.consumed;
                at += length;
                report.consumed = at;
            }
            Err(hashed) => {
                let Some(left) = patience.checked_sub(hashed) else { break };
                patience = left;
                let Some(next) = find_mark(rest.get(1..).unwrap_or_default()) else { break };
                at += 1 + next;
            }
        }
    }
    report
}

/// The record at the head and its length in all, or how many bytes were hashed in vain.
fn read_record(bytes: &[u8]) -> Result<(Record<'_>, usize), usize> {
    let parse = || {
        let (mark, rest) = bytes.split_first_chunk::<4>()?;
        let (sum, guarded) = rest.split_first_chunk::<8>()?;
        let (length, _) = guarded.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if *mark != MARK || !(KEY_LENGTH..=MAX_PAYLOAD).contains(&length) {
            return None;
        }
        Some((sum, guarded.get(..4 + length)?))
    };
    let (sum, guarded) = parse().ok_or(0_usize)?;
    let record = || {
        let payload = guarded.get(4..)?;
        let (action, rest) = payload.split_first_chunk::<32>()?;
        let (recorded, result) = rest.split_first_chunk::<8>()?;
        let recorded = u64::from_le_bytes(*recorded);
        Some(Record { action: ActionDigest(*action), recorded, result })
    };
    if checksum(guarded) != *sum {
        return Err(guarded.len());
    }
    record().map(|record| (record, HEAD_LENGTH - 4 + guarded.len())).ok_or(guarded.len())
}

fn find_mark(bytes: &[u8]) -> Option<usize> {
    bytes.windows(MARK.len()).position(|window| window == MARK)
}

#[cfg(test)]
mod tests;
