//! The measurement as one page that needs nothing else: the document as it is, and scripts that draw it.
//! Knows nothing of how the measurement came to be.

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use super::document::Document;
use super::human::tenths;
use crate::report::page;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// In the order in which they need each other.
const SCRIPTS: [&str; 4] = [
    include_str!("data.js"),
    include_str!("flame.js"),
    include_str!("tables.js"),
    include_str!("controls.js"),
];

/// Writes the page: the same bytes for the same document.
pub(super) fn render(document: &Document, out: &mut dyn Write) -> io::Result<()> {
    page::fill(TEMPLATE, out, |name, out| match name {
        "title" => out.write_all(page::escaped(&document.program.title).as_bytes()),
        "summary" => out.write_all(page::escaped(&summary(document)).as_bytes()),
        "style" => {
            out.write_all(page::LOOK.as_bytes())?;
            out.write_all(STYLE.as_bytes())
        }
        "scripts" => SCRIPTS.iter().try_for_each(|script| out.write_all(script.as_bytes())),
        "data" => page::data(document, out),
        _ => Ok(()),
    })
}

/// `99.1 ms with unchecked-hash caches of Bytekiln, 330.1 ms without any cache`.
fn summary(document: &Document) -> String {
    let (without, with) = document.pair();
    let said = |at: Option<usize>| {
        let variant = document.variants.get(at?)?;
        let how = variant.explanation.split(':').next().unwrap_or_default();
        Some(format!("{} ms {how}", tenths(variant.wall?.median)))
    };
    let parts: Vec<String> = [said(with), said(without)].into_iter().flatten().collect();
    let mut text = parts.join(", ");
    if let Some(failure) = &document.failure {
        text.push_str(&format!("; the program {failure}"));
    }
    text
}
