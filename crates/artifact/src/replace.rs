//! Replaces single files as a whole, if they are still those that were read. Knows nothing of what is
//! in them.

use std::fs::{File, Metadata};
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SendError, SyncSender};
use std::thread::JoinHandle;

use rustix::fs::{CWD, Gid, Mode, RenameFlags, Uid};
use rustix::io::Errno;

use crate::FileStamp;

/// Why a file was not replaced. The old one is there, whole.
#[derive(Debug)]
pub struct ReplaceError {
    /// Which file.
    pub path: PathBuf,
    /// What was tried.
    pub action: &'static str,
    /// What the system said.
    pub error: std::io::Error,
}

impl std::fmt::Display for ReplaceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: could not {}: {}", self.path.display(), self.action, self.error)
    }
}

impl std::error::Error for ReplaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// What a failure of power, soon after, may leave of a replaced file. A process that is killed
/// leaves the whole old or the whole new one in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The old or the new content.
    Kept,
    /// Or none: for caches, which CPython then makes again from their source. Spares the flush of
    /// each single file that ext4 does at a rename over another file, half of the cost of writing.
    Rebuildable,
}

/// Replaces files, on as many threads as the caller likes. What replaced files held is freed by a
/// thread of its own: ext4 lets one wait for that as long as for all else that is done to a file.
#[derive(Debug)]
pub struct Replacer {
    /// Files that nobody needs any more.
    unneeded: SyncSender<PathBuf>,
    remover: JoinHandle<Vec<ReplaceError>>,
}

/// How many files may wait for removal: what a process that is killed can leave behind, under names
/// that begin with `.bytekiln-`.
const WAITING: usize = 32;

impl Replacer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has none to give.
    pub fn new() -> std::io::Result<Replacer> {
        let (unneeded, waiting) = std::sync::mpsc::sync_channel::<PathBuf>(WAITING);
        let remover = std::thread::Builder::new()
            .name("remover".to_owned())
            .spawn(move || waiting.into_iter().filter_map(|path| remove(path).err()).collect())?;
        Ok(Replacer { unneeded, remover })
    }

    /// Puts `bytes` in the place of the regular file `path`, if that is still the one with this
    /// stamp: a temporary file in the same folder, with the old one's permissions and owner, renamed
    /// over it. Other hard links to the old file keep its content.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn replace(
        &self,
        path: &Path,
        stamp: &FileStamp,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<(), ReplaceError> {
        let Some(old) = replace_file(path, stamp, bytes, durability)? else { return Ok(()) };
        match self.unneeded.send(old) {
            Ok(()) => Ok(()),
            // The thread ends only with us; if it did not, its work is done here.
            Err(SendError(old)) => remove(old),
        }
    }

    /// Waits until everything is removed: what could not be. All files are replaced nevertheless.
    #[must_use]
    pub fn finish(self) -> Vec<ReplaceError> {
        drop(self.unneeded);
        match self.remover.join() {
            Ok(errors) => errors,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn remove(path: PathBuf) -> Result<(), ReplaceError> {
    std::fs::remove_file(&path).map_err(|error| ReplaceError { path, action: "remove it", error })
}

/// Replaces; the name that the old file has now, if it is still there.
fn replace_file(
    path: &Path,
    stamp: &FileStamp,
    bytes: &[u8],
    durability: Durability,
) -> Result<Option<PathBuf>, ReplaceError> {
    let fail = |action| move |error| ReplaceError { path: path.to_owned(), action, error };
    let old = std::fs::symlink_metadata(path).map_err(fail("look at it"))?;
    if !old.is_file() || FileStamp::of(&old) != *stamp {
        let error = std::io::Error::other("it changed meanwhile");
        return Err(fail("replace it")(error));
    }
    let (temporary, mut file) =
        create_beside(path, old.mode()).map_err(fail("create a file beside it"))?;
    let filled = take_after(&file, &old)
        .map_err(fail("keep its owner and permissions"))
        .and_then(|()| file.write_all(bytes).map_err(fail("write")))
        .and_then(|()| put(&temporary, path, durability).map_err(fail("rename over it")));
    match filled {
        Ok(Put::Exchanged) => Ok(Some(temporary)),
        Ok(Put::Renamed) => Ok(None),
        Err(error) => {
            // It is ours alone, and of no use to anyone.
            let _ = std::fs::remove_file(&temporary);
            Err(error)
        }
    }
}

enum Put {
    /// What has the temporary name now is the old file.
    Exchanged,
    /// The old file is gone.
    Renamed,
}

fn put(temporary: &Path, path: &Path, durability: Durability) -> std::io::Result<Put> {
    if durability == Durability::Rebuildable {
        let exchange = RenameFlags::EXCHANGE;
        match rustix::fs::renameat_with(CWD, temporary, CWD, path, exchange) {
            Ok(()) => return Ok(Put::Exchanged),
            // Not every file system can.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    std::fs::rename(temporary, path).map(|()| Put::Renamed)
}

fn create_beside(path: &Path, mode: u32) -> std::io::Result<(PathBuf, File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!(".bytekiln-{}-{number}.tmp", std::process::id());
        let temporary = path.with_file_name(name);
        let mut options = std::fs::OpenOptions::new();
        match options.write(true).create_new(true).mode(mode & 0o777).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            // A process with our number in another container.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

fn take_after(file: &File, old: &Metadata) -> std::io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        let owner = (Uid::from_raw(old.uid()), Gid::from_raw(old.gid()));
        rustix::fs::fchown(file.as_fd(), Some(owner.0), Some(owner.1))?;
    }
    // The umask may have cut it, and a change of the owner clears the set-id bits.
    let mode = old.mode() & 0o7777;
    if new.mode() & 0o7777 != mode || mode & 0o7000 != 0 {
        rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::read_file;

    #[test]
    fn a_hard_link_keeps_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::fs::hard_link(&file, &link).unwrap();
        for (durability, content) in [(Durability::Rebuildable, "new"), (Durability::Kept, "newer")]
        {
            let read = read_file(&file, 10).unwrap();
            let replacer = Replacer::new().unwrap();
            replacer.replace(&file, &read.stamp, content.as_bytes(), durability).unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), content.as_bytes());
            assert!(replacer.finish().is_empty());
        }
        assert_eq!(std::fs::read(&link).unwrap(), b"old");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_changed_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "old").unwrap();
        let read = read_file(&file, 10).unwrap();
        std::fs::write(&file, "other").unwrap();
        let replacer = Replacer::new().unwrap();
        let error = replacer.replace(&file, &read.stamp, b"new", Durability::Kept).unwrap_err();
        let error = error.to_string();
        assert!(error.ends_with("could not replace it: it changed meanwhile"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"other");
        let error = read_file(&file, 2).unwrap_err().to_string();
        assert!(error.ends_with("is larger than the limit of 2 bytes"), "{error}");
    }
}
