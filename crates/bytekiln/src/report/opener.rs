//! `--open`: shows a page that was written, in whatever the desktop shows pages with. Knows nothing of what
//! is in it.

use std::path::Path;
use std::process::{Command, Stdio};

use super::terminal::Terminal;

/// What desktops have for it, in the order in which they are tried.
const OPENERS: [&str; 3] = if cfg!(target_os = "macos") {
    ["open", "xdg-open", "sensible-browser"]
} else {
    ["xdg-open", "sensible-browser", "open"]
};

/// Opens it, and does not wait. That nothing can is a warning: the page is there.
pub(crate) fn open(page: &Path, terminal: &Terminal) {
    let started = OPENERS.into_iter().any(|opener| {
        let mut command = Command::new(opener);
        command.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().is_ok()
    });
    if started {
        terminal.status("Opening", format!("`{}`", page.display()));
    } else {
        let tried = OPENERS.join("`, `");
        terminal.warning(format!("nothing here opens pages (tried `{tried}`)"));
    }
}
