//! A plan: data that can be shown, saved, permuted in a test, and carried out by others.

use bytekiln_action::{Action, RepoPath};

use crate::{Allowance, OutputPath, Reason, ScriptReason};

/// One compilation to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The source, below the workspace.
    pub source: RepoPath,
    /// Index into the targets of the inputs.
    pub target: u32,
    /// What to compile and how: the key.
    pub action: Action,
    /// Where the result goes; `None` for scripts, which are only checked.
    pub output: Option<OutputPath>,
    /// Why; never empty.
    pub reasons: Vec<Reason>,
    /// It may fail.
    pub allowance: Option<Allowance>,
}

/// A source × target that needs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fresh {
    /// Index into the (sorted) sources.
    pub source: u32,
    /// Index into the targets.
    pub target: u32,
}

/// Why an output is to go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemovalReason {
    /// Its source is gone (or is no module any more).
    SourceGone {
        /// The source it was made from.
        source: RepoPath,
    },
    /// Bytekiln wrote it for a target that is not asked for any more.
    TargetGone {
        /// Cache tag and level, e.g. `cpython-310, level 1`.
        target: String,
    },
    /// Another tool wrote it for a source that is gone; the caller asked to remove those.
    Orphan,
}

/// An output to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which.
    pub output: OutputPath,
    /// Why.
    pub reason: RemovalReason,
}

/// A file that is not compiled, and why: nothing is passed over silently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    /// Excluded by a glob of the manifest.
    Excluded {
        /// Which file or folder.
        path: RepoPath,
        /// The glob.
        glob: String,
    },
    /// A symbolic link that leads out of the workspace.
    LinkLeavesWorkspace {
        /// The link.
        path: RepoPath,
        /// Where it leads.
        to: String,
    },
    /// A symbolic link that leads nowhere, or in a circle.
    BrokenLink {
        /// The link.
        path: RepoPath,
    },
    /// A link to a file or folder of the workspace that is compiled under its own name.
    LinkInsideWorkspace {
        /// The link.
        path: RepoPath,
        /// Where it leads.
        to: RepoPath,
    },
    /// A named pipe, a device, a socket.
    NotARegularFile {
        /// Which.
        path: RepoPath,
    },
    /// Checked, but not written: CPython reads no cache for it.
    Script {
        /// Which.
        path: RepoPath,
        /// Why it is a script.
        reason: ScriptReason,
    },
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; the build goes on.
    Warning,
    /// The build goes on with the rest and ends in failure.
    Error,
}

/// Something wrong that is not about one compilation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// The file or folder it is about, if one.
    pub path: Option<RepoPath>,
    /// A lower-case fragment without a period.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Compilations, by source path, then target.
    pub steps: Vec<Step>,
    /// Outputs to remove, by path.
    pub removals: Vec<Removal>,
    /// What needs nothing.
    pub fresh: Vec<Fresh>,
    /// Files passed over, each with its reason.
    pub skipped: Vec<Skipped>,
    /// Caches of other tools whose source is gone, left alone: reported.
    pub orphans: Vec<OutputPath>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}
