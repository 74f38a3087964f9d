//! The hash of a source that PEP 552 puts into hash-based caches: SipHash over the bytes as they
//! are, keyed by the magic number. Our own forty lines: the published algorithm (Aumasson and
//! Bernstein, "SipHash: a fast short-input PRF") is smaller than the reason for a dependency.

use bytekiln_python::{Release, SourceHashAlgorithm};

/// `importlib.util.source_hash` of a source, as it stands in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceHash(pub [u8; 8]);

impl std::fmt::Display for SourceHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The hash that `release` expects in a cache of `source` (PEP 552). Line endings, encoding
/// declaration and byte order mark count: the bytes are hashed as they are.
pub fn source_hash(release: Release, source: &[u8]) -> SourceHash {
    let key = u64::from(u32::from_le_bytes(release.magic_bytes()));
    let hash = match release.source_hash_algorithm() {
        SourceHashAlgorithm::SipHash13 => siphash::<1, 3>(key, 0, source),
        SourceHashAlgorithm::SipHash24 => siphash::<2, 4>(key, 0, source),
    };
    SourceHash(hash.to_le_bytes())
}

fn siphash<const C: usize, const D: usize>(k0: u64, k1: u64, bytes: &[u8]) -> u64 {
    let mut state = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        absorb::<C>(&mut state, u64::from_le_bytes(*word));
    }
    // The last word holds what is left and, in its top byte, the length modulo 256.
    let mut last = (bytes.len() as u64) << 56;
    for (index, byte) in rest.iter().enumerate() {
        last |= u64::from(*byte) << (8 * index);
    }
    absorb::<C>(&mut state, last);
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

fn round(state: &mut [u64; 4]) {
    let [mut a, mut b, mut c, mut d] = *state;
    a = a.wrapping_add(b);
    b = b.rotate_left(13) ^ a;
    a = a.rotate_left(32);
    c = c.wrapping_add(d);
    d = d.rotate_left(16) ^ c;
    a = a.wrapping_add(d);
    d = d.rotate_left(21) ^ a;
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    c = c.rotate_left(32);
    *state = [a, b, c, d];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `importlib.util.source_hash` of the final releases.
    #[test]
    fn hashes_of_each_release() {
        for (minor, empty, abc) in [
            (8, "81e4881b3643e8e9", "cdfe194f45691474"),
            (9, "ac0bb7c83e5b1c5f", "361f0027dbc6db99"),
            (10, "8cc0cd2525e7fd27", "435b6a4bbf3d9415"),
            (11, "738d9cd5d5e87f73", "c7af82e77c1da4f5"),
            (12, "baf18eedc9387a25", "a00f5731f8bafd32"),
            (13, "27ec6d312f93b814", "c9ff551a534790a0"),
            (14, "61f5b7cb653a6aa4", "6e461bf6a5e97b4a"),
            (15, "4a3c34e72b7ffc07", "5bcfa3ea93a700a5"),
        ] {
            let release = Release::from_minor(minor).expect("a known release");
            assert_eq!(source_hash(release, b"").to_string(), empty, "{release}");
            assert_eq!(source_hash(release, b"abc").to_string(), abc, "{release}");
        }
    }

    /// The reference vector of the SipHash paper: key 00..0f, input 00..0e.
    #[test]
    fn reference_vector() {
        let input: Vec<u8> = (0..15).collect();
        let hash = siphash::<2, 4>(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908, &input);
        assert_eq!(hash, 0xa129_ca61_49be_45e5);
    }
}
