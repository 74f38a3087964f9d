//! Digests of what the walk found, through the file index; and what is wrong with sources taken
//! together.

use std::os::fd::BorrowedFd;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_planner::{Problem, ScriptReason, Severity, SourceKind};

use super::Request;
use super::request::SourceHashes;
use crate::Workspace;
use crate::index::{FileIndex, IndexEntry, IndexedKind, StateError};
use crate::scan::{
    FileClock, FileKind, FoundFile, MemberRules, Scan, Stamp, hash_files, unreadable,
};

/// What is known of each file of the scan, in its order.
pub(super) struct Hashes {
    /// Digest and kind; `None` for what is no source, or could not be read.
    pub(super) contents: Vec<Option<(Digest, SourceKind)>>,
    /// As of when the digest was taken.
    pub(super) stamps: Vec<Stamp>,
    /// Of what was read, for [`Request::source_hashes`].
    pub(super) source_hashes: SourceHashes,
    /// The index could not be written.
    pub(super) trouble: Option<StateError>,
}

/// Looks every file up in the index, and reads those whose stamp is not known.
pub(super) fn hash_sources(
    root: BorrowedFd<'_>,
    request: &Request<'_>,
    clock: FileClock,
    members: &[MemberRules],
    selected: &[bool],
    scan: &mut Scan,
) -> Hashes {
    let index_path = request.state_dir.join("index");
    let old = FileIndex::read(&index_path).unwrap_or_else(|damage| {
        scan.problems.push(damage.problem());
        FileIndex::default()
    });
    let mut twice =
        drop_claimed_twice(request.workspace, &mut scan.files, |file| (&file.path, file.member));
    scan.problems.append(&mut twice);
    let mut known: Vec<Option<(Stamp, IndexedKind, Digest)>> = Vec::with_capacity(scan.files.len());
    let mut entries = old.entries.iter().peekable();
    for file in &scan.files {
        while entries.next_if(|entry| entry.path < file.path).is_some() {}
        let entry = entries
            .peek()
            .filter(|entry| entry.path == file.path && entry.stamp == file.stamp)
            // An executable that became a module (by renaming) may say another kind.
            .filter(|entry| file.kind == FileKind::Executable || entry.kind == IndexedKind::Source);
        known.push(entry.map(|entry| (entry.stamp, entry.kind, entry.digest)));
    }
    let unknown: Vec<usize> =
        known.iter().enumerate().filter(|(_, known)| known.is_none()).map(|(at, _)| at).collect();
    let files: Vec<&FoundFile> = unknown.iter().filter_map(|at| scan.files.get(*at)).collect();
    let results = hash_files(root, &files, &request.source_hashes, request.threads);
    let mut source_hashes = SourceHashes::new();
    for (at, result) in unknown.iter().zip(results) {
        let (Some(file), Some(slot)) = (scan.files.get(*at), known.get_mut(*at)) else { continue };
        match result {
            Ok(hashed) => {
                let is_source = file.kind != FileKind::Executable || hashed.python_shebang;
                let kind = if is_source { IndexedKind::Source } else { IndexedKind::Other };
                *slot = Some((hashed.stamp, kind, hashed.digest));
                for (release, hash) in request.source_hashes.iter().zip(hashed.source_hashes) {
                    source_hashes.insert((release.minor(), hashed.digest), hash);
                }
            }
            // Gone since the walk; its folder's stamp shows it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                if file.kind != FileKind::Executable {
                    scan.problems.push(unreadable("file", &file.path, &error));
                    scan.blind.push(file.path.clone());
                    scan.out_of_scope.insert(file.path.clone());
                }
            }
        }
    }
    let trouble = if unknown.is_empty() && old.entries.len() == scan.files.len() {
        None
    } else {
        let new = merge(&old, request, clock, members, selected, scan, &known);
        (new != old).then(|| new.write(&index_path).err()).flatten()
    };
    let stamps = known
        .iter()
        .zip(&scan.files)
        .map(|(known, file)| known.map_or(file.stamp, |(stamp, _, _)| stamp))
        .collect();
    let contents = known
        .iter()
        .zip(&scan.files)
        .map(|(known, file)| match (known, file.kind) {
            (Some((_, IndexedKind::Source, digest)), FileKind::Source(kind)) => {
                Some((*digest, kind))
            }
            (Some((_, IndexedKind::Source, digest)), FileKind::Executable) => {
                Some((*digest, SourceKind::Script(ScriptReason::Shebang)))
            }
            _ => None,
        })
        .collect();
    Hashes { contents, stamps, source_hashes, trouble }
}

/// The new index: what is known now, without what is too young to be trusted, and what was known
/// of members that are not selected.
fn merge(
    old: &FileIndex,
    request: &Request<'_>,
    clock: FileClock,
    members: &[MemberRules],
    selected: &[bool],
    scan: &Scan,
    known: &[Option<(Stamp, IndexedKind, Digest)>],
) -> FileIndex {
    let mut entries: Vec<IndexEntry> = Vec::with_capacity(scan.files.len());
    for (file, known) in scan.files.iter().zip(known) {
        if let Some((stamp, kind, digest)) = *known
            && clock.is_safe(&stamp)
        {
            entries.push(IndexEntry { path: file.path.clone(), stamp, kind, digest });
        }
    }
    if !request.packages.is_empty() {
        let others = old.entries.iter().filter(|entry| {
            owner(&entry.path, members).is_some_and(|at| selected.get(at) == Some(&false))
        });
        entries.extend(others.cloned());
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.dedup_by(|a, b| a.path == b.path);
    }
    FileIndex { entries }
}

/// The member that holds this path most closely.
pub(crate) fn owner(path: &RepoPath, members: &[MemberRules]) -> Option<usize> {
    members
        .iter()
        .enumerate()
        .filter_map(|(at, member)| member.closeness(path).map(|closeness| (closeness, at)))
        // Of equals the first, as the walk gives files to it.
        .max_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))
        .map(|(_, at)| at)
}

/// Discovery sees to it that no file belongs to two members; if one does, it is said, and the
/// first has it. `of` knows path and member of each of `files`, which are in that order.
pub(crate) fn drop_claimed_twice<T>(
    workspace: &Workspace,
    files: &mut Vec<T>,
    of: impl Fn(&T) -> (&RepoPath, u32),
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name = |member: u32| {
        workspace.members.get(member as usize).map_or("?", |member| member.name.as_str())
    };
    let mut said: Vec<(u32, u32)> = Vec::new();
    files.dedup_by(|later, first| {
        let ((later, second), (path, first)) = (of(later), of(first));
        let twice = later == path;
        if twice && second != first && !said.contains(&(first, second)) {
            said.push((first, second));
            problems.push(Problem {
                severity: Severity::Error,
                path: Some(path.clone()),
                message: format!(
                    "two members claim this file: `{}` and `{}`",
                    name(first),
                    name(second)
                ),
                hint: Some("exclude it from one of them".to_owned()),
            });
        }
        twice
    });
    problems
}

/// `pkg.py` beside `pkg/__init__.py`: one name, two sources. `paths` are in order, in which what begins with
/// `pkg.` is all that stands between `pkg.py` and what is in `pkg`.
pub(crate) fn two_sources<'a>(paths: impl Iterator<Item = &'a RepoPath> + Clone) -> Vec<Problem> {
    let mut found: Vec<(&RepoPath, &RepoPath)> = Vec::new();
    let mut rest = paths;
    while let Some(module) = rest.next() {
        let Some(name) = module.as_bytes().strip_suffix(b".py") else { continue };
        let below = |path: &'a RepoPath| path.as_bytes().strip_prefix(name);
        let package = rest
            .clone()
            .map_while(|path| Some((path, below(path)?)))
            .take_while(|(_, rest)| *rest <= b"/__init__.py".as_slice())
            .find(|(_, rest)| *rest == b"/__init__.py");
        found.extend(package.map(|(package, _)| (package, module)));
    }
    found.sort();
    let problems = found.into_iter().map(|(package, module)| Problem {
        severity: Severity::Warning,
        path: Some(module.clone()),
        message: format!("one module has two sources: this file and `{package}`"),
        hint: Some("Python imports the package and never this file".to_owned()),
    });
    problems.collect()
}
