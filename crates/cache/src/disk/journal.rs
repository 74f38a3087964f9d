//! Journals of action results as files: found, begun, followed while somebody writes them, and
//! taken over from the dead. Knows nothing of the table that they are merged into.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::record::{FileKind, HEADER_LENGTH, header, read_records};
use super::results::{Records, keep_newer, report_damage};
use super::root::{TEMPORARY_PREFIX, unique_name};
use crate::store::WarningLog;

const JOURNAL_SUFFIX: &str = ".journal";

/// An open journal, read or written.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Bytes that were read and understood, or written.
    pub(super) length: u64,
    /// Written by another version; left alone.
    pub(super) foreign: bool,
}

impl Journal {
    /// Reads what was appended since the last time. The end of a journal may be half a record
    /// that is being written right now, so it is only looked at again, not complained about.
    pub(super) fn read_more(
        &mut self,
        into: &mut Records,
        warnings: &WarningLog,
    ) -> io::Result<bool> {
        let size = self.file.metadata()?.len();
        if self.foreign || size <= self.length || size < HEADER_LENGTH as u64 {
            return Ok(false);
        }
        if self.length == 0 {
            let mut head = [0; HEADER_LENGTH];
            self.file.read_exact_at(&mut head, 0)?;
            if head != header(FileKind::Journal) {
                self.foreign = true;
                warnings.add("skipped results in an unknown format", Some(&self.path));
                return Ok(false);
            }
            self.length = HEADER_LENGTH as u64;
        }
        let mut bytes = vec![0; usize::try_from(size - self.length).unwrap_or(0)];
        match self.file.read_exact_at(&mut bytes, self.length) {
            Ok(()) => {}
            // Its writer cut off a failed append.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
        let report = read_records(&bytes, |record| keep_newer(into, record));
        if report.damaged > 0 {
            report_damage(report.damaged, &self.path, warnings);
        }
        self.length += report.consumed as u64;
        Ok(report.consumed > 0)
    }
}

/// Names and paths of all journals, in order of their names.
pub(super) fn journals(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && name.ends_with(JOURNAL_SUFFIX)
            && !name.starts_with(TEMPORARY_PREFIX)
        {
            found.push((name, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// A new journal of this process, locked as long as it is open.
pub(super) fn create_journal(folder: &Path) -> io::Result<Journal> {
    fs::create_dir_all(folder)?;
    loop {
        let path = folder.join(format!("{}{JOURNAL_SUFFIX}", unique_name()));
        let file = match File::options().append(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        // A merge may have looked at it before it was locked, and taken it for a dead one.
        let taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        if !taken && file.metadata()?.nlink() > 0 {
            return Ok(Journal { path, file, length: 0, foreign: false });
        }
    }
}

/// Reads a journal that nobody writes any more; `None` if somebody may. It must be kept open
/// until it is removed, because that holds its lock.
pub(super) fn read_dead_journal(
    path: &Path,
    into: &mut Records,
    warnings: &WarningLog,
) -> io::Result<Option<File>> {
    /// Where the file system has no locks, only age tells.
    const SURELY_DEAD: Duration = Duration::from_secs(24 * 3600);
    let mut file = File::open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(_)) => {
            let written = file.metadata()?.modified()?;
            if SystemTime::now().duration_since(written).is_ok_and(|age| age < SURELY_DEAD) {
                return Ok(None);
            }
        }
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    match bytes.split_at_checked(HEADER_LENGTH) {
        Some((head, records)) if head == header(FileKind::Journal) => {
            let report = read_records(records, |record| keep_newer(into, record));
            let lost = records.len() - report.consumed + report.damaged;
            if lost > 0 {
                report_damage(lost, path, warnings);
            }
            Ok(Some(file))
        }
        Some(_) => Ok(None),    // of another version: not ours to remove
        None => Ok(Some(file)), // never used
    }
}
