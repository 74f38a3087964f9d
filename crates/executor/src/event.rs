//! What happens while work is carried out. Reporters subscribe; nothing else prints.

use std::time::Duration;

use bytekiln_action::{Diagnostic, Digest};

/// Where a cached result came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheOrigin {
    /// The file that stood in the output's place already had the right bytes.
    Output,
    /// The store.
    Store,
    /// The store on another machine.
    Remote,
}

/// Who compiled something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompiledBy {
    /// A worker of ours.
    Worker,
    /// A [`crate::BatchCompiler`] on another machine.
    Executor,
}

/// Why a job failed other than by the compiler's verdict: not a function of the key, never cached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The source is not what the plan hashed.
    SourceChanged,
    /// The source could not be read.
    SourceUnreadable(String),
    /// Interpreters died on this file, twice.
    WorkerDied(String),
    /// Interpreters did not finish this file in time, twice.
    TimedOut(Duration),
    /// The interpreter could not be started, or is another than the plan's.
    CompilerUnusable(String),
    /// The interpreter ran out of memory or stack on this file.
    OutOfResources(String),
    /// The codec refused what the interpreter made.
    InvalidResult(String),
    /// The compiler made another output than [`crate::Expected`]; nothing was written.
    UnexpectedOutput {
        /// What it had to be; `None`: nothing.
        expected: Option<Digest>,
        /// What was made.
        found: Digest,
    },
    /// The output could not be written.
    OutputUnwritable(String),
    /// Not tried: interrupted, or stopped after an earlier failure.
    NotTried,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    /// Compiled now; the digest of the output (also of checks, where nothing is written).
    Compiled {
        /// The canonical `.pyc`.
        output: Digest,
        /// What the compiler said.
        warnings: Vec<Diagnostic>,
        /// Where.
        by: CompiledBy,
    },
    /// Known already.
    Cached {
        /// From where.
        origin: CacheOrigin,
        /// The canonical `.pyc`.
        output: Digest,
        /// What the compiler said then.
        warnings: Vec<Diagnostic>,
    },
    /// The compiler refuses the source.
    Rejected {
        /// Why.
        error: Diagnostic,
        /// Warnings given before.
        warnings: Vec<Diagnostic>,
        /// From the cache, not compiled now.
        cached: bool,
    },
    /// Something else went wrong.
    Failed(Failure),
}

/// One thing that happened. Jobs and workers are named by index.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Work begins: how many jobs and removals there are.
    Started {
        /// Jobs.
        jobs: usize,
        /// Removals.
        removals: usize,
    },
    /// The stores were asked.
    LookedUp {
        /// Jobs whose result is known.
        hits: usize,
        /// Jobs to compile.
        misses: usize,
    },
    /// A worker is ready.
    WorkerStarted {
        /// Which.
        worker: usize,
        /// Its compiler.
        compiler: usize,
        /// How long its start took.
        elapsed: Duration,
    },
    /// A worker died or was killed.
    WorkerLost {
        /// Which.
        worker: usize,
        /// On which job, if any.
        job: Option<usize>,
        /// Why.
        reason: String,
        /// The job will be tried again.
        retry: bool,
    },
    /// A worker begins a job.
    JobStarted {
        /// Which.
        job: usize,
        /// Who.
        worker: usize,
    },
    /// A job has ended.
    JobEnded {
        /// Which.
        job: usize,
        /// Who, if a worker was needed.
        worker: Option<usize>,
        /// How.
        end: &'a JobEnd,
        /// Time in the compiler.
        compile: Duration,
    },
    /// An output was removed.
    Removed {
        /// Index into [`crate::Work::removals`].
        removal: usize,
    },
    /// A store failed; the build goes on without it. Said once a store.
    StoreTrouble {
        /// What happened.
        message: String,
    },
    /// A [`crate::BatchCompiler`] is of no use; what it has not compiled is compiled here. Said once.
    ExecutorTrouble {
        /// Which, and what happened.
        message: String,
    },
    /// A store noticed something that failed nothing: it forgot a broken blob, or dropped a tier.
    StoreWarning {
        /// What it noticed.
        message: String,
    },
    /// Everything was uploaded that will be.
    Uploaded {
        /// Results that the store on another machine has now.
        results: usize,
        /// Results that it has not.
        missed: usize,
        /// Why they are missed was said by a [`Event::StoreTrouble`].
        said: bool,
    },
    /// A stored result was not usable and counts as unknown.
    EntryDiscarded {
        /// Of which job.
        job: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The caller interrupted; what runs is finished or given up.
    Interrupted,
}

/// Takes events, from several threads.
pub type Subscriber<'a> = &'a (dyn Fn(&Event<'_>) + Sync);
