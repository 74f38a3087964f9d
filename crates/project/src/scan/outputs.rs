//! Caches that stand where outputs go: trees of outputs listed, headers read, contents compared
//! with a record. Knows nothing of which caches are wanted.

use std::io::Read as _;
use std::os::fd::BorrowedFd;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_codec::{HEADER_LENGTH, Header, Validation};
use bytekiln_planner::{FoundCache, OutputPath, Problem, RootId};
use rustix::fs::{Mode, OFlags};

use super::directory::{Directory, Links, Names};
use super::walk::unreadable;
use super::{FoundOutput, Stamp};

/// Lists every `.pyc` of an output tree, and the stamps of its folders.
pub(crate) fn list_tree(
    tree: BorrowedFd<'_>,
    root: RootId,
    outputs: &mut Vec<FoundOutput>,
    folders: &mut Vec<(RepoPath, Stamp)>,
    problems: &mut Vec<Problem>,
) {
    let mut stack = vec![RepoPath::default()];
    let mut names = Names::default();
    while let Some(folder) = stack.pop() {
        let directory = match Directory::read(tree, &folder, Links::Refuse, &mut names) {
            Ok(directory) => directory,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                let mut problem = unreadable("output folder", &folder, &error);
                // The path is below the output tree, not below the workspace.
                problem.message = format!("`{folder}`: {}", problem.message);
                problem.path = None;
                problems.push(problem);
                continue;
            }
        };
        for (name, kind) in directory.entries() {
            let path = folder.join(name);
            if name.ends_with(b".pyc") {
                if let Ok((stamp, kind)) = directory.stamp_of(name, Links::Refuse) {
                    let path = OutputPath { root, path };
                    outputs.push(FoundOutput { path, stamp, is_file: kind.is_file() });
                }
            } else if kind.is_dir() {
                stack.push(path);
            }
        }
        folders.push((folder, directory.stamp));
    }
}

/// What an output is, by reading it: its header, and its digest if it has the size `size`.
pub(crate) fn observe(
    tree: BorrowedFd<'_>,
    path: &RepoPath,
    size: Option<u64>,
) -> (FoundCache, Option<Digest>) {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let Ok(file) = rustix::fs::openat(tree, path.as_bytes(), flags, Mode::empty()) else {
        return (FoundCache::NotAFile, None);
    };
    let mut file = std::fs::File::from(file);
    let Ok(metadata) = file.metadata() else { return (FoundCache::NotAFile, None) };
    if !metadata.is_file() {
        return (FoundCache::NotAFile, None);
    }
    let mut content = Vec::new();
    let whole = size == Some(metadata.len());
    let limit = if whole { u64::MAX } else { HEADER_LENGTH as u64 };
    if file.by_ref().take(limit).read_to_end(&mut content).is_err() {
        return (FoundCache::NotACache, None);
    }
    (classify(&content), whole.then(|| Digest::of(&content)))
}

fn classify(content: &[u8]) -> FoundCache {
    match Header::parse(content) {
        Ok(Header { magic, validation }) => match validation {
            Validation::Timestamp { .. } => FoundCache::Timestamp { magic },
            Validation::Hash { mode, .. } => FoundCache::Hash { magic, mode },
        },
        Err(_) => FoundCache::NotACache,
    }
}
