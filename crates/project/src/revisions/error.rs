//! Why git could not say what changed. Knows nothing of exit statuses.

use std::path::PathBuf;

use crate::path::show;

/// Asking git failed.
#[derive(Debug)]
pub struct RevisionError {
    /// Why.
    pub kind: RevisionErrorKind,
}

/// Why asking git failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RevisionErrorKind {
    /// It could not be started.
    NotStarted {
        /// The command.
        git: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The workspace is in no repository, or git does not trust it.
    NoRepository {
        /// The workspace.
        root: PathBuf,
        /// What git said.
        said: String,
    },
    /// No commit is called so.
    UnknownRevision {
        /// As given.
        revision: String,
        /// The repository does not have all of its history.
        shallow: bool,
    },
    /// The revision and `HEAD` have no commit in common, as far as the repository knows.
    NoMergeBase {
        /// As given.
        revision: String,
        /// The repository does not have all of its history.
        shallow: bool,
    },
    /// A question that should have had an answer.
    Failed {
        /// The command, as one would type it.
        command: String,
        /// What git said.
        said: String,
    },
    /// An answer that makes no sense.
    Answer {
        /// The command, as one would type it.
        command: String,
    },
}

impl From<RevisionErrorKind> for RevisionError {
    fn from(kind: RevisionErrorKind) -> RevisionError {
        RevisionError { kind }
    }
}

impl RevisionError {
    /// What was asked for is wrong, not the surroundings.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self.kind, RevisionErrorKind::UnknownRevision { shallow: false, .. })
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match &self.kind {
            RevisionErrorKind::NotStarted { .. } => {
                "install git, or name the changed files with --files".to_owned()
            }
            RevisionErrorKind::NoRepository { said, .. } if said.contains("safe.directory") => {
                "if you trust it: `git config --global --add safe.directory FOLDER`".to_owned()
            }
            RevisionErrorKind::NoRepository { .. } => {
                "name the changed files with --files or --files-from".to_owned()
            }
            RevisionErrorKind::UnknownRevision { revision, .. } if revision.contains("..") => {
                "name one revision: what counts is what changed since it and HEAD parted".to_owned()
            }
            RevisionErrorKind::UnknownRevision { shallow: true, .. }
            | RevisionErrorKind::NoMergeBase { shallow: true, .. } => {
                "the clone is shallow: `git fetch --unshallow`, or in CI clone with all of the \
                 history (`fetch-depth: 0`)"
                    .to_owned()
            }
            RevisionErrorKind::UnknownRevision { revision, .. } => match revision.split_once('/') {
                Some((remote, branch)) => {
                    format!("if it is a branch of a remote: `git fetch {remote} {branch}`")
                }
                None => "name a commit, a branch or a tag; `git branch -a` shows the branches"
                    .to_owned(),
            },
            RevisionErrorKind::NoMergeBase { .. } => {
                "name a revision of the history that HEAD is part of".to_owned()
            }
            RevisionErrorKind::Failed { .. } | RevisionErrorKind::Answer { .. } => return None,
        };
        Some(text)
    }
}

impl std::fmt::Display for RevisionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            RevisionErrorKind::NotStarted { git, error } => {
                write!(f, "`{}` could not be started: {error}", show(git))
            }
            RevisionErrorKind::NoRepository { root, said } if said.contains("safe.directory") => {
                write!(f, "git does not trust the repository of `{}`: {said}", show(root))
            }
            RevisionErrorKind::NoRepository { root, said } => {
                write!(f, "`{}` is in no git repository", show(root))?;
                if said.is_empty() { Ok(()) } else { write!(f, " ({said})") }
            }
            RevisionErrorKind::UnknownRevision { revision, .. } => {
                write!(f, "git knows no revision `{revision}`")
            }
            RevisionErrorKind::NoMergeBase { revision, .. } => {
                write!(f, "`{revision}` and HEAD have no commit in common")
            }
            RevisionErrorKind::Failed { command, said } => write!(f, "`{command}` failed: {said}"),
            RevisionErrorKind::Answer { command } => {
                write!(f, "the answer of `{command}` makes no sense")
            }
        }
    }
}

impl std::error::Error for RevisionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            RevisionErrorKind::NotStarted { error, .. } => Some(error),
            _ => None,
        }
    }
}
