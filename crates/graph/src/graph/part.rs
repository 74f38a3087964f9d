//! A part of the work of making a graph: files in a row, their nodes and their imports. Whatever needs no
//! other part is done here, as parts are made on many threads.

use std::ops::Range;

use super::assemble::package_file;
use super::{Edge, Node, NodeKind};
use crate::index::{Index, IndexedFile};
use crate::kinds::Kinds;
use crate::record::NONE;
use crate::resolution::{Imports, Target};
use crate::sources::FileKind;

/// Some files, resolved.
#[derive(Debug)]
pub struct Resolved {
    /// Number of the first.
    pub(super) start: usize,
    pub(super) nodes: Vec<Node>,
    /// Edges by importer.
    pub(super) imports: Imports,
}

impl Index<'_> {
    /// Resolves the imports of the files with these numbers. Whatever the ranges, the graph made of
    /// all results is the same.
    #[must_use]
    pub fn resolve(&self, files: Range<usize>) -> Resolved {
        let end = files.end.min(self.files.len());
        let start = files.start.min(end);
        let own = self.files.get(start..end).unwrap_or_default();
        let numbered = (start..).map(|at| u32::try_from(at).unwrap_or(NONE)).zip(own);
        let nodes: Vec<Node> =
            numbered.clone().map(|(number, file)| node_of(self, number, file)).collect();
        let named = numbered.zip(&nodes).map(|((number, file), node)| (number, file, &*node.name));
        let imports = self.imports(named, |number, file| package_of(self, number, file));
        Resolved { start, nodes, imports }
    }
}

fn node_of(index: &Index<'_>, number: u32, file: &IndexedFile<'_>) -> Node {
    let entry = index.entry(file.entry);
    let kind = match (file.source.kind, entry) {
        (FileKind::Deleted, _) => NodeKind::Deleted,
        (FileKind::Stub, _) => NodeKind::Stub,
        (FileKind::Folder, _) => NodeKind::Namespace,
        (FileKind::Source | FileKind::Extension, Some(entry)) if entry.package == number => {
            NodeKind::Package
        }
        (FileKind::Extension, _) => NodeKind::Extension,
        (FileKind::Source, None) => NodeKind::Unimportable,
        (FileKind::Source, Some(_)) => NodeKind::Module,
    };
    let name = match entry {
        Some(_) => index.dotted(file.entry),
        None => file.source.path.to_string(),
    };
    let known = (file.source.owner as usize) < index.sources.owners.len();
    Node {
        kind,
        name: name.into_boxed_str(),
        owner: known.then_some(file.source.owner),
        file: Some((file.source.tree, file.source.path.clone())),
        digest: file.source.digest.clone(),
    }
}

/// The edge to the package around a file.
fn package_of(index: &Index<'_>, number: u32, file: &IndexedFile<'_>) -> Option<Edge> {
    // A module's own entry is in its package's; so is a package's.
    let parent = index.entry(file.entry).map_or(NONE, |entry| entry.parent);
    let entry = index.entry(parent).filter(|entry| entry.parent != NONE)?;
    let is_stub = file.source.kind == FileKind::Stub;
    let package = match package_file(entry) {
        _ if is_stub && entry.stub_package => Target::File(entry.stub),
        // Resolution tells whose `__init__` runs.
        _ if !is_stub && index.has_extending => return None,
        Some(package) => Target::File(package),
        None => Target::Namespace(parent),
    };
    let mut edge = package.around(number);
    if is_stub {
        edge.kinds = edge.kinds.with(Kinds::TYPE_CHECKING);
    }
    Some(edge)
}
