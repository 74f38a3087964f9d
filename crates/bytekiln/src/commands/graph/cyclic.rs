//! The cycles of a document, searched for when they are asked for, which may be while all else is written.
//! Knows nothing of how they are shown.

use std::sync::OnceLock;

use bytekiln_graph::{Graph, NodeId, Which};

/// Modules that import each other when they are imported (eager imports), largest first.
#[derive(Default)]
pub(crate) struct Cycles<'a> {
    /// Where they are, and the number of each of its nodes in the document, if it is there.
    of: Option<(&'a Graph, Vec<Option<u32>>)>,
    found: OnceLock<Vec<Vec<u32>>>,
}

impl<'a> Cycles<'a> {
    /// Of the nodes that have a number. A cycle that is not there as a whole is none.
    pub(super) fn of(graph: &'a Graph, numbers: Vec<Option<u32>>) -> Cycles<'a> {
        Cycles { of: Some((graph, numbers)), found: OnceLock::new() }
    }

    /// All of them, by the numbers of modules.
    pub(super) fn get(&self) -> &[Vec<u32>] {
        self.found.get_or_init(|| {
            let Some((graph, numbers)) = &self.of else { return Vec::new() };
            let number = |id: &NodeId| *numbers.get(id.number() as usize)?;
            let numbered = |modules: &Vec<NodeId>| modules.iter().map(number).collect();
            graph.cyclic_modules(Which::Eager).iter().filter_map(numbered).collect()
        })
    }
}
