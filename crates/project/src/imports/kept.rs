//! Imports of sources, kept by the identity of its content: one state file, the imports in the order in
//! which they were found out, then a table of them by that, then its length. So they can be written
//! while others are found out, and need not be held. What the present sources do not use stays for some
//! writes, so that going to another branch and back costs nothing. Knows nothing of where sources lie.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytekiln_graph::ModuleImports;

use super::identity::ContentId;
use crate::index::{Damage, Reader, StateError, StateFile, StateWriter, Writer, read_state};

const FILE: StateFile = StateFile { magic: *b"bkimport", version: 4, what: "the store of imports" };

/// Entries that so many writes in a row did not use are dropped.
const WRITES: u8 = 12;

/// Identity, offset, length, age, and whether the first line names Python.
const ROW: usize = 16 + 8 + 4 + 1 + 1;

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    body: Vec<u8>,
    /// Where the table begins.
    table: usize,
    rows: usize,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
struct Row {
    id: ContentId,
    offset: u64,
    length: u32,
    age: u8,
    shebang: bool,
}

/// The file for extractions with these options.
pub(super) fn path(state_dir: &Path, strings: bool) -> PathBuf {
    state_dir.join(if strings { "imports-with-strings" } else { "imports" })
}

impl Kept {
    pub(super) fn read(path: &Path) -> Result<Kept, Damage> {
        let body = read_state(path, FILE)?.unwrap_or_default();
        let layout = || {
            let (_, end) = body.split_last_chunk::<4>()?;
            let rows = u32::from_le_bytes(*end) as usize;
            let table = (body.len() - 4).checked_sub(rows.checked_mul(ROW)?)?;
            Some((table, rows))
        };
        let (table, rows) = layout().unwrap_or_default();
        Ok(Kept { body, table, rows })
    }

    fn row(&self, at: usize) -> Option<Row> {
        let start = at.checked_mul(ROW)?.checked_add(self.table)?;
        let mut reader = Reader::new(self.body.get(start..start.checked_add(ROW)?)?);
        Some(Row {
            id: ContentId(reader.array()?),
            offset: reader.u64()?,
            length: reader.u32()?,
            age: reader.u8()?,
            shebang: reader.u8()? == 1,
        })
    }

    fn bytes(&self, row: &Row) -> Option<&[u8]> {
        let start = usize::try_from(row.offset).ok()?;
        self.body.get(start..start.checked_add(row.length as usize)?)
    }

    fn find(&self, id: &ContentId) -> Option<Row> {
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.row(middle)?;
            match row.id.cmp(id) {
                std::cmp::Ordering::Equal => return Some(row),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The imports of the source with this content, and whether its first line names Python.
    pub(super) fn get(&self, id: &ContentId) -> Option<(ModuleImports, bool)> {
        let row = self.find(id)?;
        Some((ModuleImports::decode(self.bytes(&row)?).ok()?, row.shebang))
    }
}

/// What is to replace the file: imports that come from several threads, one after the other.
#[derive(Debug)]
pub(super) struct Additions {
    path: PathBuf,
    state: Mutex<Added>,
}

#[derive(Debug, Default)]
struct Added {
    /// None before the first.
    out: Option<StateWriter>,
    rows: Vec<Row>,
    /// The first; nothing is added after it.
    trouble: Option<StateError>,
}

impl Additions {
    pub(super) fn new(path: PathBuf) -> Additions {
        Additions { path, state: Mutex::new(Added::default()) }
    }

    /// Adds the imports of a source, with its identity, that no other call gives. What goes wrong is told
    /// by [`Additions::finish`].
    pub(super) fn add(&self, id: ContentId, shebang: bool, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.trouble.is_none() {
            let row = Row { id, offset: 0, length: 0, age: 0, shebang };
            state.trouble = state.add(&self.path, row, bytes).err();
        }
    }

    /// Replaces the file: what was added comes to what is `kept`, of which what is `used` (sorted) stays
    /// young and all else grows older. Without additions nothing is done, unless it `must` be.
    pub(super) fn finish(
        self,
        kept: &Kept,
        used: impl FnOnce() -> Vec<ContentId>,
        must: bool,
    ) -> Result<(), StateError> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(trouble) = state.trouble {
            return Err(trouble);
        }
        if state.rows.is_empty() && !must {
            return Ok(());
        }
        if kept.rows > 0 {
            let used = used();
            let mut new: Vec<ContentId> = state.rows.iter().map(|row| row.id).collect();
            new.sort_unstable();
            for row in (0..kept.rows).filter_map(|at| kept.row(at)) {
                let is_used = used.binary_search(&row.id).is_ok();
                let age = if is_used { 0 } else { row.age.saturating_add(1) };
                let Some(bytes) = kept.bytes(&row) else { continue };
                if age <= WRITES && new.binary_search(&row.id).is_err() {
                    state.add(&self.path, Row { age, ..row }, bytes)?;
                }
            }
        }
        state.rows.sort_unstable_by_key(|row| row.id);
        let mut out = match state.out {
            Some(out) => out,
            None => StateWriter::create(&self.path, FILE)?,
        };
        let mut bytes = Writer::default();
        for row in &state.rows {
            bytes.bytes.clear();
            bytes.fixed(&row.id.0);
            bytes.u64(row.offset);
            bytes.u32(row.length);
            bytes.u8(row.age);
            bytes.u8(u8::from(row.shebang));
            out.write(&bytes.bytes)?;
        }
        bytes.bytes.clear();
        bytes.count(state.rows.len());
        out.write(&bytes.bytes)?;
        out.finish()
    }
}

impl Added {
    fn add(&mut self, path: &Path, row: Row, bytes: &[u8]) -> Result<(), StateError> {
        let out = match &mut self.out {
            Some(out) => out,
            none => none.insert(StateWriter::create(path, FILE)?),
        };
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.rows.push(Row { offset: out.length(), length, ..row });
        out.write(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ContentId {
        ContentId([number; 16])
    }

    fn write(kept: &Kept, path: &Path, names: &[u8], used: &[ContentId]) {
        let additions = Additions::new(path.to_owned());
        for name in names {
            let extraction = bytekiln_syntax::imports(b"import m");
            let record = ModuleImports::new(&extraction);
            additions.add(id(*name), *name == 1, &record.encode());
        }
        additions.finish(kept, || used.to_vec(), true).unwrap();
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes_after_some_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), false);
        write(&Kept::default(), &path, &[2, 1], &[id(1), id(2)]);
        let kept = Kept::read(&path).unwrap();
        assert_eq!(kept.get(&id(1)).unwrap().0.len(), 1);
        assert!(kept.get(&id(1)).unwrap().1);
        assert!(!kept.get(&id(2)).unwrap().1);
        assert!(kept.get(&id(3)).is_none());
        for age in 0..=WRITES {
            let kept = Kept::read(&path).unwrap();
            assert!(kept.get(&id(2)).is_some(), "gone after {age} writes");
            write(&kept, &path, &[], &[id(1)]);
        }
        let kept = Kept::read(&path).unwrap();
        assert!(kept.get(&id(2)).is_none());
        assert!(kept.get(&id(1)).is_some());
    }

    #[test]
    fn damage_is_noticed_at_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(folder.path(), true);
        write(&Kept::default(), &path, &[1, 2], &[]);
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
