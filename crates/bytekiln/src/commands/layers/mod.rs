//! `layers`: whether the contracts of the manifest are kept, and by which imports they are broken.
//! What breaks a contract is for the graph to say; this matches it with what the manifest says.

mod check;
mod declared;
mod human;
mod indirect;
mod json;
mod matching;

use bytekiln_graph::{EdgeId, Which};
use bytekiln_planner::Problem;

use crate::arguments::{Global, LayersArguments, PlanFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::imports::{OpenGraph, open};
use crate::report::problems;
use crate::report::terminal::Terminal;

/// A contract, and what came of it.
struct Checked {
    name: String,
    form: Form,
    /// `file:line` of the manifest; none for `--declared`.
    place: Option<String>,
    /// Which imports counted.
    imports: Which,
    /// By file and line.
    broken: Vec<Broken>,
    /// How many imports break it and are let pass.
    ignored: usize,
}

/// What a contract says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Layers,
    Forbid,
    Independent,
    Declared,
}

impl Form {
    fn word(self) -> &'static str {
        match self {
            Form::Layers => "layers",
            Form::Forbid => "forbid",
            Form::Independent => "independent",
            Form::Declared => "declared",
        }
    }
}

/// An import that breaks a contract.
struct Broken {
    import: EdgeId,
    /// What then imports what is forbidden, step by step; nothing if the import itself does.
    then: Vec<EdgeId>,
    /// Why it must not be.
    reason: String,
}

/// Everything.
struct Outcome<'a> {
    open: &'a OpenGraph,
    contracts: Vec<Checked>,
    /// About contracts, not about sources.
    warnings: Vec<Problem>,
}

impl Outcome<'_> {
    fn broken_imports(&self) -> usize {
        self.contracts.iter().map(|one| one.broken.len()).sum()
    }
}

/// Runs it.
pub(super) fn run(
    arguments: &LayersArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let started = std::time::Instant::now();
    let open = open(&arguments.selection, &[], global, environment, terminal)?;
    let rules = chosen(arguments, &open)?;
    let mut warnings = Vec::new();
    let mut contracts: Vec<Checked> = Vec::new();
    for rule in rules {
        contracts.push(check::check(&open, rule, &mut warnings));
    }
    if arguments.declared {
        contracts.push(declared::check(&open, &mut warnings)?);
    }
    let outcome = Outcome { open: &open, contracts, warnings };
    match arguments.format {
        PlanFormat::Human => {
            problems::say(terminal, &outcome.warnings);
            human::report(&outcome, started.elapsed(), terminal);
        }
        PlanFormat::Json => terminal.data(&json::render(&outcome)),
    }
    Ok(if outcome.broken_imports() == 0 { ExitStatus::Success } else { ExitStatus::Failure })
}

fn chosen<'a>(
    arguments: &LayersArguments,
    open: &'a OpenGraph,
) -> Result<Vec<&'a bytekiln_project::ContractRule>, CommandFailure> {
    let all = &open.workspace.graph.contracts;
    if all.is_empty() && !arguments.declared {
        return Err(CommandFailure::usage("there are no contracts to check").hint(example(open)));
    }
    let names: Vec<String> = all.iter().map(|rule| format!("`{}`", rule.name)).collect();
    for name in &arguments.contracts {
        if !all.iter().any(|rule| rule.name == *name) {
            return Err(CommandFailure::usage(format!("there is no contract `{name}`"))
                .hint(format!("the contracts are: {}", names.join(", "))));
        }
    }
    let wanted =
        |name: &String| arguments.contracts.is_empty() || arguments.contracts.contains(name);
    Ok(all.iter().filter(|rule| wanted(&rule.name)).collect())
}

/// How to write a contract, with the table's name as it is in the manifest that there is.
fn example(open: &OpenGraph) -> String {
    let manifest = open.workspace.manifest.as_ref().and_then(|path| path.file_name());
    let (file, prefix) = match manifest.and_then(|name| name.to_str()) {
        Some("pyproject.toml") => ("pyproject.toml", "tool.bytekiln."),
        Some("Cargo.toml") => ("Cargo.toml", "workspace.metadata.bytekiln."),
        _ => ("bytekiln.toml", ""),
    };
    format!(
        "write one into `{file}`, such as\n  [[{prefix}graph.contract]]\n  \
         name = \"layers of the shop\"\n  \
         layers = [\"shop.web\", \"shop.cart | shop.mail\", \"member:core\"]"
    )
}
