//! The data that a timings page carries: small arrays instead of objects, names said once. Knows
//! nothing of HTML. `page.js` reads what is written here.

use std::collections::BTreeMap;
use std::time::Duration;

use bytekiln_action::RepoPath;
use bytekiln_executor::Work;
use bytekiln_python::OptimizationLevel;
use serde::Serialize;

use super::{JobRecord, Outcome, State, TimingsHeader};

/// Longer texts are cut: a page of 15,000 files has to stay one.
const TEXT_AT_MOST: usize = 240;

/// Times are microseconds since the start of the command; `-1` is "none".
#[derive(Debug, Serialize)]
pub(super) struct Data {
    pub title: String,
    pub version: &'static str,
    pub wall: u64,
    pub workers_at_most: usize,
    /// Executor started, stores answered.
    pub started: u64,
    pub looked_up: u64,
    pub hits: usize,
    pub misses: usize,
    pub removed: usize,
    pub outcomes: [&'static str; 6],
    /// How many jobs ended so, in the order of `outcomes`.
    pub counts: [usize; 6],
    pub targets: Vec<String>,
    pub compilers: Vec<String>,
    pub members: Vec<String>,
    pub folders: Vec<String>,
    /// Folder, name, member, bytes.
    pub files: Vec<(usize, String, i64, u64)>,
    /// File, target, outcome, worker, began, ended, time in the compiler.
    pub jobs: Vec<(usize, usize, usize, i64, i64, u64, u64)>,
    /// Number, compiler, ready, time that the start took.
    pub workers: Vec<(usize, usize, u64, u64)>,
    /// Worker, when, job, since when it had the job.
    pub losses: Vec<(usize, u64, i64, i64)>,
    /// When, job, text.
    pub messages: Vec<(u64, i64, String)>,
    /// Messages left out.
    pub unsaid: usize,
}

impl Data {
    pub(super) fn new(state: &State, work: &Work, header: &TimingsHeader) -> Data {
        let started = state.started.unwrap_or_default();
        let (looked_up, hits, misses) = state.looked_up.unwrap_or((started, 0, 0));
        let mut data = Data {
            title: cut(&header.title),
            version: header.version,
            wall: micros(header.wall),
            workers_at_most: header.jobs,
            started: micros(started),
            looked_up: micros(looked_up),
            hits,
            misses,
            removed: state.removed,
            outcomes: ["compiled", "from cache", "unchanged", "rejected", "failed", "not tried"],
            counts: [0; 6],
            targets: Vec::new(),
            compilers: work.compilers.iter().map(|compiler| compiler.toolchain.label()).collect(),
            members: header.members.iter().map(|(_, name)| cut(name)).collect(),
            folders: Vec::new(),
            files: Vec::new(),
            jobs: Vec::with_capacity(work.jobs.len()),
            workers: Vec::new(),
            losses: Vec::new(),
            messages: Vec::new(),
            unsaid: state.unsaid,
        };
        data.add_jobs(state, work, &header.members);
        data.workers = state
            .workers
            .iter()
            .map(|it| (it.worker, it.compiler, micros(it.ready), micros(it.elapsed)))
            .collect();
        data.losses = state
            .losses
            .iter()
            .map(|loss| {
                let (job, since) =
                    loss.job.map_or((-1, -1), |(job, since)| (signed(job), time(since)));
                (loss.worker, micros(loss.at), job, since)
            })
            .collect();
        data.messages = state
            .messages
            .iter()
            .map(|it| (micros(it.at), it.job.map_or(-1, signed), cut(&it.text)))
            .collect();
        data
    }

    fn add_jobs(&mut self, state: &State, work: &Work, members: &[(RepoPath, String)]) {
        let mut targets = Names::default();
        let mut folders = Names::default();
        let mut files: BTreeMap<&RepoPath, usize> = BTreeMap::new();
        for (index, job) in work.jobs.iter().enumerate() {
            let next = self.files.len();
            let file = *files.entry(&job.source).or_insert(next);
            if file == next {
                let folder = job.source.parent().unwrap_or_default();
                let member = member(members, &folder).map_or(-1, signed);
                // Written through the path's own escaping: a name need not be text.
                let name = RepoPath::new(job.source.file_name()).unwrap_or_default().to_string();
                self.files.push((
                    folders.number(folder.to_string()),
                    name,
                    member,
                    job.action.source.size,
                ));
            }
            let level = match job.action.level {
                OptimizationLevel::Zero => "",
                OptimizationLevel::One => " -O",
                OptimizationLevel::Two => " -OO",
            };
            let target = targets.number(format!("{}{level}", job.action.toolchain.label()));
            let record = state.jobs.get(&index).copied().unwrap_or_default();
            let outcome = place(record.outcome);
            if let Some(count) = self.counts.get_mut(outcome) {
                *count += 1;
            }
            let (worker, began) = began(&record);
            let (ended, compile) = (micros(record.ended), micros(record.compile));
            self.jobs.push((file, target, outcome, worker, began, ended, compile));
        }
        self.targets = targets.list;
        self.folders = folders.list;
    }
}

fn began(record: &JobRecord) -> (i64, i64) {
    record.started.map_or((-1, -1), |(worker, began)| (signed(worker), time(began)))
}

/// Index into `Data::outcomes`.
fn place(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Compiled => 0,
        Outcome::Restored => 1,
        Outcome::Unchanged => 2,
        Outcome::Rejected => 3,
        Outcome::Failed => 4,
        Outcome::NotTried => 5,
    }
}

fn member(members: &[(RepoPath, String)], folder: &RepoPath) -> Option<usize> {
    members
        .iter()
        .enumerate()
        .filter(|(_, (prefix, _))| folder.strip_prefix(prefix).is_some())
        .max_by_key(|(_, (prefix, _))| prefix.as_bytes().len())
        .map(|(index, _)| index)
}

/// Each name once, numbered in the order of their coming.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<String, usize>,
    list: Vec<String>,
}

impl Names {
    fn number(&mut self, name: String) -> usize {
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        let number = self.list.len();
        self.list.push(name.clone());
        self.numbers.insert(name, number);
        number
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn time(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn signed(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(-1)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_AT_MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
