//! The state folder and its files: read whole, written whole by renaming. Knows nothing of what
//! the files say.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytekiln_planner::{Problem, Severity};

use super::encoding::{envelope, unseal};
use crate::path::show;

/// A kind of file in the state folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StateFile {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    /// What to call it.
    pub(crate) what: &'static str,
}

/// A state file that was there and could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    path: PathBuf,
    what: &'static str,
    why: String,
}

impl Damage {
    pub(crate) fn problem(&self) -> Problem {
        Problem {
            severity: Severity::Warning,
            path: None,
            message: format!("{} `{}` is ignored: {}", self.what, show(&self.path), self.why),
            hint: Some("it is made again; what it remembered is found out anew".to_owned()),
        }
    }
}

/// The state folder cannot be used.
#[derive(Debug)]
pub struct StateError {
    /// Which file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub error: std::io::Error,
}

impl StateError {
    /// Whether another folder may do: this one lies on a read-only or full disk, or belongs to
    /// somebody else.
    pub fn is_unwritable(&self) -> bool {
        use std::io::ErrorKind;
        matches!(
            self.error.kind(),
            ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
        )
    }
}

impl std::fmt::Display for StateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "state cannot be kept in `{}`: {}", show(&self.path), self.error)
    }
}

impl std::error::Error for StateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Makes the state folder, if it is not there, and sees that it can be written. Git is told to
/// pass it over.
pub fn prepare_state(state_dir: &Path) -> Result<(), StateError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| StateError { path, error }
    };
    std::fs::create_dir_all(state_dir).map_err(at(state_dir))?;
    let ignore = state_dir.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(&ignore, "*\n").map_err(at(&ignore))?;
    }
    tempfile::tempfile_in(state_dir).map_err(at(state_dir)).map(drop)
}

/// The body's bytes within the file's; `Ok(None)` if there is no file.
pub(crate) fn read_state(path: &Path, kind: StateFile) -> Result<Option<Vec<u8>>, Damage> {
    let damage = |why: String| Damage { path: path.to_owned(), what: kind.what, why };
    let mut bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(damage(error.to_string())),
    };
    let Some(body) = unseal(&bytes, kind.magic, kind.version) else {
        return Err(damage("it is damaged, or of another version".to_owned()));
    };
    let envelope = bytes.len() - body.len();
    bytes.drain(..envelope);
    Ok(Some(bytes))
}

/// Replaces the file by a new one with this body.
pub(crate) fn write_state(path: &Path, kind: StateFile, body: &[u8]) -> Result<(), StateError> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        file.write_all(&envelope(kind.magic, kind.version, body))?;
        file.write_all(body)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| StateError { path: path.to_owned(), error })
}

/// A profile's name as the beginning of a file name.
pub(crate) fn file_stem(profile: &str) -> String {
    let mut stem = String::with_capacity(profile.len());
    for byte in profile.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            stem.push(char::from(byte));
        } else {
            stem.push_str(&format!("%{byte:02x}"));
        }
    }
    stem
}
