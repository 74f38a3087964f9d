//! A cache on disk, shared by all checkouts, worktrees and environments of a user and by
//! processes that run at once: loose objects and a table of action results. Knows no Python,
//! and nothing of where a user wants it.
//!
//! ```text
//! ROOT/CACHEDIR.TAG      backup programs leave it out
//! ROOT/bytekiln-cache    layout version; without it nothing is ever deleted
//! ROOT/objects/ab/cdef…  blobs (objects.rs)
//! ROOT/results-1/…       action results (results.rs, journal.rs, record.rs, table.rs, merge.rs)
//! ```

mod journal;
mod merge;
mod objects;
mod record;
mod results;
mod retention;
mod root;
mod table;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytekiln_action::{ActionDigest, ActionResult, Digest};

use crate::store::WarningLog;
use crate::{Blob, LocalObject, ResultEntry, Store, StoreError, StoreWarning};
use crate::{decode_result, encode_result};

pub use retention::{DiskStats, GcOptions, GcReport};

/// How a [`DiskStore`] behaves; the defaults are for builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskOptions {
    /// A use is recorded only if the last recorded one is at least this long ago.
    pub touch_after: Duration,
    /// So many journals are merged into the table by the first question.
    pub merge_journals: usize,
    /// So many bytes in journals are.
    pub merge_bytes: u64,
}

impl Default for DiskOptions {
    fn default() -> DiskOptions {
        DiskOptions {
            // Retention counts in days, so an hour is exact enough and almost always free.
            touch_after: Duration::from_secs(3600),
            // A journal costs each first question an open and a read, about 10 µs.
            merge_journals: 16,
            // About 8,000 results, which take 3 ms to read; merging them takes 10 once.
            merge_bytes: 1 << 20,
        }
    }
}

/// See the module. Where the folder cannot be written, it reads, and every write is a
/// [`StoreError`]; callers warn once and stop writing.
#[derive(Debug)]
pub struct DiskStore {
    root: PathBuf,
    options: DiskOptions,
    objects: objects::Objects,
    results: Mutex<results::Results>,
    warnings: WarningLog,
}

impl DiskStore {
    /// Opens the cache in this folder, and makes it if the folder is missing or empty. Reads no
    /// more than a marker; results are looked at when they are first asked for.
    ///
    /// Fails if the folder has other files in it and no marker, is of another layout version,
    /// or cannot be made.
    pub fn open(root: &Path, options: DiskOptions) -> Result<DiskStore, StoreError> {
        root::open_root(root)?;
        Ok(DiskStore {
            root: root.to_owned(),
            objects: objects::Objects::new(root, options.touch_after),
            results: Mutex::new(results::Results::new(root)),
            options,
            warnings: WarningLog::default(),
        })
    }

    /// The folder it is in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many broken objects this process has met and forgotten.
    pub fn forgotten_objects(&self) -> u64 {
        self.objects.forgotten()
    }

    fn results(&self) -> MutexGuard<'_, results::Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Merges journals if there are many of them and nobody else is at it. A failure is no
    /// hindrance: the journals are read as they are.
    fn merge_if_it_pays(&self, folder: &Path) {
        let merged = merge::journal_weight(folder).and_then(|(count, bytes)| {
            if count < self.options.merge_journals && bytes < self.options.merge_bytes {
                return Ok(());
            }
            match merge::MergeLock::try_now(folder)? {
                Some(lock) => merge::merge(folder, &lock, |_, _| true, &self.warnings).map(|_| ()),
                None => Ok(()),
            }
        });
        match merged {
            Err(error) if !is_unwritable(&error) => {
                self.warnings.add(format!("could not merge action results: {error}"), Some(folder));
            }
            _ => {}
        }
    }

    fn write_blob(&self, blob: &Blob) -> Result<PathBuf, StoreError> {
        let written = self.objects.write(&blob.digest, &blob.bytes, &self.warnings);
        written.map_err(|error| self.cannot_write(blob, error))
    }

    fn cannot_write(&self, blob: &Blob, error: io::Error) -> StoreError {
        StoreError::io(format!("write blob `{}` to", blob.digest), &self.root, error)
    }
}

/// A cache that is only for reading is nothing to warn of when something is tidied up.
fn is_unwritable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn check_digest(blob: &Blob) -> Result<(), StoreError> {
    if blob.is_true() { Ok(()) } else { Err(StoreError::mismatch(blob)) }
}

impl Store for DiskStore {
    fn describe(&self) -> String {
        format!("disk cache at {}", self.root.display())
    }

    fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        Ok(digests.iter().filter(|digest| !self.objects.contains(digest)).copied().collect())
    }

    fn read_blobs(&self, digests: &[Digest]) -> Result<Vec<Option<Blob>>, StoreError> {
        let read = |digest: &Digest| {
            let found = self.objects.read(digest, &self.warnings)?;
            Ok(found.map(|(_, bytes)| Blob::verified(*digest, bytes)))
        };
        digests.iter().map(read).collect()
    }

    fn write_blobs(&self, blobs: &[Blob]) -> Result<(), StoreError> {
        for blob in blobs {
            check_digest(blob)?;
            self.write_blob(blob)?;
        }
        Ok(())
    }

    fn get_results(
        &self,
        actions: &[ActionDigest],
    ) -> Result<Vec<Option<ActionResult>>, StoreError> {
        let kept = {
            let mut results = self.results();
            if results.is_unread() {
                self.merge_if_it_pays(results.folder());
            }
            let answer = results.get(actions, &self.warnings);
            answer.map_err(|error| StoreError::io("read results in", results.folder(), error))?
        };
        // A result of another version is as good as none.
        Ok(kept.into_iter().map(|kept| kept.and_then(|bytes| decode_result(&bytes))).collect())
    }

    fn update_results(&self, entries: &[ResultEntry]) -> Result<(), StoreError> {
        let encoded: Vec<_> =
            entries.iter().map(|entry| (entry.action, encode_result(&entry.result))).collect();
        let mut results = self.results();
        let refused = results
            .append(&encoded)
            .map_err(|error| StoreError::io("write results to", results.folder(), error))?;
        if refused > 0 {
            self.warnings.add(format!("did not keep {refused} action results: too large"), None);
        }
        Ok(())
    }

    fn local_object(&self, digest: &Digest) -> Result<Option<LocalObject>, StoreError> {
        let found = self.objects.read(digest, &self.warnings)?;
        Ok(found.map(|(path, _)| LocalObject { path }))
    }

    fn write_local_object(&self, blob: &Blob) -> Result<Option<LocalObject>, StoreError> {
        check_digest(blob)?;
        if let Some(found) = self.local_object(&blob.digest)? {
            return Ok(Some(found)); // somebody else was quicker, and it is verified
        }
        self.write_missing_object(blob)
    }

    fn write_missing_object(&self, blob: &Blob) -> Result<Option<LocalObject>, StoreError> {
        check_digest(blob)?;
        let written = self.objects.write_missing(&blob.digest, &blob.bytes);
        let path = written.map_err(|error| self.cannot_write(blob, error))?;
        Ok(Some(LocalObject { path }))
    }

    fn take_warnings(&self) -> Vec<StoreWarning> {
        self.warnings.take()
    }
}
