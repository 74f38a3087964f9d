//! `bytekiln deps` and `bytekiln rdeps`: what may be typed.

use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use super::GraphSelection;

/// `deps`, `rdeps`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --transitive each import that is written in X (or, for `rdeps`, that names X) is shown with \
its place. With it, modules are told apart by the imports that load them: eagerly, by lazy imports, by \
imports in functions. A module also loads the packages around it.

Examples:
  bytekiln deps app.main                          what it imports, where, and how
  bytekiln deps app.main --transitive --by distribution
  bytekiln rdeps src/app/db.py --transitive       who breaks if it does
  bytekiln rdeps member:core --by member
  bytekiln deps app.main --tree --only workspace
  bytekiln rdeps app.db --transitive --format paths -0 | xargs -0 ruff check

Exit status: 0 answered, if with nothing; 2 there is no such module, or wrong arguments; 3 the \
environment lacks something.")]
pub struct DepsArguments {
    /// Modules (app.main), files, folders, or members (member:core)
    #[arg(value_name = "X", required = true)]
    pub modules: Vec<String>,
    /// And what those import, or who imports them, and so on
    #[arg(short, long, help_heading = "Answer")]
    pub transitive: bool,
    /// So many imports away and no further; 1 is without --transitive
    #[arg(long, value_name = "N", help_heading = "Answer")]
    pub depth: Option<NonZeroU32>,
    /// What makes a line
    #[arg(long, value_name = "WHAT", default_value = "module", help_heading = "Answer")]
    pub by: DepsBy,
    /// Only modules from there (repeatable, or with commas)
    #[arg(long, value_name = "WHERE", value_delimiter = ',', help_heading = "Answer")]
    pub only: Vec<OriginChoice>,
    /// As a tree; `(*)` marks what is shown in full elsewhere, where it is nearer to the root
    #[arg(long, help_heading = "Output")]
    pub tree: bool,
    /// How it is shown; json is the schema of docs/deps.md
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: DepsFormat,
    /// With --format paths: end each path with a NUL instead of a newline
    #[arg(short = '0', long, help_heading = "Output")]
    pub null: bool,
    /// Which graph.
    #[command(flatten)]
    pub selection: GraphSelection,
}

/// `--by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DepsBy {
    /// Each module.
    Module,
    /// Each other member of the workspace.
    Member,
    /// Each distribution that is installed or locked.
    Distribution,
}

/// `--only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum OriginChoice {
    /// The workspace, with what is generated there.
    Workspace,
    /// Distributions.
    ThirdParty,
    /// The standard library.
    Stdlib,
    /// Nowhere: names that were not found.
    Unresolved,
}

/// `--format` of `deps` and `rdeps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DepsFormat {
    /// For people.
    Human,
    /// For machines: the schema of docs/deps.md.
    Json,
    /// For other tools: the files, one a line, as seen from the current folder.
    Paths,
}
