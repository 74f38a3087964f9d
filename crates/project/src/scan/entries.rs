//! What entries of a folder are, as far as their names and types tell, and the one number that says whether
//! they are the same as before. Knows nothing of members.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;

use bytekiln_action::RepoPath;
use bytekiln_planner::{ScriptReason, SourceKind};
use rustix::fs::FileType;
use twox_hash::XxHash3_64;

use super::directory::{Directory, Links, Names};
use super::{Stamp, Wanted};

pub(super) const PYCACHE: &[u8] = b"__pycache__";

/// What a file may be, told from its name and mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A source.
    Source(SourceKind),
    /// Executable, without a suffix: a source if its first line says so.
    Executable,
    /// `.pyi`, where modules are wanted.
    Stub,
    /// `.so` or `.pyd`, where modules are wanted.
    Extension,
    /// Anything else, where contents are wanted.
    Data,
}

/// The names and types in a folder that a scan depends on, as one number: everything but caches,
/// which builds and interpreters make and remove. Independent of the order of the listing.
/// Output trees and the state, in `closed`, come with the first build and do not count either.
pub(crate) fn entries_hash(
    root: BorrowedFd<'_>,
    path: &RepoPath,
    closed: &BTreeSet<RepoPath>,
) -> std::io::Result<u64> {
    stamp_and_entries(root, path, closed, Links::Follow).map(|(_, entries)| entries)
}

/// The same with the stamp that the folder had before it was listed.
pub(crate) fn stamp_and_entries(
    root: BorrowedFd<'_>,
    path: &RepoPath,
    closed: &BTreeSet<RepoPath>,
    links: Links,
) -> std::io::Result<(Stamp, u64)> {
    let mut names = Names::default();
    Directory::read(root, path, links, &mut names)
        .map(|directory| (directory.stamp, hash_entries(&directory, path, closed)))
}

pub(super) fn hash_entries(
    directory: &Directory<'_>,
    path: &RepoPath,
    closed: &BTreeSet<RepoPath>,
) -> u64 {
    // Those in this folder, of which there hardly ever is one.
    let closed: Vec<&[u8]> = closed
        .iter()
        .filter(|folder| folder.parent_bytes() == path.as_bytes())
        .map(RepoPath::file_name)
        .collect();
    let mut sum = 0_u64;
    for (name, kind) in directory.entries() {
        if name == PYCACHE || name.ends_with(b".pyc") || closed.contains(&name) {
            continue;
        }
        let seed = u64::from(kind.as_raw_mode());
        sum = sum.wrapping_add(XxHash3_64::oneshot_with_seed(seed, name));
    }
    sum
}

pub(super) fn may_be_folder(kind: FileType) -> bool {
    kind.is_dir() || kind == FileType::Unknown
}

/// Hidden files are nobody's sources: editors keep their locks and backups so.
pub(super) fn by_name(name: &[u8], wanted: Wanted) -> Option<FileKind> {
    if name.starts_with(b".") {
        return None;
    }
    if matches!(wanted, Wanted::Modules | Wanted::Installed) {
        if name.ends_with(b".pyi") {
            return Some(FileKind::Stub);
        }
        if name.ends_with(b".so") || name.ends_with(b".pyd") {
            // `libssl-3.so` is no module, whatever lies beside it.
            let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default();
            return bytekiln_python::is_module_name(stem).then_some(FileKind::Extension);
        }
    }
    if let Some(stem) = name.strip_suffix(b".py") {
        let is_module = bytekiln_python::is_module_name(stem);
        return Some(FileKind::Source(if is_module {
            SourceKind::Module
        } else {
            SourceKind::Script(ScriptReason::NotAModuleName)
        }));
    }
    if name.ends_with(b".pyw") {
        return Some(FileKind::Source(SourceKind::Script(ScriptReason::NotAModuleName)));
    }
    match wanted {
        Wanted::Contents => (!is_bytecode(name)).then_some(FileKind::Data),
        Wanted::Installed => None,
        Wanted::Caches { .. } | Wanted::Modules => {
            (!name.contains(&b'.')).then_some(FileKind::Executable)
        }
    }
}

/// Made by interpreters of today, and by those of old with `-O`.
fn is_bytecode(name: &[u8]) -> bool {
    name.ends_with(b".pyc") || name.ends_with(b".pyo")
}
