//! Runs a program again and again, each way in its turn, and gathers what the interpreter says. Knows
//! nothing of how results are put together or shown.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytekiln_python::{InvalidationMode, OptimizationLevel};
use bytekiln_startup::{Origin, Trace, Verbose};

use super::caches::{Making, Tree, make};
use super::process::{End, Launch, Run, run};
use super::program::Program;
use super::simulate::{Agreement, Circumstances, agreement};
use super::variant::{Variant, prefix_option};
use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::report::terminal::Terminal;

/// How to measure.
pub(super) struct Plan<'a> {
    pub(super) program: &'a Program,
    /// At least one.
    pub(super) variants: Vec<Variant>,
    /// Besides `-O`.
    pub(super) python_options: &'a [OsString],
    pub(super) optimize: u8,
    /// The standard library keeps its caches in [`Variant::None`].
    pub(super) library_cached: bool,
    /// None: as many as fit.
    pub(super) runs: Option<NonZeroUsize>,
    pub(super) timeout: Duration,
    pub(super) jobs: NonZeroUsize,
    pub(super) environment: &'a Environment,
    pub(super) terminal: &'a Terminal,
}

/// What came of one way.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) variant: Variant,
    /// How the run ended that is not measured.
    pub(super) end: End,
    /// Of runs that nobody listens to.
    pub(super) walls: Vec<Duration>,
    pub(super) traces: Vec<Trace>,
    pub(super) verbose: Verbose,
    pub(super) agreement: Agreement,
}

/// What came of it all.
#[derive(Debug)]
pub(super) struct Measurement {
    pub(super) variants: Vec<Measured>,
    pub(super) runs: usize,
    /// The end of what the program wrote to standard error, where it did not end well.
    pub(super) talk: Option<String>,
    pub(super) problems: Vec<String>,
    /// How it ended that was not as it should have.
    pub(super) failure: Option<End>,
}

const LEAST_RUNS: usize = 3;
const MOST_RUNS: usize = 20;
const BUDGET: Duration = Duration::from_secs(10);

/// Variables of Python that would make runs other than they are meant to be.
const DISTURBING: [&str; 4] =
    ["PYTHONPROFILEIMPORTTIME", "PYTHONVERBOSE", "PYTHONDONTWRITEBYTECODE", "PYTHONOPTIMIZE"];
const DISTURBING_CACHES: [&str; 5] = [
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONVERBOSE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONOPTIMIZE",
    "PYTHONPYCACHEPREFIX",
];

/// Measures. A program that hangs or is killed gives what there is up to then.
pub(super) fn measure(plan: &Plan<'_>) -> Result<Measurement, CommandFailure> {
    let trees = tempfile::Builder::new().prefix("bytekiln-importtime-").tempdir();
    let trees = trees.map_err(|error| {
        CommandFailure::environment(format!("no temporary folder could be made: {error}"))
    })?;
    let runner = Runner { plan, trees: trees.path() };
    let mut measurement = Measurement {
        variants: Vec::new(),
        runs: 0,
        talk: None,
        problems: Vec::new(),
        failure: None,
    };
    let warm = runner.warm()?;
    if matches!(warm.end, End::TimedOut(_) | End::Interrupted) {
        measurement.cut_short(&warm);
        return Ok(measurement);
    }
    measurement.note(&warm);
    let seen = Verbose::parse(&warm.captured.lines);
    runner.make_trees(&seen, &mut measurement.problems)?;
    for variant in plan.variants.iter().copied() {
        let looked = runner.look(variant)?;
        if looked.end == End::Interrupted {
            measurement.cut_short(&looked);
            return Ok(measurement);
        }
        measurement.note(&looked);
        let verbose = Verbose::parse(&looked.captured.lines);
        let agreement = runner.agreement(variant, &verbose);
        let (walls, traces) = (Vec::new(), Vec::new());
        let end = looked.end;
        measurement.variants.push(Measured { variant, end, walls, traces, verbose, agreement });
    }
    runner.rounds(&mut measurement)?;
    Ok(measurement)
}

impl Measurement {
    /// Looks how a run ended that is not measured.
    fn note(&mut self, run: &Run) {
        if !run.end.is_success() && self.failure.is_none() {
            self.failure = Some(run.end);
            self.talk = Some(talk_of(run));
        }
        if run.left_behind {
            self.problem("the program left processes behind, which were ended".to_owned());
        }
        if run.captured.dropped > 0 {
            self.problem("there were too many lines of the interpreter to keep all".to_owned());
        }
    }

    fn problem(&mut self, text: String) {
        if !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }

    /// Takes the first run for all there is.
    fn cut_short(&mut self, run: &Run) {
        self.note(run);
        if !self.variants.is_empty() {
            return;
        }
        self.problem(
            "these figures are of one run that wrote down every import (`-v`), which takes longer"
                .to_owned(),
        );
        self.variants.push(Measured {
            variant: Variant::AsIs,
            end: run.end,
            walls: vec![run.wall],
            traces: vec![Trace::parse(&run.captured.lines)],
            verbose: Verbose::parse(&run.captured.lines),
            agreement: Agreement::default(),
        });
        self.runs = 1;
    }
}

/// What a program says of itself, without what the interpreter says at its own end.
fn talk_of(run: &Run) -> String {
    let text = String::from_utf8_lossy(&run.captured.talk);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    // `-v` greets like an interactive session, and has `site` say what it does.
    let is_greeting = |line: &&str| {
        let site = ["Processing global site-packages", "Processing user site-packages"];
        line.starts_with("Type \"help\"")
            || (line.starts_with("Python 3.") && line.contains(" on "))
            || site.contains(line)
            || line.starts_with("Adding directory: '")
            || line.starts_with("Processing .pth file: '")
    };
    let lines: Vec<&str> = lines.filter(|line| !is_greeting(line)).collect();
    let end = lines.get(lines.len().saturating_sub(12)..).unwrap_or_default();
    end.join("\n")
}

/// Starts the program in each way.
struct Runner<'a> {
    plan: &'a Plan<'a>,
    trees: &'a Path,
}

impl Runner<'_> {
    fn run(
        &self,
        variant: Variant,
        before: &[OsString],
        capture: bool,
    ) -> Result<Run, CommandFailure> {
        let mut arguments = variant.options(self.trees);
        arguments.extend(before.iter().cloned());
        self.start(arguments, variant == Variant::AsIs, capture)
    }

    fn start(
        &self,
        mut arguments: Vec<OsString>,
        own_prefix: bool,
        capture: bool,
    ) -> Result<Run, CommandFailure> {
        let Plan { program, optimize, python_options, .. } = self.plan;
        if *optimize > 0 {
            arguments.push(format!("-{}", "O".repeat((*optimize).into())).into());
        }
        arguments.extend(python_options.iter().cloned());
        arguments.extend(program.arguments.iter().cloned());
        let executable = &program.interpreter.executable;
        let launch = Launch {
            executable,
            arguments: &arguments,
            folder: &program.folder,
            without: if own_prefix { &DISTURBING } else { &DISTURBING_CACHES },
            timeout: self.plan.timeout,
            capture,
        };
        run(&launch, &interrupt::CANCEL).map_err(|error| {
            let executable = executable.display();
            CommandFailure::environment(format!("`{executable}` could not be started: {error}"))
        })
    }

    /// The first run: finds out what is loaded, and lets CPython write its own caches.
    fn warm(&self) -> Result<Run, CommandFailure> {
        let folder = self.trees.join(Variant::Timestamp.id());
        let mut arguments: Vec<OsString> = prefix_option(&folder).into();
        arguments.extend(observing());
        self.start(arguments, false, true)
    }

    /// A run that is not measured: what is loaded, and from where.
    fn look(&self, variant: Variant) -> Result<Run, CommandFailure> {
        self.run(variant, &observing(), true)
    }

    fn make_trees(&self, seen: &Verbose, problems: &mut Vec<String>) -> Result<(), CommandFailure> {
        let tree = |variant: Variant, mode, only| Tree {
            folder: self.trees.join(variant.id()),
            mode,
            only,
        };
        let wanted = |variant: &Variant| self.plan.variants.contains(variant);
        let mut trees = Vec::new();
        if wanted(&Variant::Checked) {
            trees.push(tree(Variant::Checked, InvalidationMode::CheckedHash, None));
        }
        if wanted(&Variant::Unchecked) {
            trees.push(tree(Variant::Unchecked, InvalidationMode::UncheckedHash, None));
        }
        if wanted(&Variant::None) && self.plan.library_cached {
            let library = Some(self.library()?);
            trees.push(tree(Variant::None, InvalidationMode::UncheckedHash, library));
        }
        for tree in &trees {
            std::fs::create_dir_all(&tree.folder).map_err(|error| {
                let folder = tree.folder.display();
                CommandFailure::environment(format!("`{folder}` could not be made: {error}"))
            })?;
        }
        let sources = self.sources(seen);
        if trees.is_empty() || sources.is_empty() {
            return Ok(());
        }
        let count = sources.len();
        self.plan
            .terminal
            .status("Compiling", format!("{count} sources that it loads, into trees apart"));
        problems.extend(make(
            &trees,
            &Making {
                sources: &sources,
                interpreter: &self.plan.program.interpreter,
                level: self.level(),
                folder: &self.plan.program.folder,
                environment: self.plan.environment,
                jobs: self.plan.jobs,
                cancel: &interrupt::CANCEL,
            },
        ));
        Ok(())
    }

    fn level(&self) -> OptimizationLevel {
        let level = self.plan.optimize.min(2);
        OptimizationLevel::from_u8(level).unwrap_or(OptimizationLevel::Two)
    }

    /// Sources that were compiled or whose cache was read, by path.
    fn sources(&self, seen: &Verbose) -> Vec<PathBuf> {
        let all = seen.modules.values().chain(&seen.others);
        let is_source = |origin| matches!(origin, Origin::Cache | Origin::Compiled | Origin::Stale);
        let files =
            all.filter(|loaded| is_source(loaded.origin)).filter_map(|one| one.file.as_ref());
        let mut sources: Vec<PathBuf> = files
            .filter(|file| file.ends_with(".py"))
            .map(|file| self.plan.program.folder.join(file))
            .collect();
        sources.sort();
        sources.dedup();
        sources
    }

    /// Where the standard library lies.
    fn library(&self) -> Result<PathBuf, CommandFailure> {
        let executable = &self.plan.program.interpreter.executable;
        let script = "import os; print(os.path.dirname(os.__file__))";
        let output = std::process::Command::new(executable)
            .args(["-I", "-S", "-B", "-c", script])
            .current_dir("/")
            .output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        match text {
            Ok(text) if text.starts_with('/') => Ok(PathBuf::from(text)),
            _ => Err(CommandFailure::environment(format!(
                "`{}` did not say where its standard library is",
                executable.display()
            ))),
        }
    }

    fn agreement(&self, variant: Variant, verbose: &Verbose) -> Agreement {
        let own = match variant {
            Variant::AsIs => self.plan.environment.pycache_prefix.clone(),
            _ => Some(self.trees.join(variant.id())),
        };
        agreement(
            verbose,
            &Circumstances {
                interpreter: &self.plan.program.interpreter,
                level: self.level(),
                prefix: own.as_deref(),
                folder: &self.plan.program.folder,
            },
        )
    }

    /// All ways take turns, each with a run that nobody listens to and one that tells of its imports.
    fn rounds(&self, measurement: &mut Measurement) -> Result<(), CommandFailure> {
        let most = self.plan.runs.map_or(MOST_RUNS, NonZeroUsize::get);
        let terminal = self.plan.terminal;
        let started = Instant::now();
        let trace: [OsString; 2] = ["-X".into(), "importtime".into()];
        let count = measurement.variants.len();
        terminal.start_bar("Measuring", most.saturating_mul(count));
        for round in 0..most {
            let enough = self.plan.runs.is_none() && round >= LEAST_RUNS;
            if interrupt::is_interrupted() || (enough && started.elapsed() >= BUDGET) {
                break;
            }
            for turn in 0..count {
                let at = round.saturating_add(turn).checked_rem(count).unwrap_or(0);
                let Some(measured) = measurement.variants.get_mut(at) else { continue };
                let variant = measured.variant;
                let plain = self.run(variant, &[], false)?;
                let traced = self.run(variant, &trace, true)?;
                if plain.end == End::Interrupted || traced.end == End::Interrupted {
                    break;
                }
                measured.walls.push(plain.wall);
                measured.traces.push(Trace::parse(&traced.captured.lines));
                let (first, before) = (measured.end, measurement.failure);
                for run in [&plain, &traced] {
                    if run.end != first {
                        let text = format!(
                            "the program does not always end alike: once it {}, once it {}",
                            first.sentence(),
                            run.end.sentence()
                        );
                        measurement.problem(text);
                    }
                    if !run.end.is_success() && before.is_none() {
                        measurement.failure = Some(run.end);
                    }
                }
                // Better than that of a run with `-v`, which has words of the interpreter in it.
                if round == 0 && !traced.end.is_success() {
                    measurement.talk = Some(talk_of(&traced));
                }
                terminal.advance_bar(|| variant.title().to_owned());
            }
            measurement.runs = round.saturating_add(1);
        }
        terminal.finish_bar();
        Ok(())
    }
}

/// Names every module with its file, and times too.
fn observing() -> [OsString; 3] {
    ["-v", "-X", "importtime"].map(OsString::from)
}

/// What a start loads, and by which imports, without measuring anything: for the ratchet.
pub(super) fn look_once(plan: &Plan<'_>) -> Result<Run, CommandFailure> {
    let runner = Runner { plan, trees: Path::new("/") };
    runner.look(Variant::AsIs)
}

/// The fastest of some runs, and how one ended that did not end well.
pub(super) fn fastest(plan: &Plan<'_>, runs: usize) -> Result<Duration, CommandFailure> {
    let runner = Runner { plan, trees: Path::new("/") };
    let mut least = Duration::MAX;
    for _ in 0..runs {
        least = least.min(runner.run(Variant::AsIs, &[], false)?.wall);
    }
    Ok(least)
}
