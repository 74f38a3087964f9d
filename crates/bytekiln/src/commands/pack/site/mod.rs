//! A finished environment, compiled in place: all installed code in it, and the standard library where that
//! is asked for, reproducibly and through the user's cache. `RECORD`s learn of what was added, so that
//! uninstalling takes it away. `records` keeps them. Writes nothing but caches and `RECORD`s.

mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bytekiln_action::{Digest, RecordedPath, RepoPath};
use bytekiln_artifact::{Artifact, EntryKind, OpenOptions, digest_file};
use bytekiln_assembly::is_module;
use bytekiln_executor::{
    CacheOrigin, Event, Job, JobEnd, LinkPolicy, Options, Order, Unplaced, Work, execute,
};
use bytekiln_planner::{OutputPath, RootId};
use bytekiln_project::{ArtifactRule, PathGlobs, standard_library};
use bytekiln_python::cache_file_name;

use super::outcome::Packed;
use super::target::{Target, targets};
use super::{Packing, check, dependencies};
use crate::commands::parallel;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::remote::OpenRemote;
use crate::remote_execution::OpenExecutor;
use crate::report::human::HumanReporter;
use crate::report::tally::plural;
use crate::report::{BuildNames, Reporter};

/// A folder whose modules are compiled, and how messages call it.
struct Folder {
    path: PathBuf,
    /// Folders at its top that are others' or data.
    without: &'static [&'static [u8]],
    /// It is no entry of `sys.path` of its own in a simulation: it comes before all others anyway.
    is_library: bool,
}

/// Test data of the standard library are broken on purpose; what is installed is another folder.
const NOT_LIBRARY: &[&[u8]] = &[
    b"site-packages",
    b"dist-packages",
    b"test",
    b"tests",
    b"idlelib/idle_test",
    b"lib2to3/tests",
];

/// A module, found and hashed.
struct Module {
    folder: usize,
    path: RepoPath,
    digest: Digest,
}

/// Compiles the environment.
pub(super) fn pack(packing: &Packing<'_>, rule: &ArtifactRule) -> Result<Packed, CommandFailure> {
    let (targets, folders) = folders(packing, rule)?;
    let modules = modules(packing, rule, &folders)?;
    let mut packed = empty(packing, rule, &targets);
    let outputs = compile(packing, &folders, &modules, &targets, &mut packed)?;
    records::update(&folders, &outputs)?;
    simulate(packing, &folders, &modules, &outputs, &targets, &mut packed)?;
    packed.sources = modules.len();
    Ok(packed)
}

/// What is compiled, and for whom: the interpreter of the environment, unless another one is named.
fn folders(
    packing: &Packing<'_>,
    rule: &ArtifactRule,
) -> Result<(Vec<Target>, Vec<Folder>), CommandFailure> {
    let named = rule.site.clone().unwrap_or_default();
    let site = packing.workspace.root.join(&named);
    if !site.is_dir() {
        let message = format!("{}: there is no environment `{}`", rule.place, named.display());
        return Err(CommandFailure::usage(message));
    }
    let is_venv = site.join("pyvenv.cfg").is_file();
    let own = site.join("bin/python");
    let preferred = (is_venv && own.is_file()).then_some(own.as_path());
    let (workspace, state) = (packing.workspace, packing.session.state_dir());
    let targets = targets(rule, workspace, preferred, state, packing.environment)?.all;
    let release = targets.first().map(|target| target.compiler.toolchain.release);
    let path = if is_venv {
        dependencies::site_packages(rule, &site, release)?
    } else {
        std::fs::canonicalize(&site).unwrap_or(site)
    };
    let mut folders = vec![Folder { path, without: &[], is_library: false }];
    if rule.standard_library {
        for target in &targets {
            let compiler = &target.compiler;
            let library = standard_library(&compiler.executable, compiler.toolchain.release);
            let path = library.ok_or_else(|| {
                CommandFailure::environment(format!(
                    "the standard library of `{}` was not found",
                    compiler.executable.display()
                ))
            })?;
            if folders.iter().all(|folder| folder.path != path) {
                folders.push(Folder { path, without: NOT_LIBRARY, is_library: true });
            }
        }
    }
    Ok((targets, folders))
}

/// Every module, with the digest of its source.
fn modules(
    packing: &Packing<'_>,
    rule: &ArtifactRule,
    folders: &[Folder],
) -> Result<Vec<Module>, CommandFailure> {
    let exclude = PathGlobs::new(rule.exclude.iter().map(String::as_str))
        .map_err(|error| CommandFailure::usage(format!("{}: `{}`", rule.place, error.glob)))?;
    let jobs = packing.session.jobs();
    let mut modules = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let artifact = Artifact::open(&folder.path, &OpenOptions::new(jobs))
            .map_err(|error| CommandFailure::artifact(&error))?;
        let is_package = |folder: &RepoPath| artifact.find(&folder.join(b"__init__.py")).is_some();
        let is_wanted = |path: &RepoPath| {
            let inside = |without: &&[u8]| {
                RepoPath::new(without).is_some_and(|without| path.strip_prefix(&without).is_some())
            };
            is_module(path, is_package)
                && !folder.without.iter().any(inside)
                && !exclude.is_match(path)
        };
        let paths: Vec<RepoPath> = artifact
            .entries()
            .iter()
            .filter(|entry| entry.kind != EntryKind::Directory && is_wanted(&entry.path))
            .map(|entry| entry.path.clone())
            .collect();
        let digests = parallel::map(&paths, jobs, |path| digest_file(&folder.file(path)));
        for (path, digest) in paths.into_iter().zip(digests) {
            let digest = digest.map_err(|error| CommandFailure::failure(&error))?;
            modules.push(Module { folder: number, path, digest });
        }
    }
    if modules.is_empty() {
        return Err(CommandFailure::usage(format!(
            "{}: there is no module in `{}`",
            rule.place,
            rule.site.clone().unwrap_or_default().display()
        )));
    }
    Ok(modules)
}

impl Folder {
    fn file(&self, path: &RepoPath) -> PathBuf {
        self.path.join(OsStr::from_bytes(path.as_bytes()))
    }
}

/// A cache that is where it should be.
struct Output {
    folder: usize,
    module: RepoPath,
    target: usize,
    /// Below the folder.
    path: RepoPath,
    digest: Digest,
}

fn compile(
    packing: &Packing<'_>,
    folders: &[Folder],
    modules: &[Module],
    targets: &[Target],
    packed: &mut Packed,
) -> Result<Vec<Output>, CommandFailure> {
    let mut outputs = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let inside: Vec<&Module> = modules.iter().filter(|one| one.folder == number).collect();
        compile_folder(packing, number, folder, &inside, targets, packed, &mut outputs)?;
    }
    Ok(outputs)
}

fn compile_folder(
    packing: &Packing<'_>,
    number: usize,
    folder: &Folder,
    modules: &[&Module],
    targets: &[Target],
    packed: &mut Packed,
    outputs: &mut Vec<Output>,
) -> Result<(), CommandFailure> {
    let (mut jobs, mut of_target) = (Vec::new(), Vec::new());
    for module in modules {
        for (target_number, target) in targets.iter().enumerate() {
            let recorded = RecordedPath::from_file_system(module.path.as_bytes());
            let tag = &target.compiler.toolchain.cache_tag;
            let name = cache_file_name(module.path.stem(), tag, target.level);
            let parent = module.path.parent().unwrap_or_default();
            jobs.push(Job {
                source: module.path.clone(),
                action: target.action(module.digest, recorded),
                compiler: target_number,
                output: Some(OutputPath {
                    root: RootId::WORKSPACE,
                    path: parent.join(b"__pycache__").join(&name),
                }),
            });
            of_target.push(u32::try_from(target_number).unwrap_or(u32::MAX));
        }
    }
    let work = Work {
        roots: vec![folder.path.clone()],
        compilers: targets.iter().map(|target| target.compiler.clone()).collect(),
        jobs,
        removals: Vec::new(),
    };
    let labels = targets.iter().map(Target::label).collect();
    // What does not compile in installed code stays as it is, and is counted.
    let allowances = vec![Some("installed".to_owned()); work.jobs.len()];
    let names = BuildNames::new(labels, of_target, allowances);
    let reporter = HumanReporter::new(packing.terminal, &work, &names, false);
    let events = |event: &Event<'_>| match event {
        Event::LookedUp { misses, .. } => {
            super::compile::say_misses(*misses, work.jobs.len(), targets, packing.terminal);
        }
        Event::JobEnded { job, worker, end, compile } => {
            let end = &super::compile::without_warnings(end);
            reporter.event(&Event::JobEnded { job: *job, worker: *worker, end, compile: *compile });
        }
        event => reporter.event(event),
    };
    let options = Options {
        jobs: packing.session.jobs(),
        keep_going: true,
        link: LinkPolicy::Link,
        timeout: packing.timeout,
    };
    let (store, remote) = (packing.session.store(), packing.session.remote()?);
    let executor = packing.session.executor()?;
    let report = execute(&Order {
        work: &work,
        expected: &[],
        unplaced: Unplaced::Digest,
        sources: None,
        engine: &packing.session.engine(),
        store: store.as_deref(),
        remote: remote.as_ref().map(OpenRemote::cache),
        elsewhere: executor.as_ref().map(OpenExecutor::compiler),
        options: &options,
        events: &events,
        cancel: &interrupt::CANCEL,
    });
    let tally = reporter.finish();
    if let Some(remote) = &remote {
        remote.say_traffic(packing.terminal);
    }
    if let Some(executor) = &executor {
        executor.say_traffic(packing.terminal);
    }
    if report.interrupted || interrupt::is_interrupted() {
        return Err(CommandFailure::interrupted("some caches are written, each of them whole"));
    }
    if tally.failed + tally.not_tried > 0 {
        let count = tally.failed + tally.not_tried;
        let files = plural(count, "cache was", "caches were");
        return Err(CommandFailure::failure(format!("{count} {files} not written")));
    }
    for (job, end) in work.jobs.into_iter().zip(report.ends) {
        let digest = match end {
            JobEnd::Compiled { output, .. } => output,
            JobEnd::Cached { output, origin, .. } => {
                packed.unchanged &= origin == CacheOrigin::Output;
                output
            }
            JobEnd::Rejected { .. } | JobEnd::Failed(_) => {
                packed.rejected.push(job.source);
                continue;
            }
        };
        packed.unchanged &= matches!(end, JobEnd::Cached { .. });
        packed.caches += 1;
        packed.cache_bytes += digest.size;
        let Some(output) = job.output else { continue };
        let (module, path, target) = (job.source, output.path, job.compiler);
        outputs.push(Output { folder: number, module, target, path, digest });
    }
    Ok(())
}

/// An import of every module, as `doctor` does it.
fn simulate(
    packing: &Packing<'_>,
    folders: &[Folder],
    modules: &[Module],
    outputs: &[Output],
    targets: &[Target],
    packed: &mut Packed,
) -> Result<(), CommandFailure> {
    let complete: BTreeSet<(usize, &RepoPath)> = outputs
        .iter()
        .filter(|output| output.target == 0)
        .map(|output| (output.folder, &output.module))
        .collect();
    for (number, folder) in folders.iter().enumerate().filter(|(_, folder)| !folder.is_library) {
        let inside = modules.iter().filter(|module| module.folder == number);
        let inside = inside.filter(|module| complete.contains(&(number, &module.path)));
        let imported = check::Imported {
            paths: vec![folder.path.clone()],
            deployed: Vec::new(),
            pycache_prefix: None,
            unpacked: false,
            targets,
            modules: inside.map(|module| (0, check::without_suffix(&module.path))).collect(),
        };
        let (jobs, environment) = (packing.session.jobs(), packing.environment);
        let (simulated, warnings) = check::import(&imported, &folder.path, jobs, environment)?;
        packed.simulated += simulated;
        packed.warnings.extend(warnings);
    }
    Ok(())
}

fn empty(packing: &Packing<'_>, rule: &ArtifactRule, targets: &[Target]) -> Packed {
    let site = packing.workspace.root.join(rule.site.as_deref().unwrap_or(Path::new(".")));
    Packed {
        name: rule.name.clone(),
        kind: rule.kind,
        path: packing.shown(&site),
        digest: Digest::of(b""),
        targets: targets.iter().map(Target::label).collect(),
        sources: 0,
        caches: 0,
        others: 0,
        bytes: 0,
        cache_bytes: 0,
        left_out: BTreeMap::new(),
        kept: BTreeMap::new(),
        inspecting: Vec::new(),
        rejected: Vec::new(),
        spent: None,
        simulated: 0,
        image: None,
        provenance: None,
        warnings: Vec::new(),
        unchanged: true,
        elapsed: packing.started.elapsed(),
    }
}
