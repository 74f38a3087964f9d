//! Why an output could not be written, in words that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why an output could not be written or removed.
#[derive(Debug)]
pub(crate) enum OutputError {
    /// A file stands where a folder is needed.
    NotAFolder(PathBuf),
    /// A symbolic link stands where a folder is needed, and is not followed.
    LinkedFolder(PathBuf),
    /// A folder stands where the output goes.
    IsAFolder(PathBuf),
    /// A symbolic link, device or the like stands where the output goes.
    NotAFile(PathBuf),
    /// The system refused.
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl OutputError {
    pub(super) fn system(action: &'static str, path: &Path, error: Errno) -> OutputError {
        OutputError::Io { action, path: path.to_owned(), error: error.into() }
    }

    /// Whether this file, and not the output, is what failed.
    pub(crate) fn is_about(&self, file: &Path) -> bool {
        matches!(self, OutputError::Io { path, .. } if path == file)
    }

    /// As the caller's error type for removals.
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            OutputError::Io { error, .. } => error,
            OutputError::NotAFolder(_) => {
                io::Error::new(io::ErrorKind::NotADirectory, self.to_string())
            }
            OutputError::LinkedFolder(_) | OutputError::IsAFolder(_) | OutputError::NotAFile(_) => {
                io::Error::other(self.to_string())
            }
        }
    }

    /// What the user can do about it.
    fn hint(&self) -> &'static str {
        let OutputError::Io { error, .. } = self else {
            return "move it away and build again";
        };
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free some space and build again: what is done stays done"
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                "make it writable, or choose a layout that writes into another tree"
            }
            io::ErrorKind::InvalidFilename => "shorten the module's name",
            _ => "build again once the cause is gone",
        }
    }
}

impl std::fmt::Display for OutputError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OutputError::NotAFolder(path) => {
                write!(f, "`{}` is not a folder, and one is needed there", path.display())
            }
            OutputError::LinkedFolder(path) => write!(
                f,
                "`{}` is a symbolic link, which is not followed when caches are written",
                path.display()
            ),
            OutputError::IsAFolder(path) => {
                write!(f, "`{}` is a folder, and a file is to be written there", path.display())
            }
            OutputError::NotAFile(path) => {
                write!(
                    f,
                    "`{}` is a symbolic link or special file, which is not replaced",
                    path.display()
                )
            }
            OutputError::Io { action, path, error } => {
                write!(f, "could not {action} `{}`: {error}", path.display())
            }
        }?;
        write!(f, "; {}", self.hint())
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OutputError::Io { error, .. } => Some(error),
            OutputError::NotAFolder(_)
            | OutputError::LinkedFolder(_)
            | OutputError::IsAFolder(_)
            | OutputError::NotAFile(_) => None,
        }
    }
}
