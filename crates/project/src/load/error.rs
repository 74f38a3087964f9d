//! Why nothing could be loaded at all. What concerns single files is a problem in the inputs.

use std::path::PathBuf;

use crate::path::show;
use crate::scan::GlobError;

/// Loading failed.
#[derive(Debug)]
pub struct LoadError {
    /// Why.
    pub kind: LoadErrorKind,
}

/// Why loading failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The workspace's folder cannot be opened.
    Root {
        /// It.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// `-p` names no member.
    UnknownPackage {
        /// As given.
        name: String,
        /// The nearest member's name.
        nearest: Option<String>,
    },
    /// A glob of a member or of an allowance.
    Glob {
        /// Whose: a member's name, or the allowance's place.
        owner: String,
        /// What is wrong.
        error: GlobError,
    },
    /// No Python file is in scope.
    NothingPython {
        /// Where was looked.
        folders: Vec<PathBuf>,
    },
    /// Two interpreters, or two levels, would write the same file names.
    CollidingTargets {
        /// The first.
        first: String,
        /// The second.
        second: String,
        /// What both write, e.g. `m.cpython-313.pyc`.
        output: String,
    },
    /// `deploy-root` is not absolute.
    DeployRoot {
        /// As given.
        path: PathBuf,
    },
    /// The output folder is something else.
    OutputNotAFolder {
        /// It.
        path: PathBuf,
    },
    /// No interpreter was given.
    NoInterpreter,
}

impl LoadError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match &self.kind {
            LoadErrorKind::UnknownPackage { nearest, .. } => {
                nearest.as_ref().map(|name| format!("a member `{name}` exists"))
            }
            LoadErrorKind::CollidingTargets { .. } => Some(
                "their file names are the same; give one of them a profile with an `out` of its own"
                    .to_owned(),
            ),
            LoadErrorKind::NothingPython { .. } => Some(
                "`.gitignore` files, `include` and `exclude` globs decide what is in scope".to_owned(),
            ),
            LoadErrorKind::DeployRoot { .. } => {
                Some("say where the workspace lies when the program runs, from `/` on".to_owned())
            }
            LoadErrorKind::OutputNotAFolder { .. } => {
                Some("remove it, or choose another `out`".to_owned())
            }
            LoadErrorKind::Root { .. }
            | LoadErrorKind::Glob { .. }
            | LoadErrorKind::NoInterpreter => None,
        }
    }
}

impl From<LoadErrorKind> for LoadError {
    fn from(kind: LoadErrorKind) -> LoadError {
        LoadError { kind }
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            LoadErrorKind::Root { path, error } => {
                write!(f, "the workspace `{}` cannot be opened: {error}", show(path))
            }
            LoadErrorKind::UnknownPackage { name, .. } => {
                write!(f, "no member of the workspace is called `{name}`")
            }
            LoadErrorKind::Glob { owner, error } => {
                write!(f, "{owner}: the glob `{}` is wrong: {}", error.glob, error.message)
            }
            LoadErrorKind::NothingPython { folders } => {
                let folders: Vec<String> =
                    folders.iter().map(|folder| format!("`{}`", show(folder))).collect();
                write!(f, "no Python file was found in {}", folders.join(", "))
            }
            LoadErrorKind::CollidingTargets { first, second, output } => {
                write!(f, "{first} and {second} would both write `{output}`")
            }
            LoadErrorKind::DeployRoot { path } => {
                write!(f, "the deploy root `{}` is not absolute", show(path))
            }
            LoadErrorKind::OutputNotAFolder { path } => {
                write!(f, "the output folder `{}` is not a folder", show(path))
            }
            LoadErrorKind::NoInterpreter => f.write_str("no interpreter was given"),
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            LoadErrorKind::Root { error, .. } => Some(error),
            _ => None,
        }
    }
}
