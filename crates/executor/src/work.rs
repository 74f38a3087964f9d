//! What the executor is given and what it gives back.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytekiln_action::{Action, Digest, RepoPath, Toolchain};
use bytekiln_planner::OutputPath;

use crate::JobEnd;

/// An interpreter and where to start it.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// Who it must say it is; another answer is refused.
    pub toolchain: Arc<Toolchain>,
    /// Absolute path of the executable.
    pub executable: PathBuf,
}

/// One compilation.
#[derive(Debug, Clone)]
pub struct Job {
    /// The source, below `Work::roots[0]`, or a name for it where the caller brings its own
    /// [`crate::Sources`]; two jobs of one name have one source.
    pub source: RepoPath,
    /// Key: what is compiled must have the digest `action.source`.
    pub action: Action,
    /// Index into [`Work::compilers`].
    pub compiler: usize,
    /// Where the result goes; `None` is a check only.
    pub output: Option<OutputPath>,
}

/// What the output of a job must be. Whatever else comes out, of a store or of a compiler, is not
/// written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expected {
    /// What comes of its action.
    #[default]
    Anything,
    /// These bytes.
    Output(Digest),
    /// No output: the compiler must reject the source.
    Nothing,
}

/// Work without reasons.
#[derive(Debug, Clone)]
pub struct Work {
    /// Absolute folder of each [`bytekiln_planner::RootId`]; number 0 is the workspace.
    pub roots: Vec<PathBuf>,
    /// The interpreters.
    pub compilers: Vec<Compiler>,
    /// Compilations; each output occurs once.
    pub jobs: Vec<Job>,
    /// Outputs to remove.
    pub removals: Vec<OutputPath>,
}

/// How an output gets its bytes from a store's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPolicy {
    /// Hard link where possible, else reflink, else copy (`scale.md`: 6 µs against 300).
    Link,
    /// Always a private file.
    Copy,
}

/// How to work. No default: the caller says what it means.
#[derive(Debug, Clone)]
pub struct Options {
    /// At most so many compilers at once; fewer where the work needs fewer.
    pub jobs: NonZeroUsize,
    /// Go on after the first failure.
    pub keep_going: bool,
    /// Link or copy.
    pub link: LinkPolicy,
    /// The least time that a file gets before its worker counts as hung; more for larger files.
    pub timeout: Duration,
}

/// How everything ended.
#[derive(Debug, Default)]
pub struct Report {
    /// One for each job, in their order.
    pub ends: Vec<JobEnd>,
    /// Outputs removed (or already gone).
    pub removed: Vec<OutputPath>,
    /// Outputs that could not be removed, and why.
    pub not_removed: Vec<(OutputPath, std::io::Error)>,
    /// The caller interrupted.
    pub interrupted: bool,
}
