//! Results on their way into the store: in batches, and never the build's failure. Knows nothing
//! of compilers and outputs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytekiln_action::{ActionDigest, ActionResult, Digest};
use bytekiln_cache::{Blob, LocalObject, ResultEntry, Store, StoreError};

use crate::remote::Remote;
use crate::trouble::attempt;
use crate::{Event, RemoteCache, Subscriber};

/// Results are sent together when there are so many of them…
const BATCH_RESULTS: usize = 256;
/// …or when their blobs have so many bytes.
const BATCH_BYTES: u64 = 8 << 20;

/// The store, as the build sees it: whatever fails is said once and not tried again.
pub(crate) struct Recorder<'a> {
    store: Option<&'a dyn Store>,
    remote: Remote<'a>,
    events: Subscriber<'a>,
    troubled: AtomicBool,
    /// Operations that still work.
    reads: AtomicBool,
    blobs: AtomicBool,
    objects: AtomicBool,
    results: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    entries: Vec<ResultEntry>,
    blobs: Vec<Blob>,
    bytes: u64,
}

/// Where the bytes of a fresh result are now.
pub(crate) enum Kept {
    /// In this file of the store, too.
    InFile(LocalObject),
    /// In memory only.
    InMemory,
}

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// In the store: it was checked before it was kept.
    Here,
    /// In the store on another machine: nobody here has checked it.
    Elsewhere,
}

/// Answers that were found here, and for the rest those of elsewhere.
fn complete<K: Copy, V>(
    here: Vec<Option<V>>,
    keys: &[K],
    ask: impl FnOnce(&[K]) -> Vec<Option<V>>,
) -> Vec<Option<(V, Origin)>> {
    let unknown: Vec<K> =
        here.iter().zip(keys).filter(|(answer, _)| answer.is_none()).map(|(_, key)| *key).collect();
    let elsewhere = if unknown.is_empty() { Vec::new() } else { ask(&unknown) };
    let mut elsewhere = elsewhere.into_iter();
    here.into_iter()
        .map(|answer| match answer {
            Some(answer) => Some((answer, Origin::Here)),
            None => elsewhere.next().flatten().map(|answer| (answer, Origin::Elsewhere)),
        })
        .collect()
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(
        store: Option<&'a dyn Store>,
        remote: Option<RemoteCache<'a>>,
        events: Subscriber<'a>,
    ) -> Recorder<'a> {
        let works = || AtomicBool::new(store.is_some());
        Recorder {
            store,
            remote: Remote::new(remote, store, events),
            events,
            troubled: AtomicBool::new(false),
            reads: works(),
            blobs: works(),
            objects: works(),
            results: works(),
            waiting: Mutex::default(),
        }
    }

    /// The store on another machine, which may be none.
    pub(crate) fn remote(&self) -> &Remote<'a> {
        &self.remote
    }

    /// What is known of these actions, in their order, and where.
    pub(crate) fn known(&self, actions: &[ActionDigest]) -> Vec<Option<(ActionResult, Origin)>> {
        let mut known =
            self.attempt(&self.reads, |store| store.get_results(actions)).unwrap_or_default();
        known.resize(actions.len(), None);
        complete(known, actions, |unknown| self.remote.results(unknown))
    }

    /// The store's file of this blob.
    pub(crate) fn object(&self, digest: &Digest) -> Option<LocalObject> {
        self.attempt(&self.reads, |store| store.local_object(digest)).flatten()
    }

    /// The bytes of these blobs, in their order, and whence; those that are not what their digest
    /// says are missing.
    pub(crate) fn bytes(&self, digests: &[Digest]) -> Vec<Option<(Blob, Origin)>> {
        let sound = |mut blobs: Vec<Option<Blob>>, digests: &[Digest]| {
            blobs.resize(digests.len(), None);
            for (blob, digest) in blobs.iter_mut().zip(digests) {
                if blob.as_ref().is_some_and(|blob| blob.digest != *digest || !blob.is_true()) {
                    *blob = None;
                }
            }
            blobs
        };
        let here = self.attempt(&self.reads, |store| store.read_blobs(digests));
        let here = sound(here.unwrap_or_default(), digests);
        complete(here, digests, |missing| sound(self.remote.blobs(missing), missing))
    }

    /// Keeps an output. Its result must follow in [`Recorder::record`].
    pub(crate) fn keep(&self, blob: &Blob) -> (Kept, bool) {
        self.kept(blob, self.attempt(&self.objects, |store| store.write_local_object(blob)))
    }

    /// As [`Recorder::keep`], for what [`Recorder::bytes`] has just found elsewhere and not here.
    pub(crate) fn keep_missing(&self, blob: &Blob) -> (Kept, bool) {
        self.kept(blob, self.attempt(&self.objects, |store| store.write_missing_object(blob)))
    }

    fn kept(&self, blob: &Blob, written: Option<Option<LocalObject>>) -> (Kept, bool) {
        match written {
            Some(Some(object)) => (Kept::InFile(object), true),
            // A store without files: the blob goes with the next batch.
            Some(None) if self.blobs.load(Ordering::Relaxed) => {
                let mut waiting = self.lock();
                waiting.bytes += blob.digest.size;
                waiting.blobs.push(blob.clone());
                (Kept::InMemory, true)
            }
            Some(None) | None => (Kept::InMemory, false),
        }
    }

    /// Keeps a result whose blob, if it has one, was kept.
    pub(crate) fn record(&self, action: ActionDigest, result: ActionResult) {
        if !self.results.load(Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.lock();
        waiting.entries.push(ResultEntry { action, result });
        if waiting.entries.len() >= BATCH_RESULTS || waiting.bytes >= BATCH_BYTES {
            let batch = std::mem::take(&mut *waiting);
            drop(waiting);
            self.send(&batch);
        }
    }

    /// Tells the store on another machine of a result; `blob` is its output, unless it was kept in
    /// a file of the store.
    pub(crate) fn upload(&self, action: ActionDigest, result: ActionResult, blob: Option<Blob>) {
        self.remote.upload(ResultEntry { action, result }, blob);
    }

    /// Sends what is waiting. Also after an interruption: what is done stays done.
    pub(crate) fn flush(&self) {
        let batch = std::mem::take(&mut *self.lock());
        self.send(&batch);
    }

    /// Passes on what the stores noticed by the way.
    pub(crate) fn tell_warnings(&self) {
        self.remote.tell_warnings();
        for warning in self.store.map(|store| store.take_warnings()).unwrap_or_default() {
            (self.events)(&Event::StoreWarning { message: warning.to_string() });
        }
    }

    fn send(&self, batch: &Waiting) {
        if !batch.blobs.is_empty()
            && self.attempt(&self.blobs, |store| store.write_blobs(&batch.blobs)).is_none()
        {
            return; // a result must not name a blob that is not there
        }
        if !batch.entries.is_empty() {
            let _: Option<()> =
                self.attempt(&self.results, |store| store.update_results(&batch.entries));
        }
    }

    fn attempt<T>(
        &self,
        works: &AtomicBool,
        operation: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Option<T> {
        attempt(self.store, works, &self.troubled, self.events, operation)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
