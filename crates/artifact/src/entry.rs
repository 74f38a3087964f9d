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
    /// A tar, plain or packed with gzip or zstd: also a container layer.
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
    /// Its owner may run it; false where the container does not say.
    pub executable: bool,
    /// When it was modified.
    pub modified: Modified,
}

/// An entry that was refused, or that can be listed but not read. None is ever left out silently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryProblem {
    /// The name as it is stored, which need not be a path inside the artifact.
    pub name: Vec<u8>,
    /// What is wrong.
    pub kind: EntryProblemKind,
}

/// Why an entry was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EntryProblemKind {
    /// Its name is absolute, has `..`, an empty part or a NUL: it would lie outside.
    BadName,
    /// Several entries have this name. The last is the one that is listed: CPython takes that,
    /// others take the first.
    Duplicate,
    /// It is encrypted.
    Encrypted,
    /// It is compressed with this zip method; only 0 (stored) and 8 (deflate) are read.
    UnsupportedCompression(u16),
    /// A sparse file of a tar.
    Sparse,
    /// A device, pipe or socket, or an entry of unknown type.
    Special,
    /// A link that leads out of the artifact. Listed too, but not readable.
    LinkLeadsOutside,
    /// A link to nothing, or in a circle. Listed too, but not readable.
    DanglingLink,
    /// A folder that could not be listed, or a file that could not be looked at; carries the
    /// message of the system.
    Unreadable(String),
}

impl std::fmt::Display for EntryProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` ", self.name.escape_ascii())?;
        match &self.kind {
            EntryProblemKind::BadName => f.write_str("has a name that leads out of the artifact"),
            EntryProblemKind::Duplicate => f.write_str("is there more than once"),
            EntryProblemKind::Encrypted => f.write_str("is encrypted"),
            EntryProblemKind::UnsupportedCompression(method) => {
                write!(f, "is compressed with method {method}, which is not supported")
            }
            EntryProblemKind::Sparse => f.write_str("is a sparse file, which is not supported"),
            EntryProblemKind::Special => f.write_str("is neither file nor folder nor link"),
            EntryProblemKind::LinkLeadsOutside => f.write_str("is a link out of the artifact"),
            EntryProblemKind::DanglingLink => f.write_str("is a link to nothing"),
            EntryProblemKind::Unreadable(error) => write!(f, "could not be read: {error}"),
        }
    }
}
