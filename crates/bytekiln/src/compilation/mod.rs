//! One hermetic compilation, as `compile` and `worker` carry it out: explicit sources, outputs and
//! interpreter. Knows nothing of workspaces, plans and terminals.

mod base;
mod depfile;
mod entries;
mod identity;
mod manifest;
mod order;
mod parameters;
mod perform;
mod report;

pub(crate) use base::{Base, is_inside};
pub(crate) use identity::{Mismatch, compiler_identity, python_digest};
pub(crate) use order::CompileOrder;
pub(crate) use parameters::expand;
pub(crate) use perform::{Claims, Means, NoClaims, perform, print_identity, report_stranger};
pub(crate) use report::{CompileReport, SourceOutcome};
