//! `bytekiln plan`, `check` and `explain`: what a build would do, and why. Nothing is changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytekiln_action::{RepoPath, TextSink};
use bytekiln_codec::CANONICAL_FORM_VERSION;
use bytekiln_planner::{Inputs, Plan, Severity, Slot, Source, Target, action, slot};

use super::ninja;
use crate::arguments::{CheckArguments, ExplainArguments, PlanArguments, PlanOutput};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::prepared::{Planning, Prepared, target_label};
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone, Verbosity};
use crate::report::{problems, reasons};
use crate::schema::PlanFile;
use crate::session::Session;

/// `bytekiln plan`.
pub(crate) fn plan(
    arguments: &PlanArguments,
    mut session: Session<'_>,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    if let Some(part) = session.choose(&arguments.part)?
        && arguments.format == PlanOutput::Human
    {
        terminal.status("Selected", part.description());
    }
    let everything = arguments.force || arguments.format == PlanOutput::Ninja;
    let prepared = session.prepare_fully(everything)?;
    match arguments.format {
        PlanOutput::Ninja => {
            problems::say(terminal, &prepared.plan.problems);
            let own = environment.executable.as_deref().unwrap_or(Path::new("bytekiln"));
            terminal.data(&ninja::render(&prepared, own)?);
        }
        PlanOutput::Human => {
            problems::say(terminal, &prepared.plan.problems);
            terminal.data(&text(&prepared.plan, prepared.loaded.inputs(), terminal));
        }
        PlanOutput::Json => {
            let mut file = PlanFile::new(
                &prepared.plan,
                &prepared.loaded.inputs().targets,
                &prepared.executables(),
                prepared.loaded.roots(),
                &prepared.profile,
                CANONICAL_FORM_VERSION,
            );
            file.add_members(&prepared.members, &session.fingerprints()?);
            let text = serde_json::to_string_pretty(&file).map_err(CommandFailure::failure)?;
            terminal.data(&format!("{text}\n"));
        }
    }
    Ok(if has_errors(&prepared.plan) { ExitStatus::Failure } else { ExitStatus::Success })
}

/// `bytekiln check`: 0 if a build would do nothing, 1 if it would.
pub(crate) fn check(
    arguments: &CheckArguments,
    mut session: Session<'_>,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    if let Some(part) = session.choose(&arguments.part)? {
        terminal.status("Selected", part.description());
    }
    let Some(prepared) =
        session.prepare(Planning { force: false, fully: false, want_warnings: false })?.open()
    else {
        terminal.status("Fresh", "nothing to do");
        return Ok(ExitStatus::Success);
    };
    problems::say(terminal, &prepared.plan.problems);
    let (steps, removals) = (prepared.plan.steps.len(), prepared.plan.removals.len());
    if steps + removals == 0 && !has_errors(&prepared.plan) {
        terminal.status("Fresh", "nothing to do");
        return Ok(ExitStatus::Success);
    }
    if terminal.verbosity() > Verbosity::Quiet {
        terminal.data(&text(&prepared.plan, prepared.loaded.inputs(), terminal));
    }
    terminal.error(format!(
        "a build would compile {steps} {} and remove {removals} {}",
        plural(steps, "file", "files"),
        plural(removals, "output", "outputs"),
    ));
    terminal.help("run `bytekiln build` with the same options");
    Ok(ExitStatus::Failure)
}

fn has_errors(plan: &Plan) -> bool {
    plan.problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// The plan for people: one line a source, its targets together where their reasons agree.
fn text(plan: &Plan, inputs: &Inputs, terminal: &Terminal) -> String {
    let mut out = String::new();
    let mut by_source: BTreeMap<(&RepoPath, String), Vec<String>> = BTreeMap::new();
    for step in &plan.steps {
        let why: Vec<String> = step.reasons.iter().map(reasons::reason).collect();
        let label = label_of(inputs, step.target);
        by_source.entry((&step.source, why.join("; "))).or_default().push(label);
    }
    for ((source, why), targets) in &by_source {
        let verb = terminal.paint(Tone::Good, &format!("{:>12}", "Compile"));
        let _ = writeln!(out, "{verb} {source} for {}: {why}", targets.join(", "));
    }
    for removal in &plan.removals {
        let verb = terminal.paint(Tone::Warning, &format!("{:>12}", "Remove"));
        let why = reasons::removal(&removal.reason);
        let _ = writeln!(out, "{verb} {}: {why}", removal.output.path);
    }
    for orphan in &plan.orphans {
        let verb = terminal.paint(Tone::Note, &format!("{:>12}", "Orphan"));
        let _ =
            writeln!(out, "{verb} {}: its source is gone, and another tool wrote it", orphan.path);
    }
    if terminal.verbosity() >= Verbosity::Reasons {
        for skipped in &plan.skipped {
            let (path, why) = reasons::skipped(skipped);
            let verb = terminal.paint(Tone::Note, &format!("{:>12}", "Skip"));
            let _ = writeln!(out, "{verb} {path}: {why}");
        }
    }
    if terminal.verbosity() >= Verbosity::Everything {
        let mut sources: Vec<&Source> = inputs.sources.iter().collect();
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        for fresh in &plan.fresh {
            if let Some(source) = sources.get(fresh.source as usize) {
                let verb = terminal.paint(Tone::Good, &format!("{:>12}", "Fresh"));
                let label = label_of(inputs, fresh.target);
                let _ = writeln!(out, "{verb} {} for {label}", source.path);
            }
        }
    }
    let _ = writeln!(
        out,
        "{} to compile, {} to remove, {} fresh",
        plan.steps.len(),
        plan.removals.len(),
        plan.fresh.len()
    );
    out
}

fn label_of(inputs: &Inputs, target: u32) -> String {
    inputs.targets.get(target as usize).map(target_label).unwrap_or_default()
}

/// `bytekiln explain`.
pub(crate) fn explain(
    arguments: &ExplainArguments,
    session: &Session<'_>,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let prepared = session.prepare_fully(false)?;
    let mut status = ExitStatus::Success;
    for file in &arguments.files {
        match explain_one(file, &prepared, environment) {
            Some(text) => terminal.data(&text),
            None => {
                let why = why_not(file, &prepared, environment);
                terminal.error(format!("`{}` {why}", file.display()));
                status = ExitStatus::Failure;
            }
        }
    }
    Ok(status)
}

/// The file as a path below the workspace.
fn repo_path(file: &Path, root: &Path, environment: &Environment) -> Option<RepoPath> {
    use std::os::unix::ffi::OsStrExt;
    let file = match &environment.current_dir {
        Some(current) => current.join(file),
        None => file.to_owned(),
    };
    // The file itself may be gone or a link; its folder decides where it is.
    let folder = file.parent()?.canonicalize().ok()?;
    let below: PathBuf = folder.join(file.file_name()?).strip_prefix(root).ok()?.to_owned();
    RepoPath::new(below.as_os_str().as_bytes())
}

fn explain_one(file: &Path, prepared: &Prepared, environment: &Environment) -> Option<String> {
    let inputs = prepared.loaded.inputs();
    let path = repo_path(file, &prepared.root, environment)?;
    let mut out = String::new();
    let mut found = false;
    for source in inputs.sources.iter() {
        for (index, target) in inputs.targets.iter().enumerate() {
            let slot = slot(source, target);
            let is_output = matches!(&slot, Slot::Output(output)
                if output.root == bytekiln_planner::RootId::WORKSPACE && output.path == path);
            if source.path == path || is_output {
                found = true;
                one_target(source, target, index, &slot, prepared, &mut out);
            }
        }
    }
    for removal in prepared.plan.removals.iter().filter(|removal| removal.output.path == path) {
        found = true;
        let why = reasons::removal(&removal.reason);
        let _ = writeln!(out, "{path} is to be removed: {why}");
    }
    found.then_some(out)
}

fn one_target(
    source: &Source,
    target: &Target,
    index: usize,
    slot: &Slot,
    prepared: &Prepared,
    out: &mut String,
) {
    let step = prepared
        .plan
        .steps
        .iter()
        .find(|step| step.source == source.path && step.target as usize == index);
    let state = if step.is_some() { "dirty" } else { "fresh" };
    let _ = writeln!(out, "{} for {}: {state}", source.path, target_label(target));
    for reason in step.map(|step| step.reasons.as_slice()).unwrap_or_default() {
        let _ = writeln!(out, "  because {}", reasons::reason(reason));
    }
    match slot {
        Slot::Output(output) => {
            let place = prepared.loaded.roots().get(usize::from(output.root.0));
            let place = place.filter(|_| output.root.0 > 0);
            let place = place.map(|root| format!("{}/", root.display())).unwrap_or_default();
            let _ = writeln!(out, "  output {place}{}", output.path);
        }
        Slot::Check(..) => {
            let _ = writeln!(out, "  no output: a script, CPython reads no cache for it");
        }
    }
    let action = action(source, target, prepared.loaded.inputs().canonical_form);
    let _ = writeln!(out, "  key {}", action.digest());
    let mut sink = TextSink::default();
    action.describe(&mut sink);
    for (name, value) in sink.fields {
        let _ = writeln!(out, "    {name:<18} {value}");
        if name == "toolchain" {
            let mut parts = TextSink::default();
            action.toolchain.describe(&mut parts);
            for (name, value) in parts.fields {
                let _ = writeln!(out, "      {name:<16} {value}");
            }
        }
    }
}

fn why_not(file: &Path, prepared: &Prepared, environment: &Environment) -> String {
    let Some(path) = repo_path(file, &prepared.root, environment) else {
        return format!("is not in the workspace `{}`", prepared.root.display());
    };
    for skipped in &prepared.plan.skipped {
        let (skipped_path, why) = reasons::skipped(skipped);
        let inside = RepoPath::parse_display(&skipped_path)
            .is_some_and(|folder| path.strip_prefix(&folder).is_some());
        if inside {
            return format!("is not compiled: {why}");
        }
    }
    if prepared.loaded.inputs().out_of_scope.contains(&path) {
        return "is not compiled: ignored by git or outside of every member".to_owned();
    }
    "is no source of the workspace (no such file, ignored by git, or outside of every member)"
        .to_owned()
}
