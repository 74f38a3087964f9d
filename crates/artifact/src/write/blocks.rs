//! Compression in blocks, so that several threads can share one stream and its bytes do not depend
//! on how many do. A block of deflate may look back into the block before it and ends on a whole
//! byte, as `pigz` does it; a block of zstd is a frame. Knows nothing of containers.
//!
//! Deflate is zlib-rs: of what flate2 can use, it is written in Rust and the fastest. Which matches
//! it finds depends on the level and the data: the hash of its match finder is a multiplication on
//! every machine, where zlib-ng takes the CRC instruction if there is one. What it chooses at run
//! time are faster ways to compare bytes, to shift its hash table and to take checksums, all with
//! equal results. Zstd keeps the same promise for one version of it. Golden digests in the tests
//! hold both to it, so that an update of a library that changes bytes is noticed.

use flate2::{Compress, Compression, FlushCompress, Status};

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

/// Bytes of a block of deflate, unpacked.
pub(super) const DEFLATE_BLOCK: usize = 512 << 10;
/// How far deflate looks back.
pub(super) const DEFLATE_WINDOW: usize = 32 << 10;
/// Bytes of a frame of zstd, unpacked: as far as it looks back at its default level.
pub(super) const ZSTD_BLOCK: usize = 2 << 20;

/// Whether a block is the last of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Yes,
    No,
}

/// Makes blocks of deflate.
pub(super) struct Deflater {
    level: Compression,
    out: Vec<u8>,
}

impl Deflater {
    pub(super) fn new(level: DeflateLevel) -> Deflater {
        Deflater { level: Compression::new(u32::from(level.0)), out: Vec::new() }
    }

    /// Deflates `raw`, which comes after `before`.
    pub(super) fn pack(&mut self, before: &[u8], raw: &[u8], last: Last) -> &[u8] {
        let Deflater { level, out } = self;
        out.clear();
        // A new one, whose memory is all zeros: what a used one keeps of its last window can decide
        // between matches after a dictionary, even after a reset.
        let mut compress = Compress::new(*level, false);
        if !before.is_empty() {
            let dictionary = compress.set_dictionary(before);
            dictionary.unwrap_or_else(|error| unreachable!("a stream without header: {error}"));
        }
        let flush = match last {
            Last::Yes => FlushCompress::Finish,
            Last::No => FlushCompress::Sync,
        };
        // Room for all of it, and some to see that.
        out.reserve(raw.len() + raw.len() / 7 + 128);
        loop {
            let consumed = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
            let rest = raw.get(consumed..).unwrap_or_default();
            let status = compress.compress_vec(rest, out, flush);
            let status = status.unwrap_or_else(|error| unreachable!("not ended yet: {error}"));
            let is_finished = match last {
                Last::Yes => status == Status::StreamEnd,
                // All of it is out when there is room left.
                Last::No => out.len() < out.capacity(),
            };
            if is_finished {
                return out;
            }
            out.reserve(out.capacity());
        }
    }
}

/// Makes a frame of zstd. Each in a state of its own, for the reason that deflate has one.
pub(super) fn frame(level: ZstdLevel, raw: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(i32::from(level.0))?;
    compressor.include_checksum(true)?;
    compressor.compress(raw)
}
