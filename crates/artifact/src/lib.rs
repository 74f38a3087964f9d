//! One face over finished things: directory trees, zips, wheels, tars. Reads them without trusting
//! them, writes them so that the same entries give the same bytes, and keeps the `RECORD` of what is
//! installed true. Knows nothing of what is in a `.pyc`.

mod artifact;
mod directory;
mod entry;
mod error;
mod file;
mod links;
mod locate;
mod member;
mod publish;
mod record;
mod replace;
mod tar;
mod write;
mod zip;

pub use artifact::{Artifact, OpenOptions};
pub use entry::{Container, Entry, EntryKind, EntryProblem, EntryProblemKind, Modified};
pub use error::ArtifactError;
pub use file::{FileStamp, ReadFile, digest_file, read_file};
pub use locate::{Located, LocatedKind, locate};
pub use publish::{PendingFile, PendingFolder, PublishError};
pub use record::{Record, RecordError};
pub use replace::{Durability, ReplaceError, Replacer};
pub use write::{
    Content, DeflateLevel, Entries, FolderOutput, ImageOptions, Item, ItemKind, LayoutError, Links,
    Output, Owner, Placement, TarCompression, TarOptions, TreeOptions, WriteError, Written,
    WrittenImage, WrittenTar, WrittenTree, ZipCompression, ZipFolders, ZipOptions, ZstdLevel,
    lay_out, write_image, write_tar, write_tree, write_zip,
};
