//! The graph as JSON: the schema of `docs/graph.md`, written as it goes, one module a line, so that no
//! second copy of a large graph is made. Knows nothing of how the graph came to be.

use std::fmt::Display;
use std::io::{self, Write};

use bytekiln_action::RepoPath;
use bytekiln_graph::{AmbiguityKind, Kinds, NodeKind, OwnerKind};
use serde::ser::{Serialize, Serializer};
use serde_json::json;

use super::document::{EdgeRow, GraphDocument, GroupEdge, word};
use crate::schema::ProblemRow;

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-graph/1";

/// Writes all of it.
pub(super) fn render(document: &GraphDocument<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Lines { out, first: true, value: Vec::new() };
    out.start("{")?;
    out.field("schema", &SCHEMA)?;
    out.field("target", &json!({"python": document.python, "platform": document.platform}))?;
    out.field("follow", &document.follow)?;
    out.field("imports", &document.imports)?;
    out.field("by", &document.by)?;
    let focus = document.focus.iter().map(
        |focus| json!({"option": focus.direction, "text": focus.text, "modules": focus.modules}),
    );
    out.list(&"focus", focus)?;
    out.list(&"trees", document.trees.iter())?;
    let owners = document.owners.iter();
    out.list(
        &"owners",
        owners.map(|owner| json!({"name": owner.name, "kind": whose(owner.kind)})),
    )?;
    let mut edges = document.edges.as_slice();
    let modules = (0_u32..).zip(&document.modules).map(|(id, module)| {
        let own = edges.partition_point(|edge| edge.from <= id);
        let (imports, rest) = edges.split_at_checked(own).unwrap_or_default();
        edges = rest;
        Module {
            id,
            name: module.name,
            kind: module.kind.word(),
            reason: match module.kind {
                NodeKind::Unresolved(reason) => Some(reason.word()),
                _ => None,
            },
            owner: module.owner,
            group: module.group,
            tree: module.file.map(|(tree, _)| tree),
            path: module.file.map(|(_, path)| Shown(path)),
            imports,
        }
    });
    out.list(&"modules", modules)?;
    out.list(&"groups", groups(document))?;
    out.list(&"cycles", document.cycles.iter().map(|modules| json!({"modules": modules})))?;
    let ambiguities = document.ambiguities.iter().map(|one| {
        let chosen = document.modules.get(one.chosen as usize);
        json!({
            "name": chosen.map(|module| module.name),
            "chosen": one.chosen,
            "hidden": one.hidden,
            "kind": why_two(one.kind),
        })
    });
    out.list(&"ambiguities", ambiguities)?;
    out.list(&"problems", document.problems.iter().map(ProblemRow::new))?;
    out.end("}")
}

/// Files of the workspace, and the files there that they import: what `ruff analyze graph` writes.
pub(super) fn render_map(document: &GraphDocument<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Lines { out, first: true, value: Vec::new() };
    let inside = |number: u32| {
        let (tree, path) = document.modules.get(number as usize)?.file?;
        (tree == 0).then_some(path)
    };
    let mut edges = document.edges.as_slice();
    out.start("{")?;
    for (number, _) in (0_u32..).zip(&document.modules) {
        let own = edges.partition_point(|edge| edge.from <= number);
        let (imports, rest) = edges.split_at_checked(own).unwrap_or_default();
        edges = rest;
        let Some(path) = inside(number) else { continue };
        let written = imports.iter().filter(|edge| !edge.kinds.any(Kinds::PACKAGE));
        let mut imported: Vec<&RepoPath> = written.filter_map(|edge| inside(edge.to)).collect();
        imported.sort_unstable();
        imported.dedup();
        imported.retain(|other| *other != path);
        out.list(path, imported.into_iter().map(Shown))?;
    }
    out.end("}")
}

fn groups<'a>(document: &'a GraphDocument<'_>) -> impl Iterator<Item = serde_json::Value> + 'a {
    let mut edges = document.group_edges.as_slice();
    (0_u32..).zip(&document.groups).map(move |(id, group)| {
        let own = edges.partition_point(|edge| edge.from <= id);
        let (imports, rest) = edges.split_at_checked(own).unwrap_or_default();
        edges = rest;
        let import = |edge: &GroupEdge| {
            let first = document.edges.get(edge.first as usize);
            json!({
                "to": edge.to,
                "count": edge.count,
                "which": word(edge.which),
                "kinds": Words(edge.kinds),
                "first": first.map(|first| json!({
                    "from": first.from,
                    "to": first.to,
                    "line": first.line,
                    "column": first.column,
                })),
            })
        };
        json!({
            "id": id,
            "name": group.name,
            "kind": group.kind,
            "owner": group.owner,
            "modules": group.modules,
            "inner": group.inner,
            "imports": imports.iter().map(import).collect::<Vec<_>>(),
        })
    })
}

/// Whose modules are.
pub(super) fn whose(kind: OwnerKind) -> &'static str {
    match kind {
        OwnerKind::Member => "member",
        OwnerKind::Distribution => "distribution",
        OwnerKind::StandardLibrary => "standard-library",
    }
}

fn why_two(kind: AmbiguityKind) -> &'static str {
    match kind {
        AmbiguityKind::SameFolder => "same-folder",
        AmbiguityKind::Shadowed => "shadowed",
        AmbiguityKind::NameAndModule => "name-and-module",
    }
}

#[derive(serde::Serialize)]
struct Module<'a> {
    id: u32,
    name: &'a str,
    kind: &'static str,
    reason: Option<&'static str>,
    owner: Option<u32>,
    group: Option<u32>,
    tree: Option<u32>,
    path: Option<Shown<'a>>,
    imports: &'a [EdgeRow],
}

impl Serialize for EdgeRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut import = serializer.serialize_struct("import", 4)?;
        import.serialize_field("to", &self.to)?;
        import.serialize_field("line", &self.line)?;
        import.serialize_field("column", &self.column)?;
        import.serialize_field("kinds", &Words(self.kinds))?;
        import.end()
    }
}

struct Words(Kinds);

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.words())
    }
}

struct Shown<'a>(&'a RepoPath);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.0.as_bytes();
        // Most paths are shown as they are.
        let plain = bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\');
        match std::str::from_utf8(bytes) {
            Ok(text) if plain && !text.is_empty() => serializer.serialize_str(text),
            _ => serializer.collect_str(self.0),
        }
    }
}

/// An object with one field a line, and lists with one element a line.
struct Lines<'a> {
    out: &'a mut dyn Write,
    first: bool,
    /// One value: many small pieces are put together here, and go out as one.
    value: Vec<u8>,
}

impl Lines<'_> {
    fn start(&mut self, text: &str) -> io::Result<()> {
        self.first = true;
        self.out.write_all(text.as_bytes())
    }

    fn end(&mut self, text: &str) -> io::Result<()> {
        self.first = false;
        writeln!(self.out, "\n{text}")
    }

    fn key(&mut self, name: &dyn Display) -> io::Result<()> {
        let comma = if self.first { "\n  " } else { ",\n  " };
        self.first = false;
        self.out.write_all(comma.as_bytes())?;
        serde_json::to_writer(&mut *self.out, &name.to_string())?;
        self.out.write_all(b": ")
    }

    fn field(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.key(&name)?;
        Ok(serde_json::to_writer(&mut *self.out, value)?)
    }

    fn list(
        &mut self,
        name: &dyn Display,
        values: impl Iterator<Item = impl Serialize>,
    ) -> io::Result<()> {
        self.key(name)?;
        self.out.write_all(b"[")?;
        let mut end = "";
        let mut comma = "\n    ";
        for value in values {
            self.value.clear();
            self.value.extend_from_slice(comma.as_bytes());
            serde_json::to_writer(&mut self.value, &value)?;
            self.out.write_all(&self.value)?;
            comma = ",\n    ";
            end = "\n  ";
        }
        write!(self.out, "{end}]")
    }
}
