//! The graph for people: what there is, and what is wrong with it. Knows nothing of files.

use std::io::{self, Write};

use super::document::GraphDocument;
use crate::report::terminal::Terminal;

/// Writes a summary.
pub(super) fn render(
    document: &GraphDocument<'_>,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> io::Result<()> {
    let _ = terminal;
    writeln!(out, "{} modules, {} imports", document.modules.len(), document.edges.len())
}
