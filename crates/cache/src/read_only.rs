//! A store that is read and never written: a shared cache that pull requests may use and not
//! fill. Knows nothing of the store that it wraps.

use bytekiln_action::{ActionDigest, ActionResult, Digest};

use crate::{Blob, LocalObject, ResultEntry, Store, StoreError, StoreWarning};

/// Passes questions on; accepts what is to be kept and does not keep it, which is no error:
/// whoever wrapped the store wanted it so.
#[derive(Debug)]
pub struct ReadOnlyStore<S>(S);

impl<S: Store> ReadOnlyStore<S> {
    /// Wraps a store.
    pub fn new(inner: S) -> ReadOnlyStore<S> {
        ReadOnlyStore(inner)
    }
}

impl<S: Store> Store for ReadOnlyStore<S> {
    fn describe(&self) -> String {
        format!("{} (read-only)", self.0.describe())
    }

    fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        self.0.find_missing(digests)
    }

    fn read_blobs(&self, digests: &[Digest]) -> Result<Vec<Option<Blob>>, StoreError> {
        self.0.read_blobs(digests)
    }

    fn write_blobs(&self, _blobs: &[Blob]) -> Result<(), StoreError> {
        Ok(())
    }

    fn get_results(
        &self,
        actions: &[ActionDigest],
    ) -> Result<Vec<Option<ActionResult>>, StoreError> {
        self.0.get_results(actions)
    }

    fn update_results(&self, _entries: &[ResultEntry]) -> Result<(), StoreError> {
        Ok(())
    }

    fn local_object(&self, digest: &Digest) -> Result<Option<LocalObject>, StoreError> {
        self.0.local_object(digest)
    }

    fn take_warnings(&self) -> Vec<StoreWarning> {
        self.0.take_warnings()
    }
}
