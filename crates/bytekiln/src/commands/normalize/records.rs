//! The `RECORD` files that list caches with a hash, and keeping them true. Most installers list
//! caches without one, or not at all; then there is nothing to do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytekiln_action::Digest;
use bytekiln_artifact::{Durability, FileStamp, Record, Replacer, read_file};

/// No `RECORD` is longer.
const LIMIT: u64 = 256 << 20;

/// A row of a `RECORD`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowId {
    record: usize,
    row: usize,
}

struct File {
    path: PathBuf,
    stamp: FileStamp,
    record: Record,
}

/// The `RECORD`s of all folders that are imported from.
#[derive(Default)]
pub(super) struct Records {
    files: Vec<File>,
    /// By root and path below it.
    rows: BTreeMap<(usize, Vec<u8>), Vec<RowId>>,
    /// What could not be read.
    pub(super) unreadable: Vec<String>,
}

impl Records {
    /// Reads `*.dist-info/RECORD` of each root.
    pub(super) fn read(roots: &[PathBuf]) -> Records {
        let mut records = Records::default();
        for (root, folder) in roots.iter().enumerate() {
            // A folder that cannot be listed was reported by the walk.
            let Ok(listing) = std::fs::read_dir(folder) else { continue };
            let mut distributions: Vec<PathBuf> = listing
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|suffix| suffix == "dist-info"))
                .collect();
            distributions.sort();
            for distribution in distributions {
                let path = distribution.join("RECORD");
                if path.exists() {
                    records.add(root, path);
                }
            }
        }
        records
    }

    fn add(&mut self, root: usize, path: PathBuf) {
        let read = match read_file(&path, LIMIT) {
            Ok(read) => read,
            Err(error) => return self.unreadable.push(error.to_string()),
        };
        let record = match Record::parse(read.bytes) {
            Ok(record) => record,
            Err(error) => {
                return self.unreadable.push(format!("`{}` is damaged: {error}", path.display()));
            }
        };
        let rows: Vec<(usize, Vec<u8>)> = record
            .paths()
            .enumerate()
            .filter(|(row, path)| path.ends_with(b".pyc") && record.has_hash(*row))
            .map(|(row, path)| (row, path.to_vec()))
            .collect();
        if rows.is_empty() {
            return;
        }
        for (row, below) in rows {
            let id = RowId { record: self.files.len(), row };
            self.rows.entry((root, below)).or_default().push(id);
        }
        self.files.push(File { path, stamp: read.stamp, record });
    }

    /// The rows with a hash of one cache.
    pub(super) fn rows(&self, root: usize, below: &[u8]) -> &[RowId] {
        if self.rows.is_empty() {
            return &[];
        }
        self.rows.get(&(root, below.to_vec())).map_or(&[], Vec::as_slice)
    }

    /// The `RECORD` that lists other bytes, if one does.
    pub(super) fn contradicting(&self, rows: &[RowId], digest: &Digest) -> Option<&Path> {
        rows.iter()
            .filter_map(|id| self.files.get(id.record).map(|file| (file, id.row)))
            .find(|(file, row)| file.record.matches(*row, digest) == Some(false))
            .map(|(file, _)| file.path.as_path())
    }

    /// Notes the new content of a cache.
    pub(super) fn update(&mut self, rows: &[RowId], digest: Digest) {
        for id in rows {
            if let Some(file) = self.files.get_mut(id.record) {
                file.record.update(id.row, digest);
            }
        }
    }

    /// How many would be written.
    pub(super) fn changed(&self) -> usize {
        self.files.iter().filter(|file| file.record.is_changed()).count()
    }

    /// Writes those that changed. Each is the whole old file or the whole new one.
    pub(super) fn write(&self, replacer: &Replacer) -> Vec<String> {
        self.files
            .iter()
            .filter(|file| file.record.is_changed())
            .filter_map(|file| {
                let bytes = file.record.to_bytes();
                replacer.replace(&file.path, &file.stamp, &bytes, Durability::Kept).err()
            })
            .map(|error| error.to_string())
            .collect()
    }
}
