//! Which files stand for each other: those of the same path in two trees. Knows nothing of what is
//! in them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_artifact::{Artifact, EntryKind};

use super::super::opened::{self, Opened};

/// The two things that are compared.
pub(super) struct Sides {
    left: Side,
    right: Side,
}

enum Side {
    File(PathBuf),
    Member(Artifact, usize),
    Tree(Artifact, RepoPath),
}

/// A path, and the index of its entry on either side.
pub(super) struct Pair {
    /// As it is to be shown: relative to the trees.
    pub(super) path: String,
    pub(super) is_pyc: bool,
    pub(super) left: Option<usize>,
    pub(super) right: Option<usize>,
}

/// What stands at one side of a pair.
pub(super) enum Content {
    /// Where a link leads.
    Link(Vec<u8>),
    /// The bytes of a file.
    Bytes(Vec<u8>),
}

impl Sides {
    pub(super) fn new(left: Opened, right: Opened) -> Sides {
        let side = |opened| match opened {
            Opened::File(path) => Side::File(path),
            Opened::Member(artifact, index) => Side::Member(artifact, index),
            Opened::Tree(artifact, inside) => Side::Tree(artifact, inside),
        };
        Sides { left: side(left), right: side(right) }
    }

    /// What their readers refused.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut all = Vec::new();
        for side in [&self.left, &self.right] {
            if let Side::Tree(artifact, _) | Side::Member(artifact, _) = side {
                let place = artifact.path().display();
                let problems = artifact.problems().iter();
                all.extend(problems.map(|problem| format!("{problem} in `{place}`")));
            }
        }
        all
    }

    /// The pairs, by path; folders are none.
    pub(super) fn pairs(&self, only_pyc: bool) -> Vec<Pair> {
        let (left, right) = match (&self.left, &self.right) {
            (Side::Tree(left, left_inside), Side::Tree(right, right_inside)) => {
                (files(left, left_inside), files(right, right_inside))
            }
            _ => {
                let is_pyc = self.left.is_pyc() || self.right.is_pyc();
                let path = String::new();
                return vec![Pair { path, is_pyc, left: Some(0), right: Some(0) }];
            }
        };
        let mut merged: BTreeMap<RepoPath, (Option<usize>, Option<usize>)> = BTreeMap::new();
        for (path, index) in left {
            merged.entry(path).or_default().0 = Some(index);
        }
        for (path, index) in right {
            merged.entry(path).or_default().1 = Some(index);
        }
        let pairs = merged.into_iter().map(|(path, (left, right))| Pair {
            is_pyc: path.as_bytes().ends_with(b".pyc"),
            path: path.to_string(),
            left,
            right,
        });
        pairs.filter(|pair| pair.is_pyc || !only_pyc).collect()
    }

    /// What is on the left and on the right of a pair that has both.
    pub(super) fn read(&self, pair: &Pair) -> Result<(Content, Content), String> {
        let left = self.left.read(pair.left.unwrap_or_default())?;
        Ok((left, self.right.read(pair.right.unwrap_or_default())?))
    }

    /// The sizes of two regular files, if that is known before they are read.
    pub(super) fn sizes(&self, pair: &Pair) -> Option<(u64, u64)> {
        let left = self.left.size(pair.left?)?;
        Some((left, self.right.size(pair.right?)?))
    }
}

fn files(artifact: &Artifact, inside: &RepoPath) -> Vec<(RepoPath, usize)> {
    let entries = artifact.entries().iter().enumerate();
    let files = entries.filter(|(_, entry)| entry.kind != EntryKind::Directory);
    files.filter_map(|(index, entry)| Some((entry.path.strip_prefix(inside)?, index))).collect()
}

impl Side {
    fn is_pyc(&self) -> bool {
        match self {
            Side::File(path) => path.extension().is_some_and(|extension| extension == "pyc"),
            Side::Member(artifact, index) => artifact
                .entries()
                .get(*index)
                .is_some_and(|entry| entry.path.as_bytes().ends_with(b".pyc")),
            Side::Tree(..) => false,
        }
    }

    fn read(&self, index: usize) -> Result<Content, String> {
        let of = |artifact: &Artifact, index| {
            let bytes = artifact.read(index).map_err(|error| error.to_string());
            bytes.map(Content::Bytes)
        };
        match self {
            Side::File(path) => opened::read(path).map(Content::Bytes),
            Side::Member(artifact, index) => of(artifact, *index),
            Side::Tree(artifact, _) => {
                match artifact.entries().get(index).map(|entry| &entry.kind) {
                    Some(EntryKind::Symlink(target)) => Ok(Content::Link(target.clone())),
                    _ => of(artifact, index),
                }
            }
        }
    }

    fn size(&self, index: usize) -> Option<u64> {
        let Side::Tree(artifact, _) = self else { return None };
        let entry = artifact.entries().get(index)?;
        (entry.kind == EntryKind::File).then_some(entry.size)
    }
}
