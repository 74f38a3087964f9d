//! `bytekiln normalize`.

use crate::arguments::{Global, NormalizeArguments};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(
    _arguments: &NormalizeArguments,
    _global: &Global,
    _environment: &Environment,
    _terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    Err(CommandFailure::usage("`normalize` is being built"))
}
