//! Opening a folder, listing it, and stamping what is in it; names as bytes. Knows nothing of
//! what is looked for.

use std::os::fd::BorrowedFd;

use bytekiln_action::RepoPath;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

use super::Stamp;

/// An open folder.
pub(crate) struct Directory {
    listing: Dir,
    /// Taken before the listing, so that a change during it shows.
    pub(crate) stamp: Stamp,
    /// Names and types, in the order of the file system, without `.` and `..`.
    pub(crate) entries: Vec<(Vec<u8>, FileType)>,
}

/// Whether a link in the last component is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Follow,
    Refuse,
}

impl Directory {
    /// Opens and lists the folder `path` below `root`.
    pub(crate) fn read(
        root: BorrowedFd<'_>,
        path: &RepoPath,
        links: Links,
    ) -> std::io::Result<Directory> {
        let name: &[u8] = if path.is_root() { b"." } else { path.as_bytes() };
        let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if links == Links::Refuse {
            flags |= OFlags::NOFOLLOW;
        }
        let descriptor = rustix::fs::openat(root, name, flags, Mode::empty())?;
        let stamp = Stamp::of(&rustix::fs::fstat(&descriptor)?);
        let mut entries = Vec::new();
        let mut listing = Dir::new(descriptor)?;
        while let Some(entry) = listing.read() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push((name.to_vec(), entry.file_type()));
            }
        }
        Ok(Directory { listing, stamp, entries })
    }

    /// Stamp and type of the entry `name`.
    pub(crate) fn stamp_of(&self, name: &[u8], links: Links) -> std::io::Result<(Stamp, FileType)> {
        let flags = match links {
            Links::Follow => AtFlags::empty(),
            Links::Refuse => AtFlags::SYMLINK_NOFOLLOW,
        };
        let stat = rustix::fs::statat(self.listing.fd()?, name, flags)?;
        Ok((Stamp::of(&stat), FileType::from_raw_mode(stat.st_mode)))
    }
}
