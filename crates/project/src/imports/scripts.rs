//! Which files are run by their path, so that their own folder comes first on `sys.path`. Knows no
//! disk.

use bytekiln_action::RepoPath;

use super::content::Content;
use super::trees::TreeFile;

/// Marks, beside files whose name no import can spell: executables whose first line names Python, and
/// `__main__.py`, unless they are in a package. There a sibling `typing.py` would hide the standard
/// library's from the program, but not from who imports it. The files of the workspace come first, by path.
pub(super) fn mark(files: &mut [TreeFile], contents: &[Content]) {
    let own = files.partition_point(|file| file.tree == 0);
    let is_main = |path: &RepoPath| {
        path.as_bytes().ends_with(b"__main__.py") && path.file_name() == b"__main__.py"
    };
    let is_program = |file: &TreeFile, content: &Content| {
        (content.shebang && content.stamp.is_executable()) || is_main(&file.path)
    };
    let programs: Vec<usize> = files
        .iter()
        .zip(contents)
        .take(own)
        .enumerate()
        .filter(|(_, (file, content))| !file.script && file.is_built() && is_program(file, content))
        .map(|(at, _)| at)
        .collect();
    for at in programs {
        let is_script = match (files.get(..own), files.get(at)) {
            (Some(own), Some(file)) => !is_in_package(&file.path, own),
            _ => false,
        };
        if let Some(file) = files.get_mut(at) {
            file.script = is_script;
        }
    }
}

/// Whether a file of the workspace has a package's `__init__.py` beside it.
fn is_in_package(path: &RepoPath, files: &[TreeFile]) -> bool {
    let Some(folder) = path.parent() else { return false };
    let package = folder.join(b"__init__.py");
    files.binary_search_by(|file| file.path.cmp(&package)).is_ok()
}
