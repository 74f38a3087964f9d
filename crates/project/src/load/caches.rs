//! What stands where outputs go, compared with the records of the last build. Knows nothing of
//! what is wanted now.

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_planner::{
    Inputs, Layout, Observed, ObservedState, OutputPath, Record, Recorded, RootId, Slot,
};
use rustix::fs::{AtFlags, FileType};

use super::request::open_folder;
use super::sources::owner;
use super::{LoadError, LoadErrorKind, Request};
use crate::index::{CheckDepth, Records, StoredRecord, file_stem};
use crate::path::{absolute, normalize};
use crate::scan::{FoundOutput, MemberRules, Scan, Stamp, list_tree, observe};

/// What `inputs` does not take.
pub(super) struct Caches {
    /// Folder of each root.
    pub(super) roots: Vec<PathBuf>,
    /// Stamps for `inputs.records`.
    pub(super) stamps: Vec<Option<Stamp>>,
    /// Some stamps are not those on disk.
    pub(super) refreshed: bool,
    /// Records of what is not in scope.
    pub(super) untouched: Vec<StoredRecord>,
    /// Folders of output trees.
    pub(super) trees: Vec<(PathBuf, Stamp)>,
}

/// Fills in `inputs.records` and `inputs.observed`.
pub(super) fn observe_caches(
    request: &Request<'_>,
    mut roots: Vec<PathBuf>,
    members: &[MemberRules],
    selected: &[bool],
    scan: &mut Scan,
    inputs: &mut Inputs,
) -> Result<Caches, LoadError> {
    let path = records_path(request);
    let stored = Records::read(&path).unwrap_or_else(|damage| {
        inputs.problems.push(damage.problem());
        Records::default()
    });
    let blind: BTreeSet<&RepoPath> = scan.blind.iter().collect();
    let in_scope = |source: &RepoPath| {
        !is_below(source, &blind)
            && (request.packages.is_empty()
                || owner(source, members).is_some_and(|at| selected.get(at) == Some(&true)))
    };
    let stored = renumber(stored, &request.workspace.root, &mut roots);
    let (mut records, untouched): (Vec<StoredRecord>, Vec<StoredRecord>) =
        stored.into_iter().partition(|stored| in_scope(&stored.record.source));
    records.sort_by(|a, b| a.record.slot.cmp(&b.record.slot));
    let mut elsewhere: Vec<&Slot> = untouched.iter().map(|stored| &stored.record.slot).collect();
    elsewhere.sort();

    let trees = open_trees(&roots)?;
    let mut found = std::mem::take(&mut scan.outputs);
    let mut tree_folders = Vec::new();
    if let (Some(tree), Some(path)) = (trees.get(1).and_then(Option::as_ref), roots.get(1)) {
        // Only the profile's own tree is listed; others are looked at where a record points.
        if inputs.targets.iter().any(|target| {
            matches!(target.layout, Layout::Prefix { .. } | Layout::Sourceless { .. })
        }) {
            let mut folders = Vec::new();
            let mut outputs = Vec::new();
            list_tree(tree.as_fd(), RootId(1), &mut outputs, &mut folders, &mut inputs.problems);
            if !request.packages.is_empty() {
                outputs.retain(|output| find(&records, &output.path).is_some());
            }
            found.append(&mut outputs);
            tree_folders.extend(
                folders.into_iter().map(|(folder, stamp)| (absolute(path, &folder), stamp)),
            );
        }
    }
    found.retain(|output| {
        elsewhere.binary_search_by(|slot| slot_order(slot, &output.path)).is_err()
    });
    find_recorded(&records, &trees, &mut found);

    let verify = request.depth == CheckDepth::Outputs;
    let pairs = join(&found, &records);
    let states = crate::parallel::map(
        &pairs,
        request.threads,
        || (),
        |(), (output, at)| state_of(output, at.and_then(|at| records.get(at)), &trees, verify),
    );
    let places: Vec<Option<usize>> = pairs.into_iter().map(|(_, at)| at).collect();
    let (mut observed, mut refreshed) = (Vec::with_capacity(found.len()), false);
    for ((output, place), state) in found.into_iter().zip(places).zip(states) {
        if state == ObservedState::AsRecorded
            && let Some(at) = place
            && let Some(stored) = records.get_mut(at)
        {
            // The bytes are as recorded, whatever the stamp was.
            refreshed |= !stored.stamp.is_some_and(|stamp| output.stamp.same_output(&stamp));
            stored.stamp = Some(output.stamp);
        }
        observed.push(Observed { path: output.path, state });
    }
    inputs.observed = observed;
    let mut stamps = Vec::with_capacity(records.len());
    inputs.records = records
        .into_iter()
        .map(|stored| {
            stamps.push(stored.stamp);
            stored.record
        })
        .collect::<Vec<Record>>();
    Ok(Caches { roots, stamps, refreshed, untouched, trees: tree_folders })
}

pub(super) fn records_path(request: &Request<'_>) -> PathBuf {
    request.state_dir.join(format!("{}.records", file_stem(&request.profile.name)))
}

fn is_below(path: &RepoPath, folders: &BTreeSet<&RepoPath>) -> bool {
    if folders.is_empty() {
        return false;
    }
    let mut here = Some(path.clone());
    while let Some(path) = here {
        if folders.contains(&path) {
            return true;
        }
        here = path.parent();
    }
    false
}

/// Gives the records' roots the numbers of this load; roots that are new to it are added.
fn renumber(
    stored: Records,
    workspace: &std::path::Path,
    roots: &mut Vec<PathBuf>,
) -> Vec<StoredRecord> {
    let numbers: Vec<Option<RootId>> = stored
        .roots
        .iter()
        .map(|root| {
            let root = normalize(workspace, root);
            let at = roots.iter().position(|known| *known == root).unwrap_or_else(|| {
                roots.push(root);
                roots.len() - 1
            });
            u16::try_from(at).ok().map(RootId)
        })
        .collect();
    let renumbered = stored.records.into_iter().filter_map(|mut stored| {
        if let Slot::Output(output) = &mut stored.record.slot {
            output.root = (*numbers.get(usize::from(output.root.0))?)?;
        }
        Some(stored)
    });
    renumbered.collect()
}

fn open_trees(roots: &[PathBuf]) -> Result<Vec<Option<OwnedFd>>, LoadError> {
    let mut trees = Vec::with_capacity(roots.len());
    for root in roots {
        match open_folder(root) {
            Ok(tree) => trees.push(Some(tree)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => trees.push(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                return Err(LoadErrorKind::OutputNotAFolder { path: root.clone() }.into());
            }
            Err(error) => {
                return Err(LoadErrorKind::Root { path: root.clone(), error }.into());
            }
        }
    }
    Ok(trees)
}

/// Adds the recorded outputs that lie where no listing came by: of a former layout or tree, of a
/// folder that is ignored now.
fn find_recorded(
    records: &[StoredRecord],
    trees: &[Option<OwnedFd>],
    found: &mut Vec<FoundOutput>,
) {
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    let mut more = Vec::new();
    let mut listed = found.iter().peekable();
    for stored in records {
        let Slot::Output(path) = &stored.record.slot else { continue };
        while listed.next_if(|output| output.path < *path).is_some() {}
        if listed.peek().is_some_and(|output| output.path == *path) {
            continue;
        }
        let Some(Some(tree)) = trees.get(usize::from(path.root.0)) else { continue };
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        if let Ok(stat) = rustix::fs::statat(tree, path.path.as_bytes(), flags) {
            let is_file = FileType::from_raw_mode(stat.st_mode).is_file();
            more.push(FoundOutput { path: path.clone(), stamp: Stamp::of(&stat), is_file });
        }
    }
    found.append(&mut more);
    found.sort_by(|a, b| a.path.cmp(&b.path));
}

fn state_of(
    output: &FoundOutput,
    stored: Option<&StoredRecord>,
    trees: &[Option<OwnedFd>],
    verify: bool,
) -> ObservedState {
    let written = stored.and_then(|stored| match stored.record.result {
        Recorded::Written(digest) => Some((digest, stored.stamp)),
        Recorded::Checked | Recorded::Rejected => None,
    });
    if let Some((_, Some(stamp))) = written
        && output.is_file
        && !verify
        && output.stamp.same_output(&stamp)
    {
        return ObservedState::AsRecorded;
    }
    let tree = trees.get(usize::from(output.path.root.0)).and_then(Option::as_ref);
    let Some(tree) = tree else {
        return ObservedState::Unrecorded(bytekiln_planner::FoundCache::NotAFile);
    };
    let size = written.map(|(digest, _)| digest.size);
    let (found, digest) = observe(tree.as_fd(), &output.path.path, size);
    match written {
        // Touched, copied or linked anew, with the bytes that were written.
        Some((recorded, _)) if digest == Some(recorded) => ObservedState::AsRecorded,
        Some(_) => ObservedState::Changed(found),
        None => ObservedState::Unrecorded(found),
    }
}

/// Each output with the place of its record; both lists are sorted.
fn join<'a>(
    found: &'a [FoundOutput],
    records: &[StoredRecord],
) -> Vec<(&'a FoundOutput, Option<usize>)> {
    let mut places = records.iter().enumerate().peekable();
    found
        .iter()
        .map(|output| {
            let order = |stored: &StoredRecord| slot_order(&stored.record.slot, &output.path);
            while places.next_if(|(_, stored)| order(stored).is_lt()).is_some() {}
            let place = places.peek().filter(|(_, stored)| order(stored).is_eq());
            (output, place.map(|(at, _)| *at))
        })
        .collect()
}

fn find(records: &[StoredRecord], path: &OutputPath) -> Option<usize> {
    records.binary_search_by(|stored| slot_order(&stored.record.slot, path)).ok()
}

/// How a slot compares with an output's.
pub(super) fn slot_order(slot: &Slot, path: &OutputPath) -> std::cmp::Ordering {
    match slot {
        Slot::Output(output) => output.cmp(path),
        Slot::Check(..) => std::cmp::Ordering::Greater,
    }
}
