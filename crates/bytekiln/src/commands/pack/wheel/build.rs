//! Has a member's wheel built by its own build backend (PEP 517), through uv or pip. This runs code of the
//! member, and only happens where it is asked for. Knows nothing of what is in a wheel.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use bytekiln_artifact::PendingFolder;
use bytekiln_project::{ArtifactRule, absolute};

use super::super::Packing;
use super::super::target::Target;
use super::super::write::published;
use crate::failure::CommandFailure;

/// Builds the one member that the rule names: the folder that holds the wheel, and the wheel.
pub(super) fn build(
    packing: &Packing<'_>,
    rule: &ArtifactRule,
    targets: &[Target],
) -> Result<(PendingFolder, PathBuf), CommandFailure> {
    let name = rule.members.first().cloned().unwrap_or_default();
    if !packing.arguments.build_wheel {
        return Err(CommandFailure::usage(format!(
            "{}: the wheel of `{name}` has to be built, which runs its build backend",
            rule.place
        ))
        .hint("allow it with --build-wheel, or name a finished wheel with `wheel`"));
    }
    let member = packing.workspace.members.iter().find(|member| member.name == name);
    let member = member.ok_or_else(|| CommandFailure::usage(format!("no member `{name}`")))?;
    let root = absolute(&packing.workspace.root, &member.path);
    let state = packing.session.state_dir();
    bytekiln_project::prepare_state(state).map_err(CommandFailure::environment)?;
    let folder = PendingFolder::create(&state.join("wheel")).map_err(|error| published(&error))?;
    let python = targets.first().map(|target| target.compiler.executable.clone());
    let python = python.unwrap_or_else(|| PathBuf::from("python3"));
    let mut command = match packing.environment.uv() {
        Some(uv) => {
            let mut command = Command::new(uv);
            command.args(["build", "--quiet", "--wheel", "--python"]).arg(&python);
            command.arg("--out-dir").arg(folder.path()).arg(&root);
            command
        }
        None => {
            let mut command = Command::new(&python);
            command.args(["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]);
            command.arg(folder.path()).arg(&root);
            command
        }
    };
    packing.terminal.status("Building", format!("the wheel of {name}"));
    command.env("SOURCE_DATE_EPOCH", packing.modified.to_string());
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        CommandFailure::environment(format!(
            "`{}` could not be started: {error}",
            command.get_program().display()
        ))
    })?;
    if !output.status.success() {
        packing.terminal.say(&String::from_utf8_lossy(&output.stderr));
        return Err(CommandFailure::failure(format!(
            "the build backend of `{name}` did not build a wheel ({})",
            output.status
        )));
    }
    let built = std::fs::read_dir(folder.path()).into_iter().flatten().filter_map(Result::ok);
    let wheel = built
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|suffix| suffix == "whl"));
    match wheel {
        Some(wheel) => Ok((folder, wheel)),
        None => Err(CommandFailure::failure(format!(
            "the build backend of `{name}` said it was done, and there is no wheel"
        ))),
    }
}
