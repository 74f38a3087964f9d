//! The imports of a document. Of a whole graph they are read from it: a list of their own would be its
//! largest part once more. Knows nothing of modules.

use std::ops::Range;

use bytekiln_graph::{Edge, EdgeId, Graph};

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
            EdgeRows::Whole(graph) => graph.edge(EdgeId::from_number(at)).map(row),
            EdgeRows::Picked(rows) => rows.get(at as usize).copied(),
        }
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = EdgeRow> {
        self.of(0..u32::MAX)
    }

    /// Those of some modules.
    pub(crate) fn of(&self, modules: Range<u32>) -> impl Iterator<Item = EdgeRow> {
        let (graph, picked) = match self {
            EdgeRows::Whole(graph) => (Some(*graph), [].as_slice()),
            EdgeRows::Picked(rows) => {
                let place = |module| rows.partition_point(|row| row.from < module);
                let own = rows.get(place(modules.start)..place(modules.end));
                (None, own.unwrap_or_default())
            }
        };
        let nodes = graph.into_iter().flat_map(move |graph| {
            let ids = modules.clone().map_while(|number| graph.node_id(number));
            ids.flat_map(move |id| graph.imports(id))
        });
        nodes.map(|(_, edge)| row(edge)).chain(picked.iter().copied())
    }
}

fn row(edge: Edge) -> EdgeRow {
    EdgeRow {
        from: edge.from.number(),
        to: edge.to.number(),
        line: edge.line,
        column: edge.column,
        kinds: edge.kinds,
    }
}
