//! Reasons, removals and skips in words, for people. The JSON forms are in `schema`.

use bytekiln_planner::{FoundCache, Reason, RemovalReason, ScriptReason, Skipped};
use bytekiln_python::{InvalidationMode, Release};

/// `source changed (12 bytes → 15 bytes)`.
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::New => "never built".to_owned(),
        Reason::OutputMissing => "its output is missing".to_owned(),
        Reason::OutputChanged(found) => {
            format!("its output is not what was written: {} stands there", cache(*found))
        }
        Reason::OutputUnrecorded(found) => {
            format!("{} stands in its output's place, not recorded as ours", cache(*found))
        }
        Reason::ModeDiffers { found, wanted } => {
            format!("{} stands in its output's place, {wanted} is wanted", cache(*found))
        }
        Reason::SourceChanged { old, new } => format!(
            "source changed ({} bytes, sha256 {}… → {} bytes, sha256 {}…)",
            old.size,
            short(&old.to_hex()),
            new.size,
            short(&new.to_hex())
        ),
        Reason::SourceMoved { old, .. } => format!("another source, `{old}`, was here before"),
        Reason::ModeChanged { old, new } => format!("invalidation mode changed ({old} → {new})"),
        Reason::LevelChanged { old, new } => format!("optimization level changed ({old} → {new})"),
        Reason::ToolchainChanged { old, new } => format!("interpreter changed ({old} → {new})"),
        Reason::RecordedPathChanged { old, new } => {
            format!("recorded path changed (`{old}` → `{new}`)")
        }
        Reason::DebugRangesChanged { new: true } => "debug ranges are wanted now".to_owned(),
        Reason::DebugRangesChanged { new: false } => "debug ranges are not wanted now".to_owned(),
        Reason::CanonicalFormChanged { old, new } => {
            format!("canonical form changed (version {old} → {new})")
        }
        Reason::FailedBefore => {
            "it did not compile last time, and nothing changed since".to_owned()
        }
        Reason::WarningsWanted { count: 1 } => "it compiled with a warning".to_owned(),
        Reason::WarningsWanted { count } => format!("it compiled with {count} warnings"),
        Reason::NotWrittenBefore => "it was only checked before".to_owned(),
        Reason::Forced => "asked for with --force".to_owned(),
    }
}

/// The word of a reason in JSON.
pub fn reason_kind(reason: &Reason) -> &'static str {
    match reason {
        Reason::New => "new",
        Reason::OutputMissing => "output-missing",
        Reason::OutputChanged(_) => "output-changed",
        Reason::OutputUnrecorded(_) => "output-unrecorded",
        Reason::ModeDiffers { .. } => "mode-differs",
        Reason::SourceChanged { .. } => "source-changed",
        Reason::SourceMoved { .. } => "source-moved",
        Reason::ModeChanged { .. } => "mode-changed",
        Reason::LevelChanged { .. } => "level-changed",
        Reason::ToolchainChanged { .. } => "toolchain-changed",
        Reason::RecordedPathChanged { .. } => "recorded-path-changed",
        Reason::DebugRangesChanged { .. } => "debug-ranges-changed",
        Reason::CanonicalFormChanged { .. } => "canonical-form-changed",
        Reason::FailedBefore => "failed-before",
        Reason::WarningsWanted { .. } => "warnings-wanted",
        Reason::NotWrittenBefore => "not-written-before",
        Reason::Forced => "forced",
    }
}

/// Old and new of a reason, where it has them, for JSON.
pub fn old_and_new(reason: &Reason) -> (Option<String>, Option<String>) {
    fn both(old: &impl ToString, new: &impl ToString) -> (Option<String>, Option<String>) {
        (Some(old.to_string()), Some(new.to_string()))
    }
    match reason {
        Reason::SourceChanged { old, new } => both(old, new),
        Reason::SourceMoved { old, new } => both(old, new),
        Reason::ModeChanged { old, new } => both(old, new),
        Reason::LevelChanged { old, new } => both(old, new),
        Reason::ToolchainChanged { old, new } => both(old, new),
        Reason::RecordedPathChanged { old, new } => both(old, new),
        Reason::CanonicalFormChanged { old, new } => both(old, new),
        Reason::DebugRangesChanged { new } => both(&!new, new),
        Reason::ModeDiffers { found, wanted } => (Some(cache(*found)), Some(wanted.to_string())),
        Reason::OutputChanged(found) | Reason::OutputUnrecorded(found) => {
            (Some(cache(*found)), None)
        }
        Reason::WarningsWanted { count } => (None, Some(count.to_string())),
        Reason::New
        | Reason::OutputMissing
        | Reason::FailedBefore
        | Reason::NotWrittenBefore
        | Reason::Forced => (None, None),
    }
}

/// `a timestamp cache of 3.11`.
pub fn cache(found: FoundCache) -> String {
    let of = |magic| match Release::from_magic(magic) {
        Some(release) => format!("CPython {release}"),
        None => format!("magic number {magic}"),
    };
    match found {
        FoundCache::Timestamp { magic } => format!("a timestamp cache of {}", of(magic)),
        FoundCache::Hash { magic, mode: InvalidationMode::CheckedHash } => {
            format!("a checked-hash cache of {}", of(magic))
        }
        FoundCache::Hash { magic, mode: InvalidationMode::UncheckedHash } => {
            format!("an unchecked-hash cache of {}", of(magic))
        }
        FoundCache::NotACache => "a file that is no valid cache".to_owned(),
        FoundCache::NotAFile => "something that is no regular file".to_owned(),
    }
}

/// `its source pkg/old.py is gone`.
pub fn removal(reason: &RemovalReason) -> String {
    match reason {
        RemovalReason::SourceGone { source } => format!("its source `{source}` is gone"),
        RemovalReason::TargetGone { target } => format!("nothing asks for {target} any more"),
        RemovalReason::Orphan => "no source explains it".to_owned(),
    }
}

/// The file passed over, and why.
pub fn skipped(skipped: &Skipped) -> (String, String) {
    match skipped {
        Skipped::Excluded { path, glob } => (path.to_string(), format!("excluded by `{glob}`")),
        Skipped::LinkLeavesWorkspace { path, to } => {
            (path.to_string(), format!("a link that leaves the workspace, to `{to}`"))
        }
        Skipped::BrokenLink { path } => {
            (path.to_string(), "a link that leads nowhere or in a circle".to_owned())
        }
        Skipped::LinkInsideWorkspace { path, to } => {
            (path.to_string(), format!("a link to `{to}`, which is compiled under its own name"))
        }
        Skipped::NotARegularFile { path } => (path.to_string(), "not a regular file".to_owned()),
        Skipped::Script { path, reason } => (
            path.to_string(),
            match reason {
                ScriptReason::NotAModuleName => {
                    "a script: its name cannot be imported; checked, not written".to_owned()
                }
                ScriptReason::Shebang => {
                    "a script: run by its shebang, never imported; checked, not written".to_owned()
                }
            },
        ),
    }
}

/// The word of a skip in JSON.
pub fn skipped_kind(skipped: &Skipped) -> &'static str {
    match skipped {
        Skipped::Excluded { .. } => "excluded",
        Skipped::LinkLeavesWorkspace { .. } => "link-leaves-workspace",
        Skipped::BrokenLink { .. } => "broken-link",
        Skipped::LinkInsideWorkspace { .. } => "link-inside-workspace",
        Skipped::NotARegularFile { .. } => "not-a-regular-file",
        Skipped::Script { .. } => "script",
    }
}

fn short(hex: &str) -> &str {
    hex.get(..8).unwrap_or(hex)
}
