//! The load itself: walk, read, resolve.

use std::os::fd::AsFd;

use bytekiln_graph::{
    FileKind, Graph, Index, ModuleImports, Owner, OwnerKind, PathEntry, Resolved, Root, SourceFile,
    Sources,
};
use bytekiln_planner::SourceKind;

use super::request::{EnvironmentTree, GraphRequest, LoadedGraph};
use crate::load::{LoadError, LoadErrorKind, open_folder};
use crate::path::absolute;
use crate::scan::{self, FileKind as FoundKind, MemberRules, WalkRequest};

/// How many files are resolved at once.
const RANGE: usize = 256;

/// Makes the graph.
///
/// # Errors
/// The workspace cannot be entered, or a glob of its manifest cannot be understood. Whatever is wrong
/// with single files is a problem in the result.
pub fn load_graph(request: &GraphRequest<'_>) -> Result<LoadedGraph, LoadError> {
    let workspace = request.workspace;
    let root = open_folder(&workspace.root)
        .map_err(|error| LoadErrorKind::Root { path: workspace.root.clone(), error })?;
    let members: Vec<MemberRules> = workspace
        .members
        .iter()
        .map(|member| {
            MemberRules::new(member).map_err(|error| {
                let owner = format!("member `{}`", member.name);
                LoadError::from(LoadErrorKind::Glob { owner, error })
            })
        })
        .collect::<Result<_, _>>()?;
    let scan = scan::walk(&WalkRequest {
        root: root.as_fd(),
        root_path: &workspace.root,
        members: &members,
        selected: &vec![true; members.len()],
        closed: &std::iter::once(request.state_dir.clone())
            .filter_map(|folder| crate::path::below(&workspace.root, &folder))
            .collect(),
        legacy: false,
        threads: request.threads,
    });
    let options = bytekiln_syntax::Options { names: true, strings: request.strings.then_some(1) };
    let imports: Vec<Option<ModuleImports>> = crate::parallel::map(
        &scan.files,
        request.threads,
        || (),
        |_, file| {
            if file.kind == FoundKind::Executable {
                return None;
            }
            let source = std::fs::read(absolute(&workspace.root, &file.path)).ok()?;
            Some(ModuleImports::new(&bytekiln_syntax::extract(&source, &options)))
        },
    );
    let mut roots: Vec<Root> = Vec::new();
    for member in &workspace.members {
        for folder in &member.import_roots {
            roots.push(Root { tree: 0, folder: folder.clone() });
        }
    }
    let mut path = vec![PathEntry::StandardLibrary];
    path.extend((0_u32..).zip(&roots).map(|(root, _)| PathEntry::Root(root)));
    let owners = workspace.members.iter().map(|member| Owner {
        name: member.name.clone(),
        kind: OwnerKind::Member,
        path: path.clone(),
    });
    let files = scan.files.iter().zip(&imports).map(|(file, imports)| SourceFile {
        tree: 0,
        path: file.path.clone(),
        kind: FileKind::Source,
        owner: file.member,
        script: matches!(
            file.kind,
            FoundKind::Source(SourceKind::Script(_)) | FoundKind::Executable
        ),
        digest: None,
        imports: imports.as_ref(),
    });
    let sources = Sources {
        target: request.target.clone(),
        files: files.collect(),
        roots,
        owners: owners.collect(),
        generated: Vec::new(),
        externals: Vec::new(),
    };
    let index = Index::new(&sources);
    let ranges: Vec<_> = (0..index.len()).step_by(RANGE).collect();
    let parts: Vec<Resolved> = crate::parallel::map(
        &ranges,
        request.threads,
        || (),
        |_, start| index.resolve(*start..start.saturating_add(RANGE)),
    );
    Ok(LoadedGraph {
        graph: Graph::new(&index, parts),
        trees: vec![EnvironmentTree { folder: workspace.root.clone() }],
        problems: scan.problems,
        sources: imports.iter().flatten().count(),
        read: imports.iter().flatten().count(),
        kept: false,
        state_trouble: None,
    })
}
