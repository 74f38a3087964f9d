//! Gathers what the next no-op will compare, after the work. Whatever changed since the load in a
//! way that the work does not explain means: not settled, the next load shall look.

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use bytekiln_action::RepoPath;
use bytekiln_planner::{Recorded, RootId, Slot};
use rustix::fs::AtFlags;

use super::request::{Memory, open_folder};
use crate::index::{SettledFolder, SettledState, SettledSummary, StoredRecord, Watch};
use crate::path::bytes;
use crate::scan::{FileClock, FoundFolder, Stamp, entries_hash, file_clock, list_tree};

const PYCACHE: &[u8] = b"__pycache__";

/// The settled state, or `None` if there is reason to look again.
pub(super) fn settle(
    memory: &Memory,
    roots: &[PathBuf],
    records: &[StoredRecord],
    summary: SettledSummary,
    did_something: bool,
) -> Option<SettledState> {
    if memory.files.iter().any(|(_, stamp)| !memory.clock.is_safe(stamp)) {
        return None;
    }
    let clock = clock_after_work(memory, did_something)?;
    let root = open_folder(&memory.root).ok()?;
    let fresh = crate::parallel::map(
        &memory.folders,
        memory.threads,
        || (),
        |(), folder| refresh(root.as_fd(), folder, &memory.closed, clock),
    );
    let mut folders: Vec<SettledFolder> = fresh.into_iter().collect::<Option<_>>()?;
    for (path, stamp) in &memory.files {
        let (folder, name) = split(path);
        folder_of(&mut folders, folder)?.files.push((name.to_vec(), *stamp));
    }
    for stored in records {
        let Slot::Output(output) = &stored.record.slot else { continue };
        if output.root != RootId::WORKSPACE || !is_written(stored) {
            continue;
        }
        let (mut folder, _) = split(&output.path);
        if folder == PYCACHE {
            folder = b"";
        } else if let Some(above) = folder.strip_suffix(b"/__pycache__") {
            folder = above;
        }
        let name = output.path.as_bytes().get(folder.len()..)?;
        let name = name.strip_prefix(b"/").unwrap_or(name);
        folder_of(&mut folders, folder)?.outputs.push((name.to_vec(), stored.stamp?));
    }
    if !outputs_hold(root.as_fd(), memory, &folders) {
        return None;
    }
    trees(memory, roots, records, clock, &mut folders)?;
    let (mut watches, all_hold) = watches(memory, &folders);
    if !memory.scan_watches.iter().all(Watch::holds) {
        return None;
    }
    watches.extend(memory.scan_watches.iter().cloned());
    Some(SettledState {
        request: memory.request,
        invocation: memory.invocation.filter(|_| all_hold),
        days: memory.days,
        summary,
        watches,
        folders,
    })
}

fn is_written(stored: &StoredRecord) -> bool {
    matches!(stored.record.result, Recorded::Written(_))
}

/// A moment after everything that the work wrote: if it has just written, the clock's next tick.
fn clock_after_work(memory: &Memory, did_something: bool) -> Option<FileClock> {
    let clock = || file_clock(&memory.state_dir, &memory.root).ok();
    let start = clock()?;
    if !did_something {
        return Some(start);
    }
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(2));
        let now = clock()?;
        if now != start {
            return Some(now);
        }
    }
    // A clock that ticks so rarely: the young stamps will be found unsafe.
    Some(start)
}

/// The folder as it is now; `None` if anything but caches came or went since the load.
fn refresh(
    root: BorrowedFd<'_>,
    folder: &FoundFolder,
    closed: &BTreeSet<RepoPath>,
    clock: FileClock,
) -> Option<SettledFolder> {
    let path: &[u8] = if folder.path.is_root() { b"." } else { folder.path.as_bytes() };
    let stamp = Stamp::of(&rustix::fs::statat(root, path, AtFlags::empty()).ok()?);
    if stamp != folder.stamp && entries_hash(root, &folder.path, closed).ok()? != folder.entries {
        return None;
    }
    let cache_path = folder.path.join(PYCACHE);
    let cache = rustix::fs::statat(root, cache_path.as_bytes(), AtFlags::SYMLINK_NOFOLLOW)
        .ok()
        .map(|stat| Stamp::of(&stat));
    let is_safe = clock.is_safe(&stamp) && cache.is_none_or(|cache| clock.is_safe(&cache));
    is_safe.then(|| SettledFolder {
        path: folder.path.as_bytes().to_vec(),
        stamp,
        cache,
        files: Vec::new(),
        outputs: Vec::new(),
    })
}

/// Where a folder's listing of caches is not the one of the load, its outputs are looked at again.
fn outputs_hold(root: BorrowedFd<'_>, memory: &Memory, folders: &[SettledFolder]) -> bool {
    let pairs: Vec<_> = memory.folders.iter().zip(folders).collect();
    let hold = crate::parallel::map(&pairs, memory.threads, Vec::new, |path, (then, now)| {
        let unchanged = then.cache == now.cache && then.stamp == now.stamp;
        unchanged
            || now.outputs.iter().all(|(name, stamp)| {
                path.clear();
                path.extend_from_slice(&now.path);
                if !now.path.is_empty() {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
                let flags = AtFlags::SYMLINK_NOFOLLOW;
                rustix::fs::statat(root, path.as_slice(), flags)
                    .is_ok_and(|stat| Stamp::of(&stat).same_output(stamp))
            })
    });
    hold.into_iter().all(|holds| holds)
}

/// Folders of output trees, by absolute path, with the outputs in them.
fn trees(
    memory: &Memory,
    roots: &[PathBuf],
    records: &[StoredRecord],
    clock: FileClock,
    folders: &mut Vec<SettledFolder>,
) -> Option<()> {
    for (at, root) in roots.iter().enumerate().skip(1) {
        let id = RootId(u16::try_from(at).ok()?);
        let mut recorded = records.iter().filter(|stored| {
            matches!(&stored.record.slot, Slot::Output(output) if output.root == id)
                && is_written(stored)
        });
        let is_ours = memory.trees.iter().any(|(path, _)| path == root);
        let Ok(tree) = open_folder(root) else {
            match recorded.next() {
                Some(_) => return None,
                None => continue,
            }
        };
        if recorded.clone().next().is_none() && !is_ours {
            continue;
        }
        let (mut outputs, mut listed, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        list_tree(tree.as_fd(), id, &mut outputs, &mut listed, &mut problems);
        if !problems.is_empty() {
            return None;
        }
        outputs.sort_by(|a, b| a.path.cmp(&b.path));
        let mut own: Vec<SettledFolder> = Vec::new();
        for (path, stamp) in listed {
            if !clock.is_safe(&stamp) {
                return None;
            }
            let path = bytes(&crate::path::absolute(root, &path)).to_vec();
            own.push(SettledFolder { path, stamp, cache: None, files: vec![], outputs: vec![] });
        }
        own.sort_by(|a, b| a.path.cmp(&b.path));
        for stored in recorded {
            let Slot::Output(output) = &stored.record.slot else { continue };
            let found = outputs.binary_search_by(|found| found.path.cmp(output)).ok()?;
            let (found, stamp) = (outputs.get(found)?, stored.stamp?);
            if !found.stamp.same_output(&stamp) {
                return None;
            }
            let (folder, name) = split(&output.path);
            let folder = crate::path::absolute(root, &RepoPath::new(folder)?);
            folder_of(&mut own, bytes(&folder))?.outputs.push((name.to_vec(), stamp));
        }
        folders.append(&mut own);
    }
    Some(())
}

/// Manifests and interpreters as they were at the load, or are now. They were read before the load,
/// so only if they did not change, and are a good deal older, may the state answer before they are
/// read again; a load may use it in any case, because it has read them (see `index::adopt`).
fn watches(memory: &Memory, folders: &[SettledFolder]) -> (Vec<Watch>, bool) {
    let mut watches = memory.watches.clone();
    watches.sort();
    watches.dedup();
    let long_before = memory.clock.long_before();
    let mut all_hold = true;
    for watch in &mut watches {
        let now = Watch::take(watch.path.clone());
        if now.stamp == watch.stamp {
            all_hold &= now.stamp.is_none_or(|stamp| long_before.is_safe(&stamp));
            continue;
        }
        // A folder in which the work made a `__pycache__`, and nothing else changed.
        let scanned = crate::path::below(&memory.root, &watch.path).and_then(|path| {
            let at = folders.binary_search_by(|folder| folder.path.as_slice().cmp(path.as_bytes()));
            folders.get(at.ok()?)
        });
        all_hold &= scanned.map(|folder| folder.stamp) == now.stamp;
        *watch = now;
    }
    (watches, all_hold)
}

fn split(path: &RepoPath) -> (&[u8], &[u8]) {
    let bytes = path.as_bytes();
    match bytes.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => {
            (bytes.get(..slash).unwrap_or_default(), bytes.get(slash + 1..).unwrap_or_default())
        }
        None => (b"", bytes),
    }
}

fn folder_of<'a>(folders: &'a mut [SettledFolder], path: &[u8]) -> Option<&'a mut SettledFolder> {
    let at = folders.binary_search_by(|folder| folder.path.as_slice().cmp(path)).ok()?;
    folders.get_mut(at)
}
