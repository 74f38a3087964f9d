//! `build --timings`: listens to a build and writes one page that shows which worker compiled what
//! and when. Knows nothing of files to write to, and has no clock: the caller says when.

mod data;
mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytekiln_action::RepoPath;
use bytekiln_executor::{CacheOrigin, Event, Failure, JobEnd, Work};

use super::human::failure_text;

/// More messages than a reader of the page reads; the page stays bounded.
const MESSAGES_AT_MOST: usize = 300;

/// What the page says of the build as a whole.
#[derive(Debug, Clone)]
pub struct TimingsHeader {
    /// Name of the profile.
    pub title: String,
    /// How long it took, from the same zero as the events' times.
    pub wall: Duration,
    /// At most so many compilers at once.
    pub jobs: usize,
    /// Folder and name of each member; a file belongs to the longest folder that holds it.
    pub members: Vec<(RepoPath, String)>,
    /// Of Bytekiln.
    pub version: &'static str,
}

/// How a job ended, as far as the page tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Outcome {
    #[default]
    NotTried,
    Compiled,
    Restored,
    Unchanged,
    Rejected,
    Failed,
}

/// What is known of one job.
#[derive(Debug, Clone, Copy, Default)]
struct JobRecord {
    /// Who has it, and since when; nobody for cached results, and for what another job's
    /// compilation gave along with its own.
    started: Option<(usize, Duration)>,
    /// When it ended.
    ended: Duration,
    /// In the compiler.
    compile: Duration,
    outcome: Outcome,
}

/// A worker came up.
#[derive(Debug, Clone, Copy)]
struct WorkerRecord {
    worker: usize,
    compiler: usize,
    ready: Duration,
    elapsed: Duration,
}

/// A worker was lost.
#[derive(Debug, Clone)]
struct LossRecord {
    worker: usize,
    at: Duration,
    /// On which job, and since when it had it.
    job: Option<(usize, Duration)>,
}

/// Something to say: about a job, if one.
#[derive(Debug, Clone)]
struct Message {
    at: Duration,
    job: Option<usize>,
    text: String,
}

#[derive(Debug, Default)]
struct State {
    started: Option<Duration>,
    looked_up: Option<(Duration, usize, usize)>,
    jobs: BTreeMap<usize, JobRecord>,
    workers: Vec<WorkerRecord>,
    losses: Vec<LossRecord>,
    messages: Vec<Message>,
    /// Messages that there was no room for.
    unsaid: usize,
    removed: usize,
}

/// Collects events, from any thread, and makes the page of them.
#[derive(Debug, Default)]
pub struct TimingsRecorder {
    state: Mutex<State>,
}

impl TimingsRecorder {
    /// One for each build.
    pub fn new() -> TimingsRecorder {
        TimingsRecorder::default()
    }

    /// Takes an event that happened at `at`, counted from the start of the command.
    pub fn event(&self, event: &Event<'_>, at: Duration) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).take(event, at);
    }

    /// The whole page: one HTML file that needs no other and no network. About 100 bytes a job.
    pub fn page(&self, work: &Work, header: &TimingsHeader) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        page::page(&data::Data::new(&state, work, header))
    }
}

impl State {
    fn take(&mut self, event: &Event<'_>, at: Duration) {
        match event {
            Event::Started { .. } => self.started = Some(at),
            Event::LookedUp { hits, misses } => self.looked_up = Some((at, *hits, *misses)),
            Event::WorkerStarted { worker, compiler, elapsed } => {
                let (worker, compiler, elapsed) = (*worker, *compiler, *elapsed);
                self.workers.push(WorkerRecord { worker, compiler, ready: at, elapsed });
            }
            Event::WorkerLost { worker, job, reason, retry } => {
                let next = if *retry { "; tried again" } else { "" };
                self.say(at, *job, format!("worker {worker} was lost: {reason}{next}"));
                let since = |job: usize| self.jobs.get(&job)?.started.map(|(_, since)| since);
                let job = job.and_then(|job| Some((job, since(job)?)));
                self.losses.push(LossRecord { worker: *worker, at, job });
            }
            Event::JobStarted { job, worker } => {
                self.jobs.entry(*job).or_default().started = Some((*worker, at));
            }
            Event::JobEnded { job, worker, end, compile } => {
                let record = self.jobs.entry(*job).or_default();
                record.ended = at;
                record.compile = *compile;
                record.outcome = outcome(end);
                if worker.is_none() {
                    // Lost twice: the losses show what it had.
                    record.started = None;
                }
                match end {
                    JobEnd::Rejected { error, .. } => {
                        let line = error.start.map(|start| format!("line {}: ", start.line));
                        let line = line.unwrap_or_default();
                        let text = format!("{}: {line}{}", error.category, error.message);
                        self.say(at, Some(*job), text);
                    }
                    JobEnd::Failed(Failure::NotTried) => {}
                    JobEnd::Failed(failure) => self.say(at, Some(*job), failure_text(failure)),
                    JobEnd::Compiled { .. } | JobEnd::Cached { .. } => {}
                }
            }
            Event::Removed { .. } => self.removed += 1,
            Event::StoreTrouble { message } => self.say(at, None, message.clone()),
            Event::EntryDiscarded { job, message } => {
                self.say(at, Some(*job), format!("cached result discarded: {message}"));
            }
            Event::Interrupted => self.say(at, None, "interrupted".to_owned()),
            // Kinds of events that came later than this page.
            _ => {}
        }
    }

    fn say(&mut self, at: Duration, job: Option<usize>, text: String) {
        if self.messages.len() < MESSAGES_AT_MOST {
            self.messages.push(Message { at, job, text });
        } else {
            self.unsaid += 1;
        }
    }
}

fn outcome(end: &JobEnd) -> Outcome {
    match end {
        JobEnd::Compiled { .. } => Outcome::Compiled,
        JobEnd::Cached { origin: CacheOrigin::Store | CacheOrigin::Remote, .. } => {
            Outcome::Restored
        }
        JobEnd::Cached { origin: CacheOrigin::Output, .. } => Outcome::Unchanged,
        JobEnd::Rejected { .. } => Outcome::Rejected,
        JobEnd::Failed(Failure::NotTried) => Outcome::NotTried,
        JobEnd::Failed(_) => Outcome::Failed,
    }
}
