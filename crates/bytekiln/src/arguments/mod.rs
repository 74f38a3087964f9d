//! Arguments as typed. What they mean, together with environment and manifest, is decided in
//! `settings`; nothing below this crate sees clap.

mod affected;
mod archive;
mod compile;
mod cycles;
mod deps;
mod diff;
mod doctor;
mod executor;
mod graph;
mod importtime;
mod inspect;
mod layers;
mod lock;
mod normalize;
mod pack;
mod remote;
mod verify;
mod why;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use affected::{AffectedArguments, AffectedBy, AffectedFormat, PartArguments, UnknownChoice};
pub use archive::{ArchiveArguments, ArchiveCompression, ArchiveFormat};
pub use compile::{CompileArguments, CompileRequest, ProtocolChoice, TreeLayout, WorkerArguments};
pub use cycles::{CyclesArguments, CyclesBy};
pub use deps::{DepsArguments, DepsBy, DepsFormat, OriginChoice};
pub use diff::DiffArguments;
pub use doctor::{DoctorArguments, HashCheckChoice, TargetChoice};
pub use executor::ExecutorArguments;
pub use graph::{
    FollowChoice, GraphArguments, GraphFormat, GraphSelection, GroupChoice, ImportsChoice,
};
pub use importtime::{ImporttimeArguments, ImporttimeFormat, UncachedChoice, VariantChoice};
pub use inspect::InspectArguments;
pub use layers::LayersArguments;
pub use lock::LockArguments;
pub use normalize::{NormalizeArguments, NormalizeMode, NormalizeRecordedPath};
pub use pack::PackArguments;
pub use remote::RemoteArguments;
pub use verify::{UnprovableReason, VerifyArguments, VerifyFormat};
pub use why::WhyArguments;

/// Reproducible, hash-based bytecode caches for Python monorepos.
///
/// Bytekiln plans incremental bytecode compilation, compiles with real CPythons, brings every
/// result to one canonical form, and writes .pyc files that are the same bytes on every machine.
#[derive(Debug, Parser)]
#[command(
    name = "bytekiln",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit status: 0 done or nothing to do; 1 a file failed (`check`: there is work); 2 wrong \
    arguments or manifest; 3 the environment lacks something; 101 internal fault; 130 interrupted."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// For every command.
    #[command(flatten)]
    pub global: Global,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The workspace: its folder, or its bytekiln.toml, pyproject.toml or Cargo.toml
    #[arg(long, global = true, value_name = "PATH", help_heading = "Workspace")]
    pub manifest_path: Option<PathBuf>,
    /// Run as if started in this folder
    #[arg(
        short = 'C',
        long = "directory",
        global = true,
        value_name = "FOLDER",
        help_heading = "Workspace"
    )]
    pub directory: Option<PathBuf>,
    /// When to colour [default: on a terminal without NO_COLOR]
    #[arg(long, global = true, value_name = "WHEN", help_heading = "Output")]
    pub color: Option<ColorChoice>,
    /// Say more: reasons for every step (-v), and what is fresh (-vv)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// Say nothing but errors and warnings
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal.
    Auto,
    /// Even into a file.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile what is dirty, remove what is stale
    #[command(visible_alias = "b")]
    Build(BuildArguments),
    /// Show what a build would do, and why; nothing is changed
    Plan(PlanArguments),
    /// Say why a file is fresh or dirty, and what its key is made of
    Explain(ExplainArguments),
    /// Exit with 1 if a build would do anything (for CI)
    Check(CheckArguments),
    /// Write a commented bytekiln.toml from what is found
    Init(InitArguments),
    /// Add a folder to the members of the workspace
    Add(MemberArguments),
    /// Remove a folder from the members of the workspace
    Remove(MemberArguments),
    /// Prove that .pyc files came from their sources
    Verify(VerifyArguments),
    /// Say what an interpreter will load from a finished tree or zip, and what not
    Doctor(DoctorArguments),
    /// Rewrite .pyc files of other tools in the canonical form
    Normalize(NormalizeArguments),
    /// Write bytekiln.lock: digests of sources and outputs
    Lock(LockArguments),
    /// Show what is in .pyc files
    Inspect(InspectArguments),
    /// Compare two .pyc files, trees or archives
    Diff(DiffArguments),
    /// Run a program and show what start-up costs, without and with caches
    Importtime(Box<ImporttimeArguments>),
    /// Show who imports whom: for people, as JSON, DOT, Mermaid or a page
    Graph(GraphArguments),
    /// Show what modules import
    Deps(DepsArguments),
    /// Show who imports modules
    Rdeps(DepsArguments),
    /// Show the shortest chain of imports from one module to another
    Why(WhyArguments),
    /// Show what imports itself by detours, and what to cut
    Cycles(CyclesArguments),
    /// Say which modules, members and outputs a change affects
    Affected(Box<AffectedArguments>),
    /// Check the contracts of the manifest: who may import whom
    Layers(LayersArguments),
    /// Make release artifacts: trees, zips, programs, wheels, container layers
    Pack(Box<PackArguments>),
    /// Remove the outputs that Bytekiln made
    Clean(CleanArguments),
    /// One hermetic compilation, for build systems: explicit sources, outputs and interpreter
    Compile(Box<CompileArguments>),
    /// Serve compilations to Bazel as a persistent worker
    Worker(Box<WorkerArguments>),
    /// Named files as a zip or an image layer, for build systems
    Archive(Box<ArchiveArguments>),
    /// Show, trim or empty the user's cache
    Cache(CacheArguments),
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
}

/// Which part of the workspace, for which targets.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectArguments {
    /// Only this member (repeatable)
    #[arg(short, long = "package", value_name = "MEMBER", help_heading = "Selection")]
    pub package: Vec<String>,
    /// Build with this profile [default: dev]
    #[arg(long, value_name = "NAME", help_heading = "Selection", env = "BYTEKILN_PROFILE")]
    pub profile: Option<String>,
    /// Short for --profile release
    #[arg(short, long, conflicts_with = "profile", help_heading = "Selection")]
    pub release: bool,
    /// Compile for this interpreter instead of the profile's: 3.14, 3.13t, a path, a command (repeatable)
    #[arg(long, value_name = "PYTHON", help_heading = "Targets")]
    pub python: Vec<String>,
    /// Optimization levels instead of the profile's: 0, 1, 2
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', help_heading = "Targets",
          value_parser = clap::value_parser!(u8).range(0..=2))]
    pub optimize: Vec<u8>,
    /// Mode instead of the profile's: checked-hash or unchecked-hash
    #[arg(long, value_name = "MODE", help_heading = "Targets",
          value_parser = ["checked-hash", "unchecked-hash"])]
    pub invalidation_mode: Option<String>,
    /// Replace a leading part of recorded paths (repeatable; before those of the profile)
    #[arg(long, value_name = "FROM=TO", help_heading = "Targets")]
    pub path_prefix_map: Vec<String>,
    /// Remove caches of other tools whose source is gone
    #[arg(long, help_heading = "Selection")]
    pub remove_orphans: bool,
    /// Look at every output, even where its folder has not changed since the last build
    #[arg(long, help_heading = "Selection")]
    pub verify_outputs: bool,
    /// The user's cache [default: $XDG_CACHE_HOME/bytekiln]
    #[arg(long, value_name = "FOLDER", help_heading = "Cache", env = "BYTEKILN_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Neither read nor write the user's cache
    #[arg(long, conflicts_with = "cache_dir", help_heading = "Cache")]
    pub no_cache: bool,
    /// Where the workspace's file index and records are [default: .bytekiln in the workspace]
    #[arg(long, value_name = "FOLDER", help_heading = "Cache", env = "BYTEKILN_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Threads and compilers at once [default: the CPUs of this process]
    #[arg(short, long, value_name = "N", help_heading = "Execution", env = "BYTEKILN_JOBS")]
    pub jobs: Option<std::num::NonZeroUsize>,
}

/// How messages are formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people, on standard error.
    Human,
    /// One JSON object a line, on standard output.
    Json,
}

/// `build`.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// What to build.
    #[command(flatten)]
    pub select: SelectArguments,
    /// Of that, which part.
    #[command(flatten)]
    pub part: PartArguments,
    /// A cache on another machine.
    #[command(flatten)]
    pub remote: RemoteArguments,
    /// Compile everything, fresh or not
    #[arg(short, long, help_heading = "Execution")]
    pub force: bool,
    /// Write nothing but what bytekiln.lock says; fail if the tree has drifted from it
    #[arg(long, help_heading = "Execution")]
    pub locked: bool,
    /// Stop at the first failure instead of listing all of them
    #[arg(long, help_heading = "Execution")]
    pub no_keep_going: bool,
    /// Go on after failures (this is the default)
    #[arg(short, long, hide = true, conflicts_with = "no_keep_going")]
    pub keep_going: bool,
    /// Warnings of the compiler fail the build
    #[arg(long, help_heading = "Execution")]
    pub deny_warnings: bool,
    /// The least time a file gets before its compiler counts as hung, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Execution")]
    pub timeout: u64,
    /// Carry out a plan saved by `plan --format json`
    #[arg(long, value_name = "FILE", help_heading = "Execution",
          conflicts_with_all = ["package", "profile", "release", "python", "optimize", "force", "locked",
                                "entry", "affected"])]
    pub plan: Option<PathBuf>,
    /// How messages are formatted
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub message_format: MessageFormat,
    /// Write a page that shows what ran when [default file: .bytekiln/timings.html]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, help_heading = "Output")]
    pub timings: Option<Option<PathBuf>>,
    /// Open that page
    #[arg(long, requires = "timings", help_heading = "Output")]
    pub open: bool,
}

/// How a plan, and what other commands print, is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    Human,
    /// For machines: the documented schema of the command.
    Json,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// What to plan.
    #[command(flatten)]
    pub select: SelectArguments,
    /// Of that, which part.
    #[command(flatten)]
    pub part: PartArguments,
    /// Plan as if nothing were fresh
    #[arg(short, long)]
    pub force: bool,
    /// How the plan is shown; ninja is a build.ninja of everything, fresh or not
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanOutput,
}

/// What `plan` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanOutput {
    /// For people
    Human,
    /// The schema of docs/plan.md
    Json,
    /// A build.ninja: every source, fresh or not (docs/ninja.md)
    Ninja,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// What to check.
    #[command(flatten)]
    pub select: SelectArguments,
    /// Of that, which part.
    #[command(flatten)]
    pub part: PartArguments,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// A source or an output
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What to plan.
    #[command(flatten)]
    pub select: SelectArguments,
}

/// `init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The folder [default: this one]
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Put it into the pyproject.toml that is there, as [tool.bytekiln]
    #[arg(long)]
    pub pyproject: bool,
    /// Print it instead of writing it
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// `add`, `remove`.
#[derive(Debug, Args)]
pub struct MemberArguments {
    /// Folders of members
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
}

/// `clean`.
#[derive(Debug, Args)]
pub struct CleanArguments {
    /// What to clean.
    #[command(flatten)]
    pub select: SelectArguments,
    /// Show what would be removed
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// All profiles, and the state folder too
    #[arg(long, conflicts_with_all = ["package", "profile", "release"])]
    pub all: bool,
}

/// `cache`.
#[derive(Debug, Args)]
pub struct CacheArguments {
    /// What to do with it.
    #[command(subcommand)]
    pub command: CacheCommand,
    /// The user's cache [default: $XDG_CACHE_HOME/bytekiln]
    #[arg(long, value_name = "FOLDER", global = true, env = "BYTEKILN_CACHE_DIR")]
    pub cache_dir: Option<PathBuf>,
    /// The cache on another machine that builds use, for `stats`
    #[arg(long, value_name = "ADDRESS", global = true, env = "BYTEKILN_REMOTE_CACHE")]
    pub remote_cache: Option<String>,
}

/// `cache …`.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// How much is in it, and how old
    Stats {
        /// How it is shown
        #[arg(long, value_name = "FORMAT", default_value = "human")]
        format: PlanFormat,
    },
    /// Remove what was not used for longest, down to a size or an age
    Gc {
        /// Keep at most so much, e.g. 5GB [default: the manifest's, else 10GB]
        #[arg(long, value_name = "SIZE")]
        max_size: Option<String>,
        /// Remove what was not used for so many days
        #[arg(long, value_name = "DAYS")]
        max_age_days: Option<u32>,
    },
    /// Remove everything in it
    Clear,
    /// Print its folder
    Dir,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// For which shell
    pub shell: clap_complete::Shell,
}
