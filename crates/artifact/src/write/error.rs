//! Why a container was not written. Names the output or the member, and says what to do.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::ArtifactError;

/// What was written so far is of no use.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The system refused to write the output.
    Output {
        /// Which file or folder was written.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The system refused to read what a member is to hold.
    Content {
        /// The member's path, escaped.
        member: String,
        /// Which file was to be read.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file is not what it was when the artifact was planned, or changed while it was read.
    Changed {
        /// The member's path, escaped.
        member: String,
        /// Which file.
        path: PathBuf,
    },
    /// A member of another artifact could not be read.
    Artifact {
        /// The member's path, escaped.
        member: String,
        /// What is wrong.
        error: ArtifactError,
    },
    /// The container cannot hold this member.
    Member {
        /// Which file or folder was written.
        path: PathBuf,
        /// The member's path, escaped.
        member: String,
        /// Why, and what to do.
        what: &'static str,
    },
    /// The whole is more than the container can hold.
    TooLarge {
        /// Which file was written.
        path: PathBuf,
        /// Why, and what to do.
        what: &'static str,
    },
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WriteError::Output { path, error } => match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => write!(
                    f,
                    "no space left to write `{}`; free some, or write to another disk ({error})",
                    path.display()
                ),
                _ => write!(f, "`{}` could not be written: {error}", path.display()),
            },
            WriteError::Content { member, path, error } => {
                write!(f, "`{}` could not be read for `{member}`: {error}", path.display())
            }
            WriteError::Changed { member, path } => write!(
                f,
                "`{}` changed while it was packed as `{member}`; pack again",
                path.display()
            ),
            WriteError::Artifact { member, error } => write!(f, "for `{member}`: {error}"),
            WriteError::Member { path, member, what } => {
                write!(f, "`{member}` cannot be in `{}`: {what}", path.display())
            }
            WriteError::TooLarge { path, what } => write!(f, "`{}`: {what}", path.display()),
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            WriteError::Output { error, .. } | WriteError::Content { error, .. } => Some(error),
            WriteError::Artifact { error, .. } => Some(error),
            WriteError::Changed { .. }
            | WriteError::Member { .. }
            | WriteError::TooLarge { .. } => None,
        }
    }
}
