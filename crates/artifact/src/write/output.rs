//! Where containers are written to: a folder, or a file that is written from its beginning, and its
//! digest. A part may be left out of the digest
//! until it has been mended; it is then read back. Knows nothing of containers.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bytekiln_action::Digest;
use sha2::{Digest as _, Sha256};

use super::WriteError;

/// Where an archive is written to.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// An empty file, opened for reading and writing.
    pub file: &'a File,
    /// What errors call it: the name that it will have.
    pub name: &'a Path,
}

/// Where a folder is written to.
#[derive(Debug, Clone, Copy)]
pub struct FolderOutput<'a> {
    /// An empty folder.
    pub path: &'a Path,
    /// What errors call it: the name that it will have.
    pub name: &'a Path,
}

impl FolderOutput<'_> {
    /// The error that something below could not be written.
    pub(super) fn fail(&self, path: &Path, error: std::io::Error) -> WriteError {
        let below = path.strip_prefix(self.path).unwrap_or(path);
        WriteError::Output { path: self.name.join(below), error }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// SHA-256 and size of the file.
    pub digest: Digest,
    /// How many entries it has.
    pub entries: usize,
}

/// Bytes that are gathered before the system is asked to write them.
const BUFFER: usize = 256 << 10;

pub(super) struct Writer<'a> {
    output: Output<'a>,
    buffer: Vec<u8>,
    /// Bytes that are in the file.
    flushed: u64,
    hash: Sha256,
    /// Where the digest waits.
    unhashed: Option<u64>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(output: Output<'a>) -> Writer<'a> {
        let buffer = Vec::with_capacity(BUFFER);
        Writer { output, buffer, flushed: 0, hash: Sha256::new(), unhashed: None }
    }

    pub(super) fn name(&self) -> &'a Path {
        self.output.name
    }

    /// How many bytes were written.
    pub(super) fn position(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        if self.unhashed.is_none() {
            self.hash.update(bytes);
        }
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if bytes.len() >= BUFFER {
            self.output.file.write_all_at(bytes, self.flushed).map_err(|error| self.fail(error))?;
            self.flushed += bytes.len() as u64;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// From here on, bytes may be mended until [`Writer::resume`].
    pub(super) fn suspend(&mut self) {
        self.unhashed.get_or_insert(self.position());
    }

    /// Puts other bytes where some were written since [`Writer::suspend`].
    pub(super) fn mend(&mut self, at: u64, bytes: &[u8]) -> Result<(), WriteError> {
        self.flush()?;
        self.output.file.write_all_at(bytes, at).map_err(|error| self.fail(error))
    }

    /// What was written since [`Writer::suspend`] stays as it is.
    pub(super) fn resume(&mut self) -> Result<(), WriteError> {
        self.flush()?;
        let Some(mut at) = self.unhashed.take() else { return Ok(()) };
        let mut bytes = vec![0; BUFFER];
        while at < self.flushed {
            let most = usize::try_from(self.flushed - at).map_or(BUFFER, |rest| rest.min(BUFFER));
            let part = bytes.get_mut(..most).unwrap_or_default();
            self.output.file.read_exact_at(part, at).map_err(|error| self.fail(error))?;
            self.hash.update(&*part);
            at += most as u64;
        }
        Ok(())
    }

    /// Writes what is left; the digest of the whole.
    pub(super) fn finish(mut self) -> Result<Digest, WriteError> {
        self.resume()?;
        Ok(Digest { hash: self.hash.finalize().into(), size: self.flushed })
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        let written = self.output.file.write_all_at(&self.buffer, self.flushed);
        written.map_err(|error| self.fail(error))?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn fail(&self, error: std::io::Error) -> WriteError {
        WriteError::Output { path: self.output.name.to_owned(), error }
    }
}
