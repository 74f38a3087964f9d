//! What people see of a build: status lines while it runs, diagnostics at its end, grouped and in
//! a fixed order, whatever order the workers finished in.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytekiln_action::{Diagnostic, DiagnosticKind, RepoPath};
use bytekiln_executor::{Event, Failure, JobEnd, Work};

use super::diagnostic::render;
use super::tally::{Tally, plural};
use super::terminal::{Terminal, Tone, Verbosity};
use super::{BuildNames, Reporter};

/// Subscriber for people.
pub struct HumanReporter<'a> {
    terminal: &'a Terminal,
    work: &'a Work,
    names: &'a BuildNames,
    deny_warnings: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tally: Tally,
    diagnostics: BTreeMap<(RepoPath, Diagnostic), Vec<String>>,
    failures: BTreeMap<(RepoPath, String), Vec<String>>,
}

impl<'a> HumanReporter<'a> {
    /// For one build.
    pub fn new(
        terminal: &'a Terminal,
        work: &'a Work,
        names: &'a BuildNames,
        deny_warnings: bool,
    ) -> HumanReporter<'a> {
        HumanReporter { terminal, work, names, deny_warnings, state: Mutex::default() }
    }

    fn job_ended(&self, job: usize, end: &JobEnd) {
        let Some(work) = self.work.jobs.get(job) else { return };
        let may_fail = self.names.may_fail(job);
        if let Ok(mut state) = self.state.lock() {
            state.tally.count(end, may_fail);
            let label = self.names.target(job);
            let (warnings, error) = match end {
                JobEnd::Compiled { warnings, .. } | JobEnd::Cached { warnings, .. } => {
                    (warnings.as_slice(), None)
                }
                JobEnd::Rejected { error, warnings, .. } => {
                    (warnings.as_slice(), (!may_fail).then_some(error))
                }
                JobEnd::Failed(Failure::NotTried) => (&[][..], None),
                JobEnd::Failed(failure) => {
                    let key = (work.source.clone(), failure_text(failure));
                    state.failures.entry(key).or_default().push(label.clone());
                    (&[][..], None)
                }
            };
            let shown = warnings.iter().filter(|warning| self.is_shown(warning));
            for diagnostic in shown.chain(error) {
                let key = (work.source.clone(), diagnostic.clone());
                state.diagnostics.entry(key).or_default().push(label.clone());
            }
        }
        self.terminal.advance_bar(|| work.source.to_string());
    }

    fn uploaded(&self, results: usize, missed: usize, said: bool) {
        if missed > 0 && !said {
            let results = plural(missed, "result was", "results were");
            self.terminal.warning(format!("{missed} {results} not uploaded to the remote cache"));
        }
        if results > 0 && self.terminal.verbosity() >= Verbosity::Reasons {
            let message = format!("{results} {}", plural(results, "result", "results"));
            self.terminal.status_in(Tone::Note, "Uploaded", message);
        }
    }

    /// CPython itself hides deprecations of code that is imported; so do we unless they matter.
    fn is_shown(&self, warning: &Diagnostic) -> bool {
        self.deny_warnings
            || warning.category != "DeprecationWarning"
            || self.terminal.verbosity() >= Verbosity::Reasons
    }
}

impl Reporter for HumanReporter<'_> {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started { jobs, .. } => self.terminal.start_bar("Building", *jobs),
            Event::LookedUp { hits, misses }
                if *hits > 0 && self.terminal.verbosity() >= Verbosity::Reasons =>
            {
                let message = format!("{hits} known results, {misses} to compile");
                self.terminal.status_in(Tone::Note, "Looked up", message);
            }
            Event::JobEnded { job, end, .. } => self.job_ended(*job, end),
            Event::WorkerLost { job, reason, retry, .. } => {
                let file = job.and_then(|job| self.work.jobs.get(job));
                let file = file.map_or(String::new(), |job| format!(" on `{}`", job.source));
                let next = if *retry { "; trying once more" } else { "" };
                self.terminal.warning(format!("a compiler was lost{file}: {reason}{next}"));
            }
            Event::ExecutorTrouble { message } => {
                self.terminal.warning(format!("{message}; compiling here"));
            }
            Event::StoreTrouble { message } => {
                self.terminal.warning(format!("{message}; going on without"));
            }
            Event::StoreWarning { message } => self.terminal.warning(message),
            Event::Uploaded { results, missed, said } => self.uploaded(*results, *missed, *said),
            Event::EntryDiscarded { job, message } => {
                let source = self.work.jobs.get(*job).map(|job| job.source.to_string());
                let source = source.unwrap_or_default();
                self.terminal
                    .warning(format!("the cached result for `{source}` is not usable: {message}"));
            }
            Event::Interrupted => self.terminal.warning("interrupted; finishing what runs"),
            Event::Removed { removal } => {
                if let Ok(mut state) = self.state.lock() {
                    state.tally.removed += 1;
                }
                if let Some(output) = self.work.removals.get(*removal)
                    && self.terminal.verbosity() >= Verbosity::Reasons
                {
                    self.terminal.status("Removed", &output.path);
                }
            }
            _ => {}
        }
    }

    fn finish(&self) -> Tally {
        self.terminal.finish_bar();
        let Ok(state) = self.state.lock() else { return Tally::default() };
        let style = self.terminal.style();
        for ((path, diagnostic), targets) in &state.diagnostics {
            let mut diagnostic = diagnostic.clone();
            if self.deny_warnings {
                diagnostic.kind = DiagnosticKind::Error;
            }
            self.terminal.say(&format!("{}\n", render(&diagnostic, path, targets, &style)));
        }
        for ((path, text), targets) in &state.failures {
            self.terminal.error(format!("`{path}`: {text} ({})", targets.join(", ")));
        }
        if state.tally.not_tried > 0 {
            let count = state.tally.not_tried;
            self.terminal
                .warning(format!("{count} {} not tried", plural(count, "file was", "files were")));
        }
        state.tally
    }
}

/// A failure in words.
pub fn failure_text(failure: &Failure) -> String {
    match failure {
        Failure::SourceChanged => {
            "changed while it was built; build again when the tree is still".to_owned()
        }
        Failure::SourceUnreadable(why) => format!("could not be read: {why}"),
        Failure::WorkerDied(why) => format!("the interpreter died on it twice: {why}"),
        Failure::TimedOut(limit) => format!(
            "the interpreter did not finish it within {} s, twice; raise --timeout if the machine is slow",
            limit.as_secs()
        ),
        Failure::CompilerUnusable(why) => why.clone(),
        Failure::OutOfResources(why) => {
            format!("the interpreter ran out of memory or stack: {why}")
        }
        Failure::InvalidResult(why) => {
            format!("the interpreter's result is not what a compiler makes: {why}")
        }
        Failure::UnexpectedOutput { expected: Some(expected), found } => {
            format!("its output is {found}, and {expected} is locked; nothing was written")
        }
        Failure::UnexpectedOutput { expected: None, found } => {
            format!("its output is {found}, and none is locked; nothing was written")
        }
        Failure::OutputUnwritable(why) => why.clone(),
        Failure::NotTried => "not tried".to_owned(),
        _ => format!("{failure:?}"),
    }
}
