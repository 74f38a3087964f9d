//! Opening a folder, listing it, and stamping what is in it; names as bytes. Knows nothing of
//! what is looked for.

use std::os::fd::{BorrowedFd, OwnedFd};

use bytekiln_action::RepoPath;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::Stamp;

/// An open folder.
pub(crate) struct Directory {
    descriptor: OwnedFd,
    /// Taken before the listing, so that a change during it shows.
    pub(crate) stamp: Stamp,
    /// One after the other: a name each would be most of the memory calls of a walk.
    names: Vec<u8>,
    /// Where each name ends, and what has it.
    ends: Vec<(usize, FileType)>,
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
        let (mut names, mut ends) = (Vec::new(), Vec::new());
        list(&descriptor, &mut |name, kind| {
            if name != b"." && name != b".." {
                names.extend_from_slice(name);
                ends.push((names.len(), kind));
            }
        })?;
        Ok(Directory { descriptor, stamp, names, ends })
    }

    /// Names and types, in the order of the file system, without `.` and `..`.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], FileType)> {
        let mut start = 0;
        self.ends.iter().map(move |(end, kind)| {
            let name = self.names.get(start..*end).unwrap_or_default();
            start = *end;
            (name, *kind)
        })
    }

    /// Stamp and type of the entry `name`.
    pub(crate) fn stamp_of(&self, name: &[u8], links: Links) -> std::io::Result<(Stamp, FileType)> {
        let flags = match links {
            Links::Follow => AtFlags::empty(),
            Links::Refuse => AtFlags::SYMLINK_NOFOLLOW,
        };
        let stat = rustix::fs::statat(&self.descriptor, name, flags)?;
        Ok((Stamp::of(&stat), FileType::from_raw_mode(stat.st_mode)))
    }
}

/// The entries of a folder. In pieces of a buffer, where the system gives them so.
#[cfg(target_os = "linux")]
fn list(folder: &OwnedFd, each: &mut dyn FnMut(&[u8], FileType)) -> std::io::Result<()> {
    let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 1 << 15];
    let mut listing = rustix::fs::RawDir::new(folder, &mut buffer);
    while let Some(entry) = listing.next() {
        let entry = entry?;
        each(entry.file_name().to_bytes(), entry.file_type());
    }
    Ok(())
}

/// The entries of a folder.
#[cfg(not(target_os = "linux"))]
fn list(folder: &OwnedFd, each: &mut dyn FnMut(&[u8], FileType)) -> std::io::Result<()> {
    for entry in rustix::fs::Dir::read_from(folder)? {
        let entry = entry?;
        each(entry.file_name().to_bytes(), entry.file_type());
    }
    Ok(())
}
