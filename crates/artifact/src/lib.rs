//! One face over finished things: directory trees, zips, wheels, tars. Reads them without trusting
//! them, and keeps the `RECORD` of what is installed true. Knows nothing of what is in a `.pyc`.

mod artifact;
mod directory;
mod entry;
mod error;
mod file;
mod links;
mod locate;
mod record;
mod replace;
mod tar;
mod zip;

pub use artifact::{Artifact, OpenOptions};
pub use entry::{Container, Entry, EntryKind, EntryProblem, EntryProblemKind, Modified};
pub use error::ArtifactError;
pub use file::{FileStamp, ReadFile, read_file};
pub use locate::{Located, LocatedKind, locate};
pub use record::{Record, RecordError};
pub use replace::{Durability, ReplaceError, Replacer};
