//! The graph as JSON: the schema of `docs/graph.md`, written as it goes, one module a line, so that no
//! second copy of a large graph is made. Knows nothing of how the graph came to be.

mod module;

use std::fmt::Display;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::mpsc::{channel, sync_channel};

use bytekiln_action::RepoPath;
use bytekiln_graph::{AmbiguityKind, Kinds, OwnerKind};
use serde::ser::{Serialize, Serializer};
use serde_json::json;

use module::ModuleWriter;

use super::document::{GraphDocument, GroupEdge, word};
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
    out.modules(document)?;
    out.list(&"groups", groups(document))?;
    out.list(&"cycles", document.cycles.get().iter().map(|modules| json!({"modules": modules})))?;
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
    let mut edges = document.edges.iter().peekable();
    out.start("{")?;
    for (number, _) in (0_u32..).zip(&document.modules) {
        let imports = std::iter::from_fn(|| edges.next_if(|edge| edge.from <= number));
        let written = imports.filter(|edge| !edge.kinds.any(Kinds::PACKAGE));
        let mut imported: Vec<&RepoPath> = written.filter_map(|edge| inside(edge.to)).collect();
        let Some(path) = inside(number) else { continue };
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
            let first = document.edges.get(edge.first);
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

struct Words(Kinds);

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.words())
    }
}

struct Shown<'a>(&'a RepoPath);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match plain(self.0) {
            Some(plain) => serializer.serialize_str(plain),
            None => serializer.collect_str(self.0),
        }
    }
}

/// A path that is shown as it is, as most are.
fn plain(path: &RepoPath) -> Option<&str> {
    let bytes = path.as_bytes();
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    // All of them, though the first that is not would do: so many are looked at at once.
    let plain = !bytes.is_empty() && bytes.iter().fold(true, |all, byte| all & is_plain(*byte));
    plain.then(|| std::str::from_utf8(bytes).ok()).flatten()
}

/// From so many modules on more threads are worth it.
const MANY: usize = 1 << 13;

/// So many modules are written down at once: their lines have some hundred bytes each.
const SOME: u32 = 256;

/// Threads that write modules down.
const WRITERS: u32 = 2;

/// So many lists of lines of each of them may wait.
const WAITING: usize = 2;

/// The lines of some modules, each after what stands before it.
fn write_lines(
    document: &GraphDocument<'_>,
    ids: Range<u32>,
    writer: &mut ModuleWriter,
    lines: &mut Vec<u8>,
) {
    lines.clear();
    let modules = document.modules.iter().skip(ids.start as usize);
    for (id, module) in ids.zip(modules) {
        lines.extend_from_slice(if id == 0 { b"\n    " } else { b",\n    " });
        writer.write(id, module, document.edges.of(id), lines);
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

    /// The modules. Threads write them down while this one hands on what is written, and another one looks for
    /// cycles, which come later; the lines of a small graph are there sooner than a thread.
    fn modules(&mut self, document: &GraphDocument<'_>) -> io::Result<()> {
        self.key(&"modules")?;
        self.out.write_all(b"[")?;
        let count = u32::try_from(document.modules.len()).unwrap_or(u32::MAX);
        let parts = (0..count)
            .step_by(SOME as usize)
            .map(|start| start..count.min(start.saturating_add(SOME)));
        if document.modules.len() < MANY {
            let (mut writer, mut lines) = (ModuleWriter::default(), Vec::new());
            for ids in parts {
                write_lines(document, ids, &mut writer, &mut lines);
                self.out.write_all(&lines)?;
            }
        } else {
            std::thread::scope(|scope| {
                let writers: Vec<_> = (0..WRITERS)
                    .map(|number| {
                        let (give, take) = sync_channel::<Vec<u8>>(WAITING);
                        // Room goes round: fresh memory for all lines would take longer than to write them.
                        let (give_back, take_back) = channel::<Vec<u8>>();
                        let own = parts.clone().skip(number as usize).step_by(WRITERS as usize);
                        scope.spawn(move || {
                            let mut writer = ModuleWriter::default();
                            for ids in own {
                                let mut lines = take_back.try_recv().unwrap_or_default();
                                write_lines(document, ids, &mut writer, &mut lines);
                                // Nobody takes it any more if what was written could not be handed on.
                                if give.send(lines).is_err() {
                                    return;
                                }
                            }
                        });
                        (take, give_back)
                    })
                    .collect();
                scope.spawn(|| document.cycles.get());
                // In turns, as the writers take the modules.
                for (take, give_back) in writers.iter().cycle() {
                    let Ok(lines) = take.recv() else { break };
                    self.out.write_all(&lines)?;
                    // A writer that is done wants none.
                    let _ = give_back.send(lines);
                }
                io::Result::Ok(())
            })?;
        }
        self.out.write_all(if document.modules.is_empty() { b"]" } else { b"\n  ]" })
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
