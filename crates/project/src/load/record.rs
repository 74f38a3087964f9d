//! After the work: what each slot became is written down, and whether anything is left. Knows
//! nothing of how the work was done.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use bytekiln_action::{Action, RepoPath};
use bytekiln_planner::{OutputPath, Record, Recorded, Severity, Slot};
use rustix::fs::AtFlags;

use super::LoadedInputs;
use super::caches::slot_order;
use super::request::open_folder;
use super::settle::settle;
use crate::index::{Records, StateError, StoredRecord, file_name, file_stem};
use crate::path::below;
use crate::scan::Stamp;

/// What a slot became.
#[derive(Debug, Clone)]
pub struct Filled {
    /// Which.
    pub slot: Slot,
    /// From which source.
    pub source: RepoPath,
    /// By which action.
    pub action: Action,
    /// How it ended.
    pub result: Recorded,
    /// How many warnings the compiler gave.
    pub warnings: u32,
}

/// Whether the plan was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// All of it, and a plan made now would be empty.
    Complete,
    /// Something is left: failed, interrupted, rejected, or not asked for.
    Partial,
}

/// What was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSummary {
    /// Records kept in all.
    pub records: usize,
    /// The next load can be a no-op.
    pub settled: bool,
}

/// The records could not be written.
pub type RecordError = StateError;

/// Records what came of a load's inputs. `filled` are the slots that work was done for, `removed`
/// the outputs that are gone. Files are replaced whole, so a build that dies here loses records,
/// never mixes them.
pub fn record(
    loaded: LoadedInputs,
    filled: Vec<Filled>,
    removed: &[OutputPath],
    completion: Completion,
) -> Result<RecordSummary, RecordError> {
    let LoadedInputs { inputs, roots, memory, state_trouble, .. } = loaded;
    let settled_path = file_name(&memory.state_dir, &memory.profile, memory.partial);
    let did_something = !filled.is_empty() || !removed.is_empty();
    if did_something || completion == Completion::Partial {
        forget(&settled_path)?;
        // What the other one knows of these outputs is no longer so.
        forget(&file_name(&memory.state_dir, &memory.profile, !memory.partial))?;
    }

    let trees: Vec<Option<OwnedFd>> = roots.iter().map(|root| open_folder(root).ok()).collect();
    let stamps = crate::parallel::map(
        &filled,
        memory.threads,
        || (),
        |(), filled| output_stamp(filled, &trees),
    );
    let mut new: Vec<StoredRecord> =
        filled.into_iter().zip(stamps).map(|(filled, stamp)| stored(filled, stamp)).collect();
    new.sort_by(|a, b| a.record.slot.cmp(&b.record.slot));
    new.dedup_by(|a, b| a.record.slot == b.record.slot);
    let mut gone: Vec<&OutputPath> = removed.iter().collect();
    gone.sort();
    let mut wanted: Vec<Slot> = Vec::with_capacity(inputs.sources.len() * inputs.targets.len());
    for source in &inputs.sources {
        wanted.extend(inputs.targets.iter().map(|target| bytekiln_planner::slot(source, target)));
    }
    wanted.sort();

    let before = inputs.records.len();
    let mut records: Vec<StoredRecord> = inputs
        .records
        .into_iter()
        .zip(memory.stamps.iter())
        .filter(|(record, _)| {
            let is_removed = gone.binary_search_by(|path| slot_order(&record.slot, path).reverse());
            let is_replaced = new.binary_search_by(|new| new.record.slot.cmp(&record.slot));
            let still_there = || {
                inputs
                    .observed
                    .binary_search_by(|seen| slot_order(&record.slot, &seen.path).reverse())
                    .is_ok()
            };
            is_removed.is_err()
                && is_replaced.is_err()
                && (wanted.binary_search(&record.slot).is_ok() || still_there())
        })
        .map(|(record, stamp)| StoredRecord { record, stamp: *stamp })
        .collect();
    let (sources, targets) = (inputs.sources.len(), inputs.targets.len());
    // With 80,000 sources these are tens of megabytes, and the files' bodies come next.
    drop((wanted, inputs.sources, inputs.observed));
    let changed = did_something || memory.stamps_refreshed || records.len() != before;
    records.append(&mut new);
    records.sort_by(|a, b| a.record.slot.cmp(&b.record.slot));
    let warnings = records.iter().map(|stored| stored.record.warnings).fold(0, u32::saturating_add);

    let problems = inputs.problems;
    let is_clean = problems.iter().all(|problem| problem.severity == Severity::Warning);
    let settled = if completion == Completion::Complete && is_clean && state_trouble.is_none() {
        let summary = crate::SettledSummary {
            sources: u32::try_from(sources).unwrap_or(u32::MAX),
            targets: u32::try_from(targets).unwrap_or(u32::MAX),
            warnings,
            problems,
        };
        settle(&memory, &roots, &records, summary, did_something)
    } else {
        None
    };

    records.extend(memory.untouched);
    records.sort_by(|a, b| a.record.slot.cmp(&b.record.slot));
    let records = Records { roots: relative_roots(&memory.root, roots), records };
    if changed {
        let name = format!("{}.records", file_stem(&memory.profile));
        records.write(&memory.state_dir.join(name))?;
    }
    // Last: it says that everything else is in place.
    if let Some(state) = &settled {
        state.write(&settled_path)?;
    }
    Ok(RecordSummary { records: records.records.len(), settled: settled.is_some() })
}

fn forget(path: &Path) -> Result<(), StateError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StateError { path: path.to_owned(), error })
        }
        _ => Ok(()),
    }
}

/// Of the output that was written, as it is now.
fn output_stamp(filled: &Filled, trees: &[Option<OwnedFd>]) -> Option<Stamp> {
    let (Slot::Output(output), Recorded::Written(_)) = (&filled.slot, filled.result) else {
        return None;
    };
    let tree = trees.get(usize::from(output.root.0))?.as_ref()?;
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    let stat = rustix::fs::statat(tree, output.path.as_bytes(), flags).ok()?;
    Some(Stamp::of(&stat))
}

fn stored(filled: Filled, stamp: Option<Stamp>) -> StoredRecord {
    let Filled { slot, source, action, result, warnings } = filled;
    let record = Record {
        slot,
        source,
        content: action.source,
        recorded_path: action.recorded_path,
        toolchain: action.toolchain,
        toolchain_digest: action.toolchain_digest,
        level: action.level,
        mode: action.mode,
        flags: action.flags,
        canonical_form: action.canonical_form,
        result,
        warnings,
    };
    StoredRecord { record, stamp }
}

fn relative_roots(root: &Path, roots: Vec<PathBuf>) -> Vec<PathBuf> {
    roots
        .into_iter()
        .map(|folder| match below(root, &folder) {
            Some(path) => crate::path::from_bytes(path.as_bytes()),
            None => folder,
        })
        .collect()
}
