//! The terminal: status lines in cargo's manner, colours only where they are welcome, talk on
//! standard error and data on standard output. The one place that writes to either.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::diagnostic::Style;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors and warnings.
    Quiet,
    /// And what is done.
    Normal,
    /// And why.
    Reasons,
    /// And what is not done.
    Everything,
}

/// Standard output and standard error of this process.
#[derive(Debug)]
pub struct Terminal {
    color: bool,
    data_color: bool,
    interactive: bool,
    verbosity: Verbosity,
    bar: Mutex<Option<ProgressBar>>,
    /// Talk goes here, not to standard error.
    collected: Option<Mutex<Vec<String>>>,
}

/// The colour of a status verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Progress.
    Good,
    /// Passing remark.
    Note,
    /// Something to look at.
    Warning,
    /// Failure.
    Error,
}

impl Terminal {
    /// `color` is `None` for "if standard error is a terminal".
    pub fn new(color: Option<bool>, verbosity: Verbosity, allow_bars: bool) -> Terminal {
        let is_terminal = std::io::stderr().is_terminal();
        Terminal {
            color: color.unwrap_or(is_terminal),
            data_color: color.unwrap_or_else(|| std::io::stdout().is_terminal()),
            interactive: is_terminal && allow_bars,
            verbosity,
            bar: Mutex::new(None),
            collected: None,
        }
    }

    /// For the library face: prints nothing, keeps errors and warnings for [`Terminal::take_said`].
    pub fn collecting() -> Terminal {
        Terminal {
            color: false,
            data_color: false,
            interactive: false,
            verbosity: Verbosity::Quiet,
            bar: Mutex::new(None),
            collected: Some(Mutex::default()),
        }
    }

    /// What was said since the last call, of a terminal that collects.
    pub fn take_said(&self) -> Vec<String> {
        let said =
            self.collected.as_ref().map(|said| said.lock().map(|mut it| std::mem::take(&mut *it)));
        said.and_then(Result::ok).unwrap_or_default()
    }

    /// How much is said.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Columns of the terminal that data goes to; none where it goes elsewhere.
    pub fn data_width(&self) -> Option<usize> {
        let out = std::io::stdout();
        if !out.is_terminal() {
            return None;
        }
        let size = rustix::termios::tcgetwinsize(&out).ok()?;
        Some(usize::from(size.ws_col)).filter(|width| *width > 0)
    }

    /// For renderers of diagnostics.
    pub fn style(&self) -> Style {
        Style { color: self.color, width: None }
    }

    /// `   Compiling what`, unless quiet.
    pub fn status(&self, verb: &str, what: impl std::fmt::Display) {
        self.status_in(Tone::Good, verb, what);
    }

    /// A status line in another colour, unless quiet.
    pub fn status_in(&self, tone: Tone, verb: &str, what: impl std::fmt::Display) {
        if self.verbosity > Verbosity::Quiet {
            self.say(&format!("{} {what}", self.paint(tone, &format!("{verb:>12}"))));
        }
    }

    /// `error: message`, always.
    pub fn error(&self, message: impl std::fmt::Display) {
        self.say(&format!("{}: {message}", self.paint(Tone::Error, "error")));
    }

    /// `warning: message`, always.
    pub fn warning(&self, message: impl std::fmt::Display) {
        self.say(&format!("{}: {message}", self.paint(Tone::Warning, "warning")));
    }

    /// `  = help: hint`.
    pub fn help(&self, hint: impl std::fmt::Display) {
        self.say(&format!("  {} {hint}", self.paint(Tone::Note, "= help:")));
    }

    /// `text` in the colour of `tone`, if colours are on.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        painted(self.color, tone, text)
    }

    /// As [`Terminal::paint`], for text that goes to standard output.
    pub fn paint_data(&self, tone: Tone, text: &str) -> String {
        painted(self.data_color, tone, text)
    }

    /// A line (or several) on standard error, above the bar.
    pub fn say(&self, text: &str) {
        if let Some(collected) = &self.collected {
            if let Ok(mut said) = collected.lock() {
                said.push(text.trim_end().to_owned());
            }
            return;
        }
        let write = || {
            // A closed standard error leaves nobody to tell.
            let text = text.strip_suffix('\n').unwrap_or(text);
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        };
        match self.bar.lock().ok().as_deref() {
            Some(Some(bar)) => bar.suspend(write),
            Some(None) | None => write(),
        }
    }

    /// Data on standard output. A reader that has gone away is no fault: the command ends well.
    pub fn data(&self, text: &str) {
        self.data_bytes(text.as_bytes());
    }

    /// As [`Terminal::data`], for names of files, which may be no text.
    pub fn data_bytes(&self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(bytes).and_then(|()| out.flush());
    }

    /// Large data on standard output, written as it is made. A reader that has gone away is no fault.
    ///
    /// # Errors
    /// Standard output takes no more, as on a full disk.
    pub fn stream(
        &self,
        write: &mut dyn FnMut(&mut dyn Write) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }

    /// Shows a bar that vanishes, on a terminal and unless quiet.
    pub fn start_bar(&self, verb: &'static str, length: usize) {
        if !self.interactive || self.verbosity == Verbosity::Quiet || length == 0 {
            return;
        }
        let bar = ProgressBar::with_draw_target(
            Some(length as u64),
            ProgressDrawTarget::stderr_with_hz(12),
        );
        let prefix = self.paint(Tone::Note, &format!("{verb:>12}"));
        if let Ok(style) =
            ProgressStyle::with_template("{prefix} [{bar:27}] {human_pos}/{human_len} {wide_msg}")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(prefix);
        if let Ok(mut slot) = self.bar.lock() {
            *slot = Some(bar);
        }
    }

    /// Moves the bar by one.
    pub fn advance_bar(&self, message: impl FnOnce() -> String) {
        if let Ok(slot) = self.bar.lock()
            && let Some(bar) = slot.as_ref()
        {
            bar.set_message(message());
            bar.inc(1);
        }
    }

    /// Takes the bar away.
    pub fn finish_bar(&self) {
        if let Ok(mut slot) = self.bar.lock()
            && let Some(bar) = slot.take()
        {
            bar.finish_and_clear();
        }
    }
}

fn painted(color: bool, tone: Tone, text: &str) -> String {
    if !color {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Good => "1;32",
        Tone::Note => "1;36",
        Tone::Warning => "1;33",
        Tone::Error => "1;31",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}
