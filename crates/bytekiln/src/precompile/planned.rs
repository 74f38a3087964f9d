//! A plan that can be looked at and carried out.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytekiln_action::Diagnostic;
use bytekiln_executor::{
    Event, Failure, JobEnd, LinkPolicy, Options, Order, Unplaced, Work, execute,
};
use bytekiln_planner::{OutputPath, Severity};
use bytekiln_project::StateLock;

use crate::failure::CommandFailure;
use crate::prepared::{Planning, Preparation, Prepared, target_label};
use crate::report::BuildNames;
use crate::report::diagnostic::{Style, render};
use crate::report::human::failure_text;
use crate::report::reasons;
use crate::report::tally::Tally;
use crate::report::terminal::Terminal;
use crate::session::Session;

/// The least time that a file gets, as in `bytekiln build`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What is to be done.
pub struct Planned<'a> {
    session: Session<'a>,
    terminal: &'a Terminal,
    prepared: Option<Box<Prepared>>,
    steps: Vec<PlannedStep>,
    removals: Vec<PathBuf>,
    fresh: usize,
    root: PathBuf,
    is_settled_with_errors: bool,
    _lock: Option<StateLock>,
}

/// One compilation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// Absolute path.
    pub source: PathBuf,
    /// `CPython 3.11.7 -O`.
    pub target: String,
    /// Absolute path; `None` for scripts, which are only checked.
    pub output: Option<PathBuf>,
    /// Why it is not fresh, in words.
    pub reasons: Vec<String>,
}

/// One thing that happened, from any thread. Paths are those of the plan.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Compiled now.
    Compiled(&'a PlannedStep),
    /// Known already: from a cache, or the output was right.
    Cached(&'a PlannedStep),
    /// The compiler refuses it.
    Rejected {
        /// What.
        step: &'a PlannedStep,
        /// Message, place, line and caret, without colours.
        diagnostic: String,
        /// The manifest lets it fail.
        allowed: bool,
    },
    /// Something else went wrong.
    Failed {
        /// What.
        step: &'a PlannedStep,
        /// Why.
        message: String,
    },
    /// The compiler warns.
    Warning {
        /// Of what.
        step: &'a PlannedStep,
        /// As of a rejection.
        diagnostic: String,
    },
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What became of the files.
    pub tally: Tally,
    /// What else is to be known: of the workspace, the cache, the removal of outputs.
    pub warnings: Vec<String>,
    success: bool,
}

impl Outcome {
    /// Whether everything is compiled, or may fail.
    pub fn is_success(&self) -> bool {
        self.success
    }
}

impl<'a> Planned<'a> {
    pub(super) fn new(
        session: Session<'a>,
        lock: Option<StateLock>,
        force: bool,
        terminal: &'a Terminal,
    ) -> Result<Planned<'a>, CommandFailure> {
        let planning = Planning { force, fully: false, want_warnings: false };
        let root = session.settings().workspace.root.clone();
        let mut planned = Planned {
            session,
            terminal,
            prepared: None,
            steps: Vec::new(),
            removals: Vec::new(),
            fresh: 0,
            root,
            is_settled_with_errors: false,
            _lock: lock,
        };
        match planned.session.prepare(planning)? {
            Preparation::Settled { fresh, problems, .. } => {
                planned.fresh = fresh;
                planned.is_settled_with_errors =
                    problems.iter().any(|problem| problem.severity == Severity::Error);
                crate::report::problems::say(terminal, &problems);
            }
            Preparation::Open(prepared) => {
                crate::report::problems::say(terminal, &prepared.plan.problems);
                planned.fresh = prepared.plan.fresh.len();
                planned.describe(&prepared);
                planned.prepared = Some(prepared);
            }
        }
        Ok(planned)
    }

    fn describe(&mut self, prepared: &Prepared) {
        let targets = &prepared.loaded.inputs().targets;
        let roots = prepared.loaded.roots();
        let place = |output: &OutputPath| {
            let root = roots.get(usize::from(output.root.0)).map_or(Path::new("/"), |it| it);
            root.join(OsStr::from_bytes(output.path.as_bytes()))
        };
        let steps = prepared.plan.steps.iter().map(|step| PlannedStep {
            source: prepared.root.join(OsStr::from_bytes(step.source.as_bytes())),
            target: targets.get(step.target as usize).map(target_label).unwrap_or_default(),
            output: step.output.as_ref().map(place),
            reasons: step.reasons.iter().map(reasons::reason).collect(),
        });
        self.steps = steps.collect();
        self.removals =
            prepared.plan.removals.iter().map(|removal| place(&removal.output)).collect();
    }

    /// The folder of the workspace.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is to be compiled, in a fixed order.
    pub fn steps(&self) -> &[PlannedStep] {
        &self.steps
    }

    /// Outputs that are to be removed: their source is gone, or they are of another mode or target.
    pub fn removals(&self) -> &[PathBuf] {
        &self.removals
    }

    /// How many outputs are right already.
    pub fn fresh(&self) -> usize {
        self.fresh
    }

    /// Compiles, removes, and writes down what came of it. A source that does not compile loses
    /// nothing of the others.
    ///
    /// # Errors
    /// Nothing was begun; a file that fails is no error, but in the outcome.
    pub fn execute(
        mut self,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Outcome, CommandFailure> {
        let Some(mut prepared) = self.prepared.take() else {
            return Ok(Outcome {
                tally: Tally { fresh: self.fresh, ..Tally::default() },
                warnings: self.terminal.take_said(),
                success: !self.is_settled_with_errors,
            });
        };
        let errors =
            prepared.plan.problems.iter().any(|problem| problem.severity == Severity::Error);
        let (work, names) = prepared.take_work();
        let tally = Mutex::new(Tally { fresh: self.fresh, ..Tally::default() });
        let events = |event: &Event<'_>| self.tell(event, &names, &tally, progress);
        let store = self.session.store();
        let mut report = execute(&Order {
            work: &work,
            expected: &prepared.expected,
            unplaced: Unplaced::Digest,
            sources: None,
            engine: &self.session.engine(),
            store: store.as_deref(),
            remote: None,
            elsewhere: None,
            options: &Options {
                jobs: self.session.jobs(),
                keep_going: true,
                link: if prepared.link { LinkPolicy::Link } else { LinkPolicy::Copy },
                timeout: TIMEOUT,
            },
            events: &events,
            cancel: &AtomicBool::new(false),
        });
        let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        tally.removed = report.removed.len();
        tally.removed += self.session.remove_outdated(&prepared, &work, &mut report);
        for (output, error) in &report.not_removed {
            let output = &output.path;
            self.terminal.error(format!("the stale output `{output}` was not removed: {error}"));
        }
        let denied = prepared.deny_warnings && tally.warnings > 0;
        let failed = tally.rejected + tally.failed + tally.not_tried > 0 || denied || errors;
        let success = !failed && report.not_removed.is_empty();
        self.record(*prepared, work, report, &names)?;
        if tally.compiled > 0 {
            self.session.trim_cache();
        }
        Ok(Outcome { tally, warnings: self.terminal.take_said(), success })
    }

    fn record(
        &self,
        prepared: Prepared,
        work: Work,
        report: bytekiln_executor::Report,
        names: &BuildNames,
    ) -> Result<(), CommandFailure> {
        self.session.record(prepared, work, report, names)
    }

    fn tell(
        &self,
        event: &Event<'_>,
        names: &BuildNames,
        tally: &Mutex<Tally>,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) {
        let (job, end) = match event {
            Event::JobEnded { job, end, .. } => (*job, *end),
            Event::StoreTrouble { message } => {
                return self.terminal.warning(format!("{message}; going on without"));
            }
            Event::StoreWarning { message } => return self.terminal.warning(message),
            _ => return,
        };
        let Some(step) = self.steps.get(job) else { return };
        let allowed = names.may_fail(job);
        tally.lock().unwrap_or_else(PoisonError::into_inner).count(end, allowed);
        let shown = |diagnostic: &Diagnostic| {
            let path = step.source.strip_prefix(&self.root).unwrap_or(&step.source);
            let style = Style { color: false, width: None };
            render(diagnostic, &path.display(), std::slice::from_ref(&step.target), &style)
        };
        let warnings: &[Diagnostic] = match end {
            JobEnd::Compiled { warnings, .. } => {
                progress(Progress::Compiled(step));
                warnings
            }
            JobEnd::Cached { warnings, .. } => {
                progress(Progress::Cached(step));
                warnings
            }
            JobEnd::Rejected { error, warnings, .. } => {
                progress(Progress::Rejected { step, diagnostic: shown(error), allowed });
                warnings
            }
            JobEnd::Failed(Failure::NotTried) => &[],
            JobEnd::Failed(failure) => {
                progress(Progress::Failed { step, message: failure_text(failure) });
                &[]
            }
        };
        for warning in warnings.iter().filter(|it| it.category != "DeprecationWarning") {
            progress(Progress::Warning { step, diagnostic: shown(warning) });
        }
    }
}
