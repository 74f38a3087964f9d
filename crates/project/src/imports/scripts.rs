//! Which files are run by their path, so that their own folder comes first on `sys.path`. Knows no
//! disk.

use std::collections::BTreeSet;

use bytekiln_action::RepoPath;

use super::contents::Content;
use super::trees::TreeFile;

/// Marks, beside files whose name no import can spell: executables whose first line names Python, and
/// `__main__.py`, unless they are in a package. There a sibling `typing.py` would hide the standard
/// library's from the program, but not from who imports it.
pub(super) fn mark(files: &mut [TreeFile], contents: &[Content]) {
    let packages: BTreeSet<RepoPath> = files
        .iter()
        .filter(|file| file.tree == 0 && file.path.file_name() == b"__init__.py")
        .filter_map(|file| file.path.parent())
        .collect();
    for (file, content) in files.iter_mut().zip(contents) {
        if file.tree != 0 || file.script || !file.is_built() {
            continue;
        }
        let is_program = (content.shebang && content.stamp.is_executable())
            || file.path.file_name() == b"__main__.py";
        file.script =
            is_program && file.path.parent().is_none_or(|folder| !packages.contains(&folder));
    }
}
