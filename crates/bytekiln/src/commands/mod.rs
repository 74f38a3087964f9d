//! One file a command: each reads its arguments, drives a session, and says what came of it.

pub(crate) mod affected;
mod archive;
pub(crate) mod build;
pub(crate) mod cache;
mod chains;
mod clean;
pub(crate) mod compile;
mod cycles;
mod deps;
mod diff;
mod doctor;
mod edges;
mod graph;
mod importtime;
mod inspect;
mod layers;
mod lock;
mod manifest;
mod ninja;
mod normalize;
mod opened;
pub(crate) mod pack;
mod parallel;
mod plan;
mod verify;
mod why;
mod worker;
mod written;

use std::path::PathBuf;

use clap::CommandFactory;

use crate::arguments::{Arguments, Command, SelectArguments};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::problems;
use crate::report::terminal::Terminal;
use crate::session::Session;
use crate::settings::{settings, start_folder, workspace};

/// Runs what was typed.
pub(crate) fn run(
    arguments: &Arguments,
    parameter_files: &[PathBuf],
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let global = &arguments.global;
    let session = |select: &SelectArguments| -> Result<Session<'_>, CommandFailure> {
        let workspace = workspace(global, environment)?;
        problems::say(terminal, &workspace.problems);
        let start = start_folder(global, environment)?;
        let settings = settings(select, workspace, start, environment)?;
        Ok(Session::new(settings, environment, terminal))
    };
    match &arguments.command {
        Command::Build(build) => {
            build::run(build, session(&build.select)?.with_remote(&build.remote)?, terminal)
        }
        Command::Plan(plan) => plan::plan(plan, session(&plan.select)?, environment, terminal),
        Command::Check(check) => plan::check(check, session(&check.select)?, terminal),
        Command::Explain(explain) => {
            plan::explain(explain, &session(&explain.select)?, environment, terminal)
        }
        Command::Init(init) => manifest::init(init, &start_folder(global, environment)?, terminal),
        Command::Add(member) => {
            let reload = || workspace(global, environment);
            manifest::add(member, &reload, environment, terminal)
        }
        Command::Remove(member) => {
            let reload = || workspace(global, environment);
            manifest::remove(member, &reload, environment, terminal)
        }
        Command::Verify(verify) => verify::run(verify, global, environment, terminal),
        Command::Doctor(doctor) => doctor::run(doctor, global, environment, terminal),
        Command::Normalize(normalize) => normalize::run(normalize, global, environment, terminal),
        Command::Lock(lock) => {
            lock::run(lock, session(&lock.selection())?.with_remote(&lock.remote)?, terminal)
        }
        Command::Diff(diff) => diff::run(diff, global, environment, terminal),
        Command::Inspect(inspect) => inspect::run(inspect, global, environment, terminal),
        Command::Importtime(importtime) => {
            importtime::run(importtime, global, environment, terminal)
        }
        Command::Graph(graph) => graph::run(graph, global, environment, terminal),
        Command::Deps(deps) => {
            let direction = bytekiln_graph::Direction::Dependencies;
            deps::run(deps, direction, global, environment, terminal)
        }
        Command::Rdeps(deps) => {
            let direction = bytekiln_graph::Direction::Dependents;
            deps::run(deps, direction, global, environment, terminal)
        }
        Command::Why(why) => why::run(why, global, environment, terminal),
        Command::Cycles(cycles) => cycles::run(cycles, global, environment, terminal),
        Command::Affected(affected) => affected::run(affected, global, environment, terminal),
        Command::Layers(layers) => layers::run(layers, global, environment, terminal),
        Command::Pack(pack) => {
            let session = session(&pack.selection())?.with_remote(&pack.remote)?;
            pack::run(pack, &session, environment, terminal)
        }
        Command::Compile(compile) => {
            compile::run(compile, parameter_files, global, environment, terminal)
        }
        Command::Worker(worker) => {
            worker::run(worker, parameter_files, global, environment, terminal)
        }
        Command::Archive(archive) => archive::run(archive, global, environment),
        Command::Clean(clean) => clean::run(clean, session(&clean.select)?, terminal),
        Command::Cache(cache) => {
            let configured = match &cache.cache_dir {
                Some(_) => bytekiln_project::CacheSettings::default(),
                // Without a workspace the user's own cache is meant.
                None => workspace(global, environment).map(|w| w.cache).unwrap_or_default(),
            };
            cache::run(cache, &configured, environment, terminal)
        }
        Command::Completions(completions) => {
            let mut out = Vec::new();
            let mut command = Arguments::command();
            clap_complete::generate(completions.shell, &mut command, "bytekiln", &mut out);
            terminal.data(&String::from_utf8_lossy(&out));
            Ok(ExitStatus::Success)
        }
    }
}
