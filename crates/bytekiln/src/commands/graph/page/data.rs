//! The data that a page carries: small arrays instead of objects, names and folders said once, three
//! numbers an import. Knows nothing of HTML. `data.js` reads what is written here.

use std::collections::BTreeMap;

use bytekiln_graph::{AmbiguityKind, Kinds, NodeKind, OwnerKind};
use serde::Serialize;

use crate::commands::graph::document::{GraphDocument, ModuleRow};

/// What the page is made of. `-1` is "none".
#[derive(Debug, Serialize)]
pub(super) struct Data<'a> {
    title: &'a str,
    version: &'static str,
    /// `Python 3.14 on linux`.
    target: String,
    /// `all imports`, as `--imports` and `--from` left them.
    scope: String,
    /// Name; member, distribution or standard library.
    owners: Vec<(&'a str, &'static str)>,
    /// Words for kinds of modules.
    kinds: Vec<String>,
    /// Sets of words for imports.
    labels: Vec<Vec<&'static str>>,
    /// Dotted names that others begin with.
    prefixes: Vec<String>,
    folders: Vec<String>,
    /// Kind, owner, prefix, last name, folder, file.
    nodes: Vec<(usize, i64, usize, &'a str, i64, File)>,
    /// For each node what it imports: node, line, label; and again.
    edges: Vec<Vec<u32>>,
    /// Chosen, hidden, word.
    ambiguities: Vec<(u32, u32, &'static str)>,
}

/// The name of a file. Nearly all follow from the module's.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum File {
    /// 0: the last name and `.py`; 1: `__init__.py`.
    Usual(u8),
    Other(String),
}

impl<'a> Data<'a> {
    pub(super) fn new(document: &'a GraphDocument<'_>) -> Data<'a> {
        let mut names = Interned::default();
        let mut folders = Interned::default();
        let mut kinds = Interned::default();
        let nodes = document
            .modules
            .iter()
            .map(|module| {
                let (prefix, leaf) = split(module);
                let (folder, file) = file(document, module, leaf, &mut folders);
                (
                    kinds.number(word(module.kind)),
                    module.owner.map_or(-1, i64::from),
                    names.number(prefix.to_owned()),
                    leaf,
                    folder,
                    file,
                )
            })
            .collect();
        let mut labels: BTreeMap<Kinds, u32> = BTreeMap::new();
        let mut sets = Vec::new();
        let mut edges = vec![Vec::new(); document.modules.len()];
        for edge in document.edges.iter() {
            let next = u32::try_from(sets.len()).unwrap_or(u32::MAX);
            let label = *labels.entry(edge.kinds).or_insert_with(|| {
                sets.push(edge.kinds.words().collect());
                next
            });
            if let Some(list) = edges.get_mut(edge.from as usize) {
                list.extend([edge.to, edge.line, label]);
            }
        }
        Data {
            title: &document.title,
            version: env!("CARGO_PKG_VERSION"),
            target: match document.platform {
                Some(platform) => format!("Python {} on {platform}", document.python),
                None => format!("Python {}", document.python),
            },
            scope: scope(document),
            owners: document.owners.iter().map(|it| (it.name, owner_word(it.kind))).collect(),
            kinds: kinds.list,
            labels: sets,
            prefixes: names.list,
            folders: folders.list,
            nodes,
            edges,
            ambiguities: document
                .ambiguities
                .iter()
                .map(|it| (it.chosen, it.hidden, ambiguity_word(it.kind)))
                .collect(),
        }
    }

    /// `210 modules, 1204 imports; Python 3.14`.
    pub(super) fn summary(&self) -> String {
        let imports: usize = self.edges.iter().map(|list| list.len() / 3).sum();
        let (modules, target, version) = (self.nodes.len(), &self.target, self.version);
        let scope = &self.scope;
        format!(
            "{modules} modules, {imports} imports ({scope}), for {target}; by Bytekiln {version}"
        )
    }
}

fn scope(document: &GraphDocument<'_>) -> String {
    let mut text = format!("{} imports", document.imports);
    for focus in &document.focus {
        text.push_str(&format!(", {} {}", focus.direction, focus.text));
    }
    text
}

/// The dotted name in front, and the last of a module; the path of a file without a dotted name is whole.
fn split<'a>(module: &ModuleRow<'a>) -> (&'a str, &'a str) {
    match module.kind {
        NodeKind::Unimportable => ("", module.name),
        _ => module.name.rsplit_once('.').unwrap_or(("", module.name)),
    }
}

fn file(
    document: &GraphDocument<'_>,
    module: &ModuleRow<'_>,
    leaf: &str,
    folders: &mut Interned,
) -> (i64, File) {
    let Some((tree, path)) = module.file else { return (-1, File::Usual(0)) };
    let inner = path.parent().filter(|folder| !folder.as_bytes().is_empty());
    let folder = match (tree, document.trees.get(tree as usize), inner) {
        (0, _, inner) | (_, None, inner) => inner.map(|it| it.to_string()).unwrap_or_default(),
        (_, Some(tree), None) => tree.clone(),
        (_, Some(tree), Some(inner)) => format!("{tree}/{inner}"),
    };
    // By the path's own way to show bytes that are no text.
    let shown = path.to_string();
    let name = shown.rsplit_once('/').map_or(shown.as_str(), |(_, name)| name);
    let file = match name.strip_suffix(".py") {
        Some("__init__") => File::Usual(1),
        Some(stem) if stem == leaf => File::Usual(0),
        _ => File::Other(name.to_owned()),
    };
    (i64::try_from(folders.number(folder)).unwrap_or(-1), file)
}

fn word(kind: NodeKind) -> String {
    match kind {
        NodeKind::Unresolved(reason) => format!("unresolved: {}", reason.word()),
        _ => kind.word().to_owned(),
    }
}

fn owner_word(kind: OwnerKind) -> &'static str {
    match kind {
        OwnerKind::Member => "member",
        OwnerKind::Distribution => "distribution",
        OwnerKind::StandardLibrary => "standard-library",
    }
}

fn ambiguity_word(kind: AmbiguityKind) -> &'static str {
    match kind {
        AmbiguityKind::SameFolder => "in the same folder",
        AmbiguityKind::Shadowed => "later on sys.path",
        AmbiguityKind::NameAndModule => "a module that a name of its package hides",
    }
}

/// Each text once, numbered in the order of their coming.
#[derive(Default)]
struct Interned {
    numbers: BTreeMap<String, usize>,
    list: Vec<String>,
}

impl Interned {
    fn number(&mut self, text: String) -> usize {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.list.len();
        self.list.push(text.clone());
        self.numbers.insert(text, number);
        number
    }
}
