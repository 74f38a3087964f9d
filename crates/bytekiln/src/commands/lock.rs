//! `bytekiln lock`.

use crate::arguments::LockArguments;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;
use crate::session::Session;

/// Runs the command.
pub(crate) fn run(
    _arguments: &LockArguments,
    _session: Session<'_>,
    _terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    Err(CommandFailure::usage("`lock` is being built"))
}
