//! Rewrites caches on all threads. Knows nothing of how results are shown.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytekiln_action::Digest;
use bytekiln_artifact::{Durability, ReadFile, Replacer, read_file};
use bytekiln_codec::{Header, Limits};
use bytekiln_proof::{
    Rewrite, RewriteMode, RewriteRefusal, RewriteRequest, RewriteSource, Staleness, rewrite,
};
use bytekiln_python::Release;

use super::inventory::{SourcePlace, Subject};
use super::records::Records;
use crate::arguments::NormalizeRecordedPath;
use crate::calendar::date_and_time;

/// Longer than any payload that the codec reads, header included.
const CACHE_LIMIT: u64 = Limits::DEFAULT.payload_bytes as u64 + 16;
/// CPython's own compiler takes none longer.
const SOURCE_LIMIT: u64 = i32::MAX as u64;
/// How many caches a thread takes at once: those of one source lie side by side.
const STRIDE: usize = 16;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) mode: RewriteMode,
    pub(super) recorded_path: NormalizeRecordedPath,
}

/// What came of a cache.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was as wanted.
    Unchanged,
    /// It was replaced, or would be.
    Normalized {
        header: bool,
        recorded_path: bool,
        /// Of the new content, where a `RECORD` wants it.
        digest: Option<Digest>,
    },
    /// It is no cache of its source.
    Stale(String),
    /// Another implementation or tool made it.
    Foreign(String),
    /// Its `RECORD`, which is named, lists other bytes.
    Mismatched(PathBuf),
    /// It is no valid cache.
    Damaged(String),
    /// It could not be read or written, or the rewrite could not be proved.
    Failed(String),
    /// Not looked at: interrupted.
    NotTried,
}

/// Works on all subjects; results in their order. Without a replacer nothing is written.
pub(super) fn run(
    subjects: &[Subject],
    records: &Records,
    wanted: Wanted,
    replacer: Option<&Replacer>,
    jobs: NonZeroUsize,
    cancel: &AtomicBool,
    done: &(dyn Fn(&Subject) + Sync),
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut worker = Worker { records, wanted, replacer, last_source: None };
        let mut results = Vec::new();
        loop {
            let start = next.fetch_add(STRIDE, Ordering::Relaxed);
            let Some(rest) = subjects.get(start..).filter(|rest| !rest.is_empty()) else {
                return results;
            };
            for (index, subject) in rest.iter().take(STRIDE).enumerate() {
                if cancel.load(Ordering::Relaxed) {
                    return results;
                }
                results.push((start + index, worker.subject(subject)));
                done(subject);
            }
        }
    };
    let threads = jobs.get().min(subjects.len().div_ceil(STRIDE)).max(1);
    let results = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut results = work();
        for other in others {
            match other.join() {
                Ok(more) => results.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    let mut outcomes: Vec<Outcome> = subjects.iter().map(|_| Outcome::NotTried).collect();
    for (index, outcome) in results {
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = outcome;
        }
    }
    outcomes
}

struct Worker<'a> {
    records: &'a Records,
    wanted: Wanted,
    replacer: Option<&'a Replacer>,
    /// Caches of several releases and levels have one source.
    last_source: Option<(PathBuf, Arc<ReadFile>)>,
}

impl Worker<'_> {
    fn subject(&mut self, subject: &Subject) -> Outcome {
        let read = match read_file(&subject.path, CACHE_LIMIT) {
            Ok(read) => read,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let rows = self.records.rows(subject.root, &subject.below_root);
        if !rows.is_empty()
            && let Some(record) = self.records.contradicting(rows, &Digest::of(&read.bytes))
        {
            return Outcome::Mismatched(record.to_owned());
        }
        if let Some(outcome) = misnamed(subject, &read.bytes) {
            return outcome;
        }
        let source_file = match &subject.source {
            SourcePlace::File(path) => match self.source(path) {
                Ok(source) => Some(source),
                Err(error) => return Outcome::Failed(error),
            },
            SourcePlace::Missing | SourcePlace::Sourceless => None,
        };
        let source = match (&source_file, &subject.source) {
            (Some(file), _) => RewriteSource::Present {
                bytes: &file.bytes,
                mtime: (file.stamp.mtime, file.stamp.mtime_nanoseconds),
            },
            (None, SourcePlace::Sourceless) => RewriteSource::Sourceless,
            (None, _) => RewriteSource::Missing,
        };
        let relative = match self.wanted.recorded_path {
            NormalizeRecordedPath::Relative => true,
            NormalizeRecordedPath::Keep => false,
            NormalizeRecordedPath::Auto => source_file.is_some(),
        };
        let rewritten = rewrite(&RewriteRequest {
            pyc: &read.bytes,
            source,
            mode: self.wanted.mode,
            recorded_path: relative.then_some(subject.recorded_path.as_bytes()),
            limits: Limits::default(),
        });
        let replacement = match rewritten {
            Ok(Rewrite::Unchanged) => return Outcome::Unchanged,
            Ok(Rewrite::Replaced(replacement)) => replacement,
            Err(refusal) => return refused(&refusal),
        };
        let durability =
            if source_file.is_some() { Durability::Rebuildable } else { Durability::Kept };
        if let Some(replacer) = self.replacer
            && let Err(error) =
                replacer.replace(&subject.path, &read.stamp, &replacement.bytes, durability)
        {
            return Outcome::Failed(error.to_string());
        }
        Outcome::Normalized {
            header: replacement.header,
            recorded_path: replacement.recorded_path,
            digest: (!rows.is_empty()).then(|| Digest::of(&replacement.bytes)),
        }
    }

    fn source(&mut self, path: &Path) -> Result<Arc<ReadFile>, String> {
        if let Some((last, file)) = &self.last_source
            && last == path
        {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(read_file(path, SOURCE_LIMIT).map_err(|error| error.to_string())?);
        self.last_source = Some((path.to_owned(), Arc::clone(&file)));
        Ok(file)
    }
}

/// A cache whose name says another release than its magic number: CPython reads it and throws it
/// away.
fn misnamed(subject: &Subject, pyc: &[u8]) -> Option<Outcome> {
    let tag = subject.tag.as_deref()?;
    let release = Header::parse(pyc).ok()?.release()?;
    let Some(rest) = tag.strip_prefix("cpython-") else {
        return Some(Outcome::Foreign(format!("its name is for `{tag}`, which is no CPython")));
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let of_tag = rest
        .get(..digits)
        .and_then(|digits| digits.strip_prefix('3'))
        .and_then(|minor| minor.parse().ok())
        .and_then(Release::from_minor);
    (of_tag != Some(release)).then(|| {
        Outcome::Stale(format!("its name is for `{tag}`, its magic number is of CPython {release}"))
    })
}

fn refused(refusal: &RewriteRefusal) -> Outcome {
    let told = refusal.to_string();
    match refusal {
        RewriteRefusal::Foreign(_) => Outcome::Foreign(told),
        RewriteRefusal::Stale(staleness) => Outcome::Stale(staleness_text(*staleness)),
        RewriteRefusal::Header(_) | RewriteRefusal::Payload(_) => Outcome::Damaged(told),
        _ => Outcome::Failed(told),
    }
}

/// Times as dates; the rest as the rewriter words it.
fn staleness_text(staleness: Staleness) -> String {
    match staleness {
        Staleness::Mtime { recorded, found } => format!(
            "it was compiled from a source modified at {} UTC, its source was at {}",
            date_and_time(i64::from(recorded)),
            date_and_time(i64::from(found))
        ),
        Staleness::SourceMissing | Staleness::Size { .. } | Staleness::Hash { .. } => {
            staleness.to_string()
        }
    }
}
