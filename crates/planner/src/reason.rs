//! Why a step is to be done, with old and new: the answer of `explain` and of `-v`.

use bytekiln_action::{Digest, RecordedPath, RepoPath};
use bytekiln_python::{InvalidationMode, OptimizationLevel};

/// What stands in an output's place, told from its first sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FoundCache {
    /// A timestamp cache with this magic number.
    Timestamp {
        /// Low 16 bits of the magic number.
        magic: u16,
    },
    /// A hash-based cache.
    Hash {
        /// Low 16 bits of the magic number.
        magic: u16,
        /// Its mode.
        mode: InvalidationMode,
    },
    /// Too short, or no header that CPython accepts.
    NotACache,
    /// A folder, a link or another thing that is no regular file.
    NotAFile,
}

/// Why a step is dirty. The first matching sentence is shown; all are in the plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Neither a record nor a file.
    New,
    /// Recorded, but the file has gone.
    OutputMissing,
    /// Recorded, but the file is not the one that was written.
    OutputChanged(FoundCache),
    /// A file that Bytekiln has no record of stands there.
    OutputUnrecorded(FoundCache),
    /// What stands there is in another mode than asked for.
    ModeDiffers {
        /// What stands there.
        found: FoundCache,
        /// What is wanted.
        wanted: InvalidationMode,
    },
    /// The source's bytes changed.
    SourceChanged {
        /// Then.
        old: Digest,
        /// Now.
        new: Digest,
    },
    /// Another source fills this slot now.
    SourceMoved {
        /// Then.
        old: RepoPath,
        /// Now.
        new: RepoPath,
    },
    /// The invalidation mode changed.
    ModeChanged {
        /// Then.
        old: InvalidationMode,
        /// Now.
        new: InvalidationMode,
    },
    /// The level changed (only layouts whose names do not carry it).
    LevelChanged {
        /// Then.
        old: OptimizationLevel,
        /// Now.
        new: OptimizationLevel,
    },
    /// The compiler changed: labels, with the build where the labels are equal.
    ToolchainChanged {
        /// Then.
        old: String,
        /// Now.
        new: String,
    },
    /// The recorded path changed.
    RecordedPathChanged {
        /// Then.
        old: RecordedPath,
        /// Now.
        new: RecordedPath,
    },
    /// PEP 657 positions were switched on or off.
    DebugRangesChanged {
        /// Now.
        new: bool,
    },
    /// The canonical form's version changed.
    CanonicalFormChanged {
        /// Then.
        old: u32,
        /// Now.
        new: u32,
    },
    /// The last build could not compile it, and nothing changed since: said again.
    FailedBefore,
    /// It compiled with warnings, and the caller wants to see them.
    WarningsWanted {
        /// How many.
        count: u32,
    },
    /// It was only checked, and is to be written now.
    NotWrittenBefore,
    /// The caller asked for everything.
    Forced,
}
