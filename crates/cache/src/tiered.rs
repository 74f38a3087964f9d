//! Several stores as one, fast before slow: what a slow one knows is copied to the fast ones.
//! Knows nothing of what the stores are.
//!
//! A tier that fails is warned of once and left out from then on: of everything when it failed
//! to read, of writing when it failed to write (a full or read-only disk still reads). So this
//! store fails only where the caller is at fault.

use std::sync::atomic::{AtomicBool, Ordering};

use bytekiln_action::{ActionDigest, ActionResult, Digest};

use crate::store::WarningLog;
use crate::{Blob, LocalObject, ResultEntry, Store, StoreError, StoreWarning};

/// See the module.
pub struct TieredStore {
    tiers: Vec<Tier>,
    warnings: WarningLog,
}

struct Tier {
    store: Box<dyn Store>,
    reads: AtomicBool,
    writes: AtomicBool,
}

impl std::fmt::Debug for TieredStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TieredStore").field(&self.describe()).finish()
    }
}

impl TieredStore {
    /// From fastest to slowest. Of none, it keeps nothing.
    pub fn new(tiers: Vec<Box<dyn Store>>) -> TieredStore {
        let tier =
            |store| Tier { store, reads: AtomicBool::new(true), writes: AtomicBool::new(true) };
        TieredStore {
            tiers: tiers.into_iter().map(tier).collect(),
            warnings: WarningLog::default(),
        }
    }

    /// Asks a tier; `None` if it is left out, or fails now.
    fn read<T>(
        &self,
        tier: &Tier,
        ask: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Option<T> {
        if !tier.reads.load(Ordering::Relaxed) {
            return None;
        }
        match ask(&*tier.store) {
            Ok(answer) => Some(answer),
            Err(error) => {
                tier.writes.store(false, Ordering::Relaxed);
                if tier.reads.swap(false, Ordering::Relaxed) {
                    self.warnings.add(
                        format!("going on without the {}: {error}", tier.store.describe()),
                        error.path.as_deref(),
                    );
                }
                None
            }
        }
    }

    /// Tells a tier to keep something; fails only if the caller is at fault.
    fn write<T>(
        &self,
        tier: &Tier,
        tell: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if !tier.writes.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match tell(&*tier.store) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.source.kind() == std::io::ErrorKind::InvalidInput => Err(error),
            Err(error) => {
                if tier.writes.swap(false, Ordering::Relaxed) {
                    self.warnings.add(
                        format!("no longer writing to the {}: {error}", tier.store.describe()),
                        error.path.as_deref(),
                    );
                }
                Ok(None)
            }
        }
    }

    /// Asks tier after tier for what is still unknown, and tells the faster ones what a slower
    /// one knew.
    fn read_through<K: Copy, V: Clone>(
        &self,
        keys: &[K],
        ask: impl Fn(&dyn Store, &[K]) -> Result<Vec<Option<V>>, StoreError>,
        keep: impl Fn(&dyn Store, &[(K, V)]) -> Result<(), StoreError>,
    ) -> Result<Vec<Option<V>>, StoreError> {
        let mut answers: Vec<Option<V>> = vec![None; keys.len()];
        for (depth, tier) in self.tiers.iter().enumerate() {
            let unknown: Vec<(usize, K)> = (answers.iter().zip(keys).enumerate())
                .filter(|(_, (answer, _))| answer.is_none())
                .map(|(position, (_, key))| (position, *key))
                .collect();
            if unknown.is_empty() {
                break;
            }
            let asked: Vec<K> = unknown.iter().map(|(_, key)| *key).collect();
            let Some(found) = self.read(tier, |store| ask(store, &asked)) else { continue };
            let mut news = Vec::new();
            for ((position, key), value) in unknown.into_iter().zip(found) {
                if let (Some(value), Some(answer)) = (value, answers.get_mut(position)) {
                    news.push((key, value.clone()));
                    *answer = Some(value);
                }
            }
            for faster in self.tiers.iter().take(depth).filter(|_| !news.is_empty()) {
                self.write(faster, |store| keep(store, &news))?;
            }
        }
        Ok(answers)
    }
}

impl Store for TieredStore {
    fn describe(&self) -> String {
        let names: Vec<_> = self.tiers.iter().map(|tier| tier.store.describe()).collect();
        names.join(", then ")
    }

    /// Missing is what no tier has.
    fn find_missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, StoreError> {
        let mut missing = digests.to_vec();
        for tier in &self.tiers {
            if missing.is_empty() {
                break;
            }
            if let Some(still) = self.read(tier, |store| store.find_missing(&missing)) {
                missing = still;
            }
        }
        Ok(missing)
    }

    fn read_blobs(&self, digests: &[Digest]) -> Result<Vec<Option<Blob>>, StoreError> {
        self.read_through(
            digests,
            |store, digests| store.read_blobs(digests),
            |store, news| {
                let blobs: Vec<Blob> = news.iter().map(|(_, blob)| blob.clone()).collect();
                store.write_blobs(&blobs)
            },
        )
    }

    fn write_blobs(&self, blobs: &[Blob]) -> Result<(), StoreError> {
        for tier in &self.tiers {
            self.write(tier, |store| store.write_blobs(blobs))?;
        }
        Ok(())
    }

    fn get_results(
        &self,
        actions: &[ActionDigest],
    ) -> Result<Vec<Option<ActionResult>>, StoreError> {
        self.read_through(
            actions,
            |store, actions| store.get_results(actions),
            |store, news| {
                let entry = |(action, result): &(ActionDigest, ActionResult)| ResultEntry {
                    action: *action,
                    result: result.clone(),
                };
                store.update_results(&news.iter().map(entry).collect::<Vec<_>>())
            },
        )
    }

    fn update_results(&self, entries: &[ResultEntry]) -> Result<(), StoreError> {
        for tier in &self.tiers {
            self.write(tier, |store| store.update_results(entries))?;
        }
        Ok(())
    }

    /// From the first tier that has it in a file; else what a slower tier has is written to the
    /// first tier that keeps files.
    fn local_object(&self, digest: &Digest) -> Result<Option<LocalObject>, StoreError> {
        for tier in &self.tiers {
            if let Some(Some(object)) = self.read(tier, |store| store.local_object(digest)) {
                return Ok(Some(object));
            }
        }
        for (depth, tier) in self.tiers.iter().enumerate() {
            let found = self.read(tier, |store| store.read_blobs(&[*digest]));
            let Some(blob) = found.and_then(|blobs| blobs.into_iter().next().flatten()) else {
                continue;
            };
            for other in self.tiers.iter().enumerate().filter(|(at, _)| *at != depth) {
                let written = self.write(other.1, |store| store.write_local_object(&blob))?;
                if let Some(Some(object)) = written {
                    return Ok(Some(object));
                }
            }
            return Ok(None);
        }
        Ok(None)
    }

    fn write_local_object(&self, blob: &Blob) -> Result<Option<LocalObject>, StoreError> {
        let mut object = None;
        for tier in &self.tiers {
            if object.is_none() {
                object = self.write(tier, |store| store.write_local_object(blob))?.flatten();
                if object.is_some() {
                    continue;
                }
            }
            self.write(tier, |store| store.write_blobs(std::slice::from_ref(blob)))?;
        }
        Ok(object)
    }

    /// Its own first, then those of each tier.
    fn take_warnings(&self) -> Vec<StoreWarning> {
        let mut warnings = self.warnings.take();
        for tier in &self.tiers {
            warnings.extend(tier.store.take_warnings());
        }
        warnings
    }
}
