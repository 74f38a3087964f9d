//! The root folder of a disk store: made, recognised, and never mistaken for somebody else's
//! folder, because `gc` and `clear` delete in it. Knows nothing of what is kept there.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::StoreError;

/// Names our layout. Old reader, new data: another text is an error of `open`, and the build
/// goes on without this cache.
const MARKER: &str = "bytekiln-cache";
const MARKER_TEXT: &[u8] = b"bytekiln cache layout 1\n";

/// So that backup programs leave the folder out (bford.info/cachedir).
const TAG: &str = "CACHEDIR.TAG";
const TAG_TEXT: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
# Made by bytekiln; everything in this folder can be made again.\n";

/// Temporary files and folders start so, wherever in the store they are.
pub(super) const TEMPORARY_PREFIX: &str = ".tmp-";

/// Makes the root if it is missing or empty; refuses a folder that is not ours.
pub(super) fn open_root(root: &Path) -> Result<(), StoreError> {
    if let Some(done) = check_marker(root) {
        return done;
    }
    let fail = |error| StoreError::io("make the cache", root, error);
    fs::create_dir_all(root).map_err(fail)?;
    for entry in fs::read_dir(root).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        let name = name.as_encoded_bytes();
        // Another process may be making the same cache right now.
        let ours = name == TAG.as_bytes()
            || name == MARKER.as_bytes()
            || name.starts_with(TEMPORARY_PREFIX.as_bytes());
        if !ours {
            // ... and may have finished since our first look.
            return check_marker(root).unwrap_or_else(|| Err(not_ours(root)));
        }
    }
    for (name, text) in [(TAG, TAG_TEXT), (MARKER, MARKER_TEXT)] {
        write_file(root, name, |file| file.write_all(text)).map_err(fail)?;
    }
    Ok(())
}

/// Whether this is still our folder; asked before anything is deleted.
pub(super) fn require_marker(root: &Path) -> Result<(), StoreError> {
    check_marker(root).unwrap_or_else(|| Err(not_ours(root)))
}

/// `None` if there is no marker.
fn check_marker(root: &Path) -> Option<Result<(), StoreError>> {
    let path = root.join(MARKER);
    match fs::read(&path) {
        Ok(text) if text == MARKER_TEXT => Some(Ok(())),
        Ok(_) => Some(Err(StoreError::io(
            "use a cache of another layout, named in",
            &path,
            io::Error::new(
                io::ErrorKind::InvalidData,
                "it was made by another version of bytekiln; choose another folder, or remove it",
            ),
        ))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(StoreError::io("read", &path, error))),
    }
}

fn not_ours(root: &Path) -> StoreError {
    StoreError::io(
        "use as a cache the folder",
        root,
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("it has other files in it and no `{MARKER}` file; choose an empty folder"),
        ),
    )
}

/// A name that no other writer takes: the process id is not enough where containers share a
/// cache, so the clock joins it. Files are opened with `create_new` all the same.
pub(super) fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static START: std::sync::OnceLock<u128> = std::sync::OnceLock::new();
    let start = START
        .get_or_init(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_nanos()));
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{start:x}-{count:x}", std::process::id())
}

/// A temporary file that is removed again unless it was renamed.
pub(super) struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Nothing can be done about a failure; `gc` removes what is left after a day.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes a whole file under its final name or none at all: temporary file in the same folder,
/// then rename. Mode 0644 whatever the umask. Not synced unless `fill` does it: after a power cut a file may be short
/// or empty, which its checksum or digest shows, and 20 times the cost buys nothing in a cache.
pub(super) fn write_file(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut fs::File) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let temporary = folder.join(format!("{TEMPORARY_PREFIX}{}", unique_name()));
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(MODE).open(&temporary)?;
    let guard = Temporary(temporary);
    fill(&mut file)?;
    set_mode(&file)?;
    let path = folder.join(name);
    fs::rename(&guard.0, &path)?;
    std::mem::forget(guard);
    Ok(path)
}

/// Outputs are hard links of objects, and outputs have this mode on every machine.
pub(super) const MODE: u32 = 0o644;

/// Costs a `stat` under the usual umask. A file system that keeps no modes is refused here, once
/// and aloud; otherwise each object would be written, found broken and written again for ever.
fn set_mode(file: &fs::File) -> io::Result<()> {
    let has_mode = || file.metadata().map(|found| found.permissions().mode() & 0o7777 == MODE);
    if has_mode()? {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(MODE))?;
    if has_mode()? {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::Unsupported, "the file system does not keep file modes"))
}
