//! The command, and the library face for xtasks and build scripts: arguments → settings → the
//! crates below → reporters → exit status. Decides nothing that a crate below could decide.

pub mod arguments;
mod calendar;
mod commands;
pub mod environment;
pub mod exit;
pub mod failure;
mod fingerprints;
mod imports;
pub mod part;
pub mod prepared;
pub mod remote;
pub mod report;
pub mod schema;
pub mod session;
pub mod settings;

use std::ffi::OsString;

use clap::Parser;

use arguments::{Arguments, ColorChoice};
use environment::Environment;
use exit::ExitStatus;
use report::terminal::{Terminal, Verbosity};

/// Runs the command with these arguments, the first of which is its own name.
pub fn main(arguments: Vec<OsString>) -> ExitStatus {
    let environment = Environment::read();
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output and are a success; a closed pipe is nobody's fault.
            let _ = error.print();
            return if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Success };
        }
    };
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
    let terminal = Terminal::new(color, verbosity, environment.bars);
    match commands::run(&arguments, &environment, &terminal) {
        Ok(status) => status,
        Err(failure) => {
            terminal.finish_bar();
            for message in &failure.messages {
                terminal.error(message);
            }
            if let Some(hint) = &failure.hint {
                terminal.help(hint);
            }
            failure.status
        }
    }
}
