//! A graph of groups of modules. Knows nothing of what the groups are.

use super::assemble::offsets;
use super::back::Back;
use super::{EdgeId, Graph, Node, NodeKind};

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
        let ends = self.from.iter().zip(&self.to);
        let mut crossing: Vec<(u32, u32, u32)> = (0_u32..)
            .zip(ends)
            .filter_map(|(id, (from, to))| Some((group(*from)?, id, group(*to)?)))
            .filter(|(from, _, to)| from != to)
            .collect();
        crossing.sort_unstable();
        let count = names.len();
        let from: Vec<u32> = crossing.iter().map(|(from, _, _)| *from).collect();
        let to: Vec<u32> = crossing.iter().map(|(_, _, to)| *to).collect();
        let ids = || crossing.iter().map(|(_, id, _)| *id as usize);
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
            offsets: offsets(count, from.iter().copied()),
            back: Back::default(),
            lines: ids().filter_map(|id| self.lines.get(id).copied()).collect(),
            columns: ids().filter_map(|id| self.columns.get(id).copied()).collect(),
            kinds: ids().filter_map(|id| self.kinds.get(id).copied()).collect(),
            from,
            to,
        };
        (graph, crossing.into_iter().map(|(_, id, _)| EdgeId(id)).collect())
    }
}
