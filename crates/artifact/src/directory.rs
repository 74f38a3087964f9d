//! A folder as an artifact: listed on several threads, one folder a task. No link is followed on
//! the way, so no folder is reached twice. Knows nothing of archives.

use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use bytekiln_action::RepoPath;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};

use crate::error::Fault;
use crate::{Entry, EntryKind, EntryProblem, EntryProblemKind, Modified};

/// What a folder holds, in no order yet.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<(Entry, ())>,
    pub(crate) problems: Vec<EntryProblem>,
}

/// Opens a folder, through links.
pub(crate) fn open(path: &Path) -> std::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Lists everything below `root`.
pub(crate) fn list(root: BorrowedFd<'_>, threads: NonZeroUsize) -> Listing {
    let queue =
        Queue { state: Mutex::new((vec![RepoPath::default()], 0)), changed: Condvar::new() };
    std::thread::scope(|scope| {
        let others: Vec<_> =
            (1..threads.get()).map(|_| scope.spawn(|| work(root, &queue))).collect();
        let mut listing = work(root, &queue);
        for other in others {
            match other.join() {
                Ok(mut more) => {
                    listing.entries.append(&mut more.entries);
                    listing.problems.append(&mut more.problems);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        listing
    })
}

/// Folders to list, and how many are being listed.
struct Queue {
    state: Mutex<(Vec<RepoPath>, usize)>,
    changed: Condvar,
}

/// Counts a folder as done, even in a panic: the others must not wait for ever.
struct Done<'a>(&'a Queue);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 -= 1;
        drop(state);
        self.0.changed.notify_all();
    }
}

fn work(root: BorrowedFd<'_>, queue: &Queue) -> Listing {
    let mut listing = Listing::default();
    let mut found = Vec::new();
    loop {
        let mut state = queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = loop {
            if let Some(folder) = state.0.pop() {
                state.1 += 1;
                break folder;
            }
            if state.1 == 0 {
                return listing;
            }
            state = queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        let done = Done(queue);
        if let Err(error) = list_folder(root, &folder, &mut found, &mut listing) {
            listing.problems.push(unreadable(&folder, &error));
        }
        if !found.is_empty() {
            queue.state.lock().unwrap_or_else(PoisonError::into_inner).0.append(&mut found);
        }
        drop(done);
    }
}

fn list_folder(
    root: BorrowedFd<'_>,
    folder: &RepoPath,
    found: &mut Vec<RepoPath>,
    listing: &mut Listing,
) -> std::io::Result<()> {
    let name: &[u8] = if folder.is_root() { b"." } else { folder.as_bytes() };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut folder_listing = Dir::new(rustix::fs::openat(root, name, flags, Mode::empty())?)?;
    let mut names = Vec::new();
    while let Some(entry) = folder_listing.read() {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    let descriptor = folder_listing.fd()?;
    for name in names {
        let path = folder.join(&name);
        let stat = match rustix::fs::statat(descriptor, &*name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            // Gone since the folder was listed.
            Err(rustix::io::Errno::NOENT) => continue,
            Err(error) => {
                listing.problems.push(unreadable(&path, &error.into()));
                continue;
            }
        };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => EntryKind::File,
            FileType::Directory => {
                found.push(path.clone());
                EntryKind::Directory
            }
            FileType::Symlink => match rustix::fs::readlinkat(descriptor, &*name, Vec::new()) {
                Ok(target) => EntryKind::Symlink(target.into_bytes()),
                Err(error) => {
                    listing.problems.push(unreadable(&path, &error.into()));
                    continue;
                }
            },
            _ => {
                listing.problems.push(EntryProblem {
                    name: path.as_bytes().to_vec(),
                    kind: EntryProblemKind::Special,
                });
                continue;
            }
        };
        let size = if kind == EntryKind::File { size_of(&stat) } else { 0 };
        let executable = stat.st_mode & 0o100 != 0;
        listing
            .entries
            .push((Entry { path, kind, size, executable, modified: modified(&stat) }, ()));
    }
    Ok(())
}

fn unreadable(path: &RepoPath, error: &std::io::Error) -> EntryProblem {
    let name: &[u8] = if path.is_root() { b"." } else { path.as_bytes() };
    EntryProblem { name: name.to_vec(), kind: EntryProblemKind::Unreadable(error.to_string()) }
}

fn size_of(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

#[expect(clippy::unnecessary_cast, reason = "widths differ between Linux and macOS")]
fn modified(stat: &Stat) -> Modified {
    Modified::Unix {
        seconds: stat.st_mtime as i64,
        nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
    }
}

/// Opens the regular file `path`, which must be no link, and tells its size.
pub(crate) fn open_file(root: &OwnedFd, path: &RepoPath) -> Result<(File, u64), Fault> {
    // Non-blocking, so that a pipe put in the file's place meanwhile cannot hang us.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let descriptor = rustix::fs::openat(root, path.as_bytes(), flags, Mode::empty())?;
    let stat = rustix::fs::fstat(descriptor.as_fd())?;
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err(Fault::Io(std::io::Error::other("not a regular file any more")));
    }
    Ok((File::from(descriptor), size_of(&stat)))
}

/// Reads the regular file `path`, which must be no link.
pub(crate) fn read(root: &OwnedFd, path: &RepoPath, limit: u64) -> Result<Vec<u8>, Fault> {
    let (file, size) = open_file(root, path)?;
    if size > limit {
        return Err(Fault::TooLarge(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if read as u64 > limit {
        return Err(Fault::TooLarge(limit));
    }
    Ok(bytes)
}
