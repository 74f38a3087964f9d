//! Objects as Python's `repr` shows them, cut where they get long. The work is bounded by what is
//! written: shared parts of a payload could otherwise be asked for exponentially often.

use bytekiln_codec::{CodeField, CodeObject, NodeId, Object, Tree};

/// Renders nodes of a tree.
pub(crate) struct Renderer<'t> {
    tree: &'t Tree<'t>,
    /// Characters of one object, or so.
    width: usize,
    /// Bytes that may still be written or looked at.
    left: usize,
}

impl<'t> Renderer<'t> {
    /// `width` bounds one object, `budget` all of them.
    pub(crate) fn new(tree: &'t Tree<'t>, width: usize, budget: usize) -> Renderer<'t> {
        Renderer { tree, width, left: budget }
    }

    /// Whether there is nothing left to write with.
    pub(crate) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Counts text that was written of this tree.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Renders each, until nothing is left to write with; then one `…` stands for the others.
    pub(crate) fn each(
        &mut self,
        ids: &[NodeId],
        render: impl Fn(&mut Renderer<'t>, NodeId) -> String,
    ) -> Vec<String> {
        let mut all = Vec::new();
        for id in ids {
            if self.is_spent() {
                all.push("…".to_owned());
                break;
            }
            all.push(render(self, *id));
        }
        all
    }

    /// A string field without quotes; empty if the release has no such field.
    pub(crate) fn plain_field(&mut self, code: &CodeObject<'_>, field: CodeField) -> String {
        code.field(field).map(|id| self.plain(id)).unwrap_or_default()
    }

    /// A string without quotes; control characters and lone surrogates are escaped.
    pub(crate) fn plain(&mut self, id: NodeId) -> String {
        let mut out = String::new();
        if let Object::Text { bytes, latin1, .. } = self.tree.get(self.tree.resolve(id)) {
            text(bytes, latin1, self.width, None, &mut out);
        }
        self.spend(out.len() + size_of::<String>());
        out
    }

    /// Any object as `repr` has it.
    pub(crate) fn repr(&mut self, id: NodeId) -> String {
        self.repr_from(id, 0)
    }

    /// As [`Renderer::repr`]; of a string or bytes, from this byte on.
    pub(crate) fn repr_from(&mut self, id: NodeId, start: usize) -> String {
        let mut out = String::new();
        let mut open = vec![Part::Object(id)];
        while let Some(part) = open.pop() {
            if out.len() > self.width {
                out.push('…');
                break;
            }
            match part {
                Part::Object(id) => self.object(id, start, &mut out, &mut open),
                Part::Text(text) => out.push_str(text),
            }
        }
        self.spend(out.len() + size_of::<String>());
        out
    }

    /// `f` of `<code object f, line 3>`: the qualified name, before 3.11 the name.
    pub(crate) fn code_name(&mut self, code: &CodeObject<'_>) -> String {
        let field = match code.field(CodeField::Qualname) {
            Some(_) => CodeField::Qualname,
            None => CodeField::Name,
        };
        self.plain_field(code, field)
    }

    fn object(&mut self, id: NodeId, start: usize, out: &mut String, open: &mut Vec<Part>) {
        match self.tree.get(self.tree.resolve(id)) {
            Object::None => out.push_str("None"),
            Object::False => out.push_str("False"),
            Object::True => out.push_str("True"),
            Object::Ellipsis => out.push_str("Ellipsis"),
            Object::StopIteration => out.push_str("<class 'StopIteration'>"),
            Object::Integer(integer) => {
                self.spend(integer.digits.len());
                if integer.digits.len() * 4 > self.width {
                    out.push_str(&format!("<int of {} bits>", integer.digits.len() * 15));
                } else {
                    out.push_str(&integer.to_string());
                }
            }
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
            Object::Bytes(bytes) => quote_bytes(bytes, start, self.width, out),
            Object::Text { bytes, latin1, .. } => quote(bytes, latin1, start, self.width, out),
            Object::Tuple([one]) => self.group("(", &[*one], ",)", out, open),
            Object::Tuple(elements) => self.group("(", elements, ")", out, open),
            Object::Frozenset([]) => out.push_str("frozenset()"),
            Object::Frozenset(elements) => self.group("frozenset({", elements, "})", out, open),
            Object::Slice(parts) => self.group("slice(", parts, ")", out, open),
            Object::Frozendict(parts) => self.pairs(parts, out, open),
            Object::Code(code) => {
                let line = code.numbers().firstlineno;
                let name = self.code_name(&code);
                out.push_str(&format!("<code object {name}, line {line}>"));
            }
            // Resolved above; and what later releases may add.
            _ => out.push('?'),
        }
    }

    /// Opens a container: its first elements, as many as can be shown, then its end.
    fn group(
        &self,
        start: &str,
        elements: &[NodeId],
        end: &'static str,
        out: &mut String,
        open: &mut Vec<Part>,
    ) {
        out.push_str(start);
        open.push(Part::Text(end));
        let shown = elements.get(..self.width).unwrap_or(elements);
        for (index, element) in shown.iter().enumerate().rev() {
            open.push(Part::Object(*element));
            if index > 0 {
                open.push(Part::Text(", "));
            }
        }
    }

    fn pairs(&self, parts: &[NodeId], out: &mut String, open: &mut Vec<Part>) {
        out.push_str("frozendict({");
        open.push(Part::Text("})"));
        let shown = parts.get(..self.width & !1).unwrap_or(parts);
        for (index, pair) in shown.chunks(2).enumerate().rev() {
            if let [key, value] = pair {
                open.extend([Part::Object(*value), Part::Text(": "), Part::Object(*key)]);
            }
            if index > 0 {
                open.push(Part::Text(", "));
            }
        }
    }
}

enum Part {
    Object(NodeId),
    Text(&'static str),
}

/// Writes a string from byte `start`, at most `width` characters; `quote` is escaped.
fn text(bytes: &[u8], latin1: bool, width: usize, quote: Option<char>, out: &mut String) {
    let mut shown = 0;
    let mut put = |character: char, out: &mut String| -> bool {
        if shown == width {
            out.push('…');
            return false;
        }
        shown += 1;
        escape(character, quote, out);
        true
    };
    if latin1 {
        for byte in bytes {
            if !put(char::from(*byte), out) {
                return;
            }
        }
        return;
    }
    let mut rest = bytes.get(..width.saturating_mul(4) + 4).unwrap_or(bytes);
    while !rest.is_empty() {
        let (valid, after) = match std::str::from_utf8(rest) {
            Ok(valid) => (valid, &[][..]),
            Err(error) => {
                let (valid, after) = rest.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap_or_default(), after)
            }
        };
        for character in valid.chars() {
            if !put(character, out) {
                return;
            }
        }
        rest = match after {
            // A lone surrogate, which UTF-8 has no place for.
            [0xed, high @ 0xa0..=0xbf, low @ 0x80..=0xbf, more @ ..] => {
                let unit = 0xd000 | u32::from(high & 0x3f) << 6 | u32::from(low & 0x3f);
                out.push_str(&format!("\\u{unit:04x}"));
                more
            }
            // Cut above, in the middle of a character.
            [] => &[],
            _ => {
                out.push('…');
                &[]
            }
        };
    }
}

fn escape(character: char, quote: Option<char>, out: &mut String) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' if quote.is_some() => out.push_str("\\\\"),
        // Also what would turn the direction of the text around it.
        control
            if control.is_control()
                || matches!(control, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
        {
            let code = u32::from(control);
            out.push_str(&if code < 0x100 {
                format!("\\x{code:02x}")
            } else {
                format!("\\u{code:04x}")
            });
        }
        character if Some(character) == quote => out.extend(['\\', character]),
        character => out.push(character),
    }
}

/// The part of a string that begins at or before `start`, at the beginning of a character.
fn part(bytes: &[u8], latin1: bool, start: usize) -> &[u8] {
    let mut start = start.min(bytes.len());
    while !latin1 && start > 0 && bytes.get(start).is_some_and(|byte| byte & 0xc0 == 0x80) {
        start -= 1;
    }
    bytes.get(start..).unwrap_or_default()
}

fn quote(bytes: &[u8], latin1: bool, start: usize, width: usize, out: &mut String) {
    let shown = part(bytes, latin1, start);
    let near = shown.get(..width).unwrap_or(shown);
    let mark = if near.contains(&b'\'') && !near.contains(&b'"') { '"' } else { '\'' };
    if shown.len() < bytes.len() {
        out.push('…');
    }
    out.push(mark);
    text(shown, latin1, width, Some(mark), out);
    out.push(mark);
}

fn quote_bytes(bytes: &[u8], start: usize, width: usize, out: &mut String) {
    let shown = bytes.get(start..).unwrap_or_default();
    let cut = shown.get(..width).unwrap_or(shown);
    if shown.len() < bytes.len() {
        out.push('…');
    }
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
    out.push_str(if cut.len() < shown.len() { "…'" } else { "'" });
}

/// The shortest decimal that gives this number, in Python's manner for whole ones.
fn float(number: f64) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
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
