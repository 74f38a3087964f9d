//! `bytekiln doctor`: what an interpreter will load from a finished tree or archive, and what not.
//! `artifacts` opens what was typed, `interpreter` asks the interpreter for its habits, the crate
//! `loader` judges, `estimate` measures, `human` and `json` say it.

pub(super) mod artifacts;
mod estimate;
mod human;
pub(super) mod interpreter;
mod json;
mod wording;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bytekiln_action::RepoPath;
use bytekiln_loader::{Class, Effect, HashCheck, Launch, ModuleReport, Simulation};
use bytekiln_project::Interpreter;

use crate::arguments::{DoctorArguments, Global, HashCheckChoice, PlanFormat, TargetChoice};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;
use crate::settings::start_folder;
use artifacts::{Artifacts, Deployment};
use estimate::Estimate;

/// What a finished thing will be to an interpreter, for commands that make one.
pub(crate) struct Expected<'a> {
    /// Entries of `sys.path`: folders or archives, or folders in archives.
    pub(crate) paths: &'a [PathBuf],
    /// Where they will lie, if that is not where they are.
    pub(crate) deployed: &'a [PathBuf],
    /// `PYTHONPYCACHEPREFIX`.
    pub(crate) pycache_prefix: Option<&'a Path>,
    /// Unpacked before it is imported.
    pub(crate) target: Option<TargetChoice>,
    /// Where it is started.
    pub(crate) interpreter: &'a Interpreter,
    /// How many `-O`.
    pub(crate) level: u8,
}

/// What becomes of a module at its import.
pub(crate) struct Simulated {
    /// Which entry of `sys.path`, by index.
    pub(crate) root: usize,
    /// Its source below it, else its cache.
    pub(crate) path: RepoPath,
    /// It is loaded without being compiled.
    pub(crate) loads: bool,
    /// It fails, runs old code, or is compiled.
    pub(crate) is_fault: bool,
    /// What an import does, and why.
    pub(crate) words: String,
}

/// Simulates the import of every module of a finished thing.
pub(crate) fn simulate(
    expected: &Expected<'_>,
    jobs: NonZeroUsize,
    environment: &Environment,
) -> Result<Vec<Simulated>, CommandFailure> {
    let as_is = Deployment { target: expected.target, mtime: None };
    let release = expected.interpreter.toolchain.release;
    let (paths, prefix) = (expected.paths, expected.pycache_prefix);
    let mut artifacts = Artifacts::open(paths, prefix, release, as_is, Path::new("/"), jobs)?;
    for (root, place) in artifacts.tree.roots.iter_mut().zip(expected.deployed) {
        root.location = place.as_os_str().as_bytes().to_vec();
    }
    // The thing has a temporary name yet, and messages are about what is in it.
    artifacts.shown.iter_mut().for_each(|shown| *shown = PathBuf::new());
    let executable = &expected.interpreter.executable;
    // Every cache has a hash, so that no date matters.
    let facts = interpreter::ask(executable, false, &BTreeSet::new(), None, environment)?;
    let launch = Launch {
        release,
        cache_tag: Some(expected.interpreter.toolchain.cache_tag.clone()),
        optimize: expected.level,
        hash_check: HashCheck::Default,
        extension_suffixes: facts.extension_suffixes,
        earlier: facts.earlier,
    };
    let simulation = Simulation::new(&artifacts.tree, &launch);
    let numbers: Vec<usize> = (0..simulation.len()).collect();
    let judge = |number: &usize| simulation.judge(*number, &artifacts);
    let reports = super::parallel::map(&numbers, jobs, judge).into_iter().flatten();
    let told = reports.chain(simulation.unused().iter().cloned()).filter_map(|report| {
        Some(Simulated {
            root: report.file.root,
            path: artifacts.tree.entry(report.file)?.path.clone(),
            loads: report.effect == Effect::Loads,
            is_fault: report.is_fault(),
            words: words(&report, &artifacts),
        })
    });
    Ok(told.collect())
}

fn words(report: &ModuleReport, artifacts: &Artifacts) -> String {
    let class = report.class();
    let happens = wording::happens(class, report.effect, true);
    let detail = wording::detail(report, artifacts);
    if detail.is_empty() { happens } else { format!("{happens}: {detail}") }
}

/// Everything that is to be told.
struct Outcome<'a> {
    artifacts: &'a Artifacts,
    interpreter: &'a Interpreter,
    launch: &'a Launch,
    /// By root, then what no import reaches.
    reports: &'a [ModuleReport],
    allowed: &'a [Class],
    estimate: Option<Estimate>,
    started: Instant,
}

impl Outcome<'_> {
    /// Whether something does not load, and may not.
    fn is_failure(&self) -> bool {
        self.reports.iter().any(|report| self.fails(report))
    }

    fn fails(&self, report: &ModuleReport) -> bool {
        report.is_fault() && !self.allowed.contains(&report.class())
    }
}

/// Runs the command.
pub(crate) fn run(
    arguments: &DoctorArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let started = Instant::now();
    let start = start_folder(global, environment)?;
    let jobs = arguments.jobs.unwrap_or_else(bytekiln_executor::available_parallelism);
    let paths: Vec<_> = arguments.paths.iter().map(|path| start.join(path)).collect();
    let interpreter = interpreter::find(arguments.python.as_deref(), &paths, &start, environment)?;
    let release = interpreter.toolchain.release;
    let deployment = Deployment { target: arguments.target, mtime: arguments.mtime };
    let prefix = arguments.pycache_prefix.as_deref();
    let mut artifacts =
        Artifacts::open(&arguments.paths, prefix, release, deployment, &start, jobs)?;
    let facts = interpreter::ask(
        &interpreter.executable,
        artifacts.is_site_packages(),
        &artifacts.stamps(),
        arguments.time_zone.as_deref(),
        environment,
    )?;
    artifacts.local_seconds = facts.local_seconds;
    let launch = Launch {
        release,
        cache_tag: match arguments.cache_tag.as_deref() {
            Some("none") => None,
            Some(tag) => Some(tag.to_owned()),
            None => Some(interpreter.toolchain.cache_tag.clone()),
        },
        optimize: arguments.optimize.unwrap_or(arguments.opt),
        hash_check: match arguments.check_hash_based_pycs {
            HashCheckChoice::Default => HashCheck::Default,
            HashCheckChoice::Always => HashCheck::Always,
            HashCheckChoice::Never => HashCheck::Never,
        },
        extension_suffixes: facts.extension_suffixes,
        earlier: facts.earlier,
    };
    warn(&artifacts, terminal);
    let simulation = Simulation::new(&artifacts.tree, &launch);
    let numbers: Vec<usize> = (0..simulation.len()).collect();
    let judge = |number: &usize| simulation.judge(*number, &artifacts);
    let mut reports: Vec<ModuleReport> =
        super::parallel::map(&numbers, jobs, judge).into_iter().flatten().collect();
    reports.extend(simulation.unused().iter().cloned());
    let estimate =
        estimate::estimate(&reports, &artifacts, &interpreter, launch.optimize, environment)
            .unwrap_or_else(|trouble| {
                terminal.warning(format!("the cost of compiling was not measured: {trouble}"));
                None
            });
    let outcome = Outcome {
        artifacts: &artifacts,
        interpreter: &interpreter,
        launch: &launch,
        reports: &reports,
        allowed: &arguments.allow,
        estimate,
        started,
    };
    match arguments.format {
        PlanFormat::Human => human::report(&outcome, terminal),
        PlanFormat::Json => terminal.data(&json::render(&outcome)),
    }
    Ok(if outcome.is_failure() { ExitStatus::Failure } else { ExitStatus::Success })
}

fn warn(artifacts: &Artifacts, terminal: &Terminal) {
    for problem in &artifacts.problems {
        terminal.warning(problem);
    }
    for (root, shown) in artifacts.tree.roots.iter().zip(&artifacts.shown) {
        if artifacts::holds_package(root) {
            terminal.warning(format!(
                "`{}` is a package itself; an entry of sys.path is the folder above it",
                shown.display()
            ));
        }
        if root.entries.is_empty() {
            terminal.warning(format!("`{}` is empty", shown.display()));
        }
    }
}
