//! What the graph says and what a real start recorded, read from JSON. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

/// The graph, as `xtask/examples/facts.rs` prints it.
pub(crate) struct Facts {
    pub(crate) nodes: Vec<Node>,
    /// Of each node, in the order of lines.
    pub(crate) edges: Vec<Vec<Edge>>,
    pub(crate) eager: BTreeSet<usize>,
    pub(crate) runtime: BTreeSet<usize>,
    pub(crate) all: BTreeSet<usize>,
    files: BTreeMap<String, usize>,
}

/// A module, or what stands for one.
pub(crate) struct Node {
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// An import.
pub(crate) struct Edge {
    pub(crate) to: usize,
    pub(crate) line: u64,
    /// Labels, with blanks between.
    pub(crate) words: String,
}

impl Edge {
    /// Whether the edge has a label.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.words.split(' ').any(|own| own == word)
    }
}

impl Facts {
    pub(crate) fn read(text: &str) -> Result<Facts> {
        let value: Value = serde_json::from_str(text)?;
        let list = |value: &Value| value.as_array().cloned().context("a list is missing");
        let mut nodes = Vec::new();
        let mut files = BTreeMap::new();
        for (number, node) in list(&value["nodes"])?.iter().enumerate() {
            let text = |at: usize| node[at].as_str().map(str::to_owned);
            if let Some(file) = text(2) {
                files.insert(file, number);
            }
            nodes.push(Node {
                kind: text(0).context("a node without a kind")?,
                name: text(1).context("a node without a name")?,
            });
        }
        let mut edges: Vec<Vec<Edge>> = nodes.iter().map(|_| Vec::new()).collect();
        for edge in list(&value["edges"])? {
            let from = number(&edge[0])?;
            let own = edges.get_mut(from).context("an edge from nowhere")?;
            own.push(Edge {
                to: number(&edge[1])?,
                line: edge[2].as_u64().context("an edge without a line")?,
                words: edge[3].as_str().context("an edge without labels")?.to_owned(),
            });
        }
        let closure = |name: &str| -> Result<BTreeSet<usize>> {
            list(&value["closures"][name])?.iter().map(number).collect()
        };
        let (eager, runtime, all) = (closure("eager")?, closure("runtime")?, closure("all")?);
        Ok(Facts { nodes, edges, eager, runtime, all, files })
    }

    /// The node of a file.
    pub(crate) fn file(&self, file: &str) -> Option<usize> {
        self.files.get(file).copied()
    }

    /// What can be reached over edges that a test lets through.
    pub(crate) fn closure(
        &self,
        start: usize,
        follow: impl Fn(usize, &Edge) -> bool,
    ) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([start]);
        let mut left = vec![start];
        while let Some(node) = left.pop() {
            for edge in self.edges.get(node).into_iter().flatten() {
                if follow(node, edge) && seen.insert(edge.to) {
                    left.push(edge.to);
                }
            }
        }
        seen
    }

    /// The names of nodes that `sys.modules` can hold.
    pub(crate) fn names(&self, nodes: &BTreeSet<usize>) -> BTreeSet<&str> {
        let real = ["module", "package", "extension", "namespace", "standard-library"];
        let nodes = nodes.iter().filter_map(|id| self.nodes.get(*id));
        nodes
            .filter(|node| real.contains(&node.kind.as_str()))
            .map(|node| node.name.as_str())
            .collect()
    }
}

fn number(value: &Value) -> Result<usize> {
    Ok(usize::try_from(value.as_u64().context("a number is missing")?)?)
}

/// What `record.py` wrote.
pub(crate) struct Recording {
    /// Modules that were there before the entry ran.
    pub(crate) before: BTreeSet<String>,
    /// Modules in the interpreter's executable.
    pub(crate) built_in: BTreeSet<String>,
    /// Modules at the end, with their files.
    pub(crate) modules: BTreeMap<String, Option<String>>,
    /// Each search for a module that was not there yet, in order.
    pub(crate) events: Vec<Event>,
    /// `sys.path` at the end.
    pub(crate) path: Vec<String>,
    pub(crate) standard_library: String,
    /// What the program exited with.
    pub(crate) status: Value,
}

/// A search for a module.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) name: String,
    /// Of the frame that asked.
    pub(crate) file: Option<String>,
    pub(crate) line: u64,
    /// The function that it is in; `<module>` outside all.
    pub(crate) function: Option<String>,
    /// The extension module being loaded, if its C code asked.
    pub(crate) extension: Option<String>,
    pub(crate) how: How,
}

/// What asked for a module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `import` or `from`.
    Statement,
    /// `importlib.import_module`.
    ImportModule,
    /// An extension module that is being loaded.
    Extension,
    /// A call of `__import__`, or of a function in C that imports.
    Call,
}

impl Recording {
    pub(crate) fn read(text: &str) -> Result<Recording> {
        let value: Value = serde_json::from_str(text)?;
        let list = |key: &str| value[key].as_array().cloned().context("a list is missing");
        let strings = |key: &str| -> Result<Vec<String>> {
            Ok(list(key)?.iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect())
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let modules = value["modules"].as_object().context("no modules")?;
        let events = list("events")?.into_iter().map(|event| {
            Ok(Event {
                name: text(&event["name"]).context("an event without a name")?,
                file: text(&event["file"]),
                line: event["line"].as_u64().unwrap_or_default(),
                function: text(&event["function"]),
                extension: text(&event["extension"]),
                how: match event["how"].as_str() {
                    Some("statement") => How::Statement,
                    Some("import_module") => How::ImportModule,
                    Some("extension") => How::Extension,
                    _ => How::Call,
                },
            })
        });
        Ok(Recording {
            before: strings("before")?.into_iter().collect(),
            built_in: strings("built_in")?.into_iter().collect(),
            modules: modules.iter().map(|(name, file)| (name.clone(), text(file))).collect(),
            events: events.collect::<Result<_>>()?,
            path: strings("path")?,
            standard_library: text(&value["standard_library"]).context("no standard library")?,
            status: value["status"].clone(),
        })
    }
}
