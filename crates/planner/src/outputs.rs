//! Where the output of a source × target lies (PEP 3147, PEP 488), and which source a cache found
//! in `__pycache__` belongs to.

use bytekiln_action::RepoPath;
use bytekiln_python::{cache_file_name, legacy_file_name, parse_cache_file_name};

use crate::{Layout, OutputPath, RootId, Source, SourceKind, Target};

const PYCACHE: &[u8] = b"__pycache__";

/// The output of this source for this target; `None` for scripts, and for a source that is not
/// below its import root in a layout that needs it.
pub fn output_path(source: &Source, target: &Target) -> Option<OutputPath> {
    match source.kind {
        SourceKind::Module => {}
        SourceKind::Script(_) => return None,
    }
    let folder = source.path.parent()?;
    let stem = source.path.stem();
    let tagged = || cache_file_name(stem, &target.toolchain.cache_tag, target.level);
    match &target.layout {
        Layout::Pycache => {
            let path = folder.join(PYCACHE).join(&tagged());
            Some(OutputPath { root: RootId::WORKSPACE, path })
        }
        Layout::Prefix { root, workspace_at_run_time } => {
            let path = workspace_at_run_time.join(folder.as_bytes()).join(&tagged());
            Some(OutputPath { root: *root, path })
        }
        Layout::Legacy => {
            let path = folder.join(&legacy_file_name(stem));
            Some(OutputPath { root: RootId::WORKSPACE, path })
        }
        Layout::Sourceless { root } => {
            let below = source.path.strip_prefix(&source.import_root)?.parent()?;
            Some(OutputPath { root: *root, path: below.join(&legacy_file_name(stem)) })
        }
    }
}

/// The source that CPython would look for beside this cache: `d/__pycache__/m.TAG.pyc` → `d/m.py`,
/// `d/m.pyc` → `d/m.py`. `None` for names that no import would make.
pub(crate) fn source_of_cache(path: &RepoPath) -> Option<RepoPath> {
    let folder = path.parent()?;
    let name = path.file_name();
    let (folder, stem) = if folder.file_name() == PYCACHE {
        (folder.parent()?, parse_cache_file_name(name)?.0)
    } else {
        (folder, name.strip_suffix(b".pyc")?)
    };
    let mut file_name = stem.to_vec();
    file_name.extend_from_slice(b".py");
    Some(folder.join(&file_name))
}
