//! What is beside a workspace: installed trees, walked where their sources are wanted, and names of
//! modules where they are not. Knows nothing of contents.

use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_graph::External;

use super::installed::{self, Installed, PathFolder};
use super::request::{Follow, GraphRequest};
use super::snapshot::SeenFolder;
use super::trees::{TreeFile, walk_installed};
use crate::load::{LoadError, LoadErrorKind};
use crate::path::{absolute, bytes};
use crate::scan::{FoundFolder, Scan};

/// What is beside the workspace.
pub(super) struct Surroundings {
    pub(super) installed: Installed,
    pub(super) library: Option<PathBuf>,
    /// The tree of the library.
    pub(super) standard: Option<u32>,
    /// Of trees from 1 on, where their sources are wanted.
    scans: Vec<(u32, Scan)>,
}

/// Lists what is installed, and walks it where its sources are wanted, with `stamps` or without.
pub(super) fn surroundings(
    request: &GraphRequest<'_>,
    folders: &[FoundFolder],
    stamps: bool,
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
            let scan = walk_installed(folder, &[], stamps, request.threads).map_err(glob)?;
            scans.extend(scan.map(|scan| (number, scan)));
        }
    }
    let next = u32::try_from(installed.trees.len() + 1).unwrap_or(u32::MAX);
    if let Some(folder) = &library {
        let except = ["site-packages", "dist-packages"];
        let scan = walk_installed(folder, &except, stamps, request.threads).map_err(glob)?;
        scans.extend(scan.map(|scan| (next, scan)));
    }
    let standard = library.is_some().then_some(next);
    Ok(Surroundings { installed, library, standard, scans })
}

impl Surroundings {
    /// Modules of distributions whose files are not walked, and owners for what no distribution
    /// claims. `files` are those of the workspace.
    pub(super) fn names(
        &self,
        files: &[TreeFile],
        request: &GraphRequest<'_>,
    ) -> (Vec<External>, Vec<String>) {
        let (mut externals, unclaimed) = self.installed.externals();
        if request.follow > Follow::Workspace {
            let distributions = &self.installed.distributions;
            externals.retain(|(_, number)| {
                distributions.get(*number).is_some_and(|found| found.tree == installed::LOCKED)
            });
        }
        let members = u32::try_from(request.workspace.members.len()).unwrap_or(u32::MAX);
        let has = |path: RepoPath| files.binary_search_by(|file| file.path.cmp(&path)).is_ok();
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
    pub(super) fn files(
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

/// Folders of a tree for the snapshot; `tree` is none for the workspace.
pub(super) fn seen(tree: Option<&PathBuf>, folders: Vec<FoundFolder>) -> Vec<SeenFolder> {
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
        sources: Vec::new(),
        ignore_file: folder.ignore_file,
    });
    folders.collect()
}
