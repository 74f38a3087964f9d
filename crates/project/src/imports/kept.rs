//! Imports of sources, kept by the digest of the source: one state file, sorted by digest. What the
//! present sources do not use stays for some writes, so that going to another branch and back costs
//! nothing. Knows nothing of where sources lie.

use std::path::{Path, PathBuf};

use bytekiln_graph::ModuleImports;

use crate::index::{Damage, Reader, StateError, StateFile, Writer, read_state, write_state};

const FILE: StateFile = StateFile { magic: *b"bkimport", version: 1, what: "the store of imports" };

/// Entries that so many writes in a row did not use are dropped.
const WRITES: u8 = 12;

/// Digest, offset, length, age, and whether the first line names Python.
const ROW: usize = 32 + 8 + 4 + 1 + 1;

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    body: Vec<u8>,
    rows: usize,
}

/// What is found out of a source, in the form that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fresh {
    pub(super) hash: [u8; 32],
    pub(super) shebang: bool,
    pub(super) bytes: Vec<u8>,
}

struct Row<'a> {
    hash: &'a [u8],
    age: u8,
    shebang: bool,
    bytes: &'a [u8],
}

/// The file for extractions with these options.
pub(super) fn path(state_dir: &Path, strings: bool) -> PathBuf {
    state_dir.join(if strings { "imports-with-strings" } else { "imports" })
}

impl Kept {
    pub(super) fn read(path: &Path) -> Result<Kept, Damage> {
        let body = read_state(path, FILE)?.unwrap_or_default();
        let rows = Reader::new(&body).count().unwrap_or_default();
        Ok(if rows.saturating_mul(ROW) < body.len() {
            Kept { body, rows }
        } else {
            Kept::default()
        })
    }

    fn row(&self, at: usize) -> Option<Row<'_>> {
        let start = at.checked_mul(ROW)?.checked_add(4)?;
        let mut reader = Reader::new(self.body.get(start..start.checked_add(ROW)?)?);
        let hash = reader.take(32)?;
        let offset = usize::try_from(reader.u64()?).ok()?;
        let length = reader.u32()? as usize;
        let (age, shebang) = (reader.u8()?, reader.u8()? == 1);
        let bytes = self.body.get(offset..offset.checked_add(length)?)?;
        Some(Row { hash, age, shebang, bytes })
    }

    fn find(&self, hash: &[u8; 32]) -> Option<Row<'_>> {
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.row(middle)?;
            match row.hash.cmp(hash.as_slice()) {
                std::cmp::Ordering::Equal => return Some(row),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The imports of the source with this digest, and whether its first line names Python.
    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<(ModuleImports, bool)> {
        let row = self.find(hash)?;
        Some((ModuleImports::decode(row.bytes).ok()?, row.shebang))
    }

    /// Replaces the file: `fresh` is added, `used` (sorted) stays, all else grows older.
    pub(super) fn write(
        &self,
        path: &Path,
        mut fresh: Vec<Fresh>,
        used: &[[u8; 32]],
    ) -> Result<(), StateError> {
        fresh.sort_by_key(|new| new.hash);
        fresh.dedup_by(|a, b| a.hash == b.hash);
        let mut rows: Vec<Row<'_>> = Vec::with_capacity(self.rows + fresh.len());
        for row in (0..self.rows).filter_map(|at| self.row(at)) {
            let is_used = used.binary_search_by(|hash| hash.as_slice().cmp(row.hash)).is_ok();
            let age = if is_used { 0 } else { row.age.saturating_add(1) };
            let is_new = fresh.binary_search_by(|new| new.hash.as_slice().cmp(row.hash)).is_ok();
            if age <= WRITES && !is_new {
                rows.push(Row { age, ..row });
            }
        }
        rows.extend(fresh.iter().map(|new| Row {
            hash: &new.hash,
            age: 0,
            shebang: new.shebang,
            bytes: &new.bytes,
        }));
        rows.sort_by(|a, b| a.hash.cmp(b.hash));
        let size: usize = rows.iter().map(|row| ROW + row.bytes.len()).sum();
        let mut out = Writer { bytes: Vec::with_capacity(size + 4) };
        out.count(rows.len());
        let mut offset = 4 + rows.len() as u64 * ROW as u64;
        for row in &rows {
            out.fixed(row.hash);
            out.u64(offset);
            out.count(row.bytes.len());
            out.u8(row.age);
            out.u8(u8::from(row.shebang));
            offset += row.bytes.len() as u64;
        }
        for row in &rows {
            out.fixed(row.bytes);
        }
        drop(rows);
        // With 80,000 sources these are tens of megabytes, and nobody needs them twice.
        drop(fresh);
        write_state(path, FILE, &out.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(name: u8) -> Fresh {
        let source = format!("import m{name}");
        let extraction = bytekiln_syntax::imports(source.as_bytes());
        Fresh {
            hash: [name; 32],
            shebang: name == 1,
            bytes: ModuleImports::new(&extraction).encode(),
        }
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes_after_some_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), false);
        Kept::default().write(&path, vec![fresh(2), fresh(1)], &[[1; 32], [2; 32]]).unwrap();
        let kept = Kept::read(&path).unwrap();
        assert_eq!(kept.get(&[1; 32]).unwrap().0.len(), 1);
        assert!(kept.get(&[1; 32]).unwrap().1);
        assert!(!kept.get(&[2; 32]).unwrap().1);
        assert!(kept.get(&[3; 32]).is_none());
        for write in 0..=WRITES {
            let kept = Kept::read(&path).unwrap();
            assert!(kept.get(&[2; 32]).is_some(), "gone after {write} writes");
            kept.write(&path, vec![], &[[1; 32]]).unwrap();
        }
        let kept = Kept::read(&path).unwrap();
        assert!(kept.get(&[2; 32]).is_none());
        assert!(kept.get(&[1; 32]).is_some());
    }

    #[test]
    fn damage_is_noticed_at_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), true);
        Kept::default().write(&path, vec![fresh(1), fresh(2)], &[]).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, &damaged).unwrap();
            assert!(Kept::read(&path).is_err(), "byte {at}");
            std::fs::write(&path, &bytes[..at]).unwrap();
            assert!(Kept::read(&path).is_err(), "cut at {at}");
        }
    }
}
