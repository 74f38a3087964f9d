//! Keeps a graph while it is already in use: whoever asked has the answer before it is on the disk. A graph
//! whose stamps are too young to be trusted is not kept. Knows nothing of how a graph is made.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytekiln_action::RepoPath;
use bytekiln_graph::Graph;

use super::content::{Content, Records};
use super::snapshot::{SeenFolder, Snapshot};
use super::trees::TreeFile;
use crate::index::StateError;
use crate::load::open_folder;
use crate::path::{absolute, bytes};
use crate::scan::{FileClock, Links, file_clock, stamp_and_entries};

/// More folders than these were not made young by the state folder that was put into one of them.
const FEW: usize = 8;

/// Work that goes on beside; whoever drops it waits until it is done. What it was done with is given back
/// only then, not beside the answer: that takes as long again, and a process that ends can spare it.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    working: Option<JoinHandle<(Option<StateError>, Box<Keep>)>>,
    /// Only to be given back.
    rest: Option<Box<Keep>>,
}

impl Keeping {
    /// With one thread the work is done at once.
    pub(super) fn start(threads: NonZeroUsize, keep: Box<Keep>) -> (Keeping, Option<StateError>) {
        if threads.get() == 1 {
            let (trouble, rest) = keep.run();
            return (Keeping { working: None, rest: Some(rest) }, trouble);
        }
        let working = Some(std::thread::spawn(move || keep.run()));
        (Keeping { working, rest: None }, None)
    }

    /// Waits until it is done; what went wrong is told once.
    pub(super) fn finish(&mut self) -> Option<StateError> {
        match self.working.take()?.join() {
            Ok((trouble, rest)) => {
                self.rest = Some(rest);
                trouble
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        if let Some(thread) = self.working.take() {
            // A panic there has been told on standard error, and costs the next load its head start.
            let _ = thread.join();
        }
    }
}

/// A graph, and what it was made of.
#[derive(Debug)]
pub(super) struct Keep {
    pub(super) state_dir: PathBuf,
    pub(super) root: PathBuf,
    pub(super) closed: BTreeSet<RepoPath>,
    /// Taken before anything was looked at.
    pub(super) clock: FileClock,
    pub(super) files: Vec<TreeFile>,
    pub(super) contents: Vec<Content>,
    #[expect(dead_code, reason = "only to be given back, when all else is done")]
    pub(super) records: Records,
    pub(super) snapshot: Snapshot,
    pub(super) graph: Arc<Graph>,
}

impl Keep {
    /// Writes, and gives back what it wrote from.
    fn run(mut self: Box<Self>) -> (Option<StateError>, Box<Keep>) {
        if !self.is_old() {
            return (None, self);
        }
        self.fill();
        let source = |at: u32| {
            let (file, content) = (self.files.get(at as usize)?, self.contents.get(at as usize)?);
            Some((file.path.file_name(), content.stamp))
        };
        let trouble = self.snapshot.write(&self.state_dir, &self.graph, &source).err();
        (trouble, self)
    }

    /// Whether every stamp is old enough to be trusted.
    fn is_old(&self) -> bool {
        let clock = self.clock;
        let mut contents = self.contents.iter().zip(&self.files).filter(|(_, file)| file.is_read());
        let folders = &self.snapshot.folders;
        // What could not be read may have none.
        contents.all(|(content, _)| content.stamp.is_taken() && clock.is_safe(&content.stamp))
            && folders
                .iter()
                .all(|folder| folder.ignore_file.iter().all(|stamp| clock.is_safe(stamp)))
            && self
                .snapshot
                .watches
                .iter()
                .all(|watch| watch.stamp.is_none_or(|stamp| clock.is_safe(&stamp)))
            && self.young_folders_are_as_they_were()
    }

    /// A state folder that this load made has changed the folder that it lies in, perhaps in the very tick
    /// of the clock. So that folder is listed once more when the tick has passed: if it has the same
    /// entries, and now an old stamp that is the same, nothing else has happened in it.
    fn young_folders_are_as_they_were(&self) -> bool {
        let folders = self.snapshot.folders.iter();
        let young: Vec<&SeenFolder> =
            folders.filter(|folder| !self.clock.is_safe(&folder.stamp)).take(FEW + 1).collect();
        if young.is_empty() {
            return true;
        }
        if young.len() > FEW {
            return false;
        }
        let nothing = BTreeSet::new();
        let is_past = |clock: FileClock| young.iter().all(|one| clock.is_safe(&one.stamp));
        let read = || file_clock(&self.state_dir, &self.root).unwrap_or_default();
        let mut clocks = std::iter::once_with(read).chain((0..20).map(|_| {
            std::thread::sleep(Duration::from_millis(2));
            read()
        }));
        clocks.any(is_past)
            && young.iter().all(|folder| {
                let (base, closed) = if folder.installed {
                    (PathBuf::from("/"), &nothing)
                } else {
                    (self.root.clone(), &self.closed)
                };
                let Ok(base) = open_folder(&base) else { return false };
                stamp_and_entries(base.as_fd(), &folder.path, closed, Links::Follow)
                    .is_ok_and(|now| now == (folder.stamp, folder.entries))
            })
    }

    /// Puts the sources into their folders.
    fn fill(&mut self) {
        let (folders, trees) = (&mut self.snapshot.folders, &self.snapshot.trees);
        let order = |one: &SeenFolder, other: &SeenFolder| {
            (one.installed, &one.path).cmp(&(other.installed, &other.path))
        };
        folders.sort_by(order);
        let mut last: Option<(u32, &[u8], usize)> = None;
        for (number, file) in (0_u32..).zip(&self.files).filter(|(_, file)| file.is_read()) {
            let parent = file.path.parent_bytes();
            let at = match last {
                Some((tree, path, at)) if (tree, path) == (file.tree, parent) => Ok(at),
                _ => {
                    let below;
                    let path = match trees.get(file.tree as usize) {
                        Some(tree) if file.tree > 0 => {
                            let parent = RepoPath::new(parent).unwrap_or_default();
                            below = absolute(&tree.folder, &parent);
                            let path = bytes(&below);
                            path.strip_prefix(b"/").unwrap_or(path)
                        }
                        _ => parent,
                    };
                    let key = (file.tree > 0, path);
                    folders.binary_search_by(|folder| {
                        (folder.installed, folder.path.as_bytes()).cmp(&key)
                    })
                }
            };
            if let Some(folder) = at.ok().and_then(|at| folders.get_mut(at)) {
                folder.sources.push(number);
            }
            last = at.ok().map(|at| (file.tree, parent, at));
        }
    }
}
