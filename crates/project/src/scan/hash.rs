//! Digests of sources, read on all threads with one buffer each: nothing is kept in memory. Knows
//! nothing of which sources need hashing.

use std::io::Read as _;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};

use bytekiln_action::Digest;
use bytekiln_codec::{SourceHash, source_hash};
use bytekiln_python::Release;
use rustix::fs::{Mode, OFlags};

use super::{FileKind, FoundFile, Stamp};

/// A source whose bytes are in a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// Taken after opening and before reading: a change after it shows.
    pub(crate) stamp: Stamp,
    /// The first line names Python as its interpreter.
    pub(crate) python_shebang: bool,
}

/// A source that was read and hashed.
#[derive(Debug, Clone)]
pub(crate) struct Hashed {
    /// Of the bytes read.
    pub(crate) digest: Digest,
    /// See [`Source`].
    pub(crate) stamp: Stamp,
    /// See [`Source`].
    pub(crate) python_shebang: bool,
    /// What each release that was asked for has for it, in their order.
    pub(crate) source_hashes: Vec<SourceHash>,
}

/// How much of a file tells whether its first line names an interpreter: Linux reads 256 bytes.
const FIRST_LINE: u64 = 256;

/// Hashes each of `files`, below `root`; results in their order. Of an executable without a Python
/// shebang, which may be large and is no source, only the first line is read; its digest is that
/// of no bytes. For each of `releases`, also what it has in caches for a source.
pub(crate) fn hash_files(
    root: BorrowedFd<'_>,
    files: &[&FoundFile],
    releases: &[Release],
    threads: NonZeroUsize,
) -> Vec<std::io::Result<Hashed>> {
    crate::parallel::map(files, threads, Vec::new, |buffer, file| {
        hash_file(root, file, releases, buffer)
    })
}

fn hash_file(
    root: BorrowedFd<'_>,
    found: &FoundFile,
    releases: &[Release],
    buffer: &mut Vec<u8>,
) -> std::io::Result<Hashed> {
    let read =
        read_source(root, found.path.as_bytes(), found.kind == FileKind::Executable, buffer)?;
    let digest = Digest::of(buffer);
    let source_hashes = releases.iter().map(|release| source_hash(*release, buffer)).collect();
    Ok(Hashed { digest, stamp: read.stamp, python_shebang: read.python_shebang, source_hashes })
}

/// Reads a source into `buffer`; see [`hash_files`] for what `executable` means.
pub(crate) fn read_source(
    folder: BorrowedFd<'_>,
    path: &[u8],
    executable: bool,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Source> {
    // Non-blocking, so that a pipe put in the file's place meanwhile cannot hang us.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut file = std::fs::File::from(rustix::fs::openat(folder, path, flags, Mode::empty())?);
    let stat = rustix::fs::fstat(file.as_fd())?;
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(std::io::Error::other("not a regular file any more"));
    }
    let size = usize::try_from(stat.st_size).unwrap_or_default();
    make_room(buffer, size);
    if executable {
        file.by_ref().take(FIRST_LINE).read_to_end(buffer)?;
    } else {
        read_whole(&file, size, buffer)?;
    }
    let python_shebang = has_python_shebang(buffer);
    if executable && python_shebang {
        file.read_to_end(buffer)?;
    } else if executable {
        buffer.clear();
    }
    Ok(Source { stamp: Stamp::of(&stat), python_shebang })
}

/// Reads a source that the walk has stamped, with no further look at it where the size is as it was: what
/// has changed since the stamp shows in the next stamp, whatever is read now.
pub(crate) fn read_stamped(
    folder: BorrowedFd<'_>,
    path: &[u8],
    stamp: &Stamp,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Source> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(folder, path, flags, Mode::empty())?;
    let size = usize::try_from(stamp.size).unwrap_or_default();
    make_room(buffer, size);
    buffer.reserve(size.saturating_add(1));
    let free = buffer.capacity();
    // A read that gives less than was asked for has met the end.
    match rustix::io::read(&file, rustix::buffer::spare_capacity(buffer)) {
        Ok(count) if count == size && count < free => {
            Ok(Source { stamp: *stamp, python_shebang: has_python_shebang(buffer) })
        }
        _ => read_source(folder, path, false, buffer),
    }
}

/// The room of a larger file is not dragged along.
const LARGE: usize = 1 << 23;

/// Empties a buffer for a file of about this size. What is in it is not copied into a larger one, and none is
/// given back that the next file may need: fresh memory costs as much as reading into it.
fn make_room(buffer: &mut Vec<u8>, size: usize) {
    buffer.clear();
    if buffer.capacity() <= size || buffer.capacity() > LARGE {
        let room = if size < LARGE { size.saturating_add(1).next_power_of_two() } else { size };
        *buffer = Vec::with_capacity(room.min(LARGE));
    }
}

/// Reads a file of about this size: where that is right, with a single call, because a read that gives
/// less than was asked for has met the end.
fn read_whole(file: &std::fs::File, size: usize, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let room = size.saturating_sub(buffer.len()).saturating_add(1).max(32);
        buffer.reserve(room);
        let free = buffer.capacity() - buffer.len();
        let read = rustix::io::read(file, rustix::buffer::spare_capacity(buffer));
        match read {
            Ok(0) => return Ok(()),
            Ok(count) if count < free && buffer.len() >= size => return Ok(()),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// `#!/usr/bin/python3`, `#! /usr/bin/env -S python3 -u`, `#!/opt/venv/bin/python`.
fn has_python_shebang(content: &[u8]) -> bool {
    let Some(line) = content.strip_prefix(b"#!") else { return false };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let Some(program) = words.next() else { return false };
    let name = |word: &[u8]| word.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
    if name(program) != b"env" {
        return name(program).starts_with(b"python");
    }
    words
        .find(|word| !word.starts_with(b"-") && !word.contains(&b'='))
        .is_some_and(|word| name(word).starts_with(b"python"))
}
