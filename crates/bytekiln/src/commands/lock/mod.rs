//! `bytekiln lock`, and what `build --locked` needs of it. Compiles in memory; writes one file.

mod drift;
mod held;

use std::time::Duration;

use bytekiln_executor::{Event, JobEnd, LinkPolicy, Options, Order, Unplaced, execute};
use bytekiln_planner::Severity;
use bytekiln_project::{
    LOCK_FILE_NAME, LockDrift, LockFile, LockFileError, LockFileFault, LockIndex, LockedOutput,
    LockedProfile, compare_outputs, compare_sources, read_lock, write_lock,
};
use serde_json::json;

use crate::arguments::{LockArguments, MessageFormat};
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::interrupt;
use crate::prepared::Prepared;
use crate::remote::OpenRemote;
use crate::remote_execution::OpenExecutor;
use crate::report::human::HumanReporter;
use crate::report::json::{self, JsonReporter};
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone};
use crate::report::{Reporter, problems};
use crate::session::Session;

pub(crate) use drift::{say_drift, say_unexpected};
pub(crate) use held::{Held, unexpected_ends};

use drift::summary;
use held::{OutputsByPlace, known_outputs};

/// Runs the command.
pub(crate) fn run(
    arguments: &LockArguments,
    mut session: Session<'_>,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    interrupt::watch(terminal);
    let _lock = session.lock()?;
    let path = session.settings().workspace.root.join(LOCK_FILE_NAME);
    let old = match read_lock(&path).and_then(|text| text.parse()) {
        Ok(lock) => lock,
        Err(LockFileError { fault: LockFileFault::Missing, .. }) if !arguments.check => {
            LockFile::default()
        }
        Err(error) => return Err(lock_failure(&error)),
    };
    // A profile that was renamed or removed would stay in the file for ever.
    let known = &session.settings().workspace.profiles;
    let gone: Vec<String> =
        old.profiles.keys().filter(|name| !known.contains_key(*name)).cloned().collect();
    let mut names: Vec<String> = if arguments.names_profile() {
        Vec::new()
    } else {
        old.profiles.keys().filter(|name| !gone.contains(name)).cloned().collect()
    };
    if names.is_empty() {
        names.push(session.settings().profile.name.clone());
    }
    let mut new = old.clone();
    let mut drifted = false;
    for name in gone {
        drifted = true;
        new.profiles.remove(&name);
        if arguments.check {
            terminal.error(format!(
                "`{LOCK_FILE_NAME}` has the profile `{name}`, which does not exist any more"
            ));
        } else {
            terminal.status("Removed", format!("profile `{name}`, which does not exist any more"));
        }
    }
    for name in &names {
        // Going over loses what the command line changed of the profile; then only it is meant.
        if session.settings().profile.name != *name {
            session.use_profile(name)?;
        }
        let locked = old.profiles.get(name);
        let at_hand = AtHand { arguments, session: &session, terminal, name, locked };
        match at_hand.profile()? {
            Found::Same => {}
            Found::Drifted => drifted = true,
            Found::New(profile) => {
                new.profiles.insert(name.clone(), profile);
            }
            Found::Failed(status) => return Ok(status),
        }
    }
    let status = match (arguments.check, drifted) {
        (true, true) => ExitStatus::Failure,
        _ => ExitStatus::Success,
    };
    let mut written = false;
    if !arguments.check {
        written = write_lock(&path, &new).map_err(|error| lock_failure(&error))?;
        if !written {
            terminal.status("Unchanged", LOCK_FILE_NAME);
        }
    }
    if arguments.message_format == MessageFormat::Json {
        let success = status == ExitStatus::Success;
        let names = json!(names);
        json::line(
            terminal,
            &json!({
                "reason": "lock-finished",
                "schema": json::MESSAGES_SCHEMA,
                "success": success,
                "profiles": names,
                "written": written,
            }),
        );
    }
    Ok(status)
}

/// A lock file that cannot be used, as the end of a command.
pub(crate) fn lock_failure(error: &LockFileError) -> CommandFailure {
    let failure = match error.fault {
        LockFileFault::Missing => CommandFailure::failure(error),
        LockFileFault::Unreadable(_) | LockFileFault::Unwritable(_) => {
            CommandFailure::environment(error)
        }
        _ => CommandFailure::usage(error),
    };
    failure.hint(error.hint())
}

/// What there is to say of one profile.
enum Found {
    /// As locked (only of `--check`).
    Same,
    /// Not as locked, and said (only of `--check`).
    Drifted,
    /// To be written.
    New(LockedProfile),
    /// Not lockable, and said.
    Failed(ExitStatus),
}

/// One profile at work.
struct AtHand<'a> {
    arguments: &'a LockArguments,
    session: &'a Session<'a>,
    terminal: &'a Terminal,
    name: &'a str,
    locked: Option<&'a LockedProfile>,
}

impl AtHand<'_> {
    fn profile(&self) -> Result<Found, CommandFailure> {
        let (check, terminal) = (self.arguments.check, self.terminal);
        let packages = &self.session.settings().packages;
        if check && self.locked.is_none() {
            return Err(held::no_such_profile(self.name, &[]));
        }
        let mut prepared = self.session.prepare_fully(self.arguments.force)?;
        problems::say(terminal, &prepared.plan.problems);
        if prepared.plan.problems.iter().any(|problem| problem.severity == Severity::Error) {
            terminal.error(format!("profile `{}` cannot be locked", self.name));
            return Ok(Found::Failed(ExitStatus::Failure));
        }
        let mut drift = self.locked.map_or_else(Vec::new, |locked| {
            compare_sources(locked, prepared.loaded.inputs(), packages)
        });
        if check && !drift.is_empty() {
            self.say(&drift);
            return Ok(Found::Drifted);
        }
        let mut outputs = known_outputs(&prepared);
        if let Some(status) = self.compile(&mut prepared, &mut outputs)? {
            return Ok(Found::Failed(status));
        }
        let inputs = prepared.loaded.inputs();
        let found = |source: &bytekiln_planner::Source, target: u32| {
            outputs.get(&(source.path.clone(), target)).copied()
        };
        // In another canonical form all of them differ.
        let same_form = |locked: &&LockedProfile| locked.canonical_form == inputs.canonical_form;
        if let Some(locked) = self.locked.filter(same_form) {
            drift.extend(compare_outputs(&LockIndex::new(locked, inputs), inputs, found));
        }
        if check {
            if drift.is_empty() {
                let size = self.size(inputs.sources.len(), inputs.targets.len());
                terminal.status("Fresh", format!("`{}` is as locked: {size}", self.name));
                return Ok(Found::Same);
            }
            self.say(&drift);
            return Ok(Found::Drifted);
        }
        let new = LockedProfile::of(inputs, found).ok_or_else(|| {
            CommandFailure::failure("a source was neither compiled nor known; lock again")
        })?;
        let new = self.merged(new, packages)?;
        let changes = match self.locked {
            Some(_) if !drift.is_empty() => format!("; {}", summary(&drift)),
            Some(_) | None => String::new(),
        };
        let size = self.size(new.sources(), new.targets.len());
        terminal.status("Locked", format!("`{}`: {size}{changes}", self.name));
        Ok(Found::New(new))
    }

    fn size(&self, sources: usize, targets: usize) -> String {
        let (files, places) =
            (plural(sources, "source", "sources"), plural(targets, "target", "targets"));
        format!("{sources} {files} × {targets} {places}")
    }

    fn say(&self, drift: &[LockDrift]) {
        let json = self.arguments.message_format == MessageFormat::Json;
        say_drift(self.terminal, json, self.name, drift);
    }

    /// Compiles what is not known, without writing it. A status, if something does not compile.
    fn compile(
        &self,
        prepared: &mut Prepared,
        outputs: &mut OutputsByPlace,
    ) -> Result<Option<ExitStatus>, CommandFailure> {
        for (member, target, count) in prepared.batches() {
            let files = plural(count, "file", "files");
            let whose = if member == "." { String::new() } else { format!("{member}: ") };
            self.terminal.status("Locking", format!("{whose}{count} {files} for {target}"));
        }
        let (mut work, names) = prepared.take_work();
        work.removals.clear();
        let is_script: Vec<bool> = work.jobs.iter().map(|job| job.output.is_none()).collect();
        for job in &mut work.jobs {
            job.output = None;
        }
        let (human, machine);
        let reporter: &dyn Reporter = match self.arguments.message_format {
            MessageFormat::Human => {
                human = HumanReporter::new(self.terminal, &work, &names, prepared.deny_warnings);
                &human
            }
            MessageFormat::Json => {
                machine = JsonReporter::new(self.terminal, &work, &names);
                &machine
            }
        };
        let options = Options {
            jobs: self.session.jobs(),
            keep_going: true,
            link: LinkPolicy::Copy,
            timeout: Duration::from_secs(self.arguments.timeout),
        };
        let (store, remote, executor) = match self.arguments.force {
            true => (None, None, None),
            false => (self.session.store(), self.session.remote()?, self.session.executor()?),
        };
        let subscriber = |event: &Event<'_>| reporter.event(event);
        let engine = self.session.engine();
        let report = execute(&Order {
            work: &work,
            expected: &[],
            unplaced: Unplaced::Digest,
            sources: None,
            engine: &engine,
            store: store.as_deref(),
            remote: remote.as_ref().map(OpenRemote::cache),
            elsewhere: executor.as_ref().map(OpenExecutor::compiler),
            options: &options,
            events: &subscriber,
            cancel: &interrupt::CANCEL,
        });
        let tally = reporter.finish();
        if let Some(remote) = &remote {
            remote.say_traffic(self.terminal);
        }
        if let Some(executor) = &executor {
            executor.say_traffic(self.terminal);
        }
        if report.interrupted || interrupt::is_interrupted() {
            self.terminal.status_in(Tone::Warning, "Interrupted", "nothing was locked");
            return Ok(Some(ExitStatus::Interrupted));
        }
        let failed = tally.rejected + tally.failed + tally.not_tried;
        if failed > 0 {
            let files = plural(failed, "file does", "files do");
            self.terminal.error(format!(
                "profile `{}` cannot be locked: {failed} {files} not compile",
                self.name
            ));
            return Ok(Some(ExitStatus::Failure));
        }
        for ((job, end), is_script) in work.jobs.into_iter().zip(report.ends).zip(is_script) {
            let output = match end {
                JobEnd::Compiled { .. } | JobEnd::Cached { .. } if is_script => {
                    LockedOutput::Checked
                }
                JobEnd::Compiled { output, .. } | JobEnd::Cached { output, .. } => {
                    LockedOutput::Written(output)
                }
                JobEnd::Rejected { .. } => LockedOutput::Rejected,
                JobEnd::Failed(_) => continue,
            };
            let target = u32::try_from(job.compiler).unwrap_or(u32::MAX);
            outputs.insert((job.source, target), output);
        }
        Ok(None)
    }

    /// With the members that were not selected as they were locked.
    fn merged(
        &self,
        mut new: LockedProfile,
        packages: &[String],
    ) -> Result<LockedProfile, CommandFailure> {
        let (Some(old), false) = (self.locked, packages.is_empty()) else { return Ok(new) };
        if (old.canonical_form, &old.targets) != (new.canonical_form, &new.targets) {
            return Err(CommandFailure::failure(format!(
                "profile `{}` is locked for other interpreters or settings, so no single member of \
                 it can be locked",
                self.name
            ))
            .hint("lock all of it: `bytekiln lock` without --package"));
        }
        for (member, sources) in &old.members {
            if !packages.contains(member) {
                new.members.insert(member.clone(), sources.clone());
            }
        }
        Ok(new)
    }
}
