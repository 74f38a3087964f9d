//! The graph as one page that needs nothing else: a template, into which styles, scripts and data are
//! put so that no name in the data can become markup or code. The page itself groups, draws and
//! searches (`*.js`). Knows nothing of how the graph came to be.

mod data;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::Serialize as _;

use super::document::GraphDocument;
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
    // Cut once, so that what is put in is not searched for places to put things in.
    for (number, part) in TEMPLATE.split("{{").enumerate() {
        let (name, text) = match part.split_once("}}") {
            Some((name, text)) if number > 0 => (name, text),
            Some(_) | None => ("", part),
        };
        match name {
            "title" => out.write_all(escaped(&document.title).as_bytes())?,
            "summary" => out.write_all(escaped(&data.summary()).as_bytes())?,
            "style" => out.write_all(STYLE.as_bytes())?,
            "scripts" => {
                for script in SCRIPTS {
                    out.write_all(script.as_bytes())?;
                }
            }
            "data" => {
                let mut json = serde_json::Serializer::with_formatter(&mut *out, InsideScript);
                data.serialize(&mut json)?;
            }
            _ => {}
        }
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// JSON that may stand in a `script` element: these characters occur in strings only, so each can be an
/// escape of its string.
struct InsideScript;

impl serde_json::ser::Formatter for InsideScript {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (before, after) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut characters = after.chars();
            if let Some(character) = characters.next() {
                write!(writer, "\\u{:04x}", u32::from(character))?;
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ if character.is_control() => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}
