//! From arguments to a graph: workspace, interpreter, environment, load.

use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_graph::Which;
use bytekiln_project::{Follow, GraphRequest, Workspace, load_graph};

use super::OpenGraph;
use super::surroundings::Surroundings;
use crate::arguments::{FollowChoice, Global, GraphSelection, ImportsChoice};
use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::report::problems;
use crate::report::terminal::Terminal;
use crate::settings::{start_folder, workspace};

/// Opens the graph. `deleted` are sources that are gone (see [`GraphRequest::deleted`]).
pub(crate) fn open(
    selection: &GraphSelection,
    deleted: &[RepoPath],
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<OpenGraph, CommandFailure> {
    let start = start_folder(global, environment)?;
    let workspace = workspace(global, environment)?;
    problems::say(terminal, &workspace.problems);
    let open = open_in(workspace, start, selection, deleted, environment, terminal)?;
    problems::say(terminal, &open.loaded.problems);
    Ok(open)
}

/// Opens the graph of a workspace that has been read already, and leaves it to the caller to say its
/// problems.
pub(crate) fn open_in(
    workspace: Workspace,
    start: PathBuf,
    selection: &GraphSelection,
    deleted: &[RepoPath],
    environment: &Environment,
    terminal: &Terminal,
) -> Result<OpenGraph, CommandFailure> {
    open_with(workspace, start, selection, deleted, false, environment, terminal)
}

/// The same with the digests of all files, from which fingerprints are made.
pub(crate) fn open_with_digests(
    workspace: Workspace,
    start: PathBuf,
    selection: &GraphSelection,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<OpenGraph, CommandFailure> {
    open_with(workspace, start, selection, &[], true, environment, terminal)
}

fn open_with(
    workspace: Workspace,
    start: PathBuf,
    selection: &GraphSelection,
    deleted: &[RepoPath],
    digests: bool,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<OpenGraph, CommandFailure> {
    let state_dir = match &selection.state_dir {
        Some(folder) => start.join(folder),
        None => workspace.root.join(".bytekiln"),
    };
    let surroundings =
        Surroundings { selection, start: &start, state_dir: &state_dir, environment };
    let (target, python_environment) = surroundings.of(&workspace, terminal)?;
    let request = GraphRequest {
        workspace: &workspace,
        target: target.clone(),
        environment: &python_environment,
        follow: match selection.follow {
            FollowChoice::Workspace => Follow::Workspace,
            FollowChoice::Installed => Follow::Installed,
            FollowChoice::All => Follow::All,
        },
        strings: selection.strings || workspace.graph.strings,
        digests,
        deleted,
        state_dir,
        threads: selection.jobs.unwrap_or_else(bytekiln_executor::available_parallelism),
    };
    let loaded = load_graph(&request).map_err(|error| {
        let failure = CommandFailure::usage(&error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    let imports = selection.imports.map(which);
    Ok(OpenGraph { workspace, loaded, target, imports, start })
}

/// Which imports a choice is for.
fn which(choice: ImportsChoice) -> Which {
    match choice {
        ImportsChoice::Eager => Which::Eager,
        ImportsChoice::Lazy => Which::WithLazy,
        ImportsChoice::Runtime => Which::Runtime,
        ImportsChoice::All => Which::All,
    }
}
