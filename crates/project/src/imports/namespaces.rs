//! Folders without a source, as packages (PEP 420): a folder of templates or data can be imported, to
//! be found by `importlib.resources`. Only those that some import names and nothing else provides are
//! given to the graph; a tree of translations would fill it with thousands of others. Knows no disk.

use std::collections::{BTreeSet, HashSet};

use bytekiln_graph::{FileKind, Graph, NodeKind, Reason, SourceFile, Sources};

use super::snapshot::SeenFolder;

/// Folders of the workspace that are unresolved imports of `graph`.
pub(super) fn folders(
    graph: &Graph,
    sources: &Sources<'_>,
    folders: &[SeenFolder],
) -> Vec<SourceFile<'static>> {
    let names: BTreeSet<&str> = graph
        .nodes()
        .filter(|(_, node)| {
            matches!(node.kind, NodeKind::Unresolved(Reason::NotFound | Reason::NoSubmodule))
        })
        .map(|(_, node)| &*node.name)
        .collect();
    let mut found = Vec::new();
    if names.is_empty() {
        return found;
    }
    let roots: BTreeSet<&[u8]> = sources
        .roots
        .iter()
        .filter(|root| root.tree == 0)
        .map(|root| root.folder.as_bytes())
        .collect();
    // Most folders are none by their own name.
    let last: HashSet<&str> =
        names.iter().map(|name| name.rsplit('.').next().unwrap_or(name)).collect();
    let is_last = |folder: &SeenFolder| {
        std::str::from_utf8(folder.path.file_name()).is_ok_and(|name| last.contains(name))
    };
    for folder in folders.iter().filter(|folder| !folder.installed && is_last(folder)) {
        let path = folder.path.as_bytes();
        let is_named = roots.iter().any(|root| {
            let rest = path.strip_prefix(*root).unwrap_or_default();
            let rest = if root.is_empty() { Some(rest) } else { rest.strip_prefix(b"/") };
            let rest = rest.filter(|rest| !rest.is_empty() && !rest.contains(&b'.'));
            rest.and_then(|rest| std::str::from_utf8(rest).ok())
                .is_some_and(|rest| names.contains(rest.replace('/', ".").as_str()))
        });
        if is_named {
            found.push(SourceFile {
                tree: 0,
                path: folder.path.clone(),
                kind: FileKind::Folder,
                owner: owner(sources, path),
                script: false,
                digest: None,
                imports: None,
            });
        }
    }
    found
}

/// The owner of the file that comes next in the order of paths, which is the workspace's.
fn owner(sources: &Sources<'_>, path: &[u8]) -> u32 {
    let own = || sources.files.iter().filter(|file| file.tree == 0);
    let near = own().find(|file| file.path.as_bytes() >= path).or_else(|| own().next_back());
    near.map_or(u32::MAX, |file| file.owner)
}
