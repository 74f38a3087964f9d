//! `bytekiln diff`.

use crate::arguments::{DiffArguments, Global};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(
    _arguments: &DiffArguments,
    _global: &Global,
    _environment: &Environment,
    _terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    Err(CommandFailure::usage("`diff` is being built"))
}
