//! `bytekiln diff`: what may be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::PlanFormat;

/// `diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Two .pyc files are identical; or equivalent: the same once both are in the canonical form under one \
header and one recorded path, and it says what differs before; or different, and it says in which \
code object, at which constant, name or instruction. Trees are compared path by path, other files \
by their bytes. Any two of .pyc, folder, zip, wheel and tar can be compared, also inside archives.

Examples:
  bytekiln diff old/mod.pyc new/mod.pyc
  bytekiln diff dist/app-1.0-py3-none-any.whl .venv/lib/python3.13/site-packages --only-pyc
  bytekiln diff --equivalent first-build second-build

Exit status: 0 identical (with --equivalent, or equivalent); 1 not; 2 one could not be read.")]
pub struct DiffArguments {
    /// A .pyc, another file, a folder, an archive, or a place in one (app.zip/pkg)
    #[arg(value_name = "LEFT")]
    pub left: PathBuf,
    /// What to compare it with
    #[arg(value_name = "RIGHT")]
    pub right: PathBuf,
    /// Exit with 0 also if some are equal only after canonicalising
    #[arg(short, long, help_heading = "Compared")]
    pub equivalent: bool,
    /// Leave out files other than .pyc
    #[arg(long, help_heading = "Compared")]
    pub only_pyc: bool,
    /// Take .pyc files with other recorded paths for different
    #[arg(long, help_heading = "Compared")]
    pub recorded_paths: bool,
    /// Instructions shown around each change
    #[arg(short = 'U', long, value_name = "N", default_value_t = 3, help_heading = "Output")]
    pub context: usize,
    /// How it is shown; json is the schema of docs/diff.md
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
    /// Threads [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<NonZeroUsize>,
}
