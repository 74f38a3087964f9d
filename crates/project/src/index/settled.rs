//! Whether anything can have changed since a build that left nothing to do: the no-op. Folders,
//! sources, ignore files, manifests and interpreters are compared by stamp, on all threads, with
//! one `stat` each; no folder is listed, no file is read and no interpreter is started. `true`
//! means that a full load would find nothing; anything else means that a full load must look.

use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytekiln_action::RepoPath;
use bytekiln_planner::{Problem, Severity};
use rustix::fs::{AtFlags, Mode, OFlags};

use super::encoding::{Reader, Writer};
use super::files::{put_stamp, take_stamp};
use super::{StateError, StateFile, read_state, write_state};
use crate::Date;
use crate::path::{bytes, from_bytes};
use crate::scan::{FileClock, Stamp};

const FILE: StateFile = StateFile { magic: *b"bkquiet\0", version: 1, what: "the settled state" };

/// How many folders a thread takes at once.
const CHUNK: usize = 128;

/// How closely the no-op check looks at outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDepth {
    /// Not at all: everything is loaded.
    Load,
    /// Folders of outputs by their stamps: shows outputs that come, go, or are replaced by
    /// renaming, as CPython and every tool does.
    Folders,
    /// Each output by its stamp: shows outputs that were written in place as well.
    Outputs,
}

/// What a settled build had come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SettledSummary {
    /// Sources in scope.
    pub sources: u32,
    /// Targets.
    pub targets: u32,
    /// Warnings of the compiler that the recorded results carry. A caller that wants to show them
    /// again must load everything.
    pub warnings: u32,
    /// Warnings of the scan, to be shown again.
    pub problems: Vec<Problem>,
}

/// What to look up before even the manifests are read.
#[derive(Debug, Clone, Copy)]
pub struct SettledQuery<'a> {
    /// The workspace, absolute, without links.
    pub root: &'a Path,
    /// The state folder.
    pub state_dir: &'a Path,
    /// The profile.
    pub profile: &'a str,
    /// Whether packages are selected.
    pub partial: bool,
    /// What [`crate::Request::invocation`] was for the build that settled.
    pub invocation: [u8; 32],
    /// Today.
    pub today: Date,
    /// How closely to look.
    pub depth: CheckDepth,
    /// On so many threads.
    pub threads: NonZeroUsize,
}

/// Whether the last build of this invocation settled and nothing has changed since. Damage, and
/// whatever cannot be read, is `None`: the full load tells.
pub fn settled(query: &SettledQuery<'_>) -> Option<SettledSummary> {
    let path = file_name(query.state_dir, query.profile, query.partial);
    check(&path, query.root, query.today, query.depth, query.threads, |key| {
        key.invocation == Some(query.invocation)
    })
}

pub(crate) fn file_name(state_dir: &Path, profile: &str, partial: bool) -> PathBuf {
    let part = if partial { ".part" } else { "" };
    state_dir.join(format!("{}{part}.settled", super::state::file_stem(profile)))
}

/// A file or folder anywhere, and its stamp then; `None` if it was not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Watch {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Option<Stamp>,
}

impl Watch {
    pub(crate) fn take(path: PathBuf) -> Watch {
        let stamp = rustix::fs::stat(&path).ok().map(|stat| Stamp::of(&stat));
        Watch { path, stamp }
    }

    /// Of a folder only that it is there; of a file its stamp.
    pub(crate) fn presence_or_stamp(path: PathBuf) -> Watch {
        let mut watch = Watch::take(path);
        watch.stamp = watch.stamp.map(Watch::without_contents);
        watch
    }

    pub(crate) fn holds(&self) -> bool {
        let now = rustix::fs::stat(&self.path).ok().map(|stat| Stamp::of(&stat));
        let anything = self.stamp == Some(Stamp::any_folder());
        now == self.stamp || (anything && now.map(Watch::without_contents) == self.stamp)
    }

    fn without_contents(stamp: Stamp) -> Stamp {
        if stamp.is_folder() { Stamp::any_folder() } else { stamp }
    }
}

/// A folder, the files in it that matter, and its caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SettledFolder {
    /// Below the workspace, or absolute.
    pub(crate) path: Vec<u8>,
    pub(crate) stamp: Stamp,
    pub(crate) cache: Option<Stamp>,
    /// Names in the folder.
    pub(crate) files: Vec<(Vec<u8>, Stamp)>,
    /// Paths below the folder.
    pub(crate) outputs: Vec<(Vec<u8>, Stamp)>,
}

/// Everything that a no-op compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SettledState {
    pub(crate) request: [u8; 32],
    pub(crate) invocation: Option<[u8; 32]>,
    /// First and last day on which it holds.
    pub(crate) days: (Date, Date),
    pub(crate) summary: SettledSummary,
    pub(crate) watches: Vec<Watch>,
    pub(crate) folders: Vec<SettledFolder>,
}

impl SettledState {
    pub(crate) fn write(&self, path: &Path) -> Result<(), StateError> {
        write_state(path, FILE, &self.encode())
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.fixed(&self.request);
        out.u8(u8::from(self.invocation.is_some()));
        out.fixed(&self.invocation.unwrap_or_default());
        for date in [self.days.0, self.days.1] {
            out.u32(day_number(date));
        }
        out.u32(self.summary.sources);
        out.u32(self.summary.targets);
        out.u32(self.summary.warnings);
        put_problems(&mut out, &self.summary.problems);
        put_watches(&mut out, &self.watches);
        out.count(self.folders.len().div_ceil(CHUNK));
        for chunk in self.folders.chunks(CHUNK) {
            let mut part = Writer::default();
            for folder in chunk {
                put_folder(&mut part, folder);
            }
            out.string(&part.bytes);
        }
        out.bytes
    }
}

/// Lets [`settled`] answer for this invocation, if the state at `path` (just checked, and made from
/// the same request) was written for another or for none. The manifests must be a good deal older
/// than this moment: they were read before it.
pub(crate) fn adopt(path: &Path, invocation: [u8; 32], clock: FileClock) -> Result<(), StateError> {
    let Ok(Some(mut body)) = read_state(path, FILE) else { return Ok(()) };
    let mut reader = Reader::new(&body);
    let Some(head) = take_head(&mut reader) else { return Ok(()) };
    let is_old = |watch: &Watch| watch.stamp.is_none_or(|stamp| clock.is_safe(&stamp));
    let watches = take_watches(&mut reader);
    if head.invocation == Some(invocation) || !watches.is_some_and(|all| all.iter().all(is_old)) {
        return Ok(());
    }
    // After the request's digest: see `encode`.
    if let Some(place) = body.get_mut(32..65) {
        place[0] = 1;
        place[1..].copy_from_slice(&invocation);
        write_state(path, FILE, &body)?;
    }
    Ok(())
}

/// The part before the watches.
struct Head {
    request: [u8; 32],
    invocation: Option<[u8; 32]>,
    days: (u32, u32),
    summary: SettledSummary,
}

/// What decides whether a state is the one asked for.
pub(crate) struct StateKey {
    pub(crate) request: [u8; 32],
    pub(crate) invocation: Option<[u8; 32]>,
}

/// Checks the state at `path`, if it is the one that `wanted` knows.
pub(crate) fn check(
    path: &Path,
    root: &Path,
    today: Date,
    depth: CheckDepth,
    threads: NonZeroUsize,
    wanted: impl Fn(&StateKey) -> bool,
) -> Option<SettledSummary> {
    if depth == CheckDepth::Load {
        return None;
    }
    let body = read_state(path, FILE).ok()??;
    let mut reader = Reader::new(&body);
    let head = take_head(&mut reader)?;
    let key = StateKey { request: head.request, invocation: head.invocation };
    let today = day_number(today);
    if !wanted(&key) || today < head.days.0 || today > head.days.1 {
        return None;
    }
    if !take_watches(&mut reader)?.iter().all(Watch::holds) {
        return None;
    }
    let mut chunks = Vec::new();
    for _ in 0..reader.count()? {
        chunks.push(reader.string()?);
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(root, flags, Mode::empty()).ok()?;
    all_hold(root.as_fd(), &chunks, depth, threads).then_some(head.summary)
}

fn all_hold(
    root: BorrowedFd<'_>,
    chunks: &[&[u8]],
    depth: CheckDepth,
    threads: NonZeroUsize,
) -> bool {
    let (next, changed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut path = Vec::new();
        while !changed.load(Ordering::Relaxed) {
            let Some(chunk) = chunks.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            if chunk_holds(root, chunk, depth, &mut path) != Some(true) {
                changed.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get().min(chunks.len()) {
            scope.spawn(work);
        }
        work();
    });
    !changed.load(Ordering::Relaxed)
}

/// `None` where the bytes make no sense.
fn chunk_holds(
    root: BorrowedFd<'_>,
    chunk: &[u8],
    depth: CheckDepth,
    path: &mut Vec<u8>,
) -> Option<bool> {
    let mut reader = Reader::new(chunk);
    let stamp_at = |path: &[u8], flags| {
        rustix::fs::statat(root, path, flags).ok().map(|stat| Stamp::of(&stat))
    };
    while !reader.is_empty() {
        let folder = reader.string()?;
        path.clear();
        path.extend_from_slice(if folder.is_empty() { b"." } else { folder });
        if stamp_at(path, AtFlags::empty()) != Some(take_stamp(&mut reader)?) {
            return Some(false);
        }
        path.push(b'/');
        let base = path.len();
        if let Some(stamp) = take_optional(&mut reader)? {
            path.extend_from_slice(b"__pycache__");
            if stamp_at(path, AtFlags::SYMLINK_NOFOLLOW) != Some(stamp) {
                return Some(false);
            }
        }
        for _ in 0..reader.count()? {
            path.truncate(base);
            path.extend_from_slice(reader.string()?);
            if stamp_at(path, AtFlags::empty()) != Some(take_stamp(&mut reader)?) {
                return Some(false);
            }
        }
        let outputs = reader.string()?;
        if depth == CheckDepth::Outputs {
            let mut outputs = Reader::new(outputs);
            while !outputs.is_empty() {
                path.truncate(base);
                path.extend_from_slice(outputs.string()?);
                let stamp = take_stamp(&mut outputs)?;
                let now = stamp_at(path, AtFlags::SYMLINK_NOFOLLOW);
                if !now.is_some_and(|now| now.same_output(&stamp)) {
                    return Some(false);
                }
            }
        }
    }
    Some(true)
}

fn put_folder(out: &mut Writer, folder: &SettledFolder) {
    out.string(&folder.path);
    put_stamp(out, &folder.stamp);
    put_optional(out, folder.cache.as_ref());
    out.count(folder.files.len());
    for (name, stamp) in &folder.files {
        out.string(name);
        put_stamp(out, stamp);
    }
    let mut outputs = Writer::default();
    for (name, stamp) in &folder.outputs {
        outputs.string(name);
        put_stamp(&mut outputs, stamp);
    }
    out.string(&outputs.bytes);
}

fn take_head(reader: &mut Reader<'_>) -> Option<Head> {
    let request = reader.array()?;
    let has_invocation = reader.u8()? == 1;
    let invocation = reader.array()?;
    let days = (reader.u32()?, reader.u32()?);
    let mut summary = SettledSummary {
        sources: reader.u32()?,
        targets: reader.u32()?,
        warnings: reader.u32()?,
        problems: Vec::new(),
    };
    for _ in 0..reader.count()? {
        summary.problems.push(take_problem(reader)?);
    }
    Some(Head { request, invocation: has_invocation.then_some(invocation), days, summary })
}

fn take_watches(reader: &mut Reader<'_>) -> Option<Vec<Watch>> {
    let mut watches = Vec::new();
    for _ in 0..reader.count()? {
        let path = from_bytes(reader.string()?);
        watches.push(Watch { path, stamp: take_optional(reader)? });
    }
    Some(watches)
}

pub(crate) fn put_optional(out: &mut Writer, stamp: Option<&Stamp>) {
    out.u8(u8::from(stamp.is_some()));
    if let Some(stamp) = stamp {
        put_stamp(out, stamp);
    }
}

pub(crate) fn take_optional(reader: &mut Reader<'_>) -> Option<Option<Stamp>> {
    if reader.u8()? == 0 { Some(None) } else { take_stamp(reader).map(Some) }
}

pub(crate) fn put_watches(out: &mut Writer, watches: &[Watch]) {
    out.count(watches.len());
    for watch in watches {
        out.string(bytes(&watch.path));
        put_optional(out, watch.stamp.as_ref());
    }
}

pub(crate) fn put_problems(out: &mut Writer, problems: &[Problem]) {
    out.count(problems.len());
    for problem in problems {
        put_problem(out, problem);
    }
}

fn put_problem(out: &mut Writer, problem: &Problem) {
    out.u8(match problem.severity {
        Severity::Warning => 0,
        Severity::Error => 1,
    });
    out.u8(u8::from(problem.path.is_some()));
    out.string(problem.path.as_ref().map_or(b"", |path| path.as_bytes()));
    out.string(problem.message.as_bytes());
    out.u8(u8::from(problem.hint.is_some()));
    out.string(problem.hint.as_deref().unwrap_or_default().as_bytes());
}

pub(crate) fn take_problem(reader: &mut Reader<'_>) -> Option<Problem> {
    let severity = if reader.u8()? == 0 { Severity::Warning } else { Severity::Error };
    let has_path = reader.u8()? == 1;
    let path = RepoPath::new(reader.string()?)?;
    let message = String::from_utf8(reader.string()?.to_vec()).ok()?;
    let has_hint = reader.u8()? == 1;
    let hint = String::from_utf8(reader.string()?.to_vec()).ok()?;
    Some(Problem {
        severity,
        path: has_path.then_some(path),
        message,
        hint: has_hint.then_some(hint),
    })
}

fn day_number(date: Date) -> u32 {
    u32::from(date.year) << 16 | u32::from(date.month) << 8 | u32::from(date.day)
}
