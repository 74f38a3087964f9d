//! Files and their contents as the graph takes them.
//!
//! An extension module beside a source of its name was compiled from it (mypyc, Cython), and both are
//! shipped: it imports what the source imports, or the closure of a program would end at it. These
//! imports are plain ones, as if they were certain, because a record says nothing of who runs it. Knows
//! no disk.

use bytekiln_action::{Digest, RepoPath};
use bytekiln_graph::{FileKind, ModuleImports, SourceFile};

use super::content::Content;
use super::contents::Contents;
use super::trees::TreeFile;

/// What is in `files`, which are in the order of their trees and paths; `digests` may be none at all.
pub(super) fn of<'a>(
    files: &[TreeFile],
    contents: &'a Contents,
    digests: &[Option<Digest>],
) -> Vec<SourceFile<'a>> {
    let record = |content: &Content| -> Option<&'a ModuleImports> { contents.records.of(content) };
    let present = files
        .iter()
        .zip(&contents.of)
        .enumerate()
        .filter(|(_, (_, content))| !content.is_nothing());
    present
        .map(|(at, (file, content))| SourceFile {
            tree: file.tree,
            path: file.path.clone(),
            kind: file.kind,
            owner: file.owner,
            script: file.script,
            digest: digests.get(at).copied().flatten().map(Box::new),
            imports: if file.kind == FileKind::Extension {
                source_of(file, files).and_then(|at| contents.of.get(at)).and_then(record)
            } else {
                record(content)
            },
        })
        .collect()
}

/// The source beside an extension module.
fn source_of(extension: &TreeFile, files: &[TreeFile]) -> Option<usize> {
    let folder = extension.path.parent().unwrap_or_default();
    let stem = extension.path.file_name().split(|byte| *byte == b'.').next()?;
    let path: RepoPath = folder.join(&[stem, b".py"].concat());
    let key = (extension.tree, &path);
    let at = files.binary_search_by(|file| (file.tree, &file.path).cmp(&key)).ok()?;
    files.get(at).is_some_and(|file| file.kind == FileKind::Source).then_some(at)
}
