//! What changes touch: each changed file gets its role (a module, data of modules, a manifest …), and
//! the graph says who imports what it stands for. Knows nothing of how that is shown.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::rc::Rc;

use bytekiln_action::RepoPath;
use bytekiln_graph::{Affected, Change, NodeId, NodeKind, Owner, OwnerKind, Which};
use bytekiln_project::{ChangeStatus, ChangedFile, PathGlobs};

use super::changes::{Asked, Changed};
use crate::arguments::UnknownChoice;
use crate::failure::CommandFailure;
use crate::imports::OpenGraph;
use crate::report::terminal::Terminal;

/// What a changed file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Code, and perhaps data too.
    Module,
    /// Read by modules, as a rule says.
    Data,
    /// Of a member, or of the folder that it is in.
    Manifest,
    /// Of the workspace: all depends on it.
    Workspace,
    /// A folder: everything in it.
    Folder,
    /// Made by Bytekiln or an interpreter.
    Output,
    /// It belongs to nothing.
    Unknown,
}

impl Role {
    /// As JSON names it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Module => "module",
            Role::Data => "data",
            Role::Manifest => "manifest",
            Role::Workspace => "workspace",
            Role::Folder => "folder",
            Role::Output => "output",
            Role::Unknown => "unknown",
        }
    }
}

/// A changed file, and what it stands for.
#[derive(Debug)]
pub(crate) struct Row {
    /// Below the workspace, else absolute.
    pub(crate) shown: String,
    pub(crate) file: ChangedFile,
    pub(crate) role: Role,
    /// Modules that it stands for, in order; shared where they are all.
    pub(crate) modules: Rc<Vec<NodeId>>,
}

/// What changes touch.
pub(crate) struct Touched {
    pub(crate) open: OpenGraph,
    pub(crate) which: Which,
    pub(crate) base: Option<String>,
    pub(crate) rows: Vec<Row>,
    /// Modules whose own file changed.
    pub(crate) changed: BTreeSet<NodeId>,
    pub(crate) affected: Affected,
}

/// Puts changes and graph together.
pub(crate) fn touched(
    asked: &Asked<'_>,
    changed: Changed,
    open: OpenGraph,
    terminal: &Terminal,
) -> Result<Touched, CommandFailure> {
    let which = open.imports.unwrap_or(Which::Runtime);
    let all: Rc<Vec<NodeId>> = Rc::new(sources(&open).map(|(id, _)| id).collect());
    let mut rows = Roles::new(&open, &all, terminal)?.rows(&changed);
    if asked.unknown == UnknownChoice::All {
        for row in rows.iter_mut().filter(|row| row.role == Role::Unknown) {
            row.modules = Rc::clone(&all);
        }
    }
    let mut changes: Vec<Change> = Vec::new();
    let mut is_all = false;
    for row in rows.iter().filter(|row| !row.modules.is_empty()) {
        // Once is enough: they may be a hundred thousand.
        let of_all = Rc::ptr_eq(&row.modules, &all);
        let modules = if of_all && is_all { Vec::new() } else { row.modules.to_vec() };
        is_all |= of_all;
        changes.push(Change { tree: 0, path: row.file.path.clone(), modules });
    }
    let mut affected = open.graph().affected(&changes, which);
    // Others have no file here that could be tested or compiled.
    affected.modules.retain(|module| source(&open, module.module).is_some());
    affected.owners.retain(|(_, nearest)| source(&open, *nearest).is_some());
    let own = rows.iter().filter_map(|row| open.graph().find_file(0, &row.file.path));
    let own = own.collect();
    Ok(Touched { open, which, base: changed.base, rows, changed: own, affected })
}

impl Touched {
    /// Files of affected modules that are there.
    pub(crate) fn sources(&self) -> BTreeSet<RepoPath> {
        let modules = self.affected.modules.iter().filter(|row| !self.is_gone(row.module));
        modules.filter_map(|row| source(&self.open, row.module).cloned()).collect()
    }

    /// Sources that are gone.
    pub(crate) fn gone(&self) -> BTreeSet<RepoPath> {
        let gone = self.rows.iter().filter(|row| row.file.status == ChangeStatus::Deleted);
        gone.map(|row| row.file.path.clone()).collect()
    }

    /// Whether a module's file is gone.
    pub(crate) fn is_gone(&self, id: NodeId) -> bool {
        self.open.graph().node(id).is_some_and(|node| node.kind == NodeKind::Deleted)
    }
}

/// The file of a module of the workspace.
pub(crate) fn source(open: &OpenGraph, id: NodeId) -> Option<&RepoPath> {
    let (tree, path) = open.graph().node(id)?.file.as_ref()?;
    (*tree == 0).then_some(path)
}

/// All modules of the workspace that have a file.
fn sources(open: &OpenGraph) -> impl Iterator<Item = (NodeId, &RepoPath)> {
    open.graph().nodes().filter_map(|(id, _)| Some((id, source(open, id)?)))
}

/// What decides the role of a file.
struct Roles<'a> {
    open: &'a OpenGraph,
    all: &'a Rc<Vec<NodeId>>,
    terminal: &'a Terminal,
    data: PathGlobs,
    watched: BTreeSet<&'a PathBuf>,
}

/// Names of manifests.
const MANIFESTS: [&[u8]; 3] = [b"bytekiln.toml", b"pyproject.toml", b"Cargo.toml"];

impl<'a> Roles<'a> {
    fn new(
        open: &'a OpenGraph,
        all: &'a Rc<Vec<NodeId>>,
        terminal: &'a Terminal,
    ) -> Result<Roles<'a>, CommandFailure> {
        let rules = &open.workspace.graph.data;
        let data = PathGlobs::new(rules.iter().map(|rule| rule.glob.as_str())).map_err(|e| {
            CommandFailure::usage(format!(
                "the glob `{}` of `data` is wrong: {}",
                e.glob, e.message
            ))
        })?;
        let watched = open.workspace.watched.iter().collect();
        Ok(Roles { open, all, terminal, data, watched })
    }

    fn rows(&self, changed: &Changed) -> Vec<Row> {
        let mut rows: Vec<Row> = changed.files.iter().map(|file| self.row(file)).collect();
        let beyond = |path: &PathBuf, role: Role| Row {
            shown: crate::schema::path_text(path),
            file: ChangedFile {
                path: RepoPath::default(),
                status: ChangeStatus::Modified,
                is_folder: false,
            },
            role,
            modules: match role {
                Role::Workspace => Rc::clone(self.all),
                _ => Rc::default(),
            },
        };
        let manifests = changed.outside.iter().filter(|path| self.watched.contains(path));
        rows.extend(manifests.map(|path| beyond(path, Role::Workspace)));
        rows.extend(changed.named_outside.iter().map(|path| {
            let is_read = self.watched.contains(path);
            beyond(path, if is_read { Role::Workspace } else { Role::Unknown })
        }));
        rows
    }

    fn row(&self, file: &ChangedFile) -> Row {
        let path = &file.path;
        let below = |path: &RepoPath| -> Vec<NodeId> {
            let inside = |(id, file): (NodeId, &RepoPath)| {
                (file == path || file.strip_prefix(path).is_some()).then_some(id)
            };
            sources(self.open).filter_map(inside).collect()
        };
        let own = self.open.graph().find_file(0, path);
        let mut modules = self.readers(path);
        let mut role = if modules.is_empty() { Role::Unknown } else { Role::Data };
        if let Some(own) = own {
            modules.push(own);
            role = Role::Module;
        } else if file.is_folder {
            let inside = below(path);
            if !inside.is_empty() {
                role = Role::Folder;
                modules.extend(inside);
            }
        } else if MANIFESTS.contains(&path.file_name()) {
            let of = self.of_manifest(path, below);
            if of.0 == Role::Workspace || !of.1.is_empty() {
                role = of.0;
                modules.extend(of.1);
            }
        } else if self.watched.contains(&self.absolute(path)) {
            role = Role::Workspace;
        } else if role == Role::Unknown && is_output(path) {
            role = Role::Output;
        }
        modules.sort_unstable();
        modules.dedup();
        let modules = match role {
            Role::Workspace => Rc::clone(self.all),
            _ => Rc::new(modules),
        };
        Row { shown: path.to_string(), file: file.clone(), role, modules }
    }

    /// Modules that read a data file.
    fn readers(&self, path: &RepoPath) -> Vec<NodeId> {
        let rules = &self.open.workspace.graph.data;
        let mut modules = Vec::new();
        for rule in self.data.matches(path).into_iter().filter_map(|at| rules.get(at)) {
            for name in &rule.modules {
                match self.open.select(name) {
                    Ok(found) => modules.extend(found),
                    Err(_) => self.terminal.warning(format!(
                        "the manifest says that `{name}` reads `{}`, and there is no such module",
                        rule.glob
                    )),
                }
            }
        }
        modules
    }

    /// What a manifest is for: at the root of the workspace everything; in a member's folder the
    /// member; elsewhere, or where it is gone, what is below its folder.
    fn of_manifest(
        &self,
        path: &RepoPath,
        below: impl Fn(&RepoPath) -> Vec<NodeId>,
    ) -> (Role, Vec<NodeId>) {
        let folder = path.parent().unwrap_or_default();
        let is_own = self.open.workspace.manifest.as_ref() == Some(&self.absolute(path));
        if folder.is_root() || is_own {
            return (Role::Workspace, Vec::new());
        }
        let member = self.open.workspace.members.iter().find(|member| member.path == folder);
        let owner = member.and_then(|member| {
            let is_it =
                |owner: &Owner| owner.kind == OwnerKind::Member && owner.name == member.name;
            (0_u32..).zip(self.open.graph().owners()).find(|(_, owner)| is_it(owner))
        });
        let modules = match owner {
            Some((owner, _)) => {
                let nodes = self.open.graph().nodes_of(owner);
                nodes.into_iter().filter(|id| source(self.open, *id).is_some()).collect()
            }
            None => below(&folder),
        };
        (Role::Manifest, modules)
    }

    fn absolute(&self, path: &RepoPath) -> PathBuf {
        self.open.workspace.root.join(std::ffi::OsStr::from_bytes(path.as_bytes()))
    }
}

/// Caches, Bytekiln's own state and lock file: results of sources that are looked at themselves.
fn is_output(path: &RepoPath) -> bool {
    let bytes = path.as_bytes();
    let mut components = bytes.split(|byte| *byte == b'/');
    bytes.ends_with(b".pyc")
        || path.file_name() == b"bytekiln.lock"
        || components.any(|name| name == b"__pycache__" || name == b".bytekiln")
}
