//! `bytekiln diff`: two `.pyc` files, trees or archives, side by side.

mod human;
mod json;
mod pairs;
mod verdict;

use crate::arguments::{DiffArguments, Global, PlanFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::{Terminal, Verbosity};
use crate::settings::start_folder;

use super::opened::{Opened, open};
use super::parallel;
use pairs::{Pair, Sides};
use verdict::{Judge, Tally, Verdict};

/// A pair and what came of it.
struct Judged {
    pair: Pair,
    verdict: Verdict,
}

/// Of how many code objects of two files instructions are shown.
const CODE_OBJECTS: usize = 4;

/// Runs the command.
pub(crate) fn run(
    arguments: &DiffArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let start = start_folder(global, environment)?;
    let jobs = arguments.jobs.unwrap_or_else(bytekiln_executor::available_parallelism);
    let opened = |path| open(&start.join(path), jobs);
    let (left, right) = (opened(&arguments.left)?, opened(&arguments.right)?);
    let is_tree = |opened: &Opened| matches!(opened, Opened::Tree(..));
    if is_tree(&left) != is_tree(&right) {
        let (tree, file) = if is_tree(&left) {
            (&arguments.left, &arguments.right)
        } else {
            (&arguments.right, &arguments.left)
        };
        let (tree, file) = (tree.display(), file.display());
        return Err(CommandFailure::usage(format!(
            "`{tree}` is a tree and `{file}` is a file: they cannot be compared"
        ))
        .hint(format!("name the file inside `{tree}`")));
    }
    let single = !is_tree(&left);
    let sides = Sides::new(left, right);
    for problem in sides.problems() {
        terminal.warning(problem);
    }
    let pairs = sides.pairs(arguments.only_pyc);
    let judge = Judge::new(&sides, arguments.recorded_paths);
    terminal.start_bar("Comparing", pairs.len());
    let verdicts = parallel::map(&pairs, jobs, |pair| {
        let verdict = judge.pair(pair);
        terminal.advance_bar(|| pair.path.clone());
        verdict
    });
    terminal.finish_bar();
    let judged: Vec<Judged> =
        pairs.into_iter().zip(verdicts).map(|(pair, verdict)| Judged { pair, verdict }).collect();
    let tally = Tally::of(judged.iter().map(|judged| &judged.verdict));
    if single && let Some(Verdict::Unreadable(message)) = judged.first().map(|one| &one.verdict) {
        return Err(CommandFailure::usage(message));
    }
    match arguments.format {
        PlanFormat::Json => {
            let text = format!("{:#}\n", json::report(arguments, &judged, &tally));
            terminal.data(&text);
        }
        PlanFormat::Human if single => {
            if let Some(one) = judged.first() {
                let excerpts = judge.excerpts(one, arguments.context, CODE_OBJECTS);
                terminal.data(&human::single(arguments, one, &excerpts, terminal));
            }
        }
        PlanFormat::Human => {
            let everything = terminal.verbosity() > Verbosity::Normal;
            for one in &judged {
                let excerpts = match everything {
                    true => judge.excerpts(one, arguments.context, 1),
                    false => Vec::new(),
                };
                terminal.data(&human::path(one, &excerpts, everything, terminal));
            }
            terminal.status("Compared", human::summary(&judged, &tally));
        }
    }
    let same = tally.identical + if arguments.equivalent { tally.equivalent } else { 0 };
    Ok(if same == tally.total() { ExitStatus::Success } else { ExitStatus::Failure })
}
