//! The graph in graphviz's language. Knows nothing of what is drawn.

use std::fmt::Write as _;
use std::io::{self, Write};

use bytekiln_graph::Which;

use super::document::GraphDocument;
use super::picture::{Arrow, Look, Picture};

/// More boxes, or arrows, make no picture that one can read; and `dot` needs minutes for them.
pub(super) const BOXES: usize = 400;
/// See [`BOXES`].
pub(super) const ARROWS: usize = 3_000;

/// Writes a `digraph`.
pub(super) fn render(document: &GraphDocument<'_>, out: &mut dyn Write) -> io::Result<()> {
    let picture = Picture::new(document);
    writeln!(out, "digraph {} {{", quoted(&document.title))?;
    writeln!(out, "  graph [rankdir=LR, fontname=\"sans-serif\", newrank=true];")?;
    writeln!(out, "  node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];")?;
    writeln!(out, "  edge [fontname=\"sans-serif\", fontsize=9, color=\"#555555\"];")?;
    let mut framed = vec![false; picture.boxes.len()];
    for (number, frame) in picture.frames.iter().enumerate() {
        writeln!(out, "  subgraph cluster_{number} {{")?;
        writeln!(out, "    label={}; color=\"#aaaaaa\";", quoted(&frame.label))?;
        for place in &frame.boxes {
            draw_box(&picture, *place, "    ", out)?;
            if let Some(framed) = framed.get_mut(*place as usize) {
                *framed = true;
            }
        }
        writeln!(out, "  }}")?;
    }
    for (number, _) in (0_u32..).zip(&framed).filter(|(_, framed)| !**framed) {
        draw_box(&picture, number, "  ", out)?;
    }
    for arrow in &picture.arrows {
        writeln!(out, "  n{} -> n{}{};", arrow.from, arrow.to, style(arrow))?;
    }
    writeln!(out, "}}")
}

fn draw_box(picture: &Picture, number: u32, indent: &str, out: &mut dyn Write) -> io::Result<()> {
    let Some(one) = picture.boxes.get(number as usize) else { return Ok(()) };
    let look = match one.look {
        Look::Module => "",
        Look::Package => ", style=\"rounded,bold\"",
        Look::Outside => ", style=\"rounded,filled\", fillcolor=\"#eeeeee\", color=\"#999999\"",
        Look::Missing => ", style=\"rounded,dashed\", color=\"#bb2222\", fontcolor=\"#bb2222\"",
    };
    let (label, tip) = (quoted(&one.label), quoted(&one.tip));
    writeln!(out, "{indent}n{number} [label={label}, tooltip={tip}{look}];")
}

fn style(arrow: &Arrow) -> String {
    let mut style = match arrow.which {
        Which::Eager if arrow.cyclic => "color=\"#bb2222\"".to_owned(),
        Which::Eager => String::new(),
        Which::WithLazy | Which::Runtime => "style=dashed".to_owned(),
        Which::All => "style=dotted".to_owned(),
    };
    if arrow.count > 1 {
        let comma = if style.is_empty() { "" } else { ", " };
        let _ = write!(style, "{comma}label=\"{}\"", arrow.count);
    }
    if style.is_empty() { style } else { format!(" [{style}]") }
}

/// In quotes, where only quotes and backslashes have a meaning.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quoting() {
        assert_eq!(quoted(r#"a"b\n"#), r#""a\"b\\n""#);
        assert_eq!(quoted("a\nb"), "\"a b\"");
    }
}
