//! Inside one component: a way round, and edges to cut. Knows nothing of other components.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Cut;
use crate::graph::{Edge, EdgeId, Graph, NodeId};

/// Steps that may be spent on sparing cuts: in larger components the first guess has to do.
const EFFORT: u64 = 20_000_000;

/// A shortest way from the first node of a group back to it.
pub(super) fn example(
    graph: &Graph,
    group: &[NodeId],
    inside: impl Fn(&Edge) -> bool,
) -> Vec<EdgeId> {
    let Some(start) = group.first().copied() else { return Vec::new() };
    let mut by: BTreeMap<NodeId, EdgeId> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for (id, edge) in graph.imports(node).filter(|(_, edge)| inside(edge)) {
            if by.contains_key(&edge.to) {
                continue;
            }
            by.insert(edge.to, id);
            if edge.to == start {
                return way_back(graph, &by, start);
            }
            queue.push_back(edge.to);
        }
    }
    Vec::new()
}

fn way_back(graph: &Graph, by: &BTreeMap<NodeId, EdgeId>, start: NodeId) -> Vec<EdgeId> {
    let mut way = Vec::new();
    let mut node = start;
    while let Some(id) = by.get(&node) {
        way.push(*id);
        let Some(edge) = graph.edge(*id) else { break };
        node = edge.from;
        if node == start {
            break;
        }
    }
    way.reverse();
    way
}

/// Balance of a node, the number of imports out of it less those into it, and then its id.
type Rank = (i64, std::cmp::Reverse<NodeId>);

#[derive(Default)]
struct Place {
    out: BTreeMap<NodeId, i64>,
    into: BTreeMap<NodeId, i64>,
    out_sum: i64,
    in_sum: i64,
}

/// Puts modules in a line so that few imports point backwards; those are the cut. An import statement
/// weighs one, so that a module that is imported in ten places is rather kept.
pub(super) fn cut(graph: &Graph, group: &[NodeId], inside: impl Fn(&Edge) -> bool) -> Vec<Cut> {
    let mut imports: BTreeMap<(NodeId, NodeId), Vec<EdgeId>> = BTreeMap::new();
    let mut places: BTreeMap<NodeId, Place> = BTreeMap::new();
    for node in group {
        for (id, edge) in graph.imports(*node).filter(|(_, edge)| inside(edge)) {
            imports.entry((edge.from, edge.to)).or_default().push(id);
            let from = places.entry(edge.from).or_default();
            *from.out.entry(edge.to).or_default() += 1;
            from.out_sum += 1;
            let to = places.entry(edge.to).or_default();
            *to.into.entry(edge.from).or_default() += 1;
            to.in_sum += 1;
        }
    }
    let line = line_up(places);
    let (backward, forward): (Vec<_>, Vec<_>) =
        imports.into_iter().partition(|((from, to), _)| line.get(from) > line.get(to));
    let mut cuts: Vec<Cut> =
        backward.into_iter().map(|((from, to), imports)| Cut { from, to, imports }).collect();
    if (cuts.len() as u64) * (cuts.len() + forward.len()) as u64 <= EFFORT {
        let kept = forward.into_iter().map(|(pair, _)| pair);
        cuts = keep_harmless(cuts, kept);
    }
    cuts.sort_by_key(|cut| (cut.from, cut.to));
    cuts
}

/// Gives back cuts without which there is no cycle either, those of most imports first, so that no cut
/// is left that could be spared.
fn keep_harmless(cuts: Vec<Cut>, kept: impl Iterator<Item = (NodeId, NodeId)>) -> Vec<Cut> {
    let mut next: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for (from, to) in kept {
        next.entry(from).or_default().push(to);
    }
    let mut order: Vec<Cut> = cuts;
    order.sort_by(|a, b| {
        b.imports.len().cmp(&a.imports.len()).then((a.from, a.to).cmp(&(b.from, b.to)))
    });
    order.retain(|cut| {
        let needed = reaches(&next, cut.to, cut.from);
        if !needed {
            next.entry(cut.from).or_default().push(cut.to);
        }
        needed
    });
    order
}

fn reaches(next: &BTreeMap<NodeId, Vec<NodeId>>, from: NodeId, to: NodeId) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut stack = vec![from];
    while let Some(node) = stack.pop() {
        if node == to {
            return true;
        }
        for other in next.get(&node).into_iter().flatten() {
            if seen.insert(*other) {
                stack.push(*other);
            }
        }
    }
    false
}

/// The place of each node in the line.
fn line_up(mut places: BTreeMap<NodeId, Place>) -> BTreeMap<NodeId, i64> {
    let mut balance: BTreeSet<Rank> = places.iter().map(|(id, place)| rank(*id, place)).collect();
    let mut sinks: BTreeSet<NodeId> = BTreeSet::new();
    let mut sources: BTreeSet<NodeId> = BTreeSet::new();
    let mut line = BTreeMap::new();
    let (mut front, mut rear) = (0, i64::MAX);
    while !places.is_empty() {
        let (node, at_rear) = if let Some(node) = sinks.pop_first() {
            (node, true)
        } else if let Some(node) = sources.pop_first() {
            (node, false)
        } else if let Some((_, std::cmp::Reverse(node))) = balance.pop_last() {
            (node, false)
        } else {
            break;
        };
        let Some(place) = places.remove(&node) else { continue };
        balance.remove(&rank(node, &place));
        if at_rear {
            line.insert(node, rear);
            rear -= 1;
        } else {
            line.insert(node, front);
            front += 1;
        }
        let mut touch = |other: NodeId, outward: bool, weight: i64| {
            let Some(place) = places.get_mut(&other) else { return };
            balance.remove(&rank(other, place));
            if outward {
                place.out_sum -= weight;
            } else {
                place.in_sum -= weight;
            }
            balance.insert(rank(other, place));
            if place.out_sum == 0 {
                sinks.insert(other);
            } else if place.in_sum == 0 {
                sources.insert(other);
            }
        };
        for (other, weight) in place.out {
            touch(other, false, weight);
        }
        for (other, weight) in place.into {
            touch(other, true, weight);
        }
    }
    line
}

fn rank(id: NodeId, place: &Place) -> Rank {
    (place.out_sum - place.in_sum, std::cmp::Reverse(id))
}
