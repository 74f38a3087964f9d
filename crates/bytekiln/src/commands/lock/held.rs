//! A build that is held to the lock: `build --locked`.

use std::collections::BTreeMap;

use bytekiln_action::RepoPath;
use bytekiln_executor::{Expected, Failure, JobEnd, Report, Work};
use bytekiln_planner::{Record, Recorded, Slot, Source};
use bytekiln_project::{
    LOCK_FILE_NAME, LockDrift, LockFile, LockIndex, LockText, LockedOutput, LockedProfile,
    compare_outputs, compare_sources, read_lock, remember_locked, was_locked,
};

use super::lock_failure;
use crate::failure::CommandFailure;
use crate::prepared::{Prepared, target_label};
use crate::report::terminal::Terminal;
use crate::session::Session;

/// Outputs by source and target (an index into the inputs' targets).
pub(crate) type OutputsByPlace = BTreeMap<(RepoPath, u32), LockedOutput>;

/// The lock file that a build is held to.
pub(crate) struct Held {
    text: LockText,
    profile: String,
    lock: Option<LockFile>,
}

impl Held {
    /// Reads the workspace's lock file.
    pub(crate) fn read(session: &Session<'_>) -> Result<Held, CommandFailure> {
        let settings = session.settings();
        let text = read_lock(&settings.workspace.root.join(LOCK_FILE_NAME))
            .map_err(|error| lock_failure(&error))?;
        Ok(Held { text, profile: settings.profile.name.clone(), lock: None })
    }

    /// Whether the build that settled last was compared with this very file; if that build still
    /// stands, there is nothing to compare.
    pub(crate) fn was_compared(&self, session: &Session<'_>) -> bool {
        let partial = !session.settings().packages.is_empty();
        was_locked(session.state_dir(), &self.profile, partial, self.text.digest())
    }

    /// Remembers that the build is as locked.
    pub(crate) fn remember(&self, session: &Session<'_>, terminal: &Terminal) {
        let partial = !session.settings().packages.is_empty();
        let digest = self.text.digest();
        if let Err(error) = remember_locked(session.state_dir(), &self.profile, partial, digest) {
            terminal.warning(format!("{error}; the next build will compare everything again"));
        }
    }

    /// Compares the sources, and the outputs that stand already.
    pub(crate) fn compare(
        &mut self,
        session: &Session<'_>,
        prepared: &Prepared,
    ) -> Result<Vec<LockDrift>, CommandFailure> {
        let locked = self.profile()?;
        let inputs = prepared.loaded.inputs();
        let drift = compare_sources(locked, inputs, &session.settings().packages);
        if !drift.is_empty() {
            return Ok(drift);
        }
        let outputs = known_outputs(prepared);
        let found =
            |source: &Source, target: u32| outputs.get(&(source.path.clone(), target)).copied();
        Ok(compare_outputs(&LockIndex::new(locked, inputs), inputs, found))
    }

    /// What each job may write.
    pub(crate) fn expected(
        &mut self,
        prepared: &Prepared,
        work: &Work,
    ) -> Result<Vec<Expected>, CommandFailure> {
        let locked = self.profile()?;
        let index = LockIndex::new(locked, prepared.loaded.inputs());
        let expected = work.jobs.iter().map(|job| match &job.output {
            None => Expected::Anything,
            Some(_) => match index.output(&job.source, job.compiler) {
                Some(LockedOutput::Written(digest)) => Expected::Output(digest),
                Some(LockedOutput::Checked | LockedOutput::Rejected) | None => Expected::Nothing,
            },
        });
        Ok(expected.collect())
    }

    fn profile(&mut self) -> Result<&LockedProfile, CommandFailure> {
        let lock = match self.lock.take() {
            Some(lock) => lock,
            None => self.text.parse().map_err(|error| lock_failure(&error))?,
        };
        let lock = self.lock.insert(lock);
        let names: Vec<String> = lock.profiles.keys().cloned().collect();
        lock.profiles.get(&self.profile).ok_or_else(|| no_such_profile(&self.profile, &names))
    }
}

/// The lock file says nothing of a profile.
pub(super) fn no_such_profile(name: &str, known: &[String]) -> CommandFailure {
    let failure = CommandFailure::failure(format!("`{LOCK_FILE_NAME}` has no profile `{name}`"));
    match known {
        [] => failure.hint(format!("lock it with `bytekiln lock --profile {name}`")),
        [first, ..] => failure.hint(format!(
            "it has {}: build that with `--profile {first}`, or lock `{name}` too: \
             `bytekiln lock --profile {name}`",
            known.join(", ")
        )),
    }
}

/// Outputs that the plan leaves as they are.
pub(crate) fn known_outputs(prepared: &Prepared) -> OutputsByPlace {
    let inputs = prepared.loaded.inputs();
    let mut sources: Vec<&Source> = inputs.sources.iter().collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let mut records: Vec<&Record> = inputs.records.iter().collect();
    records.sort_by(|a, b| a.slot.cmp(&b.slot));
    let mut outputs = OutputsByPlace::new();
    for fresh in &prepared.plan.fresh {
        let source = sources.get(fresh.source as usize);
        let target = inputs.targets.get(fresh.target as usize);
        let (Some(source), Some(target)) = (source, target) else { continue };
        let slot = bytekiln_planner::slot(source, target);
        let at = records.binary_search_by(|record| record.slot.cmp(&slot)).ok();
        let Some(record) = at.and_then(|at| records.get(at)) else { continue };
        let output = match (record.result, &slot) {
            (Recorded::Written(digest), Slot::Output(_)) => LockedOutput::Written(digest),
            (Recorded::Written(_) | Recorded::Checked, _) => LockedOutput::Checked,
            (Recorded::Rejected, _) => LockedOutput::Rejected,
        };
        outputs.insert((source.path.clone(), fresh.target), output);
    }
    outputs
}

/// Jobs that ended otherwise than the lock says.
pub(crate) fn unexpected_ends(prepared: &Prepared, work: &Work, report: &Report) -> Vec<LockDrift> {
    let inputs = prepared.loaded.inputs();
    let members: BTreeMap<&RepoPath, u32> =
        inputs.sources.iter().map(|source| (&source.path, source.member)).collect();
    let ended = work.jobs.iter().zip(&prepared.expected).zip(&report.ends);
    let drift = ended.filter_map(|((job, expected), end)| {
        let locked = match expected {
            Expected::Anything => return None,
            Expected::Output(digest) => LockedOutput::Written(*digest),
            Expected::Nothing => LockedOutput::Rejected,
        };
        let found = match end {
            JobEnd::Failed(Failure::UnexpectedOutput { found, .. }) => {
                LockedOutput::Written(*found)
            }
            JobEnd::Rejected { .. } if locked != LockedOutput::Rejected => LockedOutput::Rejected,
            _ => return None,
        };
        let member = members.get(&job.source).and_then(|at| inputs.members.get(*at as usize));
        Some(LockDrift::Output {
            member: member.cloned().unwrap_or_default(),
            source: job.source.clone(),
            target: inputs.targets.get(job.compiler).map(target_label).unwrap_or_default(),
            locked,
            found,
        })
    });
    drift.collect()
}
