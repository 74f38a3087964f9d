//! The load itself, on one screen: does the kept graph hold, else walk, read, lay out, resolve, keep.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_graph::{FileKind, Graph, Index, Sources};

use super::contents::{Contents, Reading, read as read_contents};
use super::request::{EnvironmentTree, GraphRequest, LoadedGraph};
use super::roots::{MemberFolders, Roots, lay_out, project_files};
use super::snapshot::{self, Query, SeenFolder, Snapshot};
use super::surroundings::{seen, surroundings};
use super::trees::TreeFile;
use super::{namespaces, problems, scripts, sources};
use crate::index::{self, Watch, Writer};
use crate::load::{
    LoadError, LoadErrorKind, drop_claimed_twice, member_rules, open_folder, owner, watches_above,
};
use crate::path::{absolute, bytes};
use crate::scan::{self, FileClock, MemberRules, Scan, Scope, WalkRequest, Wanted, file_clock};

/// How many files are resolved at once.
const RANGE: usize = 512;

/// How many of these are kept until they are put into the graph.
const ROUND: usize = 8;

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
                graph: held.graph,
                trees: held.trees,
                problems: held.problems,
                sources: held.sources,
                read: 0,
                kept: true,
                state_trouble,
            });
        }
    }
    let mut watches = watches_above(&workspace.root);
    let mut scan = scan::walk(&WalkRequest {
        root: root.as_fd(),
        root_path: &workspace.root,
        members: &members,
        selected: &vec![true; members.len()],
        closed: &closed,
        wanted: Wanted::Modules,
        threads: request.threads,
    });
    drop_claimed_twice(workspace, &mut scan);
    found_problems.append(&mut scan.problems);
    watches.extend(scan.watched.iter().map(|path| Watch::take(absolute(&workspace.root, path))));

    let surroundings = surroundings(request, &scan.folders)?;
    watches.extend(surroundings.installed.watches.iter().cloned());
    found_problems.extend(surroundings.installed.problems.iter().cloned());
    let member_folders = members_of(request, &mut watches);
    let (externals, unclaimed) = surroundings.names(&scan, request);
    let Roots { roots, owners } =
        lay_out(&member_folders, &surroundings.installed, &unclaimed, surroundings.standard);

    let mut files = deleted(request, &members, &scan);
    files.extend(scan.files.drain(..).map(|file| TreeFile::new(0, file.member, file)));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    found_problems.extend(problems::two_sources(&files));
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
    let (mut contents, remembering) = read_contents(&reading, &files);
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

    let make = || {
        let mut sources = Sources {
            target: request.target.clone(),
            files: sources::of(&files, &contents),
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
    let save = || remembering.save(&reading, &files);
    let (saved, graph) = crate::parallel::beside(request.threads, save, make);
    state_trouble = state_trouble.or(saved.err());
    let count = contents.of.iter().filter(|content| content.record.is_some()).count();
    let records = std::mem::take(&mut contents.records);
    let trees: Vec<_> = trees.into_iter().map(|folder| EnvironmentTree { folder }).collect();
    let keep = || {
        if !keeps
            || state_trouble.is_some()
            || !is_old(clock, &files, &contents, &folders, &watches)
        {
            return state_trouble;
        }
        fill(&mut folders, &files, &contents, &trees);
        let snapshot = Snapshot {
            key,
            sources: count,
            trees: trees.clone(),
            problems: found_problems.clone(),
            watches,
            folders,
        };
        snapshot.write(&request.state_dir, &graph).err()
    };
    // Giving back some hundred thousand pieces of memory takes as long as writing the graph.
    let ((), state_trouble) = crate::parallel::beside(request.threads, || drop(records), keep);
    damage.append(&mut found_problems);
    Ok(LoadedGraph {
        graph,
        trees,
        problems: damage,
        sources: count,
        read: contents.read,
        kept: false,
        state_trouble,
    })
}

/// Makes the state folder, and reads the clock of files. In a new folder the clock is let go on, or
/// the stamp of what the folder lies in would be too young to be trusted.
fn prepare(request: &GraphRequest<'_>) -> (FileClock, Option<index::StateError>) {
    let is_new = !request.state_dir.exists();
    let trouble = index::prepare_state(&request.state_dir).err();
    let read = || file_clock(&request.state_dir, &request.workspace.root).unwrap_or_default();
    let start = read();
    if !is_new || trouble.is_some() {
        return (start, trouble);
    }
    let ticks = (0..20).map(|_| {
        std::thread::sleep(Duration::from_millis(2));
        read()
    });
    (ticks.into_iter().find(|now| *now != start).unwrap_or(start), trouble)
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
    out.string(format!("{:?}", (request.follow, request.strings)).as_bytes());
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
fn deleted(request: &GraphRequest<'_>, members: &[MemberRules], scan: &Scan) -> Vec<TreeFile> {
    let mut files: Vec<TreeFile> = Vec::new();
    for path in request.deleted {
        if scan.files.binary_search_by(|file| file.path.cmp(path)).is_ok() {
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
    let resolve = |(): &mut (), start: &usize| index.resolve(*start..start.saturating_add(RANGE));
    // Not all at once: the parts of a large graph take as much memory as the graph.
    let parts = ranges
        .chunks(ROUND)
        .flat_map(|round| crate::parallel::map_by(round, request.threads, 1, || (), resolve));
    Graph::new(&index, parts)
}

/// Whether every stamp is old enough to be trusted.
fn is_old(
    clock: FileClock,
    files: &[TreeFile],
    contents: &Contents,
    folders: &[SeenFolder],
    watches: &[Watch],
) -> bool {
    let mut contents = contents.of.iter().zip(files).filter(|(_, file)| file.is_read());
    contents.all(|(content, _)| clock.is_safe(&content.stamp))
        && folders.iter().all(|folder| {
            clock.is_safe(&folder.stamp)
                && folder.files.iter().all(|(_, stamp)| clock.is_safe(stamp))
        })
        && watches.iter().all(|watch| watch.stamp.is_none_or(|stamp| clock.is_safe(&stamp)))
}

/// Puts the sources into their folders.
fn fill(
    folders: &mut [SeenFolder],
    files: &[TreeFile],
    contents: &Contents,
    trees: &[EnvironmentTree],
) {
    folders.sort_by(|a, b| (a.installed, &a.path).cmp(&(b.installed, &b.path)));
    let mut last: Option<(u32, RepoPath, usize)> = None;
    for (file, content) in files.iter().zip(&contents.of).filter(|(file, _)| file.is_read()) {
        let parent = file.path.parent().unwrap_or_default();
        let at = match &last {
            Some((tree, path, at)) if (*tree, path) == (file.tree, &parent) => Ok(*at),
            _ => {
                let path = match trees.get(file.tree as usize) {
                    Some(tree) if file.tree > 0 => {
                        let path = absolute(&tree.folder, &parent);
                        let path = bytes(&path);
                        RepoPath::new(path.strip_prefix(b"/").unwrap_or(path)).unwrap_or_default()
                    }
                    _ => parent.clone(),
                };
                let key = (file.tree > 0, &path);
                folders.binary_search_by(|folder| (folder.installed, &folder.path).cmp(&key))
            }
        };
        if let Some(folder) = at.ok().and_then(|at| folders.get_mut(at)) {
            folder.files.push((file.path.file_name().to_vec(), content.stamp));
        }
        last = at.ok().map(|at| (file.tree, parent, at));
    }
}
