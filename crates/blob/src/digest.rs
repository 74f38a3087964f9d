//! The check of each entry and of the index: what `importlib.util.source_hash` of the target gives,
//! SipHash keyed by the magic number. It finds damage, not malice: who can change a blob can change
//! its digests. It is this one because every CPython has it built in (`_imp`), where it takes a
//! tenth of the time of SHA-256 and no import; `docs/blob.md` has the figures.

/// The first magic number of CPython 3.11, which changed from SipHash-2-4 to SipHash-1-3.
const FIRST_MAGIC_OF_3_11: u16 = 3450;

/// The digest of some bytes for a target with this magic number.
pub(crate) fn digest(magic_number: u16, bytes: &[u8]) -> u64 {
    let [low, high] = magic_number.to_le_bytes();
    let key = u64::from(u32::from_le_bytes([low, high, b'\r', b'\n']));
    if magic_number < FIRST_MAGIC_OF_3_11 {
        siphash::<2, 4>(key, bytes)
    } else {
        siphash::<1, 3>(key, bytes)
    }
}

/// SipHash with a second key of zero (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
fn siphash<const C: usize, const D: usize>(key: u64, bytes: &[u8]) -> u64 {
    let mut state = [
        key ^ 0x736f_6d65_7073_6575,
        0x646f_7261_6e64_6f6d,
        key ^ 0x6c79_6765_6e65_7261,
        0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        absorb::<C>(&mut state, u64::from_le_bytes(*word));
    }
    let length = (bytes.len() as u64) << 56;
    let last = rest.iter().rev().fold(0_u64, |last, byte| last << 8 | u64::from(*byte));
    absorb::<C>(&mut state, length | last);
    state[2] ^= 0xff;
    for _ in 0..D {
        round(&mut state);
    }
    state[0] ^ state[1] ^ state[2] ^ state[3]
}

fn absorb<const C: usize>(state: &mut [u64; 4], word: u64) {
    state[3] ^= word;
    for _ in 0..C {
        round(state);
    }
    state[0] ^= word;
}

fn round([a, b, c, d]: &mut [u64; 4]) {
    *a = a.wrapping_add(*b);
    *b = b.rotate_left(13) ^ *a;
    *a = a.rotate_left(32);
    *c = c.wrapping_add(*d);
    *d = d.rotate_left(16) ^ *c;
    *a = a.wrapping_add(*d);
    *d = d.rotate_left(21) ^ *a;
    *c = c.wrapping_add(*b);
    *b = b.rotate_left(17) ^ *c;
    *c = c.rotate_left(32);
}
