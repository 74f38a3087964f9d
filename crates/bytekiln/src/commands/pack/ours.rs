//! Which folders `pack` made, so that it replaces no other. Knows nothing of what is in them.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::failure::CommandFailure;

/// In the state: one path a line.
const FILE: &str = "packed-folders";

/// Whether a folder may be replaced: it is not there, is empty, or was made here.
pub(super) fn check(out: &Path, state: &Path, force: bool) -> Result<(), CommandFailure> {
    let Ok(metadata) = std::fs::symlink_metadata(out) else { return Ok(()) };
    if !metadata.is_dir() {
        return Err(CommandFailure::usage(format!("`{}` is no folder", out.display()))
            .hint("remove it, or name another place with `out`"));
    }
    let is_empty = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if force || is_empty || known(state).contains(out.as_os_str().as_bytes()) {
        return Ok(());
    }
    Err(CommandFailure::usage(format!(
        "`{}` is there, and nothing says that `pack` made it",
        out.display()
    ))
    .hint("remove it, name another place with `out`, or replace it with --force"))
}

/// Notes a folder that was made here.
pub(super) fn remember(out: &Path, state: &Path) {
    let mut known = known(state);
    if !known.insert(out.as_os_str().as_bytes().to_vec()) {
        return;
    }
    let mut lines = known.into_iter().collect::<Vec<_>>().join(&b'\n');
    lines.push(b'\n');
    // What is not noted has to be removed by hand the next time, which the message then says.
    let _ = bytekiln_project::prepare_state(state);
    let _ = std::fs::write(state.join(FILE), lines);
}

fn known(state: &Path) -> BTreeSet<Vec<u8>> {
    let read = std::fs::read(state.join(FILE)).unwrap_or_default();
    read.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}
