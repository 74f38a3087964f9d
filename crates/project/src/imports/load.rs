//! The load itself, on one screen: does the kept graph hold, else walk, read, lay out, resolve, keep.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_graph::{FileKind, Graph, Index, Sources};

use super::contents::{Reading, read as read_contents, remembers};
use super::keeping::{Keep, Keeping};
use super::request::{EnvironmentTree, GraphRequest, LoadedGraph};
use super::roots::{MemberFolders, Roots, lay_out, project_files};
use super::snapshot::{self, Query, Snapshot};
use super::surroundings::{seen, surroundings};
use super::trees::TreeFile;
use super::{digests, namespaces, problems, scripts, sources};
use crate::index::{self, Watch, Writer};
use crate::load::{
    LoadError, LoadErrorKind, drop_claimed_twice, member_rules, open_folder, owner, watches_above,
};
use crate::parallel::beside;
use crate::path::{absolute, bytes};
use crate::scan::{self, FileClock, MemberRules, Scope, WalkRequest, Wanted, file_clock};

/// How many files are resolved at once.
const RANGE: usize = 512;

/// Makes the graph.
///
/// # Errors
/// The workspace cannot be entered, or a glob of its manifest cannot be understood. Whatever is wrong
/// with single files is a problem in the result.
pub fn load_graph(request: &GraphRequest<'_>) -> Result<LoadedGraph, LoadError> {
    let workspace = request.workspace;
    let members = member_rules(workspace)?;
    let root = open_folder(&workspace.root)
        .map_err(|error| LoadErrorKind::Root { path: workspace.root.clone(), error })?;
    let (clock, mut state_trouble) = prepare(request);
    let key = key(request);
    let closed = closed_folders(request);
    // Of kept files: said once, and not remembered.
    let mut damage = Vec::new();
    let mut found_problems = Vec::new();
    // A graph with files that are gone is asked for once.
    let keeps = request.deleted.is_empty();
    if keeps {
        let query = Query {
            state_dir: &request.state_dir,
            root: &workspace.root,
            key,
            closed: &closed,
            clock,
            threads: request.threads,
        };
        if let Some(held) = snapshot::read(&query, &mut damage) {
            return Ok(LoadedGraph {
                graph: Arc::new(held.graph),
                trees: held.trees,
                problems: held.problems,
                sources: held.sources,
                read: 0,
                kept: true,
                state_trouble,
                keeping: Keeping::default(),
            });
        }
    }
    let mut watches = watches_above(&workspace.root);
    let walk = WalkRequest {
        root: root.as_fd(),
        root_path: &workspace.root,
        members: &members,
        selected: &vec![true; members.len()],
        closed: &closed,
        wanted: Wanted::Modules,
        stamps: remembers(&request.state_dir),
        threads: request.threads,
    };
    let (mut scan, mut files) = scan::walk_as(&walk, |file| TreeFile::new(0, file.member, file));
    let twice = drop_claimed_twice(workspace, &mut files, |file| (&file.path, file.owner));
    found_problems.extend(twice);
    found_problems.append(&mut scan.problems);
    watches.extend(scan.watched.iter().map(|path| Watch::take(absolute(&workspace.root, path))));

    let surroundings = surroundings(request, &scan.folders, walk.stamps)?;
    watches.extend(surroundings.installed.watches.iter().cloned());
    found_problems.extend(surroundings.installed.problems.iter().cloned());
    let member_folders = members_of(request, &mut watches);
    let (externals, unclaimed) = surroundings.names(&files, request);
    let Roots { roots, owners } =
        lay_out(&member_folders, &surroundings.installed, &unclaimed, surroundings.standard);

    let gone = deleted(request, &members, &files);
    if !gone.is_empty() {
        files.extend(gone);
        files.sort_by(|a, b| a.path.cmp(&b.path));
    }
    let mut folders = seen(None, scan.folders);
    surroundings.files(request, &unclaimed, &mut files, &mut folders);

    let mut trees = vec![workspace.root.clone()];
    trees.extend(surroundings.installed.trees.iter().cloned());
    trees.extend(surroundings.library);
    let mut open: Vec<Option<OwnedFd>> = vec![Some(root)];
    open.extend(trees.iter().skip(1).map(|folder| open_folder(folder).ok()));
    let reading = Reading {
        state_dir: &request.state_dir,
        folders: &trees,
        open: &open,
        strings: request.strings,
        clock,
        threads: request.threads,
    };
    let two_sources = || problems::two_sources(&files);
    let (mut two, (mut contents, remembering)) =
        beside(request.threads, two_sources, || read_contents(&reading, &files));
    found_problems.append(&mut two);
    damage.append(&mut contents.problems);
    found_problems.extend(problems::of_sources(
        &files,
        &mut contents,
        &trees,
        request.target.release,
    ));
    found_problems.sort();
    found_problems.dedup();
    scripts::mark(&mut files, &contents.of);

    let digests = match request.digests {
        true => digests::of(&reading, &files, &contents.of),
        false => Vec::new(),
    };
    let make = || {
        let mut sources = Sources {
            target: request.target.clone(),
            files: sources::of(&files, &contents, &digests),
            roots,
            owners,
            generated: workspace.graph.generated.clone(),
            externals,
        };
        let graph = resolve(request, &sources);
        let more = namespaces::folders(&graph, &sources, &folders);
        if more.is_empty() {
            return graph;
        }
        sources.files.extend(more);
        drop(graph);
        resolve(request, &sources)
    };
    let save = || remembering.save(&reading, &files, &contents.of);
    let (saved, graph) = beside(request.threads, save, make);
    state_trouble = state_trouble.or(saved.err());
    let count = contents.of.iter().filter(|content| content.record.is_some()).count();
    let graph = Arc::new(graph);
    let trees: Vec<_> = trees.into_iter().map(|folder| EnvironmentTree { folder }).collect();
    damage.append(&mut found_problems.clone());
    let mut loaded = LoadedGraph {
        graph: Arc::clone(&graph),
        trees: trees.clone(),
        problems: damage,
        sources: count,
        read: contents.read,
        kept: false,
        state_trouble,
        keeping: Keeping::default(),
    };
    if keeps && loaded.state_trouble.is_none() {
        let snapshot =
            Snapshot { key, sources: count, trees, problems: found_problems, watches, folders };
        let keep = Keep {
            state_dir: request.state_dir.clone(),
            root: workspace.root.clone(),
            closed,
            clock,
            files,
            contents: contents.of,
            records: contents.records,
            snapshot,
            graph,
        };
        (loaded.keeping, loaded.state_trouble) = Keeping::start(request.threads, Box::new(keep));
    }
    Ok(loaded)
}

/// Makes the state folder, and reads the clock of files.
fn prepare(request: &GraphRequest<'_>) -> (FileClock, Option<index::StateError>) {
    let trouble = index::prepare_state(&request.state_dir).err();
    (file_clock(&request.state_dir, &request.workspace.root).unwrap_or_default(), trouble)
}

/// Everything of the request that the graph depends on, except what is compared by stamp.
fn key(request: &GraphRequest<'_>) -> [u8; 32] {
    let mut out = Writer::default();
    out.string(env!("CARGO_PKG_VERSION").as_bytes());
    out.string(bytes(&request.workspace.root));
    out.string(bytes(&request.state_dir));
    // Plain values: their debug form names every field and is the same for equal values.
    out.string(format!("{:?}", request.workspace.members).as_bytes());
    out.string(format!("{:?}", request.workspace.graph.generated).as_bytes());
    out.string(format!("{:?}", request.target).as_bytes());
    out.string(format!("{:?}", request.environment).as_bytes());
    out.string(format!("{:?}", (request.follow, request.strings, request.digests)).as_bytes());
    out.string(format!("{:?}", closed_folders(request)).as_bytes());
    Digest::of(&out.bytes).hash
}

/// Folders never entered.
fn closed_folders(request: &GraphRequest<'_>) -> BTreeSet<RepoPath> {
    crate::lower::closed_folders(request.workspace, [], &request.state_dir)
}

/// Members, each with whether it can be installed.
fn members_of<'a>(request: &GraphRequest<'a>, watches: &mut Vec<Watch>) -> Vec<MemberFolders<'a>> {
    let root = &request.workspace.root;
    let members = request.workspace.members.iter().map(|member| {
        let files = project_files(&absolute(root, &member.path)).map(Watch::presence_or_stamp);
        let installable = files.iter().any(|file| file.stamp.is_some());
        watches.extend(files);
        MemberFolders { name: &member.name, import_roots: &member.import_roots, installable }
    });
    members.collect()
}

/// Files that are gone, and were somebody's.
fn deleted(
    request: &GraphRequest<'_>,
    members: &[MemberRules],
    present: &[TreeFile],
) -> Vec<TreeFile> {
    let mut files: Vec<TreeFile> = Vec::new();
    for path in request.deleted {
        if present.binary_search_by(|file| file.path.cmp(path)).is_ok() {
            continue;
        }
        let Some(owner) = owner(path, members) else { continue };
        if members.get(owner).is_none_or(|member| member.file(path) != Scope::In) {
            continue;
        }
        files.push(TreeFile {
            tree: 0,
            path: path.clone(),
            stamp: scan::Stamp::default(),
            kind: FileKind::Deleted,
            owner: u32::try_from(owner).unwrap_or(u32::MAX),
            script: false,
            executable: false,
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    files
}

fn resolve(request: &GraphRequest<'_>, sources: &Sources<'_>) -> Graph {
    let index = Index::new(sources);
    let ranges: Vec<_> = (0..index.len()).step_by(RANGE).collect();
    let resolve = |start: &usize| index.resolve(*start..start.saturating_add(RANGE));
    // As they come: whatever their order, the graph is the same, and not all are there at once.
    crate::parallel::stream(&ranges, request.threads, resolve, |parts| {
        Graph::new(&index, parts, |parts, settle| {
            crate::parallel::each(parts, request.threads, settle)
        })
    })
}
