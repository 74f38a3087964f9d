//! Zips.

use std::num::NonZeroUsize;

use bytekiln_action::RepoPath;

use super::{DeflateLevel, Entries, Output, WriteError, Written};

/// How a zip is written.
#[derive(Debug, Clone)]
pub struct ZipOptions {
    /// How its files are packed.
    pub compression: ZipCompression,
    /// Bytes before the first entry, such as `#!/usr/bin/env python3` and the end of that line.
    pub preamble: Option<Vec<u8>>,
    /// When every entry was modified, in seconds since 1970. Zips know 1980 to 2107, every second
    /// second, and no time zone: what is outside becomes the nearest time inside, in UTC.
    pub modified: i64,
    /// Whether Zip64 may be used, where an entry or the whole needs it. Without, a file of 4 GiB,
    /// 65,535 entries or an archive of 4 GiB are errors.
    pub zip64: bool,
    /// Which folders get an entry.
    pub folders: ZipFolders,
    /// What lies in this folder is written after all else: a wheel's `.dist-info`.
    pub last: Option<RepoPath>,
    /// Threads to compress with.
    pub jobs: NonZeroUsize,
}

/// How the files of a zip are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZipCompression {
    /// As they are: the fastest to import from.
    Stored,
    /// Deflated; those that do not get smaller are stored.
    Deflated(DeflateLevel),
}

/// Which folders of a zip get an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZipFolders {
    /// All.
    All,
    /// Those that hold nothing: what wheels have.
    Empty,
}

/// Writes a zip.
///
/// # Errors
/// What is in the file is of no use then.
pub fn write_zip(
    output: Output<'_>,
    entries: &Entries,
    options: &ZipOptions,
) -> Result<Written, WriteError> {
    todo!("{output:?} {entries:?} {options:?}")
}
