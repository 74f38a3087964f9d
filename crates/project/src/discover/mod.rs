//! Finding members: by the manifest's patterns, through uv, by searching for projects, or the tree
//! itself; and what stands on `sys.path` for each. Knows nothing of single sources.

mod assemble;
mod claims;
mod crates;
mod import_roots;
mod listed;
mod pattern;
mod search;
mod uv;

pub(crate) use assemble::discover_members;
pub(crate) use pattern::{as_path, matches_pattern, pattern_is_literal};
pub(crate) use uv::lists_folder;
