//! What is there: the entries of `sys.path` in their order, with the files in each, and the folder
//! of `sys.pycache_prefix`. Knows nothing of what is in the files.

use bytekiln_action::RepoPath;

/// How an entry of `sys.path` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// By `importlib`'s `FileFinder`.
    Directory,
    /// By `zipimport`.
    Zip,
}

/// What an entry is, symbolic links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder. One that is only implied by the files below it may be left out in a folder, but
    /// makes a difference in a zip: up to 3.13 no namespace package without it.
    Directory,
}

/// A modification time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// Seconds since 1970, rounded down.
    Seconds(i64),
    /// As a zip has it: local time of wherever it is read.
    Dos {
        /// Bits 0-4 day, 5-8 month, 9-15 years since 1980.
        date: u16,
        /// Bits 0-4 two seconds, 5-10 minutes, 11-15 hours.
        time: u16,
    },
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is below the entry of `sys.path`.
    pub path: RepoPath,
    /// What it is.
    pub kind: Kind,
    /// Bytes of a file, uncompressed.
    pub size: u64,
    /// When it was modified.
    pub modified: Stamp,
}

/// One entry of `sys.path`, or the folder of `sys.pycache_prefix`.
#[derive(Debug, Clone)]
pub struct Root {
    /// How it is read.
    pub container: Container,
    /// Its absolute path when the program runs; empty if nobody knows.
    pub location: Vec<u8>,
    /// All files and folders below, in any order.
    pub entries: Vec<Entry>,
}

/// All that importing may look at.
#[derive(Debug, Clone)]
pub struct Tree {
    /// In the order of `sys.path`.
    pub roots: Vec<Root>,
    /// What lies below `sys.pycache_prefix`, if it is set.
    pub pycache_prefix: Option<Root>,
}

/// A file of a [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// Index into [`Tree::roots`]; their number stands for [`Tree::pycache_prefix`].
    pub root: usize,
    /// Index into [`Root::entries`].
    pub entry: usize,
}

impl Tree {
    /// The root with this index, [`FileId::root`] style.
    pub fn root(&self, root: usize) -> Option<&Root> {
        match self.roots.get(root) {
            None if root == self.roots.len() => self.pycache_prefix.as_ref(),
            found => found,
        }
    }

    /// The file, unless the id is of another tree.
    pub fn entry(&self, file: FileId) -> Option<&Entry> {
        self.root(file.root)?.entries.get(file.entry)
    }
}
