//! The folder that an output is in, opened without following links that lead elsewhere. Knows
//! nothing of what is written there.

use std::ffi::OsStr;
use std::fs::{DirBuilder, canonicalize};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, statat};
use rustix::io::Errno;

use super::OutputError;

/// Permissions of folders that we make, before the umask.
const FOLDER_MODE: u32 = 0o755;

/// Whether a missing folder is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// With all folders above it.
    Create,
    /// There is none, then.
    Leave,
}

/// Opens `path` below `root`. `None` if it does not exist and is not to be made.
pub(super) fn open_folder(
    root: &Path,
    path: &RepoPath,
    missing: Missing,
) -> Result<Option<OwnedFd>, OutputError> {
    let Some(mut folder) = open_root(root, missing)? else { return Ok(None) };
    if path.is_root() {
        return Ok(Some(folder));
    }
    let mut so_far = root.to_path_buf();
    for component in path.as_bytes().split(|byte| *byte == b'/') {
        so_far.push(OsStr::from_bytes(component));
        folder = match open_component(&folder, component) {
            Err(Errno::NOENT) if missing == Missing::Leave => return Ok(None),
            Err(Errno::NOENT) => {
                // Another build may make it at the same time.
                match mkdirat(&folder, component, Mode::from_raw_mode(FOLDER_MODE)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => {
                        return Err(OutputError::system("make the folder", &so_far, error));
                    }
                }
                open_component(&folder, component)
                    .map_err(|error| OutputError::system("open the folder", &so_far, error))?
            }
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                open_link(&folder, component, root, &so_far)?
            }
            opened => {
                opened.map_err(|error| OutputError::system("open the folder", &so_far, error))?
            }
        };
    }
    Ok(Some(folder))
}

fn open_root(root: &Path, missing: Missing) -> Result<Option<OwnedFd>, OutputError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(CWD, root, flags, Mode::empty()) {
        Ok(folder) => return Ok(Some(folder)),
        Err(Errno::NOENT) if missing == Missing::Leave => return Ok(None),
        Err(Errno::NOENT) => {}
        Err(Errno::NOTDIR) => return Err(OutputError::NotAFolder(root.to_owned())),
        Err(error) => return Err(OutputError::system("open the folder", root, error)),
    }
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(root).map_err(|error| {
        OutputError::Io { action: "make the folder", path: root.to_owned(), error }
    })?;
    openat(CWD, root, flags, Mode::empty())
        .map(Some)
        .map_err(|error| OutputError::system("open the folder", root, error))
}

fn open_component(folder: &OwnedFd, component: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(folder, component, flags, Mode::empty())
}

/// Something that is no folder stands there. A link to a folder inside the root is how some
/// repositories share code; a linked `__pycache__`, or a link that leads out, is refused.
fn open_link(
    folder: &OwnedFd,
    component: &[u8],
    root: &Path,
    so_far: &Path,
) -> Result<OwnedFd, OutputError> {
    let failed = |error| OutputError::system("open the folder", so_far, error);
    let stat = statat(folder, component, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
        return Err(OutputError::NotAFolder(so_far.to_owned()));
    }
    let real = |path: &Path| -> Result<PathBuf, OutputError> {
        canonicalize(path).map_err(|error| OutputError::Io {
            action: "open the folder",
            path: path.to_owned(),
            error,
        })
    };
    if component == b"__pycache__" || !real(so_far)?.starts_with(real(root)?) {
        return Err(OutputError::LinkedFolder(so_far.to_owned()));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(folder, component, flags, Mode::empty()).map_err(failed)
}
