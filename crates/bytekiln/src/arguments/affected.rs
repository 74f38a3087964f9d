//! `bytekiln affected`: what may be typed; and how `build`, `plan` and `check` are told to be about a
//! part of the workspace only.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{GraphSelection, ImportsChoice};

/// `affected`.
#[derive(Debug, Args)]
#[command(after_help = "\
A module is affected if it changed, or imports, directly or not, one that did. What changed since REV \
is what changed since REV and HEAD parted (as `git diff REV...`), and what is not committed: staged, \
edited, and untracked files that git does not ignore. A changed data file affects the modules that \
`[graph]` in the manifest names for it; a member's pyproject.toml all of that member; the workspace's \
manifest everything. Files that belong to nothing are told, and affect nothing but with --unknown all.

Examples:
  bytekiln affected --since origin/main             modules, and why each of them is
  bytekiln affected --since origin/main --by member --format names
  bytekiln affected --since HEAD --why              the imports that lead to the change
  bytekiln affected --since origin/main --only 'test_*.py' --format paths -0 | xargs -0r pytest
  git diff --name-only -z HEAD~1 | bytekiln affected --files-from -

Exit status: 0 answered, if with nothing; 1 with --exit-code if something is affected; 2 wrong \
arguments, or no such revision; 3 no git, no repository, or a clone without the history that the \
answer needs.")]
pub struct AffectedArguments {
    /// What changed since this revision and HEAD parted, and what is not committed
    #[arg(long, value_name = "REV", help_heading = "Changes")]
    pub since: Option<String>,
    /// These files changed; one that is not there was deleted
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "Changes")]
    pub files: Vec<PathBuf>,
    /// As --files, from a file (`-`: standard input), one a line, or separated by NUL
    #[arg(long, value_name = "FILE", help_heading = "Changes")]
    pub files_from: Option<PathBuf>,
    /// What changed files mean that belong to no module
    #[arg(long, value_name = "POLICY", default_value = "report", help_heading = "Changes")]
    pub unknown: UnknownChoice,
    /// What makes a line
    #[arg(long, value_name = "WHAT", default_value = "module", help_heading = "Answer")]
    pub by: AffectedBy,
    /// Only modules whose file a glob matches, as `test_*.py`, `tests/**` (repeatable)
    #[arg(long, value_name = "GLOB", help_heading = "Answer")]
    pub only: Vec<String>,
    /// Show the imports that lead to the change
    #[arg(long, help_heading = "Answer")]
    pub why: bool,
    /// Exit with 1 if something is affected
    #[arg(long, help_heading = "Answer")]
    pub exit_code: bool,
    /// With --by artifact: outputs of this profile [default: dev]
    #[arg(long, value_name = "NAME", help_heading = "Answer", env = "BYTEKILN_PROFILE")]
    pub profile: Option<String>,
    /// Short for --profile release
    #[arg(short, long, conflicts_with = "profile", help_heading = "Answer")]
    pub release: bool,
    /// How it is shown; json is the schema of docs/affected.md
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: AffectedFormat,
    /// With --format names or paths: end each with a NUL instead of a newline
    #[arg(short = '0', long, help_heading = "Output")]
    pub null: bool,
    /// Which graph.
    #[command(flatten)]
    pub selection: GraphSelection,
}

/// `--by`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AffectedBy {
    /// Each module.
    Module,
    /// Each member of the workspace.
    Member,
    /// Each source.
    File,
    /// Each output of the profile.
    Artifact,
}

/// `--format` of `affected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AffectedFormat {
    /// For people.
    Human,
    /// For machines: the schema of docs/affected.md.
    Json,
    /// For other tools: names of modules or members that are there.
    Names,
    /// For other tools: files or folders that are there, as seen from the current folder.
    Paths,
}

/// `--unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UnknownChoice {
    /// They are told, and affect nothing.
    Report,
    /// They are not told, and affect nothing.
    Ignore,
    /// They affect everything.
    All,
}

/// Which sources of the workspace a build is about, by the import graph.
#[derive(Debug, Clone, Default, Args)]
pub struct PartArguments {
    /// Only this module and all that it imports: app.main, a file, app.main:run (repeatable)
    #[arg(long, value_name = "MODULE", help_heading = "Selection",
          conflicts_with_all = ["affected", "remove_orphans"])]
    pub entry: Vec<String>,
    /// Only what changes affected, as `bytekiln affected` says
    #[arg(long, requires = "since", conflicts_with = "remove_orphans", help_heading = "Selection")]
    pub affected: bool,
    /// With --affected: what changed since this revision and HEAD parted, and what is not committed
    #[arg(long, value_name = "REV", requires = "affected", help_heading = "Selection")]
    pub since: Option<String>,
    /// Which imports count [default: eager for --entry, runtime for --affected]
    #[arg(long, value_name = "WHICH", help_heading = "Selection")]
    pub imports: Option<ImportsChoice>,
}
