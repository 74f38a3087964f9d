//! The import graph: what each module imports, where, and when that runs; resolved as CPython's import
//! system does, and put to questions. Values in, values out, whatever the order of the input. Knows
//! nothing of disks, manifests or compilation.
//!
//! [`ModuleImports`] (one a source, kept by content digest) → [`Sources`] → [`Index`] →
//! [`Index::resolve`] (on as many threads as the caller likes) → [`Graph`].
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod affected;
mod cycles;
mod fingerprint;
mod graph;
mod index;
mod kinds;
mod layers;
mod naming;
mod reach;
mod record;
mod resolution;
mod sources;
mod standard;
#[cfg(test)]
mod tests;

pub use affected::{Affected, AffectedModule, Change};
pub use cycles::{Cut, Cycle};
pub use graph::{Ambiguity, Edge, EdgeId, Graph, Node, NodeId, NodeKind, Part, Resolved};
pub use index::Index;
pub use kinds::{Kinds, Which};
pub use layers::{Contract, Selector, Violation};
pub use reach::Direction;
pub use record::{DecodeError, ImportProblem, ModuleImports, Recorder};
pub use resolution::{AmbiguityKind, Reason};
pub use sources::{
    External, FileKind, Owner, OwnerKind, PathEntry, Root, SourceFile, Sources, Target,
    TargetPlatform,
};
pub use standard::standard_modules;
