//! Runs a program again and again, each way in its turn, and gathers what the interpreter says. Knows
//! nothing of how results are put together or shown.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use bytekiln_startup::{Trace, Verbose};

use super::process::{End, Run};
use super::program::Program;
use super::runner::Runner;
use super::simulate::Agreement;
use super::variant::Variant;
use super::zips::Zips;
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
pub(super) struct Measurement {
    pub(super) variants: Vec<Measured>,
    pub(super) runs: usize,
    /// The end of what the program wrote to standard error, where it did not end well.
    pub(super) talk: Option<String>,
    pub(super) problems: Vec<String>,
    /// How it ended that was not as it should have.
    pub(super) failure: Option<End>,
    /// Those that modules came from.
    pub(super) zips: Zips,
}

const LEAST_RUNS: usize = 3;
const MOST_RUNS: usize = 20;
const BUDGET: Duration = Duration::from_secs(10);

/// Measures. A program that hangs or is killed gives what there is up to then.
pub(super) fn measure(plan: &Plan<'_>) -> Result<Measurement, CommandFailure> {
    plan.check()?;
    let trees = tempfile::Builder::new().prefix("bytekiln-importtime-").tempdir();
    let trees = trees.map_err(|error| {
        CommandFailure::environment(format!("no temporary folder could be made: {error}"))
    })?;
    let mut runner = Runner::new(plan, trees.path());
    let mut measurement = Measurement {
        variants: Vec::new(),
        runs: 0,
        talk: None,
        problems: Vec::new(),
        failure: None,
        zips: Zips::default(),
    };
    let warm = runner.warm()?;
    if matches!(warm.end, End::TimedOut(_) | End::Interrupted) {
        measurement.cut_short(&warm);
        return Ok(measurement);
    }
    measurement.note(&warm);
    let mut seen = Verbose::parse(&warm.captured.lines);
    let Program { script, folder, interpreter, .. } = plan.program;
    let release = interpreter.toolchain.release;
    measurement.zips = Zips::open(&seen, script.as_deref(), folder, release, plan.jobs);
    measurement.zips.settle(&mut seen, folder);
    measurement.problems.extend(measurement.zips.problems.iter().cloned());
    runner.prepare(&seen, &measurement.zips, &mut measurement.problems)?;
    for variant in plan.variants.iter().copied().filter(|variant| runner.is_ready(*variant)) {
        let mut looked = runner.look(variant)?;
        if runner.complete(variant, &looked, &mut measurement.problems)? {
            looked = runner.look(variant)?;
        }
        if looked.end == End::Interrupted {
            measurement.cut_short(&looked);
            return Ok(measurement);
        }
        let end = looked.end;
        if !variant.is_usual() && end != warm.end {
            measurement.problem(not_from_there(variant, &looked));
            continue;
        }
        measurement.note(&looked);
        let (verbose, agreement, problem) = runner.understand(variant, &looked);
        problem.into_iter().for_each(|problem| measurement.problem(problem));
        let (walls, traces) = (Vec::new(), Vec::new());
        measurement.variants.push(Measured { variant, end, walls, traces, verbose, agreement });
    }
    if measurement.variants.is_empty() {
        let why = measurement.problems.join("; ");
        return Err(CommandFailure::failure(format!("there is nothing to measure: {why}")));
    }
    rounds(plan, &runner, &mut measurement)?;
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

/// A program may need its files to lie in folders, and there is nothing to measure of one that cannot run.
fn not_from_there(variant: Variant, run: &Run) -> String {
    let said = talk_of(run);
    let last = said.lines().last().map(|line| format!(": {}", line.trim())).unwrap_or_default();
    let title = variant.title();
    format!("{title}: left out, since there the program {}{last}", run.end.sentence())
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

/// All ways take turns, each with a run that nobody listens to and one that tells of its imports.
fn rounds(
    plan: &Plan<'_>,
    runner: &Runner<'_>,
    measurement: &mut Measurement,
) -> Result<(), CommandFailure> {
    let most = plan.runs.map_or(MOST_RUNS, NonZeroUsize::get);
    let terminal = plan.terminal;
    let started = Instant::now();
    let trace: [OsString; 2] = ["-X".into(), "importtime".into()];
    let count = measurement.variants.len();
    terminal.start_bar("Measuring", most.saturating_mul(count));
    for round in 0..most {
        let enough = plan.runs.is_none() && round >= LEAST_RUNS;
        if interrupt::is_interrupted() || (enough && started.elapsed() >= BUDGET) {
            break;
        }
        for turn in 0..count {
            let at = round.saturating_add(turn).checked_rem(count).unwrap_or(0);
            let Some(measured) = measurement.variants.get_mut(at) else { continue };
            let variant = measured.variant;
            let plain = runner.run(variant, &[], false)?;
            let traced = runner.run(variant, &trace, true)?;
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

/// What a start loads, and by which imports, without measuring anything: for the ratchet.
pub(super) fn look_once(plan: &Plan<'_>) -> Result<Run, CommandFailure> {
    let runner = Runner::new(plan, Path::new("/"));
    runner.look(Variant::AsIs)
}

/// The fastest of some runs, and how one ended that did not end well.
pub(super) fn fastest(plan: &Plan<'_>, runs: usize) -> Result<Duration, CommandFailure> {
    let runner = Runner::new(plan, Path::new("/"));
    let mut least = Duration::MAX;
    for _ in 0..runs {
        least = least.min(runner.run(Variant::AsIs, &[], false)?.wall);
    }
    Ok(least)
}
