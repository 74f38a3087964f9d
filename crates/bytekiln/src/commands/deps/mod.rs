//! `bytekiln deps` and `bytekiln rdeps`: what modules import, and who imports them.

mod answer;
mod human;
mod json;
mod paths;
mod tree;

pub(crate) use paths::seen_from;

use bytekiln_graph::{Direction, NodeId, Which};

use super::edges::{Origin, origin};
use crate::arguments::{DepsArguments, DepsBy, DepsFormat, Global, OriginChoice};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::imports::{self, OpenGraph};
use crate::report::terminal::Terminal;
use answer::Answer;

/// What is asked.
struct Question<'a> {
    open: &'a OpenGraph,
    arguments: &'a DepsArguments,
    direction: Direction,
    /// In order of ids, each once.
    of: Vec<NodeId>,
    which: Which,
    /// Imports away at most; without a bound none.
    depth: Option<u32>,
}

/// Runs either command.
pub(crate) fn run(
    arguments: &DepsArguments,
    direction: Direction,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    refuse(arguments)?;
    let open = imports::open(&arguments.selection, &[], global, environment, terminal)?;
    let mut of = Vec::new();
    for text in &arguments.modules {
        let found = open.select(text)?;
        if let Some(note) = open.several(text, &found) {
            terminal.warning(note);
        }
        of.extend(found);
    }
    of.sort_unstable();
    of.dedup();
    let depth = match (arguments.transitive || arguments.tree, arguments.depth) {
        (_, Some(depth)) => Some(depth.get()),
        (true, None) => None,
        (false, None) => Some(1),
    };
    let which = open.imports.unwrap_or(Which::Runtime);
    let question = Question { open: &open, arguments, direction, of, which, depth };
    if arguments.tree {
        terminal.data(&tree::render(&question, terminal));
        return Ok(ExitStatus::Success);
    }
    let answer = Answer::find(&question);
    match arguments.format {
        DepsFormat::Human => {
            terminal.data(&human::render(&question, &answer, terminal));
            terminal.status("Found", human::summary(&question, &answer));
        }
        DepsFormat::Json => terminal.data(&json::render(&question, &answer)),
        DepsFormat::Paths => terminal.data_bytes(&paths::render(&question, &answer)),
    }
    Ok(ExitStatus::Success)
}

/// Arguments that make no sense together.
fn refuse(arguments: &DepsArguments) -> Result<(), CommandFailure> {
    let DepsArguments { tree, by, format, null, .. } = *arguments;
    let message = if tree && format != DepsFormat::Human {
        "--tree is for people: it goes with no other --format"
    } else if by != DepsBy::Module && tree {
        "--tree is of modules: it does not go with --by"
    } else if by != DepsBy::Module && format == DepsFormat::Paths {
        "--format paths is of modules: it does not go with --by"
    } else if null && format != DepsFormat::Paths {
        "-0 goes with --format paths only"
    } else {
        return Ok(());
    };
    Err(CommandFailure::usage(message))
}

impl Question<'_> {
    /// Whether `--only` lets a module through.
    fn wants(&self, id: NodeId) -> bool {
        let only = &self.arguments.only;
        let choice = || match origin(self.open, id) {
            Origin::Workspace => OriginChoice::Workspace,
            Origin::ThirdParty => OriginChoice::ThirdParty,
            Origin::StandardLibrary => OriginChoice::Stdlib,
            Origin::Unresolved => OriginChoice::Unresolved,
        };
        only.is_empty() || only.contains(&choice())
    }
}
