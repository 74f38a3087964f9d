//! A plan together with what it was made from, and its forms for executor and reporters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytekiln_action::{RepoPath, ToolchainDigest};
use bytekiln_executor::{Compiler, Expected, Job, JobEnd, Report, Work};
use bytekiln_planner::{Plan, Problem, Target};
use bytekiln_project::LoadedInputs;
use bytekiln_python::OptimizationLevel;

use crate::failure::CommandFailure;
use crate::report::BuildNames;
use crate::schema::PlanFile;

/// What planning found.
pub enum Preparation {
    /// Nothing has changed since a build that left nothing to do.
    Settled {
        /// The profile.
        profile: String,
        /// The workspace.
        workspace: PathBuf,
        /// Sources × targets.
        fresh: usize,
        /// What the scan had to say.
        problems: Vec<Problem>,
    },
    /// There is a plan.
    Open(Box<Prepared>),
}

impl Preparation {
    /// The plan, if there is one to look at.
    pub fn open(self) -> Option<Box<Prepared>> {
        match self {
            Preparation::Settled { .. } => None,
            Preparation::Open(prepared) => Some(prepared),
        }
    }
}

/// A plan, and what it was made from.
pub struct Prepared {
    /// The workspace's folder.
    pub root: PathBuf,
    /// Name of the profile.
    pub profile: String,
    /// Warnings fail the build.
    pub deny_warnings: bool,
    /// Outputs are linked from the cache.
    pub link: bool,
    /// What was read.
    pub loaded: LoadedInputs,
    /// What is to be done.
    pub plan: Plan,
    /// The steps are those of a saved plan.
    pub adopted: bool,
    /// The plan is about a part of the workspace.
    pub partial: bool,
    /// What the output of each job must be, where the build is held to a lock.
    pub expected: Vec<Expected>,
    /// Folder and name of each member.
    pub members: Vec<(RepoPath, String)>,
}

/// `CPython 3.11.7`, with `-O` or `-OO`.
pub fn target_label(target: &Target) -> String {
    format!("{}{}", target.toolchain.label(), level_suffix(target.level))
}

pub(crate) fn level_suffix(level: OptimizationLevel) -> &'static str {
    match level {
        OptimizationLevel::Zero => "",
        OptimizationLevel::One => " -O",
        OptimizationLevel::Two => " -OO",
    }
}

/// How a command wants its plan.
#[derive(Debug, Clone, Copy)]
pub struct Planning {
    /// Everything is dirty.
    pub force: bool,
    /// A plan is wanted even if nothing has changed.
    pub fully: bool,
    /// Sources that compiled with warnings are looked up again.
    pub want_warnings: bool,
}

impl Prepared {
    /// The plan as work for the executor, and names for its jobs. The steps move over: on a hundred
    /// thousand files a second copy of them would be felt.
    pub fn take_work(&mut self) -> (Work, BuildNames) {
        let steps = std::mem::take(&mut self.plan.steps);
        let inputs = self.loaded.inputs();
        let executables = self.executables();
        let compilers = inputs.targets.iter().map(|target| Compiler {
            toolchain: target.toolchain.clone(),
            executable: executables.get(&target.toolchain_digest).cloned().unwrap_or_default(),
        });
        let labels = inputs.targets.iter().map(target_label).collect();
        let targets = steps.iter().map(|step| step.target).collect();
        let mut allowances = Vec::with_capacity(steps.len());
        let mut jobs = Vec::with_capacity(steps.len());
        for step in steps {
            allowances.push(step.allowance.map(|allowance| allowance.reason));
            jobs.push(Job {
                source: step.source,
                action: step.action,
                compiler: step.target as usize,
                output: step.output,
            });
        }
        let work = Work {
            roots: self.loaded.roots().to_vec(),
            compilers: compilers.collect(),
            jobs,
            removals: self.plan.removals.iter().map(|removal| removal.output.clone()).collect(),
        };
        (work, BuildNames::new(labels, targets, allowances))
    }

    /// Takes over the steps of a saved plan: names for its jobs. Its folders must be those of the
    /// workspace and the profile.
    pub fn adopt(
        &mut self,
        file: &PlanFile,
        work: &Work,
        from: &Path,
    ) -> Result<BuildNames, CommandFailure> {
        if work.roots.as_slice() != self.loaded.roots() {
            let folder = work.roots.first().map(|root| root.display().to_string());
            return Err(CommandFailure::usage(format!(
                "the plan `{}` is for the workspace `{}`, or its profile's output folder has changed",
                from.display(),
                folder.unwrap_or_default()
            ))
            .hint("make it again, or name that workspace with --manifest-path"));
        }
        self.plan = Plan::default();
        self.adopted = true;
        let labels = work.compilers.iter().zip(&file.targets).map(|(compiler, target)| {
            let level = OptimizationLevel::from_u8(target.optimize);
            let suffix = level.map(level_suffix).unwrap_or_default();
            format!("{}{suffix}", compiler.toolchain.label())
        });
        let targets = work.jobs.iter().map(|job| u32::try_from(job.compiler).unwrap_or(u32::MAX));
        let allowances = file.steps.iter().map(|step| step.may_fail.clone());
        Ok(BuildNames::new(labels.collect(), targets.collect(), allowances.collect()))
    }

    /// Where each toolchain is.
    pub fn executables(&self) -> BTreeMap<ToolchainDigest, PathBuf> {
        self.loaded
            .interpreters()
            .iter()
            .map(|interpreter| (interpreter.toolchain.digest(), interpreter.executable.clone()))
            .collect()
    }

    /// Member, target and how many files of it are to be compiled.
    pub fn batches(&self) -> Vec<(String, String, usize)> {
        let inputs = self.loaded.inputs();
        let member_of: BTreeMap<&RepoPath, u32> =
            inputs.sources.iter().map(|source| (&source.path, source.member)).collect();
        let mut counts: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for step in &self.plan.steps {
            let member = member_of.get(&step.source).copied().unwrap_or(u32::MAX);
            *counts.entry((member, step.target)).or_default() += 1;
        }
        let many = counts.len() > MOST_BATCHES;
        let mut by_target: BTreeMap<u32, usize> = BTreeMap::new();
        for ((_, target), count) in &counts {
            *by_target.entry(*target).or_default() += count;
        }
        let label =
            |target: u32| inputs.targets.get(target as usize).map(target_label).unwrap_or_default();
        if many {
            let what = format!("{} members", inputs.members.len());
            by_target.iter().map(|(target, count)| (what.clone(), label(*target), *count)).collect()
        } else {
            counts
                .iter()
                .map(|((member, target), count)| {
                    let name = inputs.members.get(*member as usize).cloned().unwrap_or_default();
                    (name, label(*target), *count)
                })
                .collect()
        }
    }

    /// Whether nothing is left: every step ended well, or badly with leave. Of a saved plan and of a
    /// part nobody knows whether it was all there was to do.
    pub(crate) fn is_done(&self, names: &BuildNames, report: &Report) -> bool {
        let ended_well = |index: usize, end: &JobEnd| match end {
            JobEnd::Compiled { .. } | JobEnd::Cached { .. } => true,
            JobEnd::Rejected { .. } => names.may_fail(index),
            JobEnd::Failed(_) => false,
        };
        let is_all = !self.adopted && !self.partial;
        is_all && report.ends.iter().enumerate().all(|(index, end)| ended_well(index, end))
    }
}

/// More status lines than this say less.
const MOST_BATCHES: usize = 12;
