//! What a workspace is, once its manifests are read and its members found. Values only: which
//! file said what is for messages, how they were read is for `manifest` and `discover`.

mod artifact;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_graph::{Contract, Selector, Which};
use bytekiln_planner::Problem;
use bytekiln_python::{InvalidationMode, OptimizationLevel};

pub use artifact::{
    Arrangement, ArtifactKind, ArtifactLayout, ArtifactRule, ArtifactTarget, CompressionSetting,
    SelectionRule, SourcelessPart, SourcelessRule,
};

/// A workspace, ready to be scanned.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Absolute, without links.
    pub root: PathBuf,
    /// The file that holds Bytekiln's settings; `None` when all is discovered.
    pub manifest: Option<PathBuf>,
    /// Every file and folder whose change may change this value (manifests read, folders matched by
    /// member globs, files whose absence mattered), below or above the root: the no-op check
    /// watches them.
    pub watched: Vec<PathBuf>,
    /// Members, by path; no file belongs to two.
    pub members: Vec<Member>,
    /// All profiles, inheritance resolved; `dev` and `release` always exist.
    pub profiles: BTreeMap<String, Profile>,
    /// Files that may fail to compile.
    pub allowances: Vec<AllowanceRule>,
    /// The user's cache.
    pub cache: CacheSettings,
    /// What the import graph is to know beyond the sources.
    pub graph: GraphSettings,
    /// What can be packed.
    pub artifacts: Vec<ArtifactRule>,
    /// What starts of programs may load, by name.
    pub startup: Vec<StartupRule>,
    /// Warnings met on the way (e.g. a member glob that matches nothing).
    pub problems: Vec<Problem>,
}

/// Part of a workspace that is compiled and named together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Unique: the project's name where a `pyproject.toml` or `Cargo.toml` gives one, else the
    /// folder's name, else its path.
    pub name: String,
    /// Its folder.
    pub path: RepoPath,
    /// Folders that stand on `sys.path` for it, below the workspace; at least one.
    pub import_roots: Vec<RepoPath>,
    /// Globs, relative to its folder, of what belongs to it; empty means everything below it.
    pub include: Vec<String>,
    /// Globs, relative to its folder, of what does not.
    pub exclude: Vec<String>,
    /// How it was found.
    pub origin: MemberOrigin,
}

/// How a member was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberOrigin {
    /// Named by the manifest.
    Listed,
    /// Member of `[tool.uv.workspace]`.
    UvWorkspace,
    /// A folder with a `pyproject.toml`.
    Pyproject,
    /// The Python folder of a crate (`[package.metadata.bytekiln]`, `[tool.maturin]`).
    CargoPackage,
    /// The tree itself: what no project holds.
    Tree,
}

/// How to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Mode of the outputs.
    pub mode: InvalidationMode,
    /// Levels, ascending, each once, at least one.
    pub levels: Vec<OptimizationLevel>,
    /// Interpreters; empty means the workspace's default one.
    pub interpreters: Vec<InterpreterSpec>,
    /// Where outputs go.
    pub layout: LayoutSetting,
    /// What `co_filename` says.
    pub recorded_path: RecordedPathPolicy,
    /// Applied to the recorded path, the first that matches.
    pub path_prefix_map: Vec<PrefixMap>,
    /// PEP 657 positions.
    pub debug_ranges: bool,
    /// Warnings of the compiler fail the build.
    pub deny_warnings: bool,
    /// What to do with other tools' caches whose source is gone.
    pub orphans: OrphanPolicy,
    /// Hard-link outputs from the cache.
    pub link: bool,
}

/// Where outputs go, as a manifest says it. Folders are as written: absolute, or relative to the
/// workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutSetting {
    /// In `__pycache__`.
    Pycache,
    /// In a `PYTHONPYCACHEPREFIX` tree.
    Prefix {
        /// The tree.
        out: PathBuf,
        /// Absolute path of the workspace when the program runs; `None` means where it is now.
        deploy_root: Option<PathBuf>,
    },
    /// `m.pyc` beside `m.py`.
    Legacy,
    /// `m.pyc` in a tree of its own.
    Sourceless {
        /// The tree.
        out: PathBuf,
    },
}

/// What goes into `co_filename`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedPathPolicy {
    /// The path below the workspace.
    Workspace,
    /// The path below the member's folder.
    Member,
    /// The path below the import root.
    ImportRoot,
}

/// `FROM=TO`: a recorded path that is `FROM` or begins with `FROM/` gets `TO` instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixMap {
    /// Leading components; empty matches everything.
    pub from: String,
    /// What stands there instead.
    pub to: String,
}

/// An interpreter, as asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum InterpreterSpec {
    /// `3.14`, `3.13.0`, `3.13t`: a version (one to three numbers, at least two) and whether it is
    /// to be a free-threaded build.
    Version {
        /// The numbers, e.g. `[3, 14]`.
        numbers: Vec<u16>,
        /// With the suffix `t`.
        free_threaded: bool,
    },
    /// A path (it has a `/`), absolute or relative to the workspace.
    Path(PathBuf),
    /// A command on `PATH`, e.g. `python3`.
    Command(String),
}

/// What to do with caches that other tools wrote for sources that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrphanPolicy {
    /// Report them.
    Report,
    /// Remove them.
    Remove,
}

/// `[[allow-failure]]`: files that may fail to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowanceRule {
    /// Glob, relative to the workspace.
    pub glob: String,
    /// Why; never empty.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// `file:line` where it stands, for messages.
    pub place: String,
}

/// `[graph]`: what the import graph is to know beyond the sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphSettings {
    /// Modules that come to be at build or run time: `a.b`, or `a.b.*` for it and all below.
    pub generated: Vec<String>,
    /// Data files that modules read.
    pub data: Vec<DataRule>,
    /// Who may import whom.
    pub contracts: Vec<ContractRule>,
    /// Strings that look like dotted names and are found as modules are edges too.
    pub strings: bool,
}

/// Data files that belong to modules: when one changes, the modules are affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRule {
    /// Glob, relative to the workspace.
    pub glob: String,
    /// Dotted names of the modules that read them.
    pub modules: Vec<String>,
}

/// `[[graph.contract]]`: who may import whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractRule {
    /// As users know it; no two rules have one name.
    pub name: String,
    /// It is broken by what breaks any of these; their names are that of the rule.
    pub checks: Vec<Contract>,
    /// Which imports count.
    pub imports: Which,
    /// What is forbidden must not be imported by what is imported either, and so on.
    pub indirect: bool,
    /// Imports that are let pass, from the first to the second.
    pub ignored: Vec<IgnoredImports>,
    /// Whom it speaks of.
    pub selectors: Vec<PlacedSelector>,
    /// `file:line` where it stands, for messages.
    pub place: String,
}

/// Imports that break a contract and are let pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredImports {
    /// Who imports.
    pub from: Selector,
    /// What is imported.
    pub to: Selector,
    /// `file:line` where it stands, for messages.
    pub place: String,
}

/// A member or module that a contract speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedSelector {
    /// Which.
    pub selector: Selector,
    /// `file:line` where it stands, for messages.
    pub place: String,
}

/// `[startup.NAME]`: what the start of a program may load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartupRule {
    /// As users know it.
    pub name: String,
    /// What follows `python`: `["-m", "app"]`, `["tool.py", "--help"]`; at least one word.
    pub command: Vec<String>,
    /// The interpreter; without it, that of the first line of a script, else the workspace's.
    pub python: Option<InterpreterSpec>,
    /// `-O` level.
    pub optimize: OptimizationLevel,
    /// Where it is started, relative to the workspace; without it, in the workspace's folder.
    pub folder: Option<PathBuf>,
    /// At most so many modules, besides those that the interpreter loads by itself.
    pub max_modules: Option<usize>,
    /// Which modules; without it, any.
    pub allowed: Option<AllowedModules>,
    /// The fastest of several runs must not take longer than so many milliseconds.
    pub budget_milliseconds: Option<u64>,
    /// `file:line` where it stands, for messages.
    pub place: String,
}

/// Where the modules that may be loaded are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedModules {
    /// In the manifest: `a.b`, or `a.b.*` for it and all below.
    Listed(Vec<String>),
    /// In a file, one a line, relative to the workspace.
    File(PathBuf),
}

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year.
    pub year: u16,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The user's cache, as the manifest says; the command line and the environment come first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheSettings {
    /// Its folder, relative to the workspace if not absolute.
    pub dir: Option<PathBuf>,
    /// Evict beyond so many bytes.
    pub max_bytes: Option<u64>,
    /// The address of a cache on another machine; its scheme is one of four, the rest unread.
    pub remote: Option<String>,
    /// Nothing is written to that one.
    pub remote_read_only: bool,
}
