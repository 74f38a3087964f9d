//! Every store does what the trait says.

use bytekiln_action::Digest;
use bytekiln_cache::{DiskOptions, DiskStore, MemoryStore, Store};
use bytekiln_test_support::{
    Scratch,
    store_conformance::{blob, check},
};

#[test]
fn memory() {
    check(&|| Box::new(MemoryStore::new()));
}

#[test]
fn disk() {
    let scratch = Scratch::new();
    check(&|| fresh(&scratch, DiskOptions::default()));
}

#[test]
fn disk_that_merges_whenever_it_can() {
    let scratch = Scratch::new();
    let options = DiskOptions { merge_journals: 1, merge_bytes: 0, ..DiskOptions::default() };
    check(&|| fresh(&scratch, options.clone()));
}

#[test]
fn the_same_hash_with_another_size_is_another_blob() {
    let scratch = Scratch::new();
    for store in [fresh(&scratch, DiskOptions::default()), Box::new(MemoryStore::new())] {
        let blob = blob(b"x");
        store.write_blobs(std::slice::from_ref(&blob)).unwrap();
        let other = Digest { size: 2, ..blob.digest };
        assert_eq!(store.find_missing(&[other]).unwrap(), [other]);
        assert!(store.read_blobs(&[other]).unwrap()[0].is_none());
    }
}

/// A store in a folder that no other has.
fn fresh(scratch: &Scratch, options: DiskOptions) -> Box<dyn Store> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let root = scratch.join(&format!("cache-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    Box::new(DiskStore::open(&root, options).unwrap())
}
