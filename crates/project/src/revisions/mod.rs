//! Which files changed since a revision: asks `git`, the command. Knows nothing of modules.

mod error;
mod git;
mod raw;
mod since;
#[cfg(test)]
mod tests;

pub use error::{RevisionError, RevisionErrorKind};
pub use since::{ChangeStatus, ChangedFile, Changes, changes_since};
