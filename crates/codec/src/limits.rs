//! How much a payload may ask for before it is refused.

/// Bounds on what a decoder does with bytes that nobody vouches for.
///
/// Whatever the payload, the decoder and the canonicalizer use time linear in its length (sets cost
/// a logarithm more, to order them) and at most about 64 bytes of memory a byte of it, 30 in the
/// worst payloads measured; the length is therefore the bound on memory. Only ordering nested sets
/// may take more, 16 MiB of their elements' bytes however short the payload is; and containers that
/// are open at once take some 100 bytes each, `depth` of them at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Objects nested in one another, references followed. CPython stops at 2000 (1000 on
    /// Windows); the deepest file of the standard library, django and sympy has 17.
    pub depth: u16,
    /// Length of the payload in bytes. A 20 MB generated module stays below a quarter of it.
    pub payload_bytes: u32,
}

impl Limits {
    /// What [`Limits::default`] gives.
    pub const DEFAULT: Limits = Limits { depth: 1000, payload_bytes: 256 << 20 };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}
