//! A workspace in one string: files, and lines before them that say who owns them and who sees what.
//!
//! ```text
//! owner app member = app/src, std, site
//! //- /app/src/app.py
//! import json
//! ```
//!
//! A root is a folder; `site` and below is tree 1, owned by `site`. Without owner lines there is one
//! member `main` that sees the root and then the standard library.

use bytekiln_action::{Digest, RepoPath};
use bytekiln_python::Release;
use bytekiln_syntax::{Options, extract};
use bytekiln_test_support::fixture::parse;
use expect_test::Expect;

use crate::{
    External, FileKind, Graph, Kinds, ModuleImports, NodeId, Owner, OwnerKind, PathEntry, Root,
    SourceFile, Sources, Target, TargetPlatform,
};

pub(crate) struct Workspace {
    pub(super) minor: u8,
    pub(super) strings: Option<u32>,
    pub(super) generated: Vec<String>,
    files: Vec<(String, Vec<u8>, ModuleImports)>,
    owners: Vec<(String, OwnerKind, Vec<String>)>,
    roots: Vec<String>,
    externals: Vec<(String, String)>,
    scripts: Vec<String>,
    deleted: Vec<String>,
}

impl Workspace {
    #[track_caller]
    pub(crate) fn new(text: &str) -> Workspace {
        let start = text.find("//- /").unwrap_or(text.len());
        let start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let mut workspace = Workspace {
            minor: 13,
            strings: None,
            generated: Vec::new(),
            files: Vec::new(),
            owners: Vec::new(),
            roots: Vec::new(),
            externals: Vec::new(),
            scripts: Vec::new(),
            deleted: Vec::new(),
        };
        for line in text[..start].lines().map(str::trim).filter(|line| !line.is_empty()) {
            workspace.line(line);
        }
        if workspace.owners.is_empty() {
            workspace.line("owner main member = ., std");
        }
        workspace.strings = text.contains("strings on").then_some(1);
        let options = Options { names: true, strings: workspace.strings };
        for file in parse(&text[start..]) {
            let imports = ModuleImports::new(&extract(file.content.as_bytes(), &options));
            workspace.files.push((file.path, file.content.into_bytes(), imports));
        }
        workspace
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["owner", name, kind, "=", ..] => {
                let kind = match *kind {
                    "member" => OwnerKind::Member,
                    "distribution" => OwnerKind::Distribution,
                    _ => OwnerKind::StandardLibrary,
                };
                let path = line.split_once('=').unwrap().1;
                let path: Vec<String> =
                    path.split(',').map(|entry| entry.trim().to_owned()).collect();
                for entry in &path {
                    if entry != "std" && !entry.is_empty() && !self.roots.contains(entry) {
                        self.roots.push(entry.clone());
                    }
                }
                self.owners.push(((*name).to_owned(), kind, path));
            }
            ["external", module, owner] => {
                self.externals.push(((*module).to_owned(), (*owner).to_owned()));
            }
            ["generated", name] => self.generated.push((*name).to_owned()),
            ["script", path] => self.scripts.push((*path).to_owned()),
            ["deleted", path] => self.deleted.push((*path).to_owned()),
            ["python", minor] => self.minor = minor.parse().unwrap(),
            ["strings", "on"] => {}
            _ => panic!("cannot read `{line}`"),
        }
    }

    /// The whole as values.
    pub(super) fn sources(&self) -> Sources<'_> {
        let tree = |path: &str| u32::from(path == "site" || path.starts_with("site/"));
        let path =
            |path: &str| RepoPath::new(if path == "." { b"" } else { path.as_bytes() }).unwrap();
        let owner_of = |file: &str| {
            let of = |name: &str| self.owners.iter().position(|owner| owner.0 == name);
            let first = file.split('/').next().unwrap();
            u32::try_from(of(first).unwrap_or(0)).unwrap()
        };
        Sources {
            target: Target {
                release: Release::from_minor(self.minor).unwrap(),
                platform: TargetPlatform {
                    sys_platform: Some("linux".to_owned()),
                    ..TargetPlatform::default()
                },
            },
            files: self
                .files
                .iter()
                .map(|(name, content, imports)| SourceFile {
                    tree: tree(name),
                    path: path(name),
                    kind: match name.rsplit('.').next() {
                        _ if self.deleted.contains(name) => FileKind::Deleted,
                        Some("py") => FileKind::Source,
                        Some("pyi") => FileKind::Stub,
                        Some("so") => FileKind::Extension,
                        _ => FileKind::Folder,
                    },
                    owner: owner_of(name),
                    script: self.scripts.contains(name),
                    digest: Some(Box::new(Digest::of(content))),
                    imports: Some(imports),
                })
                .collect(),
            roots: self
                .roots
                .iter()
                .map(|root| Root { tree: tree(root), folder: path(root) })
                .collect(),
            owners: self
                .owners
                .iter()
                .map(|(name, kind, entries)| Owner {
                    name: name.clone(),
                    kind: *kind,
                    path: entries
                        .iter()
                        .filter(|entry| !entry.is_empty())
                        .map(|entry| match self.roots.iter().position(|root| root == entry) {
                            Some(at) => PathEntry::Root(u32::try_from(at).unwrap()),
                            None => PathEntry::StandardLibrary,
                        })
                        .collect(),
                })
                .collect(),
            generated: self.generated.clone(),
            externals: self
                .externals
                .iter()
                .map(|(module, owner)| {
                    let at = self.owners.iter().position(|other| other.0 == *owner).unwrap();
                    External { module: module.clone(), owner: u32::try_from(at).unwrap() }
                })
                .collect(),
        }
    }

    pub(crate) fn graph(&self) -> Graph {
        Graph::build(&self.sources())
    }
}

/// How a node is shown: a file by its path, else by its kind and name.
pub(super) fn show(graph: &Graph, id: NodeId) -> String {
    let node = graph.node(id).unwrap();
    match (&node.file, node.kind) {
        (Some((_, path)), _) => path.to_string(),
        (None, crate::NodeKind::Unresolved(reason)) => {
            format!("unresolved {} ({})", node.name, reason.word())
        }
        (None, crate::NodeKind::External) => {
            let owner = &graph.owners()[node.owner.unwrap() as usize];
            format!("external {} ({})", node.name, owner.name)
        }
        (None, kind) => format!("{} {}", kind.word(), node.name),
    }
}

/// Imports as `path:line -> what [facts]`, then ambiguities; edges to the package around only with
/// facts of their own.
pub(super) fn render(graph: &Graph) -> String {
    let mut text = String::new();
    for (id, _) in graph.nodes() {
        for (_, edge) in graph.imports(id).filter(|(_, edge)| !edge.kinds.any(Kinds::PACKAGE)) {
            let facts = edge.kinds.to_string();
            let facts = if facts.is_empty() { facts } else { format!(" [{facts}]") };
            let (from, to) = (show(graph, edge.from), show(graph, edge.to));
            text.push_str(&format!("{from}:{} -> {to}{facts}\n", edge.line));
        }
    }
    for found in graph.ambiguities() {
        let (chosen, hidden) = (show(graph, found.chosen), show(graph, found.hidden));
        text.push_str(&format!("{:?}: {chosen}, not {hidden}\n", found.kind));
    }
    text
}

#[track_caller]
pub(super) fn check(text: &str, expected: Expect) {
    expected.assert_eq(&render(&Workspace::new(text).graph()));
}

/// Nodes by name, `;` between.
pub(super) fn nodes(graph: &Graph, names: &str) -> Vec<NodeId> {
    let found: Vec<NodeId> = names.split(' ').flat_map(|name| graph.find(name)).collect();
    assert!(!found.is_empty(), "no module `{names}`");
    found
}

pub(super) fn list(graph: &Graph, ids: &[NodeId]) -> String {
    ids.iter().map(|id| show(graph, *id) + "\n").collect()
}

pub(super) fn chain(graph: &Graph, edges: &[crate::EdgeId]) -> String {
    let mut text = String::new();
    for id in edges {
        let edge = graph.edge(*id).unwrap();
        let (from, to) = (show(graph, edge.from), show(graph, edge.to));
        let facts = edge.kinds.to_string();
        let facts = if facts.is_empty() { facts } else { format!(" [{facts}]") };
        text.push_str(&format!("{from}:{}:{} -> {to}{facts}\n", edge.line, edge.column));
    }
    text
}
