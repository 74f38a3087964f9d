//! The imports of a document. Of a whole graph they are read from it: a list of their own would be its
//! largest part once more. Knows nothing of modules.

use bytekiln_graph::{EdgeId, Graph};

use super::document::EdgeRow;

/// Imports by importing module, line and column.
#[derive(Debug, Clone)]
pub(crate) enum EdgeRows<'a> {
    /// Those of a graph of which nothing is left out.
    Whole(&'a Graph),
    /// Some.
    Picked(Vec<EdgeRow>),
}

impl EdgeRows<'_> {
    /// One by its place.
    pub(crate) fn get(&self, at: u32) -> Option<EdgeRow> {
        match self {
            EdgeRows::Whole(graph) => graph.edge(EdgeId::from_number(at)).map(|edge| EdgeRow {
                from: edge.from.number(),
                to: edge.to.number(),
                line: edge.line,
                column: edge.column,
                kinds: edge.kinds,
            }),
            EdgeRows::Picked(rows) => rows.get(at as usize).copied(),
        }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = EdgeRow> {
        (0..).map_while(|at| self.get(at))
    }
}
