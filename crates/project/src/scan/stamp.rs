//! What the file system keeps of a file without reading it. Two equal stamps mean equal bytes if
//! the first was taken safely (see [`FileClock`]). Knows nothing of what is in a file.

use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use rustix::fs::Stat;

/// Size, times in nanoseconds since 1970, inode and mode. The device is left out on purpose: its
/// number may change with every mount, and inode and change time already tell files apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) mtime: i64,
    pub(crate) ctime: i64,
    pub(crate) inode: u64,
    pub(crate) mode: u32,
}

impl Stamp {
    #[expect(clippy::unnecessary_cast, reason = "widths differ between Linux and macOS")]
    pub(crate) fn of(stat: &Stat) -> Stamp {
        Stamp {
            size: stat.st_size as u64,
            mtime: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            inode: stat.st_ino as u64,
            mode: stat.st_mode as u32,
        }
    }

    /// Whether an output with this stamp is the file that had the other. Its change time says
    /// nothing: an output may be a hard link from the cache, and whoever links or unlinks the
    /// same bytes elsewhere moves it.
    pub(crate) fn same_output(&self, other: &Stamp) -> bool {
        (self.size, self.mtime, self.inode) == (other.size, other.mtime, other.inode)
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Nothing but that it is a folder: for folders whose contents do not matter.
    pub(crate) fn any_folder() -> Stamp {
        Stamp { mode: 0o040_000, ..Stamp::default() }
    }

    /// Whether it was taken of anything: whatever there is has a type.
    pub(crate) fn is_taken(&self) -> bool {
        self.mode != 0
    }

    pub(crate) fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

/// A moment on the clock that stamps files. A file changed at or after this moment may be changed
/// once more within the same tick and keep its stamp, so stamps as young as that are not kept
/// (git calls such entries racily clean, and re-reads them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileClock(i64);

impl FileClock {
    /// Whether whatever happens to the file from this moment on must change the stamp. The change
    /// time decides, because programs cannot set it.
    pub(crate) fn is_safe(self, stamp: &Stamp) -> bool {
        stamp.ctime < self.0
    }

    /// Two seconds earlier.
    pub(crate) fn long_before(self) -> FileClock {
        FileClock(self.0.saturating_sub(2_000_000_000))
    }
}

/// Reads the clock of the file system that holds `state_dir`, by writing a file there. If the
/// workspace lies on another one, whose clock may be coarser, two seconds (FAT's tick) are taken
/// off.
pub(crate) fn file_clock(state_dir: &Path, root: &Path) -> std::io::Result<FileClock> {
    let mut file = tempfile::tempfile_in(state_dir)?;
    file.write_all(b"t")?;
    let stat = rustix::fs::fstat(&file)?;
    // Reading back forces network file systems to settle the time.
    file.rewind()?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    let here = Stamp::of(&stat);
    let same = rustix::fs::stat(root).is_ok_and(|root| root.st_dev == stat.st_dev);
    let now = here.ctime.min(here.mtime);
    Ok(FileClock(if same { now } else { now.saturating_sub(2_000_000_000) }))
}

/// A clock that trusts no stamp, for when the real one cannot be read.
impl Default for FileClock {
    fn default() -> FileClock {
        FileClock(i64::MIN)
    }
}
