//! A file of the workspace written so that there is always a whole one. Knows nothing of what it says.

use std::io::Write;
use std::path::Path;

use crate::manifest::WorkspaceError;

/// Puts `text` in the place of the file, whole or not at all, with the mode that the file has
/// (for a new one, what the process gives new files). A link stays, what it points to is written.
///
/// # Errors
/// The disk's, with the file's name.
pub fn write_atomically(path: &Path, text: &str) -> Result<(), WorkspaceError> {
    replace(path, text).map_err(|error| {
        WorkspaceError::of(path, format!("cannot write the manifest: {error}"), None)
    })
}

/// As [`write_atomically`], with the disk's error as it is.
pub(crate) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let (path, permissions) = match std::fs::metadata(path) {
        Ok(there) => (path.canonicalize()?, Some(there.permissions())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => (path.to_owned(), None),
        Err(error) => return Err(error),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bytekiln-new-");
    if permissions.is_none() {
        // The process's umask decides, as for any new file.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
