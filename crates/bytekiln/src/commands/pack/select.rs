//! The closure of an artifact's entries: which candidates a program loads, by the import graph. Knows
//! nothing of bytecode.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_graph::{NodeKind, Target, TargetPlatform};
use bytekiln_project::{
    ArtifactRule, Follow, GraphRequest, PythonEnvironment, Workspace, load_graph,
};
use bytekiln_python::Release;

use super::gather::{Candidate, Home};
use crate::failure::CommandFailure;
use crate::imports::OpenGraph;

/// For what the graph is made.
pub(super) struct Closure<'a> {
    pub(super) rule: &'a ArtifactRule,
    pub(super) workspace: &'a Workspace,
    pub(super) dependencies: &'a [PathBuf],
    pub(super) start: &'a Path,
    pub(super) state_dir: &'a Path,
    pub(super) jobs: NonZeroUsize,
}

impl Closure<'_> {
    /// Whether each candidate is in the closure for one of these releases; all are where there are no
    /// entries.
    pub(super) fn of(
        &self,
        candidates: &[Candidate],
        releases: &[Release],
    ) -> Result<Vec<bool>, CommandFailure> {
        if self.rule.selection.entry.is_empty() {
            return Ok(vec![true; candidates.len()]);
        }
        let mut files: BTreeSet<(usize, RepoPath)> = BTreeSet::new();
        for release in releases {
            self.files(*release, &mut files)?;
        }
        let chosen = candidates.iter().map(|candidate| match &candidate.home {
            Home::Member(_, path) => files.contains(&(0, path.clone())),
            Home::Installed(folder, path) => files.contains(&(folder + 1, path.clone())),
            Home::Made => true,
        });
        Ok(chosen.collect())
    }

    /// Files of the closure: 0 is the workspace, the others dependencies.
    fn files(
        &self,
        release: Release,
        files: &mut BTreeSet<(usize, RepoPath)>,
    ) -> Result<(), CommandFailure> {
        let around = PythonEnvironment { site: self.dependencies.to_vec(), standard_library: None };
        let target = Target { release, platform: TargetPlatform::default() };
        let loaded = load_graph(&GraphRequest {
            workspace: self.workspace,
            target: target.clone(),
            environment: &around,
            follow: Follow::Installed,
            strings: self.workspace.graph.strings,
            digests: false,
            deleted: &[],
            state_dir: self.state_dir.to_owned(),
            threads: self.jobs,
        })
        .map_err(|error| CommandFailure::usage(&error))?;
        let open = OpenGraph {
            workspace: self.workspace.clone(),
            loaded,
            target,
            imports: Some(self.rule.selection.imports),
            start: self.start.to_owned(),
        };
        let mut nodes = Vec::new();
        for entry in &self.rule.selection.entry {
            let module = crate::part::module_of(entry);
            nodes.extend(open.select(module).map_err(|mut failure| {
                let place = &self.rule.place;
                failure.messages = failure
                    .messages
                    .into_iter()
                    .map(|message| format!("{message} (an entry of `{}`, {place})", self.rule.name))
                    .collect();
                failure
            })?);
        }
        let trees: BTreeMap<usize, usize> = open
            .loaded
            .trees
            .iter()
            .enumerate()
            .filter_map(|(tree, folder)| {
                if tree == 0 {
                    return Some((0, 0));
                }
                let number = self.dependencies.iter().position(|one| *one == folder.folder)?;
                Some((tree, number + 1))
            })
            .collect();
        for id in open.graph().closure(&nodes, self.rule.selection.imports) {
            let Some(node) = open.graph().node(id) else { continue };
            let is_source =
                matches!(node.kind, NodeKind::Module | NodeKind::Package | NodeKind::Unimportable);
            if let (true, Some((tree, path))) = (is_source, &node.file)
                && let Some(tree) = trees.get(&(*tree as usize))
            {
                files.insert((*tree, path.clone()));
            }
        }
        Ok(())
    }
}
