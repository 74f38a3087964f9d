//! One face over finished things: directory trees, zips, wheels, tars. Reads them without trusting
//! them, and keeps the `RECORD` of what is installed true. Knows nothing of what is in a `.pyc`.

mod artifact;
mod directory;
mod entry;
mod error;
mod links;
mod locate;
mod tar;
mod zip;

pub use artifact::{Artifact, OpenOptions};
pub use entry::{Container, Entry, EntryKind, EntryProblem, EntryProblemKind, Modified};
pub use error::ArtifactError;
pub use locate::{Located, LocatedKind, locate};
