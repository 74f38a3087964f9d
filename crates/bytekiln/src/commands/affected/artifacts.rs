//! Outputs of affected modules: what a build of the profile writes for them, or removes. Knows nothing
//! of how that is shown.

use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_graph::AffectedModule;
use bytekiln_planner::{OutputPath, RemovalReason, Slot, slot};
use bytekiln_project::{InterpreterSpec, Workspace};

use super::Touched;
use super::touched::source;
use crate::arguments::{AffectedArguments, Global, GraphSelection, SelectArguments};
use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;
use crate::session::Session;
use crate::settings::{settings, workspace};

/// An output.
pub(super) struct Artifact {
    /// Of the workspace or an output tree, absolute.
    pub(super) root: PathBuf,
    /// Below that.
    pub(super) path: RepoPath,
    pub(super) source: RepoPath,
    /// It is to be removed, as its source is gone.
    pub(super) is_gone: bool,
}

/// With the interpreter of the profile that was named.
pub(super) fn selection(arguments: &AffectedArguments, workspace: &Workspace) -> GraphSelection {
    let mut selection = arguments.selection.clone();
    let name = if arguments.release { Some("release") } else { arguments.profile.as_deref() };
    if selection.python.is_none()
        && let Some(profile) = name.and_then(|name| workspace.profiles.get(name))
    {
        selection.python = profile.interpreters.first().map(text);
    }
    selection
}

/// As `--python` takes it.
fn text(spec: &InterpreterSpec) -> String {
    match spec {
        InterpreterSpec::Version { numbers, free_threaded } => {
            let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
            format!("{}{}", numbers.join("."), if *free_threaded { "t" } else { "" })
        }
        InterpreterSpec::Path(path) => path.to_string_lossy().into_owned(),
        InterpreterSpec::Command(command) => command.clone(),
    }
}

/// Finds them, by a plan.
pub(super) fn find(
    arguments: &AffectedArguments,
    touched: &Touched,
    modules: &[AffectedModule],
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<Vec<Artifact>, CommandFailure> {
    let select = SelectArguments {
        profile: arguments.profile.clone(),
        release: arguments.release,
        state_dir: arguments.selection.state_dir.clone(),
        jobs: arguments.selection.jobs,
        no_cache: true,
        ..SelectArguments::default()
    };
    let (workspace, start) = (workspace(global, environment)?, touched.open.start.clone());
    let settings = settings(&select, workspace, start, environment)?;
    let prepared = Session::new(settings, environment, terminal).prepare_fully(false)?;
    let inputs = prepared.loaded.inputs();
    let mut paths: Vec<&RepoPath> =
        modules.iter().filter_map(|module| source(&touched.open, module.module)).collect();
    paths.sort();
    let mut artifacts = Vec::new();
    let mut add = |output: &OutputPath, source: &RepoPath, is_gone: bool| {
        if let Some(root) = prepared.loaded.roots().get(usize::from(output.root.0)) {
            let (root, path) = (root.clone(), output.path.clone());
            artifacts.push(Artifact { root, path, source: source.clone(), is_gone });
        }
    };
    for source in inputs.sources.iter().filter(|source| paths.binary_search(&&source.path).is_ok())
    {
        for target in &inputs.targets {
            if let Slot::Output(output) = slot(source, target) {
                add(&output, &source.path, false);
            }
        }
    }
    for removal in &prepared.plan.removals {
        if let RemovalReason::SourceGone { source } = &removal.reason
            && paths.binary_search(&source).is_ok()
        {
            add(&removal.output, source, true);
        }
    }
    artifacts.sort_by(|a, b| (&a.root, &a.path).cmp(&(&b.root, &b.path)));
    Ok(artifacts)
}
