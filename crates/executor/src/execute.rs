//! The order of things: remove, look up, restore, compile elsewhere and here, report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use bytekiln_action::Digest;
use bytekiln_cache::Store;
use bytekiln_codec::SourceHash;

use crate::batch::compile_elsewhere;
use crate::execution::{Execution, Removals};
use crate::known::{look_up, restore, tasks};
use crate::queue::{GroupKey, Queue, Task};
use crate::source::{Sources, WorkspaceFiles};
use crate::worker::Slot;
use crate::{BatchCompiler, Engine, Event, Expected, Options, Report, Subscriber, Work};

/// What jobs without an output are to leave behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unplaced {
    /// The digest of what came out, which may be known without the bytes.
    Digest,
    /// The bytes, in the store.
    Blob,
}

/// A store on another machine, and what may be done to it.
#[derive(Clone, Copy)]
pub struct RemoteCache<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// Whether it is told of what is compiled.
    pub access: RemoteAccess,
    /// What a release (its minor version) has in its caches for the source with a digest, if the caller
    /// knows: else such a source is read once more, to check what comes.
    pub source_hashes: Option<&'a BTreeMap<(u8, Digest), SourceHash>>,
}

/// What may be done to a store on another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteAccess {
    /// It is asked.
    Read,
    /// It is asked, and told of what is compiled.
    ReadWrite,
}

/// What [`execute`] is to do, with what.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The work.
    pub work: &'a Work,
    /// Which outputs may be written: one entry a job, those that are missing expect anything. A
    /// stored result that is not expected counts as unknown; a compiled one is a failure.
    pub expected: &'a [Expected],
    /// What a job without an output is to leave behind.
    pub unplaced: Unplaced,
    /// Where sources are, if not below the first root of the work.
    pub sources: Option<&'a dyn Sources>,
    /// Who compiles.
    pub engine: &'a dyn Engine,
    /// What is known. Without it, jobs without an output leave nothing behind but their digest in
    /// the report.
    pub store: Option<&'a dyn Store>,
    /// What is known elsewhere: asked for what the store does not know, and told in the background
    /// what is compiled. Not trusted: its outputs are checked by the codec before they are used, and
    /// before the store gets them.
    pub remote: Option<RemoteCache<'a>>,
    /// Who else compiles, on other machines: given all that is not known, before `engine` is.
    pub elsewhere: Option<&'a dyn BatchCompiler>,
    /// How.
    pub options: &'a Options,
    /// Who is told.
    pub events: Subscriber<'a>,
    /// Becomes true when nothing more is wanted, which is noticed within a second.
    pub cancel: &'a AtomicBool,
}

/// Carries out all work: removes outputs, restores those that the store knows, compiles the others,
/// and records and writes what comes out. Never fails as a whole: each job has an end in the report,
/// also after it was cancelled.
pub fn execute(order: &Order<'_>) -> Report {
    let files = WorkspaceFiles { root: order.work.roots.first().map(PathBuf::as_path) };
    let execution = Execution::new(order, order.sources.unwrap_or(&files));
    let remote = execution.recorder.remote();
    let removals = std::thread::scope(|scope| {
        if order.remote.is_some() {
            scope.spawn(|| remote.upload_all(&|| execution.interrupted()));
        }
        let _open = remote.open();
        carry_out(&execution, order)
    });
    execution.recorder.tell_warnings();
    execution.report(removals)
}

fn carry_out(execution: &Execution<'_>, order: &Order<'_>) -> Removals {
    let (work, events) = (execution.work, execution.events);
    events(&Event::Started { jobs: work.jobs.len(), removals: work.removals.len() });
    // Before anything is written: on a file system that folds case, an old name may be a new one.
    let removals = remove(execution);
    let (known, mut unknown) = look_up(execution, tasks(execution));
    events(&Event::LookedUp {
        hits: known.iter().map(|known| known.task.jobs.len()).sum(),
        misses: unknown.iter().map(|task| task.jobs.len()).sum(),
    });
    unknown.extend(restore(execution, &known));
    execution.recorder.tell_warnings();
    unknown.sort_by_key(Task::leader);
    if let Some(elsewhere) = order.elsewhere {
        unknown = compile_elsewhere(execution, elsewhere, unknown);
    }
    compile(execution, order.engine, unknown);
    execution.recorder.flush();
    removals
}

fn remove(execution: &Execution<'_>) -> Removals {
    let mut removals = Removals::default();
    for (removal, output) in execution.work.removals.iter().enumerate() {
        if execution.interrupted() {
            break;
        }
        match execution.outputs.remove(output) {
            Ok(()) => {
                (execution.events)(&Event::Removed { removal });
                removals.removed.push(output.clone());
            }
            Err(error) => removals.not_removed.push((output.clone(), error)),
        }
    }
    removals
}

fn compile(execution: &Execution<'_>, engine: &dyn Engine, unknown: Vec<Task>) {
    let keyed = unknown.into_iter().filter_map(|task| {
        let job = execution.job(task.leader())?;
        Some((GroupKey { compiler: job.compiler, flags: job.action.flags }, task))
    });
    let queue = Queue::new(keyed.collect());
    let numbers = AtomicUsize::new(0);
    let needed = usize::try_from(queue.workers_needed()).unwrap_or(usize::MAX);
    let slots = execution.options.jobs.get().min(needed);
    std::thread::scope(|scope| {
        for _ in 1..slots {
            scope.spawn(|| Slot::new(execution, &queue, engine, &numbers).run());
        }
        // Starting a thread costs less than a worker, but one of them we have already.
        if slots > 0 {
            Slot::new(execution, &queue, engine, &numbers).run();
        }
    });
}
