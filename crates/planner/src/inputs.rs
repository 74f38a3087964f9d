//! The values that a plan is made from. Their order does not matter: the planner sorts.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytekiln_action::{CompileFlags, Digest, RecordedPath, RepoPath, Toolchain, ToolchainDigest};
use bytekiln_python::{InvalidationMode, OptimizationLevel};

use crate::{FoundCache, Problem, Skipped};

/// A folder that outputs can lie in. Number 0 is the workspace; what the others are is known to
/// the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootId(pub u16);

impl RootId {
    /// The workspace itself, where all sources are.
    pub const WORKSPACE: RootId = RootId(0);
}

/// Where an output is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputPath {
    /// Below this folder.
    pub root: RootId,
    /// At this path.
    pub path: RepoPath,
}

/// Where outputs go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layout {
    /// `__pycache__/m.TAG.pyc` beside the source.
    Pycache,
    /// A tree for `PYTHONPYCACHEPREFIX`: `root/<absolute folder of the source>/m.TAG.pyc`.
    Prefix {
        /// The tree.
        root: RootId,
        /// The workspace's absolute path when the program runs, without the leading `/`.
        workspace_at_run_time: RepoPath,
    },
    /// `m.pyc` beside `m.py`.
    Legacy,
    /// `m.pyc` in a tree of its own, at the place that the module has below its import root.
    Sourceless {
        /// The tree.
        root: RootId,
    },
}

/// One way to compile: interpreter × level, with mode and layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The compiler.
    pub toolchain: Arc<Toolchain>,
    /// Digest of `toolchain`.
    pub toolchain_digest: ToolchainDigest,
    /// `-O` level.
    pub level: OptimizationLevel,
    /// Mode of the outputs.
    pub mode: InvalidationMode,
    /// Switches.
    pub flags: CompileFlags,
    /// Where outputs go.
    pub layout: Layout,
}

/// Why a source is not a module: CPython never reads a cache for what it runs as a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScriptReason {
    /// Its name cannot be imported, e.g. `my-tool.py`.
    NotAModuleName,
    /// It has no `.py` suffix and a Python shebang.
    Shebang,
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// Importable: compiled and written.
    Module,
    /// Compiled, reported, not written.
    Script(ScriptReason),
}

/// A file may fail to compile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Allowance {
    /// Why, as the manifest says.
    pub reason: String,
    /// Until when, `YYYY-MM-DD`; expired ones are not passed to the planner.
    pub expires: String,
}

/// A Python source of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Below the workspace.
    pub path: RepoPath,
    /// Index into [`Inputs::members`].
    pub member: u32,
    /// The folder that stands on `sys.path` for it.
    pub import_root: RepoPath,
    /// Its bytes.
    pub content: Digest,
    /// Module or script.
    pub kind: SourceKind,
    /// What `co_filename` is to say.
    pub recorded_path: RecordedPath,
    /// It may fail.
    pub allowance: Option<Allowance>,
}

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// An output.
    Output(OutputPath),
    /// A check without output: source, cache tag, level.
    Check(RepoPath, String, OptimizationLevel),
}

/// How the last build ended for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The output was written and has this digest.
    Written(Digest),
    /// The source compiled; nothing was to be written.
    Checked,
    /// The compiler refused the source; nothing was written.
    Rejected,
}

/// What the last build of this profile knew when it filled a slot: the action's fields, kept
/// apart so that a reason can name old and new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Of what.
    pub slot: Slot,
    /// From which source.
    pub source: RepoPath,
    /// The source's bytes then.
    pub content: Digest,
    /// The path recorded then.
    pub recorded_path: RecordedPath,
    /// The compiler then.
    pub toolchain: Arc<Toolchain>,
    /// Its digest.
    pub toolchain_digest: ToolchainDigest,
    /// Level then.
    pub level: OptimizationLevel,
    /// Mode then.
    pub mode: InvalidationMode,
    /// Switches then.
    pub flags: CompileFlags,
    /// Canonical form then.
    pub canonical_form: u32,
    /// How it ended.
    pub result: Recorded,
    /// How many warnings the compiler gave.
    pub warnings: u32,
}

/// How a file in an output's place compares with the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObservedState {
    /// The file that the last build wrote, untouched.
    AsRecorded,
    /// A record exists, but the file is another one.
    Changed(FoundCache),
    /// No record of it: CPython, pip or another tool wrote it, or the records were lost.
    Unrecorded(FoundCache),
}

/// A `.pyc` (or what stands in its place) found where outputs go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Where.
    pub path: OutputPath,
    /// What.
    pub state: ObservedState,
}

/// Everything that a plan depends on.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Names of the members, for messages.
    pub members: Vec<String>,
    /// All sources in scope.
    pub sources: Vec<Source>,
    /// All targets.
    pub targets: Vec<Target>,
    /// All caches found in scope.
    pub observed: Vec<Observed>,
    /// Everything recorded in scope.
    pub records: Vec<Record>,
    /// Python files that are there but not in scope (ignored, excluded, another member's), as far
    /// as caches in `observed` may belong to them: such caches are no orphans.
    pub out_of_scope: BTreeSet<RepoPath>,
    /// Files that were passed over, found while scanning.
    pub skipped: Vec<Skipped>,
    /// What was wrong while scanning.
    pub problems: Vec<Problem>,
    /// Version of the canonical form that outputs are written in.
    pub canonical_form: u32,
}
