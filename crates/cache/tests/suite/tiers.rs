//! Tiers: what is found below is filled in above, and what fails is left out, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytekiln_action::{ActionDigest, ActionResult, Digest};
use bytekiln_cache::{
    Blob, LocalObject, MemoryStore, ReadOnlyStore, ResultEntry, Store, StoreError, TieredStore,
};
use bytekiln_test_support::Scratch;
use bytekiln_test_support::store_conformance::{action, blob, compiled};

use crate::open;

/// A store whose owner looks on, and which may fail.
#[derive(Clone, Default)]
struct Watched(Arc<Inner>);

#[derive(Default)]
struct Inner {
    store: MemoryStore,
    fails_to_read: bool,
    fails_to_write: bool,
    calls: AtomicUsize,
}

impl Watched {
    fn new(fails_to_read: bool, fails_to_write: bool) -> Watched {
        Watched(Arc::new(Inner { fails_to_read, fails_to_write, ..Inner::default() }))
    }

    fn boxed(&self) -> Box<dyn Store> {
        Box::new(self.clone())
    }

    fn ask(&self, fails: bool) -> Result<&MemoryStore, StoreError> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        if !fails {
            return Ok(&self.0.store);
        }
        let source = std::io::ErrorKind::TimedOut.into();
        Err(StoreError { operation: "reach the server".to_owned(), path: None, source })
    }
}

impl Store for Watched {
    fn describe(&self) -> String {
        "remote cache".to_owned()
    }
    fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        self.ask(self.0.fails_to_read)?.find_missing(digests)
    }
    fn read_blobs(&self, digests: &[Digest]) -> Result<Vec<Option<Blob>>, StoreError> {
        self.ask(self.0.fails_to_read)?.read_blobs(digests)
    }
    fn write_blobs(&self, blobs: &[Blob]) -> Result<(), StoreError> {
        self.ask(self.0.fails_to_write)?.write_blobs(blobs)
    }
    fn get_results(
        &self,
        actions: &[ActionDigest],
    ) -> Result<Vec<Option<ActionResult>>, StoreError> {
        self.ask(self.0.fails_to_read)?.get_results(actions)
    }
    fn update_results(&self, entries: &[ResultEntry]) -> Result<(), StoreError> {
        self.ask(self.0.fails_to_write)?.update_results(entries)
    }
    fn local_object(&self, _digest: &Digest) -> Result<Option<LocalObject>, StoreError> {
        self.ask(self.0.fails_to_read).map(|_| None)
    }
}

fn put(store: &dyn Store, bytes: &[u8]) -> (Blob, ResultEntry) {
    let blob = blob(bytes);
    let entry = ResultEntry { action: action(1), result: compiled(blob.digest) };
    store.write_blobs(std::slice::from_ref(&blob)).unwrap();
    store.update_results(std::slice::from_ref(&entry)).unwrap();
    (blob, entry)
}

fn has(store: &dyn Store, blob: &Blob, entry: &ResultEntry) -> (bool, bool) {
    let results = store.get_results(&[entry.action]).unwrap();
    (store.read_blobs(&[blob.digest]).unwrap()[0].is_some(), results[0].is_some())
}

#[test]
fn reads_fill_the_faster_tiers_and_writes_go_to_all() {
    let tiers = [Watched::default(), Watched::default(), Watched::default()];
    let store = TieredStore::new(tiers.iter().map(Watched::boxed).collect());
    let (blob, entry) = put(&tiers[1], b"in the middle");
    assert_eq!(has(&store, &blob, &entry), (true, true));
    assert_eq!(has(&tiers[0], &blob, &entry), (true, true));
    assert_eq!(has(&tiers[2], &blob, &entry), (false, false));
    let (blob, entry) = put(&store, b"everywhere");
    for tier in &tiers {
        assert_eq!(has(tier, &blob, &entry), (true, true));
    }
    assert_eq!(store.take_warnings(), []);
}

#[test]
fn an_object_is_fetched_into_the_tier_that_has_files() {
    let scratch = Scratch::new();
    let remote = Watched::default();
    let (blob, _) = put(&remote, b"far away");
    let store = TieredStore::new(vec![Box::new(open(scratch.path())), remote.boxed()]);
    let object = store.local_object(&blob.digest).unwrap().unwrap();
    assert_eq!(std::fs::read(object.path).unwrap(), &*blob.bytes);
    assert_eq!(open(scratch.path()).find_missing(&[blob.digest]).unwrap(), []);
}

#[test]
fn a_tier_that_fails_is_left_out_with_one_warning() {
    let (local, remote) = (Watched::default(), Watched::new(true, true));
    let store = TieredStore::new(vec![local.boxed(), remote.boxed()]);
    for number in 0..5_u8 {
        let (blob, entry) = put(&store, &[number]);
        assert_eq!(has(&store, &blob, &entry), (true, true));
        assert!(store.local_object(&Digest::of(b"unknown")).unwrap().is_none());
    }
    let warnings: Vec<String> = store.take_warnings().iter().map(ToString::to_string).collect();
    let writing = "no longer writing to the remote cache: could not reach the server: timed out";
    let reading = "going on without the remote cache: could not reach the server: timed out";
    assert_eq!(warnings, [writing, reading]);
    assert_eq!(store.take_warnings(), []);
    assert_eq!(remote.0.calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_full_upper_tier_is_still_read() {
    let (full, remote) = (Watched::new(false, true), Watched::default());
    let (old, old_entry) = put(&full.0.store, b"old");
    let store = TieredStore::new(vec![full.boxed(), remote.boxed()]);
    let (new, new_entry) = put(&store, b"new");
    assert_eq!(has(&store, &new, &new_entry), (true, true));
    assert!(has(&store, &old, &old_entry).0);
    assert_eq!(store.take_warnings().len(), 1);
}

#[test]
fn a_read_only_store_is_read_only() {
    let inner = Watched::default();
    let (there, entry) = put(&inner, b"there");
    let store = ReadOnlyStore::new(inner.clone());
    let other = blob(b"not there");
    store.write_blobs(std::slice::from_ref(&other)).unwrap();
    assert!(store.write_local_object(&other).unwrap().is_none());
    let new = ResultEntry { action: action(2), ..entry.clone() };
    store.update_results(std::slice::from_ref(&new)).unwrap();
    assert_eq!(has(&store, &there, &entry), (true, true));
    assert_eq!(has(&inner, &other, &new), (false, false));
}
