//! The import graph as commands use it: opened by their arguments, with names for people. Knows
//! nothing of what is asked of it.

mod naming;
mod open;
mod select;
mod surroundings;

use std::path::PathBuf;

use bytekiln_graph::{Graph, Target, Which};
use bytekiln_project::{LoadedGraph, Workspace};

pub(crate) use open::{open, open_in, open_with_digests};

/// A graph, and what it was made from.
pub(crate) struct OpenGraph {
    /// The workspace.
    pub(crate) workspace: Workspace,
    /// The graph.
    pub(crate) loaded: LoadedGraph,
    /// The interpreter that it is for.
    pub(crate) target: Target,
    /// Which imports count, by `--imports`; none if it was not given.
    pub(crate) imports: Option<Which>,
    /// The folder that the command was started in.
    pub(crate) start: PathBuf,
}

impl OpenGraph {
    /// The graph itself.
    pub(crate) fn graph(&self) -> &Graph {
        &self.loaded.graph
    }
}
