//! Puts resolved imports together: one node for whatever has one name, edges in order. Knows nothing of
//! how imports were resolved.

use std::collections::BTreeMap;

use super::{Ambiguity, Graph, Node, NodeId, NodeKind};
use crate::index::{Entry, Index, IndexedFile};
use crate::kinds::Kinds;
use crate::record::NONE;
use crate::resolution::{Named, NamedKind, Resolved, Target};
use crate::sources::FileKind;

/// What makes a node without a file, in the order of nodes: the number is the owner of an external
/// module, or the file of the package around a namespace.
type Key = (NodeKind, Box<str>, u32);

struct Flat {
    from: u32,
    to: u32,
    line: u32,
    column: u32,
    kinds: Kinds,
}

struct Assembly<'i, 'a> {
    index: &'i Index<'a>,
    /// Nodes without a file, numbered as they are met.
    met: BTreeMap<Key, u32>,
    /// Entries that are namespaces, as nodes that were met.
    namespaces: BTreeMap<u32, u32>,
    edges: Vec<Flat>,
}

pub(super) fn assemble(index: &Index<'_>, parts: impl Iterator<Item = Resolved>) -> Graph {
    let files = index.files.len();
    // Most imports are one edge, none is known to be more than a few. What is not used of the room is
    // never touched.
    let imports = index.files.iter().filter_map(|file| file.source.imports);
    let total = imports.map(|imports| imports.len().saturating_mul(2)).sum::<usize>();
    let mut assembly = Assembly {
        index,
        met: BTreeMap::new(),
        namespaces: BTreeMap::new(),
        edges: Vec::with_capacity(total + files),
    };
    let mut ambiguities = Vec::new();
    for number in 0..files {
        assembly.package_of(u32::try_from(number).unwrap_or(NONE));
    }
    for part in parts {
        // Not all that was looked up is imported: of `import a.b`, `a` is not.
        let mut ids = vec![NONE; part.names.len()];
        for edge in &part.edges {
            let to = assembly.target(edge.target, &part.names, &mut ids);
            assembly.push(edge.from, to, edge.line, edge.column, edge.kinds);
        }
        for found in &part.ambiguities {
            let chosen = assembly.target(found.chosen, &part.names, &mut ids);
            let hidden = assembly.target(found.hidden, &part.names, &mut ids);
            ambiguities.push((chosen, hidden, found.kind));
        }
    }
    assembly.finish(ambiguities)
}

impl Assembly<'_, '_> {
    fn push(&mut self, from: u32, to: u32, line: u32, column: u32, kinds: Kinds) {
        if from != NONE && to != NONE && !(from == to && kinds == Kinds::PACKAGE) {
            self.edges.push(Flat { from, to, line, column, kinds });
        }
    }

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
        let standard = &self.index.standard;
        let Some(module) = standard.get(id) else { return NONE };
        let before = self.met.len();
        let node = self.meet((NodeKind::StandardLibrary, module.name.into(), NONE));
        let parent = module.name.rfind('.').and_then(|dot| module.name.get(..dot));
        if self.met.len() > before
            && let Some(parent) = parent.and_then(|name| standard.find(name))
        {
            // As deep as names in the table: three.
            let parent = self.standard(parent);
            self.push(node, parent, 0, 0, Kinds::PACKAGE);
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
            self.push(node, outer, 0, 0, Kinds::PACKAGE);
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

    fn package_of(&mut self, number: u32) {
        let Some(file) = self.index.files.get(number as usize) else { return };
        let parent = self.index.entry(file.entry).map_or(NONE, |entry| {
            // A module's own entry is in its package's; so is a package's.
            entry.parent
        });
        let Some(entry) = self.index.entry(parent).filter(|entry| entry.parent != NONE) else {
            return;
        };
        let is_stub = file.source.kind == FileKind::Stub;
        let package = match package_file(entry) {
            _ if is_stub && entry.stub_package => entry.stub,
            // Resolution has told whose `__init__` runs.
            _ if !is_stub && self.index.has_extending => return,
            Some(package) => package,
            None => self.namespace(parent),
        };
        let kinds =
            if is_stub { Kinds::PACKAGE.with(Kinds::TYPE_CHECKING) } else { Kinds::PACKAGE };
        self.push(number, package, 0, 0, kinds);
    }

    fn finish(self, ambiguities: Vec<(u32, u32, crate::AmbiguityKind)>) -> Graph {
        let index = self.index;
        let files = index.files.len();
        let mut nodes: Vec<Node> = Vec::with_capacity(files + self.met.len());
        for (number, file) in index.files.iter().enumerate() {
            nodes.push(node_of(index, u32::try_from(number).unwrap_or(NONE), file));
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
        let mut edges = self.edges;
        for edge in &mut edges {
            edge.from = id(edge.from);
            edge.to = id(edge.to);
        }
        let order = order_of(nodes.len(), &edges);
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
        // One pass, as each look at an edge is one into memory at large.
        let count = order.len();
        let mut from: Vec<u32> = Vec::with_capacity(count);
        let mut to: Vec<u32> = Vec::with_capacity(count);
        let mut lines: Vec<u32> = Vec::with_capacity(count);
        let mut columns: Vec<u32> = Vec::with_capacity(count);
        let mut kinds: Vec<Kinds> = Vec::with_capacity(count);
        for edge in order.iter().filter_map(|at| edges.get(*at as usize)) {
            from.push(edge.from);
            to.push(edge.to);
            lines.push(edge.line);
            columns.push(edge.column);
            kinds.push(edge.kinds);
        }
        let back_offsets = offsets(nodes.len(), to.iter().copied());
        Graph {
            owners: index.sources.owners.clone(),
            ambiguities,
            files,
            offsets: offsets(nodes.len(), from.iter().copied()),
            back: backwards_of(&back_offsets, to.iter().copied()),
            back_offsets,
            from,
            to,
            lines,
            columns,
            kinds,
            nodes,
        }
    }
}

fn package_file(entry: &Entry<'_>) -> Option<u32> {
    let stub = if entry.stub_package { entry.stub } else { NONE };
    [entry.package, stub].into_iter().find(|file| *file != NONE)
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

/// The places of edges by importer, line, column, target and kinds, each different one once. Those of one
/// importer came nearly in order, and are few: so they are counted into their places, and only then sorted.
fn order_of(nodes: usize, edges: &[Flat]) -> Vec<u32> {
    let starts = offsets(nodes, edges.iter().map(|edge| edge.from));
    let mut order = backwards_of(&starts, edges.iter().map(|edge| edge.from));
    let key = |at: &u32| {
        let edge = edges.get(*at as usize);
        edge.map(|edge| (edge.from, edge.line, edge.column, edge.to, edge.kinds))
    };
    for ends in starts.windows(2) {
        if let [start, end] = ends
            && let Some(own) = order.get_mut(*start as usize..*end as usize)
        {
            own.sort_unstable_by_key(key);
        }
    }
    order.dedup_by_key(|at| key(at));
    order
}

/// Where the edges of each node start, if they are in the order of nodes; and the end.
pub(super) fn offsets(nodes: usize, of: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut offsets = vec![0_u32; nodes + 1];
    for node in of {
        if let Some(count) = offsets.get_mut(node as usize + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for offset in &mut offsets {
        sum += *offset;
        *offset = sum;
    }
    offsets
}

/// Edges in the order of what they lead `to`.
pub(super) fn backwards(nodes: usize, to: &[u32]) -> Vec<u32> {
    backwards_of(&offsets(nodes, to.iter().copied()), to.iter().copied())
}

/// The numbers of nodes in the order of the nodes, if `starts` says where each one's begin.
fn backwards_of(starts: &[u32], of: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut next = starts.to_vec();
    let mut back = vec![0_u32; starts.last().map_or(0, |end| *end as usize)];
    for (id, to) in (0_u32..).zip(of) {
        let Some(place) = next.get_mut(to as usize) else { continue };
        if let Some(slot) = back.get_mut(*place as usize) {
            *slot = id;
        }
        *place += 1;
    }
    back
}
