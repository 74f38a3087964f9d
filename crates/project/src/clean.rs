//! What a profile's builds left behind, from their records alone: no scan, no interpreter. Knows
//! nothing of how outputs are removed.

use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_planner::{OutputPath, Slot};

use crate::index::{Records, StateError, StoredRecord, file_name, file_stem};
use crate::path::{bytes, from_bytes, normalize};
use crate::scan::Stamp;
use crate::{Member, Workspace};

/// Outputs on record.
#[derive(Debug, Default)]
pub struct RecordedOutputs {
    /// Folder of each [`bytekiln_planner::RootId`] that occurs.
    pub roots: Vec<PathBuf>,
    /// Outputs that are still the files that were written.
    pub untouched: Vec<OutputPath>,
    /// Outputs that somebody replaced since.
    pub changed: Vec<OutputPath>,
}

/// The outputs on record for a profile; only those of `packages`, unless that is empty. A damaged
/// record file knows none.
pub fn recorded_outputs(
    workspace: &Workspace,
    profile: &str,
    packages: &[String],
    state_dir: &Path,
) -> RecordedOutputs {
    let Ok(records) = Records::read(&records_path(state_dir, profile)) else {
        return RecordedOutputs::default();
    };
    let roots: Vec<PathBuf> =
        records.roots.iter().map(|root| normalize(&workspace.root, root)).collect();
    let mut outputs = RecordedOutputs { roots, ..RecordedOutputs::default() };
    for StoredRecord { record, stamp } in &records.records {
        let (Slot::Output(output), Some(stamp)) = (&record.slot, stamp) else { continue };
        if !is_selected(&record.source, &workspace.members, packages) {
            continue;
        }
        let Some(root) = outputs.roots.get(usize::from(output.root.0)) else { continue };
        let path = root.join(from_bytes(output.path.as_bytes()));
        match rustix::fs::lstat(bytes(&path)) {
            Ok(stat) if Stamp::of(&stat).same_output(stamp) => {
                outputs.untouched.push(output.clone())
            }
            Ok(_) => outputs.changed.push(output.clone()),
            Err(_) => {}
        }
    }
    outputs
}

/// Forgets what is on record for a profile (of `packages`, unless that is empty).
///
/// # Errors
/// The records cannot be written.
pub fn forget_records(
    workspace: &Workspace,
    profile: &str,
    packages: &[String],
    state_dir: &Path,
) -> Result<(), StateError> {
    for partial in [false, true] {
        remove(&file_name(state_dir, profile, partial))?;
    }
    let path = records_path(state_dir, profile);
    if packages.is_empty() {
        return remove(&path);
    }
    let Ok(mut records) = Records::read(&path) else { return Ok(()) };
    records
        .records
        .retain(|stored| !is_selected(&stored.record.source, &workspace.members, packages));
    records.write(&path)
}

fn records_path(state_dir: &Path, profile: &str) -> PathBuf {
    state_dir.join(format!("{}.records", file_stem(profile)))
}

fn remove(path: &Path) -> Result<(), StateError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StateError { path: path.to_owned(), error })
        }
        _ => Ok(()),
    }
}

/// Whether the member that holds the source most closely is among those asked for.
fn is_selected(source: &RepoPath, members: &[Member], packages: &[String]) -> bool {
    if packages.is_empty() {
        return true;
    }
    members
        .iter()
        .filter(|member| source.strip_prefix(&member.path).is_some())
        .max_by_key(|member| member.path.as_bytes().len())
        .is_some_and(|member| packages.contains(&member.name))
}
