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
pub(crate) use request::open_folder;
pub use request::{Loaded, LoadedInputs, Request, load};

#[cfg(test)]
mod tests;
