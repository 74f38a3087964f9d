//! The store: blocking questions over the protocols below, each within a bounded time. Once
//! something lasting has gone wrong it answers nothing more, so that a dead or slow server costs
//! its time once. Knows nothing of what callers do then.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytekiln_action::{ActionDigest, ActionResult, Digest, Outcome};
use bytekiln_cache::{Blob, ResultEntry, Store, StoreError, StoreWarning, WarningLog};
use prost::Message as _;
use tokio::runtime::Runtime;

use crate::address::RemoteAddress;
use crate::attempt::{Found, Trouble};
use crate::backend::Backend;
use crate::bundle::{self, Bundle};
use crate::connection::ConnectError;
use crate::headers::RemoteHeaders;
use crate::mapping::{Keys, bundle_message, bundle_of, from_message, to_message};

/// Nobody's `.pyc` is larger; a result that says so is not believed.
const LARGEST_BLOB: u64 = 64 << 20;
/// All blobs of one answer together.
const LARGEST_ANSWER: u64 = 256 << 20;
/// What a server has to deliver to be of use, beyond the time for one operation…
const BYTES_A_SECOND: u64 = 256 << 10;
/// …which never becomes longer than by so much.
const LONGEST_TRANSFER: Duration = Duration::from_secs(120);
/// Results that are asked for one by one within one operation's time.
const SINGLES_AT_ONCE: usize = 1024;

/// How a remote cache is reached.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// Where it is.
    pub address: RemoteAddress,
    /// What goes with every request.
    pub headers: RemoteHeaders,
    /// Certificates to trust, and no others; `None`: those of the machine.
    pub ca_file: Option<PathBuf>,
    /// The time for one operation with all its retries; longer for many bytes.
    pub timeout: Duration,
}

/// What went over the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemoteStats {
    /// Requests that were sent, retries included.
    pub requests: u64,
    /// Results that were asked for.
    pub results_asked: u64,
    /// Of those, how many were found.
    pub results_found: u64,
    /// Results that were kept.
    pub results_written: u64,
    /// Blobs that came.
    pub blobs_read: u64,
    /// Their bytes.
    pub bytes_read: u64,
    /// Blobs that were handed over; those that the server had already did not travel.
    pub blobs_written: u64,
}

/// See the module. Connects at the first question, not before.
pub struct RemoteStore {
    description: String,
    timeout: Duration,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    backend: Backend,
    keys: Keys,
    /// Why nothing is answered any more.
    down: OnceLock<String>,
    /// Blobs that the server did not take; results that name them are not sent.
    refused: Mutex<BTreeSet<Digest>>,
    bundles: Mutex<Bundles>,
    warnings: WarningLog,
    counters: Counters,
}

/// The bundles that were asked for, by key, and what has been learned for them since.
#[derive(Default)]
struct Bundles {
    by_key: BTreeMap<Digest, Bundle>,
    /// In which one an action is.
    places: BTreeMap<ActionDigest, Digest>,
}

impl Bundles {
    /// The server has this under the action's own key.
    fn learn(&mut self, action: ActionDigest, result: &ActionResult) {
        let place = self.places.get(&action);
        if let Some(bundle) = place.and_then(|key| self.by_key.get_mut(key)) {
            bundle.learn(action, result);
        }
    }
}

#[derive(Default)]
struct Counters {
    results_asked: AtomicU64,
    results_found: AtomicU64,
    results_written: AtomicU64,
    blobs_read: AtomicU64,
    bytes_read: AtomicU64,
    blobs_written: AtomicU64,
}

impl fmt::Debug for RemoteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteStore").field(&self.description).finish()
    }
}

impl RemoteStore {
    /// Makes the store. Sends nothing yet.
    ///
    /// # Errors
    /// Where certificates are to be read and cannot be, or threads cannot be started.
    pub fn new(options: RemoteOptions) -> Result<RemoteStore, ConnectError> {
        let RemoteOptions { address, headers, ca_file, timeout } = options;
        let backend = Backend::new(&address, ca_file.as_deref(), headers.0, timeout)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bytekiln-remote")
            .enable_all()
            .build()
            .map_err(ConnectError::Runtime)?;
        Ok(RemoteStore {
            description: format!("remote cache at {address}"),
            timeout,
            runtime: Some(runtime),
            backend,
            keys: Keys::new(),
            down: OnceLock::new(),
            refused: Mutex::default(),
            bundles: Mutex::default(),
            warnings: WarningLog::default(),
            counters: Counters::default(),
        })
    }

    /// What went over the wire so far.
    pub fn stats(&self) -> RemoteStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        RemoteStats {
            requests: self.backend.requests(),
            results_asked: read(&counters.results_asked),
            results_found: read(&counters.results_found),
            results_written: read(&counters.results_written),
            blobs_read: read(&counters.blobs_read),
            bytes_read: read(&counters.bytes_read),
            blobs_written: read(&counters.blobs_written),
        }
    }

    /// Carries out one operation within its time.
    fn run<T>(
        &self,
        operation: Operation,
        bytes: u64,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, StoreError> {
        let error = |message: String| StoreError {
            operation: operation.words().to_owned(),
            path: None,
            source: std::io::Error::other(message),
        };
        if let Some(why) = self.down.get() {
            return Err(error(why.clone()));
        }
        let Some(runtime) = &self.runtime else { return Err(error("it is closed".to_owned())) };
        let transfer = Duration::from_secs(bytes / BYTES_A_SECOND).min(LONGEST_TRANSFER);
        let limit = self.timeout + transfer;
        let ended = runtime.block_on(async { tokio::time::timeout(limit, work).await });
        let (why, is_down) = match ended {
            Ok(Ok(answer)) => return Ok(answer),
            // Reading goes on where only writing is refused.
            Ok(Err(Trouble::Lasting(why) | Trouble::Exhausted(why))) => (why, operation.reads()),
            Ok(Err(Trouble::Passing(why))) => (why, true),
            Err(_) => (format!("no answer within {} s", limit.as_secs_f32()), true),
        };
        if is_down {
            let _ = self.down.set(why.clone());
        }
        Err(error(why))
    }

    /// Takes bytes for a blob only if they are it.
    fn checked(&self, digest: &Digest, found: Found) -> Option<Blob> {
        let why = match found {
            Found::Missing => return None,
            Found::Unusable(why) => why,
            Found::Bytes(bytes) => {
                let blob = Blob::of(bytes);
                if blob.digest == *digest {
                    self.counters.blobs_read.fetch_add(1, Ordering::Relaxed);
                    self.counters.bytes_read.fetch_add(digest.size, Ordering::Relaxed);
                    return Some(blob);
                }
                format!("its bytes have digest `{}`", blob.digest)
            }
        };
        self.warnings.add(
            format!(
                "the {} gave a wrong blob `{digest}`, which is ignored: {why}",
                self.description
            ),
            None,
        );
        None
    }

    fn bundles(&self) -> MutexGuard<'_, Bundles> {
        self.bundles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the bundles that these actions make; what is in none stays unknown.
    fn get_bundles(
        &self,
        actions: &[ActionDigest],
    ) -> Result<Vec<Option<ActionResult>>, StoreError> {
        let mut results = vec![None; actions.len()];
        let pieces = bundle::cut(actions);
        let asked: Vec<(Digest, &[ActionDigest])> = pieces
            .iter()
            .filter_map(|piece| actions.get(piece.clone()))
            .map(|actions| (self.keys.bundle_key(actions), actions))
            .collect();
        // The server has not been told yet what is known of those that have changed.
        let is_stale =
            |key: &Digest| self.bundles().by_key.get(key).is_some_and(Bundle::is_changed);
        let asked: Vec<_> = asked.into_iter().filter(|(key, _)| !is_stale(key)).collect();
        if asked.is_empty() {
            return Ok(results);
        }
        let keys: Vec<Digest> = asked.iter().map(|(key, _)| *key).collect();
        let found = self.run(Operation::GetResults, 0, self.backend.get_results(&keys))?;
        let mut bundles = self.bundles();
        for ((key, actions), message) in asked.into_iter().zip(found) {
            let bundle = Bundle::new(actions, message.as_ref().and_then(bundle_of));
            bundles.places.extend(bundle.actions().iter().map(|action| (*action, key)));
            bundles.by_key.insert(key, bundle);
        }
        for (result, action) in results.iter_mut().zip(actions) {
            let bundle = bundles.places.get(action).and_then(|key| bundles.by_key.get(key));
            *result = bundle.filter(|b| !b.is_changed()).and_then(|b| b.result(action)).cloned();
        }
        Ok(results)
    }

    fn count(&self, counter: &AtomicU64, more: usize) {
        counter.fetch_add(more as u64, Ordering::Relaxed);
    }
}

/// Everybody has no bytes: as the API says, and as nginx needs it, which keeps no empty file.
fn is_empty(digest: &Digest) -> bool {
    digest.size == 0 && *digest == Digest::of(b"")
}

/// Closes connections without waiting for them.
impl Drop for RemoteStore {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Operation {
    Find,
    ReadBlobs,
    GetResults,
    WriteBlobs,
    UpdateResults,
}

impl Operation {
    fn words(self) -> &'static str {
        match self {
            Operation::Find => "look for blobs",
            Operation::ReadBlobs => "read blobs",
            Operation::GetResults => "look up results",
            Operation::WriteBlobs => "upload blobs",
            Operation::UpdateResults => "upload results",
        }
    }

    fn reads(self) -> bool {
        match self {
            Operation::Find | Operation::ReadBlobs | Operation::GetResults => true,
            Operation::WriteBlobs | Operation::UpdateResults => false,
        }
    }
}

impl Store for RemoteStore {
    fn describe(&self) -> String {
        self.description.clone()
    }

    fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        let digests: Vec<Digest> =
            digests.iter().filter(|digest| !is_empty(digest)).copied().collect();
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        self.run(Operation::Find, 0, self.backend.find_missing(&digests))
    }

    fn read_blobs(&self, digests: &[Digest]) -> Result<Vec<Option<Blob>>, StoreError> {
        // Each once, none that is too large to be true, and no more than fits into memory: what is
        // left out is missing, and is made here.
        let mut room = LARGEST_ANSWER;
        let mut wanted: BTreeSet<Digest> = BTreeSet::new();
        for digest in digests.iter().filter(|digest| !is_empty(digest)) {
            if digest.size <= LARGEST_BLOB.min(room) && wanted.insert(*digest) {
                room -= digest.size;
            }
        }
        let wanted: Vec<Digest> = wanted.into_iter().collect();
        let found = match wanted.is_empty() {
            true => Vec::new(),
            false => {
                let bytes = LARGEST_ANSWER - room;
                self.run(Operation::ReadBlobs, bytes, self.backend.read(&wanted))?
            }
        };
        let blobs: BTreeMap<Digest, Blob> = wanted
            .iter()
            .zip(found)
            .filter_map(|(digest, found)| Some((*digest, self.checked(digest, found)?)))
            .collect();
        let answer = |digest: &Digest| match is_empty(digest) {
            true => Some(Blob::of(&b""[..])),
            false => blobs.get(digest).cloned(),
        };
        Ok(digests.iter().map(answer).collect())
    }

    fn write_blobs(&self, blobs: &[Blob]) -> Result<(), StoreError> {
        if let Some(wrong) = blobs.iter().find(|blob| !blob.is_true()) {
            return Err(StoreError::mismatch(wrong));
        }
        let blobs: Vec<Blob> =
            blobs.iter().filter(|blob| !is_empty(&blob.digest)).cloned().collect();
        if blobs.is_empty() {
            return Ok(());
        }
        let bytes = blobs.iter().map(|blob| blob.digest.size).sum();
        let refused = self.run(Operation::WriteBlobs, bytes, self.backend.write(&blobs))?;
        self.count(&self.counters.blobs_written, blobs.len() - refused.len().min(blobs.len()));
        for digest in refused {
            let size = digest.size;
            let message = format!("the {} takes no blob of {size} bytes", self.description);
            self.warnings.add(message, None);
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        }
        Ok(())
    }

    fn get_results(
        &self,
        actions: &[ActionDigest],
    ) -> Result<Vec<Option<ActionResult>>, StoreError> {
        if actions.is_empty() {
            return Ok(Vec::new());
        }
        self.count(&self.counters.results_asked, actions.len());
        let mut results = self.get_bundles(actions)?;
        let unknown: Vec<usize> = (results.iter().enumerate())
            .filter_map(|(position, result)| result.is_none().then_some(position))
            .collect();
        for positions in unknown.chunks(SINGLES_AT_ONCE) {
            let asked: Vec<ActionDigest> =
                positions.iter().filter_map(|position| actions.get(*position)).copied().collect();
            let keys: Vec<Digest> = asked.iter().map(|action| self.keys.key(action)).collect();
            let found = self.run(Operation::GetResults, 0, self.backend.get_results(&keys))?;
            let mut bundles = self.bundles();
            for ((position, action), message) in positions.iter().zip(asked).zip(found) {
                let result = message.as_ref().and_then(from_message);
                if let (Some(result), Some(place)) = (result, results.get_mut(*position)) {
                    bundles.learn(action, &result);
                    *place = Some(result);
                }
            }
        }
        self.count(&self.counters.results_found, results.iter().flatten().count());
        Ok(results)
    }

    fn update_results(&self, entries: &[ResultEntry]) -> Result<(), StoreError> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A later one of the same action replaces an earlier one: only it is sent.
        let (mut messages, mut told) = (BTreeMap::new(), Vec::new());
        for entry in entries {
            let names_refused = match &entry.result.outcome {
                Outcome::Compiled { output } => refused.contains(output),
                Outcome::Digested { .. } | Outcome::Rejected { .. } => false,
            };
            if !names_refused {
                messages.insert(self.keys.key(&entry.action), to_message(&entry.result));
                told.push(entry);
            }
        }
        if messages.is_empty() {
            return Ok(());
        }
        let (count, bytes) =
            (messages.len(), messages.values().map(|m| m.encoded_len() as u64).sum());
        self.run(Operation::UpdateResults, bytes, self.backend.update_results(messages))?;
        self.count(&self.counters.results_written, count);
        let mut bundles = self.bundles();
        told.into_iter().for_each(|entry| bundles.learn(entry.action, &entry.result));
        Ok(())
    }

    /// Writes the bundles that are new or have changed.
    fn settle(&self) -> Result<(), StoreError> {
        let bundles = std::mem::take(&mut *self.bundles());
        let changed = bundles.by_key.into_iter();
        let messages: BTreeMap<_, _> =
            changed.filter_map(|(key, b)| Some((key, bundle_message(b.to_keep()?)))).collect();
        if messages.is_empty() {
            return Ok(());
        }
        let bytes = messages.values().map(|message| message.encoded_len() as u64).sum();
        self.run(Operation::UpdateResults, bytes, self.backend.update_results(messages))
    }

    fn take_warnings(&self) -> Vec<StoreWarning> {
        self.warnings.take()
    }
}
