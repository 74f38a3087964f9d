//! What a disk cache holds, and what it may lose: statistics, eviction of what was used least
//! recently, clearing. Knows nothing of the formats. Safe beside builds: a build that finds an
//! object gone makes it again.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytekiln_action::{ActionDigest, Outcome};

use super::merge::{MergeLock, merge};
use super::objects::last_use;
use super::results::Kept;
use super::root::{TEMPORARY_PREFIX, require_marker};
use super::{DiskStore, is_unwritable};
use crate::{StoreError, decode_result};

/// No build takes so long to rename what it wrote.
const STALE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What a disk cache holds. Sizes are lengths of files, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiskStats {
    /// Blobs.
    pub objects: u64,
    /// Bytes of all blobs.
    pub bytes: u64,
    /// Blobs that are also outputs in some checkout (hard links).
    pub shared_objects: u64,
    /// Bytes of those: removing them frees nothing while the outputs are there.
    pub shared_bytes: u64,
    /// Action results, each key once.
    pub results: u64,
    /// Journals that are not merged yet.
    pub journals: u64,
    /// Bytes of all files of results.
    pub result_bytes: u64,
    /// When the blob that was used least recently was used.
    pub oldest_use: Option<SystemTime>,
    /// When the blob that was used last was used.
    pub newest_use: Option<SystemTime>,
}

/// What may stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GcOptions {
    /// Bytes of blobs (lengths of files); `None` for any number.
    pub max_bytes: Option<u64>,
    /// Time since the last use of a blob, and since the making of a result without one (a
    /// rejection or a digest); `None` for any, but half a year for digests, which no blob's going
    /// takes along.
    pub max_age: Option<Duration>,
}

/// How long a digest without a blob is kept where no age is asked for.
const DIGEST_AGE: Duration = Duration::from_secs(183 * 24 * 3600);

/// What [`DiskStore::gc`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GcReport {
    /// Blobs before.
    pub objects_before: u64,
    /// Their bytes.
    pub bytes_before: u64,
    /// Blobs that were removed.
    pub removed_objects: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// The part of them that no checkout shares, which is what the disk gains.
    pub freed_bytes: u64,
    /// Results in the merged table.
    pub results_kept: u64,
    /// Results that were dropped: their blob has gone, they are too old, or of another version.
    pub results_dropped: u64,
    /// Left-overs of processes that were killed.
    pub removed_temporaries: u64,
}

/// Its modification time is when builds last trimmed the cache of their own accord.
const LAST_GC: &str = "last-gc";

struct Object {
    last_use: SystemTime,
    size: u64,
    shared: bool,
    path: PathBuf,
}

struct Scan {
    objects: Vec<Object>,
    stale: Vec<PathBuf>,
}

impl DiskStore {
    /// Counts everything; reads every folder and all results.
    pub fn stats(&self) -> Result<DiskStats, StoreError> {
        let scan = self.scan()?;
        let mut stats = DiskStats::default();
        for object in &scan.objects {
            stats.objects += 1;
            stats.bytes += object.size;
            if object.shared {
                stats.shared_objects += 1;
                stats.shared_bytes += object.size;
            }
        }
        stats.oldest_use = scan.objects.iter().map(|object| object.last_use).min();
        stats.newest_use = scan.objects.iter().map(|object| object.last_use).max();
        let mut results = self.results();
        let fail = |folder: &Path| {
            let folder = folder.to_owned();
            move |error| StoreError::io("read results in", &folder, error)
        };
        let fail = fail(results.folder());
        let (records, journals) = results.all(&self.warnings).map_err(&fail)?;
        stats.results = records.len() as u64;
        stats.journals = journals as u64;
        stats.result_bytes = folder_bytes(results.folder()).map_err(&fail)?;
        Ok(stats)
    }

    /// Removes what was used least recently until the rest is within the limits, results whose
    /// blob has gone, and stale temporary files; merges the journals. Waits for another `gc`.
    pub fn gc(&self, options: &GcOptions) -> Result<GcReport, StoreError> {
        require_marker(&self.root)?;
        let mut results = self.results();
        let folder = results.folder().to_owned();
        let lock = MergeLock::wait(&folder).map_err(|e| StoreError::io("lock", &folder, e))?;
        let now = SystemTime::now();
        let mut scan = self.scan()?;
        let mut report = GcReport::default();
        for path in stale_temporaries(&folder, now)
            .chain(stale_temporaries(&self.root, now))
            .chain(std::mem::take(&mut scan.stale))
        {
            remove_any(&path).map_err(|error| StoreError::io("remove", &path, error))?;
            report.removed_temporaries += 1;
        }
        self.evict(scan.objects, options, now, &mut report)?;

        let too_old = |kept: &Kept, limit: Option<Duration>| {
            let recorded = UNIX_EPOCH.checked_add(Duration::from_micros(kept.recorded));
            let age = recorded.and_then(|recorded| now.duration_since(recorded).ok());
            limit.is_some_and(|limit| age.unwrap_or_default() > limit)
        };
        let keep = |_: &ActionDigest, kept: &Kept| {
            decode_result(&kept.result).is_some_and(|result| match result.outcome {
                // Asked of the disk, not of the scan: a build may have written it since.
                Outcome::Compiled { output } => self.objects.contains(&output),
                Outcome::Rejected { .. } => !too_old(kept, options.max_age),
                // There was never a blob: nothing is lost with it.
                Outcome::Digested { .. } => {
                    !too_old(kept, Some(options.max_age.unwrap_or(DIGEST_AGE)))
                }
            })
        };
        let merged = merge(&folder, &lock, keep, &self.warnings)
            .map_err(|error| StoreError::io("merge results in", &folder, error))?;
        report.results_kept = merged.kept as u64;
        report.results_dropped = merged.dropped as u64;
        results.reread();
        Ok(report)
    }

    /// Runs [`DiskStore::gc`] if the last one in this cache is at least `every` ago, and notes when.
    /// A cache without a note gets one, so that a new cache is not looked through at once.
    pub fn gc_if_due(
        &self,
        options: &GcOptions,
        every: Duration,
    ) -> Result<Option<GcReport>, StoreError> {
        require_marker(&self.root)?;
        let note = self.root.join(LAST_GC);
        let last = std::fs::metadata(&note).and_then(|metadata| metadata.modified());
        let due = match &last {
            Ok(last) => SystemTime::now().duration_since(*last).is_ok_and(|age| age >= every),
            Err(_) => false,
        };
        if last.is_ok() && !due {
            return Ok(None);
        }
        // Noted before the work, so that builds that end together do not all do it.
        std::fs::write(&note, b"").map_err(|error| StoreError::io("write", &note, error))?;
        let now = std::fs::FileTimes::new().set_modified(SystemTime::now());
        std::fs::File::options()
            .write(true)
            .open(&note)
            .and_then(|file| file.set_times(now))
            .map_err(|error| StoreError::io("write", &note, error))?;
        if due { self.gc(options).map(Some) } else { Ok(None) }
    }

    /// Removes all blobs and results, also those of processes that are at work.
    pub fn clear(&self) -> Result<GcReport, StoreError> {
        require_marker(&self.root)?;
        let mut results = self.results();
        let folder = results.folder().to_owned();
        let lock = MergeLock::wait(&folder).map_err(|e| StoreError::io("lock", &folder, e))?;
        let mut report = GcReport::default();
        let (records, _) = results
            .all(&self.warnings)
            .map_err(|error| StoreError::io("read results in", &folder, error))?;
        report.results_dropped = records.len() as u64;
        for entry in list(&folder)? {
            if !entry.ends_with("merge.lock") {
                remove_any(&entry).map_err(|error| StoreError::io("remove", &entry, error))?;
            }
        }
        results.reread();
        drop(lock);
        for object in self.scan()?.objects {
            count_before(&object, &mut report);
            remove_object(&object, &mut report)?;
        }
        // What is left in the folders are temporaries of builds that are at work, or dead ones.
        let objects = self.objects.folder();
        for folder in list(objects)? {
            for path in list(&folder)? {
                remove_any(&path).map_err(|error| StoreError::io("remove", &path, error))?;
                report.removed_temporaries += 1;
            }
        }
        Ok(report)
    }

    fn evict(
        &self,
        mut objects: Vec<Object>,
        options: &GcOptions,
        now: SystemTime,
        report: &mut GcReport,
    ) -> Result<(), StoreError> {
        objects.sort_unstable_by(|a, b| (a.last_use, &a.path).cmp(&(b.last_use, &b.path)));
        for object in &objects {
            count_before(object, report);
        }
        let mut bytes = report.bytes_before;
        for object in &objects {
            let age = now.duration_since(object.last_use).unwrap_or_default();
            let too_old = options.max_age.is_some_and(|max_age| age > max_age);
            let too_much = options.max_bytes.is_some_and(|max_bytes| bytes > max_bytes);
            if !too_old && !too_much {
                break; // the rest was used later
            }
            // A build may have used it since the scan; then it is not the oldest any more.
            let used = fs::symlink_metadata(&object.path).map(|metadata| last_use(&metadata));
            if used.is_ok_and(|used| used != object.last_use) {
                continue;
            }
            remove_object(object, report)?;
            bytes = bytes.saturating_sub(object.size);
        }
        Ok(())
    }

    /// All objects and stale temporaries. Files with other names are not ours: left alone.
    fn scan(&self) -> Result<Scan, StoreError> {
        let now = SystemTime::now();
        let mut scan = Scan { objects: Vec::new(), stale: Vec::new() };
        for folder in list(self.objects.folder())? {
            let is_ours = folder.file_name().is_some_and(|name| is_hex(name.as_encoded_bytes(), 2));
            if !is_ours {
                continue;
            }
            scan.stale.extend(stale_temporaries(&folder, now));
            for path in list(&folder)? {
                let Some(name) = path.file_name() else { continue };
                if !is_hex(name.as_encoded_bytes(), 62) {
                    continue;
                }
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue }; // gone meanwhile
                scan.objects.push(Object {
                    last_use: last_use(&metadata),
                    size: metadata.len(),
                    shared: metadata.nlink() > 1 && metadata.is_file(),
                    path,
                });
            }
        }
        Ok(scan)
    }
}

fn count_before(object: &Object, report: &mut GcReport) {
    report.objects_before += 1;
    report.bytes_before += object.size;
}

fn remove_object(object: &Object, report: &mut GcReport) -> Result<(), StoreError> {
    remove_any(&object.path).map_err(|error| StoreError::io("remove", &object.path, error))?;
    report.removed_objects += 1;
    report.removed_bytes += object.size;
    if !object.shared {
        report.freed_bytes += object.size;
    }
    Ok(())
}

fn is_hex(name: &[u8], length: usize) -> bool {
    name.len() == length && name.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The paths in a folder; none if it is not there (or not a folder).
fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let fail = |error| StoreError::io("list", folder, error);
    match fs::read_dir(folder) {
        Ok(entries) => entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()
            .map_err(fail),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(Vec::new())
        }
        Err(error) => Err(fail(error)),
    }
}

/// Temporaries that no living process can still want.
fn stale_temporaries(folder: &Path, now: SystemTime) -> impl Iterator<Item = PathBuf> + use<> {
    let paths = list(folder).unwrap_or_default();
    paths.into_iter().filter(move |path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let written = || fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        let age = || written().ok().and_then(|written| now.duration_since(written).ok());
        name.starts_with(TEMPORARY_PREFIX.as_bytes()) && age().is_some_and(|age| age > STALE_AFTER)
    })
}

/// Removes a file, or a folder where a file should be; fine if it is gone already.
fn remove_any(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn folder_bytes(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                bytes += entry?.metadata().map_or(0, |metadata| metadata.len());
            }
            Ok(bytes)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_unwritable(&error) => Ok(0),
        Err(error) => Err(error),
    }
}
