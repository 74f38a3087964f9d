//! `bytekiln normalize`: what may be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::PlanFormat;

/// What kind of header is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NormalizeMode {
    /// The importer hashes the source and compares
    CheckedHash,
    /// The importer does not look at the source: only where that cannot change
    UncheckedHash,
    /// The kind of header that is there; timestamps stay timestamps
    Keep,
}

/// What `co_filename` is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NormalizeRecordedPath {
    /// Relative, but kept where there is no source: there programs see it
    Auto,
    /// Relative to site-packages, or to the folder that is imported from
    Relative,
    /// The one that is there
    Keep,
}

/// `normalize`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each cache is rewritten to docs/canonical-form.md: bytes that depend on nothing but the source and \
the interpreter's release. Before a file is replaced, the new one has been compared with the old one, \
value by value. RECORD files of the distributions concerned are updated.

A cache that is not of the source beside it is never touched: it is reported as stale. So are caches \
of other interpreters and tools, and caches whose RECORD lists other bytes.

Examples:
  bytekiln normalize .venv
  bytekiln normalize --invalidation-mode unchecked-hash build/lambda
  bytekiln normalize --check /usr/lib/python3/dist-packages

Exit status: 0 all are as wanted now; 1 one is damaged or could not be written, or with --check, one \
would change or is stale; 2 wrong arguments; 130 interrupted.")]
pub struct NormalizeArguments {
    /// Folders (site-packages, a venv, a package), or .pyc files
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 if anything would change
    #[arg(long)]
    pub check: bool,
    /// What kind of header
    #[arg(long, value_name = "MODE", default_value = "checked-hash", help_heading = "Form")]
    pub invalidation_mode: NormalizeMode,
    /// Which file name is in the code objects; with a source, the importer replaces it at load
    #[arg(long, value_name = "WHICH", default_value = "auto", help_heading = "Form")]
    pub recorded_path: NormalizeRecordedPath,
    /// How results are shown
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
    /// Threads at once [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<NonZeroUsize>,
}
