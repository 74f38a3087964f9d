//! One build at a time in a state folder, as cargo has one in a target folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::{StateError, prepare_state};

/// The lock could not be taken.
pub type LockError = StateError;

/// Held while a build runs; given back when dropped, and by the system when the process dies.
#[derive(Debug)]
pub struct StateLock {
    #[expect(dead_code, reason = "held for its lock")]
    file: File,
}

/// Takes the build lock of `state_dir`, making the folder if need be. If another build holds it,
/// `blocked` is called once with the lock's path, and the call waits. On file systems without
/// locks the build goes on without one: files are replaced whole in any case.
pub fn lock_state(
    state_dir: &Path,
    blocked: &mut dyn FnMut(&Path),
) -> Result<StateLock, LockError> {
    prepare_state(state_dir)?;
    let path: PathBuf = state_dir.join("lock");
    let failed = |error| StateError { path: path.clone(), error };
    let mut options = OpenOptions::new();
    let file =
        options.create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            blocked(&path);
            file.lock().map_err(failed)?;
        }
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    Ok(StateLock { file })
}
