//! The state folder and its files: read whole, written by renaming when they are whole. Knows nothing of what
//! the files say.

use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use bytekiln_planner::{Problem, Severity};

use super::encoding::{Checksum, ENVELOPE, envelope, is_sealed};
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
    // The body where it stays: a large one is not moved.
    let read = || -> std::io::Result<_> {
        let file = std::fs::File::open(path)?;
        let (mut head, mut body) = (Vec::new(), Vec::new());
        (&file).take(ENVELOPE as u64).read_to_end(&mut head)?;
        (&file).read_to_end(&mut body)?;
        Ok((head, body))
    };
    match read() {
        Ok((head, body)) if is_sealed(&head, &body, kind.magic, kind.version) => Ok(Some(body)),
        Ok(_) => Err(damage("it is damaged, or of another version".to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(damage(error.to_string())),
    }
}

/// Replaces the file by a new one with this body.
pub(crate) fn write_state(path: &Path, kind: StateFile, body: &[u8]) -> Result<(), StateError> {
    let mut out = StateWriter::create(path, kind)?;
    out.write(body)?;
    out.finish()
}

/// So much is written at once.
const BLOCK: usize = 1 << 18;

/// A new file whose body comes in parts. Unless it is finished, nothing is left of it.
#[derive(Debug)]
pub(crate) struct StateWriter {
    path: PathBuf,
    kind: StateFile,
    file: tempfile::NamedTempFile,
    /// Not yet summed up and written.
    buffer: Vec<u8>,
    sum: Checksum,
    length: u64,
}

impl StateWriter {
    /// Begins it, beside the file that it is to replace.
    pub(crate) fn create(path: &Path, kind: StateFile) -> Result<StateWriter, StateError> {
        let create = || {
            let folder = path.parent().unwrap_or(Path::new("."));
            let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
            file.write_all(&[0; ENVELOPE])?;
            Ok(file)
        };
        let file = create().map_err(|error| StateError { path: path.to_owned(), error })?;
        let (buffer, sum) = (Vec::new(), Checksum::default());
        Ok(StateWriter { path: path.to_owned(), kind, file, buffer, sum, length: 0 })
    }

    /// How long the body is so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends to the body.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        for part in bytes.chunks(BLOCK) {
            self.buffer.extend_from_slice(part);
            self.length += part.len() as u64;
            if self.buffer.len() >= BLOCK {
                let whole = self.buffer.len() - self.sum.blocks(&self.buffer).len();
                let written = self.file.write_all(self.buffer.get(..whole).unwrap_or_default());
                written.map_err(|error| StateError { path: self.path.clone(), error })?;
                self.buffer.drain(..whole);
            }
        }
        Ok(())
    }

    /// Puts the file in its place.
    pub(crate) fn finish(mut self) -> Result<(), StateError> {
        let rest = self.sum.blocks(&self.buffer);
        let sum = self.sum.finish(rest);
        let head = envelope(self.kind.magic, self.kind.version, self.length, sum);
        let mut end = || {
            self.file.write_all(&self.buffer)?;
            self.file.rewind()?;
            self.file.write_all(&head)
        };
        let ended = end().and_then(|()| self.file.persist(&self.path).map_err(|error| error.error));
        ended.map(drop).map_err(|error| StateError { path: self.path, error })
    }
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
