//! One command's way through the crates below: workspace → interpreters → inputs → plan → work →
//! records. The commands and the library face share it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytekiln_action::Digest;
use bytekiln_cache::{DiskOptions, DiskStore, GcOptions, Store};
use bytekiln_executor::{
    InterpreterEngine, InterpreterOptions, JobEnd, LinkPolicy, Options as ExecutorOptions, Order,
    Report, Unplaced, Work, execute,
};
use bytekiln_planner::{ObservedState, Options as PlanOptions, OutputPath, Recorded, Slot, plan};
use bytekiln_project::{
    CheckDepth, Completion, Filled, Interpreter, LoadErrorKind, Loaded, OrphanPolicy, Request,
    StateLock, find_interpreters, load, lock_state, record,
};
use bytekiln_python::Release;

use crate::arguments::{PartArguments, RemoteArguments};
use crate::commands::cache::DEFAULT_MAX_BYTES;
use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::fingerprints::fingerprints;
use crate::part::{Part, ranks};
use crate::prepared::{Planning, Preparation, Prepared};
use crate::remote::{OpenRemote, RemoteSettings};
use crate::remote_execution::{ExecutorSettings, OpenExecutor};
use crate::report::BuildNames;
use crate::report::terminal::{Terminal, Tone};
use crate::settings::Settings;

/// A command at work.
pub struct Session<'a> {
    settings: Settings,
    /// The cache on another machine.
    remote: Option<RemoteSettings>,
    /// Who compiles on other machines.
    executor: Option<ExecutorSettings>,
    /// Only this; none means everything.
    part: Option<Part>,
    environment: &'a Environment,
    terminal: &'a Terminal,
}

impl<'a> Session<'a> {
    /// With these settings. A state folder that cannot be written is replaced by one of the user's,
    /// with a warning; reading commands need none.
    pub fn new(
        settings: Settings,
        environment: &'a Environment,
        terminal: &'a Terminal,
    ) -> Session<'a> {
        Session { settings, remote: None, executor: None, part: None, environment, terminal }
    }

    /// Uses the cache on another machine that arguments or manifest name, and the executor.
    pub fn with_remote(
        mut self,
        arguments: &RemoteArguments,
    ) -> Result<Session<'a>, CommandFailure> {
        let (configured, start) = (&self.settings.workspace.cache, &self.settings.start);
        self.remote = RemoteSettings::new(arguments, configured, start)?;
        self.executor = ExecutorSettings::new(arguments, start, self.environment)?;
        Ok(self)
    }

    /// Keeps to a part of the workspace, if arguments choose one. After [`Session::lock`], which may
    /// move the state.
    pub fn choose(&mut self, arguments: &PartArguments) -> Result<Option<&Part>, CommandFailure> {
        let is_chosen = !arguments.entry.is_empty() || arguments.affected;
        let releases = if is_chosen { self.releases()? } else { Vec::new() };
        let (settings, environment) = (&self.settings, self.environment);
        self.part = Part::choose(arguments, settings, &releases, environment, self.terminal)?;
        Ok(self.part.as_ref())
    }

    /// Digests of members and of all that they import, by name.
    pub fn fingerprints(&self) -> Result<BTreeMap<String, String>, CommandFailure> {
        let releases = self.releases()?;
        fingerprints(&self.settings, &releases, self.environment, self.terminal)
    }

    /// Puts those sources first that most others import, where that is worth making the graph: the
    /// build stops at the first failure, and is about most of the workspace.
    pub fn put_most_imported_first(&self, prepared: &mut Prepared) -> Result<(), CommandFailure> {
        let inputs = prepared.loaded.inputs();
        let steps = prepared.plan.steps.len();
        if steps < WORTH_ORDERING || steps * 4 < inputs.sources.len() * inputs.targets.len() {
            return Ok(());
        }
        let release = inputs.targets.first().map(|target| target.toolchain.release);
        let Some(release) = release else { return Ok(()) };
        let ranks = ranks(&self.settings, release, self.environment, self.terminal)?;
        // Stable: steps of one rank keep their order.
        let steps = &mut prepared.plan.steps;
        steps.sort_by_cached_key(|step| ranks.get(&step.source).copied().unwrap_or(u32::MAX));
        Ok(())
    }

    /// Those that are compiled for, each once.
    fn releases(&self) -> Result<Vec<Release>, CommandFailure> {
        Ok(each_once(&self.interpreters()?))
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Threads and compilers at once.
    pub fn jobs(&self) -> NonZeroUsize {
        self.settings.jobs
    }

    /// Where index and records are.
    pub fn state_dir(&self) -> &Path {
        &self.settings.state_dir
    }

    /// Takes the build lock; where the workspace cannot be written, moves the state to the user's
    /// cache first.
    pub fn lock(&mut self) -> Result<Option<StateLock>, CommandFailure> {
        let mut blocked = |path: &Path| {
            let message = format!("waiting for the lock on `{}`", path.display());
            self.terminal.status_in(Tone::Note, "Blocking", message);
        };
        let error = match lock_state(&self.settings.state_dir, &mut blocked) {
            Ok(lock) => return Ok(Some(lock)),
            Err(error) => error,
        };
        let Some(cache) = self.settings.cache_dir.as_ref().filter(|_| error.is_unwritable()) else {
            return Err(CommandFailure::environment(error).hint("name a folder with --state-dir"));
        };
        // The cache's own folder must be known as such before anything else lies in it.
        let _ = DiskStore::open(cache, DiskOptions::default());
        let name = Digest::of(self.settings.workspace.root.as_os_str().as_bytes()).to_hex();
        let elsewhere = cache.join("workspaces").join(name.get(..16).unwrap_or(&name));
        self.terminal.warning(format!("{error}; keeping it in `{}`", elsewhere.display()));
        let lock = lock_state(&elsewhere, &mut blocked).map_err(|error| {
            CommandFailure::environment(error).hint("name a folder with --state-dir")
        })?;
        self.settings.state_dir = elsewhere;
        Ok(Some(lock))
    }

    /// Opens the user's cache; one that cannot be used is a warning.
    pub fn store(&self) -> Option<Box<dyn Store>> {
        let dir = self.settings.cache_dir.as_ref()?;
        match DiskStore::open(dir, DiskOptions::default()) {
            Ok(store) => Some(Box::new(store)),
            Err(error) => {
                self.terminal.warning(format!("{error}; building without the cache"));
                None
            }
        }
    }

    /// Opens the cache on another machine, if one is used. Sends nothing yet.
    pub fn remote(&self) -> Result<Option<OpenRemote>, CommandFailure> {
        self.remote.as_ref().map(RemoteSettings::open).transpose()
    }

    /// Makes the executor on another machine, if one is used. Sends nothing yet.
    pub fn executor(&self) -> Result<Option<OpenExecutor>, CommandFailure> {
        self.executor.as_ref().map(ExecutorSettings::open).transpose()
    }

    /// Trims the user's cache to its size once a day, after a build that added to it.
    pub fn trim_cache(&self) {
        let Some(dir) = &self.settings.cache_dir else { return };
        let max_bytes = self.settings.workspace.cache.max_bytes.unwrap_or(DEFAULT_MAX_BYTES);
        let options = GcOptions { max_bytes: Some(max_bytes), max_age: None };
        // A cache that cannot be opened or trimmed has been complained of when it was used.
        if let Ok(store) = DiskStore::open(dir, DiskOptions::default())
            && let Ok(Some(report)) = store.gc_if_due(&options, TRIM_EVERY)
            && report.removed_objects > 0
        {
            let message = format!("{} objects from the cache", report.removed_objects);
            self.terminal.status("Evicted", message);
        }
    }

    /// Starts interpreters as builds do.
    pub fn engine(&self) -> InterpreterEngine {
        InterpreterEngine::new(InterpreterOptions {
            start_timeout: START_TIMEOUT,
            environment: self.environment.for_interpreters.clone(),
        })
    }

    /// Removes outputs, and does nothing else.
    pub fn carry_out_removals(&self, work: Work) -> Report {
        let options = ExecutorOptions {
            jobs: self.settings.jobs,
            keep_going: true,
            link: LinkPolicy::Copy,
            timeout: START_TIMEOUT,
        };
        execute(&Order {
            work: &work,
            expected: &[],
            unplaced: Unplaced::Digest,
            sources: None,
            engine: &self.engine(),
            store: None,
            remote: None,
            elsewhere: None,
            options: &options,
            events: &|_| {},
            cancel: &AtomicBool::new(false),
        })
    }

    /// Removes the outputs of ours whose source was rejected: they are of an older text, and an
    /// unchecked one would go on being loaded. How many went.
    pub fn remove_outdated(&self, prepared: &Prepared, work: &Work, report: &mut Report) -> usize {
        let ours: BTreeSet<&OutputPath> = prepared
            .loaded
            .inputs()
            .observed
            .iter()
            .filter(|seen| seen.state == ObservedState::AsRecorded)
            .map(|seen| &seen.path)
            .collect();
        let rejected = work.jobs.iter().zip(&report.ends).filter_map(|(job, end)| match end {
            JobEnd::Rejected { .. } => job.output.as_ref(),
            JobEnd::Compiled { .. } | JobEnd::Cached { .. } | JobEnd::Failed(_) => None,
        });
        let removals: Vec<OutputPath> =
            rejected.filter(|output| ours.contains(output)).cloned().collect();
        if removals.is_empty() {
            return 0;
        }
        let roots = work.roots.clone();
        let (compilers, jobs) = (Vec::new(), Vec::new());
        let done = self.carry_out_removals(Work { roots, compilers, jobs, removals });
        report.not_removed.extend(done.not_removed);
        done.removed.len()
    }

    /// Goes over to another profile of the workspace, as a saved plan says.
    pub fn use_profile(&mut self, name: &str) -> Result<(), CommandFailure> {
        let profile = self.settings.workspace.profiles.get(name).ok_or_else(|| {
            CommandFailure::usage(format!("the plan is for profile `{name}`, which does not exist"))
        })?;
        self.settings.profile = profile.clone();
        Ok(())
    }

    /// Plans, unless nothing has changed.
    pub fn prepare(&self, options: Planning) -> Result<Preparation, CommandFailure> {
        let settings = &self.settings;
        let interpreters = self.interpreters()?;
        let releases = each_once(&interpreters);
        let request = Request {
            workspace: &settings.workspace,
            profile: &settings.profile,
            packages: &settings.packages,
            state_dir: settings.state_dir.clone(),
            today: settings.today,
            interpreters,
            depth: match (options.force || options.fully, settings.verify_outputs) {
                (true, _) => CheckDepth::Load,
                (false, true) => CheckDepth::Outputs,
                (false, false) => CheckDepth::Folders,
            },
            invocation: None,
            // Nobody else has caches that are to be checked.
            source_hashes: if self.remote.is_some() { releases } else { Vec::new() },
            threads: settings.jobs,
        };
        let loaded = load(request).map_err(|error| {
            let failure = match error.kind {
                LoadErrorKind::Root { .. } | LoadErrorKind::NothingPython { .. } => {
                    CommandFailure::environment(&error)
                }
                _ => CommandFailure::usage(&error),
            };
            match error.hint() {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        let want_warnings = options.want_warnings || settings.profile.deny_warnings;
        let loaded = match loaded {
            Loaded::Settled(summary) if want_warnings && summary.warnings > 0 => {
                let fully = Planning { fully: true, ..options };
                return self.prepare(fully);
            }
            Loaded::Settled(summary) => {
                let mut problems = summary.problems;
                let mut fresh = summary.sources as usize * summary.targets as usize;
                if let Some(part) = &self.part {
                    fresh = part.fresh(summary.targets);
                    problems.retain(|problem| part.concerns(problem));
                    problems.extend(part.problems().iter().cloned());
                }
                return Ok(Preparation::Settled {
                    profile: settings.profile.name.clone(),
                    workspace: settings.workspace.root.clone(),
                    fresh,
                    problems,
                });
            }
            Loaded::Open(loaded) => *loaded,
        };
        if let Some(trouble) = loaded.state_trouble() {
            self.terminal
                .warning(format!("{trouble}; the next build will look at everything again"));
        }
        let plan_options = PlanOptions {
            force: options.force,
            remove_other_targets: !settings.targets_overridden,
            remove_orphans: settings.profile.orphans == OrphanPolicy::Remove,
            want_warnings,
        };
        let mut plan = plan(loaded.inputs(), &plan_options);
        if let Some(part) = &self.part {
            part.restrict(&mut plan, loaded.inputs());
        }
        Ok(Preparation::Open(Box::new(Prepared {
            root: settings.workspace.root.clone(),
            profile: settings.profile.name.clone(),
            deny_warnings: settings.profile.deny_warnings,
            link: settings.profile.link,
            loaded,
            plan,
            adopted: false,
            partial: self.part.is_some(),
            expected: Vec::new(),
            members: settings
                .workspace
                .members
                .iter()
                .map(|member| (member.path.clone(), member.name.clone()))
                .collect(),
        })))
    }

    /// Plans even if nothing has changed: for commands that show what is fresh.
    pub fn prepare_fully(&self, force: bool) -> Result<Box<Prepared>, CommandFailure> {
        let options = Planning { force, fully: true, want_warnings: false };
        match self.prepare(options)? {
            Preparation::Open(prepared) => Ok(prepared),
            Preparation::Settled { .. } => {
                unreachable!("CheckDepth::Load never answers that a build is settled")
            }
        }
    }

    fn interpreters(&self) -> Result<Vec<Interpreter>, CommandFailure> {
        let settings = &self.settings;
        let search = self.environment.search_path();
        let (specs, root) = (&settings.profile.interpreters, &settings.workspace.root);
        find_interpreters(specs, &search, root, &settings.state_dir)
            .map_err(|error| CommandFailure::interpreter(&error))
    }

    /// Writes down what came of the work.
    pub fn record(
        &self,
        prepared: Prepared,
        work: Work,
        report: Report,
        names: &BuildNames,
    ) -> Result<(), CommandFailure> {
        if prepared.partial && work.jobs.is_empty() && report.removed.is_empty() {
            // Nothing is known better than before, and what is settled stays so.
            return Ok(());
        }
        let complete = report.not_removed.is_empty()
            && !report.interrupted
            && prepared.is_done(names, &report)
            && prepared.plan.orphans.is_empty();
        let filled = work.jobs.into_iter().zip(report.ends).filter_map(|(job, end)| {
            let (result, warnings) = match end {
                JobEnd::Compiled { output, warnings, .. }
                | JobEnd::Cached { output, warnings, .. } => {
                    let result = match job.output {
                        Some(_) => Recorded::Written(output),
                        None => Recorded::Checked,
                    };
                    (result, warnings.len())
                }
                JobEnd::Rejected { warnings, .. } => (Recorded::Rejected, warnings.len()),
                JobEnd::Failed(_) => return None,
            };
            let slot = match job.output {
                Some(output) => Slot::Output(output),
                None => Slot::Check(
                    job.source.clone(),
                    job.action.toolchain.cache_tag.clone(),
                    job.action.level,
                ),
            };
            Some(Filled {
                slot,
                source: job.source,
                action: job.action,
                result,
                warnings: u32::try_from(warnings).unwrap_or(u32::MAX),
            })
        });
        let completion = if complete { Completion::Complete } else { Completion::Partial };
        let filled = filled.collect();
        match record(prepared.loaded, filled, &report.removed, completion) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.terminal
                    .warning(format!("{error}; the next build will look at everything again"));
                Ok(())
            }
        }
    }
}

fn each_once(interpreters: &[Interpreter]) -> Vec<Release> {
    let mut releases: Vec<Release> =
        interpreters.iter().map(|interpreter| interpreter.toolchain.release).collect();
    releases.sort_by_key(|release| release.minor());
    releases.dedup();
    releases
}

/// Fewer files are compiled before an order would tell.
const WORTH_ORDERING: usize = 64;

/// Looking through a cache of 80,000 objects takes a fifth of a second.
const TRIM_EVERY: Duration = Duration::from_secs(24 * 3600);

/// An interpreter that has not said who it is after this long is not going to.
const START_TIMEOUT: Duration = Duration::from_secs(30);
