//! Why a lock file cannot be used, where, and what to do about it.

use std::path::PathBuf;

use super::LOCK_FILE_VERSION;
use crate::path::show;

/// A lock file that cannot be used.
#[derive(Debug)]
pub struct LockFileError {
    /// Which.
    pub path: PathBuf,
    /// From 1; `None` if it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong.
    pub fault: LockFileFault,
}

/// What is wrong with a lock file.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockFileFault {
    /// There is none.
    Missing,
    /// It could not be read.
    Unreadable(std::io::Error),
    /// It could not be written.
    Unwritable(std::io::Error),
    /// Markers of an unsettled merge.
    MergeConflict,
    /// Another version than [`LOCK_FILE_VERSION`].
    Version(String),
    /// A line that no `bytekiln lock` wrote; what was wanted there.
    Syntax(&'static str),
    /// A value that makes no sense.
    Value {
        /// Of what.
        key: &'static str,
        /// What stands there.
        value: String,
    },
    /// Something that is there twice.
    Twice(String),
}

impl LockFileError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match &self.fault {
            LockFileFault::Missing => "write it with `bytekiln lock`, and commit it",
            LockFileFault::Unreadable(_) | LockFileFault::Unwritable(_) => {
                "see to the file's permissions"
            }
            LockFileFault::MergeConflict => {
                "settle the merge of the sources, remove this file and run `bytekiln lock`: \
                 it is made from the tree, not merged by hand"
            }
            LockFileFault::Version(_) => {
                "use the Bytekiln that wrote it, or remove it and run `bytekiln lock`"
            }
            LockFileFault::Syntax(_) | LockFileFault::Value { .. } | LockFileFault::Twice(_) => {
                "it is not meant to be edited: restore it, or remove it and run `bytekiln lock`"
            }
        }
    }
}

impl std::fmt::Display for LockFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}", show(&self.path))?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str("`: ")?;
        match &self.fault {
            LockFileFault::Missing => f.write_str("there is no lock file"),
            LockFileFault::Unreadable(error) => write!(f, "could not be read: {error}"),
            LockFileFault::Unwritable(error) => write!(f, "could not be written: {error}"),
            LockFileFault::MergeConflict => f.write_str("an unsettled merge conflict"),
            LockFileFault::Version(version) => write!(
                f,
                "the lock file is of version {version}, and this Bytekiln knows version \
                 {LOCK_FILE_VERSION}"
            ),
            LockFileFault::Syntax(wanted) => write!(f, "{wanted} is wanted here"),
            LockFileFault::Value { key, value } => write!(f, "`{value}` is no value of `{key}`"),
            LockFileFault::Twice(what) => write!(f, "{what} is there twice"),
        }
    }
}

impl std::error::Error for LockFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            LockFileFault::Unreadable(error) | LockFileFault::Unwritable(error) => Some(error),
            _ => None,
        }
    }
}
