//! The files of what was found, for other tools: bytes as the system has them, as seen from the folder
//! that the command was started in.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use bytekiln_graph::NodeId;

use super::Question;
use super::answer::Answer;

pub(super) fn render(question: &Question<'_>, answer: &Answer) -> Vec<u8> {
    let start = &question.open.start;
    let start = start.canonicalize().unwrap_or_else(|_| start.clone());
    let end = if question.arguments.null { b'\0' } else { b'\n' };
    let mut out = Vec::new();
    for row in &answer.rows {
        if let Some(path) = absolute(question, row.module) {
            out.extend_from_slice(seen_from(&start, &path).as_os_str().as_bytes());
            out.push(end);
        }
    }
    out
}

fn absolute(question: &Question<'_>, id: NodeId) -> Option<PathBuf> {
    let (tree, path) = question.open.graph().node(id)?.file.as_ref()?;
    let folder = &question.open.loaded.trees.get(*tree as usize)?.folder;
    Some(folder.join(std::ffi::OsStr::from_bytes(path.as_bytes())))
}

/// A path as a command that runs in a folder has to name it.
pub(crate) fn seen_from(start: &Path, path: &Path) -> PathBuf {
    let mut up = PathBuf::new();
    for folder in start.ancestors() {
        if let Ok(below) = path.strip_prefix(folder) {
            // Far away an absolute path is easier to read than a climb to the root.
            let climbs = up.components().filter(|part| *part == Component::ParentDir).count();
            return if folder.parent().is_none() && climbs > 0 {
                path.to_owned()
            } else {
                up.join(below)
            };
        }
        up.push("..");
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: &str, path: &str, expected: &str) {
        assert_eq!(seen_from(Path::new(start), Path::new(path)), Path::new(expected));
    }

    #[test]
    fn from_anywhere() {
        check("/w", "/w/a/b.py", "a/b.py");
        check("/w/a", "/w/a/b.py", "b.py");
        check("/w/c/d", "/w/a/b.py", "../../a/b.py");
        check("/w", "/elsewhere/b.py", "/elsewhere/b.py");
        check("/", "/w/b.py", "w/b.py");
    }
}
