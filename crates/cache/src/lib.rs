//! Content-addressed blobs and action results behind one trait. Knows nothing of Python.

mod disk;
mod encoding;
mod memory;
mod read_only;
mod store;

pub use disk::{DiskOptions, DiskStats, DiskStore, GcOptions, GcReport};
pub use encoding::{decode_result, encode_result};
pub use memory::MemoryStore;
pub use read_only::ReadOnlyStore;
pub use store::{Blob, LocalObject, ResultEntry, Store, StoreError, StoreWarning, WarningLog};
