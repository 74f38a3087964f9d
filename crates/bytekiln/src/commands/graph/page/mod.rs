//! The graph as one page that needs nothing else. Knows nothing of how the graph came to be.

use std::io::{self, Write};

use super::document::GraphDocument;

/// Writes the page.
pub(super) fn render(document: &GraphDocument<'_>, out: &mut dyn Write) -> io::Result<()> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(out, "<!DOCTYPE html>\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<title>{}: imports</title>\n<ol start=\"0\">", escape(&document.title))?;
    for module in &document.modules {
        writeln!(out, "<li>{} ({})", escape(module.name), module.kind.word())?;
    }
    writeln!(out, "</ol>")
}
