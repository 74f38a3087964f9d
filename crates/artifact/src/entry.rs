//! What an artifact consists of. Knows nothing of how it is stored.

use bytekiln_action::RepoPath;

/// What kind of thing an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// A folder.
    Directory,
    /// A zip: also `.pyz`, `.pex`, `.egg`, with or without bytes before it.
    Zip,
    /// A zip with `*.dist-info/RECORD` that is named `.whl`.
    Wheel,
    /// A tar, plain or gzipped: also a container layer.
    Tar,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link to this.
    Symlink(Vec<u8>),
}

/// When an entry was modified, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modified {
    /// Seconds since 1970 and nanoseconds within.
    Unix {
        /// Seconds.
        seconds: i64,
        /// Nanoseconds; 0 where the container has whole seconds.
        nanoseconds: u32,
    },
    /// MS-DOS date and time, local time of nobody knows where; what `zipimport` compares.
    Dos {
        /// Bits 0-4 day, 5-8 month, 9-15 years since 1980.
        date: u16,
        /// Bits 0-4 two seconds, 5-10 minutes, 11-15 hours.
        time: u16,
    },
}

/// One file, folder or link of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is in the artifact.
    pub path: RepoPath,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file, uncompressed.
    pub size: u64,
    /// When it was modified.
    pub modified: Modified,
}
