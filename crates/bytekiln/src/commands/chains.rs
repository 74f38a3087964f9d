//! Shortest chains of imports, all of them or one: breadth first from the end, then along falling
//! distances. Time linear in the edges, and in what is given back. Knows nothing of how they are shown.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytekiln_graph::{Edge, EdgeId, Graph, NodeId};

use super::edges::level;

/// From one module to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Who imports.
    pub(crate) from: NodeId,
    /// What is imported.
    pub(crate) to: NodeId,
    /// Every import that makes this step, at least one: those that run soonest first, then by line.
    pub(crate) imports: Vec<EdgeId>,
}

/// Shortest chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chains {
    /// In the order of modules, as many as were asked for.
    pub(crate) chains: Vec<Vec<Step>>,
    /// How many there are; [`u64::MAX`] for more.
    pub(crate) total: u64,
}

/// Chains from any of some modules to any of others, by edges that satisfy a condition; `None` if there
/// is none. A chain has at least one step: of a module that is on both sides it is a way round.
pub(crate) fn shortest(
    graph: &Graph,
    from: &[NodeId],
    to: &[NodeId],
    follows: impl Fn(&Edge) -> bool,
    limit: usize,
) -> Option<Chains> {
    let search = Search { graph, follows: &follows, distances: distances(graph, to, &follows) };
    let starts: BTreeSet<NodeId> = from.iter().copied().collect();
    let first = |node: &NodeId| {
        let next = search.edges(*node).filter_map(|(_, edge)| search.distance(edge.to)).min();
        next.map(|next| (next, *node))
    };
    let starts: Vec<(u32, NodeId)> = starts.iter().filter_map(first).collect();
    let least = starts.iter().map(|(distance, _)| *distance).min()?;
    let starts: Vec<NodeId> =
        starts.iter().filter(|(distance, _)| *distance == least).map(|(_, node)| *node).collect();
    let total = search.count(&starts, least);
    let mut chains = Vec::new();
    for start in starts {
        search.follow(start, least, limit, &mut chains);
    }
    Some(Chains { chains, total })
}

struct Search<'g, F> {
    graph: &'g Graph,
    follows: &'g F,
    distances: Vec<u32>,
}

const FAR: u32 = u32::MAX;

/// Imports between each module and the nearest of the ends.
fn distances(graph: &Graph, to: &[NodeId], follows: impl Fn(&Edge) -> bool) -> Vec<u32> {
    let mut distances = vec![FAR; graph.len()];
    let mut queue = VecDeque::new();
    for node in to {
        if let Some(place @ &mut FAR) = distances.get_mut(node.number() as usize) {
            *place = 0;
            queue.push_back((*node, 0));
        }
    }
    while let Some((node, distance)) = queue.pop_front() {
        for (_, edge) in graph.importers(node).filter(|(_, edge)| follows(edge)) {
            if let Some(place @ &mut FAR) = distances.get_mut(edge.from.number() as usize) {
                *place = distance + 1;
                queue.push_back((edge.from, distance + 1));
            }
        }
    }
    distances
}

impl<F: Fn(&Edge) -> bool> Search<'_, F> {
    fn edges(&self, node: NodeId) -> impl Iterator<Item = (EdgeId, Edge)> {
        self.graph.imports(node).filter(|(_, edge)| (self.follows)(edge))
    }

    fn distance(&self, node: NodeId) -> Option<u32> {
        self.distances.get(node.number() as usize).copied().filter(|distance| *distance != FAR)
    }

    /// Steps to all modules at a distance, by module.
    fn steps(&self, node: NodeId, distance: u32) -> Vec<Step> {
        let mut steps: BTreeMap<NodeId, Vec<(EdgeId, Edge)>> = BTreeMap::new();
        for (id, edge) in self.edges(node) {
            if self.distance(edge.to) == Some(distance) {
                steps.entry(edge.to).or_default().push((id, edge));
            }
        }
        let step = |(to, mut imports): (NodeId, Vec<(EdgeId, Edge)>)| {
            imports.sort_by_key(|(id, edge)| (level(edge.kinds), *id));
            let imports = imports.into_iter().map(|(id, _)| id).collect();
            Step { from: node, to, imports }
        };
        steps.into_iter().map(step).collect()
    }

    /// How many chains there are from some modules, whose next ones are at a distance.
    fn count(&self, starts: &[NodeId], distance: u32) -> u64 {
        let mut ways: BTreeMap<NodeId, u64> = starts.iter().map(|start| (*start, 1)).collect();
        for distance in (0..=distance).rev() {
            let mut next: BTreeMap<NodeId, u64> = BTreeMap::new();
            for (node, count) in ways {
                for step in self.steps(node, distance) {
                    let sum = next.entry(step.to).or_default();
                    *sum = sum.saturating_add(count);
                }
            }
            ways = next;
        }
        ways.values().fold(0, |sum, count| u64::saturating_add(sum, *count))
    }

    /// Chains from a module whose next ones are at a distance, without recursion.
    fn follow(&self, start: NodeId, distance: u32, limit: usize, chains: &mut Vec<Vec<Step>>) {
        let mut chain: Vec<Step> = Vec::new();
        // For each module of the chain the steps that are still to be tried, last first.
        let reversed = |node, distance| {
            let mut steps = self.steps(node, distance);
            steps.reverse();
            steps
        };
        let mut open: Vec<Vec<Step>> = vec![reversed(start, distance)];
        while chains.len() < limit
            && let Some(steps) = open.last_mut()
        {
            let Some(step) = steps.pop() else {
                open.pop();
                chain.pop();
                continue;
            };
            let node = step.to;
            chain.push(step);
            match self.distance(node) {
                Some(0) => {
                    chains.push(chain.clone());
                    chain.pop();
                }
                Some(distance) => open.push(reversed(node, distance - 1)),
                None => return,
            }
        }
    }
}
