//! Compiles what an artifact needs, through the user's cache, and leaves every result as an object that
//! containers can be filled from. Knows nothing of containers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytekiln_action::{Diagnostic, Digest, RecordedPath, RepoPath};
use bytekiln_artifact::{Content, PendingFolder};
use bytekiln_cache::{DiskOptions, DiskStore, Store};
use bytekiln_executor::{
    Compiler, Event, Failure, Job, JobEnd, LinkPolicy, Options, Order, Sources, Unplaced, Work,
    execute,
};

use super::target::Target;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::remote::OpenRemote;
use crate::remote_execution::OpenExecutor;
use crate::report::human::HumanReporter;
use crate::report::tally::plural;
use crate::report::terminal::Terminal;
use crate::report::{BuildNames, Reporter};
use crate::session::Session;

/// A source to be compiled, for every target.
pub(super) struct Source<'a> {
    /// For people; no two have one.
    pub(super) name: RepoPath,
    pub(super) digest: Digest,
    pub(super) recorded_path: RecordedPath,
    /// Why it may fail.
    pub(super) may_fail: Option<String>,
    /// It is not the user's own: nobody here can mend what the compiler warns of.
    pub(super) is_foreign: bool,
    pub(super) read: &'a (dyn Fn() -> Result<Arc<[u8]>, String> + Sync),
}

/// What compiling a source for one target gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compiled {
    /// The whole `.pyc`.
    Output(Digest),
    /// It does not compile, and may.
    Rejected(Diagnostic),
}

/// Where results are kept while they are packed: the user's cache, or a folder that goes.
pub(super) struct Objects {
    store: Box<dyn Store>,
    _temporary: Option<PendingFolder>,
}

impl Objects {
    /// The user's cache; without one, a folder in the state.
    pub(super) fn open(session: &Session<'_>) -> Result<Objects, CommandFailure> {
        if let Some(store) = session.store() {
            return Ok(Objects { store, _temporary: None });
        }
        let state = session.state_dir();
        bytekiln_project::prepare_state(state).map_err(CommandFailure::environment)?;
        let folder = PendingFolder::create(&state.join("objects"))
            .map_err(|error| CommandFailure::environment(&error))?;
        let store = DiskStore::open(folder.path(), DiskOptions::default())
            .map_err(|error| CommandFailure::environment(&error))?;
        Ok(Objects { store: Box::new(store), _temporary: Some(folder) })
    }

    /// The bytes of an object.
    pub(super) fn bytes(&self, digest: &Digest) -> Result<Arc<[u8]>, CommandFailure> {
        match self.content(digest)? {
            Content::Bytes(bytes) => Ok(bytes),
            Content::Object { path, .. } | Content::File { path, .. } => {
                std::fs::read(&path).map(Into::into).map_err(|error| {
                    CommandFailure::failure(format!("could not read `{}`: {error}", path.display()))
                })
            }
            Content::Member { .. } => unreachable!("an object is a file or its bytes"),
        }
    }

    /// The content of an object, to be written somewhere.
    pub(super) fn content(&self, digest: &Digest) -> Result<Content, CommandFailure> {
        let failed = |error: &dyn std::fmt::Display| {
            CommandFailure::failure(error).hint("pack again; what is missing is compiled then")
        };
        match self.store.local_object(digest) {
            Ok(Some(object)) => return Ok(Content::Object { path: object.path, digest: *digest }),
            Ok(None) => {}
            Err(error) => return Err(failed(&error)),
        }
        let read = self.store.read_blobs(&[*digest]).map_err(|error| failed(&error))?;
        match read.into_iter().flatten().find(|blob| blob.digest == *digest && blob.is_true()) {
            Some(blob) => Ok(Content::Bytes((*blob.bytes).into())),
            None => Err(failed(&format!("{} has lost {digest}", self.store.describe()))),
        }
    }
}

/// Compiles all sources for all targets: results by source, then by target.
pub(super) fn compile(
    session: &Session<'_>,
    objects: &Objects,
    sources: &[Source<'_>],
    targets: &[Target],
    timeout: Duration,
    terminal: &Terminal,
) -> Result<Vec<Vec<Compiled>>, CommandFailure> {
    let mut jobs = Vec::with_capacity(sources.len() * targets.len());
    let (mut of_target, mut allowances) = (Vec::new(), Vec::new());
    for source in sources {
        for (number, target) in targets.iter().enumerate() {
            jobs.push(Job {
                source: source.name.clone(),
                action: target.action(source.digest, source.recorded_path.clone()),
                compiler: number,
                output: None,
            });
            of_target.push(u32::try_from(number).unwrap_or(u32::MAX));
            allowances.push(source.may_fail.clone());
        }
    }
    let compilers: Vec<Compiler> = targets.iter().map(|target| target.compiler.clone()).collect();
    let work = Work { roots: vec![PathBuf::new()], compilers, jobs, removals: Vec::new() };
    let labels = targets.iter().map(Target::label).collect();
    let names = BuildNames::new(labels, of_target, allowances);
    let reporter = HumanReporter::new(terminal, &work, &names, false);
    let events = |event: &Event<'_>| match event {
        Event::LookedUp { misses, .. } => say_misses(*misses, work.jobs.len(), targets, terminal),
        Event::JobEnded { job, worker, end, compile } if is_foreign(sources, targets, *job) => {
            let end = &without_warnings(end);
            reporter.event(&Event::JobEnded { job: *job, worker: *worker, end, compile: *compile });
        }
        event => reporter.event(event),
    };
    let options =
        Options { jobs: session.jobs(), keep_going: true, link: LinkPolicy::Copy, timeout };
    let (remote, executor) = (session.remote()?, session.executor()?);
    let report = execute(&Order {
        work: &work,
        expected: &[],
        unplaced: Unplaced::Blob,
        sources: Some(&InMemory { sources, targets: targets.len() }),
        engine: &session.engine(),
        store: Some(objects.store.as_ref()),
        remote: remote.as_ref().map(OpenRemote::cache),
        elsewhere: executor.as_ref().map(OpenExecutor::compiler),
        options: &options,
        events: &events,
        cancel: &interrupt::CANCEL,
    });
    let tally = reporter.finish();
    if let Some(remote) = &remote {
        remote.say_traffic(terminal);
    }
    if let Some(executor) = &executor {
        executor.say_traffic(terminal);
    }
    if report.interrupted || interrupt::is_interrupted() {
        return Err(CommandFailure::interrupted("nothing was packed"));
    }
    let failed = tally.rejected + tally.failed + tally.not_tried;
    if failed > 0 {
        let files = plural(failed, "file does", "files do");
        return Err(CommandFailure::failure(format!("{failed} {files} not compile")).hint(
            "allow it with [[allow-failure]] in the manifest, or leave it out with `exclude`",
        ));
    }
    let mut ends = report.ends.into_iter();
    let mut compiled = Vec::with_capacity(sources.len());
    for _ in sources {
        let of_source = ends.by_ref().take(targets.len()).filter_map(|end| match end {
            JobEnd::Compiled { output, .. } | JobEnd::Cached { output, .. } => {
                Some(Compiled::Output(output))
            }
            JobEnd::Rejected { error, .. } => Some(Compiled::Rejected(error)),
            // Counted above.
            JobEnd::Failed(_) => None,
        });
        compiled.push(of_source.collect());
    }
    Ok(compiled)
}

/// What is compiled now, of all.
pub(super) fn say_misses(misses: usize, all: usize, targets: &[Target], terminal: &Terminal) {
    if misses == 0 {
        return;
    }
    let labels: Vec<String> = targets.iter().map(Target::label).collect();
    let modules = plural(all, "module", "modules");
    let count = if misses == all { all.to_string() } else { format!("{misses} of {all}") };
    terminal.status("Compiling", format!("{count} {modules} for {}", labels.join(", ")));
}

fn is_foreign(sources: &[Source<'_>], targets: &[Target], job: usize) -> bool {
    let source = job.checked_div(targets.len()).and_then(|at| sources.get(at));
    source.is_some_and(|source| source.is_foreign)
}

pub(super) fn without_warnings(end: &JobEnd) -> JobEnd {
    let mut end = end.clone();
    match &mut end {
        JobEnd::Compiled { warnings, .. }
        | JobEnd::Cached { warnings, .. }
        | JobEnd::Rejected { warnings, .. } => warnings.clear(),
        JobEnd::Failed(_) => {}
    }
    end
}

struct InMemory<'a> {
    sources: &'a [Source<'a>],
    targets: usize,
}

impl Sources for InMemory<'_> {
    fn read(&self, index: usize, _job: &Job) -> Result<Arc<[u8]>, Failure> {
        let source = index.checked_div(self.targets).and_then(|at| self.sources.get(at));
        let Some(source) = source else {
            return Err(Failure::SourceUnreadable("there is no source".to_owned()));
        };
        (source.read)().map_err(Failure::SourceUnreadable)
    }
}
