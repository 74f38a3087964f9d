//! What verifying is about and what comes of it. Knows nothing of how a verdict is reached or
//! shown.

use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_python::{OptimizationLevel, Release};

use crate::arguments::UnprovableReason;

/// Where some bytes are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// An entry of an artifact, both by index.
    Member { artifact: usize, entry: usize },
    /// A file by itself.
    File(PathBuf),
}

/// One `.pyc`.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// What was named on the command line, by index.
    pub argument: usize,
    /// Below what was named; for a file that was named itself, its name as typed.
    pub path: RepoPath,
    /// The `.pyc`.
    pub place: Place,
    /// Where its source must be, and where it is if it is there.
    pub source: (RepoPath, Option<Place>),
    /// What the name says.
    pub name: NameSays,
    /// Known before it is read.
    pub trouble: Option<String>,
}

/// What the name of a cache says of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NameSays {
    /// `m.cpython-311.opt-1.pyc`: cache tag and level.
    Tagged { tag: String, level: OptimizationLevel },
    /// `m.pyc`: nothing.
    Nothing,
}

impl NameSays {
    /// The levels that the content may be of.
    pub(super) fn levels(&self) -> &[OptimizationLevel] {
        const ALL: [OptimizationLevel; 3] =
            [OptimizationLevel::Zero, OptimizationLevel::One, OptimizationLevel::Two];
        match self {
            NameSays::Tagged { level, .. } => match level {
                OptimizationLevel::Zero => &ALL[..1],
                OptimizationLevel::One => &ALL[1..2],
                OptimizationLevel::Two => &ALL[2..],
            },
            NameSays::Nothing => &ALL,
        }
    }
}

/// How a cache was made, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Making {
    /// The interpreter, by index into the candidates.
    pub interpreter: usize,
    /// `-O`.
    pub level: OptimizationLevel,
    /// Without `-X no_debug_ranges`.
    pub debug_ranges: bool,
}

/// What came of one `.pyc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is what compiling its source gives.
    Proved(Making),
    /// It is not.
    Diverges(Divergence),
    /// Nobody can say.
    Unprovable { reason: UnprovableReason, message: String },
}

/// What kind of divergence it is. The names are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DivergenceKind {
    /// It is no valid `.pyc`.
    Invalid,
    /// Its header names another source, release or level than it should.
    Header,
    /// It is of another `-O` level than its name says.
    Level,
    /// Its source does not compile at all.
    Source,
    /// Its code is not that of its source.
    Content,
}

impl DivergenceKind {
    /// For programs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            DivergenceKind::Invalid => "invalid",
            DivergenceKind::Header => "header",
            DivergenceKind::Level => "level",
            DivergenceKind::Source => "source",
            DivergenceKind::Content => "content",
        }
    }
}

/// How a cache is not what its source gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Divergence {
    pub kind: DivergenceKind,
    /// A fragment.
    pub message: String,
    /// Qualified name of the function whose code differs first.
    pub function: Option<String>,
    /// What of it: `constant 3`, `instruction 12`.
    pub part: Option<String>,
    /// Line of the source, from 1, if known.
    pub line: Option<u32>,
    /// Which interpreter's result it was compared with.
    pub compared_with: Option<usize>,
    /// Another build of the release may have made it so, if it was not the one that it is said to
    /// have been.
    pub only_compiler: bool,
}

impl Divergence {
    pub(super) fn new(kind: DivergenceKind, message: impl Into<String>) -> Divergence {
        Divergence {
            kind,
            message: message.into(),
            function: None,
            part: None,
            line: None,
            compared_with: None,
            only_compiler: false,
        }
    }
}

/// A subject with what is known of it so far.
#[derive(Debug)]
pub(super) struct Judged {
    pub subject: Subject,
    /// Of its header, if it is known.
    pub release: Option<Release>,
    pub verdict: Verdict,
}

/// `no-source`.
pub(super) fn reason_name(reason: UnprovableReason) -> &'static str {
    match reason {
        UnprovableReason::NoSource => "no-source",
        UnprovableReason::NoInterpreter => "no-interpreter",
        UnprovableReason::UnknownRelease => "unknown-release",
        UnprovableReason::OtherBuild => "other-build",
        UnprovableReason::Unreadable => "unreadable",
        UnprovableReason::NotCompared => "not-compared",
    }
}
