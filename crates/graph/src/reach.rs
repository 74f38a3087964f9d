//! What can be reached from a node, which way, and by which edges. Breadth first, without recursion:
//! time linear in the edges seen. Knows nothing of what is done with it.

use std::collections::{BTreeMap, VecDeque};

use crate::graph::{Edge, EdgeId, Graph, NodeId};
use crate::kinds::{Kinds, Which};

/// Which way edges are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From importer to imported.
    Dependencies,
    /// From imported to importer.
    Dependents,
}

impl Graph {
    /// Entries and all that they import, and so on, with the packages around: in order of ids.
    #[must_use]
    pub fn closure(&self, entries: &[NodeId], which: Which) -> Vec<NodeId> {
        self.reach(entries, Direction::Dependencies, which)
    }

    /// The nodes given and all that can be reached from them, in order of ids.
    #[must_use]
    pub fn reach(&self, from: &[NodeId], direction: Direction, which: Which) -> Vec<NodeId> {
        let steps = self.walk(from, direction, which, None);
        (0_u32..)
            .zip(&steps)
            .filter(|(_, step)| **step != Step::Unseen)
            .map(|(id, _)| NodeId(id))
            .collect()
    }

    /// What a node imports, or who imports it, itself left out; each once, in order of ids.
    /// [`Kinds::PACKAGE`] edges are not followed.
    #[must_use]
    pub fn neighbours(&self, node: NodeId, direction: Direction, which: Which) -> Vec<NodeId> {
        let written = |edge: &Edge| which.follows(edge.kinds) && !edge.kinds.any(Kinds::PACKAGE);
        let mut found: Vec<NodeId> = match direction {
            Direction::Dependencies => self
                .imports(node)
                .map(|(_, edge)| edge)
                .filter(written)
                .map(|edge| edge.to)
                .collect(),
            Direction::Dependents => {
                let edges = self.importers(node).map(|(_, edge)| edge);
                edges.filter(written).map(|edge| edge.from).collect()
            }
        };
        found.retain(|other| *other != node);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What each of these imports directly, or who imports it, those of the set itself left out.
    #[must_use]
    pub fn neighbours_of_all(
        &self,
        nodes: &[NodeId],
        direction: Direction,
        which: Which,
    ) -> Vec<NodeId> {
        let mut inside = vec![false; self.len()];
        for node in nodes {
            if let Some(place) = inside.get_mut(node.0 as usize) {
                *place = true;
            }
        }
        let mut found: Vec<NodeId> =
            nodes.iter().flat_map(|node| self.neighbours(*node, direction, which)).collect();
        found.retain(|node| inside.get(node.0 as usize) == Some(&false));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Nodes of an owner, an index into [`Graph::owners`].
    #[must_use]
    pub fn nodes_of(&self, owner: u32) -> Vec<NodeId> {
        self.nodes().filter(|(_, node)| node.owner == Some(owner)).map(|(id, _)| id).collect()
    }

    /// Owners of nodes, each once, in order.
    #[must_use]
    pub fn owners_of(&self, nodes: &[NodeId]) -> Vec<u32> {
        let mut owners: Vec<u32> = nodes.iter().filter_map(|id| self.node(*id)?.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// Owners that import each other: who, whom, by how many imports, and the first of these. By who
    /// and whom.
    #[must_use]
    pub fn owner_imports(&self, which: Which) -> Vec<(u32, u32, u32, EdgeId)> {
        let mut counts: BTreeMap<(u32, u32), (u32, EdgeId)> = BTreeMap::new();
        for (id, node) in self.nodes() {
            for (edge_id, edge) in self.imports(id) {
                let to = self.node(edge.to).and_then(|to| to.owner);
                if let (Some(from), Some(to)) = (node.owner, to)
                    && from != to
                    && which.follows(edge.kinds)
                    && !edge.kinds.any(Kinds::PACKAGE)
                {
                    counts.entry((from, to)).or_insert((0, edge_id)).0 += 1;
                }
            }
        }
        let flat = |((from, to), (count, first))| (from, to, count, first);
        counts.into_iter().map(flat).collect()
    }

    /// A shortest chain of imports from any of some nodes to any of others: empty if they have one in
    /// common, `None` if there is no way. Of several, the one that comes first by ids and lines.
    #[must_use]
    pub fn why(&self, from: &[NodeId], to: &[NodeId], which: Which) -> Option<Vec<EdgeId>> {
        let steps = self.walk(from, Direction::Dependencies, which, Some(to));
        let mut ends: Vec<(usize, NodeId)> = to
            .iter()
            .filter_map(|end| chain(self, &steps, *end).map(|chain| (chain.len(), *end)))
            .collect();
        ends.sort_unstable();
        let (_, end) = ends.first()?;
        let mut chain = chain(self, &steps, *end)?;
        chain.reverse();
        Some(chain)
    }

    /// Files by how many others import them directly, most first; those that nobody does are left
    /// out. What is compiled first when many wait for it.
    #[must_use]
    pub fn most_imported(&self, which: Which) -> Vec<(NodeId, u32)> {
        let mut counts: Vec<(NodeId, u32)> = Vec::new();
        for (id, node) in self.nodes().filter(|(_, node)| node.file.is_some()) {
            let count = self.neighbours(id, Direction::Dependents, which).len();
            if count > 0 && node.file.is_some() {
                counts.push((id, u32::try_from(count).unwrap_or(u32::MAX)));
            }
        }
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        counts
    }

    /// How each node was reached first. Stops when one of `until` is.
    pub(crate) fn walk(
        &self,
        from: &[NodeId],
        direction: Direction,
        which: Which,
        until: Option<&[NodeId]>,
    ) -> Vec<Step> {
        let mut steps = vec![Step::Unseen; self.len()];
        let mut ends = vec![false; if until.is_some() { self.len() } else { 0 }];
        for node in until.unwrap_or_default() {
            if let Some(end) = ends.get_mut(node.0 as usize) {
                *end = true;
            }
        }
        let mut starts = from.to_vec();
        starts.sort_unstable();
        let mut queue = VecDeque::new();
        for node in starts {
            if let Some(step @ Step::Unseen) = steps.get_mut(node.0 as usize) {
                *step = Step::Start;
                queue.push_back(node);
            }
        }
        while let Some(node) = queue.pop_front() {
            if ends.get(node.0 as usize) == Some(&true) {
                break;
            }
            let mut follow = |id: EdgeId, kinds: Kinds, next: NodeId| {
                if which.follows(kinds)
                    && let Some(step @ Step::Unseen) = steps.get_mut(next.0 as usize)
                {
                    *step = Step::By(id);
                    queue.push_back(next);
                }
            };
            match direction {
                Direction::Dependencies => {
                    for (id, edge) in self.imports(node) {
                        follow(id, edge.kinds, edge.to);
                    }
                }
                Direction::Dependents => {
                    for (id, edge) in self.importers(node) {
                        follow(id, edge.kinds, edge.from);
                    }
                }
            }
        }
        steps
    }
}

/// How a node was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Unseen,
    Start,
    By(EdgeId),
}

/// The edges to a node, last first.
fn chain(graph: &Graph, steps: &[Step], end: NodeId) -> Option<Vec<EdgeId>> {
    let mut chain = Vec::new();
    let mut node = end;
    loop {
        match steps.get(node.0 as usize)? {
            Step::Unseen => return None,
            Step::Start => return Some(chain),
            Step::By(id) => {
                chain.push(*id);
                node = graph.edge(*id)?.from;
            }
        }
    }
}
