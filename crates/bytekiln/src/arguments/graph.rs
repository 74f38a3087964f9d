//! What all commands on the import graph take.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// For which interpreter, with what beside the workspace, by which imports.
#[derive(Debug, Clone, Default, Args)]
pub struct GraphSelection {
    /// Decide conditions and the standard library for this interpreter [default: the profile's first,
    /// else that of the virtual environment]
    #[arg(long, value_name = "PYTHON", help_heading = "Graph")]
    pub python: Option<String>,
    /// The virtual environment with the distributions [default: $VIRTUAL_ENV, else .venv in the workspace]
    #[arg(long, value_name = "FOLDER", help_heading = "Graph")]
    pub venv: Option<PathBuf>,
    /// Look at no virtual environment
    #[arg(long, conflicts_with = "venv", help_heading = "Graph")]
    pub no_venv: bool,
    /// Decide conditions for this platform: linux, darwin, win32, or all for none [default: the
    /// interpreter's, if it had to be asked, else this one]
    #[arg(long, value_name = "PLATFORM", help_heading = "Graph")]
    pub python_platform: Option<String>,
    /// Whose sources are read; of all others only names are known
    #[arg(long, value_name = "WHOSE", default_value = "workspace", help_heading = "Graph")]
    pub follow: FollowChoice,
    /// Which imports count [default: runtime]
    #[arg(long, value_name = "WHICH", help_heading = "Graph")]
    pub imports: Option<ImportsChoice>,
    /// Strings that name a module are imports too
    #[arg(long, help_heading = "Graph")]
    pub strings: bool,
    /// Where imports are kept [default: .bytekiln in the workspace]
    #[arg(long, value_name = "FOLDER", help_heading = "Cache", env = "BYTEKILN_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Threads at once [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<NonZeroUsize>,
}

/// `--follow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FollowChoice {
    /// The workspace's.
    #[default]
    Workspace,
    /// And those of installed distributions.
    Installed,
    /// And those of the standard library.
    All,
}

/// `--imports`: each also takes those of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportsChoice {
    /// What runs when a module is imported, also conditional and optional imports.
    Eager,
    /// And lazy imports (PEP 810).
    Lazy,
    /// And imports in functions and under `if __name__ == "__main__"`.
    Runtime,
    /// And those for type checkers, in strings, and under tests that never hold.
    All,
}

/// `graph`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    bytekiln graph                                    what there is, and what is wrong with it\n  \
    bytekiln graph --format json -o graph.json        everything, as docs/graph.md says\n  \
    bytekiln graph --format html -o graph.html        a page to search, zoom and filter\n  \
    bytekiln graph --from app.main --format dot       what one module loads, for graphviz\n  \
    bytekiln graph --by member --format mermaid       members, for a README\n\n\
    Modules are named as imports do (`a.b`, or `a.b.*` with all below), by file or folder, or as\n\
    `member:NAME` and `dist:NAME`. See also `deps`, `rdeps`, `why`, `cycles`, `affected`, `layers`.")]
pub struct GraphArguments {
    /// How it is shown
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: GraphFormat,
    /// Write it to this file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// What is one node [default: module; dot and mermaid take larger ones where there are too many]
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    pub by: Option<GroupChoice>,
    /// Packages with at most so many names: 1 for `a`, 2 for `a.b`
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub depth: Option<NonZeroUsize>,
    /// Only what this imports, directly or not (repeatable)
    #[arg(long, value_name = "MODULE", help_heading = "Selection")]
    pub from: Vec<String>,
    /// Only what imports this, directly or not (repeatable)
    #[arg(long, value_name = "MODULE", help_heading = "Selection")]
    pub to: Vec<String>,
    /// Only what is around this, both ways (repeatable)
    #[arg(long, value_name = "MODULE", help_heading = "Selection")]
    pub around: Vec<String>,
    /// How many imports away [default: 1 for --around, no limit for --from and --to]
    #[arg(long, value_name = "N", help_heading = "Selection")]
    pub distance: Option<usize>,
    /// Only modules of the workspace
    #[arg(long, help_heading = "Selection")]
    pub internal: bool,
    /// Which graph.
    #[command(flatten)]
    pub selection: GraphSelection,
}

/// `--format` of `graph`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A summary for people.
    Human,
    /// For machines: the documented schema of docs/graph.md.
    Json,
    /// Files and the files that they import, as `ruff analyze graph` writes it.
    JsonMap,
    /// For graphviz.
    Dot,
    /// For READMEs: a flowchart of Mermaid.
    Mermaid,
    /// One page that needs nothing else.
    Html,
}

/// `--by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum GroupChoice {
    /// Each module.
    Module,
    /// Packages; distributions and the standard library are one node each.
    Package,
    /// Members and distributions.
    Distribution,
    /// Members; all that is installed is one node.
    Member,
}
