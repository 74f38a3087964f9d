//! A store in memory: for tests, and for builds that keep nothing. Knows no files.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytekiln_action::{ActionDigest, ActionResult, Digest};
use bytes::Bytes;

use crate::{Blob, ResultEntry, Store, StoreError};

/// Keeps everything until it is dropped.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    blobs: BTreeMap<Digest, Bytes>,
    results: BTreeMap<ActionDigest, ActionResult>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        let contents = self.contents();
        Ok(digests.iter().filter(|digest| !contents.blobs.contains_key(digest)).copied().collect())
    }

    /// Not hashed again: nobody else can reach the bytes.
    fn read_blobs(&self, digests: &[Digest]) -> Result<Vec<Option<Blob>>, StoreError> {
        let contents = self.contents();
        let read = |digest: &Digest| {
            let bytes = contents.blobs.get(digest)?;
            Some(Blob::claimed(*digest, bytes.clone()))
        };
        Ok(digests.iter().map(read).collect())
    }

    fn write_blobs(&self, blobs: &[Blob]) -> Result<(), StoreError> {
        for blob in blobs {
            if !blob.is_true() {
                return Err(StoreError::mismatch(blob));
            }
            self.contents().blobs.insert(blob.digest, blob.bytes.clone());
        }
        Ok(())
    }

    fn get_results(
        &self,
        actions: &[ActionDigest],
    ) -> Result<Vec<Option<ActionResult>>, StoreError> {
        let contents = self.contents();
        Ok(actions.iter().map(|action| contents.results.get(action).cloned()).collect())
    }

    fn update_results(&self, entries: &[ResultEntry]) -> Result<(), StoreError> {
        let mut contents = self.contents();
        for entry in entries {
            contents.results.insert(entry.action, entry.result.clone());
        }
        Ok(())
    }
}
