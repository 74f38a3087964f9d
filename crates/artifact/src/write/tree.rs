//! Writes a folder. Modes do not depend on the umask; objects of our cache are linked where that
//! gives the file the right mode. Folders get their times last, because filling them changes those.
//! Knows nothing of archives.

use std::fs::File;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, Timespec, Timestamps};

use super::content::{self, Reader};
use super::{Content, Entries, FolderOutput, Item, ItemKind, WriteError};

/// How a folder is written.
#[derive(Debug, Clone)]
pub struct TreeOptions {
    /// How files get there.
    pub placement: Placement,
    /// When all that is not linked was modified, in seconds since 1970. `None` leaves it to the
    /// system.
    pub modified: Option<i64>,
    /// Threads.
    pub jobs: NonZeroUsize,
}

/// How files get into a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Objects are linked where that is possible: the same file system, and the mode that the file
    /// is to have. Their times stay. Else as [`Placement::Copy`].
    Link,
    /// Each file is one of its own. File systems that let files share blocks do that.
    Copy,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WrittenTree {
    /// Files that are links to objects.
    pub linked: usize,
    /// Files that share their blocks with another file.
    pub cloned: usize,
    /// Files that were written.
    pub copied: usize,
    /// Folders and symbolic links.
    pub others: usize,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Bytes that are in memory of each file that is being copied.
const PART: usize = 256 << 10;
/// Files that a thread takes at once.
const BATCH: usize = 16;

/// Fills a folder that is empty but for what the caller put there under other names.
///
/// # Errors
/// A content that cannot be read or is not what it should be, a name that is taken, or no space.
/// What is in the folder is of no use then.
pub fn write_tree(
    output: FolderOutput<'_>,
    entries: &Entries,
    options: &TreeOptions,
) -> Result<WrittenTree, WriteError> {
    let folder = output.path;
    let items = entries.items();
    let mut files = Vec::new();
    let mut written = WrittenTree::default();
    let path_of = |item: &Item| folder.join(std::ffi::OsStr::from_bytes(item.path.as_bytes()));
    for item in items {
        let path = path_of(item);
        match &item.kind {
            ItemKind::File { content, executable } => {
                files.push((item, path, content, mode(*executable)));
                continue;
            }
            ItemKind::Directory => make_folder(&path),
            ItemKind::Symlink(target) => make_link(&path, target, options.modified),
        }
        .map_err(|error| output.fail(&path, error))?;
        written.others += 1;
    }
    let placed = place_all(output, &files, options)?;
    written.linked = placed.linked;
    written.cloned = placed.cloned;
    written.copied = placed.copied;
    written.bytes = placed.bytes;
    if let Some(seconds) = options.modified {
        let folders = items.iter().filter(|item| matches!(item.kind, ItemKind::Directory));
        for path in folders.map(path_of).chain([folder.to_owned()]) {
            set_times(&path, seconds).map_err(|error| output.fail(&path, error))?;
        }
    }
    Ok(written)
}

fn mode(executable: bool) -> u32 {
    if executable { 0o755 } else { 0o644 }
}

fn make_folder(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir(path)?;
    Ok(rustix::fs::chmod(path, Mode::from_raw_mode(0o755))?)
}

fn make_link(path: &Path, target: &[u8], modified: Option<i64>) -> std::io::Result<()> {
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), path)?;
    modified.map_or(Ok(()), |seconds| set_times(path, seconds))
}

fn times(seconds: i64) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}

fn set_times(path: &Path, seconds: i64) -> std::io::Result<()> {
    Ok(rustix::fs::utimensat(CWD, path, &times(seconds), AtFlags::SYMLINK_NOFOLLOW)?)
}

type Planned<'a> = (&'a Item, PathBuf, &'a Content, u32);

/// Places files on several threads. Of several errors the first in the order of the files is told,
/// if all threads got that far.
fn place_all(
    output: FolderOutput<'_>,
    files: &[Planned<'_>],
    options: &TreeOptions,
) -> Result<WrittenTree, WriteError> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let outcome: Mutex<(WrittenTree, Option<(usize, WriteError)>)> = Mutex::default();
    let work = || {
        let mut own = WrittenTree::default();
        while !failed.load(Ordering::Relaxed) {
            let start = next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(batch) = files.get(start..files.len().min(start + BATCH)) else { break };
            if batch.is_empty() {
                break;
            }
            for (at, file) in batch.iter().enumerate() {
                if let Err(error) = place(output, file, options, &mut own) {
                    failed.store(true, Ordering::Relaxed);
                    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    if outcome.1.as_ref().is_none_or(|(first, _)| *first > start + at) {
                        outcome.1 = Some((start + at, error));
                    }
                    return;
                }
            }
        }
        let total = &mut outcome.lock().unwrap_or_else(PoisonError::into_inner).0;
        total.linked += own.linked;
        total.cloned += own.cloned;
        total.copied += own.copied;
        total.bytes += own.bytes;
    };
    std::thread::scope(|scope| {
        for _ in 1..options.jobs.get() {
            scope.spawn(work);
        }
        work();
    });
    match outcome.into_inner().unwrap_or_else(PoisonError::into_inner) {
        (_, Some((_, error))) => Err(error),
        (written, None) => Ok(written),
    }
}

fn place(
    output: FolderOutput<'_>,
    (item, path, content, mode): &Planned<'_>,
    options: &TreeOptions,
    written: &mut WrittenTree,
) -> Result<(), WriteError> {
    let fail = |error| output.fail(path, error);
    let size = content::size_of(&item.path, content)?;
    written.bytes += size;
    let mut reader = Reader::open(&item.path, content, size)?;
    if let (Content::Object { path: object, .. }, Placement::Link) = (content, options.placement)
        && has_mode(&reader, *mode)
        && link(object, path).map_err(fail)?
    {
        written.linked += 1;
        return check(reader);
    }
    let file = create(path, *mode).map_err(fail)?;
    if reader.file().is_some_and(|source| clone(source, &file)) {
        written.cloned += 1;
        check(reader)?;
    } else {
        written.copied += 1;
        let mut part = Vec::new();
        let mut at = 0;
        while reader.left() > 0 {
            part.clear();
            reader.fill(&mut part, PART)?;
            file.write_all_at(&part, at).map_err(fail)?;
            at += part.len() as u64;
        }
        reader.finish()?;
    }
    if let Some(seconds) = options.modified {
        rustix::fs::futimens(&file, &times(seconds)).map_err(|error| fail(error.into()))?;
    }
    Ok(())
}

/// Reads what was linked or cloned, to see that it is what it should be.
fn check(mut reader: Reader<'_>) -> Result<(), WriteError> {
    let mut part = Vec::new();
    while reader.left() > 0 {
        part.clear();
        reader.fill(&mut part, PART)?;
    }
    reader.finish()
}

fn has_mode(reader: &Reader<'_>, mode: u32) -> bool {
    let metadata = reader.file().and_then(|file| file.metadata().ok());
    metadata.is_some_and(|metadata| metadata.mode() & 0o7777 == mode)
}

/// `false` where linking is not possible.
fn link(object: &Path, path: &Path) -> std::io::Result<bool> {
    match std::fs::hard_link(object, path) {
        Ok(()) => Ok(true),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::CrossesDevices
                    | ErrorKind::TooManyLinks
                    | ErrorKind::PermissionDenied
                    | ErrorKind::Unsupported
                    // Evicted since it was opened; what was opened is still there.
                    | ErrorKind::NotFound
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn create(path: &Path, mode: u32) -> std::io::Result<File> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
    Ok(file)
}

#[cfg(target_os = "linux")]
fn clone(source: &File, file: &File) -> bool {
    rustix::fs::ioctl_ficlone(file, source).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn clone(_: &File, _: &File) -> bool {
    false
}
