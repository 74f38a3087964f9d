//! From a workspace and a profile to `planner::Inputs`, and back: after the work, what came of it
//! is recorded. Knows nothing of plans or of how work is done.

mod caches;
mod error;
mod record;
mod request;
mod settle;
mod sources;

pub use error::{LoadError, LoadErrorKind};
pub use record::{Completion, Filled, RecordError, RecordSummary, record};
pub use request::{Loaded, LoadedInputs, Request, SourceHashes, load};
pub(crate) use request::{member_rules, open_folder, select, watches_above};
pub(crate) use sources::{drop_claimed_twice, owner, two_sources};

#[cfg(test)]
mod tests;
