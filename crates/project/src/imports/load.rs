//! The load itself, on one screen: does the kept graph hold, else walk, read, lay out, resolve, keep.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_graph::{External, FileKind, Graph, Index, Resolved, SourceFile, Sources};

use super::contents::{Contents, Reading, read as read_contents};
use super::installed::{self, Installed, PathFolder};
use super::request::{EnvironmentTree, Follow, GraphRequest, LoadedGraph};
use super::roots::{MemberFolders, Roots, lay_out, project_files};
use super::snapshot::{self, Query, SeenFolder, Snapshot};
use super::trees::{TreeFile, walk_installed};
use super::{namespaces, problems, scripts};
use crate::index::{self, Watch, Writer};
use crate::load::{
    LoadError, LoadErrorKind, drop_claimed_twice, member_rules, open_folder, owner, watches_above,
};
use crate::path::{absolute, below, bytes};
use crate::scan::{
    self, FileClock, FoundFolder, MemberRules, Scan, Scope, WalkRequest, Wanted, file_clock,
};

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
        if let Some(held) = snapshot::read(&query, &mut found_problems) {
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
    let mut contents = read_contents(
        &Reading {
            state_dir: &request.state_dir,
            folders: &trees,
            open: &open,
            strings: request.strings,
            clock,
            threads: request.threads,
        },
        &files,
    );
    state_trouble = state_trouble.or(contents.trouble.take());
    found_problems.append(&mut contents.problems);
    found_problems.extend(problems::of_sources(&files, &mut contents, &trees));
    found_problems.sort();
    found_problems.dedup();
    scripts::mark(&mut files, &contents.of);

    let mut sources = Sources {
        target: request.target.clone(),
        files: source_files(&files, &contents),
        roots,
        owners,
        generated: workspace.graph.generated.clone(),
        externals,
    };
    let mut graph = resolve(request, &sources);
    let more = namespaces::folders(&graph, &sources, &folders);
    if !more.is_empty() {
        sources.files.extend(more);
        graph = resolve(request, &sources);
    }
    drop(sources);
    contents.records = Vec::new();
    let count = contents.of.iter().filter(|content| content.record.is_some()).count();
    let trees: Vec<_> = trees.into_iter().map(|folder| EnvironmentTree { folder }).collect();
    if keeps && state_trouble.is_none() && is_old(clock, &files, &contents, &folders, &watches) {
        fill(&mut folders, &files, &contents, &trees);
        drop(files);
        let snapshot = Snapshot {
            key,
            sources: count,
            trees: trees.clone(),
            problems: found_problems.clone(),
            watches,
            folders,
        };
        state_trouble = snapshot.write(&request.state_dir, &graph).err();
    }
    Ok(LoadedGraph {
        graph,
        trees,
        problems: found_problems,
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

/// Output trees of every profile, and the state: nobody's sources.
fn closed_folders(request: &GraphRequest<'_>) -> BTreeSet<RepoPath> {
    let root = &request.workspace.root;
    let trees = request.workspace.profiles.values();
    trees
        .filter_map(|profile| crate::lower::out_tree(root, &profile.layout))
        .chain([request.state_dir.clone()])
        .filter_map(|folder| below(root, &folder))
        .filter(|folder| !folder.is_root())
        .collect()
}

/// What is beside the workspace.
struct Surroundings {
    installed: Installed,
    library: Option<PathBuf>,
    /// The tree of the library.
    standard: Option<u32>,
    /// Of trees from 1 on, where their sources are wanted.
    scans: Vec<(u32, Scan)>,
}

fn surroundings(
    request: &GraphRequest<'_>,
    folders: &[FoundFolder],
) -> Result<Surroundings, LoadError> {
    let glob = |error| LoadErrorKind::Glob { owner: "the environment".to_owned(), error };
    let is_walked = |path: &RepoPath| folders.binary_search_by(|one| one.path.cmp(path)).is_ok();
    let root = &request.workspace.root;
    let installed = installed::read(root, &request.environment.site, &is_walked);
    let library = request.environment.standard_library.clone();
    let library = library.filter(|_| request.follow == Follow::All);
    let library = library.map(|folder| folder.canonicalize().unwrap_or(folder));
    let mut scans = Vec::new();
    if request.follow > Follow::Workspace {
        for (number, folder) in (1_u32..).zip(&installed.trees) {
            let scan = walk_installed(folder, &[], request.threads).map_err(glob)?;
            scans.extend(scan.map(|scan| (number, scan)));
        }
    }
    let next = u32::try_from(installed.trees.len() + 1).unwrap_or(u32::MAX);
    if let Some(folder) = &library {
        let except = ["site-packages", "dist-packages"];
        let scan = walk_installed(folder, &except, request.threads).map_err(glob)?;
        scans.extend(scan.map(|scan| (next, scan)));
    }
    let standard = library.is_some().then_some(next);
    Ok(Surroundings { installed, library, standard, scans })
}

impl Surroundings {
    /// Modules of distributions whose files are not walked, and owners for what no distribution
    /// claims.
    fn names(&self, scan: &Scan, request: &GraphRequest<'_>) -> (Vec<External>, Vec<String>) {
        let (externals, unclaimed) = self.installed.externals();
        if request.follow > Follow::Workspace {
            return (Vec::new(), unclaimed);
        }
        let members = u32::try_from(request.workspace.members.len()).unwrap_or(u32::MAX);
        let has = |path: RepoPath| scan.files.binary_search_by(|file| file.path.cmp(&path)).is_ok();
        let is_ours = |module: &str| {
            // Where a member has the package itself, no installed copy is ever looked at.
            let head = module.split('.').next().unwrap_or_default();
            let init = [head.as_bytes(), b"/__init__.py"].concat();
            let file = [head.as_bytes(), b".py"].concat();
            let folders = request.workspace.members.iter().flat_map(|member| &member.import_roots);
            let linked = self.installed.path.iter().filter_map(|folder| match folder {
                PathFolder::Inside(path) => Some(path),
                PathFolder::Tree(_) => None,
            });
            let mut folders = folders.chain(linked);
            folders.any(|folder| has(folder.join(&init)) || has(folder.join(&file)))
        };
        let externals = externals.into_iter().filter(|(module, _)| !is_ours(module));
        let externals = externals.map(|(module, distribution)| External {
            module,
            owner: u32::try_from(distribution).unwrap_or(u32::MAX).saturating_add(members),
        });
        (externals.collect(), unclaimed)
    }

    /// Adds the files of all trees but the first.
    fn files(
        &self,
        request: &GraphRequest<'_>,
        unclaimed: &[String],
        files: &mut Vec<TreeFile>,
        folders: &mut Vec<SeenFolder>,
    ) {
        let members = request.workspace.members.len();
        let distributions = self.installed.distributions.len();
        let claims = self.installed.claims();
        let library = members + distributions + unclaimed.len();
        for (tree, scan) in &self.scans {
            let folder = match self.installed.trees.get(*tree as usize - 1) {
                Some(folder) => Some(folder),
                None => self.library.as_ref(),
            };
            let owner = |path: &RepoPath| {
                if Some(*tree) == self.standard {
                    return Some(library);
                }
                if let Some(found) = claims.owner(tree - 1, path.as_bytes()) {
                    return Some(members + found);
                }
                let head = std::str::from_utf8(installed::top(path.as_bytes())).ok()?;
                let at = unclaimed.binary_search_by(|name| name.as_str().cmp(head)).ok()?;
                Some(members + distributions + at)
            };
            files.extend(scan.files.iter().map(|file| {
                let owner = owner(&file.path).and_then(|owner| u32::try_from(owner).ok());
                let mut file = TreeFile::new(*tree, owner.unwrap_or(u32::MAX), file.clone());
                // Nobody runs these by their path.
                file.script = false;
                file
            }));
            folders.extend(seen(folder, scan.folders.clone()));
        }
    }
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

fn source_files<'a>(files: &[TreeFile], contents: &'a Contents) -> Vec<SourceFile<'a>> {
    let files = files.iter().zip(&contents.of).filter(|(_, content)| !content.nothing);
    files
        .map(|(file, content)| SourceFile {
            tree: file.tree,
            path: file.path.clone(),
            kind: file.kind,
            owner: file.owner,
            script: file.script,
            digest: content.digest,
            imports: content.record.and_then(|at| contents.records.get(at as usize)),
        })
        .collect()
}

fn resolve(request: &GraphRequest<'_>, sources: &Sources<'_>) -> Graph {
    let index = Index::new(sources);
    let ranges: Vec<_> = (0..index.len()).step_by(RANGE).collect();
    let resolve = |(): &mut (), start: &usize| index.resolve(*start..start.saturating_add(RANGE));
    let parts: Vec<Resolved> = crate::parallel::map_by(&ranges, request.threads, 1, || (), resolve);
    Graph::new(&index, parts)
}

/// Folders of a tree for the snapshot; `tree` is none for the workspace.
fn seen(tree: Option<&PathBuf>, folders: Vec<FoundFolder>) -> Vec<SeenFolder> {
    let folders = folders.into_iter().map(|folder| SeenFolder {
        path: match tree {
            None => folder.path,
            Some(tree) => {
                let path = absolute(tree, &folder.path);
                let path = bytes(&path);
                RepoPath::new(path.strip_prefix(b"/").unwrap_or(path)).unwrap_or_default()
            }
        },
        installed: tree.is_some(),
        stamp: folder.stamp,
        entries: folder.entries,
        files: folder
            .ignore_file
            .map(|stamp| (b".gitignore".to_vec(), stamp))
            .into_iter()
            .collect(),
    });
    folders.collect()
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
