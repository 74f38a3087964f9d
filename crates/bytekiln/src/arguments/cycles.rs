//! `bytekiln cycles`: what may be typed.

use clap::{Args, ValueEnum};

use super::{GraphSelection, PlanFormat};

/// `cycles`.
#[derive(Debug, Args)]
#[command(after_help = "\
Cycles of eager imports come first: they can fail, depending on which module is imported first. Those \
that lazy imports or imports in functions close are told apart; those for type checkers only with \
--imports all. Each is shown with a way round and with imports whose removal breaks it.

Examples:
  bytekiln cycles
  bytekiln cycles --by package
  bytekiln cycles --deny                          for CI: fail if eager imports make a cycle
  bytekiln cycles --deny --imports runtime        also if imports in functions do

Exit status: 0 answered; 1 with --deny: there is a cycle; 2 wrong arguments; 3 the environment lacks \
something.")]
pub struct CyclesArguments {
    /// What goes round
    #[arg(long, value_name = "WHAT", default_value = "module", help_heading = "Answer")]
    pub by: CyclesBy,
    /// Exit with 1 if there is a cycle by the imports that count [eager, unless --imports says more]
    #[arg(long, help_heading = "Answer")]
    pub deny: bool,
    /// How it is shown; json is the schema of docs/deps.md
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
    /// Which graph.
    #[command(flatten)]
    pub selection: GraphSelection,
}

/// `--by` of `cycles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CyclesBy {
    /// Modules.
    Module,
    /// Packages: each with the modules right in it.
    Package,
    /// Members and distributions.
    Member,
}
