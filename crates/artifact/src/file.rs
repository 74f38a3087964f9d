//! Single files, read together with a stamp. Knows nothing of what is in them.

use std::fs::Metadata;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use bytekiln_action::Digest;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use crate::ArtifactError;
use crate::error::Fault;

/// What the file system keeps of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// When it was modified: seconds since 1970.
    pub mtime: i64,
    /// Nanoseconds within.
    pub mtime_nanoseconds: i64,
    /// Its length in bytes.
    pub size: u64,
    device: u64,
    inode: u64,
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct ReadFile {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Its stamp, the same before and after reading.
    pub stamp: FileStamp,
}

impl FileStamp {
    pub(crate) fn of(metadata: &Metadata) -> FileStamp {
        FileStamp {
            mtime: metadata.mtime(),
            mtime_nanoseconds: metadata.mtime_nsec(),
            size: metadata.len(),
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// Reads a regular file of at most `limit` bytes; links are followed.
pub fn read_file(path: &Path, limit: u64) -> Result<ReadFile, ArtifactError> {
    try_read(path, limit).map_err(|fault| fault.at(path, None))
}

fn try_read(path: &Path, limit: u64) -> Result<ReadFile, Fault> {
    // Non-blocking, so that a pipe cannot hang us.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Fault::Io(std::io::Error::other("not a regular file")));
    }
    let stamp = FileStamp::of(&metadata);
    if stamp.size > limit {
        return Err(Fault::TooLarge(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or(0) + 1);
    (&file).take(stamp.size + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != stamp.size || FileStamp::of(&file.metadata()?) != stamp {
        return Err(Fault::Io(std::io::Error::other("it changed while it was read")));
    }
    Ok(ReadFile { bytes, stamp })
}

/// The digest of a regular file of any length; links are followed. Holds a small part of it at a time.
///
/// # Errors
/// The system refuses to read it.
pub fn digest_file(path: &Path) -> Result<Digest, ArtifactError> {
    let digest = || -> std::io::Result<Digest> {
        let mut file = std::fs::File::open(path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        let mut size = 0;
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Digest { hash: hash.finalize().into(), size }),
                count => {
                    hash.update(buffer.get(..count).unwrap_or_default());
                    size += count as u64;
                }
            }
        }
    };
    digest().map_err(|error| Fault::Io(error).at(path, None))
}
