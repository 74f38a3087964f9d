//! What all commands on the import graph take.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// For which interpreter, with what beside the workspace, by which imports.
#[derive(Debug, Clone, Default, Args)]
pub struct GraphSelection {
    /// Decide conditions and the standard library for this interpreter [default: the profile's first]
    #[arg(long, value_name = "PYTHON", help_heading = "Graph")]
    pub python: Option<String>,
    /// The virtual environment with the distributions [default: $VIRTUAL_ENV, else .venv in the workspace]
    #[arg(long, value_name = "FOLDER", help_heading = "Graph")]
    pub venv: Option<PathBuf>,
    /// Look at no virtual environment
    #[arg(long, conflicts_with = "venv", help_heading = "Graph")]
    pub no_venv: bool,
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
