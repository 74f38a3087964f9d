//! Opening a folder, listing it, and stamping what is in it; names as bytes. Knows nothing of
//! what is looked for.

use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};

use bytekiln_action::RepoPath;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::Stamp;

/// An open folder.
pub(crate) struct Directory<'a> {
    descriptor: OwnedFd,
    /// Taken before the listing, so that a change during it shows.
    pub(crate) stamp: Stamp,
    names: &'a mut Names,
}

/// Names in a folder; room that is used again for the next.
#[derive(Default)]
pub(crate) struct Names {
    /// One after the other: a name each would be most of the memory calls of a walk.
    bytes: Vec<u8>,
    /// Where each name lies, and what has it.
    spans: Vec<(Range<usize>, FileType)>,
}

/// Whether a link in the last component is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Follow,
    Refuse,
}

impl<'a> Directory<'a> {
    /// Opens and lists the folder `path` below `root`.
    pub(crate) fn read(
        root: BorrowedFd<'_>,
        path: &RepoPath,
        links: Links,
        names: &'a mut Names,
    ) -> std::io::Result<Directory<'a>> {
        let name: &[u8] = if path.is_root() { b"." } else { path.as_bytes() };
        let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if links == Links::Refuse {
            flags |= OFlags::NOFOLLOW;
        }
        let descriptor = rustix::fs::openat(root, name, flags, Mode::empty())?;
        let stamp = Stamp::of(&rustix::fs::fstat(&descriptor)?);
        let Names { bytes, spans } = &mut *names;
        bytes.clear();
        spans.clear();
        list(&descriptor, &mut |name, kind| {
            if name != b"." && name != b".." {
                let start = bytes.len();
                bytes.extend_from_slice(name);
                spans.push((start..bytes.len(), kind));
            }
        })?;
        Ok(Directory { descriptor, stamp, names })
    }

    /// Puts the entries, which come in the order of the file system, into the order of names.
    pub(crate) fn sort(&mut self) {
        let Names { bytes, spans } = &mut *self.names;
        let name = |span: &Range<usize>| bytes.get(span.clone()).unwrap_or_default();
        spans.sort_unstable_by(|(a, _), (b, _)| name(a).cmp(name(b)));
    }

    /// Names and types, without `.` and `..`.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], FileType)> {
        let Names { bytes, spans } = &*self.names;
        spans.iter().map(|(span, kind)| (bytes.get(span.clone()).unwrap_or_default(), *kind))
    }

    /// All names in one.
    pub(crate) fn all_names(&self) -> &[u8] {
        &self.names.bytes
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
