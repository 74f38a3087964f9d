//! Identity and imports of every file: from the index of imports and the store of imports where both know
//! it, else by reading it once, hashing and scanning in the same pass, on all threads. Knows nothing of
//! how files were found or what their imports mean.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytekiln_action::RepoPath;
use bytekiln_graph::{ModuleImports, Recorder};
use bytekiln_planner::Problem;
use foldhash::fast::RandomState;

use super::identity::ContentId;
use super::kept::{self, Additions, Kept};
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

/// What is known of a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Content {
    pub(super) id: Option<ContentId>,
    /// An index into [`Contents::records`].
    pub(super) record: Option<u32>,
    /// Its first line names Python.
    pub(super) shebang: bool,
    /// As of when it was read.
    pub(super) stamp: Stamp,
    /// Gone since the walk, or an executable of another language.
    pub(super) nothing: bool,
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

/// Each where the thread that found it out put it: moved, they would all be there twice.
pub(super) type Records = Vec<Box<ModuleImports>>;

/// What is to be remembered, and where.
pub(super) struct Remembering {
    own: (PathBuf, FileIndex<ContentId>),
    beside: (PathBuf, FileIndex<ContentId>),
    known: Vec<Known>,
    kept: Kept,
    additions: Additions,
    damaged: bool,
    /// Sorted.
    used: Vec<ContentId>,
    /// Nothing was read.
    same: bool,
}

/// Contents that somebody scans or has scanned.
type Claimed = HashSet<ContentId, RandomState>;
type Known = Option<(Stamp, IndexedKind, ContentId)>;

/// Room that a thread uses again.
#[derive(Default)]
struct Scratch {
    buffer: Vec<u8>,
    encoded: Vec<u8>,
    recorder: Recorder,
}

struct Found {
    stamp: Stamp,
    id: ContentId,
    shebang: bool,
    record: Option<Box<ModuleImports>>,
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
    let mut known = look_up(reading, files, &own_index, &beside_index);

    // Each record of a known content once.
    let mut places: HashMap<ContentId, (u32, bool), RandomState> =
        HashMap::with_capacity_and_hasher(files.len(), RandomState::default());
    let mut wanted: Vec<ContentId> = known
        .iter()
        .flatten()
        .filter(|(_, kind, _)| *kind == IndexedKind::Source)
        .map(|(_, _, id)| *id)
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let decoded = crate::parallel::map(&wanted, reading.threads, || (), |(), id| kept.get(id));
    for (id, found) in wanted.into_iter().zip(decoded) {
        if let Some((record, shebang)) = found {
            places.insert(id, (number(contents.records.len()), shebang));
            contents.records.push(Box::new(record));
        }
    }

    let unread: Vec<usize> = files
        .iter()
        .zip(&known)
        .enumerate()
        .filter(|(_, (file, known))| {
            file.is_read()
                && match known {
                    None => true,
                    Some((_, IndexedKind::Other, _)) => false,
                    Some((_, IndexedKind::Source, id)) => !places.contains_key(id),
                }
        })
        .map(|(at, _)| at)
        .collect();
    let claimed: Mutex<Claimed> = Mutex::new(places.keys().copied().collect());
    let found = crate::parallel::map_by(
        &unread,
        reading.threads,
        FILES,
        Scratch::default,
        |scratch, at| {
            let file = files.get(*at)?;
            Some(read_one(reading, file, &kept, &additions, &claimed, scratch))
        },
    );
    contents.read = unread.len();
    contents.records.reserve_exact(found.len());
    let mut gone: Vec<usize> = Vec::new();
    for (at, found) in unread.iter().zip(found) {
        let (Some(found), Some(slot), Some(file)) = (found, known.get_mut(*at), files.get(*at))
        else {
            continue;
        };
        match found {
            Ok(found) => {
                let is_source = !file.executable || found.shebang;
                let kind = if is_source { IndexedKind::Source } else { IndexedKind::Other };
                *slot = Some((found.stamp, kind, found.id));
                if let Some(record) = found.record {
                    let place = (number(contents.records.len()), found.shebang);
                    places.insert(found.id, place);
                    contents.records.push(record);
                }
            }
            Err(error) => {
                *slot = None;
                // Gone since the walk; its folder's stamp shows it.
                if error.kind() == std::io::ErrorKind::NotFound || file.executable {
                    gone.push(*at);
                } else {
                    let problem = unreadable("file", &file.path, &error);
                    contents.unreadable.push((file.tree, problem));
                }
            }
        }
    }
    contents.of = files
        .iter()
        .zip(&known)
        .map(|(file, known)| match known {
            Some((stamp, IndexedKind::Source, id)) => {
                let place = places.get(id);
                Content {
                    id: Some(*id),
                    record: place.map(|(record, _)| *record),
                    shebang: place.is_some_and(|(_, shebang)| *shebang),
                    stamp: *stamp,
                    nothing: false,
                }
            }
            Some((stamp, IndexedKind::Other, _)) => {
                Content { stamp: *stamp, nothing: true, ..Content::default() }
            }
            None => Content { stamp: file.stamp, ..Content::default() },
        })
        .collect();
    for at in gone {
        if let Some(content) = contents.of.get_mut(at) {
            content.nothing = true;
        }
    }
    let mut used: Vec<ContentId> = places.into_keys().collect();
    used.sort_unstable();
    let remembering = Remembering {
        own: (own, own_index),
        beside: (beside, beside_index),
        known,
        kept,
        additions,
        damaged,
        used,
        same: unread.is_empty(),
    };
    (contents, remembering)
}

impl Remembering {
    /// Writes down what is new.
    pub(super) fn save(self, reading: &Reading<'_>, files: &[TreeFile]) -> Result<(), StateError> {
        self.additions.finish(&self.kept, &self.used, self.damaged)?;
        let ((own, own_index), (beside, beside_index)) = (self.own, self.beside);
        let built = files.iter().filter(|file| file.is_built()).count();
        let read = files.iter().filter(|file| file.is_read()).count();
        if self.same && own_index.entries.len() == built && read == built {
            return Ok(());
        }
        let (new_own, new_beside) = indexes(reading, files, &self.known, &beside_index);
        if new_own != own_index {
            new_own.write(&own)?;
        }
        if new_beside != beside_index {
            new_beside.write(&beside)?;
        }
        Ok(())
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
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
) -> Vec<Known> {
    let mut entries = own.entries.iter().peekable();
    files
        .iter()
        .map(|file| {
            if !file.is_read() {
                return None;
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
            let entry = entry.filter(|entry| entry.stamp == file.stamp)?;
            // An executable that became a module (by renaming) may say another kind.
            let fits = file.executable || entry.kind == IndexedKind::Source;
            fits.then_some((entry.stamp, entry.kind, entry.digest))
        })
        .collect()
}

fn read_one(
    reading: &Reading<'_>,
    file: &TreeFile,
    kept: &Kept,
    additions: &Additions,
    claimed: &Mutex<Claimed>,
    Scratch { buffer, encoded, recorder }: &mut Scratch,
) -> std::io::Result<Found> {
    let folder = reading.open.get(file.tree as usize).and_then(Option::as_ref);
    let folder = folder.ok_or(std::io::ErrorKind::NotFound)?;
    let source = if file.executable || !file.stamp.is_taken() {
        read_source(folder.as_fd(), &file.path, file.executable, buffer)?
    } else {
        read_stamped(folder.as_fd(), &file.path, &file.stamp, buffer)?
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
    if !claimed.lock().unwrap_or_else(PoisonError::into_inner).insert(found.id) {
        return Ok(found);
    }
    found.record = kept.get(&found.id).map(|(record, _)| Box::new(record));
    if found.record.is_none() {
        let strings = reading.strings.then_some(1);
        let options = bytekiln_syntax::Options { names: package, strings };
        let record = recorder.record(&bytekiln_syntax::extract(buffer, &options));
        encoded.clear();
        record.encode_into(encoded);
        additions.add(found.id, found.shebang, encoded);
        found.record = Some(Box::new(record));
    }
    Ok(found)
}

/// The new indexes, without what is too young to be trusted: of the sources of the workspace, and of all
/// else, which keeps what it knew of trees that this load did not look into.
fn indexes(
    reading: &Reading<'_>,
    files: &[TreeFile],
    known: &[Known],
    beside: &FileIndex<ContentId>,
) -> (FileIndex<ContentId>, FileIndex<ContentId>) {
    let (mut own, mut other) = (Vec::new(), Vec::new());
    let mut trees: HashSet<u32> = HashSet::from([0]);
    for (file, known) in files.iter().zip(known) {
        trees.insert(file.tree);
        let Some((stamp, kind, digest)) = *known else { continue };
        if !reading.clock.is_safe(&stamp) {
            continue;
        }
        if file.is_built() {
            own.push(IndexEntry { path: file.path.clone(), stamp, kind, digest });
        } else {
            other.push(IndexEntry { path: key(reading, file), stamp, kind, digest });
        }
    }
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
    (FileIndex { entries: own }, FileIndex { entries: other })
}
