//! Paths that go on inside an archive: `dist/app.zip/pkg/mod.pyc`. Knows nothing of what is
//! there.

use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;

use crate::ArtifactError;
use crate::artifact::recognise;
use crate::error::Fault;

/// What a path typed by a user leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The folder, archive or file on the disk.
    pub path: PathBuf,
    /// What that is.
    pub kind: LocatedKind,
    /// The place inside the archive; the root if the path goes no further. It need not exist.
    pub inside: RepoPath,
}

/// What is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocatedKind {
    /// A folder.
    Directory,
    /// A file that [`crate::Artifact::open`] opens.
    Archive,
    /// Any other file.
    File,
}

/// Splits a path into what is on the disk and the place inside. A folder or plain file is itself;
/// whatever follows an archive's name is inside it.
pub fn locate(path: &Path) -> Result<Located, ArtifactError> {
    // Without a slash at the end, which would ask for a folder.
    let path = path.components().as_path();
    let fail = |error: std::io::Error| Fault::Io(error).at(path, None);
    let missing = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            return Ok(Located {
                path: path.to_owned(),
                kind: LocatedKind::Directory,
                inside: RepoPath::default(),
            });
        }
        Ok(metadata) => {
            let archive = metadata.is_file()
                && recognise(&File::open(path).map_err(fail)?).map_err(fail)?.is_some();
            let kind = if archive { LocatedKind::Archive } else { LocatedKind::File };
            return Ok(Located { path: path.to_owned(), kind, inside: RepoPath::default() });
        }
        Err(error) => error,
    };
    // `ENOTDIR` says that a file stands where a folder was wanted.
    for above in path.ancestors().skip(1) {
        let Ok(metadata) = std::fs::metadata(above) else { continue };
        if !metadata.is_file() {
            break;
        }
        if recognise(&File::open(above).map_err(fail)?).map_err(fail)?.is_none() {
            break;
        }
        let rest = path.strip_prefix(above).unwrap_or(path).as_os_str().as_bytes();
        let Some(inside) = RepoPath::new(rest) else { break };
        return Ok(Located { path: above.to_owned(), kind: LocatedKind::Archive, inside });
    }
    Err(fail(missing))
}
