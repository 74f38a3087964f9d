//! That a settled build was found to be as locked: the digest of the lock file and the stamp of the
//! settled state then. While both hold, nothing has to be compared again. It may be lost at any
//! time.

use std::path::{Path, PathBuf};

use bytekiln_action::Digest;

use crate::index::{
    Reader, StateError, StateFile, Writer, file_name, put_stamp, read_state, take_stamp,
    write_state,
};
use crate::scan::Stamp;

const FILE: StateFile =
    StateFile { magic: *b"bklocked", version: 1, what: "the comparison with the lock" };

fn path(state_dir: &Path, profile: &str, partial: bool) -> PathBuf {
    file_name(state_dir, profile, partial).with_extension("locked")
}

/// The settled state is written by renaming, so its inode or change time is another each time.
fn settled_stamp(state_dir: &Path, profile: &str, partial: bool) -> Option<Stamp> {
    let stat = rustix::fs::stat(file_name(state_dir, profile, partial)).ok()?;
    Some(Stamp::of(&stat))
}

/// Whether the settled state that is there was compared with this lock file, and agreed.
pub fn was_locked(state_dir: &Path, profile: &str, partial: bool, lock: &Digest) -> bool {
    let known = || {
        let body = read_state(&path(state_dir, profile, partial), FILE).ok()??;
        let mut reader = Reader::new(&body);
        let (hash, size) = (reader.array::<32>()?, reader.u64()?);
        Some((Digest { hash, size }, take_stamp(&mut reader)?))
    };
    let Some((digest, stamp)) = known() else { return false };
    digest == *lock && settled_stamp(state_dir, profile, partial) == Some(stamp)
}

/// Remembers that it does; nothing is remembered of a build that did not settle.
///
/// # Errors
/// The state folder cannot be written.
pub fn remember_locked(
    state_dir: &Path,
    profile: &str,
    partial: bool,
    lock: &Digest,
) -> Result<(), StateError> {
    let Some(stamp) = settled_stamp(state_dir, profile, partial) else { return Ok(()) };
    let mut out = Writer::default();
    out.fixed(&lock.hash);
    out.u64(lock.size);
    put_stamp(&mut out, &stamp);
    write_state(&path(state_dir, profile, partial), FILE, &out.bytes)
}
