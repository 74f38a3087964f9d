//! `bytekiln verify`: proves that caches came from their sources.

use crate::arguments::{Global, VerifyArguments};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;

/// Runs the command.
pub(crate) fn run(
    _arguments: &VerifyArguments,
    _global: &Global,
    _environment: &Environment,
    _terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    Err(CommandFailure::usage("`verify` is being built"))
}
