//! The graph of packages or members, as a graph of its own: one made-up module a group, which imports
//! another as often as modules of the one import modules of the other. So the questions that modules can
//! be put to can be put to groups.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytekiln_action::RepoPath;
use bytekiln_graph::{
    EdgeId, FileKind, Graph, ModuleImports, NodeId, NodeKind, Owner, OwnerKind, PathEntry, Root,
    SourceFile, Sources, Which,
};

use crate::arguments::CyclesBy;
use crate::commands::edges::{is_package, level};
use crate::imports::OpenGraph;

pub(super) struct Groups {
    pub(super) graph: Graph,
    names: Vec<String>,
    imports: BTreeMap<(NodeId, NodeId), Vec<EdgeId>>,
}

/// No group.
const NONE: u32 = u32::MAX;

impl Groups {
    /// Groups and what they import of each other; `None` if each module is its own.
    pub(super) fn new(open: &OpenGraph, by: CyclesBy, which: Which) -> Option<Groups> {
        let (names, group_of) = match by {
            CyclesBy::Module => return None,
            CyclesBy::Package => packages(open.graph()),
            CyclesBy::Member => owners(open.graph()),
        };
        let graph = open.graph();
        let of = |id: NodeId| group_of.get(id.number() as usize).copied().unwrap_or(NONE);
        let mut between: BTreeMap<(u32, u32), Vec<(Which, EdgeId)>> = BTreeMap::new();
        for (id, _) in graph.nodes() {
            for (edge_id, edge) in graph.imports(id) {
                let pair = (of(edge.from), of(edge.to));
                let crosses = pair.0 != pair.1 && pair.0 != NONE && pair.1 != NONE;
                if crosses && which.follows(edge.kinds) && !is_package(edge.kinds) {
                    between.entry(pair).or_default().push((level(edge.kinds), edge_id));
                }
            }
        }
        for imports in between.values_mut() {
            imports.sort_unstable();
        }
        let merged = merged(names.len(), open, &between);
        let nodes: Vec<NodeId> = merged.nodes().map(|(id, _)| id).collect();
        let node = |group: u32| nodes.get(group as usize).copied();
        let imports = between.into_iter().filter_map(|((from, to), imports)| {
            let imports = imports.into_iter().map(|(_, id)| id).collect();
            Some(((node(from)?, node(to)?), imports))
        });
        Some(Groups { imports: imports.collect(), graph: merged, names })
    }

    /// The name of a group.
    pub(super) fn name(&self, group: NodeId) -> &str {
        self.names.get(group.number() as usize).map_or("", String::as_str)
    }

    /// What modules of one group import of another, what runs soonest first.
    pub(super) fn imports(&self, from: NodeId, to: NodeId) -> Vec<EdgeId> {
        self.imports.get(&(from, to)).cloned().unwrap_or_default()
    }
}

/// One module a group, numbered as the groups are.
fn merged(
    groups: usize,
    open: &OpenGraph,
    between: &BTreeMap<(u32, u32), Vec<(Which, EdgeId)>>,
) -> Graph {
    let mut texts = vec![String::new(); groups];
    for ((from, to), imports) in between {
        if let Some(text) = texts.get_mut(*from as usize) {
            for _ in imports {
                let _ = writeln!(text, "import g{to:010}");
            }
        }
    }
    let options = bytekiln_syntax::Options::default();
    let records: Vec<ModuleImports> = texts
        .iter()
        .map(|text| ModuleImports::new(&bytekiln_syntax::extract(text.as_bytes(), &options)))
        .collect();
    let file = |(number, imports): (usize, _)| {
        Some(SourceFile {
            tree: 0,
            path: RepoPath::new(format!("g{number:010}.py").as_bytes())?,
            kind: FileKind::Source,
            owner: 0,
            script: false,
            digest: None,
            imports: Some(imports),
        })
    };
    Graph::build(&Sources {
        target: open.target.clone(),
        files: records.iter().enumerate().filter_map(file).collect(),
        roots: vec![Root { tree: 0, folder: RepoPath::default() }],
        owners: vec![Owner {
            name: String::new(),
            kind: OwnerKind::Member,
            path: vec![PathEntry::Root(0)],
        }],
        generated: Vec::new(),
        externals: Vec::new(),
    })
}

/// Numbers groups in the order of their keys, and says for each module which one it is in.
fn numbered(
    graph: &Graph,
    key: impl Fn(NodeId) -> Option<(String, u32)>,
) -> (Vec<String>, Vec<u32>) {
    let keys: Vec<Option<(String, u32)>> = graph.nodes().map(|(id, _)| key(id)).collect();
    let mut numbers: BTreeMap<(String, u32), u32> = BTreeMap::new();
    for key in keys.iter().flatten() {
        numbers.entry(key.clone()).or_default();
    }
    for (number, place) in (0_u32..).zip(numbers.values_mut()) {
        *place = number;
    }
    let number = |key: &Option<_>| key.as_ref().and_then(|key| numbers.get(key)).copied();
    let group_of = keys.iter().map(|key| number(key).unwrap_or(NONE)).collect();
    (numbers.into_keys().map(|(name, _)| name).collect(), group_of)
}

/// Members, distributions, and the standard library where its files are known.
fn owners(graph: &Graph) -> (Vec<String>, Vec<u32>) {
    numbered(graph, |id| {
        let owner = graph.node(id)?.owner?;
        Some((graph.owners().get(owner as usize)?.name.clone(), owner))
    })
}

/// Packages with the modules right in them; a module that is in none is one of its own. Members may have
/// packages of one name.
fn packages(graph: &Graph) -> (Vec<String>, Vec<u32>) {
    numbered(graph, |id| {
        let node = graph.node(id)?;
        let (_, path) = node.file.as_ref()?;
        let init = path.as_bytes().rsplit(|byte| *byte == b'/').next()?.starts_with(b"__init__.");
        let own = init || matches!(node.kind, NodeKind::Package | NodeKind::Unimportable);
        let parent = node.name.rsplit_once('.').map(|(parent, _)| parent).filter(|_| !own);
        Some((parent.unwrap_or(&node.name).to_owned(), node.owner.unwrap_or(NONE)))
    })
}
