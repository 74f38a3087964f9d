//! The command, and the library face for xtasks and build scripts: arguments → settings → the
//! crates below → reporters → exit status. Decides nothing that a crate below could decide.

pub mod arguments;
mod calendar;
mod commands;
mod compilation;
pub mod environment;
pub mod exit;
pub mod failure;
mod fingerprints;
mod imports;
mod interrupt;
pub mod part;
pub mod precompile;
pub mod prepared;
pub mod remote;
pub mod remote_execution;
pub mod report;
pub mod schema;
pub mod session;
pub mod settings;
pub mod worker;

use std::ffi::OsString;

use clap::Parser;

use arguments::{Arguments, ColorChoice, Command};
use environment::Environment;
use exit::ExitStatus;
use failure::CommandFailure;
use report::terminal::{Terminal, Verbosity};

/// Runs the command with these arguments, the first of which is its own name.
pub fn main(arguments: Vec<OsString>) -> ExitStatus {
    let environment = Environment::read();
    let mut typed = arguments;
    let mut parameter_files = Vec::new();
    let mut arguments = match parse(&typed) {
        Ok(arguments) => arguments,
        Err(status) => return status,
    };
    let entries = match &arguments.command {
        Command::Compile(compile) => &*compile.entries,
        Command::Worker(worker) => &worker.compile.entries,
        Command::Archive(archive) => &archive.entries,
        _ => &[],
    };
    if commands::compile::has_parameter_files(entries) {
        let global = &arguments.global;
        match commands::compile::with_parameter_files(typed, global, &environment) {
            Ok(expanded) => (typed, parameter_files) = expanded,
            Err(failure) => return say(&failure, &terminal(&arguments, &environment)),
        }
        arguments = match parse(&typed) {
            Ok(arguments) => arguments,
            Err(status) => return status,
        };
    }
    let terminal = terminal(&arguments, &environment);
    match commands::run(&arguments, &parameter_files, &environment, &terminal) {
        Ok(status) => status,
        Err(failure) => say(&failure, &terminal),
    }
}

fn parse(typed: &[OsString]) -> Result<Arguments, ExitStatus> {
    Arguments::try_parse_from(typed).map_err(|error| {
        // Help and version go to standard output and are a success; a closed pipe is nobody's fault.
        let _ = error.print();
        if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Success }
    })
}

fn terminal(arguments: &Arguments, environment: &Environment) -> Terminal {
    let color = match arguments.global.color {
        Some(ColorChoice::Always) => Some(true),
        Some(ColorChoice::Never) => Some(false),
        Some(ColorChoice::Auto) | None => environment.color,
    };
    let verbosity = match (arguments.global.quiet, arguments.global.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Reasons,
        (false, _) => Verbosity::Everything,
    };
    Terminal::new(color, verbosity, environment.bars)
}

fn say(failure: &CommandFailure, terminal: &Terminal) -> ExitStatus {
    terminal.finish_bar();
    for message in &failure.messages {
        terminal.error(message);
    }
    if let Some(hint) = &failure.hint {
        terminal.help(hint);
    }
    failure.status
}
