//! Where sources come from: files below the workspace, or whatever the caller has. Read once, and
//! used only if they are still what was planned. Knows nothing of compilers.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use bytekiln_action::{Digest, RepoPath};
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::{Failure, Job};

/// Where the bytes of sources come from: members of an archive, files anywhere, memory.
pub trait Sources: Sync {
    /// The bytes of the source of job number `index`. They need not be what the action's key says:
    /// the executor checks that. Called from several threads, and more than once for a job that is
    /// tried again.
    ///
    /// # Errors
    /// [`Failure::SourceUnreadable`] or [`Failure::SourceChanged`].
    fn read(&self, index: usize, job: &Job) -> Result<Arc<[u8]>, Failure>;
}

/// Files below the first root of the work.
pub(crate) struct WorkspaceFiles<'a> {
    pub root: Option<&'a Path>,
}

impl Sources for WorkspaceFiles<'_> {
    fn read(&self, _index: usize, job: &Job) -> Result<Arc<[u8]>, Failure> {
        let Some(root) = self.root else {
            return Err(Failure::SourceUnreadable("the work has no folders".to_owned()));
        };
        read_file(root, &job.source, &job.action.source)
    }
}

/// What a source gave, if it is what the action was keyed by.
pub(crate) fn checked(
    sources: &dyn Sources,
    index: usize,
    job: &Job,
) -> Result<Arc<[u8]>, Failure> {
    let bytes = sources.read(index, job)?;
    if Digest::of(&bytes) != job.action.source {
        return Err(Failure::SourceChanged);
    }
    Ok(bytes)
}

/// As many bytes as are expected; whether they are the right ones is for [`checked`].
fn read_file(root: &Path, source: &RepoPath, expected: &Digest) -> Result<Arc<[u8]>, Failure> {
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
    Ok(bytes.into())
}
