//! `bytekiln verify`: proves that caches came from their sources. `inventory` lists them, `examine`
//! looks at each without an interpreter, `judge` and `doubt` compile what has to be compiled, and `human`,
//! `json` and `sarif` say what came of it.

mod compile;
mod difference;
mod doubt;
mod examine;
mod human;
mod image;
mod interpreters;
mod inventory;
mod json;
mod judge;
mod provenance;
mod sarif;
mod verdict;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytekiln_cache::{DiskOptions, DiskStore, Store};
use bytekiln_executor::{InterpreterEngine, InterpreterOptions};
use bytekiln_python::Release;

use crate::arguments::{Global, UnprovableReason, VerifyArguments, VerifyFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::report::terminal::Terminal;
use crate::settings::{start_folder, workspace};
use compile::Workshop;
use examine::{Looked, Open};
use interpreters::Candidate;
use inventory::Inventory;
use verdict::{Judged, Verdict};

/// An interpreter that has not said who it is after this long is not going to.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything that is to be told.
struct Outcome<'a> {
    inventory: &'a Inventory,
    candidates: &'a [Candidate],
    judged: &'a [Judged],
    allowed: Allowed<'a>,
    elapsed: Duration,
    interrupted: bool,
}

/// Reasons for which a cache may stay unproved.
#[derive(Clone, Copy)]
struct Allowed<'a>(Option<&'a [UnprovableReason]>);

impl Allowed<'_> {
    fn allows(self, reason: UnprovableReason) -> bool {
        self.0.is_some_and(|reasons| reasons.is_empty() || reasons.contains(&reason))
    }
}

/// How many of which verdict.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    proved: usize,
    diverges: usize,
    unprovable: usize,
    /// Those of the unprovable ones that are allowed.
    allowed: usize,
}

impl Outcome<'_> {
    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for judged in self.judged {
            match &judged.verdict {
                Verdict::Proved(_) => counts.proved += 1,
                Verdict::Diverges(_) => counts.diverges += 1,
                Verdict::Unprovable { reason, .. } => {
                    counts.unprovable += 1;
                    counts.allowed += usize::from(self.allowed.allows(*reason));
                }
            }
        }
        counts
    }
}

/// Runs the command.
pub(crate) fn run(
    arguments: &VerifyArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let started = Instant::now();
    interrupt::watch(terminal);
    let start = start_folder(global, environment)?;
    let jobs = arguments.jobs.unwrap_or_else(bytekiln_executor::available_parallelism);
    let cache = cache_dir(arguments, environment)?;
    let store = cache.as_ref().and_then(|dir| open_store(dir, terminal));
    let store: Option<&dyn Store> = store.as_ref().map(|store| store as &dyn Store);
    let prefix = arguments.pycache_prefix.as_deref();
    let (paths, attested) = attested(arguments, global, environment, &start, jobs, terminal)?;
    if paths.is_empty() {
        // A blob: what is in it was read by nobody but its own digest.
        return Ok(if attested { ExitStatus::Success } else { ExitStatus::Failure });
    }
    let inventory = Inventory::take(&paths, prefix, &start, jobs)?;

    for warning in &inventory.warnings {
        terminal.warning(warning);
    }
    terminal.start_bar("Reading", inventory.subjects.len());
    let looked = examine::examine(&inventory, store, jobs, &interrupt::CANCEL, &|subject| {
        terminal.advance_bar(|| subject.path.to_string());
    });
    terminal.finish_bar();
    let opens: Vec<Open> = looked.iter().filter_map(Looked::open).cloned().collect();
    let releases: BTreeSet<Release> = opens.iter().map(|open| open.release).collect();
    let releases: Vec<Release> = releases.into_iter().collect();
    let state = cache.as_ref().map(|dir| dir.join("verify"));
    let candidates = interpreters::candidates(
        &releases,
        &arguments.python,
        environment,
        &start,
        state.as_deref(),
    )?;
    let workshop = Workshop {
        inventory: &inventory,
        candidates: &candidates,
        engine: InterpreterEngine::new(InterpreterOptions {
            start_timeout: START_TIMEOUT,
            environment: environment.for_interpreters.clone(),
        }),
        store,
        options: compile::options(jobs, Duration::from_secs(arguments.timeout)),
        terminal,
        cancel: &interrupt::CANCEL,
        store_failed: AtomicBool::new(false),
    };
    let verdicts = judge::judge(&workshop, &opens);
    drop(workshop);
    for warning in store.map(|store| store.take_warnings()).unwrap_or_default() {
        terminal.warning(warning);
    }
    let outcome = Outcome {
        inventory: &inventory,
        candidates: &candidates,
        judged: &judged(&inventory, looked, &opens, verdicts),
        allowed: Allowed(arguments.allow_unprovable.as_deref()),
        elapsed: started.elapsed(),
        interrupted: interrupt::is_interrupted(),
    };
    match arguments.format {
        VerifyFormat::Human => human::report(&outcome, terminal),
        VerifyFormat::Json => terminal.data(&json::report(&outcome)),
        VerifyFormat::Sarif => terminal.data(&sarif::report(&outcome)),
    }
    let counts = outcome.counts();
    Ok(if outcome.interrupted {
        ExitStatus::Interrupted
    } else if counts.diverges > 0 || counts.unprovable > counts.allowed || !attested {
        ExitStatus::Failure
    } else {
        ExitStatus::Success
    })
}

/// What to verify, and whether the statement about it holds, if there is one.
fn attested(
    arguments: &VerifyArguments,
    global: &Global,
    environment: &Environment,
    start: &Path,
    jobs: NonZeroUsize,
    terminal: &Terminal,
) -> Result<(Vec<PathBuf>, bool), CommandFailure> {
    let Some(statement) = &arguments.provenance else {
        let mut paths = Vec::new();
        for path in &arguments.paths {
            paths.extend(image::layers(path, start)?);
        }
        return Ok((paths, true));
    };
    let [artifact] = arguments.paths.as_slice() else {
        return Err(CommandFailure::usage("--provenance is about one artifact"));
    };
    let workspace = workspace(global, environment)?;
    let (statement, found) = (start.join(statement), start.join(artifact));
    let root = &workspace.root;
    let attested = provenance::check(&statement, &found, artifact, root, jobs, terminal)?;
    Ok((attested.paths, attested.holds))
}

/// Puts the verdicts of the first and the second look together, in the order of the subjects.
fn judged(
    inventory: &Inventory,
    looked: Vec<Looked>,
    opens: &[Open],
    verdicts: Vec<Verdict>,
) -> Vec<Judged> {
    let mut compiled = opens.iter().zip(verdicts);
    let one = |(subject, looked): (&verdict::Subject, Looked)| {
        let (verdict, release) = match looked {
            Looked::Settled(verdict, release) => (verdict, release),
            Looked::Open(open) => (compiled.next()?.1, Some(open.release)),
        };
        Some(Judged { subject: subject.clone(), release, verdict })
    };
    inventory.subjects.iter().zip(looked).filter_map(one).collect()
}

fn cache_dir(
    arguments: &VerifyArguments,
    environment: &Environment,
) -> Result<Option<PathBuf>, CommandFailure> {
    if arguments.no_cache {
        return Ok(None);
    }
    super::cache::folder(arguments.cache_dir.as_ref(), None, environment).map(Some)
}

fn open_store(dir: &std::path::Path, terminal: &Terminal) -> Option<DiskStore> {
    match DiskStore::open(dir, DiskOptions::default()) {
        Ok(store) => Some(store),
        Err(error) => {
            terminal.warning(format!("{error}; verifying without the cache"));
            None
        }
    }
}
