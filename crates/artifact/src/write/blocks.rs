//! Compression.

/// How hard deflate tries: 1 (fast) to 9 (small).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflateLevel(u8);

impl DeflateLevel {
    /// What `zip` and `gzip` take when they are not asked.
    pub const DEFAULT: DeflateLevel = DeflateLevel(6);

    /// `None` unless it is 1 to 9.
    pub fn new(level: u8) -> Option<DeflateLevel> {
        (1..=9).contains(&level).then_some(DeflateLevel(level))
    }
}

/// How hard zstd tries: 1 (fast) to 19 (small).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZstdLevel(u8);

impl ZstdLevel {
    /// What `zstd` takes when it is not asked.
    pub const DEFAULT: ZstdLevel = ZstdLevel(3);

    /// `None` unless it is 1 to 19.
    pub fn new(level: u8) -> Option<ZstdLevel> {
        (1..=19).contains(&level).then_some(ZstdLevel(level))
    }
}
