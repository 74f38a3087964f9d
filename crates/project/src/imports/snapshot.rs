//! The whole graph, kept with the stamps of everything that it was made from: if nothing has changed,
//! a load costs one `stat` for each folder and source, and one file. One file for each request (target,
//! options, environment), a handful at most; replaced by renaming, so that readers need no lock. Knows
//! nothing of how a graph is made.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_graph::Graph;
use bytekiln_planner::Problem;
use rustix::fs::AtFlags;

use super::request::EnvironmentTree;
use crate::index::{
    Reader, StateError, StateFile, StateWriter, Watch, Writer, put_problems, put_stamp,
    put_watches, read_state, take_optional, take_problem, take_stamp, write_state,
};
use crate::load::open_folder;
use crate::path::{bytes, from_bytes};
use crate::scan::{FileClock, Stamp, entries_hash};

const FILE: StateFile = StateFile { magic: *b"bkgraph\0", version: 2, what: "the kept graph" };

/// How many folders a thread takes at once.
const CHUNK: usize = 128;

/// So many graphs are kept in a state folder.
const MOST: usize = 6;

const PREFIX: &str = "graph-";

/// Bytes of a stamp: see [`put_stamp`].
const STAMP: usize = 36;

/// A folder that was listed, and the sources in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenFolder {
    /// Below the workspace, or below `/` if `installed`.
    pub(super) path: RepoPath,
    pub(super) installed: bool,
    pub(super) stamp: Stamp,
    /// See [`entries_hash`].
    pub(super) entries: u64,
    /// Its `.gitignore`.
    pub(super) ignore_file: Option<Box<Stamp>>,
    /// Numbers of sources.
    pub(super) sources: Vec<u32>,
}

/// What a load came to, and what it depends on.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) key: [u8; 32],
    pub(super) sources: usize,
    pub(super) trees: Vec<EnvironmentTree>,
    pub(super) problems: Vec<Problem>,
    pub(super) watches: Vec<Watch>,
    pub(super) folders: Vec<SeenFolder>,
}

/// A graph that still holds.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) graph: Graph,
    pub(super) sources: usize,
    pub(super) trees: Vec<EnvironmentTree>,
    pub(super) problems: Vec<Problem>,
}

/// What to look up.
pub(super) struct Query<'a> {
    pub(super) state_dir: &'a Path,
    pub(super) root: &'a Path,
    pub(super) key: [u8; 32],
    /// Folders in the workspace that are not entered.
    pub(super) closed: &'a BTreeSet<RepoPath>,
    /// Taken before the stamps are compared.
    pub(super) clock: FileClock,
    pub(super) threads: NonZeroUsize,
}

/// Where the graph of a request is kept.
pub(super) fn path(state_dir: &Path, key: &[u8; 32]) -> PathBuf {
    let name: String = key.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    state_dir.join(format!("{PREFIX}{name}"))
}

impl Snapshot {
    /// Writes the file, and removes the oldest of others if there are too many. `source` knows names and
    /// stamps of sources.
    pub(super) fn write<'a>(
        &self,
        state_dir: &Path,
        graph: &Graph,
        source: &impl Fn(u32) -> Option<(&'a [u8], Stamp)>,
    ) -> Result<(), StateError> {
        let path = path(state_dir, &self.key);
        let mut file = StateWriter::create(&path, FILE)?;
        let mut out = Writer::default();
        out.fixed(&self.key);
        out.count(self.sources);
        out.count(self.trees.len());
        for tree in &self.trees {
            out.string(bytes(&tree.folder));
        }
        put_problems(&mut out, &self.problems);
        put_watches(&mut out, &self.watches);
        out.count(self.folders.len().div_ceil(CHUNK));
        for chunk in self.folders.chunks(CHUNK) {
            let mut part = Writer::default();
            for folder in chunk {
                part.u8(u8::from(folder.installed));
                part.string(folder.path.as_bytes());
                put_stamp(&mut part, &folder.stamp);
                part.u64(folder.entries);
                let sources = folder.sources.iter().filter_map(|number| source(*number));
                let others = folder.ignore_file.iter();
                let others = others.map(|stamp| (b".gitignore".as_slice(), **stamp));
                let files = others.chain(sources);
                part.count(files.clone().count());
                for (name, stamp) in files {
                    part.string(name);
                    put_stamp(&mut part, &stamp);
                }
            }
            out.string(&part.bytes);
            file.write(&out.bytes)?;
            out.bytes.clear();
        }
        file.write(&out.bytes)?;
        drop(out);
        let mut written = Ok(());
        graph.encode_into(&mut |block| {
            if written.is_ok() {
                written = file.write(block);
            }
        });
        written?;
        file.finish()?;
        prune(state_dir, &path);
        Ok(())
    }
}

/// The graph of this request, if nothing has changed since it was made. Damage is told.
pub(super) fn read(query: &Query<'_>, problems: &mut Vec<Problem>) -> Option<Held> {
    let path = path(query.state_dir, &query.key);
    let mut body = match read_state(&path, FILE) {
        Ok(body) => body?,
        Err(damage) => {
            problems.push(damage.problem());
            return None;
        }
    };
    let (held, refreshed) = check(query, &body)?;
    for (at, stamp) in &refreshed {
        let mut out = Writer::default();
        put_stamp(&mut out, stamp);
        body.get_mut(*at..at + STAMP)?.copy_from_slice(&out.bytes);
    }
    if !refreshed.is_empty() && refreshed.iter().all(|(_, stamp)| query.clock.is_safe(stamp)) {
        // What cannot be written costs the next load the same listings.
        let _ = write_state(&path, FILE, &body);
    } else if let Ok(file) = std::fs::File::open(&path) {
        // The oldest is removed first; a time that cannot be set removes another.
        let _ = rustix::fs::futimens(&file, &now());
    }
    Some(held)
}

fn now() -> rustix::fs::Timestamps {
    let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
    rustix::fs::Timestamps { last_access: now, last_modification: now }
}

/// New stamps of folders, with where they stand in the body.
type Refreshed = Vec<(usize, Stamp)>;

fn check(query: &Query<'_>, body: &[u8]) -> Option<(Held, Refreshed)> {
    let mut reader = Reader::new(body);
    if reader.array::<32>()? != query.key {
        return None;
    }
    let sources = reader.count()?;
    let mut trees = Vec::new();
    for _ in 0..reader.count()? {
        trees.push(EnvironmentTree { folder: from_bytes(reader.string()?) });
    }
    let mut problems = Vec::new();
    for _ in 0..reader.count()? {
        problems.push(take_problem(&mut reader)?);
    }
    for _ in 0..reader.count()? {
        let path = from_bytes(reader.string()?);
        if !(Watch { path, stamp: take_optional(&mut reader)? }).holds() {
            return None;
        }
    }
    let mut chunks = Vec::new();
    for _ in 0..reader.count()? {
        let length = reader.count()?;
        let start = body.len() - reader.remaining();
        chunks.push((start, reader.take(length)?));
    }
    let open = [open_folder(query.root).ok()?, open_folder(Path::new("/")).ok()?];
    // The work of threads is uneven where folders must be listed: so one chunk at a time.
    let holds = || {
        let verdicts =
            crate::parallel::map_by(&chunks, query.threads, 1, Vec::new, |path, chunk| {
                chunk_holds(&open, query.closed, *chunk, path)
            });
        verdicts.into_iter().collect::<Option<Vec<Refreshed>>>().map(|all| all.concat())
    };
    let bytes = reader.take(reader.remaining())?;
    let decode = || Graph::decode(bytes).ok();
    // Only one thread takes the one after the other: on two, what has changed is seen no earlier.
    let (refreshed, graph) = if query.threads.get() == 1 {
        (holds()?, decode()?)
    } else {
        let (graph, refreshed) = crate::parallel::beside(query.threads, decode, holds);
        (refreshed?, graph?)
    };
    Some((Held { graph, sources, trees, problems }, refreshed))
}

/// `None` if anything changed.
fn chunk_holds(
    open: &[OwnedFd; 2],
    closed: &BTreeSet<RepoPath>,
    (start, chunk): (usize, &[u8]),
    path: &mut Vec<u8>,
) -> Option<Refreshed> {
    let mut reader = Reader::new(chunk);
    let mut refreshed = Vec::new();
    let nothing = BTreeSet::new();
    while !reader.is_empty() {
        let installed = reader.u8()? == 1;
        let [own, all] = open;
        let (base, closed) = if installed { (all, &nothing) } else { (own, closed) };
        let stamp_at = |path: &[u8]| {
            rustix::fs::statat(base, path, AtFlags::empty()).ok().map(|stat| Stamp::of(&stat))
        };
        let folder = reader.string()?;
        path.clear();
        path.extend_from_slice(if folder.is_empty() { b"." } else { folder });
        let now = stamp_at(path)?;
        let at = start + chunk.len() - reader.remaining();
        let then = take_stamp(&mut reader)?;
        let entries = reader.u64()?;
        if now != then {
            // Caches come and go.
            let listed = entries_hash(base.as_fd(), &RepoPath::new(folder)?, closed).ok()?;
            if !now.is_folder() || listed != entries {
                return None;
            }
            refreshed.push((at, now));
        }
        path.push(b'/');
        let base = path.len();
        for _ in 0..reader.count()? {
            path.truncate(base);
            path.extend_from_slice(reader.string()?);
            if stamp_at(path)? != take_stamp(&mut reader)? {
                return None;
            }
        }
    }
    Some(refreshed)
}

/// Removes the oldest graphs; what cannot be removed stays.
fn prune(state_dir: &Path, own: &Path) {
    let mut others: Vec<(std::time::SystemTime, PathBuf)> = std::fs::read_dir(state_dir)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .filter(|entry| entry.path() != own)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    others.sort();
    let surplus = (others.len() + 1).saturating_sub(MOST);
    for (_, path) in others.into_iter().take(surplus) {
        let _ = std::fs::remove_file(path);
    }
}
