//! The files of all trees in one list: the workspace's as its walk found them, then those of folders
//! that are installed beside it. Knows nothing of contents.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::os::fd::AsFd as _;
use std::path::Path;

use bytekiln_action::RepoPath;
use bytekiln_graph::FileKind;
use bytekiln_planner::SourceKind;

use crate::load::open_folder;
use crate::scan::{
    self, FileKind as Found, FoundFile, GlobError, MemberRules, Scan, Stamp, WalkRequest, Wanted,
};
use crate::{Member, MemberOrigin};

/// A file of a tree.
#[derive(Debug, Clone)]
pub(super) struct TreeFile {
    pub(super) tree: u32,
    pub(super) path: RepoPath,
    /// As of the walk, or none if only reading will take one.
    pub(super) stamp: Stamp,
    pub(super) kind: FileKind,
    pub(super) owner: u32,
    /// Run by its path, whatever is in it.
    pub(super) script: bool,
    /// A source if its first line says so.
    pub(super) executable: bool,
}

impl TreeFile {
    pub(super) fn new(tree: u32, owner: u32, file: FoundFile) -> TreeFile {
        TreeFile {
            tree,
            kind: match file.kind {
                Found::Source(_) | Found::Executable => FileKind::Source,
                Found::Stub => FileKind::Stub,
                // Nobody asks for contents here.
                Found::Data => FileKind::Source,
                Found::Extension => FileKind::Extension,
            },
            owner,
            script: matches!(file.kind, Found::Source(SourceKind::Script(_)) | Found::Executable),
            executable: file.kind == Found::Executable,
            path: file.path,
            stamp: file.stamp,
        }
    }

    /// Whether it has a content that says something.
    pub(super) fn is_read(&self) -> bool {
        matches!(self.kind, FileKind::Source | FileKind::Stub)
    }

    /// Whether names that it binds hide modules below it. Of another module they hide nothing, and are behind
    /// its last import, where half of all sources is.
    pub(super) fn is_package(&self) -> bool {
        let path = self.path.as_bytes();
        (path.ends_with(b"__init__.py") || path.ends_with(b"__init__.pyi"))
            && matches!(self.path.file_name(), b"__init__.py" | b"__init__.pyi")
    }

    /// Whether the build compiles it, so that it is in the build's file index.
    pub(super) fn is_built(&self) -> bool {
        self.tree == 0 && self.kind == FileKind::Source
    }
}

/// Walks a folder that was installed, but not what `except` names in it; see [`WalkRequest`] for `stamps`.
pub(super) fn walk_installed(
    folder: &Path,
    except: &[&str],
    stamps: bool,
    threads: NonZeroUsize,
) -> Result<Option<Scan>, GlobError> {
    let Ok(root) = open_folder(folder) else { return Ok(None) };
    let all = MemberRules::new(&Member {
        name: String::new(),
        path: RepoPath::default(),
        import_roots: vec![RepoPath::default()],
        include: Vec::new(),
        exclude: except.iter().map(|name| (*name).to_owned()).collect(),
        origin: MemberOrigin::Tree,
    })?;
    Ok(Some(scan::walk(&WalkRequest {
        root: root.as_fd(),
        root_path: folder,
        members: &[all],
        selected: &[true],
        closed: &BTreeSet::new(),
        wanted: Wanted::Installed,
        stamps,
        threads,
    })))
}
