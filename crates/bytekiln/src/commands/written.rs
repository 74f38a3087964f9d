//! Imports as they are written: the statement at a place of a source, on one line. Knows nothing of
//! Python but brackets, backslashes and comments.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use bytekiln_graph::{EdgeId, NodeId};

use crate::imports::OpenGraph;
use crate::report::diagnostic::harmless;

/// Longer statements are cut.
const LONGEST: usize = 120;
/// A statement over more lines is cut.
const MOST_LINES: usize = 100;

/// Statements of sources, each of which is read once.
pub(crate) struct Written<'a> {
    open: &'a OpenGraph,
    sources: BTreeMap<NodeId, String>,
}

impl<'a> Written<'a> {
    pub(crate) fn new(open: &'a OpenGraph) -> Written<'a> {
        Written { open, sources: BTreeMap::new() }
    }

    /// The statement of an import; `None` if it has no line, or its source is gone.
    pub(crate) fn statement(&mut self, id: EdgeId) -> Option<String> {
        let edge = self.open.graph().edge(id)?;
        let line = (edge.line as usize).checked_sub(1)?;
        let open = self.open;
        let source = self.sources.entry(edge.from).or_insert_with(|| read(open, edge.from));
        let text = one_line(source, line);
        (!text.is_empty()).then_some(text)
    }
}

/// A source that cannot be read any more has no text to show; that is no reason to fail.
fn read(open: &OpenGraph, id: NodeId) -> String {
    let bytes = open.graph().node(id).and_then(|node| node.file.as_ref()).and_then(|file| {
        let folder = &open.loaded.trees.get(file.0 as usize)?.folder;
        std::fs::read(folder.join(OsStr::from_bytes(file.1.as_bytes()))).ok()
    });
    String::from_utf8_lossy(&bytes.unwrap_or_default()).replace("\r\n", "\n")
}

/// The statement that begins in a line, counted from 0.
fn one_line(source: &str, line: usize) -> String {
    let mut text = String::new();
    for part in source.split(['\n', '\r']).skip(line).take(MOST_LINES) {
        let part = part.split('#').next().unwrap_or_default().trim();
        let (part, goes_on) = match part.strip_suffix('\\') {
            Some(part) => (part.trim_end(), true),
            None => (part, false),
        };
        if !text.is_empty() && !part.is_empty() && !text.ends_with('(') && !part.starts_with(')') {
            text.push(' ');
        }
        text.push_str(part);
        let count = |bracket| text.matches(bracket).count();
        if !goes_on && count('(') <= count(')') {
            break;
        }
    }
    let text = harmless(&text.replace(",)", ")"));
    if text.chars().count() <= LONGEST {
        return text;
    }
    let mut cut: String = text.chars().take(LONGEST).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, line: usize, expected: &str) {
        assert_eq!(one_line(source, line), expected);
    }

    #[test]
    fn statements() {
        check("import a\n    import b  # why\n", 1, "import b");
        check("import a\rimport b\r", 1, "import b");
        check("from a import (\n    b,  # one\n\n    c,\n)\nx = 1\n", 0, "from a import (b, c)");
        check("from a \\\n    import b\nx\n", 0, "from a import b");
        check("import a\n", 7, "");
        check("import a\x1b[2J\n", 0, "import a\u{241b}[2J");
        check(&format!("import {}\n", "a".repeat(200)), 0, &format!("import {}…", "a".repeat(113)));
    }
}
