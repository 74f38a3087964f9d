//! One face over finished things: directory trees, zips, wheels, tars. Reads them without trusting
//! them. Knows nothing of what is in a `.pyc`.

mod entry;

pub use entry::{Container, Entry, EntryKind, Modified};
