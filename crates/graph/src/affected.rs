//! What a change of files touches: every module that imports a changed one, directly or not, and whose
//! it is. Knows nothing of revisions, nor of the rules by which data files belong to modules.

use bytekiln_action::RepoPath;

use crate::graph::{EdgeId, Graph, NodeId};
use crate::kinds::Which;
use crate::reach::{Direction, Step};

/// A file that changed: added, edited or deleted. A deleted module has to be in the graph as
/// [`crate::FileKind::Deleted`], or nobody can say who missed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which tree it is in.
    pub tree: u32,
    /// Where in that tree.
    pub path: RepoPath,
    /// Modules that a rule says it belongs to: those that read a data file.
    pub modules: Vec<NodeId>,
}

/// What is touched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Affected {
    /// In order of ids.
    pub modules: Vec<AffectedModule>,
    /// Owners of those modules, an index into [`Graph::owners`] each, with the module nearest to a
    /// change.
    pub owners: Vec<(u32, NodeId)>,
    /// Changes, by their place in the list, that are no module and belong to none by a rule.
    pub unknown: Vec<usize>,
}

/// A touched module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AffectedModule {
    /// The module.
    pub module: NodeId,
    /// The import that leads towards the change, one step; none if it changed itself.
    pub through: Option<EdgeId>,
    /// How many steps there are.
    pub distance: u32,
}

impl Graph {
    /// What changes touch. The way from a module to the change is in [`AffectedModule::through`], step
    /// by step ([`Affected::why`]).
    #[must_use]
    pub fn affected(&self, changes: &[Change], which: Which) -> Affected {
        let mut affected = Affected::default();
        let mut seeds: Vec<NodeId> = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let own = self.find_file(change.tree, &change.path);
            if own.is_none() && change.modules.is_empty() {
                affected.unknown.push(at);
            }
            seeds.extend(own);
            seeds.extend(change.modules.iter().filter(|id| self.node(**id).is_some()));
        }
        let steps = self.walk(&seeds, Direction::Dependents, which, None);
        let distances = self.distances(&steps);
        let mut nearest: Vec<(u32, u32, NodeId)> = Vec::new();
        for ((id, node), (step, distance)) in self.nodes().zip(steps.iter().zip(distances)) {
            let through = match step {
                Step::Unseen => continue,
                Step::Start => None,
                Step::By(edge) => Some(*edge),
            };
            affected.modules.push(AffectedModule { module: id, through, distance });
            nearest.extend(node.owner.map(|owner| (owner, distance, id)));
        }
        nearest.sort_unstable();
        nearest.dedup_by_key(|(owner, _, _)| *owner);
        affected.owners = nearest.into_iter().map(|(owner, _, id)| (owner, id)).collect();
        affected
    }

    /// Steps to each start, without recursion.
    fn distances(&self, steps: &[Step]) -> Vec<u32> {
        const UNKNOWN: u32 = u32::MAX;
        let mut distances = vec![UNKNOWN; steps.len()];
        let mut way: Vec<usize> = Vec::new();
        for start in 0..steps.len() {
            let mut at = start;
            let mut distance = loop {
                match (distances.get(at).copied(), steps.get(at)) {
                    (Some(known), _) if known != UNKNOWN => break known,
                    (_, Some(Step::By(edge))) => {
                        way.push(at);
                        let Some(edge) = self.edge(*edge) else { break 0 };
                        at = edge.to.0 as usize;
                    }
                    _ => {
                        if let Some(place) = distances.get_mut(at) {
                            *place = 0;
                        }
                        break 0;
                    }
                }
            };
            while let Some(passed) = way.pop() {
                distance += 1;
                if let Some(place) = distances.get_mut(passed) {
                    *place = distance;
                }
            }
        }
        distances
    }
}

impl Affected {
    /// The imports from a touched module to the change, in that order; empty if it changed itself or
    /// is not touched.
    #[must_use]
    pub fn why(&self, graph: &Graph, module: NodeId) -> Vec<EdgeId> {
        let mut chain = Vec::new();
        let mut node = module;
        while let Ok(at) = self.modules.binary_search_by_key(&node, |found| found.module)
            && let Some(through) = self.modules.get(at).and_then(|found| found.through)
            && let Some(edge) = graph.edge(through)
        {
            chain.push(through);
            node = edge.to;
        }
        chain
    }
}
