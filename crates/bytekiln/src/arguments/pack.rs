//! `pack`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::{PlanFormat, RemoteArguments, SelectArguments};

/// `pack`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    bytekiln pack                          everything that [[artifact]] names\n  \
    bytekiln pack shop                     one of them\n  \
    bytekiln pack --list                   what there is to pack\n  \
    bytekiln pack --kind zipapp --set main=shop.cli:main --set 'members=[\"shop\"]'\n  \
    bytekiln pack --kind site --set site=.venv        compile an environment in place\n  \
    bytekiln pack --kind wheel --set wheel=dist/shop-1.0-py3-none-any.whl --set out=dist/compiled\n\n\
    Before anything gets its final name, it is read back, compared with what was compiled, and an\n\
    import of every module is simulated, as `doctor` does. What fails is not published.\n\
    The keys of [[artifact]] are in docs/pack.md.")]
pub struct PackArguments {
    /// Names of artifacts in the manifest [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Show what there is to pack, and pack nothing
    #[arg(long, conflicts_with = "names")]
    pub list: bool,
    /// Pack something that is not in the manifest: tree, zip, zipapp, wheel, layer, site, rust-blob
    #[arg(long, value_name = "KIND", conflicts_with_all = ["names", "list"], help_heading = "Artifact")]
    pub kind: Option<String>,
    /// Its keys, as in the manifest; values are TOML, or plain words (repeatable)
    #[arg(long, value_name = "KEY=VALUE", requires = "kind", help_heading = "Artifact")]
    pub set: Vec<String>,
    /// Where it goes, instead of the manifest's `out`; for one artifact
    #[arg(short, long, value_name = "PATH", help_heading = "Artifact")]
    pub out: Option<PathBuf>,
    /// Replace a folder even if `pack` did not make it
    #[arg(long, help_heading = "Artifact")]
    pub force: bool,
    /// Build the wheel of a member first, with its own build backend: this runs the member's code
    #[arg(long, help_heading = "Artifact")]
    pub build_wheel: bool,
    /// Write a statement of where everything came from beside it, whatever the manifest says
    #[arg(long, help_heading = "Artifact")]
    pub provenance: bool,
    /// The least time a file gets before its compiler counts as hung, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Execution")]
    pub timeout: u64,
    /// How the outcome is shown; json is the schema of docs/pack.md
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
    /// The user's cache [default: $XDG_CACHE_HOME/bytekiln]
    #[arg(long, value_name = "FOLDER", help_heading = "Cache", env = "BYTEKILN_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Neither read nor write the user's cache
    #[arg(long, conflicts_with = "cache_dir", help_heading = "Cache")]
    pub no_cache: bool,
    /// A cache on another machine.
    #[command(flatten)]
    pub remote: RemoteArguments,
    /// Where the workspace's state is [default: .bytekiln in the workspace]
    #[arg(long, value_name = "FOLDER", help_heading = "Cache", env = "BYTEKILN_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Threads and compilers at once [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<NonZeroUsize>,
}

impl PackArguments {
    /// What settings are made from; targets are the artifacts' own.
    pub fn selection(&self) -> SelectArguments {
        SelectArguments {
            cache_dir: self.cache_dir.clone(),
            no_cache: self.no_cache,
            state_dir: self.state_dir.clone(),
            jobs: self.jobs,
            ..SelectArguments::default()
        }
    }
}
