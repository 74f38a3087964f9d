//! Cycles of imports: strongly connected components (Tarjan, with a stack of its own), and edges whose
//! removal leaves none (the greedy heuristic of Eades, Lin and Smyth). Edges to the package around a
//! module are left out: that its `__init__` runs first is no cycle. Knows nothing of how it is shown.

mod components;
mod cut;

pub(crate) use components::components;

use crate::graph::{EdgeId, Graph, NodeId};
use crate::kinds::{Kinds, Which};

/// Modules each of which imports all others, if by detours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// In order of ids.
    pub modules: Vec<NodeId>,
    /// A way round, as short as any through the first module.
    pub example: Vec<EdgeId>,
    /// Imports whose removal leaves no cycle among these modules. Few, not always the fewest.
    pub cut: Vec<Cut>,
}

/// Imports of one module by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Who imports.
    pub from: NodeId,
    /// What is imported.
    pub to: NodeId,
    /// Every import of it there, by line.
    pub imports: Vec<EdgeId>,
}

/// Whether an import counts in a cycle.
fn closes(which: Which, kinds: Kinds) -> bool {
    which.follows(kinds) && !kinds.any(Kinds::PACKAGE)
}

impl Graph {
    /// The modules of each cycle alone, as [`Graph::cycles`] has them: linear in the edges.
    #[must_use]
    pub fn cyclic_modules(&self, which: Which) -> Vec<Vec<NodeId>> {
        let components = components(self, |kinds| closes(which, kinds));
        let groups = components.groups().filter(|group| group.len() > 1);
        let mut groups: Vec<Vec<NodeId>> = groups.map(<[NodeId]>::to_vec).collect();
        groups.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        groups
    }

    /// All cycles by the edges that are followed, largest first. A module that imports itself is not
    /// one.
    #[must_use]
    pub fn cycles(&self, which: Which) -> Vec<Cycle> {
        let follows = |kinds: Kinds| closes(which, kinds);
        let components = components(self, follows);
        let mut cycles: Vec<Cycle> = components
            .groups()
            .filter(|group| group.len() > 1)
            .map(|group| {
                let inside = |edge: &crate::Edge| {
                    follows(edge.kinds)
                        && edge.from != edge.to
                        && components.of.get(edge.from.0 as usize)
                            == components.of.get(edge.to.0 as usize)
                };
                Cycle {
                    modules: group.to_vec(),
                    example: cut::example(self, group, inside),
                    cut: cut::cut(self, group, inside),
                }
            })
            .collect();
        cycles.sort_by(|a, b| {
            b.modules.len().cmp(&a.modules.len()).then_with(|| a.modules.cmp(&b.modules))
        });
        cycles
    }
}
