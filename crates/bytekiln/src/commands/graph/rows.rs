//! The imports of a document. Of a whole graph they are read from it: a list of their own would be its
//! largest part once more. Knows nothing of modules.

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
        let (graph, picked) = self.parts();
        let nodes = graph.into_iter().flat_map(Graph::nodes);
        let edges =
            nodes.flat_map(move |(id, _)| graph.into_iter().flat_map(move |it| it.imports(id)));
        edges.map(|(_, edge)| row(edge)).chain(picked.iter().copied())
    }

    /// Those of one module.
    pub(crate) fn of(&self, module: u32) -> impl Iterator<Item = EdgeRow> {
        let (graph, picked) = self.parts();
        let start = picked.partition_point(|row| row.from < module);
        let own = picked.get(start..).unwrap_or_default();
        let own = own.iter().take_while(move |row| row.from == module).copied();
        let edges = graph.and_then(|graph| Some(graph.imports(graph.node_id(module)?)));
        edges.into_iter().flatten().map(|(_, edge)| row(edge)).chain(own)
    }

    /// One of them is there.
    fn parts(&self) -> (Option<&Graph>, &[EdgeRow]) {
        match self {
            EdgeRows::Whole(graph) => (Some(*graph), &[]),
            EdgeRows::Picked(rows) => (None, rows),
        }
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
