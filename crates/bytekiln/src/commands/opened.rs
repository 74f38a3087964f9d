//! What a path that was typed leads to: a file, a member of an archive, or a tree. Knows nothing of
//! what is to be done with it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_artifact::{Artifact, EntryKind, LocatedKind, OpenOptions, locate, read_file};

use crate::failure::CommandFailure;

/// What was found.
pub(crate) enum Opened {
    /// A file on the disk.
    File(PathBuf),
    /// A file in an archive, by its index.
    Member(Artifact, usize),
    /// A folder or an archive, or what is below a folder in an archive.
    Tree(Artifact, RepoPath),
}

/// Opens it.
pub(crate) fn open(path: &Path, jobs: NonZeroUsize) -> Result<Opened, CommandFailure> {
    let located = locate(path).map_err(|error| CommandFailure::artifact(&error))?;
    if located.kind == LocatedKind::File {
        return Ok(Opened::File(located.path));
    }
    let artifact = Artifact::open(&located.path, &OpenOptions::new(jobs));
    let artifact = artifact.map_err(|error| CommandFailure::artifact(&error))?;
    if located.inside.is_root() {
        return Ok(Opened::Tree(artifact, located.inside));
    }
    let found = artifact.find(&located.inside);
    let kind = found.and_then(|index| Some((index, &artifact.entries().get(index)?.kind)));
    match kind {
        Some((_, EntryKind::Directory)) => Ok(Opened::Tree(artifact, located.inside)),
        Some((index, _)) => Ok(Opened::Member(artifact, index)),
        // Archives need not list their folders.
        None if has_below(&artifact, &located.inside) => Ok(Opened::Tree(artifact, located.inside)),
        None => Err(CommandFailure::usage(format!(
            "there is no `{}` in `{}`",
            located.inside,
            located.path.display()
        ))),
    }
}

fn has_below(artifact: &Artifact, folder: &RepoPath) -> bool {
    artifact.entries().iter().any(|entry| entry.path.strip_prefix(folder).is_some())
}

/// Reads a file on the disk.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = read_file(path, OpenOptions::MAX_FILE_BYTES);
    read.map(|file| file.bytes).map_err(|error| error.to_string())
}
