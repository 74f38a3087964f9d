//! The way back along edges, found out when it is first asked for: a graph that is only shown never needs
//! it. Knows nothing of what edges are.

use std::sync::OnceLock;

use super::assemble::offsets;
use super::edges::Edges;

/// Edges by what they lead to. Derived from them, so equal graphs have equal ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Back(OnceLock<Importers>);

#[derive(Debug, Clone)]
pub(crate) struct Importers {
    /// For each node the start of the edges to it, and the end of all.
    pub(crate) offsets: Vec<u32>,
    pub(crate) edges: Vec<u32>,
}

impl Back {
    /// Of a graph with so many nodes and these edges.
    pub(super) fn get(&self, nodes: usize, edges: &Edges) -> &Importers {
        self.0.get_or_init(|| {
            let to = || edges.iter().map(|edge| edge.to.0);
            let offsets = offsets(nodes, to());
            let edges = in_order(&offsets, to());
            Importers { offsets, edges }
        })
    }
}

impl PartialEq for Back {
    fn eq(&self, _: &Back) -> bool {
        true
    }
}

impl Eq for Back {}

/// The numbers of edges in the order of the nodes that they lead to, if `starts` says where each one's
/// begin.
fn in_order(starts: &[u32], to: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut next = starts.to_vec();
    let mut back = vec![0_u32; starts.last().map_or(0, |end| *end as usize)];
    for (id, to) in (0_u32..).zip(to) {
        let Some(place) = next.get_mut(to as usize) else { continue };
        if let Some(slot) = back.get_mut(*place as usize) {
            *slot = id;
        }
        *place += 1;
    }
    back
}
