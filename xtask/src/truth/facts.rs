//! What the graph says and what a real start recorded, read from JSON. Judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

/// The graph, as `docs/graph.md` describes it.
pub(crate) struct Facts {
    pub(crate) nodes: Vec<Node>,
    /// Of each node, in the order of lines.
    pub(crate) edges: Vec<Vec<Edge>>,
    /// Names in the closures of the entry.
    pub(crate) eager: BTreeSet<String>,
    pub(crate) runtime: BTreeSet<String>,
    pub(crate) all: BTreeSet<String>,
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
    /// Of what `bytekiln graph --format json` prints; paths are below `workspace`. Closures are empty.
    pub(crate) fn read(text: &str, workspace: &Path) -> Result<Facts> {
        let value: Value = serde_json::from_str(text)?;
        let list = |value: &Value| value.as_array().cloned().context("a list is missing");
        let trees: Vec<PathBuf> = list(&value["trees"])?
            .iter()
            .filter_map(Value::as_str)
            .map(|tree| if tree == "." { workspace.to_owned() } else { workspace.join(tree) })
            .collect();
        let mut facts = Facts {
            nodes: Vec::new(),
            edges: Vec::new(),
            eager: BTreeSet::new(),
            runtime: BTreeSet::new(),
            all: BTreeSet::new(),
            files: BTreeMap::new(),
        };
        for (id, module) in list(&value["modules"])?.iter().enumerate() {
            let text = |key: &str| module[key].as_str().map(str::to_owned);
            if let (Some(tree), Some(path)) = (module["tree"].as_u64(), text("path")) {
                let tree = trees.get(usize::try_from(tree)?).context("a tree is missing")?;
                facts.files.insert(tree.join(path).to_string_lossy().into_owned(), id);
            }
            facts.nodes.push(Node {
                kind: text("kind").context("a module without a kind")?,
                name: text("name").context("a module without a name")?,
            });
            let imports = list(&module["imports"])?;
            facts.edges.push(imports.iter().map(edge).collect::<Result<_>>()?);
        }
        Ok(facts)
    }

    /// The names of all that `sys.modules` can hold.
    pub(crate) fn all_names(&self) -> BTreeSet<String> {
        let every = (0..self.nodes.len()).collect();
        self.names(&every).into_iter().map(str::to_owned).collect()
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

fn edge(value: &Value) -> Result<Edge> {
    let words = value["kinds"].as_array().context("an import without kinds")?;
    let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    let to = value["to"].as_u64().context("an import of nothing")?;
    Ok(Edge {
        to: usize::try_from(to)?,
        line: value["line"].as_u64().context("an import without a line")?,
        words: words.join(" "),
    })
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
            status: value["status"].clone(),
        })
    }
}
