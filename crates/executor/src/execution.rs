//! One execution: what all of its threads share, and how a job ends. Knows nothing of queues and
//! workers.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytekiln_action::{ActionResult, Diagnostic, Digest, Outcome};
use bytekiln_cache::Blob;
use bytekiln_codec::{SourceHash, source_hash};

use crate::outputs::{Content, LastFolder, Outputs};
use crate::queue::Task;
use crate::record::{Kept, Recorder};
use crate::result::canonical_pyc;
use crate::source::{Sources, checked};
use crate::{
    CompiledBy, Event, Expected, Failure, Job, JobEnd, Options, Order, Reply, Report, Subscriber,
    Unplaced, Verdict, Work,
};

/// What all threads share.
pub(crate) struct Execution<'a> {
    pub work: &'a Work,
    pub options: &'a Options,
    pub events: Subscriber<'a>,
    /// By job; those that are missing expect anything.
    pub expected: &'a [Expected],
    pub unplaced: Unplaced,
    sources: &'a dyn Sources,
    source_hashes: Option<&'a BTreeMap<(u8, Digest), SourceHash>>,
    pub recorder: Recorder<'a>,
    pub outputs: Outputs<'a>,
    cancel: &'a AtomicBool,
    interrupted: AtomicBool,
    failed: AtomicBool,
    ends: Mutex<Vec<Option<JobEnd>>>,
}

/// Who compiled, and how long it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// `None`: somebody on another machine.
    pub worker: Option<usize>,
    pub compile: Duration,
}

impl<'a> Execution<'a> {
    pub(crate) fn new(order: &Order<'a>, sources: &'a dyn Sources) -> Execution<'a> {
        let Order { work, expected, unplaced, store, remote, options, events, cancel, .. } = *order;
        Execution {
            work,
            options,
            events,
            expected,
            unplaced,
            sources,
            source_hashes: remote.and_then(|remote| remote.source_hashes),
            recorder: Recorder::new(store, remote, events),
            outputs: Outputs::new(&work.roots, options.link),
            cancel,
            interrupted: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            ends: Mutex::new(work.jobs.iter().map(|_| None).collect()),
        }
    }

    /// Whether the caller has interrupted; says so once.
    pub(crate) fn interrupted(&self) -> bool {
        let interrupted = self.cancel.load(Ordering::Relaxed);
        if interrupted && !self.interrupted.swap(true, Ordering::Relaxed) {
            (self.events)(&Event::Interrupted);
        }
        interrupted
    }

    /// Whether nothing new is to be begun.
    pub(crate) fn stopped(&self) -> bool {
        self.interrupted() || (!self.options.keep_going && self.failed.load(Ordering::Relaxed))
    }

    /// The job of this index. Indices come from the work itself.
    pub(crate) fn job(&self, index: usize) -> Option<&'a Job> {
        self.work.jobs.get(index)
    }

    /// Whether this output, or none after a rejection, is one that the job may have.
    pub(crate) fn allows(&self, index: usize, found: Option<Digest>) -> bool {
        match self.expected.get(index).copied().unwrap_or_default() {
            Expected::Anything => true,
            Expected::Output(expected) => found == Some(expected),
            Expected::Nothing => found.is_none(),
        }
    }

    /// Why a job may not have this output.
    fn refusal(&self, index: usize, found: Digest) -> Option<Failure> {
        let expected = match self.expected.get(index) {
            Some(Expected::Output(expected)) => Some(*expected),
            Some(Expected::Anything | Expected::Nothing) | None => None,
        };
        let refused = !self.allows(index, Some(found));
        refused.then_some(Failure::UnexpectedOutput { expected, found })
    }

    /// The bytes of a job's source, as planned.
    pub(crate) fn source_of(
        &self,
        index: usize,
        job: &Job,
    ) -> Result<std::sync::Arc<[u8]>, Failure> {
        checked(self.sources, index, job)
    }

    /// What caches of a job have for its source: that of the very bytes that were planned, in which no later
    /// change of the file takes part.
    pub(crate) fn source_hash_of(&self, index: usize, job: &Job) -> Result<SourceHash, Failure> {
        let release = job.action.toolchain.release;
        let known =
            self.source_hashes.and_then(|all| all.get(&(release.minor(), job.action.source)));
        match known {
            Some(hash) => Ok(*hash),
            None => Ok(source_hash(release, &self.source_of(index, job)?)),
        }
    }

    /// A job has ended.
    pub(crate) fn end(&self, index: usize, effort: Option<Effort>, end: JobEnd) {
        match &end {
            JobEnd::Rejected { .. } => self.failed.store(true, Ordering::Relaxed),
            JobEnd::Failed(failure) if *failure != Failure::NotTried => {
                self.failed.store(true, Ordering::Relaxed);
            }
            JobEnd::Failed(_) | JobEnd::Compiled { .. } | JobEnd::Cached { .. } => {}
        }
        (self.events)(&Event::JobEnded {
            job: index,
            worker: effort.and_then(|effort| effort.worker),
            end: &end,
            compile: effort.map_or(Duration::ZERO, |effort| effort.compile),
        });
        let mut ends = self.ends.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(place) = ends.get_mut(index) {
            *place = Some(end);
        }
    }

    /// All jobs of a task have failed.
    pub(crate) fn fail(&self, task: &Task, effort: Option<Effort>, failure: &Failure) {
        for index in &task.jobs {
            self.end(*index, effort, JobEnd::Failed(failure.clone()));
        }
    }

    /// A compiler has answered: publish, record, report.
    pub(crate) fn finish(
        &self,
        last: &mut LastFolder,
        task: &Task,
        source: &[u8],
        worker: Option<usize>,
        reply: Reply,
    ) {
        let effort = Effort { worker, compile: reply.compile };
        let failure = match reply.verdict {
            Verdict::Compiled { payload } => {
                let Some(leader) = self.job(task.leader()) else { return };
                match canonical_pyc(&leader.action, source, &payload) {
                    Ok(pyc) => {
                        return self.publish(last, task, leader, &pyc, reply.warnings, effort);
                    }
                    Err(message) => Failure::InvalidResult(message),
                }
            }
            Verdict::Rejected { error } => return self.reject(task, error, reply.warnings, effort),
            Verdict::Refused => {
                Failure::CompilerUnusable("no engine compiles such a source".to_owned())
            }
            Verdict::OutOfResources { message } => Failure::OutOfResources(message),
        };
        self.fail(task, Some(effort), &failure);
    }

    fn publish(
        &self,
        last: &mut LastFolder,
        task: &Task,
        leader: &Job,
        pyc: &[u8],
        warnings: Vec<Diagnostic>,
        effort: Effort,
    ) {
        let blob = Blob::of(pyc.to_vec());
        let refusals: Vec<Failure> =
            task.jobs.iter().filter_map(|index| self.refusal(*index, blob.digest)).collect();
        if refusals.len() == task.jobs.len() {
            for (index, failure) in task.jobs.iter().zip(refusals) {
                self.end(*index, Some(effort), JobEnd::Failed(failure));
            }
            return;
        }
        let (kept, recordable) = self.recorder.keep(&blob);
        let content = match &kept {
            Kept::InFile(object) => Content::Both(&object.path, pyc),
            Kept::InMemory => Content::Bytes(pyc),
        };
        for index in &task.jobs {
            let placed = match self.refusal(*index, blob.digest) {
                Some(failure) => Err(failure),
                None => self.place_fresh(last, *index, leader, &blob.digest, content),
            };
            let end = match placed {
                Ok(()) => JobEnd::Compiled {
                    output: blob.digest,
                    warnings: warnings.clone(),
                    by: effort.worker.map_or(CompiledBy::Executor, |_| CompiledBy::Worker),
                },
                Err(failure) => JobEnd::Failed(failure),
            };
            self.end(*index, Some(effort), end);
        }
        let result = result(Outcome::Compiled { output: blob.digest }, warnings, effort);
        let elsewhere = matches!(kept, Kept::InMemory).then_some(blob);
        self.recorder.upload(task.digest, result.clone(), elsewhere);
        if recordable {
            self.recorder.record(task.digest, result);
        }
    }

    fn place_fresh(
        &self,
        last: &mut LastFolder,
        index: usize,
        leader: &Job,
        digest: &Digest,
        content: Content<'_>,
    ) -> Result<(), Failure> {
        let Some(job) = self.job(index) else { return Ok(()) };
        if job.source != leader.source {
            self.source_of(index, job)?;
        }
        match &job.output {
            Some(output) if !self.outputs.holds(last, output, digest) => self
                .outputs
                .place(last, output, content)
                .map_err(|error| Failure::OutputUnwritable(error.to_string())),
            Some(_) | None => Ok(()),
        }
    }

    fn reject(&self, task: &Task, error: Diagnostic, warnings: Vec<Diagnostic>, effort: Effort) {
        for index in &task.jobs {
            let end = JobEnd::Rejected {
                error: error.clone(),
                warnings: warnings.clone(),
                cached: false,
            };
            self.end(*index, Some(effort), end);
        }
        let result = result(Outcome::Rejected { error }, warnings, effort);
        self.recorder.upload(task.digest, result.clone(), None);
        self.recorder.record(task.digest, result);
    }

    /// How everything ended; what has not ended was not tried.
    pub(crate) fn report(self, removals: Removals) -> Report {
        let ends = self.ends.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ends = ends.into_iter().enumerate().map(|(job, end)| {
            end.unwrap_or_else(|| {
                let end = JobEnd::Failed(Failure::NotTried);
                let (worker, compile) = (None, Duration::ZERO);
                (self.events)(&Event::JobEnded { job, worker, end: &end, compile });
                end
            })
        });
        Report {
            ends: ends.collect(),
            removed: removals.removed,
            not_removed: removals.not_removed,
            interrupted: self.interrupted.into_inner(),
        }
    }
}

fn result(outcome: Outcome, warnings: Vec<Diagnostic>, effort: Effort) -> ActionResult {
    let compile_micros = u64::try_from(effort.compile.as_micros()).unwrap_or(u64::MAX);
    ActionResult { outcome, warnings, compile_micros }
}

/// How the removals ended.
#[derive(Default)]
pub(crate) struct Removals {
    pub removed: Vec<bytekiln_planner::OutputPath>,
    pub not_removed: Vec<(bytekiln_planner::OutputPath, std::io::Error)>,
}
