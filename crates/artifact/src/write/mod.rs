//! Writing containers: the same entries as a zip, a tar, an image or a folder. Bytes depend on the
//! entries and the options alone: not on the machine, the user, the time, the number of threads or
//! the order in which the entries were named. Memory depends on the number of entries and threads,
//! not on contents. Knows nothing of what the entries mean.

mod blocks;
mod calendar;
mod content;
mod entries;
mod error;
mod image;
mod in_order;
mod json;
mod output;
mod tar;
mod tree;
mod zip;

pub use blocks::{DeflateLevel, ZstdLevel};
pub use entries::{Content, Entries, Item, ItemKind, LayoutError, Links, lay_out};
pub use error::WriteError;
pub use image::{ImageOptions, WrittenImage, write_image};
pub use output::{FolderOutput, Output, Written};
pub use tar::{Owner, TarCompression, TarOptions, WrittenTar, write_tar};
pub use tree::{Placement, TreeOptions, WrittenTree, write_tree};
pub use zip::{ZipCompression, ZipFolders, ZipOptions, write_zip};
