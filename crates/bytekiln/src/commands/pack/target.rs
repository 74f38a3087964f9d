//! What an artifact is compiled for: interpreters × levels, from its profile and its own keys. Knows
//! nothing of files.

use std::path::Path;
use std::sync::Arc;

use bytekiln_action::{Action, CompileFlags, Digest, RecordedPath, ToolchainDigest};
use bytekiln_codec::CANONICAL_FORM_VERSION;
use bytekiln_executor::Compiler;
use bytekiln_project::{ArtifactRule, Interpreter, Profile, Workspace, find_interpreters};
use bytekiln_python::{InvalidationMode, OptimizationLevel};

use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::prepared::level_suffix;

/// One interpreter with one level.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) compiler: Compiler,
    digest: ToolchainDigest,
    pub(super) level: OptimizationLevel,
    pub(super) mode: InvalidationMode,
    flags: CompileFlags,
}

impl Target {
    /// `CPython 3.11.7 -O`.
    pub(super) fn label(&self) -> String {
        format!("{}{}", self.compiler.toolchain.label(), level_suffix(self.level))
    }

    /// The key of a source that is compiled for it.
    pub(super) fn action(&self, source: Digest, recorded_path: RecordedPath) -> Action {
        Action {
            source,
            recorded_path,
            toolchain: Arc::clone(&self.compiler.toolchain),
            toolchain_digest: self.digest,
            level: self.level,
            mode: self.mode,
            flags: self.flags,
            canonical_form: CANONICAL_FORM_VERSION,
        }
    }
}

/// The targets of an artifact, and the profile whose settings it has.
pub(super) struct Targets<'a> {
    pub(super) all: Vec<Target>,
    pub(super) profile: &'a Profile,
}

/// Finds the interpreters. Those of `preferred`, such as the one of a virtual environment, are taken
/// where neither the artifact nor its profile names any.
pub(super) fn targets<'a>(
    rule: &ArtifactRule,
    workspace: &'a Workspace,
    preferred: Option<&Path>,
    state_dir: &Path,
    environment: &Environment,
) -> Result<Targets<'a>, CommandFailure> {
    let profile = workspace.profiles.get(&rule.target.profile).ok_or_else(|| {
        CommandFailure::usage(format!("there is no profile `{}`", rule.target.profile))
    })?;
    let own = &rule.target.interpreters;
    let mut specs = if own.is_empty() { profile.interpreters.clone() } else { own.clone() };
    if let Some(python) = preferred
        && specs.is_empty()
    {
        specs.push(bytekiln_project::InterpreterSpec::Path(python.to_owned()));
    }
    let search = environment.search_path();
    let found = find_interpreters(&specs, &search, &workspace.root, state_dir)
        .map_err(|error| CommandFailure::interpreter(&error))?;
    let levels = if rule.target.levels.is_empty() { &profile.levels } else { &rule.target.levels };
    let all: Vec<Target> = found
        .iter()
        .flat_map(|interpreter| {
            levels.iter().map(|level| target(interpreter, *level, rule, profile))
        })
        .collect();
    check_names(&all)?;
    Ok(Targets { all, profile })
}

fn target(
    interpreter: &Interpreter,
    level: OptimizationLevel,
    rule: &ArtifactRule,
    profile: &Profile,
) -> Target {
    let toolchain = &interpreter.toolchain;
    // Before 3.11 there are no positions to leave out; one key for one result.
    let has_positions = toolchain.release.minor() >= 11;
    Target {
        digest: toolchain.digest(),
        level,
        mode: rule.target.mode,
        flags: CompileFlags { debug_ranges: profile.debug_ranges || !has_positions },
        compiler: Compiler {
            toolchain: Arc::clone(toolchain),
            executable: interpreter.executable.clone(),
        },
    }
}

/// Two builds of one release write the same names.
fn check_names(targets: &[Target]) -> Result<(), CommandFailure> {
    for (index, one) in targets.iter().enumerate() {
        let same = |other: &&Target| {
            other.compiler.toolchain.cache_tag == one.compiler.toolchain.cache_tag
                && other.level == one.level
        };
        if let Some(other) = targets.iter().take(index).find(same) {
            return Err(CommandFailure::usage(format!(
                "{} and {} give bytecode of the same names",
                other.label(),
                one.label()
            ))
            .hint("name one of them with `python = [\"…\"]`"));
        }
    }
    Ok(())
}
