//! A `.pyc` to inspect, wherever it lies, and its source.

use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_artifact::{Artifact, EntryKind, Modified};
use bytekiln_codec::{Header, Limits};
use bytekiln_proof::{ReadError, is_canonical};
use bytekiln_python::OptimizationLevel;

use super::super::opened;
use super::source::{self, SourceState};

/// See the module.
pub(super) struct Subject {
    /// Its path, as it is to be shown.
    pub(super) shown: String,
    pub(super) bytes: Vec<u8>,
    pub(super) size: usize,
    /// The level that its name says.
    pub(super) level: Option<OptimizationLevel>,
    /// Where its source is or should be, as it is to be shown.
    pub(super) source: String,
    pub(super) state: SourceState,
}

/// What a table shows of it.
pub(super) struct Row {
    pub(super) header: Header,
    pub(super) canonical: bool,
    pub(super) source: SourceState,
}

impl Subject {
    /// A file on the disk.
    pub(super) fn of_file(shown: String, path: &Path) -> Result<Subject, String> {
        let bytes = opened::read(path)?;
        let folder = |path: &Path| path.parent().map(Path::to_path_buf).unwrap_or_default();
        // The two last folders are all that the names are about.
        let name = path.file_name().unwrap_or_default().as_bytes();
        let cache = folder(path);
        let in_pycache = cache.file_name().is_some_and(|name| name == "__pycache__");
        let (base, relative) = if in_pycache {
            (folder(&cache), [b"__pycache__/", name].concat())
        } else {
            (cache, name.to_vec())
        };
        let relative = RepoPath::new(&relative).unwrap_or_default();
        let (source, level) = source::names(&relative);
        let real =
            base.join(PathBuf::from(std::ffi::OsString::from_vec(source.as_bytes().to_vec())));
        let header = Header::parse(&bytes).ok();
        let state = match std::fs::metadata(&real) {
            Ok(metadata) if metadata.is_file() => {
                let nanoseconds = metadata.mtime_nsec() as u32;
                let modified = Modified::Unix { seconds: metadata.mtime(), nanoseconds };
                state(header, metadata.len(), modified, || opened::read(&real))
            }
            _ => SourceState::Missing,
        };
        // As the path was typed: the source is named beside it.
        let typed = PathBuf::from(&shown);
        let mut beside = folder(&typed);
        if in_pycache {
            beside = folder(&beside);
        }
        let source = beside.join(source.to_string()).display().to_string();
        Ok(Subject { shown, size: bytes.len(), bytes, level, source, state })
    }

    /// A member of a tree or an archive.
    pub(super) fn of_member(
        shown: String,
        artifact: &Artifact,
        index: usize,
    ) -> Result<Subject, String> {
        let bytes = artifact.read(index).map_err(|error| error.to_string())?;
        let path = artifact.entries().get(index).map(|entry| entry.path.clone());
        let (source, level) = source::names(&path.unwrap_or_default());
        let found = artifact.find(&source).and_then(|found| artifact.resolve(found));
        let entry = found.and_then(|found| Some((found, artifact.entries().get(found)?)));
        let state = match entry {
            Some((found, entry)) if entry.kind == EntryKind::File => {
                state(Header::parse(&bytes).ok(), entry.size, entry.modified, || {
                    artifact.read(found).map_err(|error| error.to_string())
                })
            }
            _ => SourceState::Missing,
        };
        let source = source.to_string();
        Ok(Subject { shown, size: bytes.len(), bytes, level, source, state })
    }

    /// What a table shows.
    pub(super) fn row(&self) -> Result<Row, ReadError> {
        let canonical = is_canonical(&self.bytes, &Limits::default())?;
        let header = Header::parse(&self.bytes).map_err(ReadError::Header)?;
        Ok(Row { header, canonical, source: self.state.clone() })
    }
}

fn state(
    header: Option<Header>,
    size: u64,
    modified: Modified,
    read: impl FnOnce() -> Result<Vec<u8>, String>,
) -> SourceState {
    match header {
        Some(header) => source::compare(&header, size, modified, read),
        None => SourceState::NotCompared("the cache has no header".to_owned()),
    }
}
