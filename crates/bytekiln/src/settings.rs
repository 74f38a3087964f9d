//! Settings as meant: flag, then environment (both through clap), then manifest, then default.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytekiln_project::{
    Date, InterpreterSpec, OrphanPolicy, PrefixMap, Profile, Workspace, WorkspaceError,
    load_workspace,
};
use bytekiln_python::{InvalidationMode, OptimizationLevel};

use crate::arguments::{Global, SelectArguments};
use crate::calendar::date_of_day;
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;

/// What a command works on, and how.
#[derive(Debug)]
pub struct Settings {
    /// The workspace.
    pub workspace: Workspace,
    /// The folder that names of files are relative to.
    pub start: PathBuf,
    /// The profile, with what the command line says put in.
    pub profile: Profile,
    /// Only these members; empty means all.
    pub packages: Vec<String>,
    /// The targets are not the profile's own, so its other outputs stay.
    pub targets_overridden: bool,
    /// Where the file index and the records are.
    pub state_dir: PathBuf,
    /// The user's cache; `None`: without.
    pub cache_dir: Option<PathBuf>,
    /// Threads and compilers at once.
    pub jobs: NonZeroUsize,
    /// Look at every output.
    pub verify_outputs: bool,
    /// The day on which allowances are judged.
    pub today: Date,
}

/// Finds and reads the workspace.
pub fn workspace(global: &Global, environment: &Environment) -> Result<Workspace, CommandFailure> {
    let start = start_folder(global, environment)?;
    let manifest = global.manifest_path.as_ref().map(|path| start.join(path));
    load_workspace(&start, manifest.as_deref()).map_err(|error| workspace_failure(&error))
}

/// The folder that a command was started in, or was told to.
pub fn start_folder(global: &Global, environment: &Environment) -> Result<PathBuf, CommandFailure> {
    let current = environment
        .current_dir
        .clone()
        .ok_or_else(|| CommandFailure::environment("the current folder does not exist any more"))?;
    let start = match &global.directory {
        Some(directory) => current.join(directory),
        None => current,
    };
    if !start.is_dir() {
        return Err(CommandFailure::usage(format!("`{}` is no folder", start.display())));
    }
    Ok(start)
}

/// A manifest's errors, each with its place.
pub fn workspace_failure(error: &WorkspaceError) -> CommandFailure {
    let messages = error.problems().iter().map(ToString::to_string).collect();
    CommandFailure { status: ExitStatus::Usage, messages, hint: None }
}

/// Puts arguments, environment and manifest together.
pub fn settings(
    select: &SelectArguments,
    workspace: Workspace,
    start: PathBuf,
    environment: &Environment,
) -> Result<Settings, CommandFailure> {
    let name = if select.release { "release" } else { select.profile.as_deref().unwrap_or("dev") };
    let Some(profile) = workspace.profiles.get(name) else {
        let known: Vec<&str> = workspace.profiles.keys().map(String::as_str).collect();
        return Err(CommandFailure::usage(format!("there is no profile `{name}`"))
            .hint(format!("the profiles are: {}", known.join(", "))));
    };
    let mut profile = profile.clone();
    override_profile(&mut profile, select)?;
    for package in &select.package {
        if !workspace.members.iter().any(|member| member.name == *package) {
            return Err(no_such_member(package, &workspace));
        }
    }
    let state_dir = match &select.state_dir {
        Some(dir) => absolute(dir, environment),
        None => workspace.root.join(".bytekiln"),
    };
    let cache_dir = if select.no_cache {
        None
    } else {
        let configured = workspace.cache.dir.as_ref().map(|dir| workspace.root.join(dir));
        let typed = select.cache_dir.as_ref();
        Some(crate::commands::cache::folder(typed, configured.as_ref(), environment)?)
    };
    Ok(Settings {
        start,
        profile,
        packages: select.package.clone(),
        targets_overridden: !select.python.is_empty() || !select.optimize.is_empty(),
        state_dir,
        cache_dir,
        jobs: select.jobs.unwrap_or_else(bytekiln_executor::available_parallelism),
        verify_outputs: select.verify_outputs,
        today: today(),
        workspace,
    })
}

fn override_profile(profile: &mut Profile, select: &SelectArguments) -> Result<(), CommandFailure> {
    if !select.python.is_empty() {
        profile.interpreters = select
            .python
            .iter()
            .map(|text| {
                InterpreterSpec::parse(text)
                    .map_err(|error| CommandFailure::usage(format!("--python `{text}`: {error}")))
            })
            .collect::<Result<_, _>>()?;
    }
    if !select.optimize.is_empty() {
        let mut levels: Vec<OptimizationLevel> =
            select.optimize.iter().copied().filter_map(OptimizationLevel::from_u8).collect();
        levels.sort();
        levels.dedup();
        profile.levels = levels;
    }
    if let Some(mode) = select.invalidation_mode.as_deref().and_then(InvalidationMode::parse) {
        profile.mode = mode;
    }
    let mut maps = Vec::new();
    for text in &select.path_prefix_map {
        maps.push(PrefixMap::parse(text).map_err(|error| {
            CommandFailure::usage(format!("--path-prefix-map `{text}`: {error}"))
        })?);
    }
    maps.append(&mut profile.path_prefix_map);
    profile.path_prefix_map = maps;
    if select.remove_orphans {
        profile.orphans = OrphanPolicy::Remove;
    }
    Ok(())
}

fn no_such_member(package: &str, workspace: &Workspace) -> CommandFailure {
    let names: Vec<&str> = workspace.members.iter().map(|member| member.name.as_str()).collect();
    let shown = if names.len() > 20 {
        format!(
            "{} members, e.g. {}",
            names.len(),
            names.iter().take(5).copied().collect::<Vec<_>>().join(", ")
        )
    } else {
        names.join(", ")
    };
    CommandFailure::usage(format!("there is no member `{package}`"))
        .hint(format!("the members are: {shown}"))
}

fn absolute(path: &Path, environment: &Environment) -> PathBuf {
    match &environment.current_dir {
        Some(current) => current.join(path),
        None => path.to_owned(),
    }
}

/// The day in UTC, so that an allowance expires everywhere at once.
fn today() -> Date {
    let seconds =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    date_of_day(i64::try_from(seconds / 86_400).unwrap_or(i64::MAX))
}
