//! `bytekiln clean`: removes the outputs that Bytekiln made and that nobody changed since, and
//! nothing else. Needs no interpreter.

use bytekiln_executor::Work;
use bytekiln_planner::OutputPath;
use bytekiln_project::{RecordedOutputs, forget_records, recorded_outputs};

use crate::arguments::CleanArguments;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone, Verbosity};
use crate::session::Session;

/// Runs the command.
pub(crate) fn run(
    arguments: &CleanArguments,
    mut session: Session<'_>,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    if !session.state_dir().exists() {
        terminal.status("Removed", "nothing: no build left records here");
        return Ok(ExitStatus::Success);
    }
    let _lock = session.lock()?;
    let settings = session.settings();
    let profiles: Vec<String> = if arguments.all {
        settings.workspace.profiles.keys().cloned().collect()
    } else {
        vec![settings.profile.name.clone()]
    };
    let mut status = ExitStatus::Success;
    let (mut removed, mut kept) = (0, 0);
    for profile in profiles {
        let (workspace, packages) = (&settings.workspace, &settings.packages);
        let outputs = recorded_outputs(workspace, &profile, packages, session.state_dir());
        kept += outputs.changed.len();
        announce(&outputs, arguments.dry_run, terminal);
        if arguments.dry_run {
            removed += outputs.untouched.len();
            continue;
        }
        let report = session.carry_out_removals(Work {
            roots: outputs.roots,
            compilers: Vec::new(),
            jobs: Vec::new(),
            removals: outputs.untouched,
        });
        removed += report.removed.len();
        for (output, error) in &report.not_removed {
            terminal.error(format!("`{}` could not be removed: {error}", output.path));
            status = ExitStatus::Failure;
        }
        if report.not_removed.is_empty() {
            forget_records(workspace, &profile, packages, session.state_dir())
                .map_err(CommandFailure::environment)?;
        }
    }
    let others = match kept {
        0 => String::new(),
        kept => format!(", kept {kept} that others changed"),
    };
    let verb = if arguments.dry_run { "Would remove" } else { "Removed" };
    terminal.status(verb, format!("{removed} {}{others}", plural(removed, "output", "outputs")));
    Ok(status)
}

fn announce(outputs: &RecordedOutputs, dry_run: bool, terminal: &Terminal) {
    let name = |output: &OutputPath| match outputs.roots.get(usize::from(output.root.0)) {
        Some(root) if output.root.0 > 0 => format!("{}/{}", root.display(), output.path),
        _ => output.path.to_string(),
    };
    for output in &outputs.changed {
        let message = format!("{}: it is not what was written", name(output));
        terminal.status_in(Tone::Warning, "Keeping", message);
    }
    if dry_run || terminal.verbosity() >= Verbosity::Reasons {
        for output in &outputs.untouched {
            terminal.status("Removing", name(output));
        }
    }
}
