//! The planner itself: joins what is wanted with what is recorded and what stands on disk. Total
//! (bad input becomes a problem in the plan) and independent of the order of its inputs.

use bytekiln_action::Action;

use crate::compare::reasons;
use crate::outputs::{output_path, source_of_cache};
use crate::{
    Fresh, Inputs, Layout, Observed, ObservedState, Plan, Problem, Record, Removal, RemovalReason,
    RootId, Severity, Skipped, Slot, Source, SourceKind, Step, Target,
};

/// How to plan. No default: the caller says what it means.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Everything is dirty.
    pub force: bool,
    /// Remove outputs of ours for targets that are not asked for: right for the targets of a
    /// manifest, wrong for `--python` typed once.
    pub remove_other_targets: bool,
    /// Remove other tools' caches whose source is gone, instead of reporting them.
    pub remove_orphans: bool,
    /// Sources that compiled with warnings are looked up again, so that the warnings are shown.
    pub want_warnings: bool,
}

/// The action of a source for a target.
pub fn action(source: &Source, target: &Target, canonical_form: u32) -> Action {
    Action {
        source: source.content,
        recorded_path: source.recorded_path.clone(),
        toolchain: target.toolchain.clone(),
        toolchain_digest: target.toolchain_digest,
        level: target.level,
        mode: target.mode,
        flags: target.flags,
        canonical_form,
    }
}

/// What a source × target fills.
pub fn slot(source: &Source, target: &Target) -> Slot {
    match output_path(source, target) {
        Some(output) => Slot::Output(output),
        None => Slot::Check(source.path.clone(), target.toolchain.cache_tag.clone(), target.level),
    }
}

struct Wanted<'a> {
    slot: Slot,
    source: &'a Source,
    source_index: u32,
    target_index: u32,
}

/// Makes the plan.
pub fn plan(inputs: &Inputs, options: &Options) -> Plan {
    let mut plan = Plan {
        skipped: inputs.skipped.clone(),
        problems: inputs.problems.clone(),
        ..Plan::default()
    };
    let sources = sorted(&inputs.sources, |source| &source.path);
    let records = sorted(&inputs.records, |record| &record.slot);
    let observed = sorted(&inputs.observed, |observed| &observed.path);

    let wanted = wanted(&sources, &inputs.targets, &mut plan);
    for want in &wanted {
        let Some(target) = inputs.targets.get(want.target_index as usize) else { continue };
        let output = match &want.slot {
            Slot::Output(output) => Some(output),
            Slot::Check(..) => None,
        };
        let action = action(want.source, target, inputs.canonical_form);
        let reasons = reasons(
            &want.source.path,
            &action,
            &want.slot,
            find(&records, |record| record.slot.cmp(&want.slot)),
            output.and_then(|output| find(&observed, |seen| seen.path.cmp(output))),
            want.source.allowance.is_some(),
            options,
        );
        if reasons.is_empty() {
            plan.fresh.push(Fresh { source: want.source_index, target: want.target_index });
        } else {
            plan.steps.push(Step {
                source: want.source.path.clone(),
                target: want.target_index,
                action,
                output: output.cloned(),
                reasons,
                allowance: want.source.allowance.clone(),
            });
        }
    }
    removals(inputs, options, &sources, &records, &observed, &wanted, &mut plan);
    scripts(&sources, &mut plan);
    plan.steps.sort_by(|a, b| (&a.source, a.target).cmp(&(&b.source, b.target)));
    plan.fresh.sort();
    plan.removals.sort_by(|a, b| a.output.cmp(&b.output));
    plan.orphans.sort();
    plan.skipped.sort();
    plan.skipped.dedup();
    plan.problems.sort();
    plan.problems.dedup();
    plan
}

/// Every slot that is to be filled, sorted and distinct; two claims on one are a problem.
fn wanted<'a>(sources: &[&'a Source], targets: &[Target], plan: &mut Plan) -> Vec<Wanted<'a>> {
    let mut wanted = Vec::with_capacity(sources.len() * targets.len());
    for (source_index, source) in sources.iter().enumerate() {
        for (target_index, target) in targets.iter().enumerate() {
            wanted.push(Wanted {
                slot: slot(source, target),
                source,
                source_index: u32::try_from(source_index).unwrap_or(u32::MAX),
                target_index: u32::try_from(target_index).unwrap_or(u32::MAX),
            });
        }
    }
    wanted.sort_by(|a, b| {
        (&a.slot, &a.source.path, a.target_index).cmp(&(&b.slot, &b.source.path, b.target_index))
    });
    wanted.dedup_by(|later, first| {
        let clash = later.slot == first.slot;
        if clash {
            plan.problems.push(collision(first, later, targets));
        }
        clash
    });
    wanted
}

fn collision(first: &Wanted<'_>, later: &Wanted<'_>, targets: &[Target]) -> Problem {
    let place = match &first.slot {
        Slot::Output(output) => format!("the output `{}`", output.path),
        Slot::Check(..) => "the check".to_owned(),
    };
    let label = |wanted: &Wanted<'_>| {
        targets.get(wanted.target_index as usize).map_or_else(String::new, |target| {
            format!("{} at level {}", target.toolchain.label(), target.level)
        })
    };
    let (message, hint) = if first.source.path == later.source.path {
        (
            format!("{place} is claimed by two targets: {} and {}", label(first), label(later)),
            "their file names are the same; build one of them in a profile with an `out` of its own",
        )
    } else {
        (
            format!("{place} is claimed by two sources: this one and `{}`", later.source.path),
            "rename one of them, or give the members different import roots",
        )
    };
    Problem {
        severity: Severity::Error,
        path: Some(first.source.path.clone()),
        message,
        hint: Some(hint.to_owned()),
    }
}

/// Outputs that nothing wants any more, and caches of others whose source is gone.
fn removals(
    inputs: &Inputs,
    options: &Options,
    sources: &[&Source],
    records: &[&Record],
    observed: &[&Observed],
    wanted: &[Wanted<'_>],
    plan: &mut Plan,
) {
    for seen in observed {
        let slot = Slot::Output(seen.path.clone());
        let record = find(records, |record| record.slot.cmp(&slot));
        let is_wanted = wanted.binary_search_by(|want| want.slot.cmp(&slot)).is_ok();
        let ours = seen.state == ObservedState::AsRecorded;
        match record {
            Some(record) if !is_wanted && ours => {
                plan.removals
                    .push(Removal { output: seen.path.clone(), reason: gone(record, sources) });
            }
            _ if !is_wanted && is_orphan(seen, inputs, sources) => {
                if options.remove_orphans {
                    let reason = RemovalReason::Orphan;
                    plan.removals.push(Removal { output: seen.path.clone(), reason });
                } else {
                    plan.orphans.push(seen.path.clone());
                }
            }
            _ => {}
        }
    }
}

fn gone(record: &Record, sources: &[&Source]) -> RemovalReason {
    let still_a_module = find(sources, |source| source.path.cmp(&record.source))
        .is_some_and(|source| source.kind == SourceKind::Module);
    if still_a_module {
        let target = format!("{}, level {}", record.toolchain.cache_tag, record.level);
        RemovalReason::TargetGone { target }
    } else {
        RemovalReason::SourceGone { source: record.source.clone() }
    }
}

/// A cache that another tool wrote and that no source explains. In the workspace the source is
/// looked for beside it, also among files that are there but not in scope; in an output tree of
/// our own everything that is neither wanted nor recorded is one.
fn is_orphan(seen: &Observed, inputs: &Inputs, sources: &[&Source]) -> bool {
    if seen.path.root != RootId::WORKSPACE {
        return inputs.targets.iter().any(|target| match &target.layout {
            Layout::Prefix { root, .. } | Layout::Sourceless { root } => *root == seen.path.root,
            Layout::Pycache | Layout::Legacy => false,
        });
    }
    let Some(source) = source_of_cache(&seen.path.path) else { return false };
    let in_scope = find(sources, |candidate| candidate.path.cmp(&source)).is_some();
    !in_scope && !inputs.out_of_scope.contains(&source)
}

fn scripts(sources: &[&Source], plan: &mut Plan) {
    for source in sources {
        if let SourceKind::Script(reason) = source.kind {
            plan.skipped.push(Skipped::Script { path: source.path.clone(), reason });
        }
    }
}

fn sorted<T, K: Ord>(values: &[T], key: impl Fn(&T) -> &K) -> Vec<&T> {
    let mut sorted: Vec<&T> = values.iter().collect();
    sorted.sort_by(|a, b| key(a).cmp(key(b)));
    sorted
}

fn find<'a, T>(sorted: &[&'a T], order: impl Fn(&T) -> std::cmp::Ordering) -> Option<&'a T> {
    let at = sorted.binary_search_by(|value| order(value)).ok()?;
    sorted.get(at).copied()
}

#[cfg(test)]
mod tests;
