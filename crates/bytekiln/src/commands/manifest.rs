//! `bytekiln init`, `add`, `remove`: writing manifests.

use std::path::{Path, PathBuf};

use bytekiln_project::{
    Edit, EditOutcome, InitialTarget, Workspace, WorkspaceError, add_member, initial_manifest,
    remove_member,
};

use crate::arguments::{InitArguments, MemberArguments};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone};
use crate::settings::workspace_failure;

/// `bytekiln init`.
pub(crate) fn init(
    arguments: &InitArguments,
    start: &Path,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let folder = match &arguments.folder {
        Some(folder) => start.join(folder),
        None => start.to_owned(),
    };
    let target =
        if arguments.pyproject { InitialTarget::Pyproject } else { InitialTarget::Bytekiln };
    let manifest = initial_manifest(&folder, target).map_err(|error| workspace_failure(&error))?;
    if arguments.dry_run {
        terminal.data(&manifest.text);
        return Ok(ExitStatus::Success);
    }
    manifest.write().map_err(|error| workspace_failure(&error))?;
    let members = manifest.members;
    let found = plural(members, "member", "members");
    terminal.status("Created", format!("{} ({members} {found})", manifest.path.display()));
    Ok(ExitStatus::Success)
}

/// `bytekiln add`.
pub(crate) fn add(
    arguments: &MemberArguments,
    reload: &dyn Fn() -> Result<Workspace, CommandFailure>,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    edit(arguments, reload, environment, terminal, add_member)
}

/// `bytekiln remove`.
pub(crate) fn remove(
    arguments: &MemberArguments,
    reload: &dyn Fn() -> Result<Workspace, CommandFailure>,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    edit(arguments, reload, environment, terminal, remove_member)
}

/// One path after the other, each on the workspace as the one before left it.
fn edit(
    arguments: &MemberArguments,
    reload: &dyn Fn() -> Result<Workspace, CommandFailure>,
    environment: &Environment,
    terminal: &Terminal,
    change: fn(&Workspace, &Path) -> Result<Edit, WorkspaceError>,
) -> Result<ExitStatus, CommandFailure> {
    let mut status = ExitStatus::Success;
    for path in &arguments.paths {
        let workspace = reload()?;
        let edit = change(&workspace, &absolute(path, &workspace, environment))
            .map_err(|error| workspace_failure(&error))?;
        let message = format!("{} in {}", edit.message, edit.manifest.display());
        match edit.outcome {
            EditOutcome::Added => terminal.status("Added", message),
            EditOutcome::Removed => terminal.status("Removed", message),
            EditOutcome::AlreadyMember => terminal.status_in(Tone::Note, "Unchanged", message),
            EditOutcome::NoSuchMember => {
                terminal.error(&edit.message);
                status = ExitStatus::Failure;
            }
        }
        if let Some(hint) = &edit.hint {
            terminal.help(hint);
        }
    }
    Ok(status)
}

/// Paths are typed relative to the current folder, names of members as they are.
fn absolute(path: &Path, workspace: &Workspace, environment: &Environment) -> PathBuf {
    let is_name =
        workspace.members.iter().any(|member| Path::new(&member.name) == path && !path.exists());
    match &environment.current_dir {
        Some(current) if !is_name => current.join(path),
        _ => path.to_owned(),
    }
}
