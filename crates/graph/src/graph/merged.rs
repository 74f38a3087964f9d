//! A graph of groups of modules. Knows nothing of what the groups are.

use super::assemble::offsets;
use super::back::Back;
use super::{Edge, EdgeId, Graph, Node, NodeId, NodeKind};

impl Graph {
    /// One node a group, named and in the order of `names`; and every import of one group's module by
    /// another group's, with its line and kinds. `group_of` has the group of each node, in the order
    /// of ids; a number that is none of a group leaves the node out. Also gives, for each edge of the
    /// new graph, the one here that it stands for.
    ///
    /// Groups have neither file nor owner. Linear in the edges.
    #[must_use]
    pub fn merged(&self, names: &[String], group_of: &[u32]) -> (Graph, Vec<EdgeId>) {
        let group = |node: u32| {
            group_of.get(node as usize).copied().filter(|group| (*group as usize) < names.len())
        };
        let mut crossing: Vec<(u32, u32, u32)> = (0_u32..)
            .zip(self.edges.iter())
            .filter_map(|(id, edge)| Some((group(edge.from.0)?, id, group(edge.to.0)?)))
            .filter(|(from, _, to)| from != to)
            .collect();
        crossing.sort_unstable();
        let count = names.len();
        let edge = |&(from, id, to): &(u32, u32, u32)| {
            let edge = self.edges.get(id)?;
            Some(Edge { from: NodeId(from), to: NodeId(to), ..edge })
        };
        let node = |name: &String| Node {
            kind: NodeKind::Namespace,
            name: name.as_str().into(),
            owner: None,
            file: None,
            digest: None,
        };
        let graph = Graph {
            nodes: names.iter().map(node).collect(),
            owners: Vec::new(),
            ambiguities: Vec::new(),
            files: 0,
            offsets: offsets(count, crossing.iter().map(|(from, _, _)| *from)),
            edges: crossing.iter().filter_map(edge).collect(),
            back: Back::default(),
        };
        (graph, crossing.into_iter().map(|(_, id, _)| EdgeId(id)).collect())
    }
}
