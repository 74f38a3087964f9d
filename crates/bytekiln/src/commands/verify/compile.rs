//! What compiling a source gives: the digest, from the user's cache where it is known, or the bytes.
//! Knows nothing of the caches that are verified.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytekiln_action::{
    Action, ActionDigest, ActionResult, CompileFlags, Diagnostic, Digest, Outcome, RepoPath,
};
use bytekiln_cache::{Blob, MemoryStore, ResultEntry, Store, StoreError};
use bytekiln_codec::CANONICAL_FORM_VERSION;
use bytekiln_executor::{
    Event, Failure, InterpreterEngine, Job, JobEnd, LinkPolicy, Options, Order, Report, Sources,
    Unplaced, Work, execute,
};

use super::examine::{MODE, Open};
use super::interpreters::Candidate;
use super::inventory::Inventory;
use super::verdict::Making;
use crate::report::terminal::Terminal;

/// What is needed to compile.
pub(super) struct Workshop<'a> {
    pub inventory: &'a Inventory,
    pub candidates: &'a [Candidate],
    pub engine: InterpreterEngine,
    pub store: Option<&'a dyn Store>,
    pub options: Options,
    pub terminal: &'a Terminal,
    pub cancel: &'a AtomicBool,
    /// The store has failed, and that was said.
    pub store_failed: AtomicBool,
}

/// One way in which a cache may have been made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub open: &'a Open,
    pub making: Making,
}

/// What a source gives when it is compiled.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// The digest of the canonical `.pyc`.
    Output(Digest),
    /// The compiler refuses it.
    Rejected(Diagnostic),
    /// Nobody knows.
    Failed(Failure),
}

/// Results looked up at once.
const LOOK_UP_BATCH: usize = 1024;

impl Workshop<'_> {
    /// What each attempt gives, in their order. Compiles what is not known.
    pub(super) fn answers(&self, attempts: &[Attempt<'_>]) -> Vec<Answer> {
        let actions: Vec<Action> =
            attempts.iter().filter_map(|attempt| self.action(attempt)).collect();
        debug_assert_eq!(actions.len(), attempts.len(), "every attempt has a candidate");
        let keys: Vec<ActionDigest> = actions.iter().map(Action::digest).collect();
        let mut answers: Vec<Option<Answer>> = self.known(&keys);
        let unknown: Vec<usize> = answers
            .iter()
            .enumerate()
            .filter_map(|(index, answer)| answer.is_none().then_some(index))
            .collect();
        if !unknown.is_empty() {
            let chosen = unknown.iter().filter_map(|index| attempts.get(*index).copied());
            let report = self.compile(&chosen.collect::<Vec<_>>(), None);
            let mut learnt = Vec::new();
            for (index, end) in unknown.into_iter().zip(report.ends) {
                let (answer, result) = answer(end);
                if let (Some(result), Some(key)) = (result, keys.get(index)) {
                    learnt.push(ResultEntry { action: *key, result });
                }
                if let Some(place) = answers.get_mut(index) {
                    *place = Some(answer);
                }
            }
            // Equal actions are in the report as often as they were asked for.
            learnt.dedup_by(|a, b| a.action == b.action);
            self.attempt(|store| store.update_results(&learnt));
        }
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or(Answer::Failed(Failure::NotTried)))
            .collect()
    }

    /// The bytes of what each attempt gives, in their order; `None` where there are none. They
    /// stay in the cache: caches that do not prove are looked at again and again until they are
    /// mended.
    pub(super) fn outputs(&self, attempts: &[Attempt<'_>]) -> Vec<Option<Arc<[u8]>>> {
        let answers = self.answers(attempts);
        let digest = |answer: &Answer| match answer {
            Answer::Output(digest) => Some(*digest),
            Answer::Rejected(_) | Answer::Failed(_) => None,
        };
        let digests: Vec<Option<Digest>> = answers.iter().map(digest).collect();
        let wanted: Vec<Digest> = digests.iter().filter_map(|digest| *digest).collect();
        let mut bytes: HashMap<Digest, Arc<[u8]>> = HashMap::new();
        let mut keep = |blobs: Vec<Option<Blob>>| {
            for blob in blobs.into_iter().flatten().filter(Blob::is_true) {
                bytes.insert(blob.digest, (*blob.bytes).into());
            }
        };
        keep(self.attempt(|store| store.read_blobs(&wanted)).unwrap_or_default());
        let is_known = |digest: &Digest| bytes.contains_key(digest);
        let missing: Vec<Attempt<'_>> = attempts
            .iter()
            .zip(&digests)
            .filter(|(_, digest)| digest.as_ref().is_some_and(|digest| !is_known(digest)))
            .map(|(attempt, _)| *attempt)
            .collect();
        if !missing.is_empty() {
            let memory = MemoryStore::new();
            self.compile(&missing, Some(&memory));
            let made: Vec<Blob> =
                memory.read_blobs(&wanted).unwrap_or_default().into_iter().flatten().collect();
            self.attempt(|store| store.write_blobs(&made));
            for blob in made {
                bytes.insert(blob.digest, (*blob.bytes).into());
            }
        }
        digests.into_iter().map(|digest| bytes.get(&digest?).cloned()).collect()
    }

    fn action(&self, attempt: &Attempt<'_>) -> Option<Action> {
        let Attempt { open, making } = attempt;
        let candidate = self.candidates.get(making.interpreter)?;
        Some(Action {
            source: open.source,
            recorded_path: open.recorded_path.clone(),
            toolchain: Arc::clone(&candidate.compiler.toolchain),
            toolchain_digest: candidate.digest,
            level: making.level,
            mode: MODE,
            flags: CompileFlags { debug_ranges: making.debug_ranges },
            canonical_form: CANONICAL_FORM_VERSION,
        })
    }

    fn known(&self, keys: &[ActionDigest]) -> Vec<Option<Answer>> {
        let mut known = Vec::with_capacity(keys.len());
        for batch in keys.chunks(LOOK_UP_BATCH) {
            let results = self.attempt(|store| store.get_results(batch)).unwrap_or_default();
            let missing = batch.len().saturating_sub(results.len());
            known.extend(results.into_iter().map(|result| {
                Some(match result?.outcome {
                    Outcome::Compiled { output } | Outcome::Digested { output } => {
                        Answer::Output(output)
                    }
                    Outcome::Rejected { error } => Answer::Rejected(error),
                })
            }));
            known.extend(std::iter::repeat_with(|| None).take(missing));
        }
        known
    }

    fn compile(&self, attempts: &[Attempt<'_>], store: Option<&dyn Store>) -> Report {
        let jobs = attempts.iter().filter_map(|attempt| {
            let subject = self.inventory.subjects.get(attempt.open.subject)?;
            let holder = RepoPath::new(subject.argument.to_string().as_bytes())?;
            Some(Job {
                source: holder.join(subject.source.0.as_bytes()),
                action: self.action(attempt)?,
                compiler: attempt.making.interpreter,
                output: None,
            })
        });
        let work = Work {
            roots: Vec::new(),
            compilers: self.candidates.iter().map(|one| one.compiler.clone()).collect(),
            jobs: jobs.collect(),
            removals: Vec::new(),
        };
        let sources = Members { inventory: self.inventory, attempts };
        self.terminal.start_bar("Compiling", work.jobs.len());
        let lost = Mutex::new(Vec::new());
        let events = |event: &Event<'_>| match event {
            Event::JobEnded { job, .. } => {
                self.terminal.advance_bar(|| sources.name(*job));
            }
            Event::WorkerLost { job, reason, retry, .. } => {
                let file = job.map_or(String::new(), |job| format!(" on `{}`", sources.name(job)));
                let next = if *retry { "; trying once more" } else { "" };
                let text = format!("a compiler was lost{file}: {reason}{next}");
                lost.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            }
            Event::Interrupted => self.terminal.warning("interrupted; finishing what runs"),
            _ => {}
        };
        let report = execute(&Order {
            work: &work,
            expected: &[],
            unplaced: Unplaced::Digest,
            sources: Some(&sources),
            engine: &self.engine,
            store,
            remote: None,
            elsewhere: None,
            options: &self.options,
            events: &events,
            cancel: self.cancel,
        });
        self.terminal.finish_bar();
        for warning in lost.into_inner().unwrap_or_else(PoisonError::into_inner) {
            self.terminal.warning(warning);
        }
        report
    }

    /// Asks the store, unless it has failed before; says so once.
    fn attempt<T>(&self, operation: impl FnOnce(&dyn Store) -> Result<T, StoreError>) -> Option<T> {
        use std::sync::atomic::Ordering;
        let store = self.store.filter(|_| !self.store_failed.load(Ordering::Relaxed))?;
        match operation(store) {
            Ok(value) => Some(value),
            Err(error) => {
                self.store_failed.store(true, Ordering::Relaxed);
                let store = store.describe();
                self.terminal.warning(format!("{store}: {error}; going on without"));
                None
            }
        }
    }
}

/// How a compilation ended, for this run and for the cache.
fn answer(end: JobEnd) -> (Answer, Option<ActionResult>) {
    let result = |outcome| Some(ActionResult { outcome, warnings: Vec::new(), compile_micros: 0 });
    match end {
        JobEnd::Compiled { output, .. } | JobEnd::Cached { output, .. } => {
            (Answer::Output(output), result(Outcome::Digested { output }))
        }
        JobEnd::Rejected { error, .. } => {
            (Answer::Rejected(error.clone()), result(Outcome::Rejected { error }))
        }
        JobEnd::Failed(failure) => (Answer::Failed(failure), None),
    }
}

/// Sources wherever they are.
struct Members<'a> {
    inventory: &'a Inventory,
    attempts: &'a [Attempt<'a>],
}

impl Members<'_> {
    fn name(&self, job: usize) -> String {
        let subject = self.attempts.get(job).map(|attempt| attempt.open.subject);
        let subject = subject.and_then(|subject| self.inventory.subjects.get(subject));
        subject.map(|subject| subject.source.0.to_string()).unwrap_or_default()
    }
}

impl Sources for Members<'_> {
    fn read(&self, index: usize, _job: &Job) -> Result<Arc<[u8]>, Failure> {
        let subject = self.attempts.get(index).map(|attempt| attempt.open.subject);
        let subject = subject.and_then(|subject| self.inventory.subjects.get(subject));
        let Some(place) = subject.and_then(|subject| subject.source.1.as_ref()) else {
            return Err(Failure::SourceUnreadable("there is no source".to_owned()));
        };
        self.inventory.read(place).map(Into::into).map_err(Failure::SourceUnreadable)
    }
}

/// How to compile for comparing.
pub(super) fn options(jobs: std::num::NonZeroUsize, timeout: Duration) -> Options {
    Options { jobs, keep_going: true, link: LinkPolicy::Copy, timeout }
}
