//! Tars.

use std::num::NonZeroUsize;

use bytekiln_action::Digest;

use super::{DeflateLevel, Entries, Output, WriteError, ZstdLevel};

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
/// What is in the file is of no use then.
pub fn write_tar(
    output: Output<'_>,
    entries: &Entries,
    options: &TarOptions,
) -> Result<WrittenTar, WriteError> {
    todo!("{output:?} {entries:?} {options:?}")
}
