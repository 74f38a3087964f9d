//! The store on another machine, as the build sees it: asked for what is not known here, and told
//! in the background what was compiled here. It is not trusted: what comes from it is marked, and
//! enters the local store only after the codec has seen it. Knows nothing of compilers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytekiln_action::{ActionDigest, ActionResult, Digest, Outcome};
use bytekiln_cache::{Blob, ResultEntry, Store, StoreError};

use crate::trouble::attempt;
use crate::{Event, RemoteAccess, RemoteCache, Subscriber};

/// Results are uploaded together when there are so many of them, or nothing more will come.
const BATCH_RESULTS: usize = 256;
/// So long may uploads go on when everything else is done.
const LINGER: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct Remote<'a> {
    store: Option<&'a dyn Store>,
    /// It is told of what is compiled.
    uploads_at_all: bool,
    events: Subscriber<'a>,
    /// Where blobs are read again that the local store has.
    local: Option<&'a dyn Store>,
    troubled: AtomicBool,
    reads: AtomicBool,
    writes: AtomicBool,
    uploads: Mutex<Uploads>,
    changed: Condvar,
}

#[derive(Default)]
struct Uploads {
    waiting: VecDeque<Upload>,
    /// Nothing more will come, since then.
    closed: Option<Instant>,
    done: usize,
    missed: usize,
}

/// A result on its way.
struct Upload {
    entry: ResultEntry,
    /// Its output, if the local store has it not.
    blob: Option<Blob>,
}

/// More may come.
pub(crate) struct Open<'r, 'a>(&'r Remote<'a>);

impl Drop for Open<'_, '_> {
    fn drop(&mut self) {
        self.0.lock().closed = Some(Instant::now());
        self.0.changed.notify_all();
    }
}

impl<'a> Remote<'a> {
    pub(crate) fn new(
        cache: Option<RemoteCache<'a>>,
        local: Option<&'a dyn Store>,
        events: Subscriber<'a>,
    ) -> Remote<'a> {
        let uploads = cache.is_some_and(|cache| cache.access == RemoteAccess::ReadWrite);
        Remote {
            store: cache.map(|cache| cache.store),
            uploads_at_all: uploads,
            events,
            local,
            troubled: AtomicBool::new(false),
            reads: AtomicBool::new(cache.is_some()),
            writes: AtomicBool::new(uploads),
            uploads: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Whether there is one that can be asked.
    pub(crate) fn answers(&self) -> bool {
        self.reads.load(Ordering::Relaxed)
    }

    /// What it says of these actions, in their order.
    pub(crate) fn results(&self, actions: &[ActionDigest]) -> Vec<Option<ActionResult>> {
        let mut found =
            self.attempt(&self.reads, |store| store.get_results(actions)).unwrap_or_default();
        found.resize(actions.len(), None);
        found
    }

    /// The bytes that it has for these digests, in their order.
    pub(crate) fn blobs(&self, digests: &[Digest]) -> Vec<Option<Blob>> {
        let mut found =
            self.attempt(&self.reads, |store| store.read_blobs(digests)).unwrap_or_default();
        found.resize(digests.len(), None);
        found
    }

    /// Tells it of a result, some time soon. `blob` is its output, unless the local store has it.
    pub(crate) fn upload(&self, entry: ResultEntry, blob: Option<Blob>) {
        if self.uploads_at_all {
            let mut uploads = self.lock();
            uploads.waiting.push_back(Upload { entry, blob });
            if uploads.waiting.len() == BATCH_RESULTS {
                self.changed.notify_all();
            }
        }
    }

    /// When the value is dropped, nothing more will come: also after a panic, because somebody
    /// waits for [`Remote::upload_all`].
    pub(crate) fn open(&self) -> Open<'_, 'a> {
        Open(self)
    }

    /// Uploads what comes until [`Open`] is dropped, and then what is left, unless that takes too
    /// long or somebody has interrupted. For a thread of its own.
    pub(crate) fn upload_all(&self, interrupted: &(dyn Fn() -> bool + Sync)) {
        while let Some(batch) = self.next_batch(interrupted) {
            let count = batch.len();
            let sent = self.send(batch);
            let mut uploads = self.lock();
            uploads.done += sent;
            uploads.missed += count - sent;
        }
        let is_late = self.lock().closed.is_some_and(|closed| closed.elapsed() > LINGER);
        if self.uploads_at_all && !is_late && !interrupted() {
            let _: Option<()> = self.attempt(&self.writes, |store| store.settle());
        }
        let (done, missed) = {
            let uploads = self.lock();
            (uploads.done, uploads.missed + uploads.waiting.len())
        };
        if done + missed > 0 {
            // Why they are missed has been said already, if the store has failed.
            let said = self.troubled.load(Ordering::Relaxed);
            (self.events)(&Event::Uploaded { results: done, missed, said });
        }
    }

    /// Passes on what it noticed by the way.
    pub(crate) fn tell_warnings(&self) {
        for warning in self.store.map(Store::take_warnings).unwrap_or_default() {
            (self.events)(&Event::StoreWarning { message: warning.to_string() });
        }
    }

    fn next_batch(&self, interrupted: &(dyn Fn() -> bool + Sync)) -> Option<Vec<Upload>> {
        let mut uploads = self.lock();
        loop {
            let is_late = uploads.closed.is_some_and(|closed| closed.elapsed() > LINGER);
            if is_late || interrupted() || !self.writes.load(Ordering::Relaxed) {
                // Goes on only to see the end: there may be more to count.
                if uploads.closed.is_some() {
                    return None;
                }
            } else if uploads.closed.is_some() && uploads.waiting.is_empty() {
                return None;
            } else if uploads.closed.is_some() || uploads.waiting.len() >= BATCH_RESULTS {
                let count = uploads.waiting.len().min(BATCH_RESULTS);
                return Some(uploads.waiting.drain(..count).collect());
            }
            uploads = self.changed.wait(uploads).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many of them are kept now.
    fn send(&self, batch: Vec<Upload>) -> usize {
        let mut blobs: Vec<Blob> = Vec::new();
        let mut elsewhere: Vec<Digest> = Vec::new();
        for upload in &batch {
            match (&upload.blob, &upload.entry.result.outcome) {
                (Some(blob), _) => blobs.push(blob.clone()),
                (None, Outcome::Compiled { output }) => elsewhere.push(*output),
                (None, Outcome::Digested { .. } | Outcome::Rejected { .. }) => {}
            }
        }
        let read = self.local.map(|local| local.read_blobs(&elsewhere));
        blobs.extend(read.and_then(Result::ok).unwrap_or_default().into_iter().flatten());
        if self.attempt(&self.writes, |store| store.write_blobs(&blobs)).is_none() {
            return 0;
        }
        // What the local store has lost meanwhile cannot be named.
        let sent: std::collections::BTreeSet<Digest> =
            blobs.iter().map(|blob| blob.digest).collect();
        let is_whole = |entry: &ResultEntry| match &entry.result.outcome {
            Outcome::Compiled { output } => sent.contains(output),
            Outcome::Digested { .. } | Outcome::Rejected { .. } => true,
        };
        let entries: Vec<ResultEntry> =
            batch.into_iter().map(|upload| upload.entry).filter(is_whole).collect();
        match self.attempt(&self.writes, |store| store.update_results(&entries)) {
            Some(()) => entries.len(),
            None => 0,
        }
    }

    fn attempt<T>(
        &self,
        works: &AtomicBool,
        operation: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Option<T> {
        attempt(self.store, works, &self.troubled, self.events, operation)
    }

    fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
