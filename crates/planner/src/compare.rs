//! Fresh or dirty: compares what is wanted with what was recorded and what stands on disk.

use bytekiln_action::{Action, RepoPath};

use crate::{FoundCache, Observed, ObservedState, Options, Reason, Record, Recorded, Slot};

/// All reasons why this slot must be filled; empty means fresh.
pub(crate) fn reasons(
    source: &RepoPath,
    action: &Action,
    slot: &Slot,
    record: Option<&Record>,
    observed: Option<&Observed>,
    may_fail: bool,
    options: &Options,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    match record {
        None => reasons.push(match observed {
            None => Reason::New,
            Some(found) => found_reason(found, action, Reason::OutputUnrecorded),
        }),
        Some(record) => {
            changes(source, action, record, &mut reasons);
            match (record.result, slot) {
                (Recorded::Written(_), Slot::Output(_)) => match observed {
                    None => reasons.push(Reason::OutputMissing),
                    Some(Observed { state: ObservedState::AsRecorded, .. }) => {}
                    Some(found) => {
                        reasons.push(found_reason(found, action, Reason::OutputChanged));
                    }
                },
                (Recorded::Checked, Slot::Output(_)) => reasons.push(Reason::NotWrittenBefore),
                (Recorded::Written(_) | Recorded::Checked, Slot::Check(..)) => {}
                (Recorded::Rejected, _) => {
                    if reasons.is_empty() && !may_fail {
                        reasons.push(Reason::FailedBefore);
                    }
                }
            }
            if reasons.is_empty() && record.warnings > 0 && options.want_warnings {
                reasons.push(Reason::WarningsWanted { count: record.warnings });
            }
        }
    }
    if reasons.is_empty() && options.force {
        reasons.push(Reason::Forced);
    }
    reasons
}

/// A file that is not the recorded one: the mode first, because that is what other tools get
/// wrong (cpython#117204), then `otherwise`.
fn found_reason(
    found: &Observed,
    action: &Action,
    otherwise: impl Fn(FoundCache) -> Reason,
) -> Reason {
    let found = match found.state {
        // A stamp that equals a record of another slot's history says nothing about this one.
        ObservedState::AsRecorded => return Reason::New,
        ObservedState::Changed(found) | ObservedState::Unrecorded(found) => found,
    };
    match found {
        FoundCache::Timestamp { .. } => Reason::ModeDiffers { found, wanted: action.mode },
        FoundCache::Hash { mode, .. } if mode != action.mode => {
            Reason::ModeDiffers { found, wanted: action.mode }
        }
        FoundCache::Hash { .. } | FoundCache::NotACache | FoundCache::NotAFile => otherwise(found),
    }
}

fn changes(source: &RepoPath, action: &Action, record: &Record, reasons: &mut Vec<Reason>) {
    if record.source != *source {
        reasons.push(Reason::SourceMoved { old: record.source.clone(), new: source.clone() });
    }
    if record.content != action.source {
        reasons.push(Reason::SourceChanged { old: record.content, new: action.source });
    }
    if record.toolchain_digest != action.toolchain_digest {
        let (mut old, mut new) = (record.toolchain.label(), action.toolchain.label());
        if old == new {
            (old, new) = (record.toolchain.build.clone(), action.toolchain.build.clone());
        }
        if old == new {
            (old, new) = (record.toolchain.platform.clone(), action.toolchain.platform.clone());
        }
        reasons.push(Reason::ToolchainChanged { old, new });
    }
    if record.level != action.level {
        reasons.push(Reason::LevelChanged { old: record.level, new: action.level });
    }
    if record.mode != action.mode {
        reasons.push(Reason::ModeChanged { old: record.mode, new: action.mode });
    }
    if record.recorded_path != action.recorded_path {
        reasons.push(Reason::RecordedPathChanged {
            old: record.recorded_path.clone(),
            new: action.recorded_path.clone(),
        });
    }
    if record.flags.debug_ranges != action.flags.debug_ranges {
        reasons.push(Reason::DebugRangesChanged { new: action.flags.debug_ranges });
    }
    if record.canonical_form != action.canonical_form {
        reasons.push(Reason::CanonicalFormChanged {
            old: record.canonical_form,
            new: action.canonical_form,
        });
    }
}
