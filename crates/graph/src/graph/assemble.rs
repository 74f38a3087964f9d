//! Puts resolved imports together: one node for whatever has one name, edges in order. Knows nothing of
//! how imports were resolved.

use std::collections::BTreeMap;

use super::back::Back;
use super::edges::Edges;
use super::part::Resolved;
use super::{Ambiguity, Edge, Graph, Node, NodeId, NodeKind};
use crate::index::{Entry, Index};
use crate::kinds::Kinds;
use crate::record::NONE;
use crate::resolution::{Named, NamedKind, Target};

/// What makes a node without a file, in the order of nodes: the number is the owner of an external
/// module, or the file of the package around a namespace.
type Key = (NodeKind, Box<str>, u32);

/// Files in a row, with their edges by importer. These lead to the numbers of nodes that were met.
#[derive(Debug)]
pub struct Part {
    start: usize,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// How many edges each node has.
    counts: Vec<u32>,
}

struct Assembly<'i, 'a> {
    index: &'i Index<'a>,
    /// Nodes without a file, numbered as they are met.
    met: BTreeMap<Key, u32>,
    /// Entries that are namespaces, as nodes that were met.
    namespaces: BTreeMap<u32, u32>,
    /// Modules of the standard library, as nodes that were met or [`NONE`].
    standards: Vec<u32>,
    parts: Vec<Part>,
    /// Edges of what has no file to the packages around it.
    around: Vec<(u32, u32)>,
}

pub(super) fn assemble(
    index: &Index<'_>,
    parts: impl Iterator<Item = Resolved>,
    each: impl FnOnce(&mut [Part], &(dyn Fn(&mut Part) + Sync)),
) -> Graph {
    let mut assembly = Assembly {
        index,
        met: BTreeMap::new(),
        namespaces: BTreeMap::new(),
        standards: vec![NONE; index.standard.len()],
        parts: Vec::new(),
        around: Vec::new(),
    };
    let mut ambiguities = Vec::new();
    for Resolved { start, nodes, mut imports } in parts {
        // Not all that was looked up is imported: of `import a.b`, `a` is not.
        let mut ids = vec![NONE; imports.names.len()];
        for edge in &mut imports.edges {
            edge.to = NodeId(assembly.target(Target::of(edge.to), &imports.names, &mut ids));
        }
        for found in &imports.ambiguities {
            let chosen = assembly.target(found.chosen, &imports.names, &mut ids);
            let hidden = assembly.target(found.hidden, &imports.names, &mut ids);
            ambiguities.push((chosen, hidden, found.kind));
        }
        let counts = vec![0; nodes.len()];
        assembly.parts.push(Part { start, nodes, edges: imports.edges, counts });
    }
    assembly.finish(ambiguities, each)
}

impl Assembly<'_, '_> {
    fn meet(&mut self, key: Key) -> u32 {
        let next = self.index.files.len() + self.met.len();
        let next = u32::try_from(next).unwrap_or(NONE);
        *self.met.entry(key).or_insert(next)
    }

    fn target(&mut self, target: Target, names: &[Named], ids: &mut [u32]) -> u32 {
        match target {
            Target::File(number) => number,
            Target::Namespace(entry) => self.namespace(entry),
            Target::Standard(id) => self.standard(id),
            Target::Named(id) => {
                let (Some(named), Some(known)) = (names.get(id as usize), ids.get_mut(id as usize))
                else {
                    return NONE;
                };
                if *known == NONE {
                    *known = self.named(named);
                }
                *known
            }
        }
    }

    fn named(&mut self, named: &Named) -> u32 {
        let (kind, owner) = match named.what {
            NamedKind::External(owner) => (NodeKind::External, owner),
            NamedKind::Generated => (NodeKind::Generated, NONE),
            NamedKind::Unresolved(reason) => (NodeKind::Unresolved(reason), NONE),
        };
        self.meet((kind, named.name.clone(), owner))
    }

    fn standard(&mut self, id: u32) -> u32 {
        let known = self.standards.get(id as usize).copied().unwrap_or(NONE);
        let standard = &self.index.standard;
        let Some(module) = standard.get(id).filter(|_| known == NONE) else { return known };
        let node = self.meet((NodeKind::StandardLibrary, module.name.into(), NONE));
        if let Some(known) = self.standards.get_mut(id as usize) {
            *known = node;
        }
        let parent = module.name.rfind('.').and_then(|dot| module.name.get(..dot));
        if let Some(parent) = parent.and_then(|name| standard.find(name)) {
            // As deep as names in the table: three.
            let parent = self.standard(parent);
            self.around.push((node, parent));
        }
        node
    }

    /// The node of a namespace package, and edges to the packages around it.
    fn namespace(&mut self, entry: u32) -> u32 {
        if let Some(node) = self.namespaces.get(&entry) {
            return *node;
        }
        let mut above = Vec::new();
        let mut current = entry;
        let mut outer = NONE;
        while let Some(found) = self.index.entry(current).filter(|found| found.parent != NONE) {
            if let Some(file) = package_file(found) {
                // Where a package may have another `__init__`, resolution has told whose runs.
                outer = if self.index.has_extending { NONE } else { file };
                break;
            }
            if let Some(known) = self.namespaces.get(&current) {
                outer = *known;
                break;
            }
            above.push(current);
            current = found.parent;
        }
        // Portions of one name are one node, unless they are in different packages.
        let package = self.package_file_around(entry);
        for id in above.into_iter().rev() {
            let name = self.index.dotted(id).into_boxed_str();
            let node = self.meet((NodeKind::Namespace, name, package));
            self.namespaces.insert(id, node);
            self.around.push((node, outer));
            outer = node;
        }
        outer
    }

    /// The innermost package with a file around an entry.
    fn package_file_around(&self, entry: u32) -> u32 {
        let mut current = self.index.entry(entry);
        while let Some(found) = current.filter(|found| found.parent != NONE) {
            if let Some(file) = package_file(found) {
                return file;
            }
            current = self.index.entry(found.parent);
        }
        NONE
    }

    fn finish(
        mut self,
        ambiguities: Vec<(u32, u32, crate::AmbiguityKind)>,
        each: impl FnOnce(&mut [Part], &(dyn Fn(&mut Part) + Sync)),
    ) -> Graph {
        let index = self.index;
        let files = index.files.len();
        let mut nodes: Vec<Node> = Vec::with_capacity(files + self.met.len());
        self.parts.sort_unstable_by_key(|part| part.start);
        for part in &mut self.parts {
            nodes.append(&mut part.nodes);
        }
        // From the order in which nodes were met to the order of their keys.
        let mut order: Vec<u32> = vec![NONE; self.met.len()];
        for ((kind, name, owner), met) in self.met {
            if let Some(place) = order.get_mut((met as usize).wrapping_sub(files)) {
                *place = u32::try_from(nodes.len()).unwrap_or(NONE);
            }
            let owner = (kind == NodeKind::External).then_some(owner);
            nodes.push(Node { kind, name, owner, file: None, digest: None });
        }
        let id = |met: u32| match (met as usize).checked_sub(files) {
            None => met,
            Some(at) => order.get(at).copied().unwrap_or(NONE),
        };
        let mut ambiguities: Vec<Ambiguity> = ambiguities
            .into_iter()
            .map(|(chosen, hidden, kind)| Ambiguity {
                chosen: NodeId(id(chosen)),
                hidden: NodeId(id(hidden)),
                kind,
            })
            .collect();
        ambiguities.sort_unstable();
        ambiguities.dedup();
        each(&mut self.parts, &|part| {
            for edge in &mut part.edges {
                edge.to = NodeId(id(edge.to.0));
            }
            settle(&mut part.edges);
            for own in part.edges.chunk_by(|one, next| one.from == next.from) {
                let node =
                    own.first().and_then(|edge| (edge.from.0 as usize).checked_sub(part.start));
                if let Some(count) = node.and_then(|node| part.counts.get_mut(node)) {
                    *count = u32::try_from(own.len()).unwrap_or(u32::MAX);
                }
            }
        });
        let mut edges = Edges::default();
        let mut counts = Vec::with_capacity(nodes.len());
        for mut part in self.parts {
            counts.append(&mut part.counts);
            edges.push(part.edges);
        }
        counts.resize(nodes.len(), 0);
        // What has no file comes after all files.
        let edge = |(from, to)| Edge {
            from: NodeId(id(from)),
            to: NodeId(id(to)),
            line: 0,
            column: 0,
            kinds: Kinds::PACKAGE,
        };
        let mut around: Vec<Edge> = self.around.into_iter().map(edge).collect();
        around.sort_unstable_by_key(|edge| edge.from);
        settle(&mut around);
        for edge in &around {
            if let Some(count) = counts.get_mut(edge.from.0 as usize) {
                *count += 1;
            }
        }
        edges.push(around);
        Graph {
            owners: index.sources.owners.clone(),
            ambiguities,
            files,
            offsets: sums(counts),
            edges,
            nodes,
            back: Back::default(),
        }
    }
}

/// Brings edges, which come by importer, into their order, each different one once. Those of one importer came
/// nearly in order, and are few.
fn settle(edges: &mut Vec<Edge>) {
    for own in edges.chunk_by_mut(|one, next| one.from == next.from) {
        own.sort_unstable_by_key(|edge| (edge.line, edge.column, edge.to, edge.kinds));
    }
    let mut last = None;
    edges.retain(|edge| {
        let is_known = edge.from.0 != NONE && edge.to.0 != NONE;
        let is_own = edge.from == edge.to && edge.kinds == Kinds::PACKAGE;
        if !is_known || is_own || last == Some(*edge) {
            return false;
        }
        last = Some(*edge);
        true
    });
}

pub(super) fn package_file(entry: &Entry<'_>) -> Option<u32> {
    let stub = if entry.stub_package { entry.stub } else { NONE };
    [entry.package, stub].into_iter().find(|file| *file != NONE)
}

/// Where the edges of each node start, if they are in the order of nodes; and the end.
pub(super) fn offsets(nodes: usize, of: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut counts = vec![0_u32; nodes];
    of.for_each(|node| {
        if let Some(count) = counts.get_mut(node as usize) {
            *count += 1;
        }
    });
    sums(counts)
}

/// What comes before each, and all.
fn sums(mut counts: Vec<u32>) -> Vec<u32> {
    let mut sum = 0;
    for count in &mut counts {
        let before = sum;
        sum += *count;
        *count = before;
    }
    counts.push(sum);
    counts
}
