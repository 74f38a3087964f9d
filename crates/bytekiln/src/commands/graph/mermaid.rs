//! The graph as a flowchart of Mermaid, within the limits of those who render it. Knows nothing of what
//! is drawn.

use std::fmt::Write as _;

use bytekiln_graph::Which;

use super::document::GraphDocument;
use super::picture::{Look, Picture};

/// More boxes make no picture that one can read.
pub(super) const BOXES: usize = 150;
/// `maxEdges`, which GitHub and GitLab leave at its default.
pub(super) const ARROWS: usize = 500;
/// `maxTextSize`, likewise.
pub(super) const CHARACTERS: usize = 50_000;

/// The text; none of its lines can be taken for a directive, whatever modules are called.
pub(super) fn render(document: &GraphDocument<'_>) -> String {
    let picture = Picture::new(document);
    let mut out = String::from("flowchart LR\n");
    let mut framed = vec![false; picture.boxes.len()];
    for (number, frame) in picture.frames.iter().enumerate() {
        let _ = writeln!(out, "  subgraph s{number}[\"{}\"]", escaped(&frame.label));
        for place in &frame.boxes {
            draw_box(&picture, *place, "    ", &mut out);
            if let Some(framed) = framed.get_mut(*place as usize) {
                *framed = true;
            }
        }
        out.push_str("  end\n");
    }
    for (number, _) in (0_u32..).zip(&framed).filter(|(_, framed)| !**framed) {
        draw_box(&picture, number, "  ", &mut out);
    }
    for arrow in &picture.arrows {
        let line = match arrow.which {
            Which::Eager => "-->",
            Which::WithLazy | Which::Runtime | Which::All => "-.->",
        };
        let count = match arrow.count {
            1 => String::new(),
            count => format!("|{count}|"),
        };
        let _ = writeln!(out, "  n{} {line}{count} n{}", arrow.from, arrow.to);
    }
    let looks = [
        (Look::Outside, "outside", "fill:#eee,stroke:#999,color:#333"),
        (Look::Missing, "missing", "fill:#fff,stroke:#b22,color:#b22,stroke-dasharray:4"),
    ];
    for (look, class, style) in looks {
        if picture.boxes.iter().any(|one| one.look == look) {
            let _ = writeln!(out, "  classDef {class} {style}");
        }
    }
    out
}

fn draw_box(picture: &Picture, number: u32, indent: &str, out: &mut String) {
    let Some(one) = picture.boxes.get(number as usize) else { return };
    let class = match one.look {
        Look::Module | Look::Package => "",
        Look::Outside => ":::outside",
        Look::Missing => ":::missing",
    };
    let _ = writeln!(out, "{indent}n{number}[\"{}\"]{class}", escaped(&one.label));
}

/// Whatever could end a label, start Markdown in it, or be an entity.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '"' | '#' | '<' | '>' | '&' | '`' | ';' | '*' | '%' => {
                let _ = write!(out, "#{};", u32::from(character));
            }
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn escapes() {
        assert_eq!(escaped("a\"]; %%b"), "a#34;]#59; #37;#37;b");
        assert_eq!(escaped("`__init__`"), "#96;__init__#96;");
    }
}
