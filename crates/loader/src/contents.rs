//! What the simulation has to ask the outside for, lazily: only what the importer would read too,
//! and the sources of caches that it would not check.

use crate::FileId;

/// The outside.
pub trait Contents: Sync {
    /// All bytes of a file; else what the system said.
    fn read(&self, file: FileId) -> Result<Vec<u8>, String>;

    /// `time.mktime` of a date and time of a zip where the program runs, in seconds since 1970;
    /// `None` if that fails there.
    fn local_seconds(&self, date: u16, time: u16) -> Option<i64>;
}
