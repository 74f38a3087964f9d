//! What changed since a revision, as the working tree is now. Knows nothing of formats and processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;

use super::git::{Git, shown};
use super::raw::{entries, paths};
use super::{RevisionError, RevisionErrorKind};
use crate::path::from_bytes;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The commit that was compared with: where the revision and `HEAD` parted.
    pub base: String,
    /// Files below the workspace, by path.
    pub files: Vec<ChangedFile>,
    /// Files of the repository that are not below the workspace, absolute.
    pub outside: Vec<PathBuf>,
}

/// A file that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Below the workspace.
    pub path: RepoPath,
    /// How.
    pub status: ChangeStatus,
    /// A submodule, or another repository in this one: git does not say which of its files changed.
    pub is_folder: bool,
}

/// How a file changed. One that was renamed is one deleted and one added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeStatus {
    /// It is new.
    Added,
    /// Its content, mode or kind is another.
    Modified,
    /// It is gone.
    Deleted,
}

/// What changed since `revision` and `HEAD` parted, up to the working tree: committed, staged or not,
/// and untracked files that git does not ignore. `git` is the command, `root` the workspace, which may
/// be any folder of a repository.
///
/// # Errors
/// Git cannot be run, there is no repository, the revision is unknown or has no commit in common with
/// `HEAD`.
pub fn changes_since(git: &Path, root: &Path, revision: &str) -> Result<Changes, RevisionError> {
    let git = Git { command: git, root };
    let place = git.ask(&["rev-parse", "--show-prefix"])?;
    if place.status != Some(0) {
        let said = place.said;
        return Err(RevisionErrorKind::NoRepository { root: root.to_owned(), said }.into());
    }
    let prefix = place.out.strip_suffix(b"\n").unwrap_or(&place.out);
    let base = merge_base(&git, revision)?;
    let arguments = [
        "diff",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--no-relative",
        "--ignore-submodules=none",
        &base,
        "--",
    ];
    let difference = git.must(&arguments)?;
    let untracked =
        git.must(&["ls-files", "-z", "--others", "--exclude-standard", "--full-name"])?;
    let entries = entries(&difference)
        .ok_or_else(|| RevisionErrorKind::Answer { command: shown(&arguments) })?;
    let mut found: BTreeMap<&[u8], (ChangeStatus, bool)> = BTreeMap::new();
    for entry in entries {
        let status = match entry.status {
            b'A' => ChangeStatus::Added,
            b'D' => ChangeStatus::Deleted,
            _ => ChangeStatus::Modified,
        };
        // A file with conflicts is named twice.
        let place = found.entry(entry.path).or_insert((status, false));
        if place.0 != status {
            place.0 = ChangeStatus::Modified;
        }
        place.1 |= entry.is_submodule;
    }
    for path in paths(&untracked) {
        // A repository that is no submodule ends with a slash, and git looks at nothing in it.
        let (path, is_folder) = match path.strip_suffix(b"/") {
            Some(path) => (path, true),
            None => (path, false),
        };
        // Deleted for the index, and yet there.
        let place = found.entry(path).or_insert((ChangeStatus::Added, is_folder));
        if place.0 == ChangeStatus::Deleted {
            place.0 = ChangeStatus::Modified;
        }
    }
    let mut changes = Changes { base, files: Vec::new(), outside: Vec::new() };
    let top = top(root, prefix);
    for (path, (status, is_folder)) in found {
        match path.strip_prefix(prefix).and_then(RepoPath::new) {
            Some(path) => changes.files.push(ChangedFile { path, status, is_folder }),
            None => changes.outside.push(top.join(from_bytes(path))),
        }
    }
    Ok(changes)
}

/// The commit at which the revision and `HEAD` parted.
fn merge_base(git: &Git<'_>, revision: &str) -> Result<String, RevisionError> {
    let shallow = || -> Result<bool, RevisionError> {
        Ok(git.must(&["rev-parse", "--is-shallow-repository"])?.starts_with(b"true"))
    };
    let wanted = format!("{revision}^{{commit}}");
    // No revision begins so, but options do.
    let commit = if revision.starts_with('-') {
        None
    } else {
        let answer = git.ask(&["rev-parse", "--verify", "--quiet", &wanted])?;
        id(&answer.out).filter(|_| answer.status == Some(0))
    };
    let Some(commit) = commit else {
        let shallow = shallow()?;
        return Err(
            RevisionErrorKind::UnknownRevision { revision: revision.to_owned(), shallow }.into()
        );
    };
    let arguments = ["merge-base", &commit, "HEAD"];
    let answer = git.ask(&arguments)?;
    match (answer.status, id(&answer.out)) {
        (Some(0), Some(base)) => Ok(base),
        (Some(1), _) => {
            let shallow = shallow()?;
            Err(RevisionErrorKind::NoMergeBase { revision: revision.to_owned(), shallow }.into())
        }
        _ => {
            Err(RevisionErrorKind::Failed { command: shown(&arguments), said: answer.said }.into())
        }
    }
}

/// The first line, if it names an object.
fn id(out: &[u8]) -> Option<String> {
    let line = out.split(|byte| *byte == b'\n').next()?;
    let is_id = line.len() >= 40 && line.iter().all(u8::is_ascii_hexdigit);
    is_id.then(|| String::from_utf8_lossy(line).into_owned())
}

/// The folder of the repository: that of the workspace without the way to it.
fn top(root: &Path, prefix: &[u8]) -> PathBuf {
    let depth = prefix.iter().filter(|byte| **byte == b'/').count();
    root.ancestors().nth(depth).unwrap_or(root).to_owned()
}
