//! What lies in the members' folders: a walk on all cores that lists sources and the caches beside
//! them, each with the stamp that the file system keeps of it, and the hash of sources whose stamp
//! is not known. Knows nothing of profiles' targets or of what a build would do.

mod case;
mod directory;
mod entries;
mod hash;
mod ignores;
mod order;
mod outputs;
mod queue;
mod rules;
mod stamp;
mod walk;

pub(crate) use directory::Links;
pub(crate) use entries::{FileKind, entries_hash, stamp_and_entries};
pub(crate) use hash::{hash_files, read_source, read_stamped};
pub(crate) use outputs::{list_tree, observe};
pub use rules::GlobError;
pub(crate) use rules::compile;
pub(crate) use rules::{MemberRules, Scope};
pub(crate) use stamp::{FileClock, Stamp, file_clock};
pub(crate) use walk::{
    FoundFile, FoundFolder, FoundOutput, Scan, WalkRequest, Wanted, unreadable, walk, walk_as,
};
