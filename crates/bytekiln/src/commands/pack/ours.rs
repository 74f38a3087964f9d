//! What `pack` made, so that it replaces no other folder, and packs nothing of it again. Knows nothing of what
//! is in it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bytekiln_action::Digest;

use crate::failure::CommandFailure;

/// In the state: a folder with a file for each thing, so that several runs at once do not disturb each other.
/// Its name is made of the thing's path; it holds what the thing is, a line end, and the path.
const FOLDER: &str = "packed";

/// The first line of such a file.
const KINDS: [&str; 2] = ["folder", "file"];

/// Whether a folder may be replaced: it is not there, is empty, or was made here.
pub(super) fn check(out: &Path, state: &Path, force: bool) -> Result<(), CommandFailure> {
    let Ok(metadata) = std::fs::symlink_metadata(out) else { return Ok(()) };
    if !metadata.is_dir() {
        return Err(CommandFailure::usage(format!("`{}` is no folder", out.display()))
            .hint("remove it, or name another place with `out`"));
    }
    let is_empty = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    let was_made = || std::fs::read(note(out, state)).is_ok_and(|note| note == text(KINDS[0], out));
    if force || is_empty || was_made() {
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
    let [folder, file] = KINDS;
    let (path, text) = (note(out, state), text(if out.is_dir() { folder } else { file }, out));
    if std::fs::read(&path).is_ok_and(|known| known == text) {
        return;
    }
    // A folder that is not noted has to be removed by hand the next time, which the message then says.
    let _ = bytekiln_project::prepare_state(state);
    let _ = std::fs::create_dir(state.join(FOLDER));
    let _ = std::fs::write(path, text);
}

/// Everything that was made here, and perhaps is there no more.
pub(super) fn all(state: &Path) -> Vec<PathBuf> {
    let notes = std::fs::read_dir(state.join(FOLDER)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = notes
        .filter_map(|note| {
            let text = std::fs::read(note.path()).ok()?;
            let end = text.iter().position(|byte| *byte == b'\n')?;
            Some(PathBuf::from(OsStr::from_bytes(text.get(end + 1..)?)))
        })
        .filter(|path| path.is_absolute())
        .collect();
    paths.sort();
    paths
}

fn note(out: &Path, state: &Path) -> PathBuf {
    let name = Digest::of(out.as_os_str().as_bytes()).to_hex();
    state.join(FOLDER).join(name)
}

fn text(kind: &str, out: &Path) -> Vec<u8> {
    [kind.as_bytes(), b"\n", out.as_os_str().as_bytes()].concat()
}
