//! The graph: modules, and what is imported but is no file, with labelled edges in compact arrays
//! (24 bytes an edge with its way back). Knows nothing of how names were resolved.

mod assemble;
mod back;
mod edges;
mod merged;
mod part;
mod snapshot;

pub use assemble::Part;
pub use part::Resolved;

use bytekiln_action::{Digest, RepoPath};

use crate::index::Index;
use crate::kinds::Kinds;
use crate::resolution::{AmbiguityKind, Reason};
use crate::sources::{Owner, Sources};

/// Names a node of one graph. Files come first, in the order of tree and path; then all else, in the
/// order of kind and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

/// Names an edge of one graph: in the order of the importing node, line and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeId(pub(crate) u32);

impl NodeId {
    /// Its number, from 0, without gaps.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl EdgeId {
    /// The edge with a number; there may be none in a graph.
    #[must_use]
    pub fn from_number(number: u32) -> EdgeId {
        EdgeId(number)
    }

    /// Its number, from 0, without gaps.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A module, or what stands for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its dotted name; the path of a file that no import can find; empty for a computed name.
    pub name: Box<str>,
    /// An index into [`Graph::owners`].
    pub owner: Option<u32>,
    /// Tree and path of a file.
    pub file: Option<(u32, RepoPath)>,
    /// Of the content of a file, if the caller gave it: few do, and there are many nodes.
    pub digest: Option<Box<Digest>>,
}

/// Kinds of [`Node`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// A source.
    Module,
    /// `__init__.py`, or an extension module of that name.
    Package,
    /// A source that no import can find: `mod.v1.py`, or one below no root.
    Unimportable,
    /// `.pyi`.
    Stub,
    /// An extension module.
    Extension,
    /// A source that is gone.
    Deleted,
    /// A package without `__init__` (PEP 420).
    Namespace,
    /// Of the standard library, by the table.
    StandardLibrary,
    /// Of a distribution whose files are not here.
    External,
    /// Declared to come to be later.
    Generated,
    /// Not found.
    Unresolved(Reason),
}

impl NodeKind {
    /// A word for JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            NodeKind::Module => "module",
            NodeKind::Package => "package",
            NodeKind::Unimportable => "unimportable",
            NodeKind::Stub => "stub",
            NodeKind::Extension => "extension",
            NodeKind::Deleted => "deleted",
            NodeKind::Namespace => "namespace",
            NodeKind::StandardLibrary => "standard-library",
            NodeKind::External => "external",
            NodeKind::Generated => "generated",
            NodeKind::Unresolved(_) => "unresolved",
        }
    }
}

/// An import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who imports.
    pub from: NodeId,
    /// What is imported.
    pub to: NodeId,
    /// Line, from 1; 0 from a module to the package that it is in.
    pub line: u32,
    /// Column in characters, from 1; 0 where it is not known.
    pub column: u32,
    /// When it runs, and how it is written.
    pub kinds: Kinds,
}

/// One name that could have meant two modules, and is imported somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ambiguity {
    /// What the import system takes.
    pub chosen: NodeId,
    /// What it does not.
    pub hidden: NodeId,
    /// Why there are two.
    pub kind: AmbiguityKind,
}

/// Who imports whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) ambiguities: Vec<Ambiguity>,
    /// How many nodes are files.
    pub(crate) files: usize,
    /// For each node the start of its edges, and the end of all.
    pub(crate) offsets: Vec<u32>,
    pub(crate) edges: edges::Edges,
    pub(crate) back: back::Back,
}

impl Graph {
    /// The graph of all files, resolved one after the other.
    #[must_use]
    pub fn build(sources: &Sources<'_>) -> Graph {
        let index = Index::new(sources);
        let resolved = index.resolve(0..index.len());
        Graph::new(&index, vec![resolved], |parts, settle| parts.iter_mut().for_each(settle))
    }

    /// The graph of files whose imports were resolved in parts, in whatever order these come. When all are
    /// there, `each` has to call what it is given once for each of them: on many threads, if it has them.
    #[must_use]
    pub fn new(
        index: &Index<'_>,
        parts: impl IntoIterator<Item = Resolved>,
        each: impl FnOnce(&mut [Part], &(dyn Fn(&mut Part) + Sync)),
    ) -> Graph {
        assemble::assemble(index, parts.into_iter(), each)
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many edges there are.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// To whom nodes belong.
    #[must_use]
    pub fn owners(&self) -> &[Owner] {
        &self.owners
    }

    /// Names with two meanings.
    #[must_use]
    pub fn ambiguities(&self) -> &[Ambiguity] {
        &self.ambiguities
    }

    /// All nodes in order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0_u32..).map(NodeId).zip(&self.nodes)
    }

    /// The id with a number.
    #[must_use]
    pub fn node_id(&self, number: u32) -> Option<NodeId> {
        ((number as usize) < self.nodes.len()).then_some(NodeId(number))
    }

    /// A node of this graph; `None` for an id of another.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    /// An edge of this graph; `None` for an id of another.
    #[must_use]
    pub fn edge(&self, id: EdgeId) -> Option<Edge> {
        self.edges.get(id.0)
    }

    /// What a node imports, by line.
    pub fn imports(&self, id: NodeId) -> impl Iterator<Item = (EdgeId, Edge)> {
        let numbers = range(&self.offsets, id.0);
        numbers.clone().map(EdgeId).zip(self.edges.of(numbers).iter().copied())
    }

    /// Who imports a node, by importer.
    pub fn importers(&self, id: NodeId) -> impl Iterator<Item = (EdgeId, Edge)> {
        let back = self.back.get(self.nodes.len(), &self.edges);
        range(&back.offsets, id.0).filter_map(|at| {
            let id = EdgeId(*back.edges.get(at as usize)?);
            self.edge(id).map(|edge| (id, edge))
        })
    }

    /// Nodes of a dotted name: several if members have a module of one name, or a stub beside it.
    #[must_use]
    pub fn find(&self, name: &str) -> Vec<NodeId> {
        self.nodes().filter(|(_, node)| &*node.name == name).map(|(id, _)| id).collect()
    }

    /// The node of a file.
    #[must_use]
    pub fn find_file(&self, tree: u32, path: &RepoPath) -> Option<NodeId> {
        let files = self.nodes.get(..self.files)?;
        let at = files.partition_point(|node| {
            node.file.as_ref().is_some_and(|file| (file.0, &file.1) < (tree, path))
        });
        let file = files.get(at)?.file.as_ref()?;
        (file.0 == tree && file.1 == *path).then_some(NodeId(u32::try_from(at).ok()?))
    }
}

pub(crate) fn range(offsets: &[u32], node: u32) -> std::ops::Range<u32> {
    let get = |at: usize| offsets.get(at).copied().unwrap_or_default();
    get(node as usize)..get(node as usize + 1)
}
