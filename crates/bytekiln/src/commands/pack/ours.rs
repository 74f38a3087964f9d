//! What `pack` made, so that it replaces no other folder, and packs nothing of it again. Knows nothing of what
//! is in it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::failure::CommandFailure;

/// In the state: one path a line.
const FOLDERS: &str = "packed-folders";
const FILES: &str = "packed-files";

/// Whether a folder may be replaced: it is not there, is empty, or was made here.
pub(super) fn check(out: &Path, state: &Path, force: bool) -> Result<(), CommandFailure> {
    let Ok(metadata) = std::fs::symlink_metadata(out) else { return Ok(()) };
    if !metadata.is_dir() {
        return Err(CommandFailure::usage(format!("`{}` is no folder", out.display()))
            .hint("remove it, or name another place with `out`"));
    }
    let is_empty = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if force || is_empty || known(state, FOLDERS).contains(out.as_os_str().as_bytes()) {
        return Ok(());
    }
    Err(CommandFailure::usage(format!(
        "`{}` is there, and nothing says that `pack` made it",
        out.display()
    ))
    .hint("remove it, name another place with `out`, or replace it with --force"))
}

/// Notes what was made here.
pub(super) fn remember(out: &Path, state: &Path) {
    let file = if out.is_dir() { FOLDERS } else { FILES };
    let mut known = known(state, file);
    if !known.insert(out.as_os_str().as_bytes().to_vec()) {
        return;
    }
    let mut lines = known.into_iter().collect::<Vec<_>>().join(&b'\n');
    lines.push(b'\n');
    // A folder that is not noted has to be removed by hand the next time, which the message then says.
    let _ = bytekiln_project::prepare_state(state);
    let _ = std::fs::write(state.join(file), lines);
}

/// Everything that was made here, and perhaps is there no more.
pub(super) fn all(state: &Path) -> Vec<PathBuf> {
    let known = known(state, FOLDERS).into_iter().chain(known(state, FILES));
    known.map(|path| PathBuf::from(OsStr::from_bytes(&path))).collect()
}

fn known(state: &Path, file: &str) -> BTreeSet<Vec<u8>> {
    let read = std::fs::read(state.join(file)).unwrap_or_default();
    read.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}
