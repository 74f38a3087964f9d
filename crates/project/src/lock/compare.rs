//! How what is there differs from what is locked, with typed reasons. Pure.

use std::collections::{BTreeMap, BTreeSet};

use bytekiln_action::{Digest, RecordedPath, RepoPath, Toolchain};
use bytekiln_planner::{Inputs, Source};

use super::{LockIndex, LockedOutput, LockedProfile, LockedSource, LockedTarget};

/// One difference between a lock and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockDrift {
    /// Outputs are written in another version of the canonical form.
    CanonicalForm {
        /// Then.
        locked: u32,
        /// Now.
        found: u32,
    },
    /// Another interpreter compiles.
    Interpreter {
        /// Then.
        locked: Box<LockedTarget>,
        /// Now.
        found: Box<LockedTarget>,
        /// The facts of its identity that differ.
        facts: Vec<&'static str>,
    },
    /// A target that is not in the lock.
    TargetAdded(Box<LockedTarget>),
    /// A target that is not asked for any more.
    TargetRemoved(Box<LockedTarget>),
    /// A setting of a target.
    Setting {
        /// `CPython 3.11.7 -O`.
        target: String,
        /// As the lock file calls it.
        name: &'static str,
        /// Then.
        locked: String,
        /// Now.
        found: String,
    },
    /// A member that is not in the lock.
    MemberAdded {
        /// Its name.
        member: String,
        /// How many sources it has.
        sources: usize,
    },
    /// A member that is gone, or has no sources any more.
    MemberRemoved {
        /// Its name.
        member: String,
        /// How many sources it had.
        sources: usize,
    },
    /// A source that is not in the lock.
    SourceAdded {
        /// Its member.
        member: String,
        /// Which.
        source: RepoPath,
    },
    /// A source that is gone.
    SourceRemoved {
        /// Its member.
        member: String,
        /// Which.
        source: RepoPath,
    },
    /// A source with other bytes.
    SourceChanged {
        /// Its member.
        member: String,
        /// Which.
        source: RepoPath,
        /// Then.
        locked: Digest,
        /// Now.
        found: Digest,
    },
    /// A source whose outputs are to record another path.
    RecordedPath {
        /// Its member.
        member: String,
        /// Which.
        source: RepoPath,
        /// Then.
        locked: RecordedPath,
        /// Now.
        found: RecordedPath,
    },
    /// From equal inputs came another output: a compiler that is not deterministic, a cache or an
    /// output that was tampered with, or an edited lock.
    Output {
        /// Its member.
        member: String,
        /// Which.
        source: RepoPath,
        /// `CPython 3.11.7 -O`.
        target: String,
        /// Then.
        locked: LockedOutput,
        /// Now.
        found: LockedOutput,
    },
}

/// Compares all that outputs are made from. With `packages` (names; empty means all) only those
/// members are looked at, and the inputs must be theirs.
pub fn compare_sources(
    locked: &LockedProfile,
    inputs: &Inputs,
    packages: &[String],
) -> Vec<LockDrift> {
    let mut drift = Vec::new();
    if locked.canonical_form != inputs.canonical_form {
        let found = inputs.canonical_form;
        drift.push(LockDrift::CanonicalForm { locked: locked.canonical_form, found });
    }
    compare_targets(locked, inputs, &mut drift);
    let mut members: BTreeMap<&String, BTreeMap<&RepoPath, &Source>> = BTreeMap::new();
    for source in &inputs.sources {
        if let Some(member) = inputs.members.get(source.member as usize) {
            members.entry(member).or_default().insert(&source.path, source);
        }
    }
    let selected = |member: &String| packages.is_empty() || packages.contains(member);
    let mut names: BTreeSet<&String> = members.keys().copied().collect();
    names.extend(locked.members.keys().filter(|member| selected(member)));
    for member in names {
        match (locked.members.get(member), members.get(member)) {
            (Some(locked), Some(found)) => compare_member(member, locked, found, &mut drift),
            (Some(locked), None) => drift
                .push(LockDrift::MemberRemoved { member: member.clone(), sources: locked.len() }),
            (None, Some(found)) => {
                drift.push(LockDrift::MemberAdded { member: member.clone(), sources: found.len() })
            }
            (None, None) => {}
        }
    }
    drift
}

/// Compares outputs of sources and targets that are as locked, where `found` knows one; it is given
/// the source and an index into the inputs' targets.
pub fn compare_outputs(
    locked: &LockIndex<'_>,
    inputs: &Inputs,
    found: impl Fn(&Source, u32) -> Option<LockedOutput>,
) -> Vec<LockDrift> {
    let mut drift = Vec::new();
    let is_locked = |source: &&Source| {
        locked.source(&source.path).is_some_and(|locked| {
            locked.content == source.content && locked.recorded_path == source.recorded_path
        })
    };
    for source in inputs.sources.iter().filter(is_locked) {
        for (at, target) in (0_u32..).zip(&inputs.targets) {
            let Some(found) = found(source, at) else { continue };
            let Some(locked) = locked.output(&source.path, at as usize) else { continue };
            if locked != found {
                let member = inputs.members.get(source.member as usize);
                drift.push(LockDrift::Output {
                    member: member.cloned().unwrap_or_default(),
                    source: source.path.clone(),
                    target: LockedTarget::of(target).label(),
                    locked,
                    found,
                });
            }
        }
    }
    drift
}

fn compare_member(
    member: &str,
    locked: &BTreeMap<RepoPath, LockedSource>,
    found: &BTreeMap<&RepoPath, &Source>,
    drift: &mut Vec<LockDrift>,
) {
    let paths: BTreeSet<&RepoPath> = locked.keys().chain(found.keys().copied()).collect();
    for path in paths {
        let (member, source) = (member.to_owned(), path.clone());
        match (locked.get(path), found.get(path)) {
            (Some(locked), Some(found)) => {
                if locked.content != found.content {
                    let (locked, found) = (locked.content, found.content);
                    drift.push(LockDrift::SourceChanged { member, source, locked, found });
                } else if locked.recorded_path != found.recorded_path {
                    let locked = locked.recorded_path.clone();
                    let found = found.recorded_path.clone();
                    drift.push(LockDrift::RecordedPath { member, source, locked, found });
                }
            }
            (Some(_), None) => drift.push(LockDrift::SourceRemoved { member, source }),
            (None, Some(_)) => drift.push(LockDrift::SourceAdded { member, source }),
            (None, None) => {}
        }
    }
}

/// Targets belong together that write the same file names, then those of the same level.
fn compare_targets(locked: &LockedProfile, inputs: &Inputs, drift: &mut Vec<LockDrift>) {
    let mut old: Vec<LockedTarget> = locked.targets.clone();
    let mut new: Vec<LockedTarget> = inputs.targets.iter().map(LockedTarget::of).collect();
    new.sort();
    let equal = |a: &LockedTarget, b: &LockedTarget| a == b;
    let same_name = |a: &LockedTarget, b: &LockedTarget| {
        (&a.toolchain.cache_tag, a.level) == (&b.toolchain.cache_tag, b.level)
            && a.toolchain.free_threaded == b.toolchain.free_threaded
    };
    let same_level = |a: &LockedTarget, b: &LockedTarget| a.level == b.level;
    pair(&mut old, &mut new, equal, |_, _| {});
    pair(&mut old, &mut new, same_name, |old, new| differences(old, new, drift));
    pair(&mut old, &mut new, same_level, |old, new| differences(old, new, drift));
    drift.extend(old.into_iter().map(|target| LockDrift::TargetRemoved(Box::new(target))));
    drift.extend(new.into_iter().map(|target| LockDrift::TargetAdded(Box::new(target))));
}

fn pair(
    old: &mut Vec<LockedTarget>,
    new: &mut Vec<LockedTarget>,
    belong: impl Fn(&LockedTarget, &LockedTarget) -> bool,
    mut take: impl FnMut(LockedTarget, LockedTarget),
) {
    let mut left = Vec::new();
    for target in old.drain(..) {
        match new.iter().position(|other| belong(&target, other)) {
            Some(at) => take(target, new.remove(at)),
            None => left.push(target),
        }
    }
    *old = left;
}

fn differences(old: LockedTarget, new: LockedTarget, drift: &mut Vec<LockDrift>) {
    let target = new.label();
    let mut setting = |name, locked: &str, found: &str| {
        if locked != found {
            let (locked, found) = (locked.to_owned(), found.to_owned());
            drift.push(LockDrift::Setting { target: target.clone(), name, locked, found });
        }
    };
    setting("invalidation-mode", old.mode.as_str(), new.mode.as_str());
    setting("layout", &old.layout, &new.layout);
    setting("debug-ranges", &old.debug_ranges.to_string(), &new.debug_ranges.to_string());
    if old.toolchain != new.toolchain {
        let facts = facts(&old.toolchain, &new.toolchain);
        drift.push(LockDrift::Interpreter { locked: Box::new(old), found: Box::new(new), facts });
    }
}

/// The facts in which two identities differ.
fn facts(old: &Toolchain, new: &Toolchain) -> Vec<&'static str> {
    let pairs = [
        ("implementation", old.implementation != new.implementation),
        ("version", old.version != new.version),
        ("build", old.build != new.build),
        ("magic", old.release != new.release),
        ("cache-tag", old.cache_tag != new.cache_tag),
        ("platform", old.platform != new.platform),
        ("free-threaded", old.free_threaded != new.free_threaded),
        ("debug", old.debug != new.debug),
    ];
    pairs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
