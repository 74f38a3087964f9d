//! Graphs of small trees: what is found, what is kept, and that a load after changes gives what a
//! fresh one gives.

mod incremental;
mod installed;
mod kinds;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_graph::{Graph, Target, TargetPlatform};
use bytekiln_python::Release;

use super::{Follow, GraphRequest, LoadedGraph, PythonEnvironment, load_graph};
use crate::{CacheSettings, GraphSettings, Member, MemberOrigin, Workspace};

/// A workspace `mine` in a temporary folder, with whatever lies beside it.
struct Tree {
    folder: tempfile::TempDir,
    workspace: Workspace,
    environment: PythonEnvironment,
    follow: Follow,
    deleted: Vec<RepoPath>,
    state_dir: PathBuf,
    /// The minor version of the target.
    release: u8,
}

fn path(text: &str) -> RepoPath {
    RepoPath::new(text.as_bytes()).unwrap()
}

fn member(name: &str, folder: &str, roots: &[&str]) -> Member {
    Member {
        name: name.to_owned(),
        path: path(folder),
        import_roots: roots.iter().map(|root| path(root)).collect(),
        include: vec![],
        exclude: vec![],
        origin: MemberOrigin::Listed,
    }
}

impl Tree {
    /// The tree itself is the only member.
    fn new(fixture: &str) -> Tree {
        Tree::with(fixture, vec![member("tree", "", &[""])])
    }

    fn with(fixture: &str, members: Vec<Member>) -> Tree {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("mine")).unwrap();
        for file in bytekiln_test_support::fixture::parse(fixture) {
            write(&base.join(file.path), &file.content);
        }
        let workspace = Workspace {
            root: base.join("mine"),
            manifest: None,
            watched: vec![],
            members,
            profiles: [].into(),
            allowances: vec![],
            cache: CacheSettings::default(),
            graph: GraphSettings::default(),
            artifacts: Vec::new(),
            startup: vec![],
            problems: vec![],
        };
        Tree {
            state_dir: base.join("state"),
            folder,
            workspace,
            environment: PythonEnvironment::default(),
            follow: Follow::Workspace,
            deleted: vec![],
            release: 14,
        }
    }

    fn base(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn write(&self, file: &str, content: &str) {
        write(&self.workspace.root.join(file), content);
    }

    fn load_into(&self, state_dir: &Path) -> LoadedGraph {
        let mut loaded = load_graph(&GraphRequest {
            workspace: &self.workspace,
            target: Target {
                release: Release::from_minor(self.release).unwrap(),
                platform: TargetPlatform::default(),
            },
            environment: &self.environment,
            follow: self.follow,
            strings: false,
            digests: true,
            deleted: &self.deleted,
            state_dir: state_dir.to_owned(),
            threads: NonZeroUsize::new(2).unwrap(),
        })
        .unwrap();
        loaded.finish();
        loaded
    }

    fn load(&self) -> LoadedGraph {
        self.load_into(&self.state_dir)
    }

    /// Without anything kept.
    fn fresh(&self) -> LoadedGraph {
        let state = tempfile::tempdir().unwrap();
        self.load_into(&state.path().join("state"))
    }

    /// Lets stamps grow old enough to be trusted.
    fn age(&self) {
        let clock = || crate::scan::file_clock(&self.base(), &self.workspace.root).unwrap();
        let start = clock();
        while clock() == start {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// `kind name owner`, then `→ target:line` for each import, sorted by node.
fn render(graph: &Graph) -> String {
    let mut out = String::new();
    for (id, node) in graph.nodes() {
        let owner = node.owner.and_then(|owner| graph.owners().get(owner as usize));
        let owner = owner.map_or("-", |owner| &owner.name);
        let imports: Vec<String> = graph
            .imports(id)
            .filter(|(_, edge)| edge.line > 0)
            .map(|(_, edge)| {
                let to = graph.node(edge.to).unwrap();
                let tree = to.file.as_ref().map_or(String::new(), |(tree, _)| format!("@{tree}"));
                format!(" → {}{tree}:{}", to.name, edge.line)
            })
            .collect();
        out.push_str(&format!("{} {} {owner}{}\n", node.kind.word(), node.name, imports.concat()));
    }
    out
}

/// Renders the problems, one a line.
fn problems(loaded: &LoadedGraph) -> String {
    let lines = loaded.problems.iter().map(|problem| {
        let path = problem.path.as_ref().map_or(String::new(), |path| format!("{path}: "));
        format!("{path}{}\n", problem.message)
    });
    lines.collect()
}
