//! `bytekiln build`: plan, carry out, report, record.

use std::time::{Duration, Instant};

use bytekiln_codec::CANONICAL_FORM_VERSION;
use bytekiln_executor::{
    Event, LinkPolicy, Options, Order, RemoteCache, Report, Unplaced, Work, execute,
};
use bytekiln_planner::{Problem, Severity, Skipped};
use serde_json::json;

use crate::arguments::{BuildArguments, MessageFormat};
use crate::commands::lock::{self, Held};
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::prepared::{Planning, Preparation, Prepared, target_label};
use crate::remote_execution::OpenExecutor;
use crate::report::human::HumanReporter;
use crate::report::json::{self, JsonReporter};
use crate::report::opener;
use crate::report::tally::{Tally, plural};
use crate::report::terminal::{Terminal, Tone, Verbosity};
use crate::report::timings::{TimingsHeader, TimingsRecorder};
use crate::report::{BuildNames, Reporter, problems, reasons};
use crate::schema::{PlanFile, ProblemRow, path_text};
use crate::session::Session;

/// `bytekiln build`.
pub(crate) fn run(
    arguments: &BuildArguments,
    mut session: Session<'_>,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let started = Instant::now();
    interrupt::watch(terminal);
    if let Some(file) = &arguments.plan {
        return run_plan_file(arguments, file, session, terminal, started);
    }
    let json = arguments.message_format == MessageFormat::Json;
    let _lock = session.lock()?;
    if let Some(part) = session.choose(&arguments.part)?
        && !json
    {
        terminal.status("Selected", part.description());
    }
    let mut held = if arguments.locked { Some(Held::read(&session)?) } else { None };
    let planning = Planning {
        force: arguments.force,
        fully: held.as_ref().is_some_and(|held| !held.was_compared(&session)),
        want_warnings: arguments.deny_warnings,
    };
    let prepared = match session.prepare(planning)? {
        Preparation::Settled { profile, workspace, fresh, problems } => {
            let tally = Tally { fresh, ..Tally::default() };
            if json {
                json::started(terminal, &profile, &path_text(&workspace), 0, 0);
                for problem in &problems {
                    say_problem_json(terminal, problem);
                }
                json::finished(terminal, true, &tally, started);
            } else {
                problems::say(terminal, &problems);
                finished_line(terminal, &profile, &tally, started);
            }
            return Ok(ExitStatus::Success);
        }
        Preparation::Open(prepared) => prepared,
    };
    let mut prepared = prepared;
    if json {
        let plan = &prepared.plan;
        let root = path_text(&prepared.root);
        json::started(terminal, &prepared.profile, &root, plan.steps.len(), plan.removals.len());
        for problem in &plan.problems {
            say_problem_json(terminal, problem);
        }
    }
    if let Some(held) = &mut held {
        let drift = held.compare(&session, &prepared)?;
        if !drift.is_empty() {
            lock::say_drift(terminal, json, &prepared.profile, &drift);
            let fresh = prepared.plan.fresh.len();
            let tally = Tally { fresh, not_tried: prepared.plan.steps.len(), ..Tally::default() };
            if json {
                json::finished(terminal, false, &tally, started);
            }
            return Ok(ExitStatus::Failure);
        }
    }
    if !json {
        announce(&prepared, terminal);
    }
    if arguments.no_keep_going {
        session.put_most_imported_first(&mut prepared)?;
    }
    let (work, names) = prepared.take_work();
    if let Some(held) = &mut held {
        prepared.expected = held.expected(&prepared, &work)?;
    }
    let (mut report, mut tally, mut failed) =
        carry_out(arguments, &session, terminal, &work, &names, &prepared, started)?;
    let drift = lock::unexpected_ends(&prepared, &work, &report);
    if !drift.is_empty() {
        failed = true;
        lock::say_unexpected(terminal, json, &prepared.profile, &drift);
    }
    tally.fresh = prepared.plan.fresh.len();
    tally.removed += session.remove_outdated(&prepared, &work, &mut report);
    let errors = prepared.plan.problems.iter().any(|problem| problem.severity == Severity::Error);
    let success = !failed && !errors && report.not_removed.is_empty();
    let profile = prepared.profile.clone();
    let partial = prepared.partial;
    let (interrupted, jobs) = (report.interrupted, work.jobs.len());
    for (output, error) in &report.not_removed {
        terminal.error(format!("the stale output `{}` could not be removed: {error}", output.path));
    }
    session.record(*prepared, work, report, &names)?;
    if let Some(held) = held.filter(|_| success && !interrupted && !partial) {
        held.remember(&session, terminal);
    }
    if tally.compiled + tally.executed > 0 && !interrupted {
        session.trim_cache();
    }
    if json {
        json::finished(terminal, success && !interrupted, &tally, started);
    } else if interrupted {
        interrupted_line(terminal, &tally, jobs);
    } else if success {
        finished_line(terminal, &profile, &tally, started);
    } else {
        failed_line(terminal, &profile, &tally);
    }
    Ok(match (interrupted, success) {
        (true, _) => ExitStatus::Interrupted,
        (false, true) => ExitStatus::Success,
        (false, false) => ExitStatus::Failure,
    })
}

/// Executes with the reporters that were asked for. The third value: some file failed.
fn carry_out(
    arguments: &BuildArguments,
    session: &Session<'_>,
    terminal: &Terminal,
    work: &Work,
    names: &BuildNames,
    prepared: &Prepared,
    started: Instant,
) -> Result<(Report, Tally, bool), CommandFailure> {
    let deny_warnings = arguments.deny_warnings || prepared.deny_warnings;
    let human;
    let machine;
    let reporter: &dyn Reporter = match arguments.message_format {
        MessageFormat::Human => {
            human = HumanReporter::new(terminal, work, names, deny_warnings);
            &human
        }
        MessageFormat::Json => {
            machine = JsonReporter::new(terminal, work, names);
            &machine
        }
    };
    let timings = arguments.timings.as_ref().map(|_| TimingsRecorder::new());
    let subscriber = |event: &Event<'_>| {
        reporter.event(event);
        if let Some(timings) = &timings {
            timings.event(event, started.elapsed());
        }
    };
    let (store, remote, executor) = (session.store(), session.remote()?, session.executor()?);
    let options = Options {
        jobs: session.jobs(),
        keep_going: !arguments.no_keep_going,
        link: if prepared.link { LinkPolicy::Link } else { LinkPolicy::Copy },
        timeout: Duration::from_secs(arguments.timeout),
    };
    let engine = session.engine();
    let report = execute(&Order {
        work,
        expected: &prepared.expected,
        unplaced: Unplaced::Digest,
        sources: None,
        engine: &engine,
        store: store.as_deref(),
        remote: remote.as_ref().map(|remote| RemoteCache {
            source_hashes: Some(prepared.loaded.source_hashes()),
            ..remote.cache()
        }),
        elsewhere: executor.as_ref().map(OpenExecutor::compiler),
        options: &options,
        events: &subscriber,
        cancel: &interrupt::CANCEL,
    });
    let tally = reporter.finish();
    if let Some(remote) = &remote {
        remote.say_traffic(terminal);
    }
    if let Some(executor) = &executor {
        executor.say_traffic(terminal);
    }
    if let (Some(timings), Some(file)) = (&timings, &arguments.timings) {
        let header = TimingsHeader {
            title: prepared.profile.clone(),
            wall: started.elapsed(),
            jobs: options.jobs.get(),
            members: prepared.members.clone(),
            version: env!("CARGO_PKG_VERSION"),
        };
        let file = file.clone().unwrap_or_else(|| session.state_dir().join("timings.html"));
        std::fs::write(&file, timings.page(work, &header)).map_err(|error| {
            CommandFailure::failure(format!("could not write `{}`: {error}", file.display()))
        })?;
        terminal.status("Timings", format!("in {}", file.display()));
        if arguments.open {
            opener::open(&file, terminal);
        }
    }
    let denied = deny_warnings && tally.warnings > 0;
    if denied {
        let count = tally.warnings;
        terminal.error(format!("{count} {} denied", plural(count, "warning is", "warnings are")));
    }
    let failed = tally.rejected + tally.failed + tally.not_tried > 0 || denied;
    Ok((report, tally, failed))
}

fn announce(prepared: &Prepared, terminal: &Terminal) {
    problems::say(terminal, &prepared.plan.problems);
    if terminal.verbosity() >= Verbosity::Reasons {
        for step in &prepared.plan.steps {
            let why: Vec<String> = step.reasons.iter().map(reasons::reason).collect();
            let target = prepared.loaded.inputs().targets.get(step.target as usize);
            let label = target.map(target_label).unwrap_or_default();
            let message = format!("{} for {label}: {}", step.source, why.join("; "));
            terminal.status_in(Tone::Note, "Dirty", message);
        }
        for removal in &prepared.plan.removals {
            let why = reasons::removal(&removal.reason);
            terminal.status_in(Tone::Note, "Stale", format!("{}: {why}", removal.output.path));
        }
        for skipped in &prepared.plan.skipped {
            let (path, why) = reasons::skipped(skipped);
            terminal.status_in(Tone::Note, "Skipped", format!("{path}: {why}"));
        }
    }
    let is_outside = |skipped: &&Skipped| matches!(skipped, Skipped::LinkLeavesWorkspace { .. });
    let outside = prepared.plan.skipped.iter().filter(is_outside).count();
    if outside > 0 && terminal.verbosity() < Verbosity::Reasons {
        let links = plural(outside, "link that leaves", "links that leave");
        let message = format!("{outside} {links} the workspace; -v names them");
        terminal.status_in(Tone::Note, "Skipped", message);
    }
    for (member, target, count) in prepared.batches() {
        let files = plural(count, "file", "files");
        let message = match member.as_str() {
            // The workspace itself, where no project gives it a name.
            "." => format!("{count} {files} for {target}"),
            _ => format!("{member} ({count} {files}) for {target}"),
        };
        terminal.status("Compiling", message);
    }
    let orphans = prepared.plan.orphans.len();
    if orphans > 0 {
        let what = plural(orphans, "cache of another tool has", "caches of other tools have");
        terminal.warning(format!("{orphans} {what} no source any more"));
        terminal.help(
            "see them with `bytekiln plan`, remove them with `bytekiln build --remove-orphans`",
        );
    }
}

fn say_problem_json(terminal: &Terminal, problem: &Problem) {
    let row = ProblemRow::new(problem);
    json::line(
        terminal,
        &json!({
            "reason": "problem",
            "severity": row.severity,
            "path": row.path,
            "message": row.message,
            "hint": row.hint,
        }),
    );
}

fn finished_line(terminal: &Terminal, profile: &str, tally: &Tally, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    let warnings = match tally.warnings {
        0 => String::new(),
        count => format!(" ({count} {})", plural(count, "warning", "warnings")),
    };
    terminal.status(
        "Finished",
        format!("`{profile}`: {}{warnings} in {seconds:.2}s", tally.sentence()),
    );
}

fn failed_line(terminal: &Terminal, profile: &str, tally: &Tally) {
    terminal.status_in(Tone::Error, "Failed", format!("`{profile}`: {}", tally.sentence()));
}

fn interrupted_line(terminal: &Terminal, tally: &Tally, jobs: usize) {
    let done = jobs.saturating_sub(tally.not_tried);
    let message = format!("after {done} of {jobs} files; the tree is whole, build again to go on");
    terminal.status_in(Tone::Warning, "Interrupted", message);
}

fn run_plan_file(
    arguments: &BuildArguments,
    file: &std::path::Path,
    mut session: Session<'_>,
    terminal: &Terminal,
    started: Instant,
) -> Result<ExitStatus, CommandFailure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        CommandFailure::usage(format!("could not read the plan `{shown}`: {error}"))
    })?;
    let plan: PlanFile = serde_json::from_str(&text).map_err(|error| {
        CommandFailure::usage(format!("`{shown}` is no plan: {error}"))
            .hint("make one with `bytekiln plan --format json > FILE`")
    })?;
    let work = plan.work(CANONICAL_FORM_VERSION).map_err(|error| {
        CommandFailure::usage(format!("the plan `{shown}` cannot be carried out: {error}"))
            .hint("make it again with `bytekiln plan --format json`")
    })?;
    session.use_profile(&plan.profile)?;
    let _lock = session.lock()?;
    let mut prepared = session.prepare_fully(false)?;
    let names = prepared.adopt(&plan, &work, file)?;
    let json = arguments.message_format == MessageFormat::Json;
    if json {
        let root = path_text(&prepared.root);
        json::started(terminal, &plan.profile, &root, work.jobs.len(), work.removals.len());
    } else {
        let count = work.jobs.len();
        terminal.status(
            "Compiling",
            format!("{count} {} as `{shown}` says", plural(count, "file", "files")),
        );
    }
    let (report, mut tally, failed) =
        carry_out(arguments, &session, terminal, &work, &names, &prepared, started)?;
    tally.fresh = plan.fresh;
    let interrupted = report.interrupted;
    let success = !failed && report.not_removed.is_empty() && !interrupted;
    session.record(*prepared, work, report, &names)?;
    if json {
        json::finished(terminal, success, &tally, started);
    } else if success {
        finished_line(terminal, &plan.profile, &tally, started);
    } else {
        failed_line(terminal, &plan.profile, &tally);
    }
    Ok(match (interrupted, success) {
        (true, _) => ExitStatus::Interrupted,
        (false, true) => ExitStatus::Success,
        (false, false) => ExitStatus::Failure,
    })
}
