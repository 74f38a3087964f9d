//! A tar as blocks, packed on several threads and joined to one stream: one gzip member, or frames of
//! zstd. Blocks are cut at fixed places, so that the bytes do not depend on the number of threads.
//! Knows nothing of headers.

use flate2::Crc;

use super::TarCompression;
use crate::write::ZstdLevel;
use crate::write::blocks::{self, DEFLATE_BLOCK, DEFLATE_WINDOW, Deflater, Last, ZSTD_BLOCK};
use crate::write::in_order::{Feed, Halt};

/// A piece of work: a block, and what comes before it, as far as deflate looks back.
pub(super) struct Block {
    before: Vec<u8>,
    raw: Vec<u8>,
    last: Last,
}

/// What came of it.
pub(super) struct Packed {
    pub(super) raw: Vec<u8>,
    pub(super) crc: Crc,
    /// `None` if nothing is packed.
    pub(super) data: Option<Vec<u8>>,
}

/// Cuts a stream into blocks.
pub(super) struct Cutter<'a> {
    feed: &'a Feed<Block, Packed>,
    before: Vec<u8>,
    raw: Vec<u8>,
    size: usize,
    window: usize,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(compression: TarCompression, feed: &'a Feed<Block, Packed>) -> Cutter<'a> {
        let (size, window) = match compression {
            TarCompression::None => (DEFLATE_BLOCK, 0),
            TarCompression::Gzip(_) => (DEFLATE_BLOCK, DEFLATE_WINDOW),
            TarCompression::Zstd(_) => (ZSTD_BLOCK, 0),
        };
        Cutter { feed, before: Vec::new(), raw: Vec::with_capacity(size), size, window }
    }

    /// How many bytes more the block takes, and where they go.
    pub(super) fn room(&mut self) -> Result<(&mut Vec<u8>, usize), Halt> {
        if self.raw.len() >= self.size {
            self.send(Last::No)?;
        }
        let room = self.size - self.raw.len();
        Ok((&mut self.raw, room))
    }

    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Halt> {
        while !bytes.is_empty() {
            let (raw, room) = self.room()?;
            let (part, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            raw.extend_from_slice(part);
            bytes = rest;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), Halt> {
        self.send(Last::Yes)
    }

    fn send(&mut self, last: Last) -> Result<(), Halt> {
        let raw = std::mem::replace(&mut self.raw, Vec::with_capacity(self.size));
        let window = raw.len().saturating_sub(self.window);
        let next = raw.get(window..).unwrap_or_default().to_vec();
        let before = std::mem::replace(&mut self.before, next);
        Ok(self.feed.send(Block { before, raw, last })?)
    }
}

/// Packs on one thread.
pub(super) enum Packer {
    None,
    Gzip(Deflater),
    Zstd(ZstdLevel),
}

impl Packer {
    pub(super) fn new(compression: TarCompression) -> Packer {
        match compression {
            TarCompression::None => Packer::None,
            TarCompression::Gzip(level) => Packer::Gzip(Deflater::new(level)),
            TarCompression::Zstd(level) => Packer::Zstd(level),
        }
    }

    pub(super) fn pack(&mut self, block: Block) -> std::io::Result<Packed> {
        let Block { before, raw, last } = block;
        let mut crc = Crc::new();
        let data = match self {
            Packer::None => None,
            Packer::Gzip(deflater) => {
                crc.update(&raw);
                Some(deflater.pack(&before, &raw, last).to_vec())
            }
            Packer::Zstd(level) => Some(blocks::frame(*level, &raw)?),
        };
        Ok(Packed { raw, crc, data })
    }
}

/// What stands before the blocks.
pub(super) fn prologue(compression: TarCompression) -> &'static [u8] {
    match compression {
        // No name, no time, no system (RFC 1952).
        TarCompression::Gzip(_) => &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff],
        TarCompression::None | TarCompression::Zstd(_) => &[],
    }
}

/// What stands after them: checksum and size of all that was packed, the latter cut to 32 bits.
pub(super) fn epilogue(compression: TarCompression, crc: &Crc) -> Vec<u8> {
    match compression {
        TarCompression::Gzip(_) => [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat(),
        TarCompression::None | TarCompression::Zstd(_) => Vec::new(),
    }
}
