//! Which interpreters may have made a cache. Never one that lies in or beside what is verified: it
//! may be as forged as the rest, and would be started.

use std::path::{Path, PathBuf};

use bytekiln_action::ToolchainDigest;
use bytekiln_executor::Compiler;
use bytekiln_project::{
    Interpreter, InterpreterSpec, find_all_interpreters, find_interpreters,
    find_interpreters_unkept,
};
use bytekiln_python::Release;

use crate::environment::Environment;
use crate::failure::CommandFailure;

/// One that can compile.
pub(super) struct Candidate {
    /// For the executor.
    pub compiler: Compiler,
    /// Of its identity.
    pub digest: ToolchainDigest,
    /// The user has named exactly this one.
    pub pinned: bool,
}

impl Candidate {
    /// `CPython 3.11.7`.
    pub(super) fn label(&self) -> String {
        self.compiler.toolchain.label()
    }
}

/// All candidates for these releases.
pub(super) fn candidates(
    releases: &[Release],
    wanted: &[String],
    environment: &Environment,
    start: &Path,
    state_dir: Option<&Path>,
) -> Result<Vec<Candidate>, CommandFailure> {
    let search = environment.search_path();
    if wanted.is_empty() {
        let survey = find_all_interpreters(releases, &search, start, state_dir);
        return Ok(survey.found.into_iter().map(|found| candidate(found, false)).collect());
    }
    let mut candidates: Vec<Candidate> = Vec::new();
    for text in wanted {
        let spec = InterpreterSpec::parse(text)
            .map_err(|error| CommandFailure::usage(format!("--python `{text}`: {error}")))?;
        let exact = match &spec {
            InterpreterSpec::Version { numbers, .. } => numbers.len() > 2,
            InterpreterSpec::Path(_) | InterpreterSpec::Command(_) => true,
        };
        let found = match state_dir {
            Some(state_dir) => find_interpreters(&[spec], &search, start, state_dir),
            None => find_interpreters_unkept(&[spec], &search, start),
        };
        let found = found.map_err(|error| CommandFailure::interpreter(&error))?;
        for interpreter in found {
            let one = candidate(interpreter, exact);
            if !candidates.iter().any(|known| known.digest == one.digest) {
                candidates.push(one);
            }
        }
    }
    Ok(candidates)
}

fn candidate(interpreter: Interpreter, pinned: bool) -> Candidate {
    let Interpreter { executable, toolchain, .. } = interpreter;
    let digest = toolchain.digest();
    Candidate { compiler: Compiler { toolchain, executable }, digest, pinned }
}

/// The exact version of the interpreter of the virtual environment that a path is in, as its
/// `pyvenv.cfg` says: `version` of `venv`, `version_info` of `virtualenv` and uv.
pub(super) fn environment_version(path: &Path) -> Option<String> {
    let real: PathBuf = std::fs::canonicalize(path).ok()?;
    let text = real
        .ancestors()
        .find_map(|folder| std::fs::read_to_string(folder.join("pyvenv.cfg")).ok())?;
    version_in(&text)
}

fn version_in(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let is_version = matches!(key.trim(), "version" | "version_info");
        let version: Vec<&str> = value.trim().split('.').take(3).collect();
        (is_version && version.len() == 3).then(|| version.join("."))
    })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions_of_environments() {
        for (text, expect) in [
            ("home = /usr/bin\nversion = 3.11.7\n", Some("3.11.7")),
            ("version_info = 3.13.1.final.0\n", Some("3.13.1")),
            ("version_info = 3.13.1\nprompt = x\n", Some("3.13.1")),
            ("version = 3.13\n", None),
            ("", None),
        ] {
            assert_eq!(version_in(text).as_deref(), expect);
        }
    }
}
