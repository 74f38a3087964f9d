//! Files and folders that get their final name when they are finished. Until then they have a name
//! of their own beside it, on the same file system, so that nothing half-written is ever found
//! under the final name. Knows nothing of what is in them.
//!
//! A process that is killed leaves the unfinished one behind, as `.bytekiln-pending-KEY-PID-N`,
//! where KEY stands for the final name; or, while it exchanged folders, the old one. As long as it
//! lives it holds a lock (`flock`) on it. Whoever writes to the same final name next removes those
//! that nobody has locked, so that at most one failed attempt lies about.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytekiln_action::Digest;
use rustix::fs::{CWD, FlockOperation, Mode, RenameFlags};
use rustix::io::Errno;

use crate::write::{FolderOutput, Output};

/// Why something was not published. What had the name before still has it.
#[derive(Debug)]
pub struct PublishError {
    /// Which file or folder.
    pub path: PathBuf,
    /// What was tried.
    pub action: &'static str,
    /// What the system said.
    pub error: std::io::Error,
}

impl std::fmt::Display for PublishError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: could not {}: {}", self.path.display(), self.action, self.error)
    }
}

impl std::error::Error for PublishError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// What both kinds have in common.
#[derive(Debug)]
struct Pending {
    /// Holds the lock.
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    kind: Kind,
    is_published: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

/// A file that is being written. Dropped, it is removed.
#[derive(Debug)]
pub struct PendingFile(Pending);

impl PendingFile {
    /// Creates an empty file beside `target`, with mode 0644 whatever the umask. Removes what
    /// processes that were killed left for the same target.
    ///
    /// # Errors
    /// The folder is not there, or may not be written to; or `target` is a folder.
    pub fn create(target: &Path) -> Result<PendingFile, PublishError> {
        let pending = Pending::create(target, Kind::File)?;
        let mode = Mode::from_raw_mode(0o644);
        rustix::fs::fchmod(&pending.file, mode)
            .map_err(|error| pending.fail("set its permissions")(error.into()))?;
        Ok(PendingFile(pending))
    }

    /// Where archives are written to.
    pub fn output(&self) -> Output<'_> {
        Output { file: &self.0.file, name: &self.0.target }
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        &self.0.temporary
    }

    /// Makes it 0755.
    ///
    /// # Errors
    /// The system refused.
    pub fn make_executable(&self) -> Result<(), PublishError> {
        rustix::fs::fchmod(&self.0.file, Mode::from_raw_mode(0o755))
            .map_err(|error| self.0.fail("make it executable")(error.into()))
    }

    /// Gives it the final name, over a file that has it. Its content is on the disk before.
    ///
    /// # Errors
    /// The name still belongs to what had it before.
    pub fn publish(mut self) -> Result<(), PublishError> {
        self.0.file.sync_all().map_err(self.0.fail("write it to the disk"))?;
        std::fs::rename(&self.0.temporary, &self.0.target)
            .map_err(self.0.fail("give it its name"))?;
        self.0.is_published = true;
        Ok(())
    }
}

/// A folder that is being filled. Dropped, it is removed with all that is in it.
#[derive(Debug)]
pub struct PendingFolder(Pending);

impl PendingFolder {
    /// Creates an empty folder beside `target`, with mode 0755 whatever the umask. Removes what
    /// processes that were killed left for the same target.
    ///
    /// # Errors
    /// The folder above is not there, or may not be written to; or `target` is something else than
    /// a folder.
    pub fn create(target: &Path) -> Result<PendingFolder, PublishError> {
        let pending = Pending::create(target, Kind::Folder)?;
        let mode = Mode::from_raw_mode(0o755);
        rustix::fs::fchmod(&pending.file, mode)
            .map_err(|error| pending.fail("set its permissions")(error.into()))?;
        Ok(PendingFolder(pending))
    }

    /// Where trees and images are written to.
    pub fn output(&self) -> FolderOutput<'_> {
        FolderOutput { path: &self.0.temporary, name: &self.0.target }
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        &self.0.temporary
    }

    /// Gives it the final name. A folder that has it is exchanged for it in one step and then
    /// removed; where the file system cannot exchange, the name is free for a moment in between. A
    /// failure of power, soon after, may leave files without content: they are not forced to the
    /// disk one by one.
    ///
    /// # Errors
    /// The name still belongs to what had it before; or it is the new one's, but the old one could
    /// not be removed.
    pub fn publish(mut self) -> Result<(), PublishError> {
        let Pending { temporary, target, .. } = &self.0;
        // Once more: only folders are removed.
        check_target(target, Kind::Folder).map_err(self.0.fail("give it its name"))?;
        let is_replaced = loop {
            let exchange = RenameFlags::EXCHANGE;
            match rustix::fs::renameat_with(CWD, temporary, CWD, target, exchange) {
                Ok(()) => break true,
                Err(Errno::NOENT) => {}
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                    self.replace_in_two_steps()?;
                    return Ok(());
                }
                Err(error) => return Err(self.0.fail("give it its name")(error.into())),
            }
            match std::fs::rename(temporary, target) {
                Ok(()) => break false,
                // Another process has just taken the name: now it can be exchanged.
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
                Err(error) => return Err(self.0.fail("give it its name")(error)),
            }
        };
        self.0.is_published = true;
        if is_replaced {
            self.remove_old(&self.0.temporary)?;
        }
        Ok(())
    }

    fn replace_in_two_steps(&mut self) -> Result<(), PublishError> {
        let Pending { temporary, target, .. } = &self.0;
        let mut old = temporary.clone().into_os_string();
        old.push("-old");
        let old = PathBuf::from(old);
        loop {
            match std::fs::rename(target, &old) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(self.0.fail("put the old one aside")(error)),
            }
            match std::fs::rename(temporary, target) {
                Ok(()) => break,
                // Another process has just taken the name: what is aside is older than what it wrote.
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                    self.remove_old(&old)?;
                }
                Err(error) => {
                    // Back, so that the name is not lost; the first error is the one that matters.
                    let _ = std::fs::rename(&old, target);
                    return Err(self.0.fail("give it its name")(error));
                }
            }
        }
        self.0.is_published = true;
        self.remove_old(&old)
    }

    fn remove_old(&self, old: &Path) -> Result<(), PublishError> {
        match std::fs::remove_dir_all(old) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let action = "remove what it replaced";
                Err(PublishError { path: old.to_owned(), action, error })
            }
            _ => Ok(()),
        }
    }
}

impl Pending {
    fn create(target: &Path, kind: Kind) -> Result<Pending, PublishError> {
        let fail = |action| move |error| PublishError { path: target.to_owned(), action, error };
        let Some(name) = target.file_name() else {
            let error = std::io::Error::other("it has no name of its own");
            return Err(fail("write it")(error));
        };
        check_target(target, kind).map_err(fail("write it"))?;
        // The key, so that a long name does not become too long.
        let key = Digest::of(name.as_bytes()).to_hex();
        let prefix = format!(".bytekiln-pending-{}-", key.get(..16).unwrap_or(&key));
        remove_abandoned(target, &prefix);
        loop {
            let temporary = target.with_file_name(temporary_name(&prefix));
            let made = match kind {
                Kind::File => create_file(&temporary),
                Kind::Folder => create_folder(&temporary),
            };
            match made {
                Ok(Some(file)) => {
                    let target = target.to_owned();
                    return Ok(Pending { file, temporary, target, kind, is_published: false });
                }
                // Somebody took it for abandoned before it was locked.
                Ok(None) => {}
                // A process with our number in another container.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(fail("create it under a temporary name beside it")(error));
                }
            }
        }
    }

    fn fail(&self, action: &'static str) -> impl Fn(std::io::Error) -> PublishError + use<> {
        let path = self.target.clone();
        move |error| PublishError { path: path.clone(), action, error }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.is_published {
            return;
        }
        // If it cannot be removed, the next one who writes there tries again.
        let _ = match self.kind {
            Kind::File => std::fs::remove_file(&self.temporary),
            Kind::Folder => std::fs::remove_dir_all(&self.temporary),
        };
    }
}

/// Refuses early what `publish` could not replace.
fn check_target(target: &Path, kind: Kind) -> std::io::Result<()> {
    let wrong = match (std::fs::symlink_metadata(target), kind) {
        (Ok(old), Kind::File) if old.is_dir() => "a folder has this name; remove it first",
        (Ok(old), Kind::Folder) if !old.is_dir() => {
            "something that is no folder has this name; remove it first"
        }
        _ => return Ok(()),
    };
    Err(std::io::Error::other(wrong))
}

fn temporary_name(prefix: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}{}-{number}", std::process::id())
}

/// Creates and locks; `None` if it was removed before it was locked.
fn create_file(path: &Path) -> std::io::Result<Option<File>> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(path)?;
    lock(path, file)
}

fn create_folder(path: &Path) -> std::io::Result<Option<File>> {
    std::fs::DirBuilder::new().mode(0o700).create(path)?;
    match File::open(path) {
        Ok(folder) => lock(path, folder),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn lock(path: &Path, file: File) -> std::io::Result<Option<File>> {
    match rustix::fs::flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(None),
        // Some network file systems have no locks, and nothing is taken for abandoned there.
        Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS | Errno::INVAL) => return Ok(Some(file)),
        Err(error) => return Err(error.into()),
    }
    let own = file.metadata()?;
    let there = std::fs::symlink_metadata(path).ok();
    let is_there = there.is_some_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino()));
    Ok(is_there.then_some(file))
}

/// Removes what nobody works on any more. What cannot be removed does no harm and stays.
fn remove_abandoned(target: &Path, prefix: &str) {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().as_bytes().starts_with(prefix.as_bytes()) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = open_unfollowed(&path) else { continue };
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        let _ = match file.metadata() {
            Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(&path),
            _ => std::fs::remove_file(&path),
        };
    }
}

fn open_unfollowed(path: &Path) -> std::io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = flags.bits().cast_signed();
    std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(test)]
mod tests;
