//! Strongly connected components, imported before importers. Knows nothing of what they mean.

use crate::graph::{Edge, Graph, NodeId, range};
use crate::kinds::Kinds;

/// A partition of all nodes.
pub(crate) struct Components {
    /// One group after the other, each in order of ids: nearly all are of one node.
    members: Vec<NodeId>,
    /// Where each group ends.
    ends: Vec<usize>,
    /// The group of each node.
    pub(crate) of: Vec<u32>,
}

impl Components {
    /// A component comes after all that it has edges to.
    pub(crate) fn groups(&self) -> impl ExactSizeIterator<Item = &[NodeId]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let group = self.members.get(start..*end).unwrap_or_default();
            start = *end;
            group
        })
    }
}

const UNSEEN: u32 = u32::MAX;

/// A node whose edges are being followed.
struct Frame<'graph> {
    node: u32,
    rest: std::slice::Iter<'graph, Edge>,
}

/// Tarjan's algorithm; the call stack is a list.
pub(crate) fn components(graph: &Graph, follows: impl Fn(Kinds) -> bool) -> Components {
    let count = graph.len();
    let mut order = vec![UNSEEN; count];
    let mut low = vec![0_u32; count];
    let mut components = Components {
        members: Vec::with_capacity(count),
        ends: Vec::with_capacity(count),
        of: vec![UNSEEN; count],
    };
    let mut stack: Vec<u32> = Vec::new();
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut counter = 0;
    for start in (0_u32..).take(count) {
        if order.get(start as usize) != Some(&UNSEEN) {
            continue;
        }
        enter(graph, start, &mut counter, &mut order, &mut low, &mut stack, &mut frames);
        while let Some(frame) = frames.last_mut() {
            let node = frame.node as usize;
            if let Some(edge) = frame.rest.next() {
                if !follows(edge.kinds) {
                    continue;
                }
                let to = edge.to.0;
                match order.get(to as usize).copied() {
                    Some(UNSEEN) => {
                        enter(
                            graph,
                            to,
                            &mut counter,
                            &mut order,
                            &mut low,
                            &mut stack,
                            &mut frames,
                        );
                    }
                    Some(seen) if components.of.get(to as usize) == Some(&UNSEEN) => {
                        lower(&mut low, node, seen);
                    }
                    _ => {}
                }
                continue;
            }
            frames.pop();
            let own = low.get(node).copied().unwrap_or_default();
            if let Some(parent) = frames.last() {
                lower(&mut low, parent.node as usize, own);
            }
            if order.get(node) == Some(&own) {
                components.close(node, &mut stack);
            }
        }
    }
    components
}

fn enter<'graph>(
    graph: &'graph Graph,
    node: u32,
    counter: &mut u32,
    order: &mut [u32],
    low: &mut [u32],
    stack: &mut Vec<u32>,
    frames: &mut Vec<Frame<'graph>>,
) {
    for list in [order, low] {
        if let Some(place) = list.get_mut(node as usize) {
            *place = *counter;
        }
    }
    *counter += 1;
    stack.push(node);
    let edges = graph.edges.of(range(&graph.offsets, node));
    frames.push(Frame { node, rest: edges.iter() });
}

fn lower(low: &mut [u32], node: usize, to: u32) {
    if let Some(place) = low.get_mut(node) {
        *place = to.min(*place);
    }
}

impl Components {
    fn close(&mut self, root: usize, stack: &mut Vec<u32>) {
        let id = u32::try_from(self.ends.len()).unwrap_or(UNSEEN);
        let start = self.members.len();
        while let Some(node) = stack.pop() {
            if let Some(place) = self.of.get_mut(node as usize) {
                *place = id;
            }
            self.members.push(NodeId(node));
            if node as usize == root {
                break;
            }
        }
        if let Some(group) = self.members.get_mut(start..) {
            group.sort_unstable();
        }
        self.ends.push(self.members.len());
    }
}
