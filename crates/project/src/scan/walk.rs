//! The parallel walk: from each selected member's folders downwards, one folder a task. Knows
//! nothing of file contents, except `.gitignore` files.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use bytekiln_action::RepoPath;
use bytekiln_planner::{OutputPath, Problem, RootId, Severity, Skipped};
use rustix::fs::FileType;

use super::case::{case_clashes, may_fold};
use super::directory::{Directory, Links, Names};
use super::entries::{PYCACHE, by_name, hash_entries, may_be_folder};
use super::ignores::{IgnoreLayer, read_layer};
use super::order::{Listings, in_order};
use super::queue::{Done, Queue, Task};
use super::rules::is_passed_over;
use super::{FileKind, MemberRules, Scope, Stamp};
use crate::path::absolute;

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
    /// Whether anyone will compare stamps of modules. Else a module that the listing says is a regular file is
    /// not looked at, and has none yet: who reads it takes the stamp of the file that it has open.
    pub(crate) stamps: bool,
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

/// A file that is, or may be, a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    pub(crate) path: RepoPath,
    /// See [`WalkRequest::stamps`].
    pub(crate) stamp: Stamp,
    pub(crate) member: u32,
    pub(crate) kind: FileKind,
}

/// A folder that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFolder {
    pub(crate) path: RepoPath,
    pub(crate) stamp: Stamp,
    /// Its `.gitignore`. Few have one: the room of a stamp each would be a third of the list.
    pub(crate) ignore_file: Option<Box<Stamp>>,
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

/// Walks. Never fails as a whole: what cannot be read is a problem in the result.
pub(crate) fn walk(request: &WalkRequest<'_>) -> Scan {
    let (mut scan, files) = walk_as(request, |file| file);
    scan.files = files;
    scan
}

/// The same, with the files beside it, each as what `make` makes of it: so whoever keeps them in another form
/// need not have them all in two.
pub(crate) fn walk_as<T: Send>(
    request: &WalkRequest<'_>,
    make: impl Fn(FoundFile) -> T + Sync,
) -> (Scan, Vec<T>) {
    let walker = Walker { request, claims: claims(request.members) };
    let mut scan = Scan::default();
    let tasks = walker.starts(&mut scan);
    let starts = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
    let queue = Queue::new(tasks);
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
    let mut listings = Vec::new();
    for (mut result, listed) in results {
        listings.push(listed);
        scan.outputs.append(&mut result.outputs);
        scan.out_of_scope.append(&mut result.out_of_scope);
        scan.skipped.append(&mut result.skipped);
        scan.problems.append(&mut result.problems);
        scan.watched.append(&mut result.watched);
        scan.blind.append(&mut result.blind);
    }
    let files;
    (scan.folders, files) = in_order(listings, &queue, starts, request.threads, make);
    scan.outputs.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    scan.outputs.dedup_by(|a, b| a.path == b.path);
    scan.skipped.sort();
    scan.skipped.dedup();
    scan.problems.sort();
    scan.problems.dedup();
    scan.watched.sort();
    scan.watched.dedup();
    (scan, files)
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
                tasks.push(Task { path, member, ignores, is_start: true, number: 0, before: 0 });
            }
        }
        // As most of what is found there will come.
        tasks.sort_by(|a, b| (&a.path, a.member).cmp(&(&b.path, b.member)));
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

    fn work(&self, queue: &Queue) -> (Scan, Listings) {
        let (mut scan, mut listings) = (Scan::default(), Listings::default());
        // Room that is used again for each folder.
        let (mut names, mut below) = (Names::default(), Vec::new());
        while let Some(task) = queue.next() {
            let done = Done { queue, found: &mut below };
            let spot = (task.number, task.before);
            let mut found = Found { files: &mut listings, below: done.found, scan: &mut scan };
            if let Some(folder) = self.folder(task, &mut names, &mut found) {
                listings.folder(spot, folder, done.found, queue);
            }
        }
        (scan, listings)
    }

    fn folder(&self, task: Task, names: &mut Names, found: &mut Found<'_>) -> Option<FoundFolder> {
        let links = if task.is_start { Links::Follow } else { Links::Refuse };
        let mut directory = match Directory::read(self.request.root, &task.path, links, names) {
            Ok(directory) => directory,
            // Gone since its parent was listed: the tree changes, and so would the parent's stamp.
            Err(error) if !task.is_start && error.kind() == std::io::ErrorKind::NotFound => {
                return None;
            }
            Err(error) => {
                let scan = &mut *found.scan;
                scan.problems.push(unreadable("folder", &task.path, &error));
                scan.watched.push(task.path.clone());
                scan.blind.push(task.path);
                return None;
            }
        };
        directory.sort();
        let member = self.request.members.get(task.member as usize)?;
        let has = |name: &[u8]| directory.entries().any(|(entry, _)| entry == name);
        if !task.is_start && has(b"pyvenv.cfg") && !member.names(&task.path) {
            found.scan.watched.push(task.path.join(b"pyvenv.cfg"));
            return None;
        }
        let (mut ignore_file, mut cache) = (None, None);
        let entries = hash_entries(&directory, &task.path, self.request.closed);
        let mut ignores = task.ignores.clone();
        let wanted = self.request.wanted;
        if wanted != Wanted::Installed && has(GITIGNORE) {
            let stamp = directory.stamp_of(GITIGNORE, Links::Follow);
            ignore_file = stamp.ok().map(|(stamp, _)| Box::new(stamp));
            ignores = self.own_layer(&task.path, ignores, found.scan);
        }
        let is_cache = |(name, kind): (&[u8], FileType)| name == PYCACHE && may_be_folder(kind);
        if wanted.caches() && directory.entries().any(is_cache) {
            cache = self.caches(&task.path, found.scan);
        }
        let mut visit = Visit {
            walker: self,
            member,
            task: &task,
            directory: &directory,
            ignores,
            has_caches: cache.is_some() || wanted.legacy(),
            // Where none has a capital, there is nothing to find.
            sees_case: wanted != Wanted::Installed && may_fold(directory.all_names()),
            names: Vec::new(),
        };
        for (name, kind) in directory.entries() {
            visit.entry(name, kind, found);
        }
        case_clashes(&task.path, &visit.names, &mut found.scan.problems);
        let stamp = directory.stamp;
        Some(FoundFolder { path: task.path, stamp, ignore_file, cache, entries })
    }

    /// Lists a `__pycache__`.
    fn caches(&self, folder: &RepoPath, scan: &mut Scan) -> Option<Stamp> {
        let path = folder.join(PYCACHE);
        let mut names = Names::default();
        let directory = match Directory::read(self.request.root, &path, Links::Refuse, &mut names) {
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

/// What is found in a folder, and whatever else there is to say.
struct Found<'a> {
    files: &'a mut Listings,
    below: &'a mut Vec<Task>,
    scan: &'a mut Scan,
}

/// One folder's entries being looked at.
struct Visit<'a> {
    walker: &'a Walker<'a>,
    member: &'a MemberRules,
    task: &'a Task,
    directory: &'a Directory<'a>,
    ignores: Option<Arc<IgnoreLayer>>,
    has_caches: bool,
    sees_case: bool,
    /// Of sources and folders, to find those that differ in case only.
    names: Vec<&'a [u8]>,
}

impl<'a> Visit<'a> {
    fn entry(&mut self, name: &'a [u8], kind: FileType, found: &mut Found<'_>) {
        let is_listed_file = kind.is_file();
        let kind = match kind {
            FileType::Unknown => match self.directory.stamp_of(name, Links::Refuse) {
                Ok((_, kind)) => kind,
                Err(_) => return,
            },
            known => known,
        };
        if kind.is_dir() {
            if name != PYCACHE {
                self.folder(name, found);
            }
        } else if kind.is_symlink() {
            self.link(name, found);
        } else if self.walker.request.wanted.legacy() && name.ends_with(b".pyc") {
            if let Ok((stamp, kind)) = self.directory.stamp_of(name, Links::Refuse) {
                let path = OutputPath { root: RootId::WORKSPACE, path: self.task.path.join(name) };
                let is_file = kind.is_file();
                found.scan.outputs.push(FoundOutput { path, stamp, is_file });
            }
        } else if let Some(source) = by_name(name, self.walker.request.wanted) {
            if kind.is_file() {
                let is_module = matches!(source, FileKind::Source(_) | FileKind::Stub);
                let needs_none = is_listed_file && is_module && !self.walker.request.stamps;
                self.file(name, source, (!needs_none).then_some(Links::Refuse), found);
            } else if source != FileKind::Executable {
                self.passed_over(name, found.scan);
                let path = self.task.path.join(name);
                found.scan.skipped.push(Skipped::NotARegularFile { path });
            }
        }
    }

    fn folder(&mut self, name: &'a [u8], found: &mut Found<'_>) {
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
                self.name(name);
                let (member, ignores) = (self.task.member, self.ignores.clone());
                let (number, before) = (0, 0);
                found.below.push(Task { path, member, ignores, is_start: false, number, before });
            }
            Scope::NotIncluded => {}
            Scope::Excluded(glob) => {
                found.scan.skipped.push(Skipped::Excluded { path, glob: glob.to_owned() });
            }
        }
    }

    fn name(&mut self, name: &'a [u8]) {
        if self.sees_case {
            self.names.push(name);
        }
    }

    /// Without `links` it is not looked at.
    fn file(
        &mut self,
        name: &'a [u8],
        kind: FileKind,
        links: Option<Links>,
        found: &mut Found<'_>,
    ) {
        let stamp = || {
            let Some(links) = links else { return Some(Stamp::default()) };
            let (stamp, file_type) = self.directory.stamp_of(name, links).ok()?;
            let fits = kind != FileKind::Executable || stamp.is_executable();
            (file_type.is_file() && fits).then_some(stamp)
        };
        // Most that have no suffix are texts: no path is made for them.
        if kind == FileKind::Executable && stamp().is_none() {
            return;
        }
        let path = self.task.path.join(name);
        let scope = self.member.file(&path);
        if scope != Scope::In || self.is_ignored(&path, false) {
            self.passed_over(name, found.scan);
            if let Scope::Excluded(glob) = scope
                && kind != FileKind::Executable
            {
                found.scan.skipped.push(Skipped::Excluded { path, glob: glob.to_owned() });
            }
            return;
        }
        // A file that has gone since the listing changed its folder's stamp as well.
        let Some(stamp) = stamp() else { return };
        if kind != FileKind::Executable {
            self.name(name);
        }
        found.files.file(FoundFile { path, stamp, member: self.task.member, kind });
    }

    /// A link to a file of the workspace is a source of its own, because CPython imports it under
    /// the link's name and gives it a cache of its own. A link to a folder is not entered.
    fn link(&mut self, name: &'a [u8], found: &mut Found<'_>) {
        let path = self.task.path.join(name);
        if name.starts_with(b".") || self.is_ignored(&path, true) || self.is_ignored(&path, false) {
            self.passed_over(name, found.scan);
            return;
        }
        let wanted = self.walker.request.wanted;
        let source = by_name(name, wanted).filter(|kind| *kind != FileKind::Executable);
        if wanted == Wanted::Installed {
            if let Some(kind) = source {
                self.file(name, kind, Some(Links::Follow), found);
            }
            return;
        }
        let root = self.walker.request.root_path;
        let Ok(target) = std::fs::canonicalize(absolute(root, &path)) else {
            self.passed_over(name, found.scan);
            found.scan.watched.push(path.clone());
            found.scan.skipped.push(Skipped::BrokenLink { path });
            return;
        };
        let is_folder = target.is_dir();
        match crate::path::below(root, &target) {
            Some(to) if is_folder => {
                found.scan.skipped.push(Skipped::LinkInsideWorkspace { path, to });
            }
            Some(_) => {
                if let Some(kind) = source {
                    self.file(name, kind, Some(Links::Follow), found);
                }
            }
            None if is_folder || source.is_some() => {
                self.passed_over(name, found.scan);
                let to = crate::path::show(&target);
                found.scan.skipped.push(Skipped::LinkLeavesWorkspace { path, to });
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
