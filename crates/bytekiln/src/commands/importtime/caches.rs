//! Private trees of caches for the sources that a program was seen to load, compiled as builds do. Nothing
//! beside the sources is written. Knows nothing of how the program is run.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytekiln_action::{Action, CompileFlags, Digest, RecordedPath, RepoPath};
use bytekiln_codec::CANONICAL_FORM_VERSION;
use bytekiln_executor::{
    Compiler, Failure, InterpreterEngine, InterpreterOptions, Job, JobEnd, LinkPolicy, Options,
    Order, Sources, Unplaced, Work, execute,
};
use bytekiln_planner::{OutputPath, RootId};
use bytekiln_project::Interpreter;
use bytekiln_python::{InvalidationMode, OptimizationLevel, cache_file_name};

use crate::environment::Environment;

/// A tree that is to be made.
pub(super) struct Tree {
    /// Its folder.
    pub(super) folder: PathBuf,
    pub(super) mode: InvalidationMode,
    /// Only of sources below this folder and not in `site-packages`: the standard library.
    pub(super) only: Option<PathBuf>,
}

impl Tree {
    /// Whether a source has its cache there.
    pub(super) fn holds(&self, source: &Path) -> bool {
        self.only.as_ref().is_none_or(|library| is_below(source, library))
    }
}

/// What is needed for it.
pub(super) struct Making<'a> {
    /// Absolute paths.
    pub(super) sources: &'a [PathBuf],
    pub(super) interpreter: &'a Interpreter,
    pub(super) level: OptimizationLevel,
    /// Of sources below it the path from it is recorded, as builds do; of others their whole path.
    pub(super) folder: &'a Path,
    pub(super) environment: &'a Environment,
    pub(super) jobs: NonZeroUsize,
    pub(super) cancel: &'a AtomicBool,
}

/// So long may one source take at least.
const PATIENCE: Duration = Duration::from_secs(60);

/// Compiles and writes; gives back what could not be, and why.
pub(super) fn make(trees: &[Tree], making: &Making<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut work = Work {
        roots: trees.iter().map(|tree| tree.folder.clone()).collect(),
        compilers: vec![Compiler {
            toolchain: Arc::clone(&making.interpreter.toolchain),
            executable: making.interpreter.executable.clone(),
        }],
        jobs: Vec::new(),
        removals: Vec::new(),
    };
    let mut bytes: Vec<Arc<[u8]>> = Vec::new();
    let mut source_of_job: Vec<usize> = Vec::new();
    for path in making.sources {
        let read = match std::fs::read(path) {
            Ok(read) => read,
            Err(error) => {
                problems.push(format!("`{}` could not be read: {error}", path.display()));
                continue;
            }
        };
        for (root, tree) in (0_u16..).zip(trees) {
            if !tree.holds(path) {
                continue;
            }
            if let Some(job) = job(path, &read, RootId(root), tree.mode, making) {
                work.jobs.push(job);
                source_of_job.push(bytes.len());
            }
        }
        bytes.push(read.into());
    }
    let engine = InterpreterEngine::new(InterpreterOptions {
        start_timeout: PATIENCE,
        environment: making.environment.for_interpreters.clone(),
    });
    let report = execute(&Order {
        work: &work,
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: Some(&InMemory { bytes, source_of_job }),
        engine: &engine,
        store: None,
        remote: None,
        elsewhere: None,
        options: &Options {
            jobs: making.jobs,
            keep_going: true,
            link: LinkPolicy::Copy,
            timeout: PATIENCE,
        },
        events: &|_| {},
        cancel: making.cancel,
    });
    for (job, end) in work.jobs.iter().zip(&report.ends) {
        let why = match end {
            JobEnd::Compiled { .. } | JobEnd::Cached { .. } => continue,
            JobEnd::Rejected { error, .. } => error.message.clone(),
            JobEnd::Failed(failure) => crate::report::human::failure_text(failure),
        };
        problems.push(format!("`/{}` has no cache: {why}", job.source));
    }
    problems.sort();
    problems.dedup();
    problems
}

/// Whether a file is of the standard library that lies there, and not of what is installed below it.
pub(super) fn is_below(path: &Path, library: &Path) -> bool {
    let packages = |part: &OsStr| part == "site-packages" || part == "dist-packages";
    path.strip_prefix(library).is_ok_and(|below| !below.iter().any(packages))
}

fn job(
    path: &Path,
    source: &[u8],
    root: RootId,
    mode: InvalidationMode,
    making: &Making<'_>,
) -> Option<Job> {
    let below_root = RepoPath::new(path.strip_prefix("/").ok()?.as_os_str().as_bytes())?;
    let recorded = path.strip_prefix(making.folder).unwrap_or(path);
    let toolchain = &making.interpreter.toolchain;
    let name = cache_file_name(below_root.stem(), &toolchain.cache_tag, making.level);
    let output = OutputPath { root, path: below_root.parent()?.join(&name) };
    Some(Job {
        action: Action {
            source: Digest::of(source),
            recorded_path: RecordedPath::from_file_system(recorded.as_os_str().as_bytes()),
            toolchain: Arc::clone(toolchain),
            toolchain_digest: toolchain.digest(),
            level: making.level,
            mode,
            flags: CompileFlags { debug_ranges: true },
            canonical_form: CANONICAL_FORM_VERSION,
        },
        source: below_root,
        compiler: 0,
        output: Some(output),
    })
}

struct InMemory {
    bytes: Vec<Arc<[u8]>>,
    source_of_job: Vec<usize>,
}

impl Sources for InMemory {
    fn read(&self, index: usize, _job: &Job) -> Result<Arc<[u8]>, Failure> {
        let source = self.source_of_job.get(index).and_then(|source| self.bytes.get(*source));
        source.cloned().ok_or_else(|| Failure::SourceUnreadable("it is not there".to_owned()))
    }
}
