//! `bytekiln cycles`: what imports itself by detours, and what to cut.

mod find;
mod groups;
mod human;
mod json;

use bytekiln_graph::Which;

use crate::arguments::{CyclesArguments, Global, PlanFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::imports::{self, OpenGraph};
use crate::report::tally::plural;
use crate::report::terminal::Terminal;
use find::Found;

/// What was asked, and found.
struct Answer<'a> {
    open: &'a OpenGraph,
    arguments: &'a CyclesArguments,
    /// Cycles up to these imports count for `--deny`.
    denied: Which,
    /// Up to these they are looked for.
    which: Which,
    /// By the imports that close them, then largest first.
    cycles: Vec<Found>,
}

/// Runs the command.
pub(crate) fn run(
    arguments: &CyclesArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let open = imports::open(&arguments.selection, &[], global, environment, terminal)?;
    let which = open.imports.unwrap_or(Which::Runtime);
    let denied = open.imports.unwrap_or(Which::Eager);
    let cycles = find::find(&open, arguments.by, which);
    let answer = Answer { open: &open, arguments, denied, which, cycles };
    match arguments.format {
        PlanFormat::Human => {
            terminal.data(&human::render(&answer, terminal));
            terminal.status("Found", human::summary(&answer));
        }
        PlanFormat::Json => terminal.data(&json::render(&answer)),
    }
    let refused = answer.refused();
    if !arguments.deny || refused == 0 {
        return Ok(ExitStatus::Success);
    }
    terminal.error(format!(
        "{refused} {} not allowed",
        plural(refused, "cycle of imports is", "cycles of imports are")
    ));
    Ok(ExitStatus::Failure)
}

impl Answer<'_> {
    /// How many cycles `--deny` is about.
    fn refused(&self) -> usize {
        self.cycles.iter().filter(|cycle| cycle.closed_by <= self.denied).count()
    }
}
