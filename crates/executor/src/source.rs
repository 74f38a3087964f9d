//! Reads a source once, and only if it is still what was planned. Knows nothing of compilers.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use bytekiln_action::{Digest, RepoPath};
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::Failure;

/// The bytes that the action was keyed by.
pub(crate) fn read_source(
    root: &Path,
    source: &RepoPath,
    expected: &Digest,
) -> Result<Arc<[u8]>, Failure> {
    let path = root.join(OsStr::from_bytes(source.as_bytes()));
    let unreadable = |error: io::Error| {
        Failure::SourceUnreadable(format!("could not read `{}`: {error}", path.display()))
    };
    // A pipe that has taken the source's place must not make us wait.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(CWD, &path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(error) => return Err(unreadable(error.into())),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() != expected.size {
        return Err(Failure::SourceChanged);
    }
    // In one read: what `read_to_end` makes of a limited file are reads of 8 KB and more.
    let mut bytes = vec![0; usize::try_from(expected.size).unwrap_or(0)];
    match (&file).read_exact(&mut bytes) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(Failure::SourceChanged);
        }
        Err(error) => return Err(unreadable(error)),
    }
    if Digest::of(&bytes) != *expected {
        return Err(Failure::SourceChanged);
    }
    Ok(bytes.into())
}
