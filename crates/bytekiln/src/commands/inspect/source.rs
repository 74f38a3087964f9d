//! What the importer would find when it compares a cache with its source. Knows nothing of where
//! the two are.

use bytekiln_action::RepoPath;
use bytekiln_artifact::Modified;
use bytekiln_codec::{Header, Validation, source_hash};
use bytekiln_python::{OptimizationLevel, legacy_file_name, parse_cache_file_name};

use crate::calendar::date_and_time;

/// How a source and a cache stand to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SourceState {
    /// There is no source where the importer looks for it.
    Missing,
    /// It is the one that was compiled, as far as the header can tell.
    Matches,
    /// It is another one; says how that shows.
    Differs(String),
    /// That cannot be told; says why.
    NotCompared(String),
}

impl SourceState {
    pub(super) fn is_stale(&self) -> bool {
        matches!(self, SourceState::Differs(_))
    }

    /// For tables.
    pub(super) fn word(&self) -> &'static str {
        match self {
            SourceState::Missing => "missing",
            SourceState::Matches => "matches",
            SourceState::Differs(_) => "differs",
            SourceState::NotCompared(_) => "not compared",
        }
    }

    /// What there is to say beside.
    pub(super) fn detail(&self) -> Option<&str> {
        match self {
            SourceState::Differs(detail) | SourceState::NotCompared(detail) => Some(detail),
            SourceState::Missing | SourceState::Matches => None,
        }
    }
}

/// What the name of a cache says: where its source is, and the level.
pub(super) fn names(path: &RepoPath) -> (RepoPath, Option<OptimizationLevel>) {
    let name = path.file_name();
    let folder = path.parent().unwrap_or_default();
    let in_pycache = folder.file_name() == b"__pycache__";
    let (folder, stem, level) = match parse_cache_file_name(name) {
        Some((stem, _, level)) if in_pycache => {
            (folder.parent().unwrap_or_default(), stem, Some(level))
        }
        _ => (folder, name.strip_suffix(b".pyc").unwrap_or(name), None),
    };
    debug_assert!(level.is_some() || legacy_file_name(stem) == name || !name.ends_with(b".pyc"));
    (folder.join(&[stem, b".py"].concat()), level)
}

/// Compares a header with a source of this size and date, which is read only if its hash is wanted.
pub(super) fn compare(
    header: &Header,
    size: u64,
    modified: Modified,
    read: impl FnOnce() -> Result<Vec<u8>, String>,
) -> SourceState {
    match header.validation {
        Validation::Hash { source_hash: recorded, .. } => {
            let Some(release) = header.release() else {
                return SourceState::NotCompared("of an unknown release".to_owned());
            };
            match read() {
                Ok(text) if source_hash(release, &text) == recorded => SourceState::Matches,
                Ok(_) => SourceState::Differs("has another hash".to_owned()),
                Err(error) => SourceState::NotCompared(error),
            }
        }
        Validation::Timestamp { mtime, size: recorded, .. } => {
            if size as u32 != recorded {
                return SourceState::Differs(format!(
                    "has {size} bytes, the cache is of {recorded}"
                ));
            }
            match modified {
                // The importer compares the low 32 bits.
                Modified::Unix { seconds, .. } if seconds as u32 == mtime => SourceState::Matches,
                Modified::Unix { seconds, .. } => SourceState::Differs(format!(
                    "was modified at {} UTC, the cache is of {}",
                    date_and_time(seconds),
                    date_and_time(i64::from(mtime))
                )),
                Modified::Dos { .. } => SourceState::NotCompared(
                    "of the same size; the time in a zip is local to whoever reads it".to_owned(),
                ),
            }
        }
    }
}
