//! What drifted from the lock, in words and as JSON (`docs/lock.md`, `docs/messages.md`).

use std::collections::BTreeMap;

use bytekiln_action::Digest;
use bytekiln_project::{LOCK_FILE_NAME, LockDrift, LockedOutput, LockedTarget};
use serde_json::{Value, json};

use crate::report::json;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone, Verbosity};
use crate::schema::InterpreterRow;

/// Without `-v` no more lines than this.
const MOST_LINES: usize = 20;

/// Says how a profile differs from the lock.
pub(crate) fn say_drift(terminal: &Terminal, json: bool, profile: &str, drift: &[LockDrift]) {
    if json {
        for drift in drift {
            json::line(terminal, &message(profile, drift));
        }
        return;
    }
    terminal.error(format!(
        "`{LOCK_FILE_NAME}` does not describe this tree, profile `{profile}`: {}",
        summary(drift)
    ));
    let everything = terminal.verbosity() >= Verbosity::Reasons || drift.len() <= MOST_LINES + 1;
    let shown = if everything { drift.len() } else { MOST_LINES };
    for drift in drift.iter().take(shown) {
        let (verb, text) = line(drift);
        terminal.say(&format!("{} {text}", terminal.paint(Tone::Error, &format!("{verb:>12}"))));
    }
    if shown < drift.len() {
        let more = drift.len() - shown;
        let verb = terminal.paint(Tone::Note, &format!("{:>12}", "…"));
        terminal.say(&format!("{verb} and {more} more; -v shows them"));
    }
    terminal.help(advice(drift));
}

/// Says how outputs that were made just now differ; to people each file was told already.
pub(crate) fn say_unexpected(terminal: &Terminal, json: bool, profile: &str, drift: &[LockDrift]) {
    if json {
        say_drift(terminal, json, profile, drift);
    } else {
        terminal.help(advice(drift));
    }
}

/// What to do about it.
fn advice(drift: &[LockDrift]) -> &'static str {
    if drift.iter().all(|drift| matches!(drift, LockDrift::Output { .. })) {
        "equal inputs gave another output: something was tampered with, or the lock was edited. \
         Compile anew with `--force --no-cache`, compare the two with `bytekiln diff`; if the lock \
         is wrong, write it with `bytekiln lock --force`"
    } else if drift.iter().any(|drift| matches!(drift, LockDrift::Interpreter { .. })) {
        "build with the interpreter that is locked; if the new one is meant, run `bytekiln lock` \
         and commit the file"
    } else {
        "if this is meant, run `bytekiln lock` and commit the file"
    }
}

/// `1 source changed, 2 sources added`.
pub(crate) fn summary(drift: &[LockDrift]) -> String {
    let mut counts: BTreeMap<(usize, &str, &str), usize> = BTreeMap::new();
    for drift in drift {
        let what = match drift {
            LockDrift::CanonicalForm { .. } => (0, "canonical form changed", ""),
            LockDrift::Interpreter { .. } => (1, "interpreter changed", "interpreters changed"),
            LockDrift::TargetAdded(_) => (2, "target added", "targets added"),
            LockDrift::TargetRemoved(_) => (3, "target removed", "targets removed"),
            LockDrift::Setting { .. } => (4, "setting changed", "settings changed"),
            LockDrift::MemberAdded { .. } => (5, "member added", "members added"),
            LockDrift::MemberRemoved { .. } => (6, "member removed", "members removed"),
            LockDrift::SourceChanged { .. } => (7, "source changed", "sources changed"),
            LockDrift::SourceAdded { .. } => (8, "source added", "sources added"),
            LockDrift::SourceRemoved { .. } => (9, "source removed", "sources removed"),
            LockDrift::RecordedPath { .. } => {
                (10, "recorded path changed", "recorded paths changed")
            }
            LockDrift::Output { .. } => (11, "output differs", "outputs differ"),
            _ => (12, "difference", "differences"),
        };
        *counts.entry(what).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|((_, one, many), count)| format!("{count} {}", plural(*count, one, many)))
        .collect();
    parts.join(", ")
}

fn line(drift: &LockDrift) -> (&'static str, String) {
    match drift {
        LockDrift::CanonicalForm { locked, found } => {
            ("Changed", format!("canonical form: version {locked} → {found}"))
        }
        LockDrift::Interpreter { locked, found, facts } => (
            "Changed",
            format!(
                "interpreter: {} → {} ({})",
                identity(locked, found),
                identity(found, locked),
                facts.join(", ")
            ),
        ),
        LockDrift::TargetAdded(target) => ("Added", format!("target {}", target.label())),
        LockDrift::TargetRemoved(target) => ("Removed", format!("target {}", target.label())),
        LockDrift::Setting { target, name, locked, found } => {
            ("Changed", format!("{name} of {target}: {locked} → {found}"))
        }
        LockDrift::MemberAdded { member, sources } => {
            ("Added", format!("member {member} ({sources} {})", files(*sources)))
        }
        LockDrift::MemberRemoved { member, sources } => {
            ("Removed", format!("member {member} ({sources} {})", files(*sources)))
        }
        LockDrift::SourceAdded { source, .. } => ("Added", source.to_string()),
        LockDrift::SourceRemoved { source, .. } => ("Removed", source.to_string()),
        LockDrift::SourceChanged { source, locked, found, .. } => {
            ("Changed", format!("{source}: {} → {}", short(locked), short(found)))
        }
        LockDrift::RecordedPath { source, locked, found, .. } => {
            ("Changed", format!("{source}: recorded path `{locked}` → `{found}`"))
        }
        LockDrift::Output { source, target, locked, found, .. } => (
            "Differs",
            format!(
                "{source} for {target}: {} is locked, {} was found",
                output(locked),
                output(found)
            ),
        ),
        other => ("Differs", format!("{other:?}")),
    }
}

/// The label, with the build where labels are equal.
fn identity(target: &LockedTarget, other: &LockedTarget) -> String {
    let (toolchain, other) = (&target.toolchain, &other.toolchain);
    let label = toolchain.label();
    if label != other.label() {
        return label;
    }
    if toolchain.build == other.build {
        return format!("{label} on {}", toolchain.platform);
    }
    format!("{label} [{}]", toolchain.build.replace('\n', " "))
}

fn files(count: usize) -> &'static str {
    plural(count, "source", "sources")
}

fn short(digest: &Digest) -> String {
    let hex = digest.to_hex();
    format!("{} bytes, sha256 {}…", digest.size, hex.get(..8).unwrap_or(&hex))
}

fn output(output: &LockedOutput) -> String {
    match output {
        LockedOutput::Written(digest) => digest.to_string(),
        LockedOutput::Checked => "a script without output".to_owned(),
        LockedOutput::Rejected => "no output".to_owned(),
    }
}

fn message(profile: &str, drift: &LockDrift) -> Value {
    let (verb, text) = line(drift);
    let (kind, member, source, target, locked, found) = match drift {
        LockDrift::CanonicalForm { locked, found } => {
            ("canonical-form-changed", None, None, None, json!(locked), json!(found))
        }
        LockDrift::Interpreter { locked, found, .. } => {
            let target = Some(found.label());
            ("interpreter-changed", None, None, target, interpreter(locked), interpreter(found))
        }
        LockDrift::TargetAdded(target) => {
            ("target-added", None, None, Some(target.label()), Value::Null, interpreter(target))
        }
        LockDrift::TargetRemoved(target) => {
            ("target-removed", None, None, Some(target.label()), interpreter(target), Value::Null)
        }
        LockDrift::Setting { target, name, locked, found } => {
            let value = |value| json!({"name": name, "value": value});
            ("setting-changed", None, None, Some(target.clone()), value(locked), value(found))
        }
        LockDrift::MemberAdded { member, .. } => {
            ("member-added", Some(member), None, None, Value::Null, Value::Null)
        }
        LockDrift::MemberRemoved { member, .. } => {
            ("member-removed", Some(member), None, None, Value::Null, Value::Null)
        }
        LockDrift::SourceAdded { member, source } => {
            ("source-added", Some(member), Some(source), None, Value::Null, Value::Null)
        }
        LockDrift::SourceRemoved { member, source } => {
            ("source-removed", Some(member), Some(source), None, Value::Null, Value::Null)
        }
        LockDrift::SourceChanged { member, source, locked, found } => {
            let (locked, found) = (json!(locked.to_string()), json!(found.to_string()));
            ("source-changed", Some(member), Some(source), None, locked, found)
        }
        LockDrift::RecordedPath { member, source, locked, found } => {
            let (locked, found) = (json!(locked.to_string()), json!(found.to_string()));
            ("recorded-path-changed", Some(member), Some(source), None, locked, found)
        }
        LockDrift::Output { member, source, target, locked, found } => {
            let target = Some(target.clone());
            ("output-differs", Some(member), Some(source), target, result(locked), result(found))
        }
        _ => ("other", None, None, None, Value::Null, Value::Null),
    };
    json!({
        "reason": "lock-drift",
        "profile": profile,
        "kind": kind,
        "member": member,
        "source": source.map(ToString::to_string),
        "target": target,
        "locked": locked,
        "found": found,
        "text": format!("{} {text}", verb.to_lowercase()),
    })
}

fn interpreter(target: &LockedTarget) -> Value {
    json!(InterpreterRow::new(&target.toolchain))
}

fn result(output: &LockedOutput) -> Value {
    match output {
        LockedOutput::Written(digest) => json!(digest.to_string()),
        LockedOutput::Checked => json!("checked"),
        LockedOutput::Rejected => json!("rejected"),
    }
}
