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

/// Hash of `length` bytes at `start` of `all` under a seed, with few guesses for the processor: short
/// contents are read with what follows them, which is shifted out. Short ones hash otherwise in [`bytes`].
#[inline]
pub(super) fn bytes_at(seed: u64, all: &[u8], start: usize, length: usize) -> u64 {
    let ahead = all.get(start..).unwrap_or_default();
    match (ahead.first_chunk::<16>(), 16_usize.checked_sub(length)) {
        (Some(chunk), Some(beyond)) => {
            let both = u128::from_le_bytes(*chunk).checked_shl(8 * beyond as u32).unwrap_or(0);
            let state = seed ^ (length as u64).wrapping_mul(OTHER);
            fold(both as u64 ^ state, (both >> 64) as u64 ^ ODD ^ state.rotate_left(32))
        }
        (_, None) => bytes(seed, ahead.get(..length).unwrap_or_default()),
        (None, Some(_)) => {
            let mut chunk = [0; 16];
            for (to, from) in chunk.iter_mut().zip(ahead) {
                *to = *from;
            }
            bytes_at(seed, &chunk, 0, length)
        }
    }
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

/// A seed from a whole payload. Four states at once, because each step waits for the one before.
pub(super) fn seed(payload: &[u8]) -> u64 {
    let (blocks, rest) = payload.as_chunks::<64>();
    let mut states = [ODD, OTHER, !ODD, !OTHER];
    for block in blocks {
        let (chunks, _) = block.as_chunks::<16>();
        for (state, chunk) in states.iter_mut().zip(chunks) {
            let (low, high) = words(chunk);
            *state = fold(low ^ *state, high ^ ODD ^ state.rotate_left(32));
        }
    }
    states.iter().fold(bytes(payload.len() as u64, rest), |seed, state| {
        fold(seed ^ state, ODD ^ seed.rotate_left(32))
    })
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
