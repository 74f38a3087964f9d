//! Content-addressed blobs and action results behind one trait. Knows nothing of Python.

mod store;

pub use store::{Blob, LocalObject, ResultEntry, Store, StoreError};
