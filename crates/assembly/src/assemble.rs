//! From files with places, and from what was compiled, to what is in the artifact. Knows nothing of where
//! bytes come from.

use std::collections::BTreeMap;

use bytekiln_action::RepoPath;
use bytekiln_python::{OptimizationLevel, cache_file_name, legacy_file_name};

/// A file that may be in the artifact.
#[derive(Debug, Clone)]
pub struct File {
    /// Where, below the artifact's root.
    pub place: RepoPath,
    /// What it is.
    pub kind: FileKind,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A source that can be imported.
    Module,
    /// A source that cannot; it is shipped as it is.
    Script,
    /// Anything else.
    Data,
}

/// What becomes of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Its source is in the artifact.
    pub source: bool,
    /// Its bytecode is, for all targets.
    pub bytecode: bool,
}

/// Where bytecode lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// `__pycache__/m.TAG.pyc`.
    Pycache,
    /// `m.pyc` beside `m.py`.
    Legacy,
    /// A tree for `PYTHONPYCACHEPREFIX`.
    Prefix {
        /// Its folder, below the container's root.
        folder: RepoPath,
        /// Where the container's root lies when the program runs, without the leading `/`.
        deploy_root: RepoPath,
    },
}

/// How everything lies.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The folder of the container below which files lie.
    pub root: &'a RepoPath,
    /// Where bytecode lies.
    pub layout: &'a Layout,
    /// Cache tag and level of each target.
    pub targets: &'a [(String, OptimizationLevel)],
}

/// Something in the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where, below the container's root.
    pub path: RepoPath,
    /// What.
    pub origin: Origin,
}

/// Where the bytes of a part come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The file of this index, as it is.
    File(usize),
    /// What the file of this index was compiled to.
    Bytecode {
        /// The source.
        file: usize,
        /// For this target.
        target: usize,
    },
}

/// What is in the artifact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assembly {
    /// By path; no two have one.
    pub parts: Vec<Part>,
    /// Paths that two want.
    pub clashes: Vec<Clash>,
}

/// Two parts that would have one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The path.
    pub path: RepoPath,
    /// The one that is taken.
    pub first: Origin,
    /// The other one.
    pub second: Origin,
}

/// Puts everything in its place. `choices` has one entry a file; those of others than modules do not
/// count. A module without its source is `m.pyc` where `m.py` would be, for the first target.
pub fn assemble(files: &[File], choices: &[Choice], plan: &Plan<'_>) -> Assembly {
    let mut taken: BTreeMap<RepoPath, Origin> = BTreeMap::new();
    let mut clashes = Vec::new();
    let mut put = |path: RepoPath, origin: Origin| match taken.get(&path) {
        Some(first) => clashes.push(Clash { path, first: *first, second: origin }),
        None => {
            taken.insert(path, origin);
        }
    };
    for (file, (one, choice)) in files.iter().zip(choices).enumerate() {
        let place = plan.root.join(one.place.as_bytes());
        if one.kind != FileKind::Module || choice.source {
            put(place.clone(), Origin::File(file));
        }
        if one.kind != FileKind::Module || !choice.bytecode {
            continue;
        }
        let folder = place.parent().unwrap_or_default();
        let stem = place.stem();
        if !choice.source {
            let path = folder.join(&legacy_file_name(stem));
            put(path, Origin::Bytecode { file, target: 0 });
            continue;
        }
        for (target, (tag, level)) in plan.targets.iter().enumerate() {
            let path = match plan.layout {
                Layout::Legacy => folder.join(&legacy_file_name(stem)),
                Layout::Pycache => {
                    folder.join(b"__pycache__").join(&cache_file_name(stem, tag, *level))
                }
                Layout::Prefix { folder: prefix, deploy_root } => prefix
                    .join(deploy_root.as_bytes())
                    .join(folder.as_bytes())
                    .join(&cache_file_name(stem, tag, *level)),
            };
            put(path, Origin::Bytecode { file, target });
        }
    }
    let parts = taken.into_iter().map(|(path, origin)| Part { path, origin }).collect();
    Assembly { parts, clashes }
}

#[cfg(test)]
mod tests;
