//! A module and its imports as one line of JSON, put together by hand: nearly all of a large document is
//! these lines, and a general serializer takes three times as long for them. Knows nothing of the rest.

use bytekiln_action::RepoPath;
use bytekiln_graph::{Kinds, NodeKind};

use crate::commands::graph::document::{EdgeRow, ModuleRow};

/// Writes modules one after the other.
#[derive(Default)]
pub(super) struct ModuleWriter {
    /// Lists of words that were written already: there are a few dozen, and the usual ones come first.
    words: Vec<(Kinds, Box<[u8]>)>,
}

impl ModuleWriter {
    /// Appends the object of a module.
    pub(super) fn write(
        &mut self,
        id: u32,
        module: &ModuleRow<'_>,
        imports: impl Iterator<Item = EdgeRow>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b"{\"id\":");
        number(id, out);
        out.extend_from_slice(b",\"name\":");
        text(module.name, out);
        out.extend_from_slice(b",\"kind\":");
        text(module.kind.word(), out);
        out.extend_from_slice(b",\"reason\":");
        match module.kind {
            NodeKind::Unresolved(reason) => text(reason.word(), out),
            _ => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"owner\":");
        number_or_null(module.owner, out);
        out.extend_from_slice(b",\"group\":");
        number_or_null(module.group, out);
        out.extend_from_slice(b",\"tree\":");
        number_or_null(module.file.map(|(tree, _)| tree), out);
        out.extend_from_slice(b",\"path\":");
        match module.file {
            Some((_, path)) => shown(path, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"imports\":[");
        let mut before: &[u8] = b"{\"to\":";
        // By a call for each: a loop would ask again and again in which of two lists it is.
        imports.for_each(|import| {
            out.extend_from_slice(before);
            number(import.to, out);
            out.extend_from_slice(b",\"line\":");
            number(import.line, out);
            out.extend_from_slice(b",\"column\":");
            number(import.column, out);
            out.extend_from_slice(b",\"kinds\":");
            self.kinds(import.kinds, out);
            out.push(b'}');
            before = b",{\"to\":";
        });
        out.extend_from_slice(b"]}");
    }

    fn kinds(&mut self, kinds: Kinds, out: &mut Vec<u8>) {
        if let Some((_, words)) = self.words.iter().find(|(known, _)| *known == kinds) {
            return out.extend_from_slice(words);
        }
        let mut words = vec![b'['];
        for word in kinds.words() {
            if words.len() > 1 {
                words.push(b',');
            }
            text(word, &mut words);
        }
        words.push(b']');
        out.extend_from_slice(&words);
        self.words.push((kinds, words.into()));
    }
}

/// As [`super::Shown`] is written.
fn shown(path: &RepoPath, out: &mut Vec<u8>) {
    match super::plain(path) {
        Some(plain) => text(plain, out),
        None => text(&path.to_string(), out),
    }
}

/// A string. Nearly all are plain: of others, the serializer knows how they are written.
fn text(text: &str, out: &mut Vec<u8>) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    // All of them, though the first that is not would do: so many are looked at at once.
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}

fn number_or_null(value: Option<u32>, out: &mut Vec<u8>) {
    match value {
        Some(value) => number(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn number(mut value: u32, out: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
        start -= 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use bytekiln_graph::Reason;
    use serde_json::json;

    use super::*;
    use crate::commands::graph::document::any_node;

    #[test]
    fn as_a_serializer_writes_it() {
        let numbers = [0, 7, 10, 99, 100, 4_294_967_295];
        let kinds = [Kinds::NONE, Kinds::LAZY.with(Kinds::RELATIVE), Kinds::NONE];
        let rows: Vec<EdgeRow> = numbers
            .iter()
            .zip(kinds.iter().cycle())
            .map(|(n, kinds)| EdgeRow { from: 0, to: *n, line: *n, column: 1, kinds: *kinds })
            .collect();
        let mut writer = ModuleWriter::default();
        let paths: [&[u8]; 5] = [b"a/b.py", b"a/\"\xff\n.py", b"a\\b.py", b"a b.py", b"\"a\".py"];
        let names = ["", "a.b", "ä\u{7f}", "q\"u\\o\nt\u{1}e", "x"];
        for (name, path) in names.into_iter().zip(paths) {
            let path = RepoPath::new(path).unwrap();
            for (kind, file) in [
                (NodeKind::Module, Some((3, &path))),
                (NodeKind::Unresolved(Reason::NoSubmodule), None),
            ] {
                let module = ModuleRow {
                    node: any_node(),
                    name,
                    kind,
                    owner: file.map(|(tree, _)| tree),
                    file,
                    group: None,
                };
                let mut out = Vec::new();
                writer.write(12, &module, rows.iter().copied(), &mut out);
                let expected = json!({
                    "id": 12,
                    "name": name,
                    "kind": kind.word(),
                    "reason": file.is_none().then_some("no-submodule"),
                    "owner": file.map(|(tree, _)| tree),
                    "group": null,
                    "tree": file.map(|(tree, _)| tree),
                    "path": file.map(|(_, path)| path.to_string()),
                    "imports": rows.iter().map(|row| json!({
                        "to": row.to, "line": row.line, "column": row.column,
                        "kinds": row.kinds.words().collect::<Vec<_>>(),
                    })).collect::<Vec<_>>(),
                });
                let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
                assert_eq!(read, expected);
                assert!(!out.contains(&b'\n'));
            }
        }
    }
}
