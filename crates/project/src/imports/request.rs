//! What to make a graph of, and what it comes to. Values only.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use bytekiln_action::RepoPath;
use bytekiln_graph::{Graph, Target};
use bytekiln_planner::Problem;

use super::keeping::Keeping;
use crate::Workspace;
use crate::index::StateError;

/// What to make a graph of.
#[derive(Debug)]
pub struct GraphRequest<'a> {
    /// The workspace.
    pub workspace: &'a Workspace,
    /// The interpreter that conditions are decided for.
    pub target: Target,
    /// What is installed beside the workspace.
    pub environment: &'a PythonEnvironment,
    /// Whose sources are read.
    pub follow: Follow,
    /// Strings that look like dotted names and are found as modules are edges too.
    pub strings: bool,
    /// Nodes know the SHA-256 of their files: for fingerprints, which nothing else needs.
    pub digests: bool,
    /// Sources that are gone, below the workspace: imports find them as if they were there.
    pub deleted: &'a [RepoPath],
    /// Where imports and graphs are kept: see [`crate::prepare_state`].
    pub state_dir: PathBuf,
    /// On so many threads.
    pub threads: NonZeroUsize,
}

/// Whose sources are read; of all others only names are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Follow {
    /// The workspace's.
    Workspace,
    /// And those of installed distributions.
    Installed,
    /// And those of the standard library.
    All,
}

/// What an interpreter finds beside the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PythonEnvironment {
    /// `site-packages` and the like, in the order of `sys.path`.
    pub site: Vec<PathBuf>,
    /// The folder of the standard library, as `lib/python3.14`; none if it is known by its table
    /// alone.
    pub standard_library: Option<PathBuf>,
}

/// A folder whose sources are in a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentTree {
    /// Absolute.
    pub folder: PathBuf,
}

/// A graph, and how it came to be.
#[derive(Debug)]
pub struct LoadedGraph {
    /// The graph.
    pub graph: Arc<Graph>,
    /// The folder of each tree that [`bytekiln_graph::Node::file`] names; the first is the
    /// workspace.
    pub trees: Vec<EnvironmentTree>,
    /// What was met on the way: unreadable files, sources whose imports could not be read whole,
    /// modules with two sources.
    pub problems: Vec<Problem>,
    /// Sources in the graph.
    pub sources: usize,
    /// Of these, how many were read this time.
    pub read: usize,
    /// The graph itself was kept: nothing has changed.
    pub kept: bool,
    /// The state could not be written, as far as is known: see [`LoadedGraph::finish`].
    pub state_trouble: Option<StateError>,
    pub(super) keeping: Keeping,
}

impl LoadedGraph {
    /// Waits until the graph is kept, which else is waited for when this is dropped.
    pub fn finish(&mut self) {
        let trouble = self.keeping.finish();
        self.state_trouble = self.state_trouble.take().or(trouble);
    }
}
