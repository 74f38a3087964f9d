//! The graph as one page that needs nothing else. The page itself groups, draws and searches (`*.js`).
//! Knows nothing of how the graph came to be.

mod data;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use super::document::GraphDocument;
use crate::report::page;
use data::Data;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// In the order in which they need each other.
const SCRIPTS: [&str; 7] = [
    include_str!("data.js"),
    include_str!("questions.js"),
    include_str!("groups.js"),
    include_str!("layout.js"),
    include_str!("drawing.js"),
    include_str!("panel.js"),
    include_str!("controls.js"),
];

/// Writes the page: the same bytes for the same document.
pub(super) fn render(document: &GraphDocument<'_>, out: &mut dyn Write) -> io::Result<()> {
    let data = Data::new(document);
    page::fill(TEMPLATE, out, |name, out| match name {
        "title" => out.write_all(page::escaped(&document.title).as_bytes()),
        "summary" => out.write_all(page::escaped(&data.summary()).as_bytes()),
        "style" => out.write_all(STYLE.as_bytes()),
        "scripts" => SCRIPTS.iter().try_for_each(|script| out.write_all(script.as_bytes())),
        "data" => page::data(&data, out),
        _ => Ok(()),
    })
}
