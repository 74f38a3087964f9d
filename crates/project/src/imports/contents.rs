//! Identity and imports of every file: from the index of imports and the store of imports where both know
//! it, else by reading it once, hashing and scanning in the same pass, on all threads. Knows nothing of
//! how files were found or what their imports mean.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytekiln_action::RepoPath;
use bytekiln_graph::{ModuleImports, Recorder};
use bytekiln_planner::Problem;
use foldhash::fast::RandomState;

use super::content::{Content, Known, Records};
use super::identity::ContentId;
use super::kept::{self, Additions, Kept};
use super::place::Place;
use super::trees::TreeFile;
use crate::index::{FileIndex, IndexEntry, IndexedKind, StateError};
use crate::path::bytes;
use crate::scan::{FileClock, Stamp, read_source, read_stamped, unreadable};

/// So many files a thread takes at once: few, because some are a thousand times as large as others.
const FILES: usize = 8;

/// Indexes of what the build compiles, and of all else.
const OWN: &str = "seen";
const BESIDE: &str = "seen-beside";

/// Whether anything is known of any file, so that stamps will be compared.
pub(super) fn remembers(state_dir: &Path) -> bool {
    [OWN, BESIDE].iter().any(|name| state_dir.join(name).exists())
}

/// What to read with.
pub(super) struct Reading<'a> {
    pub(super) state_dir: &'a Path,
    /// Folder of each tree, and the same open.
    pub(super) folders: &'a [PathBuf],
    pub(super) open: &'a [Option<OwnedFd>],
    pub(super) strings: bool,
    pub(super) clock: FileClock,
    pub(super) threads: NonZeroUsize,
}

/// Of all files.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// In the order of the files.
    pub(super) of: Vec<Content>,
    /// Each distinct one once.
    pub(super) records: Records,
    /// How many files were read.
    pub(super) read: usize,
    /// Unreadable files, with their tree.
    pub(super) unreadable: Vec<(u32, Problem)>,
    pub(super) problems: Vec<Problem>,
}

/// What is to be remembered, and where.
pub(super) struct Remembering {
    own: (PathBuf, FileIndex<ContentId>),
    beside: (PathBuf, FileIndex<ContentId>),
    kept: Kept,
    additions: Additions,
    damaged: bool,
    /// Nothing was read.
    same: bool,
}

/// Contents that somebody scans or has scanned, with the number of a file that has it.
type Claimed = HashMap<ContentId, usize, RandomState>;

/// Room that a thread uses again.
#[derive(Default)]
struct Scratch {
    place: Place,
    buffer: Vec<u8>,
    recorder: Recorder,
}

struct Found {
    stamp: Stamp,
    id: ContentId,
    shebang: bool,
    record: Option<ModuleImports>,
}

/// Reads; what was found out is remembered by [`Remembering::save`].
pub(super) fn read(reading: &Reading<'_>, files: &[TreeFile]) -> (Contents, Remembering) {
    let mut contents = Contents::default();
    let (own, beside) = (reading.state_dir.join(OWN), reading.state_dir.join(BESIDE));
    let mut open = |path: &Path| {
        FileIndex::read(path).unwrap_or_else(|damage| {
            contents.problems.push(damage.problem());
            FileIndex::default()
        })
    };
    let (own_index, beside_index) = (open(&own), open(&beside));
    let kept_path = kept::path(reading.state_dir, reading.strings);
    let mut damaged = false;
    let kept = Kept::read(&kept_path).unwrap_or_else(|damage| {
        contents.problems.push(damage.problem());
        damaged = true;
        Kept::default()
    });
    let additions = Additions::new(kept_path);
    let mut of = look_up(reading, files, &own_index, &beside_index);
    let mut claimed = remember(reading, &kept, &mut of, &mut contents.records);
    let unread: Vec<usize> = files
        .iter()
        .zip(&of)
        .enumerate()
        .filter(|(_, (file, content))| {
            file.is_read() && content.record.is_none() && !matches!(content.known, Known::Other(_))
        })
        .map(|(at, _)| at)
        .collect();
    claimed.reserve(unread.len());
    let claimed = Mutex::new(claimed);
    let found = crate::parallel::map_parts(
        &unread,
        reading.threads,
        FILES,
        Scratch::default,
        |scratch, at| {
            let rest = files.get(*at..)?;
            Some(read_one(reading, (*at, rest), &kept, &additions, &claimed, scratch))
        },
    );
    contents.read = unread.len();
    contents.records.reserve(unread.len());
    let mut copies: Vec<usize> = Vec::new();
    for (at, found) in unread.iter().zip(found.flatten()) {
        let (Some(found), Some(content), Some(file)) = (found, of.get_mut(*at), files.get(*at))
        else {
            continue;
        };
        match found {
            Ok(found) => {
                let is_source = !file.executable || found.shebang;
                let known = if is_source { Known::Source } else { Known::Other };
                (content.stamp, content.known) = (found.stamp, known(found.id));
                content.shebang = is_source && found.shebang;
                match found.record {
                    Some(record) => content.record = contents.records.push(record),
                    None if is_source => copies.push(*at),
                    None => {}
                }
            }
            Err(error) => {
                *content = Content::unknown(file.stamp);
                // Gone since the walk; its folder's stamp shows it.
                if error.kind() == std::io::ErrorKind::NotFound || file.executable {
                    content.known = Known::Gone;
                } else {
                    let problem = unreadable("file", &file.path, &error);
                    contents.unreadable.push((file.tree, problem));
                }
            }
        }
    }
    let claimed = claimed.into_inner().unwrap_or_else(PoisonError::into_inner);
    for at in copies {
        let id = of.get(at).and_then(Content::id);
        let first = id.and_then(|id| claimed.get(&id)).and_then(|first| of.get(*first)).copied();
        if let (Some(first), Some(content)) = (first, of.get_mut(at)) {
            content.record = first.record;
        }
    }
    contents.of = of;
    let remembering = Remembering {
        own: (own, own_index),
        beside: (beside, beside_index),
        kept,
        additions,
        damaged,
        same: unread.is_empty(),
    };
    (contents, remembering)
}

/// Takes the records of known contents out of the store, each once.
fn remember(
    reading: &Reading<'_>,
    kept: &Kept,
    of: &mut [Content],
    records: &mut Records,
) -> Claimed {
    let mut wanted: Vec<ContentId> = of.iter().filter_map(Content::id).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let decoded = crate::parallel::map(&wanted, reading.threads, || (), |(), id| kept.get(id));
    let places: Vec<Option<(NonZeroU32, bool)>> = decoded
        .into_iter()
        .map(|found| found.and_then(|(record, shebang)| Some((records.push(record)?, shebang))))
        .collect();
    let mut claimed = Claimed::default();
    for (at, content) in of.iter_mut().enumerate() {
        let Some(id) = content.id() else { continue };
        let place = wanted.binary_search(&id).ok().and_then(|place| *places.get(place)?);
        if let Some((record, shebang)) = place {
            (content.record, content.shebang) = (Some(record), shebang);
            claimed.insert(id, at);
        }
    }
    claimed
}

impl Remembering {
    /// Writes down what is new of the contents of `files`.
    pub(super) fn save(
        self,
        reading: &Reading<'_>,
        files: &[TreeFile],
        contents: &[Content],
    ) -> Result<(), StateError> {
        let used = || {
            let known = contents.iter().filter(|content| content.record.is_some());
            let mut used: Vec<ContentId> = known.filter_map(Content::id).collect();
            used.sort_unstable();
            used
        };
        self.additions.finish(&self.kept, used, self.damaged)?;
        let ((own, own_index), (beside, beside_index)) = (self.own, self.beside);
        let built = files.iter().filter(|file| file.is_built()).count();
        let read = files.iter().filter(|file| file.is_read()).count();
        if self.same && own_index.entries.len() == built && read == built {
            return Ok(());
        }
        let known = || known(reading, files, contents);
        let new_own =
            || known().filter(|(file, _)| file.is_built()).map(|(file, rest)| (&file.path, rest));
        if !new_own().eq(own_index.rows()) {
            FileIndex::write_rows(&own, new_own())?;
        }
        let new_beside = index_beside(reading, files, known(), &beside_index);
        if new_beside != beside_index {
            new_beside.write(&beside)?;
        }
        Ok(())
    }
}

/// The key of a file in the index of what the build does not compile: its absolute path.
fn key(reading: &Reading<'_>, file: &TreeFile) -> RepoPath {
    let folder = reading.folders.get(file.tree as usize).map(|folder| bytes(folder));
    let folder = folder.unwrap_or_default();
    let path = [folder.strip_prefix(b"/").unwrap_or(folder), b"/", file.path.as_bytes()].concat();
    RepoPath::new(&path).unwrap_or_default()
}

fn look_up(
    reading: &Reading<'_>,
    files: &[TreeFile],
    own: &FileIndex<ContentId>,
    beside: &FileIndex<ContentId>,
) -> Vec<Content> {
    let mut entries = own.entries.iter().peekable();
    files
        .iter()
        .map(|file| {
            let mut content = Content::unknown(file.stamp);
            if !file.is_read() {
                return content;
            }
            let entry = if file.is_built() {
                // These files come first, in the order of their paths, as the index has them.
                while entries.next_if(|entry| entry.path < file.path).is_some() {}
                entries.peek().copied().filter(|entry| entry.path == file.path)
            } else {
                let key = key(reading, file);
                let at = beside.entries.binary_search_by(|entry| entry.path.cmp(&key));
                at.ok().and_then(|at| beside.entries.get(at))
            };
            let entry = entry.filter(|entry| entry.stamp == file.stamp);
            // An executable that became a module (by renaming) may say another kind.
            let fits =
                |entry: &&IndexEntry<_>| file.executable || entry.kind == IndexedKind::Source;
            if let Some(entry) = entry.filter(fits) {
                content.known = match entry.kind {
                    IndexedKind::Source => Known::Source(entry.digest),
                    IndexedKind::Other => Known::Other(entry.digest),
                };
            }
            content
        })
        .collect()
}

/// Of the first of `files`, which are those from number `at` on.
fn read_one(
    reading: &Reading<'_>,
    (at, files): (usize, &[TreeFile]),
    kept: &Kept,
    additions: &Additions,
    claimed: &Mutex<Claimed>,
    Scratch { place, buffer, recorder }: &mut Scratch,
) -> std::io::Result<Found> {
    let gone = std::io::ErrorKind::NotFound;
    let file = files.first().ok_or(gone)?;
    let (folder, path) = place.of(reading.open, files).ok_or(gone)?;
    let source = if file.executable || !file.stamp.is_taken() {
        read_source(folder, path, file.executable, buffer)?
    } else {
        read_stamped(folder, path, &file.stamp, buffer)?
    };
    let package = file.is_package();
    let mut found = Found {
        stamp: source.stamp,
        id: ContentId::of(buffer, package),
        shebang: source.python_shebang,
        record: None,
    };
    if file.executable && !found.shebang {
        return Ok(found);
    }
    // Copies of one source are scanned once.
    match claimed.lock().unwrap_or_else(PoisonError::into_inner).entry(found.id) {
        Entry::Occupied(_) => return Ok(found),
        Entry::Vacant(place) => place.insert(at),
    };
    found.record = kept.get(&found.id).map(|(record, _)| record);
    if found.record.is_none() {
        let strings = reading.strings.then_some(1);
        let options = bytekiln_syntax::Options { names: package, strings };
        let (record, bytes) = recorder.record(&bytekiln_syntax::extract(buffer, &options));
        additions.add(found.id, found.shebang, bytes);
        found.record = Some(record);
    }
    Ok(found)
}

/// What the indexes say of files, without what is too young to be trusted.
fn known<'a>(
    reading: &Reading<'_>,
    files: &'a [TreeFile],
    contents: &'a [Content],
) -> impl Iterator<Item = (&'a TreeFile, (Stamp, IndexedKind, ContentId))> {
    let clock = reading.clock;
    let entries = files.iter().zip(contents);
    entries
        .filter_map(|(file, content)| Some((file, content.entry()?)))
        .filter(move |(_, (stamp, _, _))| clock.is_safe(stamp))
}

/// The new index of what the build does not compile: it keeps what it knew of trees that this load did not
/// look into.
fn index_beside<'a>(
    reading: &Reading<'_>,
    files: &[TreeFile],
    known: impl Iterator<Item = (&'a TreeFile, (Stamp, IndexedKind, ContentId))>,
    beside: &FileIndex<ContentId>,
) -> FileIndex<ContentId> {
    let mut trees: HashSet<u32> = HashSet::from([0]);
    trees.extend(files.iter().map(|file| file.tree));
    let mut other: Vec<IndexEntry<ContentId>> = known
        .filter(|(file, _)| !file.is_built())
        .map(|(file, (stamp, kind, digest))| IndexEntry {
            path: key(reading, file),
            stamp,
            kind,
            digest,
        })
        .collect();
    let closed: Vec<&[u8]> = reading
        .folders
        .iter()
        .zip(0_u32..)
        .filter(|(_, tree)| !trees.contains(tree))
        .map(|(folder, _)| bytes(folder))
        .collect();
    let is_elsewhere = |entry: &&IndexEntry<ContentId>| {
        closed.iter().any(|folder| {
            let folder = folder.strip_prefix(b"/").unwrap_or(folder);
            let rest = entry.path.as_bytes().strip_prefix(folder);
            rest.is_some_and(|rest| rest.starts_with(b"/"))
        })
    };
    other.extend(beside.entries.iter().filter(is_elsewhere).cloned());
    other.sort_by(|a, b| a.path.cmp(&b.path));
    other.dedup_by(|a, b| a.path == b.path);
    FileIndex { entries: other }
}
