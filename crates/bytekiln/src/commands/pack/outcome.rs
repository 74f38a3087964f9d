//! What packing gave, as values. Knows nothing of how it is shown.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::WrittenImage;
use bytekiln_project::ArtifactKind;

use super::choose::{Kept, Spent};

/// One artifact that was packed.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) name: String,
    pub(super) kind: ArtifactKind,
    /// As in messages.
    pub(super) path: PathBuf,
    /// Of the file; of a folder, that of its list of files (`dirHash` of in-toto).
    pub(super) digest: Digest,
    /// `CPython 3.11.7`, one for each target.
    pub(super) targets: Vec<String>,
    pub(super) sources: usize,
    pub(super) caches: usize,
    pub(super) others: usize,
    /// Bytes of all files, unpacked.
    pub(super) bytes: u64,
    /// Bytes of the caches, unpacked.
    pub(super) cache_bytes: u64,
    pub(super) left_out: BTreeMap<&'static str, usize>,
    /// Sources that stay in a part that goes without them.
    pub(super) kept: BTreeMap<RepoPath, Kept>,
    /// Modules that ask for the source of others.
    pub(super) inspecting: Vec<(RepoPath, u32, String)>,
    /// Modules that do not compile, and may.
    pub(super) rejected: Vec<RepoPath>,
    pub(super) spent: Option<Spent>,
    /// Modules whose import was simulated.
    pub(super) simulated: usize,
    pub(super) image: Option<WrittenImage>,
    /// The statement beside it.
    pub(super) provenance: Option<PathBuf>,
    pub(super) warnings: Vec<String>,
    /// Nothing was changed: what is there is what would be packed.
    pub(super) unchanged: bool,
    pub(super) elapsed: Duration,
}
