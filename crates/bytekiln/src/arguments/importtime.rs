//! `bytekiln importtime`: what may be typed.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `importtime`.
#[derive(Debug, Args)]
#[command(
    override_usage = "bytekiln importtime [OPTIONS] [-m MODULE | -c CODE | SCRIPT] [ARGS]...\n       \
    bytekiln importtime --compare OLD.json NEW.json\n       \
    bytekiln importtime --check [NAME]... [--update]",
    after_help = "\
This runs the program, once for each figure, with all that its code does. No other command of Bytekiln \
runs code of yours. What follows -m MODULE, -c CODE or SCRIPT belongs to the program; options of \
importtime come before. SCRIPT is a file, a folder or zip with a __main__.py, or the name of a command \
that is a Python script, such as black.

The program is started in several ways, which take turns:
  as-is      with the caches that lie there now
  none       without any cache: every source is compiled
  timestamp  with caches that CPython itself wrote, in a tree of their own
  checked    with checked-hash caches of Bytekiln, in a tree of their own
  unchecked  with unchecked-hash caches of Bytekiln, in a tree of their own
and, where --variant names them, from a place that is made of what the program loads:
  tree-checked, tree-unchecked         a folder with those caches in __pycache__
  zip-none, zip-checked, zip-unchecked a zip, without caches or with those
Nothing is written beside your sources: all runs are with -B, and all that is made for them lies in a \
temporary folder. Frozen modules are the same in all ways.

Examples:
  bytekiln importtime app.py
  bytekiln importtime --html start.html --open -m black --version
  bytekiln importtime --variant none,unchecked --format json django-admin check > new.json
  bytekiln importtime --variant zip-none,zip-unchecked shop.pyz    what are caches worth in a zip?
  bytekiln importtime --compare old.json new.json
  bytekiln importtime --check            all [startup.NAME] of the manifest: is the set of modules exact?
  bytekiln importtime --check cli --update

Exit status: 0 done; 1 the program failed, hung or was killed, or --check found something; 2 wrong \
arguments or manifest; 3 no such interpreter; 130 interrupted."
)]
pub struct ImporttimeArguments {
    /// Run a module, as python -m; what follows is for it
    #[arg(short = 'm', value_names = ["MODULE", "ARGS"], num_args = 1.., allow_hyphen_values = true,
          help_heading = "Program")]
    pub module: Vec<OsString>,
    /// Run code, as python -c; what follows is for it
    #[arg(short = 'c', value_names = ["CODE", "ARGS"], num_args = 1.., allow_hyphen_values = true,
          help_heading = "Program")]
    pub code: Vec<OsString>,
    /// A script, and its arguments
    #[arg(
        value_name = "SCRIPT",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        help_heading = "Program"
    )]
    pub program: Vec<OsString>,
    /// The interpreter: 3.14, 3.13t, a path, a command [default: that of SCRIPT's first line, else
    /// of $VIRTUAL_ENV, .venv, .python-version, python3]
    #[arg(long, value_name = "PYTHON", help_heading = "Launch")]
    pub python: Option<String>,
    /// Started with -O; -OO
    #[arg(short = 'O', action = clap::ArgAction::Count, help_heading = "Launch")]
    pub opt: u8,
    /// Another option for the interpreter, such as --python-option=-I (repeatable)
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true, help_heading = "Launch")]
    pub python_option: Vec<OsString>,
    /// In which ways it is started (comma separated) [default: as-is,none,timestamp,checked,unchecked]
    #[arg(long, value_name = "WAYS", value_delimiter = ',', help_heading = "Measuring")]
    pub variant: Vec<VariantChoice>,
    /// What is without caches in `none`: with `program` the standard library keeps its own
    #[arg(long, value_name = "WHAT", default_value = "all", help_heading = "Measuring")]
    pub uncached: UncachedChoice,
    /// Runs of each way [default: 3 to 20, as many as fit in ten seconds]
    #[arg(short = 'n', long, value_name = "N", help_heading = "Measuring")]
    pub runs: Option<NonZeroUsize>,
    /// A run that takes longer is ended, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Measuring",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// A program that ends with another status than 0 is no failure
    #[arg(short = 'i', long, help_heading = "Measuring")]
    pub ignore_failure: bool,
    /// How the result is shown
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: ImporttimeFormat,
    /// Show every import, not only those that take at least a hundredth of the time
    #[arg(long, help_heading = "Output")]
    pub all: bool,
    /// Also write a page: flame graph, table, modules worth making lazy
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Open the page [default file: .bytekiln/importtime.html]
    #[arg(long, help_heading = "Output")]
    pub open: bool,
    /// Compare two results of --format json instead of running anything
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 2, help_heading = "Instead",
          conflicts_with_all = ["module", "code", "program", "check", "html", "open"])]
    pub compare: Vec<PathBuf>,
    /// Check the [startup.NAME] tables of the manifest, all or these
    #[arg(long, value_name = "NAME", num_args = 0.., help_heading = "Instead",
          conflicts_with_all = ["module", "code", "program", "html", "open", "python"])]
    pub check: Option<Vec<String>>,
    /// With --check: write what is loaded as what is allowed
    #[arg(long, help_heading = "Instead")]
    pub update: bool,
    /// Threads for compiling [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<NonZeroUsize>,
}

/// `--variant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum VariantChoice {
    /// With the caches that are there.
    AsIs,
    /// Without.
    None,
    /// With CPython's own.
    Timestamp,
    /// With ours, checked.
    Checked,
    /// With ours, unchecked.
    Unchecked,
    /// From a tree with ours, checked.
    TreeChecked,
    /// From a tree with ours, unchecked.
    TreeUnchecked,
    /// From a zip of sources.
    ZipNone,
    /// From a zip with ours, checked.
    ZipChecked,
    /// From a zip with ours, unchecked.
    ZipUnchecked,
}

/// `--uncached`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UncachedChoice {
    /// Everything.
    All,
    /// All but the standard library.
    Program,
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImporttimeFormat {
    /// A table.
    Human,
    /// The schema of docs/importtime.md.
    Json,
    /// For speedscope.app.
    Speedscope,
    /// Trace events, for Perfetto and chrome://tracing.
    Chrome,
}
