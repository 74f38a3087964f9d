//! Blobs as loose objects: one file each, `objects/ab/cdef…`. Knows nothing of action results.
//!
//! Why one file each: on ext4 creating a file costs more than anything else that is done to it
//! (106 µs of 120), and a pack would only move that cost to the output. A loose object *is* its
//! output: a hard link costs 6 µs where a copy costs 250, so a restore into the second checkout
//! is 40 times cheaper. Packs (5 µs) win only where nothing is materialized.
//!
//! Why temporary + rename: of three ways to create 6,000 objects of 16 KB on ext4, interleaved,
//! none won reproducibly (rename 105–650 µs, exclusive create under the final name 36–590,
//! `O_TMPFILE` + `linkat` 42–590, on a noisy machine). Exclusive create shows half an object to
//! other processes, `O_TMPFILE` is Linux only; rename is atomic and everywhere.
//!
//! Why each read is verified: an output is the same inode as its object, so whoever edits an
//! output in place edits the cache of every checkout. Python and compilers replace a `.pyc` by
//! rename and are harmless; editors that write in place, disk faults and files cut short by a
//! power failure are not. Hashing costs 13 µs for 16 KB, and shows all of them.
//!
//! Last use is the inode's change time: linking an output sets it for free. Where nothing was
//! linked, the access time is set by hand (1.7 µs), which also sets the change time, once the
//! last use is `touch_after` old. The modification time is never touched: outputs in all
//! checkouts share it, and their file indexes would take them for changed.

use std::fs::{self, FileTimes};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytekiln_action::Digest;

use super::root::{MODE, TEMPORARY_PREFIX, unique_name, write_file};
use crate::store::{StoreError, WarningLog};

/// The folder of loose objects.
#[derive(Debug)]
pub(super) struct Objects {
    folder: PathBuf,
    touch_after: Duration,
    forgotten: AtomicU64,
}

impl Objects {
    pub(super) fn new(root: &Path, touch_after: Duration) -> Objects {
        Objects { folder: root.join("objects"), touch_after, forgotten: AtomicU64::new(0) }
    }

    /// How many broken objects were met.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// `objects/ab/cdef…`. 256 folders: 86,000 objects make 340 names a folder, and a million
    /// 4,000, which ext4 and xfs index; more folders would cost more creations.
    pub(super) fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_hex();
        let (head, tail) = hex.split_at(2);
        let mut path = PathBuf::with_capacity(self.folder.as_os_str().len() + 68);
        path.push(&self.folder);
        path.push(head);
        path.push(tail);
        path
    }

    /// Whether a file of this size is there; its content is checked when it is read.
    pub(super) fn contains(&self, digest: &Digest) -> bool {
        fs::symlink_metadata(self.path(digest))
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == digest.size)
    }

    /// The verified content with its path; forgets an object that is not what its digest says.
    pub(super) fn read(
        &self,
        digest: &Digest,
        warnings: &WarningLog,
    ) -> Result<Option<(PathBuf, Vec<u8>)>, StoreError> {
        let path = self.path(digest);
        match self.verify(&path, digest) {
            Ok(bytes) => Ok(Some((path, bytes))),
            Err(Broken::Missing) => Ok(None),
            Err(Broken::Because(what)) => {
                self.forget(&path, &what, warnings);
                Ok(None)
            }
            Err(Broken::Failed(error)) => Err(StoreError::io("read", &path, error)),
        }
    }

    fn verify(&self, path: &Path, digest: &Digest) -> Result<Vec<u8>, Broken> {
        // Looked at before it is opened: opening a fifo would wait for ever.
        let metadata = fs::symlink_metadata(path).map_err(Broken::from)?;
        if !metadata.is_file() {
            return Err(Broken::Because("it is not a regular file".to_owned()));
        }
        if metadata.mode() & 0o7777 != MODE {
            // Links share the mode, and outputs must have the same mode everywhere.
            let mode = metadata.mode() & 0o7777;
            return Err(Broken::Because(format!("its mode is {mode:03o} instead of {MODE:03o}")));
        }
        if metadata.len() != digest.size {
            let (found, wanted) = (metadata.len(), digest.size);
            return Err(Broken::Because(format!("it has {found} bytes instead of {wanted}")));
        }
        let mut file = fs::File::open(path).map_err(Broken::from)?;
        // One more than wanted, so that the read that finds the end needs no larger buffer.
        let size = usize::try_from(digest.size).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(size.saturating_add(1))
            .map_err(|_| Broken::Because("it does not fit into memory".to_owned()))?;
        (&mut file)
            .take(digest.size.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(Broken::from)?;
        if Digest::of(&bytes) != *digest {
            return Err(Broken::Because("its content has another digest".to_owned()));
        }
        let unused = SystemTime::now().duration_since(last_use(&metadata)).unwrap_or_default();
        if unused >= self.touch_after {
            // Fails in a cache of another user, where last use is not ours to keep.
            let _ = file.set_times(FileTimes::new().set_accessed(SystemTime::now()));
        }
        Ok(bytes)
    }

    /// Writes an object whose bytes the caller has checked. An object that is already there is
    /// left alone, unless a look without reading shows that it is broken.
    pub(super) fn write(
        &self,
        digest: &Digest,
        bytes: &[u8],
        warnings: &WarningLog,
    ) -> io::Result<PathBuf> {
        let path = self.path(digest);
        match fs::symlink_metadata(&path) {
            Ok(metadata)
                if metadata.is_file()
                    && metadata.len() == digest.size
                    && metadata.mode() & 0o7777 == MODE =>
            {
                return Ok(path);
            }
            Ok(_) => self.forget(&path, "it is not what was written", warnings),
            Err(_) => {}
        }
        self.create(&path, |file| file.write_all(bytes))?;
        Ok(path)
    }

    /// Writes an object that was found to be missing just now, with no second look: one that has come
    /// meanwhile is replaced by the same bytes.
    pub(super) fn write_missing(&self, digest: &Digest, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.path(digest);
        self.create(&path, |file| file.write_all(bytes))?;
        Ok(path)
    }

    /// Unlinks a broken object, so that the next build writes it afresh; outputs that are linked to
    /// it keep what they have. A folder in its place is moved aside for `gc`.
    fn forget(&self, path: &Path, what: &str, warnings: &WarningLog) {
        self.forgotten.fetch_add(1, Ordering::Relaxed);
        let removed = match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_dir() => fs::rename(
                path,
                path.with_file_name(format!("{TEMPORARY_PREFIX}{}", unique_name())),
            ),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) => warnings.add(format!("forgot a broken cache object: {what}"), Some(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {} // another process was quicker
            Err(error) => warnings.add(
                format!("ignored a broken cache object: {what}; could not remove it: {error}"),
                Some(path),
            ),
        }
    }

    /// Creates the file, and its folder when it is the first there (lazily, because 256 folders
    /// at once would cost a small first build 25 ms).
    fn create(
        &self,
        path: &Path,
        mut fill: impl FnMut(&mut fs::File) -> io::Result<()>,
    ) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.folder);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match write_file(folder, &name, &mut fill) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                write_file(folder, &name, &mut fill)?;
            }
            other => {
                other?;
            }
        }
        Ok(())
    }
}

enum Broken {
    Missing,
    /// The object is at fault.
    Because(String),
    /// The object may be fine (too many open files, say).
    Failed(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Broken::Missing,
            // EIO is 5 everywhere: a bad sector stays bad until it is written elsewhere.
            _ if error.kind() == io::ErrorKind::PermissionDenied
                || error.raw_os_error() == Some(5) =>
            {
                Broken::Because(format!("it cannot be read: {error}"))
            }
            _ => Broken::Failed(error),
        }
    }
}

/// When an object was last linked, written or marked.
pub(super) fn last_use(metadata: &fs::Metadata) -> SystemTime {
    let seconds = u64::try_from(metadata.ctime()).unwrap_or(0);
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or(0);
    UNIX_EPOCH + Duration::new(seconds, nanoseconds.min(999_999_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_leaves_nothing_behind() {
        let root = bytekiln_test_support::Scratch::new();
        let objects = Objects::new(root.path(), Duration::ZERO);
        let path = objects.path(&Digest::of(b"whole"));
        let failed = objects.create(&path, |file| {
            file.write_all(b"who")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    }
}
