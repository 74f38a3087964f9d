//! Who sees which folders in which order: `sys.path` of members, distributions and the standard
//! library.
//!
//! CPython's order is: the folder of the program, `PYTHONPATH`, the standard library, `site-packages`,
//! and last the folders of editable installations. A member that can be installed (its folder has a
//! `pyproject.toml` or the like) stands behind the standard library, so that no module of its hides one
//! there; the folder of a tree of programs stands before it, as Python puts it when one of them
//! is run. Its own folders come before those of other members, because that is what its tests and
//! programs run with; all of them come before `site-packages`, where an older copy of a member may
//! have been installed: the graph is about the sources. Knows no disk.

use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_graph::{Owner, OwnerKind, PathEntry, Root};

use super::installed::{Installed, PathFolder};

/// All roots and owners.
#[derive(Debug, Default)]
pub(super) struct Roots {
    pub(super) roots: Vec<Root>,
    /// Members, distributions, what no distribution claims, the standard library.
    pub(super) owners: Vec<Owner>,
}

/// A member, as far as it matters here.
pub(super) struct MemberFolders<'a> {
    pub(super) name: &'a str,
    pub(super) import_roots: &'a [RepoPath],
    pub(super) installable: bool,
}

/// Lays out `sys.path` for everyone. Tree `n` of `installed` is tree `n + 1` of the graph.
/// `unclaimed` are names of modules without a distribution; `standard` is the tree of the standard
/// library, if its files are given.
pub(super) fn lay_out(
    members: &[MemberFolders<'_>],
    installed: &Installed,
    unclaimed: &[String],
    standard: Option<u32>,
) -> Roots {
    let mut roots: Vec<Root> = Vec::new();
    let mut add = |tree: u32, folder: &RepoPath| {
        roots.push(Root { tree, folder: folder.clone() });
        PathEntry::Root(u32::try_from(roots.len() - 1).unwrap_or(u32::MAX))
    };
    let own: Vec<Vec<PathEntry>> = members
        .iter()
        .map(|member| member.import_roots.iter().map(|folder| add(0, folder)).collect())
        .collect();
    let site: Vec<PathEntry> = installed
        .path
        .iter()
        .map(|folder| match folder {
            PathFolder::Inside(path) => add(0, path),
            PathFolder::Tree(tree) => add(tree + 1, &RepoPath::default()),
        })
        .collect();
    let mut library: Vec<PathEntry> = Vec::new();
    if let Some(tree) = standard {
        library.push(add(tree, &RepoPath::default()));
        library.push(add(tree, &RepoPath::new(b"lib-dynload").unwrap_or_default()));
    }
    // What is built into the interpreter has no file.
    library.push(PathEntry::StandardLibrary);
    let all: Vec<PathEntry> = own.iter().flatten().copied().collect();
    let mut owners = Vec::new();
    for (member, own) in members.iter().zip(&own) {
        let mut path = if member.installable {
            [library.as_slice(), own].concat()
        } else {
            [own.as_slice(), &library].concat()
        };
        path.extend(all.iter().filter(|entry| !own.contains(entry)));
        path.extend(&site);
        owners.push(Owner { name: member.name.to_owned(), kind: OwnerKind::Member, path });
    }
    // An installed distribution finds members only where they are installed as editable.
    let path = [library.as_slice(), &site, &all].concat();
    let names = installed.distributions.iter().map(|found| &found.name).chain(unclaimed);
    owners.extend(names.map(|name| Owner {
        name: name.clone(),
        kind: OwnerKind::Distribution,
        path: path.clone(),
    }));
    if standard.is_some() {
        let name = "standard library".to_owned();
        owners.push(Owner { name, kind: OwnerKind::StandardLibrary, path });
    }
    Roots { roots, owners }
}

/// Files in a member's folder that say that it can be installed.
const PROJECT_FILES: [&str; 4] = ["pyproject.toml", "setup.py", "setup.cfg", "Cargo.toml"];

/// The paths whose presence decides it.
pub(super) fn project_files(folder: &std::path::Path) -> [PathBuf; 4] {
    PROJECT_FILES.map(|name| folder.join(name))
}
