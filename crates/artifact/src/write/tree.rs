//! A folder.

use std::num::NonZeroUsize;
use std::path::Path;

use super::{Entries, WriteError};

/// How a folder is written.
#[derive(Debug, Clone)]
pub struct TreeOptions {
    /// How files get there.
    pub placement: Placement,
    /// When all that is not linked was modified, in seconds since 1970. `None` leaves it to the
    /// system.
    pub modified: Option<i64>,
    /// Threads.
    pub jobs: NonZeroUsize,
}

/// How files get into a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Objects are linked where that is possible; else as [`Placement::Copy`].
    Link,
    /// Each file is one of its own. File systems that share blocks between files do.
    Copy,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WrittenTree {
    /// Files that are links to objects.
    pub linked: usize,
    /// Files that share their blocks with another file.
    pub cloned: usize,
    /// Files that were written.
    pub copied: usize,
    /// Folders and symbolic links.
    pub others: usize,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Fills an empty folder.
///
/// # Errors
/// What is in the folder is of no use then.
pub fn write_tree(
    folder: &Path,
    entries: &Entries,
    options: &TreeOptions,
) -> Result<WrittenTree, WriteError> {
    todo!("{folder:?} {entries:?} {options:?}")
}
