//! Objects as Python's `repr` shows them, cut where they get long.

use crate::marshal::{CodeField, CodeObject, NodeId, Object, Tree, tag, text};

/// Characters of one constant or name.
const ONE: usize = 240;

/// Renders nodes of a tree, and stops when it has written more than the payload can account for:
/// shared parts of a payload could otherwise be asked for exponentially often.
pub(super) struct Renderer<'t> {
    tree: &'t Tree<'t>,
    index: &'t [Option<usize>],
    left: usize,
}

impl<'t> Renderer<'t> {
    pub(super) fn new(
        tree: &'t Tree<'t>,
        index: &'t [Option<usize>],
        payload_bytes: usize,
    ) -> Renderer<'t> {
        Renderer { tree, index, left: payload_bytes.saturating_mul(16).max(1 << 20) }
    }

    /// Renders each, until nothing is left to write with; then one `…` stands for the others.
    pub(super) fn each(
        &mut self,
        ids: &[NodeId],
        render: impl Fn(&mut Renderer<'t>, NodeId) -> String,
    ) -> Vec<String> {
        let mut all = Vec::new();
        for id in ids {
            if self.left == 0 {
                all.push("…".to_owned());
                break;
            }
            let text = render(self, *id);
            self.left = self.left.saturating_sub(text.len() + size_of::<String>());
            all.push(text);
        }
        all
    }

    /// A field that is a string, as it is.
    pub(super) fn plain_field(&mut self, code: &CodeObject<'_>, field: CodeField) -> String {
        code.field(field).map(|id| self.plain(id)).unwrap_or_default()
    }

    /// A string as it is.
    pub(super) fn plain(&mut self, id: NodeId) -> String {
        match self.tree.get(self.tree.resolve(id)) {
            Object::Text { bytes, latin1, .. } => readable(bytes, latin1),
            _ => String::new(),
        }
    }

    /// Any object as `repr` has it, up to [`ONE`] characters or so.
    pub(super) fn repr(&mut self, id: NodeId) -> String {
        let mut out = String::new();
        let mut open = vec![Part::Object(id)];
        while let Some(part) = open.pop() {
            if out.len() > ONE {
                out.push('…');
                break;
            }
            match part {
                Part::Object(id) => self.object(id, &mut out, &mut open),
                Part::Text(text) => out.push_str(text),
            }
        }
        out
    }

    fn object(&self, id: NodeId, out: &mut String, open: &mut Vec<Part>) {
        let id = self.tree.resolve(id);
        let node = self.tree.node(id);
        if node.kind() == tag::LONG && node.length as usize > ONE {
            // Not even looked at: references to a long one may be many.
            out.push_str(&format!("<int of {} bytes>", node.length));
            return;
        }
        match self.tree.get(id) {
            Object::None => out.push_str("None"),
            Object::False => out.push_str("False"),
            Object::True => out.push_str("True"),
            Object::Ellipsis => out.push_str("Ellipsis"),
            Object::StopIteration => out.push_str("<class 'StopIteration'>"),
            Object::Integer(integer) => out.push_str(&integer.to_string()),
            Object::Float(number) => out.push_str(&float(number)),
            Object::Complex(real, imaginary) if real.to_bits() == 0 => {
                let text = float(imaginary);
                out.push_str(&format!("{}j", text.strip_suffix(".0").unwrap_or(&text)));
            }
            Object::Complex(real, imaginary) => {
                let real = float(real);
                let real = real.strip_suffix(".0").unwrap_or(&real);
                out.push_str(&format!("({real}{}j)", Signed(imaginary)));
            }
            Object::Bytes(bytes) => quote_bytes(bytes, out),
            Object::Text { bytes, latin1, .. } => quote(&readable(bytes, latin1), out),
            Object::Tuple([one]) => group("(", &[*one], ",)", out, open),
            Object::Tuple(elements) => group("(", elements, ")", out, open),
            Object::Frozenset([]) => out.push_str("frozenset()"),
            Object::Frozenset(elements) => group("frozenset({", elements, "})", out, open),
            Object::Slice(parts) => group("slice(", parts, ")", out, open),
            Object::Frozendict(parts) => group("frozendict({", parts, "})", out, open),
            Object::Code(_) => match self.index.get(id.0 as usize).copied().flatten() {
                Some(index) => out.push_str(&format!("<code object {index}>")),
                None => out.push_str("<code object>"),
            },
            Object::Reference(_) => {}
        }
    }
}

enum Part {
    Object(NodeId),
    Text(&'static str),
}

/// Opens a container: its first elements, as many as can be shown, then its end.
fn group(
    start: &str,
    elements: &[NodeId],
    end: &'static str,
    out: &mut String,
    open: &mut Vec<Part>,
) {
    out.push_str(start);
    open.push(Part::Text(end));
    let shown = elements.get(..ONE).unwrap_or(elements);
    for (index, element) in shown.iter().enumerate().rev() {
        open.push(Part::Object(*element));
        if index > 0 {
            open.push(Part::Text(", "));
        }
    }
}

/// At most [`ONE`] bytes of a string.
fn readable(bytes: &[u8], latin1: bool) -> String {
    let cut = bytes.get(..ONE).unwrap_or(bytes);
    let mut text = if latin1 {
        let mut utf8 = Vec::new();
        text::push_latin1(cut, &mut utf8);
        String::from_utf8_lossy(&utf8).into_owned()
    } else {
        String::from_utf8_lossy(cut).into_owned()
    };
    if cut.len() < bytes.len() {
        text.push('…');
    }
    text
}

fn quote(text: &str, out: &mut String) {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(mark);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            control if control.is_control() => {
                out.push_str(&format!("\\x{:02x}", u32::from(control)));
            }
            character if character == mark => out.extend(['\\', mark]),
            character => out.push(character),
        }
    }
    out.push(mark);
}

fn quote_bytes(bytes: &[u8], out: &mut String) {
    let cut = bytes.get(..ONE).unwrap_or(bytes);
    out.push_str("b'");
    for byte in cut {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' | b'\'' => out.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push_str(if cut.len() < bytes.len() { "…'" } else { "'" });
}

/// The shortest decimal that gives this number, in Python's manner for whole ones.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        // Python writes the sign of an exponent, and at least two digits.
        let text = format!("{number:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{number:?}")
}

/// A number that shows its sign, as an imaginary part does.
struct Signed(f64);

impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = float(self.0);
        let text = text.strip_suffix(".0").unwrap_or(&text);
        if text.starts_with('-') { f.write_str(text) } else { write!(f, "+{text}") }
    }
}
