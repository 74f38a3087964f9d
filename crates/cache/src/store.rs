//! The trait that every store implements. Batch, blocking, object-safe; one for one with the
//! Remote Execution API (`FindMissingBlobs`, `BatchUpdateBlobs`, `BatchReadBlobs`,
//! `GetActionResult`, `UpdateActionResult`), so that a remote store is only another implementation.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytekiln_action::{ActionDigest, ActionResult, Digest};
use bytes::Bytes;

/// Some bytes with their digest, on their way into a store or out of it.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Digest of `bytes`.
    pub digest: Digest,
    /// The bytes: what came in one message is not copied out of it.
    pub bytes: Bytes,
    /// The digest was computed from the bytes; hashing them once more would cost a store a tenth
    /// of what keeping them costs.
    computed: bool,
}

impl Blob {
    /// Bytes made here: their digest is computed.
    pub fn of(bytes: impl Into<Bytes>) -> Blob {
        let bytes = bytes.into();
        Blob { digest: Digest::of(&bytes), bytes, computed: true }
    }

    /// Bytes from elsewhere that are said to have this digest; a store checks before it keeps them.
    pub fn claimed(digest: Digest, bytes: impl Into<Bytes>) -> Blob {
        Blob { digest, bytes: bytes.into(), computed: false }
    }

    /// Bytes that a store has hashed just now, and that have this digest.
    pub(crate) fn verified(digest: Digest, bytes: impl Into<Bytes>) -> Blob {
        Blob { digest, bytes: bytes.into(), computed: true }
    }

    /// Whether the bytes have the digest; hashes them only if nobody has.
    pub fn is_true(&self) -> bool {
        self.computed || Digest::of(&self.bytes) == self.digest
    }
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultEntry {
    /// The action.
    pub action: ActionDigest,
    /// What came out.
    pub result: ActionResult,
}

/// A file inside a store on this machine that holds exactly a blob's bytes, checked just now.
#[derive(Debug, Clone)]
pub struct LocalObject {
    /// Where it is; may be hard-linked from, never written to.
    pub path: PathBuf,
}

/// Keeps blobs and action results. Every method takes many at once, and answers in the order
/// of the question. A failure is never more than "not there" to a build: callers warn once and
/// go on with local work.
pub trait Store: Send + Sync {
    /// For messages: `disk cache at /home/…`.
    fn describe(&self) -> String;

    /// Which of these blobs are not there.
    fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError>;

    /// The bytes of each blob, `None` where it is missing or not what its digest says (which the
    /// store then forgets).
    fn read_blobs(&self, digests: &[Digest]) -> Result<Vec<Option<Blob>>, StoreError>;

    /// Keeps these blobs.
    fn write_blobs(&self, blobs: &[Blob]) -> Result<(), StoreError>;

    /// The result of each action, `None` where it is unknown.
    fn get_results(
        &self,
        actions: &[ActionDigest],
    ) -> Result<Vec<Option<ActionResult>>, StoreError>;

    /// Keeps these results. The blobs that they name must have been written before.
    fn update_results(&self, entries: &[ResultEntry]) -> Result<(), StoreError>;

    /// Nothing more will be asked or told for now: what makes later questions cheaper may be written.
    /// Called only by those who may write.
    fn settle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// As [`Store::write_local_object`], for a blob that [`Store::read_blobs`] has just missed: a
    /// store need not look again whether it has it.
    fn write_missing_object(&self, blob: &Blob) -> Result<Option<LocalObject>, StoreError> {
        self.write_local_object(blob)
    }

    /// A file that holds this blob and may be hard-linked to an output, with its content verified
    /// now and marked as used. `None` for stores without files, and for blobs that are missing
    /// or broken (which the store then forgets).
    fn local_object(&self, _digest: &Digest) -> Result<Option<LocalObject>, StoreError> {
        Ok(None)
    }

    /// Keeps a blob and gives its file at once, so that a fresh result is written to disk only
    /// once and linked to its output. `None` for stores without files.
    fn write_local_object(&self, _blob: &Blob) -> Result<Option<LocalObject>, StoreError> {
        Ok(None)
    }

    /// What was noticed since the last call and failed nothing: broken objects that were
    /// forgotten, damaged records that were skipped. In order.
    fn take_warnings(&self) -> Vec<StoreWarning> {
        Vec::new()
    }
}

/// Something is wrong with a store, but no question failed because of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreWarning {
    /// What was noticed, and what was done about it; a fragment without period.
    pub message: String,
    /// The file in question, if there is one.
    pub path: Option<PathBuf>,
}

impl std::fmt::Display for StoreWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        match &self.path {
            Some(path) => write!(f, " (`{}`)", path.display()),
            None => Ok(()),
        }
    }
}

/// Warnings that wait for [`Store::take_warnings`]. A store that is broken all over would repeat
/// itself for every object, so only the first few are kept, and the rest counted.
#[derive(Debug, Default)]
pub struct WarningLog(Mutex<(Vec<StoreWarning>, usize)>);

impl WarningLog {
    const KEPT: usize = 50;

    /// Keeps a warning, or counts it.
    pub fn add(&self, message: impl Into<String>, path: Option<&Path>) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.0.len() < WarningLog::KEPT {
            log.0.push(StoreWarning { message: message.into(), path: path.map(Path::to_owned) });
        } else {
            log.1 += 1;
        }
    }

    /// What was kept, in order, and how many more there were.
    pub fn take(&self) -> Vec<StoreWarning> {
        let (mut warnings, more) =
            std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if more > 0 {
            warnings.push(StoreWarning { message: format!("{more} more like these"), path: None });
        }
        warnings
    }
}

/// A store could not do what was asked.
#[derive(Debug)]
pub struct StoreError {
    /// What was tried, e.g. ``write blob `ab12…` ``.
    pub operation: String,
    /// The file in question, if there is one.
    pub path: Option<PathBuf>,
    /// Why.
    pub source: std::io::Error,
}

impl StoreError {
    /// An error of a file operation.
    pub fn io(operation: impl Into<String>, path: &Path, source: std::io::Error) -> StoreError {
        StoreError { operation: operation.into(), path: Some(path.to_owned()), source }
    }

    /// The bytes of a blob are not what its digest says: a fault of the caller, not of the store
    /// (kind `InvalidInput`, which tells the two apart).
    pub fn mismatch(blob: &Blob) -> StoreError {
        StoreError {
            operation: format!("keep blob `{}`", blob.digest),
            path: None,
            source: std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                format!("its bytes have digest `{}`", Digest::of(&blob.bytes)),
            ),
        }
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "could not {}", self.operation)?;
        if let Some(path) = &self.path {
            write!(f, " `{}`", path.display())?;
        }
        write!(f, ": {}", self.source)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
