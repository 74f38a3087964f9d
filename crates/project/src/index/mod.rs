//! What a build remembers, on disk in the state folder: digests of sources by stamp, records of
//! outputs, and whether anything was left to do. All of it may be lost or damaged at any time; then
//! work is done again, never wrongly. Knows nothing of how the files that it stamps are found.

mod encoding;
mod files;
mod lock;
mod records;
mod settled;
mod state;

pub(crate) use encoding::{Reader, Writer};
pub(crate) use files::{FileIndex, Identity, IndexEntry, IndexedKind, put_stamp, take_stamp};
pub use lock::{LockError, StateLock, lock_state};
pub(crate) use records::{Records, StoredRecord, put_toolchain, take_toolchain};
pub use settled::{CheckDepth, SettledQuery, SettledSummary, settled};
pub(crate) use settled::{
    SettledFolder, SettledState, Watch, adopt, check, file_name, put_problems, put_watches,
    take_optional, take_problem,
};
pub(crate) use state::{Damage, StateFile, StateWriter, file_stem, read_state, write_state};
pub use state::{StateError, prepare_state};

#[cfg(test)]
mod tests;
