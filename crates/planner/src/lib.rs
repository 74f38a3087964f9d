//! What a build has to do, and why: a pure function of values. Knows nothing of the file system,
//! of interpreters or of caches; `project` makes the inputs, `executor` carries the plan out.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod compare;
mod inputs;
mod outputs;
mod plan;
mod planning;
mod reason;

pub use inputs::{
    Allowance, Inputs, Layout, Observed, ObservedState, OutputPath, Record, Recorded, RootId,
    ScriptReason, Slot, Source, SourceKind, Target,
};
pub use outputs::output_path;
pub use plan::{Fresh, Plan, Problem, Removal, RemovalReason, Severity, Skipped, Step};
pub use planning::{Options, action, plan, slot};
pub use reason::{FoundCache, Reason};
