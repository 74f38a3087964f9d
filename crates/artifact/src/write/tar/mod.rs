//! Writes tars, plain or packed, as layers of container images are. Every entry has the same time
//! and owner, and a number instead of a name for the latter. Knows nothing of what is in them.

mod header;
mod stream;

use std::num::NonZeroUsize;

use bytekiln_action::Digest;
use flate2::Crc;
use sha2::{Digest as _, Sha256};

use super::content::{self, Reader};
use super::in_order::{Feed, Halt, in_order};
use super::output::Writer;
use super::{DeflateLevel, Entries, Item, ItemKind, Output, WriteError, ZstdLevel};
use stream::{Block, Cutter, Packed, Packer};

/// How a tar is written.
#[derive(Debug, Clone)]
pub struct TarOptions {
    /// What it is packed with.
    pub compression: TarCompression,
    /// When every entry was modified, in seconds since 1970; before that is 1970.
    pub modified: i64,
    /// Whom every entry belongs to.
    pub owner: Owner,
    /// Threads to compress with.
    pub jobs: NonZeroUsize,
}

/// What a tar is packed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TarCompression {
    /// Nothing.
    None,
    /// One gzip member.
    Gzip(DeflateLevel),
    /// Frames of zstd.
    Zstd(ZstdLevel),
}

/// A user and a group, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
}

impl Owner {
    /// 0 and 0.
    pub const ROOT: Owner = Owner { user: 0, group: 0 };
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenTar {
    /// SHA-256 and size of the file.
    pub digest: Digest,
    /// SHA-256 and size of the tar, unpacked: what OCI calls the diffID.
    pub diff_id: Digest,
    /// How many entries it has.
    pub entries: usize,
}

/// Writes a tar.
///
/// # Errors
/// A content that cannot be read or is not what it should be, or no space. What is in the file is of
/// no use then.
pub fn write_tar(
    output: Output<'_>,
    entries: &Entries,
    options: &TarOptions,
) -> Result<WrittenTar, WriteError> {
    let compression = options.compression;
    let mut writer = Writer::new(output);
    writer.write(stream::prologue(compression))?;
    let mut whole = Crc::new();
    let mut unpacked = (Sha256::new(), 0);
    in_order(
        options.jobs,
        |feed| name(entries.items(), options, feed),
        || Packer::new(compression),
        |packer, block| {
            packer.pack(block).map_err(|error| {
                let path = output.name.to_owned();
                WriteError::Output { path, error }
            })
        },
        |Packed { raw, crc, data }| {
            whole.combine(&crc);
            unpacked.1 += raw.len() as u64;
            match data {
                // The digest of the file is that of the tar.
                None => writer.write(&raw),
                Some(data) => {
                    unpacked.0.update(&raw);
                    writer.write(&data)
                }
            }
        },
    )?;
    writer.write(&stream::epilogue(compression, &whole))?;
    let digest = writer.finish()?;
    let diff_id = match compression {
        TarCompression::None => digest,
        TarCompression::Gzip(_) | TarCompression::Zstd(_) => {
            Digest { hash: unpacked.0.finalize().into(), size: unpacked.1 }
        }
    };
    Ok(WrittenTar { digest, diff_id, entries: entries.items().len() })
}

/// Reads everything, one after the other, and cuts it into blocks.
fn name(items: &[Item], options: &TarOptions, feed: &Feed<Block, Packed>) -> Result<(), Halt> {
    let mut cutter = Cutter::new(options.compression, feed);
    for item in items {
        let ItemKind::File { content, .. } = &item.kind else {
            cutter.write(&header::headers(item, 0, options.modified, options.owner))?;
            continue;
        };
        let size = content::size_of(&item.path, content)?;
        let mut reader = Reader::open(&item.path, content, size)?;
        cutter.write(&header::headers(item, size, options.modified, options.owner))?;
        while reader.left() > 0 {
            let (raw, room) = cutter.room()?;
            reader.fill(raw, room)?;
        }
        reader.finish()?;
        cutter.write(&[0; header::BLOCK][..header::padding(size)])?;
    }
    // Two empty blocks end a tar.
    cutter.write(&[0; 2 * header::BLOCK])?;
    cutter.finish()
}
