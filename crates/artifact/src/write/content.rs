//! Reads what a member is to hold, and notices if that is not what was meant. Knows nothing of
//! containers.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use bytekiln_action::{Digest, RepoPath};
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use super::{Content, WriteError};
use crate::member::MemberReader;
use crate::{Artifact, ArtifactError, EntryKind, FileStamp};

/// How many bytes it will have.
pub(super) fn size_of(member: &RepoPath, content: &Content) -> Result<u64, WriteError> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.len() as u64),
        Content::File { digest: Some(digest), .. } | Content::Object { digest, .. } => {
            Ok(digest.size)
        }
        Content::File { path, digest: None } => match std::fs::metadata(path) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) => Err(unreadable(member, path, error)),
        },
        Content::Member { artifact, index } => {
            let entry = artifact.resolve(*index).and_then(|index| artifact.entries().get(index));
            match entry.filter(|entry| entry.kind == EntryKind::File) {
                Some(entry) => Ok(entry.size),
                None => Err(no_file(member, artifact, *index)),
            }
        }
    }
}

/// Reads all of it at once.
pub(super) fn read(member: &RepoPath, content: &Content, size: u64) -> Result<Vec<u8>, WriteError> {
    let mut reader = Reader::open(member, content, size)?;
    let mut bytes = Vec::new();
    let length = usize::try_from(size).unwrap_or(usize::MAX);
    reader.fill(&mut bytes, length)?;
    reader.finish()?;
    Ok(bytes)
}

/// Reads it in parts.
pub(super) struct Reader<'a> {
    member: &'a RepoPath,
    source: Source<'a>,
    left: u64,
    hash: Option<(Sha256, Digest)>,
}

enum Source<'a> {
    Bytes(&'a [u8]),
    File { path: &'a Path, file: File, stamp: FileStamp },
    Member { artifact: &'a Arc<Artifact>, reader: MemberReader<'a> },
}

impl<'a> Reader<'a> {
    pub(super) fn open(
        member: &'a RepoPath,
        content: &'a Content,
        size: u64,
    ) -> Result<Reader<'a>, WriteError> {
        let (source, digest) = match content {
            Content::Bytes(bytes) => (Source::Bytes(bytes), None),
            Content::File { path, digest } => (open_file(member, path, size)?, *digest),
            Content::Object { path, digest } => (open_file(member, path, size)?, Some(*digest)),
            Content::Member { artifact, index } => {
                let reader = artifact.reader(*index).map_err(|error| damaged(member, error))?;
                (Source::Member { artifact, reader }, None)
            }
        };
        let hash = digest.map(|digest| (Sha256::new(), digest));
        Ok(Reader { member, source, left: size, hash })
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The file it is read from, if it is one of this machine.
    pub(super) fn file(&self) -> Option<&File> {
        match &self.source {
            Source::File { file, .. } => Some(file),
            Source::Bytes(_) | Source::Member { .. } => None,
        }
    }

    /// Adds the next `most` bytes, or all that are left if those are fewer.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, most: usize) -> Result<(), WriteError> {
        let count = usize::try_from(self.left).map_or(most, |left| left.min(most));
        let start = out.len();
        match &mut self.source {
            Source::Bytes(bytes) => {
                let (part, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
                out.extend_from_slice(part);
                *bytes = rest;
            }
            Source::File { path, file, .. } => {
                out.resize(start + count, 0);
                let read = file.read_exact(out.get_mut(start..).unwrap_or_default());
                match read {
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => out.truncate(start),
                    read => read.map_err(|error| unreadable(self.member, path, error))?,
                }
            }
            Source::Member { reader, .. } => {
                out.resize(start + count, 0);
                let mut at = start;
                while let Some(rest) = out.get_mut(at..).filter(|rest| !rest.is_empty()) {
                    match reader.read(rest).map_err(|error| damaged(self.member, error))? {
                        0 => break,
                        read => at += read,
                    }
                }
                out.truncate(at);
            }
        }
        let part = out.get(start..).unwrap_or_default();
        if part.len() < count {
            return Err(self.changed());
        }
        if let Some((hash, _)) = &mut self.hash {
            hash.update(part);
        }
        self.left -= count as u64;
        Ok(())
    }

    /// All was read: checks that it was what it should be, and that there is no more.
    pub(super) fn finish(mut self) -> Result<(), WriteError> {
        let is_more = match &mut self.source {
            Source::Bytes(bytes) => !bytes.is_empty(),
            Source::File { path, file, stamp } => {
                // One `stat` tells both a longer file and one written over in place.
                let now = file.metadata().map_err(|error| unreadable(self.member, path, error))?;
                FileStamp::of(&now) != *stamp
            }
            Source::Member { reader, .. } => {
                reader.read(&mut [0]).map_err(|error| damaged(self.member, error))? != 0
            }
        };
        let hash = self.hash.take();
        let is_other = hash.is_some_and(|(hash, digest)| *hash.finalize() != digest.hash);
        if self.left > 0 || is_more || is_other { Err(self.changed()) } else { Ok(()) }
    }

    fn changed(&self) -> WriteError {
        let path = match &self.source {
            Source::File { path, .. } => path,
            Source::Member { artifact, .. } => artifact.path(),
            Source::Bytes(_) => Path::new(""),
        };
        WriteError::Changed { member: self.member.to_string(), path: path.to_owned() }
    }
}

fn open_file<'a>(member: &RepoPath, path: &'a Path, size: u64) -> Result<Source<'a>, WriteError> {
    let fail = |error| unreadable(member, path, error);
    // Non-blocking, so that a pipe cannot hang us.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let opened = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Err(fail(std::io::Error::other("not a regular file")));
    }
    if metadata.len() != size {
        return Err(WriteError::Changed { member: member.to_string(), path: path.to_owned() });
    }
    Ok(Source::File { path, file, stamp: FileStamp::of(&metadata) })
}

fn unreadable(member: &RepoPath, path: &Path, error: std::io::Error) -> WriteError {
    WriteError::Content { member: member.to_string(), path: path.to_owned(), error }
}

fn damaged(member: &RepoPath, error: ArtifactError) -> WriteError {
    WriteError::Artifact { member: member.to_string(), error }
}

fn no_file(member: &RepoPath, artifact: &Artifact, index: usize) -> WriteError {
    let entry = artifact.entries().get(index);
    let name = entry.map_or_else(|| format!("entry {index}"), |entry| entry.path.to_string());
    damaged(member, ArtifactError::NotAFile { path: artifact.path().to_owned(), member: name })
}
