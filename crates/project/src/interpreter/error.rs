//! Why an interpreter cannot be had, or cannot be used.

use std::path::PathBuf;
use std::time::Duration;

use bytekiln_action::IdentityError;

use crate::path::show;

/// What is wrong with one executable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InterpreterFault {
    /// There is no such file.
    Missing,
    /// It is there and may not be executed.
    NotExecutable,
    /// It could not be started: what the system said.
    NotStarted(String),
    /// It ended with this status: what it wrote to standard error (its end).
    Failed(String, String),
    /// It did not answer in time, and was killed.
    Hung(Duration),
    /// It answered, and cannot be a compiler.
    Identity(IdentityError),
    /// It is Python 2, or another language's interpreter: name and version.
    NotPython3(String),
}

impl std::fmt::Display for InterpreterFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InterpreterFault::Missing => f.write_str("there is no such file"),
            InterpreterFault::NotExecutable => f.write_str("it is not executable"),
            InterpreterFault::NotStarted(why) => write!(f, "it could not be started: {why}"),
            InterpreterFault::Failed(status, said) if said.is_empty() => {
                write!(f, "it failed ({status}) and said nothing")
            }
            InterpreterFault::Failed(status, said) => write!(f, "it failed ({status}): {said}"),
            InterpreterFault::Hung(limit) => {
                write!(f, "it did not answer within {} s, and was killed", limit.as_secs())
            }
            InterpreterFault::Identity(error) => write!(f, "{error}"),
            InterpreterFault::NotPython3(what) => {
                write!(f, "it is {what}, and only CPython 3's caches can be built")
            }
        }
    }
}

/// An interpreter that was asked for cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InterpreterError {
    /// The one that was named is of no use.
    Unusable {
        /// As asked for.
        wanted: String,
        /// Where it is.
        executable: PathBuf,
        /// Why.
        fault: InterpreterFault,
    },
    /// None was found.
    NotFound {
        /// As asked for.
        wanted: String,
        /// Folders and files in which was looked.
        looked_in: Vec<PathBuf>,
        /// Interpreters met on the way that are something else: path and label, or fault.
        seen: Vec<(PathBuf, String)>,
    },
    /// `.python-version` says something that is no version.
    VersionFile {
        /// The file.
        path: PathBuf,
        /// What it says.
        text: String,
    },
}

impl InterpreterError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            InterpreterError::Unusable { .. } => None,
            InterpreterError::NotFound { seen, .. } if !seen.is_empty() => {
                let seen: Vec<String> =
                    seen.iter().map(|(path, what)| format!("`{}` ({what})", show(path))).collect();
                Some(format!("seen: {}", seen.join(", ")))
            }
            InterpreterError::NotFound { .. } => {
                Some("name an interpreter by its path with `--python`".to_owned())
            }
            InterpreterError::VersionFile { .. } => {
                Some("write a version such as `3.13` into it".to_owned())
            }
        }
    }
}

impl std::fmt::Display for InterpreterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InterpreterError::Unusable { wanted, executable, fault } => {
                write!(f, "the interpreter `{}` ", show(executable))?;
                if *wanted != show(executable) {
                    write!(f, "(for `{wanted}`) ")?;
                }
                write!(f, "cannot be used: {fault}")
            }
            InterpreterError::NotFound { wanted, looked_in, .. } => {
                let folders: Vec<String> =
                    looked_in.iter().map(|folder| format!("`{}`", show(folder))).collect();
                write!(f, "no interpreter for `{wanted}` was found in {}", folders.join(", "))
            }
            InterpreterError::VersionFile { path, text } => {
                write!(f, "`{}` names no version of Python: `{text}`", show(path))
            }
        }
    }
}

impl std::error::Error for InterpreterError {}
