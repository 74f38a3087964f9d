//! `bytekiln inspect`: what may be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::PlanFormat;

/// `inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Of a .pyc it shows header, source and code objects; of a folder or an archive, a line for each .pyc \
in it. Nothing is executed or unmarshalled, and no interpreter is needed: any CPython from 3.8 to \
3.15 is understood.

Examples:
  bytekiln inspect pkg/__pycache__/mod.cpython-313.pyc
  bytekiln inspect --dis --code Shape.area pkg/__pycache__/mod.cpython-313.pyc
  bytekiln inspect app.zip/pkg/mod.pyc
  bytekiln inspect .venv/lib/python3.13/site-packages

Exit status: 0 all could be read; 1 one could not; 2 wrong arguments.")]
pub struct InspectArguments {
    /// .pyc files, members of archives (app.zip/pkg/mod.pyc), folders or archives
    #[arg(value_name = "PATH", required = true)]
    pub files: Vec<PathBuf>,
    /// Show instructions, with what their arguments mean
    #[arg(short = 'd', long, help_heading = "Shown")]
    pub dis: bool,
    /// Show where instructions stand in the source: lines and columns
    #[arg(short = 'l', long, help_heading = "Shown")]
    pub lines: bool,
    /// Show all there is: --dis --lines, also for each .pyc of a folder or an archive
    #[arg(short = 'a', long, help_heading = "Shown")]
    pub all: bool,
    /// Only code objects of this name or qualified name (repeatable)
    #[arg(long, value_name = "NAME", help_heading = "Shown")]
    pub code: Vec<String>,
    /// How it is shown; json is the schema of docs/inspect.md
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
    /// Threads [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<NonZeroUsize>,
}
