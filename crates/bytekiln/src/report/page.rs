//! Self-contained pages: a template, into which text and data are put so that no name in them can become
//! markup or code. Knows nothing of what a page is about.

use std::io::{self, Write};

use serde::Serialize;

/// The look that pages share: colours, light and dark, boxes, tables, controls, paper.
pub(crate) const LOOK: &str = include_str!("look.css");

/// Writes `template`; `put` writes what belongs in the place of each `{{name}}`. The template is cut once,
/// so that what is put in is not searched for places to put things in.
pub(crate) fn fill<W: Write + ?Sized>(
    template: &str,
    out: &mut W,
    mut put: impl FnMut(&str, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    for (number, part) in template.split("{{").enumerate() {
        match part.split_once("}}") {
            Some((name, text)) if number > 0 => {
                put(name, out)?;
                out.write_all(text.as_bytes())?;
            }
            Some(_) | None => out.write_all(part.as_bytes())?,
        }
    }
    Ok(())
}

/// Writes JSON that may stand in a `script` element.
pub(crate) fn data(value: &impl Serialize, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let mut json = serde_json::Serializer::with_formatter(out, InsideScript);
    Ok(value.serialize(&mut json)?)
}

/// In JSON these characters occur in strings only, so each can be an escape of its string.
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

/// Text that may stand between tags and in attributes.
pub(crate) fn escaped(text: &str) -> String {
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
