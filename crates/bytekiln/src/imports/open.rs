//! From arguments to a graph: workspace, interpreter, environment, load.

use bytekiln_action::RepoPath;
use bytekiln_graph::{Target, TargetPlatform, Which};
use bytekiln_project::{
    Follow, GraphRequest, InterpreterSpec, PythonEnvironment, Workspace, find_interpreters,
    load_graph,
};
use bytekiln_python::Release;

use super::OpenGraph;
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
    let state_dir = match &selection.state_dir {
        Some(folder) => start.join(folder),
        None => workspace.root.join(".bytekiln"),
    };
    let target = target(selection, &workspace, &state_dir, environment)?;
    let python_environment = PythonEnvironment::default();
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
    problems::say(terminal, &loaded.problems);
    let imports = selection.imports.map(|choice| match choice {
        ImportsChoice::Eager => Which::Eager,
        ImportsChoice::Lazy => Which::WithLazy,
        ImportsChoice::Runtime => Which::Runtime,
        ImportsChoice::All => Which::All,
    });
    Ok(OpenGraph { workspace, loaded, target, imports, start })
}

/// A version says all that a graph needs; of a path or a command the interpreter has to be asked.
fn target(
    selection: &GraphSelection,
    workspace: &Workspace,
    state_dir: &std::path::Path,
    environment: &Environment,
) -> Result<Target, CommandFailure> {
    let specs: Vec<InterpreterSpec> = match &selection.python {
        Some(text) => vec![
            InterpreterSpec::parse(text)
                .map_err(|error| CommandFailure::usage(format!("--python `{text}`: {error}")))?,
        ],
        None => {
            let dev = workspace.profiles.get("dev");
            dev.map(|profile| profile.interpreters.clone()).unwrap_or_default()
        }
    };
    if let Some(InterpreterSpec::Version { numbers, .. }) = specs.first()
        && let [3, minor, ..] = numbers.as_slice()
        && let Some(release) = u8::try_from(*minor).ok().and_then(Release::from_minor)
    {
        return Ok(Target { release, platform: TargetPlatform::default() });
    }
    let first = specs.get(..1).unwrap_or_default();
    let search = environment.search_path();
    let found = find_interpreters(first, &search, &workspace.root, state_dir)
        .map_err(|error| CommandFailure::interpreter(&error))?;
    let interpreter =
        found.first().ok_or_else(|| CommandFailure::environment("no interpreter was found"))?;
    let release = interpreter.toolchain.release;
    Ok(Target { release, platform: TargetPlatform::default() })
}
