//! Ctrl-C: the first one lets what runs finish, the second one ends the process. One place for the whole
//! command, as a process has one handler. Knows nothing of what runs.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::ExitStatus;
use crate::report::terminal::Terminal;

/// Set by the first Ctrl-C.
pub(crate) static CANCEL: AtomicBool = AtomicBool::new(false);

/// Whether the user has interrupted.
pub(crate) fn is_interrupted() -> bool {
    CANCEL.load(Ordering::Relaxed)
}

/// Listens. A second Ctrl-C leaves no half-written file either, only temporary ones.
pub(crate) fn watch(terminal: &Terminal) {
    let handler = || {
        if CANCEL.swap(true, Ordering::SeqCst) {
            std::process::exit(ExitStatus::Interrupted.code().into());
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        terminal.warning(format!("Ctrl-C will end the command at once: {error}"));
    }
}
