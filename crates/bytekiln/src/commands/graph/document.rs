//! What the forms of `graph` are made from: the modules and imports that were asked for, numbered from
//! 0 without gaps. Knows nothing of how it is shown.

use bytekiln_action::RepoPath;
use bytekiln_graph::{AmbiguityKind, Kinds, NodeId, NodeKind, OwnerKind, Which};
use bytekiln_planner::Problem;

use super::cyclic::Cycles;
use super::rows::EdgeRows;

/// A graph, or a part of it.
pub(crate) struct GraphDocument<'a> {
    /// `3.14`: the interpreter that conditions are decided for.
    pub(crate) python: String,
    /// `sys.platform`, where it is decided.
    pub(crate) platform: Option<&'a str>,
    /// Whose sources are read: `workspace`, `installed`, `all`.
    pub(crate) follow: &'static str,
    /// Which imports are edges: `eager`, `lazy`, `runtime`, `all`.
    pub(crate) imports: &'static str,
    /// What is one node: `module`, `package`, `distribution`, `member`.
    pub(crate) by: &'static str,
    /// What was asked for; empty for everything.
    pub(crate) focus: Vec<Focus<'a>>,
    /// The folder of the workspace, as its last component says.
    pub(crate) title: String,
    /// The folders that files are in: first `.`, the workspace; then those of installed modules, below
    /// the workspace or else absolute.
    pub(crate) trees: Vec<String>,
    /// Members, distributions, the standard library: [`ModuleRow::owner`] counts these. All of them,
    /// also those without a module here.
    pub(crate) owners: Vec<OwnerRow<'a>>,
    /// In the order of the graph: files by tree and path, then all else by kind and name.
    pub(crate) modules: Vec<ModuleRow<'a>>,
    /// Sorted by importing module, line and column. Both ends are among the modules.
    pub(crate) edges: EdgeRows<'a>,
    /// What `--by` makes of the modules; empty if each module is for itself.
    pub(crate) groups: Vec<GroupRow>,
    /// Between different groups, sorted by both.
    pub(crate) group_edges: Vec<GroupEdge>,
    /// Of the modules.
    pub(crate) cycles: Cycles<'a>,
    /// Names with two meanings.
    pub(crate) ambiguities: Vec<AmbiguityRow>,
    /// What was met on the way.
    pub(crate) problems: &'a [Problem],
}

/// A part that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Focus<'a> {
    /// `from`, `to`, `around`.
    pub(crate) direction: &'static str,
    /// As typed.
    pub(crate) text: &'a str,
    /// What it means.
    pub(crate) modules: Vec<u32>,
}

/// To whom modules belong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnerRow<'a> {
    /// As users know it.
    pub(crate) name: &'a str,
    /// What it is.
    pub(crate) kind: OwnerKind,
}

/// A module, or what stands for one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModuleRow<'a> {
    /// In the whole graph.
    pub(crate) node: NodeId,
    /// Dotted; a path if no import can find it; empty if it is computed.
    pub(crate) name: &'a str,
    /// What it is; [`NodeKind::word`] for machines.
    pub(crate) kind: NodeKind,
    /// Counts [`GraphDocument::owners`].
    pub(crate) owner: Option<u32>,
    /// Counts [`GraphDocument::trees`]; and the path there.
    pub(crate) file: Option<(u32, &'a RepoPath)>,
    /// Counts [`GraphDocument::groups`].
    pub(crate) group: Option<u32>,
}

/// An import.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EdgeRow {
    /// Counts [`GraphDocument::modules`].
    pub(crate) from: u32,
    /// Counts [`GraphDocument::modules`].
    pub(crate) to: u32,
    /// From 1; 0 from a module to its own package, which no line says.
    pub(crate) line: u32,
    /// From 1, in characters; 0 where it is not known.
    pub(crate) column: u32,
    /// When it runs, and how it is written; [`Kinds::words`] for machines. Those with
    /// [`Kinds::PACKAGE`] are noise in a picture.
    pub(crate) kinds: Kinds,
}

/// Modules that are one node.
#[derive(Debug, Clone)]
pub(crate) struct GroupRow {
    /// For people.
    pub(crate) name: String,
    /// `package`, `member`, `distribution`, `standard-library`, `third-party`, `generated`,
    /// `unresolved`.
    pub(crate) kind: &'static str,
    /// Counts [`GraphDocument::owners`], if all of it has one.
    pub(crate) owner: Option<u32>,
    /// How many modules are in it.
    pub(crate) modules: u32,
    /// How many imports stay inside.
    pub(crate) inner: u32,
}

/// Imports of one group by another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupEdge {
    /// Counts [`GraphDocument::groups`].
    pub(crate) from: u32,
    /// Counts [`GraphDocument::groups`].
    pub(crate) to: u32,
    /// How many.
    pub(crate) count: u32,
    /// The least `--imports` that takes one of them.
    pub(crate) which: Which,
    /// The facts that all of them have in common.
    pub(crate) kinds: Kinds,
    /// The first of them: counts [`GraphDocument::edges`].
    pub(crate) first: u32,
}

/// One name, two modules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AmbiguityRow {
    /// What the import system takes: counts [`GraphDocument::modules`].
    pub(crate) chosen: u32,
    /// What it does not: counts [`GraphDocument::modules`].
    pub(crate) hidden: u32,
    /// Why there are two.
    pub(crate) kind: AmbiguityKind,
}

impl GraphDocument<'_> {
    /// Where the file of a module is: below the workspace, else as its tree says.
    pub(crate) fn path(&self, module: &ModuleRow<'_>) -> Option<String> {
        let (tree, path) = module.file?;
        let folder = self.trees.get(tree as usize)?;
        Some(if folder == "." { path.to_string() } else { format!("{folder}/{path}") })
    }

    /// `src/app/main.py:12`: where an import is written.
    pub(crate) fn place(&self, edge: &EdgeRow) -> String {
        let Some(module) = self.modules.get(edge.from as usize) else { return String::new() };
        let file = self.path(module).unwrap_or_else(|| module.name.to_owned());
        if edge.line == 0 { file } else { format!("{file}:{}", edge.line) }
    }

    /// Whose a module is.
    pub(crate) fn owner_kind(&self, module: &ModuleRow<'_>) -> Option<OwnerKind> {
        self.owners.get(module.owner? as usize).map(|owner| owner.kind)
    }
}

/// The least `--imports` that takes an import with this label.
pub(crate) fn least(kinds: Kinds) -> Which {
    let choices = [Which::Eager, Which::WithLazy, Which::Runtime];
    choices.into_iter().find(|which| which.follows(kinds)).unwrap_or(Which::All)
}

/// As `--imports` spells it.
pub(crate) fn word(which: Which) -> &'static str {
    match which {
        Which::Eager => "eager",
        Which::WithLazy => "lazy",
        Which::Runtime => "runtime",
        Which::All => "all",
    }
}

/// A node for tests of forms, which do not go back to the graph.
#[cfg(test)]
pub(crate) fn any_node() -> NodeId {
    use bytekiln_graph::{Graph, PathEntry, Root, SourceFile, Sources, Target};
    let graph = Graph::build(&Sources {
        target: Target {
            release: bytekiln_python::Release::from_minor(14).unwrap(),
            platform: bytekiln_graph::TargetPlatform::default(),
        },
        files: vec![SourceFile {
            tree: 0,
            path: RepoPath::new(b"a.py").unwrap(),
            kind: bytekiln_graph::FileKind::Source,
            owner: 0,
            script: false,
            digest: None,
            imports: None,
        }],
        roots: vec![Root { tree: 0, folder: RepoPath::default() }],
        owners: vec![bytekiln_graph::Owner {
            name: "a".to_owned(),
            kind: OwnerKind::Member,
            path: vec![PathEntry::Root(0)],
        }],
        generated: Vec::new(),
        externals: Vec::new(),
    });
    graph.nodes().next().unwrap().0
}
