//! Action results on disk: `results-1/table`, and `results-1/*.journal`, one a writing process.
//! Knows nothing of blobs.
//!
//! Why not a file each: creating one costs 106 µs on ext4, appending 5. Why a journal a process:
//! no process ever waits for another. A process holds an advisory lock on its own journal while
//! it lives, which tells the living journals from those that may be merged into the table; no
//! one waits for it. Merging happens under `merge.lock`, by `gc`, and by the first question of a
//! process that finds many journals; where it cannot be had at once, somebody else is at it.
//!
//! A result is visible to others when `append` returns: they look again, for the price of a
//! `stat` a journal, whenever they miss something.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytekiln_action::ActionDigest;

use super::journal::{Journal, create_journal, journals};
use super::record::{FileKind, HEADER_LENGTH, Record, append_record, header, read_records};
use super::table::{Table, TableError};
use crate::store::WarningLog;

/// Named by version, so that versions that cannot read each other live side by side.
pub(super) const FOLDER: &str = "results-1";
pub(super) const TABLE: &str = "table";

/// A result as it is kept, with the time of its recording (microseconds since 1970).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) recorded: u64,
    pub(super) result: Box<[u8]>,
}

/// Records by key.
pub(super) type Records = BTreeMap<ActionDigest, Kept>;

/// What this process knows of the results, and its own journal.
#[derive(Debug)]
pub(super) struct Results {
    folder: PathBuf,
    own: Option<Journal>,
    view: Option<View>,
}

/// What was read so far.
#[derive(Debug, Default)]
struct View {
    /// Modification time and inode of the folder and the table when they were last looked at.
    folder_state: Option<(i64, i64)>,
    table_state: Option<u64>,
    table: Option<Table>,
    /// Damage in the table was reported.
    table_reported: bool,
    journals: BTreeMap<String, Journal>,
    recent: Records,
}

impl Results {
    pub(super) fn new(root: &Path) -> Results {
        Results { folder: root.join(FOLDER), own: None, view: None }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the next question is the first.
    pub(super) fn is_unread(&self) -> bool {
        self.view.is_none()
    }

    /// Forgets what was read, because the files were changed by `gc` or `clear`.
    pub(super) fn reread(&mut self) {
        self.view = None;
    }

    /// The kept bytes of each action's result.
    pub(super) fn get(
        &mut self,
        actions: &[ActionDigest],
        warnings: &WarningLog,
    ) -> io::Result<Vec<Option<Box<[u8]>>>> {
        let mut answers = vec![None; actions.len()];
        let mut fresh = self.view.is_none();
        let own = self.own.as_ref().map(|own| own.path.clone());
        let view = self.view.get_or_insert_default();
        if fresh {
            view.refresh(&self.folder, own.as_deref(), warnings)?;
        }
        loop {
            let mut missing = Vec::new();
            for (position, (action, answer)) in actions.iter().zip(&mut answers).enumerate() {
                if answer.is_none() {
                    match view.recent.get(action) {
                        Some(kept) => *answer = Some(kept.result.clone()),
                        None => missing.push((*action, position)),
                    }
                }
            }
            missing.sort_unstable();
            let mut found = 0;
            if let Some(table) = &view.table {
                let damaged = table.look_up(&missing, |position, record| {
                    if let Some(answer) = answers.get_mut(position) {
                        *answer = Some(record.result.into());
                        found += 1;
                    }
                })?;
                if damaged > 0 && !view.table_reported {
                    view.table_reported = true;
                    report_damage(damaged, &self.folder.join(TABLE), warnings);
                }
            }
            if found >= missing.len() || fresh {
                return Ok(answers);
            }
            fresh = true; // one more look is enough
            if !view.refresh(&self.folder, own.as_deref(), warnings)? {
                return Ok(answers);
            }
        }
    }

    /// Writes results to this process's journal. Those that are too large to keep are left out
    /// and counted in the answer.
    pub(super) fn append(&mut self, entries: &[(ActionDigest, Vec<u8>)]) -> io::Result<usize> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let recorded = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        let mut refused = 0;
        for (action, result) in entries {
            if !append_record(&mut bytes, &Record { action: *action, recorded, result }) {
                refused += 1;
            }
        }
        if bytes.is_empty() {
            return Ok(refused);
        }
        let mut own = match self.own.take() {
            // `clear` or a merge may have taken it away.
            Some(own) if own.file.metadata()?.nlink() > 0 => own,
            _ => create_journal(&self.folder)?,
        };
        let before = own.length;
        if before == 0 {
            bytes.splice(0..0, header(FileKind::Journal));
        }
        if let Err(error) = own.file.write_all(&bytes) {
            // Half a record would be skipped by readers; cut it off, or begin a new journal.
            if own.file.set_len(before).is_ok() {
                self.own = Some(own);
            }
            return Err(error);
        }
        own.length += bytes.len() as u64;
        self.own = Some(own);
        if let Some(view) = &mut self.view {
            for (action, result) in entries {
                let result = result.clone().into_boxed_slice();
                view.recent.insert(*action, Kept { recorded, result });
            }
        }
        Ok(refused)
    }

    /// All results, in the order of their keys, and the number of journals.
    pub(super) fn all(&mut self, warnings: &WarningLog) -> io::Result<(Records, usize)> {
        self.view = None;
        self.get(&[], warnings)?;
        let mut records = Records::new();
        let Some(view) = &self.view else { return Ok((records, 0)) };
        if let Some(table) = &view.table {
            table.each(|record| keep_newer(&mut records, record))?;
        }
        for (action, kept) in &view.recent {
            let Kept { recorded, result } = kept;
            keep_newer(&mut records, Record { action: *action, recorded: *recorded, result });
        }
        Ok((records, view.journals.len()))
    }
}

impl View {
    /// Reads what is new; `false` if nothing is.
    fn refresh(
        &mut self,
        folder: &Path,
        own: Option<&Path>,
        warnings: &WarningLog,
    ) -> io::Result<bool> {
        let state = match fs::metadata(folder) {
            Ok(metadata) => Some((metadata.mtime(), metadata.mtime_nsec())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut news = false;
        let listed = state.is_none() || state != self.folder_state;
        if listed && state.is_some() {
            news |= self.list(folder, warnings)?;
            // Two changes may share a time stamp: believe it only once it is old.
            let settled = SystemTime::now()
                .duration_since(
                    UNIX_EPOCH
                        + Duration::from_secs(
                            state.and_then(|(seconds, _)| u64::try_from(seconds).ok()).unwrap_or(0),
                        ),
                )
                .is_ok_and(|age| age > Duration::from_secs(2));
            self.folder_state = state.filter(|_| settled);
        }
        for journal in self.journals.values_mut() {
            let ours = own == Some(journal.path.as_path()) && journal.length > 0;
            if !ours {
                news |= journal.read_more(&mut self.recent, warnings)?;
            }
        }
        Ok(news)
    }

    /// Looks for journals and another table.
    fn list(&mut self, folder: &Path, warnings: &WarningLog) -> io::Result<bool> {
        let mut news = false;
        for (name, path) in journals(folder)? {
            if self.journals.contains_key(&name) {
                continue;
            }
            match File::open(&path) {
                Ok(file) => {
                    news = true;
                    let journal = Journal { path, file, length: 0, foreign: false };
                    self.journals.insert(name, journal);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => news = true, // merged
                Err(error) => {
                    warnings
                        .add(format!("skipped results that cannot be read: {error}"), Some(&path));
                }
            }
        }
        // After the journals: one that was merged meanwhile is in the table that is opened now.
        let path = folder.join(TABLE);
        let inode = fs::metadata(&path).ok().map(|metadata| metadata.ino());
        if inode.is_some() && inode != self.table_state {
            self.table_state = inode;
            self.table_reported = false;
            news = true;
            self.table = open_table(&path, &mut self.recent, warnings);
        }
        Ok(news)
    }
}

pub(super) fn keep_newer(records: &mut Records, record: Record<'_>) {
    let known = records.get(&record.action).map(|kept| kept.recorded);
    if known.is_none_or(|known| known <= record.recorded) {
        let kept = Kept { recorded: record.recorded, result: record.result.into() };
        records.insert(record.action, kept);
    }
}

pub(super) fn report_damage(bytes: usize, path: &Path, warnings: &WarningLog) {
    warnings.add(format!("skipped {bytes} damaged bytes of action results"), Some(path));
}

/// Opens the table; one with a damaged index is read like a journal, at the price of memory,
/// until a merge writes it anew.
pub(super) fn open_table(
    path: &Path,
    salvage: &mut Records,
    warnings: &WarningLog,
) -> Option<Table> {
    match Table::open(path) {
        Ok(table) => Some(table),
        Err(TableError::Io(error)) => {
            if error.kind() != io::ErrorKind::NotFound {
                warnings.add(format!("skipped results that cannot be read: {error}"), Some(path));
            }
            None
        }
        Err(TableError::Foreign) => {
            warnings.add("skipped results in an unknown format", Some(path));
            None
        }
        Err(TableError::Damaged) => {
            match fs::read(path) {
                Ok(bytes) => {
                    let records = bytes.get(HEADER_LENGTH..).unwrap_or_default();
                    let report = read_records(records, |record| keep_newer(salvage, record));
                    report_damage(records.len() - report.consumed + report.damaged, path, warnings);
                }
                Err(error) => {
                    warnings
                        .add(format!("skipped results that cannot be read: {error}"), Some(path));
                }
            }
            None
        }
    }
}
