//! The parallel walk: from each selected member's folders downwards, one folder a task. Knows
//! nothing of file contents, except `.gitignore` files.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytekiln_action::RepoPath;
use bytekiln_planner::{OutputPath, Problem, RootId, ScriptReason, Severity, Skipped, SourceKind};
use rustix::fs::FileType;
use twox_hash::XxHash3_64;

use super::case::case_clashes;
use super::directory::{Directory, Links};
use super::ignores::{IgnoreLayer, read_layer};
use super::rules::is_passed_over;
use super::{MemberRules, Scope, Stamp};
use crate::path::absolute;

const PYCACHE: &[u8] = b"__pycache__";
const GITIGNORE: &[u8] = b".gitignore";

/// What to walk.
pub(crate) struct WalkRequest<'a> {
    /// The workspace, open.
    pub(crate) root: BorrowedFd<'a>,
    /// The workspace, absolute.
    pub(crate) root_path: &'a Path,
    /// All members.
    pub(crate) members: &'a [MemberRules],
    /// Which of them to walk.
    pub(crate) selected: &'a [bool],
    /// Folders never entered: output trees, the state.
    pub(crate) closed: &'a BTreeSet<RepoPath>,
    /// What for.
    pub(crate) wanted: Wanted,
    /// How many threads.
    pub(crate) threads: NonZeroUsize,
}

/// What a walk looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Sources, and the caches beside them.
    Caches {
        /// `m.pyc` beside `m.py` are outputs.
        legacy: bool,
    },
    /// Whatever an import can find; no caches.
    Modules,
    /// Whatever can be shipped; no caches.
    Contents,
    /// As [`Wanted::Modules`], in a folder that was installed: `.gitignore` files are not about it, links to files
    /// may lead anywhere (uv can install so), and programs without a suffix are nobody's.
    Installed,
}

impl Wanted {
    fn legacy(self) -> bool {
        self == Wanted::Caches { legacy: true }
    }

    fn caches(self) -> bool {
        matches!(self, Wanted::Caches { .. })
    }
}

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

/// A file that is, or may be, a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    pub(crate) path: RepoPath,
    pub(crate) stamp: Stamp,
    pub(crate) member: u32,
    pub(crate) kind: FileKind,
}

/// A folder that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFolder {
    pub(crate) path: RepoPath,
    pub(crate) stamp: Stamp,
    /// Its `.gitignore`.
    pub(crate) ignore_file: Option<Stamp>,
    /// Its `__pycache__`.
    pub(crate) cache: Option<Stamp>,
    /// Of the names in it that matter (see [`entries_hash`]).
    pub(crate) entries: u64,
}

/// A `.pyc`, or what has its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundOutput {
    pub(crate) path: OutputPath,
    pub(crate) stamp: Stamp,
    pub(crate) is_file: bool,
}

/// Everything that a walk finds, each list by path.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) files: Vec<FoundFile>,
    pub(crate) folders: Vec<FoundFolder>,
    pub(crate) outputs: Vec<FoundOutput>,
    /// Python files of listed folders that are not sources, where there are caches.
    pub(crate) out_of_scope: BTreeSet<RepoPath>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) problems: Vec<Problem>,
    /// Further files, there or not, whose change would change the scan.
    pub(crate) watched: Vec<RepoPath>,
    /// Folders and files that could not be read: of what is there nothing is known.
    pub(crate) blind: Vec<RepoPath>,
}

struct Task {
    path: RepoPath,
    member: u32,
    ignores: Option<Arc<IgnoreLayer>>,
    /// A folder at which the walk begins.
    is_start: bool,
}

struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueState {
    tasks: Vec<Task>,
    /// How many folders are being listed.
    busy: usize,
    /// How many threads have nothing to do: only then is there anyone to be woken.
    waiting: usize,
}

/// Walks. Never fails as a whole: what cannot be read is a problem in the result.
pub(crate) fn walk(request: &WalkRequest<'_>) -> Scan {
    let walker = Walker { request, claims: claims(request.members) };
    let mut scan = Scan::default();
    let tasks = walker.starts(&mut scan);
    let queue = Queue {
        state: Mutex::new(QueueState { tasks, ..QueueState::default() }),
        changed: Condvar::new(),
    };
    let results = std::thread::scope(|scope| {
        let others: Vec<_> =
            (1..request.threads.get()).map(|_| scope.spawn(|| walker.work(&queue))).collect();
        let mut results = vec![walker.work(&queue)];
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    for mut result in results {
        scan.files.append(&mut result.files);
        scan.folders.append(&mut result.folders);
        scan.outputs.append(&mut result.outputs);
        scan.out_of_scope.append(&mut result.out_of_scope);
        scan.skipped.append(&mut result.skipped);
        scan.problems.append(&mut result.problems);
        scan.watched.append(&mut result.watched);
        scan.blind.append(&mut result.blind);
    }
    // Merges: each thread has sorted its own.
    scan.files.sort_by(|a, b| (&a.path, a.member).cmp(&(&b.path, b.member)));
    scan.folders.sort_by(|a, b| a.path.cmp(&b.path));
    scan.folders.dedup_by(|a, b| a.path == b.path);
    scan.outputs.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    scan.outputs.dedup_by(|a, b| a.path == b.path);
    scan.skipped.sort();
    scan.skipped.dedup();
    scan.problems.sort();
    scan.problems.dedup();
    scan.watched.sort();
    scan.watched.dedup();
    scan
}

/// Every folder that some member calls its own.
fn claims(members: &[MemberRules]) -> BTreeMap<RepoPath, Vec<usize>> {
    let mut claims: BTreeMap<RepoPath, Vec<usize>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        claims.entry(member.path().clone()).or_default().push(index);
        for start in member.starts() {
            claims.entry(start).or_default().push(index);
        }
    }
    claims
}

struct Walker<'a> {
    request: &'a WalkRequest<'a>,
    claims: BTreeMap<RepoPath, Vec<usize>>,
}

impl Walker<'_> {
    fn starts(&self, scan: &mut Scan) -> Vec<Task> {
        let mut tasks = Vec::new();
        let mut layers = BTreeMap::new();
        let members = self.request.members.iter().zip(self.request.selected).enumerate();
        for (index, (member, selected)) in members {
            if !selected {
                continue;
            }
            for path in member.starts() {
                let ignores = self.layers_above(&path, &mut layers, scan);
                let member = u32::try_from(index).unwrap_or(u32::MAX);
                tasks.push(Task { path, member, ignores, is_start: true });
            }
        }
        tasks
    }

    /// The `.gitignore` files of the folders above a start, those above the workspace included if
    /// the workspace is part of a larger git repository.
    fn layers_above(
        &self,
        start: &RepoPath,
        known: &mut BTreeMap<RepoPath, Option<Arc<IgnoreLayer>>>,
        scan: &mut Scan,
    ) -> Option<Arc<IgnoreLayer>> {
        if self.request.wanted == Wanted::Installed {
            return None;
        }
        let Some(parent) = start.parent() else {
            return above_workspace(self.request.root_path, &mut scan.problems);
        };
        if let Some(layer) = known.get(&parent) {
            return layer.clone();
        }
        let above = self.layers_above(&parent, known, scan);
        let layer = self.own_layer(&parent, above, scan);
        scan.watched.push(parent.join(GITIGNORE));
        known.insert(parent, layer.clone());
        layer
    }

    fn own_layer(
        &self,
        folder: &RepoPath,
        above: Option<Arc<IgnoreLayer>>,
        scan: &mut Scan,
    ) -> Option<Arc<IgnoreLayer>> {
        let path = folder.join(GITIGNORE);
        let file = absolute(self.request.root_path, &path);
        if !file.is_file() {
            return above;
        }
        let (layer, trouble) = read_layer(&file, folder, b"", above);
        if let Some(message) = trouble {
            scan.problems.push(warning(path, message));
        }
        layer
    }

    fn work(&self, queue: &Queue) -> Scan {
        let mut scan = Scan::default();
        loop {
            let mut state = queue.state.lock().unwrap_or_else(PoisonError::into_inner);
            let task = loop {
                if let Some(task) = state.tasks.pop() {
                    state.busy += 1;
                    break task;
                }
                if state.busy == 0 {
                    drop(state);
                    // Each list is nearly in order; all of them are merged in the end.
                    scan.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
                    scan.folders.sort_unstable_by(|a, b| a.path.cmp(&b.path));
                    return scan;
                }
                state.waiting += 1;
                state = queue.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
            };
            drop(state);
            // Counts the task as done even if it panics: the others must not wait for ever.
            let mut done = Done { queue, found: Vec::new() };
            self.folder(&task, &mut done.found, &mut scan);
        }
    }

    fn folder(&self, task: &Task, tasks: &mut Vec<Task>, scan: &mut Scan) {
        let links = if task.is_start { Links::Follow } else { Links::Refuse };
        let directory = match Directory::read(self.request.root, &task.path, links) {
            Ok(directory) => directory,
            // Gone since its parent was listed: the tree changes, and so would the parent's stamp.
            Err(error) if !task.is_start && error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => {
                scan.problems.push(unreadable("folder", &task.path, &error));
                scan.watched.push(task.path.clone());
                scan.blind.push(task.path.clone());
                return;
            }
        };
        let Some(member) = self.request.members.get(task.member as usize) else { return };
        let has = |name: &[u8]| directory.entries().any(|(entry, _)| entry == name);
        if !task.is_start && has(b"pyvenv.cfg") && !member.names(&task.path) {
            scan.watched.push(task.path.join(b"pyvenv.cfg"));
            return;
        }
        let mut folder = FoundFolder {
            path: task.path.clone(),
            stamp: directory.stamp,
            ignore_file: None,
            cache: None,
            entries: hash_entries(&directory, &task.path, self.request.closed),
        };
        let mut ignores = task.ignores.clone();
        let wanted = self.request.wanted;
        if wanted != Wanted::Installed && has(GITIGNORE) {
            folder.ignore_file =
                directory.stamp_of(GITIGNORE, Links::Follow).ok().map(|(stamp, _)| stamp);
            ignores = self.own_layer(&task.path, ignores, scan);
        }
        let is_cache = |(name, kind): (&[u8], FileType)| name == PYCACHE && may_be_folder(kind);
        if wanted.caches() && directory.entries().any(is_cache) {
            folder.cache = self.caches(&task.path, scan);
        }
        let mut visit = Visit {
            walker: self,
            member,
            task,
            directory: &directory,
            ignores,
            has_caches: folder.cache.is_some() || wanted.legacy(),
            names: Vec::new(),
        };
        for (name, kind) in directory.entries() {
            visit.entry(name, kind, tasks, scan);
        }
        let names = visit.names;
        if wanted != Wanted::Installed {
            case_clashes(&task.path, &names, &mut scan.problems);
        }
        scan.folders.push(folder);
    }

    /// Lists a `__pycache__`.
    fn caches(&self, folder: &RepoPath, scan: &mut Scan) -> Option<Stamp> {
        let path = folder.join(PYCACHE);
        let directory = match Directory::read(self.request.root, &path, Links::Refuse) {
            Ok(directory) => directory,
            Err(error) => {
                scan.problems.push(unreadable("folder", &path, &error));
                scan.blind.push(folder.clone());
                return None;
            }
        };
        for (name, _) in directory.entries() {
            if name.ends_with(b".pyc")
                && let Ok((stamp, kind)) = directory.stamp_of(name, Links::Refuse)
            {
                let path = OutputPath { root: RootId::WORKSPACE, path: path.join(name) };
                scan.outputs.push(FoundOutput { path, stamp, is_file: kind.is_file() });
            }
        }
        Some(directory.stamp)
    }

    /// Whether the folder is more closely another member's.
    fn is_anothers(&self, path: &RepoPath, own: &MemberRules) -> bool {
        let Some(owners) = self.claims.get(path) else { return false };
        owners.iter().any(|owner| {
            self.request
                .members
                .get(*owner)
                .is_some_and(|other| other.closeness(path) > own.closeness(path))
        })
    }
}

struct Done<'a> {
    queue: &'a Queue,
    /// What is to be done next.
    found: Vec<Task>,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.busy -= 1;
        state.tasks.append(&mut self.found);
        if state.waiting > 0 && (state.busy == 0 || !state.tasks.is_empty()) {
            self.queue.changed.notify_all();
        }
    }
}

/// One folder's entries being looked at.
struct Visit<'a> {
    walker: &'a Walker<'a>,
    member: &'a MemberRules,
    task: &'a Task,
    directory: &'a Directory,
    ignores: Option<Arc<IgnoreLayer>>,
    has_caches: bool,
    /// Of sources and folders, to find those that differ in case only.
    names: Vec<Vec<u8>>,
}

impl Visit<'_> {
    fn entry(&mut self, name: &[u8], kind: FileType, tasks: &mut Vec<Task>, scan: &mut Scan) {
        let kind = match kind {
            FileType::Unknown => match self.directory.stamp_of(name, Links::Refuse) {
                Ok((_, kind)) => kind,
                Err(_) => return,
            },
            known => known,
        };
        if kind.is_dir() {
            if name != PYCACHE {
                self.folder(name, tasks, scan);
            }
        } else if kind.is_symlink() {
            self.link(name, scan);
        } else if self.walker.request.wanted.legacy() && name.ends_with(b".pyc") {
            if let Ok((stamp, kind)) = self.directory.stamp_of(name, Links::Refuse) {
                let path = OutputPath { root: RootId::WORKSPACE, path: self.task.path.join(name) };
                scan.outputs.push(FoundOutput { path, stamp, is_file: kind.is_file() });
            }
        } else if let Some(source) = by_name(name, self.walker.request.wanted) {
            if kind.is_file() {
                self.file(name, source, Links::Refuse, scan);
            } else if source != FileKind::Executable {
                self.passed_over(name, scan);
                scan.skipped.push(Skipped::NotARegularFile { path: self.task.path.join(name) });
            }
        }
    }

    fn folder(&mut self, name: &[u8], tasks: &mut Vec<Task>, scan: &mut Scan) {
        let path = self.task.path.join(name);
        if is_passed_over(name) && !self.member.names(&path) {
            return;
        }
        if self.walker.request.closed.contains(&path)
            || self.walker.is_anothers(&path, self.member)
            || self.is_ignored(&path, true)
        {
            return;
        }
        match self.member.folder(&path) {
            Scope::In => {
                self.names.push(name.to_vec());
                let (member, ignores) = (self.task.member, self.ignores.clone());
                tasks.push(Task { path, member, ignores, is_start: false });
            }
            Scope::NotIncluded => {}
            Scope::Excluded(glob) => {
                scan.skipped.push(Skipped::Excluded { path, glob: glob.to_owned() });
            }
        }
    }

    fn file(&mut self, name: &[u8], kind: FileKind, links: Links, scan: &mut Scan) {
        let path = self.task.path.join(name);
        let scope = self.member.file(&path);
        if scope != Scope::In || self.is_ignored(&path, false) {
            self.passed_over(name, scan);
            if let Scope::Excluded(glob) = scope
                && kind != FileKind::Executable
            {
                scan.skipped.push(Skipped::Excluded { path, glob: glob.to_owned() });
            }
            return;
        }
        // A file that has gone since the listing changed its folder's stamp as well.
        let Ok((stamp, file_type)) = self.directory.stamp_of(name, links) else { return };
        if !file_type.is_file() || (kind == FileKind::Executable && !stamp.is_executable()) {
            return;
        }
        if kind != FileKind::Executable {
            self.names.push(name.to_vec());
        }
        scan.files.push(FoundFile { path, stamp, member: self.task.member, kind });
    }

    /// A link to a file of the workspace is a source of its own, because CPython imports it under
    /// the link's name and gives it a cache of its own. A link to a folder is not entered.
    fn link(&mut self, name: &[u8], scan: &mut Scan) {
        let path = self.task.path.join(name);
        if name.starts_with(b".") || self.is_ignored(&path, true) || self.is_ignored(&path, false) {
            self.passed_over(name, scan);
            return;
        }
        let wanted = self.walker.request.wanted;
        let source = by_name(name, wanted).filter(|kind| *kind != FileKind::Executable);
        if wanted == Wanted::Installed {
            if let Some(kind) = source {
                self.file(name, kind, Links::Follow, scan);
            }
            return;
        }
        let root = self.walker.request.root_path;
        let Ok(target) = std::fs::canonicalize(absolute(root, &path)) else {
            self.passed_over(name, scan);
            scan.watched.push(path.clone());
            scan.skipped.push(Skipped::BrokenLink { path });
            return;
        };
        let is_folder = target.is_dir();
        match crate::path::below(root, &target) {
            Some(to) if is_folder => {
                scan.skipped.push(Skipped::LinkInsideWorkspace { path, to });
            }
            Some(_) => {
                if let Some(kind) = source {
                    self.file(name, kind, Links::Follow, scan);
                }
            }
            None if is_folder || source.is_some() => {
                self.passed_over(name, scan);
                let to = crate::path::show(&target);
                scan.skipped.push(Skipped::LinkLeavesWorkspace { path, to });
            }
            None => {}
        }
    }

    /// Caches of a Python file that is not in scope are no orphans.
    fn passed_over(&self, name: &[u8], scan: &mut Scan) {
        if self.has_caches && name.ends_with(b".py") {
            scan.out_of_scope.insert(self.task.path.join(name));
        }
    }

    fn is_ignored(&self, path: &RepoPath, is_folder: bool) -> bool {
        self.ignores.as_ref().is_some_and(|ignores| ignores.ignores(path, is_folder))
    }
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
    Directory::read(root, path, links)
        .map(|directory| (directory.stamp, hash_entries(&directory, path, closed)))
}

fn hash_entries(directory: &Directory, path: &RepoPath, closed: &BTreeSet<RepoPath>) -> u64 {
    let mut sum = 0_u64;
    for (name, kind) in directory.entries() {
        let is_closed = closed
            .iter()
            .any(|folder| folder.file_name() == name && folder.parent().as_ref() == Some(path));
        if name == PYCACHE || name.ends_with(b".pyc") || is_closed {
            continue;
        }
        let seed = u64::from(kind.as_raw_mode());
        sum = sum.wrapping_add(XxHash3_64::oneshot_with_seed(seed, name));
    }
    sum
}

fn may_be_folder(kind: FileType) -> bool {
    kind.is_dir() || kind == FileType::Unknown
}

/// Hidden files are nobody's sources: editors keep their locks and backups so.
fn by_name(name: &[u8], wanted: Wanted) -> Option<FileKind> {
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

fn above_workspace(root: &Path, problems: &mut Vec<Problem>) -> Option<Arc<IgnoreLayer>> {
    let mut above = Vec::new();
    let repository = root.ancestors().find(|folder| folder.join(".git").exists())?;
    let mut folder = root.parent();
    while let Some(here) = folder {
        if !here.starts_with(repository) {
            break;
        }
        above.push(here);
        folder = here.parent();
    }
    let mut layer = None;
    for folder in above.into_iter().rev() {
        let file = folder.join(".gitignore");
        let lead = root.strip_prefix(folder).unwrap_or(Path::new(""));
        if file.is_file() {
            let lead = crate::path::bytes(lead).to_vec();
            let (next, trouble) = read_layer(&file, &RepoPath::default(), &lead, layer);
            layer = next;
            if let Some(message) = trouble {
                problems.push(Problem {
                    severity: Severity::Warning,
                    path: None,
                    message: format!("`{}`: {message}", crate::path::show(&file)),
                    hint: None,
                });
            }
        }
    }
    layer
}

fn warning(path: RepoPath, message: String) -> Problem {
    Problem { severity: Severity::Warning, path: Some(path), message, hint: None }
}

/// The build goes on with the rest.
pub(crate) fn unreadable(what: &str, path: &RepoPath, error: &std::io::Error) -> Problem {
    Problem {
        severity: Severity::Error,
        path: Some(path.clone()),
        message: format!("{what} cannot be read: {error}"),
        hint: None,
    }
}
