//! The hash behind hash-consing: multiply and fold, a few nanoseconds for the short keys of code
//! objects. Its seed comes from the payload itself, so that nobody can prepare a payload whose
//! values collide; no output depends on it.

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
const OTHER: u64 = 0xd6e8_feb8_6659_fd93;

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Hash of bytes under a seed.
#[inline]
pub(super) fn bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(OTHER);
    if bytes.len() > 16 {
        let (chunks, _) = bytes.as_chunks::<16>();
        for chunk in chunks {
            let (low, high) = words(chunk);
            state = fold(low ^ state, high ^ ODD ^ state.rotate_left(32));
        }
    }
    let (low, high) = tail(bytes);
    fold(low ^ state, high ^ ODD ^ state.rotate_left(32))
}

/// Hash of ids of values under a seed.
#[inline]
pub(super) fn ids(seed: u64, ids: &[u32]) -> u64 {
    let mut state = seed ^ (ids.len() as u64).wrapping_mul(OTHER);
    for id in ids {
        state = fold(u64::from(*id) ^ state, ODD ^ state.rotate_left(32));
    }
    state
}

fn words(chunk: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*chunk);
    (both as u64, (both >> 64) as u64)
}

/// The last sixteen bytes; of shorter input, all of it, overlapping.
#[inline]
fn tail(bytes: &[u8]) -> (u64, u64) {
    if let Some(chunk) = bytes.last_chunk::<16>() {
        words(chunk)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
    } else {
        (bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), 0)
    }
}
