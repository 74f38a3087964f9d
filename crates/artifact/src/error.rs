//! Why an artifact, or one of its entries, cannot be read.

use std::path::PathBuf;

/// Names the artifact, and the member if it is about one.
#[derive(Debug)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The system refused to open or read it.
    Io {
        /// Which artifact.
        path: PathBuf,
        /// Which of its entries, escaped.
        member: Option<String>,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is neither a folder nor an archive of a known kind.
    Unknown {
        /// Which file.
        path: PathBuf,
    },
    /// The archive contradicts itself, or ends early.
    Damaged {
        /// Which artifact.
        path: PathBuf,
        /// Which of its entries, escaped.
        member: Option<String>,
        /// What is wrong.
        what: String,
    },
    /// It is larger than was allowed, unpacked.
    TooLarge {
        /// Which artifact.
        path: PathBuf,
        /// Which of its entries, escaped.
        member: Option<String>,
        /// The limit in bytes.
        limit: u64,
    },
    /// An entry that is no file: a folder, or a link that leads nowhere or outside.
    NotAFile {
        /// Which artifact.
        path: PathBuf,
        /// Which of its entries, escaped.
        member: String,
    },
}

impl std::fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, member) = match self {
            ArtifactError::Unknown { path } => (path, None),
            ArtifactError::Io { path, member, .. }
            | ArtifactError::Damaged { path, member, .. }
            | ArtifactError::TooLarge { path, member, .. } => (path, member.as_ref()),
            ArtifactError::NotAFile { path, member } => (path, Some(member)),
        };
        match member {
            Some(member) => write!(f, "`{member}` in `{}`", path.display())?,
            None => write!(f, "`{}`", path.display())?,
        }
        match self {
            ArtifactError::Io { error, .. } => write!(f, " could not be read: {error}"),
            ArtifactError::Unknown { .. } => {
                f.write_str(" is neither a folder nor a zip, wheel, tar, tar.gz or tar.zst")
            }
            ArtifactError::Damaged { what, .. } => write!(f, " is damaged: {what}"),
            ArtifactError::TooLarge { limit, .. } => {
                write!(f, " is larger than the limit of {limit} bytes")
            }
            ArtifactError::NotAFile { .. } => f.write_str(" is not a file"),
        }
    }
}

impl std::error::Error for ArtifactError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ArtifactError::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// An error that does not know yet which archive it is about.
#[derive(Debug)]
pub(crate) enum Fault {
    Io(std::io::Error),
    Damaged(String),
    TooLarge(u64),
}

impl Fault {
    pub(crate) fn damaged(what: impl Into<String>) -> Fault {
        Fault::Damaged(what.into())
    }

    pub(crate) fn at(self, path: &std::path::Path, member: Option<String>) -> ArtifactError {
        let path = path.to_owned();
        match self {
            Fault::Io(error) => ArtifactError::Io { path, member, error },
            Fault::Damaged(what) => ArtifactError::Damaged { path, member, what },
            Fault::TooLarge(limit) => ArtifactError::TooLarge { path, member, limit },
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        Fault::Io(error)
    }
}

impl From<rustix::io::Errno> for Fault {
    fn from(error: rustix::io::Errno) -> Fault {
        Fault::Io(error.into())
    }
}
