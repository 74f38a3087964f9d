//! Running git: in the workspace, in plain English, without locks, and with nothing that a hook or a
//! user's settings could bend the answers with. Knows nothing of what is asked.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{RevisionError, RevisionErrorKind};

/// What git sets for hooks, and what would make it look at another repository, another index, or
/// show differences otherwise. The rest of the environment is git's own affair: where its settings
/// are, how to reach a remote that a partial clone takes objects from.
const SCRUBBED: [&str; 18] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIFF_OPTS",
    "GIT_DIR",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Settings that must not be the user's: a file that was touched only is none that changed; a walk
/// for untracked files goes into no submodule.
const SETTINGS: [&str; 6] = [
    "-c",
    "core.quotePath=false",
    "-c",
    "diff.autoRefreshIndex=true",
    "-c",
    "submodule.recurse=false",
];

/// Git in a workspace.
pub(super) struct Git<'a> {
    pub(super) command: &'a Path,
    pub(super) root: &'a Path,
}

/// What git said.
pub(super) struct Answer {
    pub(super) status: Option<i32>,
    pub(super) out: Vec<u8>,
    pub(super) said: String,
}

impl Git<'_> {
    /// Asks; any exit status is an answer.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<Answer, RevisionError> {
        let mut command = Command::new(self.command);
        command.args(SETTINGS).args(arguments).current_dir(self.root);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in SCRUBBED {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").env("LANGUAGE", "C");
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0");
        let output = command.output().map_err(|error| RevisionErrorKind::NotStarted {
            git: self.command.to_owned(),
            error,
        })?;
        Ok(Answer {
            status: output.status.code(),
            out: output.stdout,
            said: one_line(&output.stderr),
        })
    }

    /// Asks what must have an answer.
    pub(super) fn must(&self, arguments: &[&str]) -> Result<Vec<u8>, RevisionError> {
        let answer = self.ask(arguments)?;
        if answer.status == Some(0) {
            return Ok(answer.out);
        }
        let said = match (answer.said.is_empty(), answer.status) {
            (false, _) => answer.said,
            (true, Some(status)) => format!("it ended with status {status}"),
            (true, None) => "it was killed".to_owned(),
        };
        Err(RevisionErrorKind::Failed { command: shown(arguments), said }.into())
    }
}

/// A command as one would type it.
pub(super) fn shown(arguments: &[&str]) -> String {
    format!("git {}", arguments.join(" "))
}

/// What a program complains of, for a message of one line.
fn one_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> =
        lines.map(|line| line.strip_prefix("fatal: ").unwrap_or(line)).take(4).collect();
    lines.join("; ").chars().filter(|c| !c.is_control()).collect()
}
