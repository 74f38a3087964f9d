//! `bytekiln why`: the shortest chain of imports from one module to another.

mod human;
mod json;

use bytekiln_graph::{Edge, NodeId, Which};

use super::chains::{Chains, shortest};
use super::edges::{LEVELS, is_package, level};
use crate::arguments::{Global, PlanFormat, WhyArguments};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::imports::{self, OpenGraph};
use crate::report::terminal::Terminal;

/// What was found.
struct Answer<'a> {
    open: &'a OpenGraph,
    arguments: &'a WhyArguments,
    which: Which,
    /// Both ends are one: a way round.
    round: bool,
    /// Chains by the imports that count.
    found: Option<Chains>,
    /// Where there is none: the next larger choice of imports by which there is one, and its steps.
    wider: Option<(Which, usize)>,
    /// Where there is none: steps of a chain the other way round.
    reverse: Option<usize>,
    /// Where there is one that is not eager: steps of the shortest that is.
    eager: Option<usize>,
}

/// Runs the command.
pub(crate) fn run(
    arguments: &WhyArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let open = imports::open(&arguments.selection, &[], global, environment, terminal)?;
    let from = open.select(&arguments.from)?;
    let to = open.select(&arguments.to)?;
    let (from, to) = apart(arguments, from, to)?;
    let answer = find(&open, arguments, &from, &to);
    match arguments.format {
        PlanFormat::Human => human::show(&answer, terminal),
        PlanFormat::Json => terminal.data(&json::render(&answer)),
    }
    Ok(if answer.found.is_some() { ExitStatus::Success } else { ExitStatus::Failure })
}

/// Takes out of the larger side what is also in the smaller one: who in a package, but for `a.b` itself,
/// imports `a.b`?
fn apart(
    arguments: &WhyArguments,
    mut from: Vec<NodeId>,
    mut to: Vec<NodeId>,
) -> Result<(Vec<NodeId>, Vec<NodeId>), CommandFailure> {
    for side in [&mut from, &mut to] {
        side.sort_unstable();
        side.dedup();
    }
    if from == to {
        if from.len() == 1 {
            return Ok((from, to));
        }
        let message = format!(
            "`{}` and `{}` are the same {} modules",
            arguments.from,
            arguments.to,
            from.len()
        );
        return Err(CommandFailure::usage(message).hint("`bytekiln cycles` shows all ways round"));
    }
    if from.len() >= to.len() {
        from.retain(|id| to.binary_search(id).is_err());
    } else {
        to.retain(|id| from.binary_search(id).is_err());
    }
    Ok((from, to))
}

fn find<'a>(
    open: &'a OpenGraph,
    arguments: &'a WhyArguments,
    from: &[NodeId],
    to: &[NodeId],
) -> Answer<'a> {
    let graph = open.graph();
    let which = open.imports.unwrap_or(Which::Runtime);
    let round = from == to;
    // That the package around a module runs first makes no way round.
    let by = |which: Which| {
        move |edge: &Edge| which.follows(edge.kinds) && !(round && is_package(edge.kinds))
    };
    let length = |from: &[NodeId], to: &[NodeId], which: Which| {
        let chains = shortest(graph, from, to, by(which), 1)?.chains;
        chains.first().map(Vec::len)
    };
    let limit = if arguments.all { arguments.limit.get() } else { 1 };
    let found = shortest(graph, from, to, by(which), limit);
    let mut answer =
        Answer { open, arguments, which, round, found, wider: None, reverse: None, eager: None };
    if answer.found.is_none() {
        let mut wider = LEVELS.into_iter().filter(|level| *level > which);
        answer.wider = wider.find_map(|which| Some((which, length(from, to, which)?)));
        answer.reverse = if round { None } else { length(to, from, which) };
    } else if answer.level() > Which::Eager {
        answer.eager = length(from, to, Which::Eager);
    }
    answer
}

impl Answer<'_> {
    /// The fewest imports that the first chain takes.
    fn level(&self) -> Which {
        let steps = self.found.iter().flat_map(|found| found.chains.first()).flatten();
        let edges = steps.filter_map(|step| self.open.graph().edge(*step.imports.first()?));
        edges.map(|edge| level(edge.kinds)).max().unwrap_or(Which::Eager)
    }
}
