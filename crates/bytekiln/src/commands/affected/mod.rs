//! `bytekiln affected`: which modules, members and outputs a change affects, and why.

mod artifacts;
mod changes;
mod human;
mod json;
mod lists;
mod touched;

use std::collections::BTreeMap;

use bytekiln_action::RepoPath;
use bytekiln_graph::{AffectedModule, OwnerKind};
use bytekiln_project::PathGlobs;

pub(crate) use changes::Asked;
pub(crate) use touched::{Touched, touched};

use crate::arguments::{AffectedArguments, AffectedBy, AffectedFormat, Global};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::imports::open_in;
use crate::report::problems;
use crate::report::terminal::Terminal;
use crate::settings::{start_folder, workspace};
use artifacts::Artifact;

/// What is shown.
struct Answer<'a> {
    arguments: &'a AffectedArguments,
    touched: &'a Touched,
    /// Affected modules, those that `--only` leaves.
    modules: Vec<AffectedModule>,
    /// Of them, by member.
    members: Vec<Member>,
    /// With `--by artifact`.
    artifacts: Option<Vec<Artifact>>,
}

/// An affected member.
struct Member {
    name: String,
    folder: RepoPath,
    /// How many of its modules are affected.
    affected: usize,
    /// Of these, how many changed themselves.
    changed: usize,
    /// How many modules it has.
    all: usize,
    /// The affected module that is nearest to a change.
    nearest: AffectedModule,
}

/// `bytekiln affected`.
pub(crate) fn run(
    arguments: &AffectedArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let asked = Asked {
        since: arguments.since.as_deref(),
        files: &arguments.files,
        files_from: arguments.files_from.as_deref(),
        unknown: arguments.unknown,
    };
    if asked.since.is_none() && asked.files.is_empty() && asked.files_from.is_none() {
        return Err(CommandFailure::usage("it is not said what changed").hint(
            "name a revision with --since, or files with --files FILE… or --files-from FILE",
        ));
    }
    let only = only(&arguments.only)?;
    let start = start_folder(global, environment)?;
    let workspace = workspace(global, environment)?;
    problems::say(terminal, &workspace.problems);
    let folder = start.canonicalize().unwrap_or_else(|_| start.clone());
    let changed = asked.changed(&workspace.root, &folder, environment)?;
    let selection = artifacts::selection(arguments, &workspace);
    let deleted = changed.deleted();
    let open = open_in(workspace, start, &selection, &deleted, environment, terminal)?;
    problems::say(terminal, &open.loaded.problems);
    let touched = touched(&asked, changed, open, terminal)?;

    let is_wanted = |module: &&AffectedModule| {
        only.as_ref().is_none_or(|only| {
            touched::source(&touched.open, module.module).is_some_and(|path| only.is_match(path))
        })
    };
    let modules: Vec<AffectedModule> =
        touched.affected.modules.iter().filter(is_wanted).copied().collect();
    let artifacts = if arguments.by == AffectedBy::Artifact {
        Some(artifacts::find(arguments, &touched, &modules, global, environment, terminal)?)
    } else {
        None
    };
    let members = members(&touched, &modules);
    let answer = Answer { arguments, touched: &touched, modules, members, artifacts };
    match arguments.format {
        AffectedFormat::Human => human::say(&answer, terminal),
        AffectedFormat::Json => terminal.data(&json::render(&answer)),
        AffectedFormat::Names => terminal.data_bytes(&lists::names(&answer)),
        AffectedFormat::Paths => terminal.data_bytes(&lists::paths(&answer)),
    }
    if arguments.format != AffectedFormat::Json {
        human::sum_up(&answer, terminal);
    }
    let fails = arguments.exit_code && !answer.modules.is_empty();
    Ok(if fails { ExitStatus::Failure } else { ExitStatus::Success })
}

/// Globs without a slash are about names of files, wherever they are.
fn only(globs: &[String]) -> Result<Option<PathGlobs>, CommandFailure> {
    if globs.is_empty() {
        return Ok(None);
    }
    let anywhere = |glob: &String| match glob.contains('/') {
        true => glob.clone(),
        false => format!("**/{glob}"),
    };
    let globs: Vec<String> = globs.iter().map(anywhere).collect();
    let globs = PathGlobs::new(globs.iter().map(String::as_str)).map_err(|error| {
        CommandFailure::usage(format!("--only `{}`: {}", error.glob, error.message))
    })?;
    Ok(Some(globs))
}

/// Members that have affected modules, in the order of the workspace.
fn members(touched: &Touched, modules: &[AffectedModule]) -> Vec<Member> {
    let graph = touched.open.graph();
    let mut by_owner: BTreeMap<u32, Vec<AffectedModule>> = BTreeMap::new();
    for module in modules {
        if let Some(owner) = graph.node(module.module).and_then(|node| node.owner) {
            by_owner.entry(owner).or_default().push(*module);
        }
    }
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for (id, node) in graph.nodes() {
        if let (Some(owner), Some(_)) = (node.owner, touched::source(&touched.open, id)) {
            *counts.entry(owner).or_default() += 1;
        }
    }
    let mut members = Vec::new();
    for (owner, about) in (0_u32..).zip(graph.owners()) {
        let (OwnerKind::Member, Some(own)) = (about.kind, by_owner.get(&owner)) else { continue };
        let member = touched.open.workspace.members.iter().find(|it| it.name == about.name);
        let nearest = own.iter().min_by_key(|module| (module.distance, module.module));
        let (Some(member), Some(nearest)) = (member, nearest) else { continue };
        members.push(Member {
            name: about.name.clone(),
            folder: member.path.clone(),
            affected: own.len(),
            changed: own.iter().filter(|one| touched.changed.contains(&one.module)).count(),
            all: counts.get(&owner).copied().unwrap_or_default(),
            nearest: *nearest,
        });
    }
    members
}
