//! What a graph is made of, as values: files with their imports, the folders that `sys.path` names,
//! and who sees which of them. Knows nothing of disks and manifests.

use bytekiln_action::{Digest, RepoPath};
use bytekiln_python::Release;

use crate::record::ModuleImports;

/// All that a graph is made of. Order matters only in [`Owner::path`]; indices are those of the lists
/// here.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// The interpreter that the graph is for.
    pub target: Target,
    /// Files in any order.
    pub files: Vec<SourceFile<'a>>,
    /// Folders that can be entries of `sys.path`.
    pub roots: Vec<Root>,
    /// Members, distributions, and the standard library if its files are given.
    pub owners: Vec<Owner>,
    /// Modules that come to be at build or run time: `a.b`, or `a.b.*` for it and all below.
    pub generated: Vec<String>,
    /// Modules of distributions whose files are not given (`top_level.txt`, `RECORD`, a lock file).
    pub externals: Vec<External>,
}

/// The interpreter that conditions are decided for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Decides `sys.version_info`, lazy imports and the standard library.
    pub release: Release,
    /// Decides `sys.platform` and the like; what is `None` stays undecided.
    pub platform: TargetPlatform,
}

/// Constants of a platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetPlatform {
    /// `sys.platform`, as `linux`.
    pub sys_platform: Option<String>,
    /// `os.name`, as `posix`.
    pub os_name: Option<String>,
    /// `platform.system()`, as `Linux`.
    pub system: Option<String>,
    /// `platform.machine()`, as `x86_64`.
    pub machine: Option<String>,
}

/// A file or folder that can be a module.
#[derive(Debug, Clone)]
pub struct SourceFile<'a> {
    /// Which tree it is in: 0 for the workspace; others are the caller's, as one for each
    /// `site-packages`.
    pub tree: u32,
    /// Where in that tree.
    pub path: RepoPath,
    /// What it is.
    pub kind: FileKind,
    /// Whose it is: an index into [`Sources::owners`].
    pub owner: u32,
    /// Run by its path: its own folder comes first on `sys.path`.
    pub script: bool,
    /// Of its content, for fingerprints.
    pub digest: Option<Box<Digest>>,
    /// What it imports.
    pub imports: Option<&'a ModuleImports>,
}

/// Kinds of [`SourceFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// `.py`.
    Source,
    /// `.pyi`.
    Stub,
    /// `.so` or `.pyd`, with whatever tags.
    Extension,
    /// A folder without any such file below: a namespace package nevertheless (PEP 420).
    Folder,
    /// A `.py` that is gone: imports find it as if it were there, so that
    /// [`crate::Graph::affected`] can name who misses it.
    Deleted,
}

/// A folder that can be an entry of `sys.path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Which tree it is in.
    pub tree: u32,
    /// Where in that tree; empty for all of it.
    pub folder: RepoPath,
}

/// To whom files belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// As users know it.
    pub name: String,
    /// What it is.
    pub kind: OwnerKind,
    /// `sys.path` for its files, first entry first. CPython's own order is: the script's folder (see
    /// [`SourceFile::script`]), `PYTHONPATH`, the standard library, `site-packages`, editable
    /// installations.
    pub path: Vec<PathEntry>,
}

/// Kinds of [`Owner`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerKind {
    /// A member of the workspace.
    Member,
    /// An installed or locked distribution.
    Distribution,
    /// The standard library.
    StandardLibrary,
}

/// An entry of `sys.path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathEntry {
    /// An index into [`Sources::roots`].
    Root(u32),
    /// The standard library of the target, by a table of its modules.
    StandardLibrary,
}

/// A module of a distribution whose files are not given, and all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    /// Dotted name, as `google.cloud.storage`.
    pub module: String,
    /// Whose: an index into [`Sources::owners`].
    pub owner: u32,
}
