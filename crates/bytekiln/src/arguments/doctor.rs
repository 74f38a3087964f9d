//! `bytekiln doctor`: what may be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::PlanFormat;

/// `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each PATH is taken for an entry of sys.path, in this order: a folder, a zip, a wheel or tar that will \
be unpacked, a place inside an archive (bundle.zip/python), or a virtual environment. Nothing of what \
is in it is executed.

Verdicts: loaded; compiled at start, because a cache is missing, stale, wrong-magic, wrong-level, \
bad-flags, truncated or ignored; failing to import, because it is truncated, damaged or made by \
another release and there is no source; unchecked-over-changed, which runs old code. Worth knowing, \
and no failure: shadowed, orphan, foreign-path. docs/doctor.md explains each.

Examples:
  bytekiln doctor .venv
  bytekiln doctor --python 3.13 -O dist/app.pyz
  bytekiln doctor --python 3.12 bundle.zip/python --time-zone UTC
  bytekiln doctor --python 3.13 build/ --as zip
  bytekiln doctor --python 3.13 src/ --mtime 0     as after a builder that normalises times

Exit status: 0 everything is loaded from its cache, or allowed; 1 something is not; 2 wrong arguments; \
3 no such interpreter.")]
pub struct DoctorArguments {
    /// Folders or archives, as they will stand in sys.path
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The interpreter that will run it: 3.14, 3.13t, a path, a command [default: that of the
    /// virtual environment that PATH is in, else .venv, .python-version, python3]
    #[arg(long, value_name = "PYTHON", help_heading = "Launch")]
    pub python: Option<String>,
    /// Started with -O; -OO, -OOO
    #[arg(short = 'O', action = clap::ArgAction::Count, help_heading = "Launch")]
    pub opt: u8,
    /// Started with so many -O, or PYTHONOPTIMIZE
    #[arg(long, value_name = "N", conflicts_with = "opt", help_heading = "Launch")]
    pub optimize: Option<u8>,
    /// Started with -X pycache_prefix or PYTHONPYCACHEPREFIX set to this folder
    #[arg(long, value_name = "FOLDER", help_heading = "Launch")]
    pub pycache_prefix: Option<PathBuf>,
    /// Started with --check-hash-based-pycs
    #[arg(long, value_name = "WHEN", default_value = "default", help_heading = "Launch")]
    pub check_hash_based_pycs: HashCheckChoice,
    /// sys.implementation.cache_tag, if it is set to another one; `none` for None
    #[arg(long, value_name = "TAG", help_heading = "Launch")]
    pub cache_tag: Option<String>,
    /// The local time that dates in zips are read in, as in TZ [default: this machine's]
    #[arg(long, value_name = "TZ", env = "TZ", help_heading = "Launch")]
    pub time_zone: Option<String>,
    /// What it will be when it is imported: a folder is zipped, an archive unpacked [default: zips
    /// stay zips, wheels and tars are unpacked]
    #[arg(long = "as", value_name = "KIND", help_heading = "Deployment")]
    pub target: Option<TargetChoice>,
    /// The modification time that every file will have, in seconds since 1970 [default: as it is]
    #[arg(
        long,
        value_name = "SECONDS",
        allow_negative_numbers = true,
        help_heading = "Deployment"
    )]
    pub mtime: Option<i64>,
    /// Verdicts that do not fail (repeatable, comma separated)
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = parse_class)]
    pub allow: Vec<bytekiln_loader::Class>,
    /// How it is shown; json is the schema of docs/doctor.md
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
    /// Threads [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<NonZeroUsize>,
}

/// `--check-hash-based-pycs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HashCheckChoice {
    /// Checked caches are checked.
    Default,
    /// All are.
    Always,
    /// None is.
    Never,
}

/// `--as`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetChoice {
    /// Imported from a zip.
    Zip,
    /// Imported from a folder.
    Dir,
}

fn parse_class(text: &str) -> Result<bytekiln_loader::Class, String> {
    bytekiln_loader::Class::parse(text).ok_or_else(|| {
        let all: Vec<&str> =
            bytekiln_loader::Class::ALL.iter().map(|class| class.as_str()).collect();
        format!("the verdicts are {}", all.join(", "))
    })
}
