//! `bytekiln verify`: what may be typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How the verdicts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// For people, on standard error.
    Human,
    /// The schema of docs/verify.md, on standard output.
    Json,
    /// SARIF 2.1.0, for code scanning, on standard output.
    Sarif,
}

/// Why a cache can be neither proved nor refuted. The names are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum UnprovableReason {
    /// The source is not there.
    NoSource,
    /// No interpreter of that release was found.
    NoInterpreter,
    /// Made by something else than CPython 3.8 to 3.15.
    UnknownRelease,
    /// Made by a patch release or build of which no interpreter was found, as far as one can see.
    OtherBuild,
    /// The cache or its source could not be read, or is in an archive twice.
    Unreadable,
    /// The interpreter failed on the source, or verifying was interrupted.
    NotCompared,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each .pyc is proved by compiling its source again, with the interpreter that its magic number asks \
for, and comparing both in one canonical form; header mode, recorded paths, hash seeds and the \
order of compilation do not matter. Nothing of what is verified is executed or unmarshalled.

Examples:
  bytekiln verify .venv/lib/python3.13/site-packages
  bytekiln verify dist/app-1.0-py3-none-any.whl layer.tar.gz --format sarif > verify.sarif
  bytekiln verify dist/app.pyz --provenance dist/app.pyz.intoto.json
  bytekiln verify vendor --python 3.13.1 --allow-unprovable=no-source

Exit status: 0 all are proved; 1 one diverges or cannot be proved; 2 wrong arguments; 3 the \
environment lacks something; 130 interrupted.")]
pub struct VerifyArguments {
    /// Folders (site-packages, a checkout), zips, wheels, tars, or single .pyc files
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Only these interpreters: 3.14, 3.13.1, 3.13t, a path, a command [default: all that are found]
    #[arg(long, value_name = "PYTHON", help_heading = "Interpreters")]
    pub python: Vec<String>,
    /// Verify also the caches of PATH in this folder, as PYTHONPYCACHEPREFIX puts them
    #[arg(long, value_name = "FOLDER", help_heading = "Selection")]
    pub pycache_prefix: Option<PathBuf>,
    /// Hold PATH, an artifact, against this statement of where it came from, which `pack --provenance`
    /// wrote: its digest, then the sources of the workspace, then the caches in it
    #[arg(long, value_name = "STATEMENT", help_heading = "Selection")]
    pub provenance: Option<PathBuf>,
    /// Do not fail for caches that cannot be proved, for these reasons [default: for any]
    #[arg(long, value_name = "REASON", num_args = 0.., require_equals = true,
          value_delimiter = ',', help_heading = "Selection")]
    pub allow_unprovable: Option<Vec<UnprovableReason>>,
    /// How the verdicts are shown
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: VerifyFormat,
    /// The user's cache [default: $XDG_CACHE_HOME/bytekiln]
    #[arg(long, value_name = "FOLDER", help_heading = "Cache", env = "BYTEKILN_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Believe nothing that was found out before: who can write the cache can fake a proof
    #[arg(long, conflicts_with = "cache_dir", help_heading = "Cache")]
    pub no_cache: bool,
    /// Threads and compilers at once [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<NonZeroUsize>,
    /// The least time a file gets before its compiler counts as hung, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Execution")]
    pub timeout: u64,
}
