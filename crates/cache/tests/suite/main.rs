//! Everything about stores that is seen from outside, in one binary.
#![expect(clippy::unwrap_used, reason = "what fails in a test is to be seen")]

mod concurrency;
mod conformance;
mod corruption;
mod result_damage;
mod retention;

use std::path::Path;

use bytekiln_cache::{DiskOptions, DiskStore};

/// A store as a new process would open it.
fn open(root: &Path) -> DiskStore {
    DiskStore::open(root, DiskOptions::default()).unwrap()
}
