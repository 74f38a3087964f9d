//! What a lock file says, as values. Knows neither its text nor the tree.

use std::collections::BTreeMap;

use bytekiln_action::{Digest, RecordedPath, RepoPath, Toolchain};
use bytekiln_planner::{Inputs, Layout, Source, Target};
use bytekiln_python::{InvalidationMode, OptimizationLevel};

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockFile {
    /// By name.
    pub profiles: BTreeMap<String, LockedProfile>,
}

/// One profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedProfile {
    /// Version of the canonical form that the outputs are in.
    pub canonical_form: u32,
    /// By interpreter, then level; outputs are in this order.
    pub targets: Vec<LockedTarget>,
    /// By name; members without sources do not occur.
    pub members: BTreeMap<String, LockedMember>,
}

/// The sources of one member.
pub type LockedMember = BTreeMap<RepoPath, LockedSource>;

/// A target: all that decides on its outputs, apart from the sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedTarget {
    /// The interpreter's identity.
    pub toolchain: Toolchain,
    /// `-O` level.
    pub level: OptimizationLevel,
    /// Mode in the headers.
    pub mode: InvalidationMode,
    /// PEP 657 positions.
    pub debug_ranges: bool,
    /// `pycache`, `prefix`, `legacy` or `sourceless`. The folder is not locked: it may be another
    /// one on each machine.
    pub layout: String,
}

/// A source and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedSource {
    /// Its bytes.
    pub content: Digest,
    /// What `co_filename` says.
    pub recorded_path: RecordedPath,
    /// One a target.
    pub outputs: Vec<LockedOutput>,
}

/// What came of a source for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockedOutput {
    /// This `.pyc`.
    Written(Digest),
    /// A script: compiled, not written.
    Checked,
    /// The compiler refuses it, and the manifest allows that.
    Rejected,
}

impl LockedTarget {
    /// A target of the planner.
    pub fn of(target: &Target) -> LockedTarget {
        let layout = match target.layout {
            Layout::Pycache => "pycache",
            Layout::Prefix { .. } => "prefix",
            Layout::Legacy => "legacy",
            Layout::Sourceless { .. } => "sourceless",
        };
        LockedTarget {
            toolchain: (*target.toolchain).clone(),
            level: target.level,
            mode: target.mode,
            debug_ranges: target.flags.debug_ranges,
            layout: layout.to_owned(),
        }
    }

    /// `CPython 3.11.7`, with `-O` or `-OO`.
    pub fn label(&self) -> String {
        let suffix = match self.level {
            OptimizationLevel::Zero => "",
            OptimizationLevel::One => " -O",
            OptimizationLevel::Two => " -OO",
        };
        format!("{}{suffix}", self.toolchain.label())
    }
}

impl LockedProfile {
    /// What is there now, with `output` for each source × target (an index into the inputs'
    /// targets). `None` if it does not know one of them.
    pub fn of(
        inputs: &Inputs,
        mut output: impl FnMut(&Source, u32) -> Option<LockedOutput>,
    ) -> Option<LockedProfile> {
        let order = target_order(inputs);
        let mut members: BTreeMap<String, LockedMember> = BTreeMap::new();
        for source in &inputs.sources {
            let outputs = order.iter().map(|target| output(source, *target));
            let locked = LockedSource {
                content: source.content,
                recorded_path: source.recorded_path.clone(),
                outputs: outputs.collect::<Option<_>>()?,
            };
            let member = inputs.members.get(source.member as usize)?;
            if !members.contains_key(member) {
                members.insert(member.clone(), LockedMember::new());
            }
            members.get_mut(member)?.insert(source.path.clone(), locked);
        }
        let target = |at: &u32| inputs.targets.get(*at as usize).map(LockedTarget::of);
        Some(LockedProfile {
            canonical_form: inputs.canonical_form,
            targets: order.iter().map(target).collect::<Option<_>>()?,
            members,
        })
    }

    /// How many sources there are.
    pub fn sources(&self) -> usize {
        self.members.values().map(BTreeMap::len).sum()
    }
}

/// Indices into the inputs' targets, in the order of a lock.
pub(super) fn target_order(inputs: &Inputs) -> Vec<u32> {
    let mut order: Vec<(LockedTarget, u32)> =
        (0..).zip(&inputs.targets).map(|(at, target)| (LockedTarget::of(target), at)).collect();
    order.sort();
    order.into_iter().map(|(_, at)| at).collect()
}

/// A locked profile by source, for the targets of some inputs.
#[derive(Debug)]
pub struct LockIndex<'a> {
    sources: BTreeMap<&'a RepoPath, &'a LockedSource>,
    columns: Vec<Option<usize>>,
}

impl<'a> LockIndex<'a> {
    /// Finds the column of each target.
    pub fn new(profile: &'a LockedProfile, inputs: &Inputs) -> LockIndex<'a> {
        let column = |target: &Target| {
            let target = LockedTarget::of(target);
            profile.targets.iter().position(|locked| *locked == target)
        };
        LockIndex {
            sources: profile.members.values().flatten().collect(),
            columns: inputs.targets.iter().map(column).collect(),
        }
    }

    /// What is locked for a source.
    pub fn source(&self, source: &RepoPath) -> Option<&'a LockedSource> {
        self.sources.get(source).copied()
    }

    /// What is locked for a source and a target (an index into the inputs' targets).
    pub fn output(&self, source: &RepoPath, target: usize) -> Option<LockedOutput> {
        let column = (*self.columns.get(target)?)?;
        self.source(source)?.outputs.get(column).copied()
    }
}
