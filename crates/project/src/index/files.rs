//! The file index: stamp → digest of every source, sorted by path. Knows nothing of how stamps
//! are taken, and keeps only those that were taken safely.

use std::path::Path;

use bytekiln_action::{Digest, RepoPath};

use super::encoding::{Reader, Writer};
use super::{Damage, StateError, StateFile, StateWriter, read_state};
use crate::scan::Stamp;

/// What an index remembers of the content of a file.
pub(crate) trait Identity: Copy + Eq + std::fmt::Debug {
    /// The index of these.
    const FILE: StateFile;
    fn put(&self, out: &mut Writer);
    fn take(reader: &mut Reader<'_>) -> Option<Self>;
}

/// The build's: keys of actions are made of these.
impl Identity for Digest {
    const FILE: StateFile = StateFile { magic: *b"bkindex\0", version: 1, what: "the file index" };

    fn put(&self, out: &mut Writer) {
        put_digest(out, self);
    }

    fn take(reader: &mut Reader<'_>) -> Option<Digest> {
        take_digest(reader)
    }
}

/// So many bytes are put together before they go out: an index of 86,000 files has 14 MB.
const BLOCK: usize = 1 << 16;

/// What a file turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexedKind {
    /// Python.
    Source,
    /// An executable of another language.
    Other,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexEntry<I = Digest> {
    pub(crate) path: RepoPath,
    pub(crate) stamp: Stamp,
    pub(crate) kind: IndexedKind,
    pub(crate) digest: I,
}

/// An entry of an index, as it is read and written.
pub(crate) type Row<'a, I> = (&'a RepoPath, (Stamp, IndexedKind, I));

/// The index: sorted by path, each path once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileIndex<I = Digest> {
    pub(crate) entries: Vec<IndexEntry<I>>,
}

impl<I> Default for FileIndex<I> {
    fn default() -> Self {
        FileIndex { entries: Vec::new() }
    }
}

impl<I: Identity> FileIndex<I> {
    pub(crate) fn read(path: &Path) -> Result<Self, Damage> {
        let Some(body) = read_state(path, I::FILE)? else { return Ok(FileIndex::default()) };
        // A body with a right checksum that cannot be read was written wrongly: start anew.
        Ok(FileIndex::decode(&body).unwrap_or_default())
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), StateError> {
        Self::write_rows(path, self.rows())
    }

    /// All of it, by path.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_, I>> {
        self.entries.iter().map(|entry| (&entry.path, (entry.stamp, entry.kind, entry.digest)))
    }

    /// Writes an index that need not be put together before.
    pub(crate) fn write_rows<'a>(
        path: &Path,
        rows: impl Iterator<Item = Row<'a, I>>,
    ) -> Result<(), StateError> {
        let mut file = StateWriter::create(path, I::FILE)?;
        let mut out = Writer::default();
        for (path, (stamp, kind, digest)) in rows {
            out.string(path.as_bytes());
            put_stamp(&mut out, &stamp);
            out.u8(match kind {
                IndexedKind::Source => 0,
                IndexedKind::Other => 1,
            });
            digest.put(&mut out);
            if out.bytes.len() >= BLOCK {
                file.write(&out.bytes)?;
                out.bytes.clear();
            }
        }
        file.write(&out.bytes)?;
        file.finish()
    }

    fn decode(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut entries: Vec<IndexEntry<I>> = Vec::new();
        while !reader.is_empty() {
            let entry = IndexEntry {
                path: RepoPath::new(reader.string()?)?,
                stamp: take_stamp(&mut reader)?,
                kind: match reader.u8()? {
                    0 => IndexedKind::Source,
                    1 => IndexedKind::Other,
                    _ => return None,
                },
                digest: I::take(&mut reader)?,
            };
            if entries.last().is_some_and(|last| last.path >= entry.path) {
                return None;
            }
            entries.push(entry);
        }
        Some(FileIndex { entries })
    }
}

pub(crate) fn put_stamp(out: &mut Writer, stamp: &Stamp) {
    out.u64(stamp.size);
    out.i64(stamp.mtime);
    out.i64(stamp.ctime);
    out.u64(stamp.inode);
    out.u32(stamp.mode);
}

pub(crate) fn take_stamp(reader: &mut Reader<'_>) -> Option<Stamp> {
    Some(Stamp {
        size: reader.u64()?,
        mtime: reader.i64()?,
        ctime: reader.i64()?,
        inode: reader.u64()?,
        mode: reader.u32()?,
    })
}

pub(super) fn put_digest(out: &mut Writer, digest: &Digest) {
    out.fixed(&digest.hash);
    out.u64(digest.size);
}

pub(super) fn take_digest(reader: &mut Reader<'_>) -> Option<Digest> {
    Some(Digest { hash: reader.array()?, size: reader.u64()? })
}
