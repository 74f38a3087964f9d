//! Merges journals of processes that are gone into the sorted table. Knows nothing of blobs;
//! what is worth keeping is the caller's to say.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use bytekiln_action::ActionDigest;

use super::journal::{journals, read_dead_journal};
use super::record::Record;
use super::results::{Kept, Records, TABLE, keep_newer, open_table};
use super::root::write_file;
use super::table::encode_table;
use crate::store::WarningLog;

/// What a merge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MergeReport {
    /// Results in the table now.
    pub(super) kept: usize,
    /// Results that were left out.
    pub(super) dropped: usize,
}

/// Holds the right to merge; given back when it is dropped.
#[derive(Debug)]
pub(super) struct MergeLock(#[expect(dead_code, reason = "held for its lock")] File);

impl MergeLock {
    /// Waits for the lock.
    pub(super) fn wait(folder: &Path) -> io::Result<MergeLock> {
        let file = open_lock(folder)?;
        file.lock()?;
        Ok(MergeLock(file))
    }

    /// `None` if somebody has it.
    pub(super) fn try_now(folder: &Path) -> io::Result<Option<MergeLock>> {
        let file = open_lock(folder)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(MergeLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn open_lock(folder: &Path) -> io::Result<File> {
    fs::create_dir_all(folder)?;
    File::options().write(true).create(true).truncate(false).open(folder.join("merge.lock"))
}

/// Writes one table of the old table and all dead journals, without the records that `keep`
/// refuses, and removes those journals. Never loses a record that it cannot write elsewhere:
/// the table is replaced before the journals go.
pub(super) fn merge(
    folder: &Path,
    _lock: &MergeLock,
    mut keep: impl FnMut(&ActionDigest, &Kept) -> bool,
    warnings: &WarningLog,
) -> io::Result<MergeReport> {
    let mut records = Records::new();
    if let Some(table) = open_table(&folder.join(TABLE), &mut records, warnings) {
        // Damage is reported when a question meets it; here it is left behind.
        table.each(|record| keep_newer(&mut records, record))?;
    }
    let mut dead = Vec::new();
    for (_, path) in journals(folder)? {
        match read_dead_journal(&path, &mut records, warnings) {
            Ok(Some(file)) => dead.push((path, file)),
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {} // cleared meanwhile
            Err(error) => {
                warnings.add(format!("skipped results that cannot be read: {error}"), Some(&path));
            }
        }
    }
    let before = records.len();
    records.retain(|action, kept| keep(action, kept));
    let table = encode_table(records.iter().map(|(action, kept)| Record {
        action: *action,
        recorded: kept.recorded,
        result: &kept.result,
    }));
    // Synced, unlike all else: the journals go next, and a power failure would cost everything
    // that was ever known, not only the last build. Merges are rare.
    write_file(folder, TABLE, |file| {
        file.write_all(&table)?;
        file.sync_data()
    })?;
    for (path, _file) in &dead {
        fs::remove_file(path)?;
    }
    Ok(MergeReport { kept: records.len(), dropped: before - records.len() })
}

/// Bytes and number of the journals, to decide whether merging pays.
pub(super) fn journal_weight(folder: &Path) -> io::Result<(usize, u64)> {
    let journals = journals(folder)?;
    let bytes = journals.iter().filter_map(|(_, path)| fs::metadata(path).ok());
    Ok((journals.len(), bytes.map(|metadata| metadata.len()).sum()))
}
