//! Single files: read together with a stamp, and replaced as a whole if they still have it. Knows
//! nothing of what is in them.

use std::fs::{File, Metadata};
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use crate::ArtifactError;
use crate::error::Fault;

/// What the file system keeps of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// When it was modified: seconds since 1970.
    pub mtime: i64,
    /// Nanoseconds within.
    pub mtime_nanoseconds: i64,
    /// Its length in bytes.
    pub size: u64,
    device: u64,
    inode: u64,
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct ReadFile {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Its stamp, the same before and after reading.
    pub stamp: FileStamp,
}

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

impl FileStamp {
    fn of(metadata: &Metadata) -> FileStamp {
        FileStamp {
            mtime: metadata.mtime(),
            mtime_nanoseconds: metadata.mtime_nsec(),
            size: metadata.len(),
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// Reads a regular file of at most `limit` bytes; links are followed.
pub fn read_file(path: &Path, limit: u64) -> Result<ReadFile, ArtifactError> {
    try_read(path, limit).map_err(|fault| fault.at(path, None))
}

fn try_read(path: &Path, limit: u64) -> Result<ReadFile, Fault> {
    // Non-blocking, so that a pipe cannot hang us.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Fault::Io(std::io::Error::other("not a regular file")));
    }
    let stamp = FileStamp::of(&metadata);
    if stamp.size > limit {
        return Err(Fault::TooLarge(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or(0) + 1);
    (&file).take(stamp.size + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != stamp.size || FileStamp::of(&file.metadata()?) != stamp {
        return Err(Fault::Io(std::io::Error::other("it changed while it was read")));
    }
    Ok(ReadFile { bytes, stamp })
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

/// Puts `bytes` in the place of the regular file `path`, if that is still the one with this stamp:
/// a temporary file in the same folder, with the old one's permissions and owner, renamed over it.
/// Other hard links to the old file keep its content.
pub fn replace_file(
    path: &Path,
    stamp: &FileStamp,
    bytes: &[u8],
    durability: Durability,
) -> Result<(), ReplaceError> {
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
    if filled.is_err() {
        // It is ours alone, and of no use to anyone.
        let _ = std::fs::remove_file(&temporary);
    }
    filled
}

fn put(temporary: &Path, path: &Path, durability: Durability) -> std::io::Result<()> {
    if durability == Durability::Rebuildable {
        let exchange = RenameFlags::EXCHANGE;
        match rustix::fs::renameat_with(CWD, temporary, CWD, path, exchange) {
            // What has the temporary name now is the old file.
            Ok(()) => return std::fs::remove_file(temporary),
            // Not every file system can.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    std::fs::rename(temporary, path)
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
            replace_file(&file, &read.stamp, content.as_bytes(), durability).unwrap();
            assert_eq!(std::fs::read(&file).unwrap(), content.as_bytes());
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
        let error =
            replace_file(&file, &read.stamp, b"new", Durability::Kept).unwrap_err().to_string();
        assert!(error.ends_with("could not replace it: it changed meanwhile"), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), b"other");
        let error = read_file(&file, 2).unwrap_err().to_string();
        assert!(error.ends_with("is larger than the limit of 2 bytes"), "{error}");
    }
}
