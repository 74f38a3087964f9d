//! `bytekiln normalize`: caches of other tools into the canonical form. `inventory` lists them,
//! `work` rewrites them, `records` keeps `RECORD`s true, `report` says what came of it.

mod inventory;
mod records;
mod report;
mod work;

use std::time::Instant;

use bytekiln_artifact::Replacer;
use bytekiln_proof::RewriteMode;
use bytekiln_python::InvalidationMode;

use crate::arguments::{Global, NormalizeArguments, NormalizeMode, PlanFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::report::terminal::Terminal;
use crate::settings::start_folder;
use inventory::Inventory;
use records::Records;
use report::Run;
use work::{Outcome, Wanted};

/// Runs the command.
pub(crate) fn run(
    arguments: &NormalizeArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let started = Instant::now();
    interrupt::watch(terminal);
    let start = start_folder(global, environment)?;
    let jobs = arguments.jobs.unwrap_or_else(bytekiln_executor::available_parallelism);
    let wanted = Wanted {
        mode: match arguments.invalidation_mode {
            NormalizeMode::CheckedHash => RewriteMode::Hash(InvalidationMode::CheckedHash),
            NormalizeMode::UncheckedHash => RewriteMode::Hash(InvalidationMode::UncheckedHash),
            NormalizeMode::Keep => RewriteMode::Keep,
        },
        recorded_path: arguments.recorded_path,
    };
    let replacer = if arguments.check {
        None
    } else {
        Some(Replacer::new().map_err(|error| {
            CommandFailure::environment(format!("a thread could not be started: {error}"))
        })?)
    };
    let human = arguments.format == PlanFormat::Human;
    if human {
        let names: Vec<String> =
            arguments.paths.iter().map(|path| path.display().to_string()).collect();
        let verb = if arguments.check { "Checking" } else { "Normalizing" };
        terminal.status(verb, names.join(", "));
    }
    let inventory = Inventory::take(&arguments.paths, &start, jobs)?;
    let mut records = Records::read(&inventory.roots);
    let mut troubles = inventory.unreadable.clone();
    troubles.append(&mut records.unreadable);

    terminal.start_bar("Normalizing", inventory.subjects.len());
    let (subjects, replace) = (&inventory.subjects, replacer.as_ref());
    let outcomes =
        work::run(subjects, &records, wanted, replace, jobs, &interrupt::CANCEL, &|subject| {
            terminal.advance_bar(|| subject.shown.display().to_string());
        });
    terminal.finish_bar();
    for (subject, outcome) in inventory.subjects.iter().zip(&outcomes) {
        if let Outcome::Normalized { digest: Some(digest), .. } = outcome {
            let rows = records.rows(subject.root, &subject.below_root).to_vec();
            records.update(&rows, *digest);
        }
    }
    if let Some(replacer) = replacer {
        troubles.extend(records.write(&replacer));
        troubles.extend(replacer.finish().iter().map(ToString::to_string));
    }
    let run = Run {
        inventory: &inventory,
        outcomes: &outcomes,
        wanted,
        check: arguments.check,
        records: records.changed(),
        troubles: &troubles,
        elapsed: started.elapsed(),
    };
    if human {
        report::human(&run, terminal);
    } else {
        report::json(&run, arguments, terminal);
    }
    Ok(status(&run))
}

fn status(run: &Run<'_>) -> ExitStatus {
    let counts = run.counts();
    if interrupt::is_interrupted() {
        ExitStatus::Interrupted
    } else if !counts.is_well() || !run.troubles.is_empty() || (run.check && !counts.is_normal()) {
        ExitStatus::Failure
    } else {
        ExitStatus::Success
    }
}
