//! Between paths of the file system and paths below the workspace. Knows no file system.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use bytekiln_action::RepoPath;

/// `path` below `root`, absolute.
pub fn absolute(root: &Path, path: &RepoPath) -> PathBuf {
    if path.is_root() { root.to_owned() } else { root.join(OsStr::from_bytes(path.as_bytes())) }
}

/// The part of `path` below `root`; `None` if it is not below it.
pub(crate) fn below(root: &Path, path: &Path) -> Option<RepoPath> {
    RepoPath::new(path.strip_prefix(root).ok()?.as_os_str().as_bytes())
}

/// The bytes of a path.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// The path of these bytes.
pub(crate) fn from_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

/// For messages: one line, escaped as [`RepoPath`] is.
pub(crate) fn show(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// `path`, taken from `base` if relative, with `.` and `..` resolved by letter.
pub fn normalize(base: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in base.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::RootDir | Component::Normal(_) | Component::Prefix(_) => out.push(component),
        }
    }
    out
}
