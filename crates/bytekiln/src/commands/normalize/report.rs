//! What is said about a run: lines for people, one object for programs (`docs/normalize.md`).

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::inventory::{Inventory, PassedOver};
use super::work::{Outcome, Wanted};
use crate::arguments::NormalizeArguments;
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// How many files of a kind are named unless more is asked for.
const NAMED: usize = 8;

/// Everything that came of a run.
pub(super) struct Run<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) outcomes: &'a [Outcome],
    pub(super) wanted: Wanted,
    /// Nothing was written.
    pub(super) check: bool,
    /// `RECORD`s that were written, or would be.
    pub(super) records: usize,
    /// What could not be read or written beside the caches.
    pub(super) troubles: &'a [String],
    pub(super) elapsed: Duration,
}

/// How many of each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) normalized: usize,
    unchanged: usize,
    stale: usize,
    foreign: usize,
    links: usize,
    mismatched: usize,
    damaged: usize,
    failed: usize,
    not_tried: usize,
}

impl Counts {
    /// Nothing is wrong that must not be overlooked.
    pub(super) fn is_well(&self) -> bool {
        self.mismatched + self.damaged + self.failed == 0
    }

    /// Every cache that CPython could load is in the wanted form: what `--check` asks.
    pub(super) fn is_normal(&self) -> bool {
        self.normalized + self.stale == 0
    }
}

impl Run<'_> {
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for outcome in self.outcomes {
            *match outcome {
                Outcome::Normalized { .. } => &mut counts.normalized,
                Outcome::Unchanged => &mut counts.unchanged,
                Outcome::Stale(_) => &mut counts.stale,
                Outcome::Foreign(_) => &mut counts.foreign,
                Outcome::Mismatched(_) => &mut counts.mismatched,
                Outcome::Damaged(_) => &mut counts.damaged,
                Outcome::Failed(_) => &mut counts.failed,
                Outcome::NotTried => &mut counts.not_tried,
            } += 1;
        }
        for (_, why) in &self.inventory.passed_over {
            *match why {
                PassedOver::Name => &mut counts.foreign,
                PassedOver::Link => &mut counts.links,
            } += 1;
        }
        counts
    }

    fn total(&self) -> usize {
        self.outcomes.len() + self.inventory.passed_over.len()
    }
}

/// The human form.
pub(super) fn human(run: &Run<'_>, terminal: &Terminal) {
    for trouble in run.troubles {
        terminal.error(trouble);
    }
    changes(run, terminal);
    list(run, terminal, Outcome::error, |terminal, text| terminal.error(text), None);
    list(
        run,
        terminal,
        |outcome| match outcome {
            Outcome::Mismatched(record) => {
                Some(format!("is not what `{}` lists; it is left as it is", record.display()))
            }
            _ => None,
        },
        |terminal, text| terminal.error(text),
        Some("install the distribution again, or find out who changed the file"),
    );
    list(
        run,
        terminal,
        |outcome| match outcome {
            Outcome::Stale(why) => Some(format!("is stale: {why}")),
            _ => None,
        },
        |terminal, text| terminal.warning(text),
        Some("remove it, or compile it again (`python -m compileall`), then normalize"),
    );
    foreign(run, terminal);
    finished(run, terminal);
}

impl Outcome {
    fn error(&self) -> Option<String> {
        match self {
            Outcome::Damaged(why) => Some(format!("is damaged: {why}")),
            Outcome::Failed(why) => Some(why.clone()),
            _ => None,
        }
    }
}

fn changes(run: &Run<'_>, terminal: &Terminal) {
    if terminal.verbosity() < Verbosity::Reasons {
        return;
    }
    for (subject, outcome) in run.inventory.subjects.iter().zip(run.outcomes) {
        match outcome {
            Outcome::Normalized { header, recorded_path, .. } => {
                let what = changed(*header, *recorded_path).join(", ");
                let verb = if run.check { "Dirty" } else { "Normalized" };
                terminal.status(verb, format!("{} ({what})", subject.shown.display()));
            }
            Outcome::Unchanged if terminal.verbosity() >= Verbosity::Everything => {
                terminal.status_in(Tone::Note, "Fresh", subject.shown.display());
            }
            _ => {}
        }
    }
}

/// Which parts are others than before.
fn changed(header: bool, recorded_path: bool) -> Vec<&'static str> {
    let parts = [(header, "header"), (recorded_path, "recorded path")];
    let mut what: Vec<&str> =
        parts.iter().filter(|(other, _)| *other).map(|(_, name)| *name).collect();
    if what.is_empty() {
        what.push("encoding");
    }
    what
}

fn list(
    run: &Run<'_>,
    terminal: &Terminal,
    what: impl Fn(&Outcome) -> Option<String>,
    say: impl Fn(&Terminal, String),
    remedy: Option<&str>,
) {
    let named = if terminal.verbosity() > Verbosity::Normal { usize::MAX } else { NAMED };
    let mut count = 0_usize;
    for (subject, outcome) in run.inventory.subjects.iter().zip(run.outcomes) {
        let Some(text) = what(outcome) else { continue };
        count += 1;
        if count <= named {
            let path = subject.shown.display().to_string();
            // Errors of the system name the file already.
            let absolute = subject.path.display().to_string();
            let told = match text.strip_prefix(&format!("`{absolute}`")) {
                Some(rest) => format!("`{path}`{rest}"),
                None if text.starts_with('`') => format!("`{path}`: {text}"),
                None => format!("`{path}` {text}"),
            };
            say(terminal, told);
        }
    }
    if count > named {
        say(terminal, format!("and {} more of that kind (-v names them)", count - named));
    }
    if let (Some(remedy), true) = (remedy, count > 0) {
        terminal.help(remedy);
    }
}

fn foreign(run: &Run<'_>, terminal: &Terminal) {
    if terminal.verbosity() < Verbosity::Reasons {
        return;
    }
    for (subject, outcome) in run.inventory.subjects.iter().zip(run.outcomes) {
        if let Outcome::Foreign(why) = outcome {
            let path = subject.shown.display();
            terminal.status_in(Tone::Note, "Left", format!("{path}: {why}"));
        }
    }
    for (path, why) in &run.inventory.passed_over {
        terminal.status_in(Tone::Note, "Left", format!("{} {}", path.display(), why.sentence()));
    }
}

fn finished(run: &Run<'_>, terminal: &Terminal) {
    let counts = run.counts();
    let mut details = Vec::new();
    for (number, what) in [
        (counts.stale, "stale"),
        (counts.foreign, "foreign"),
        (counts.links, "linked"),
        (counts.mismatched, "not as recorded"),
        (counts.damaged, "damaged"),
        (counts.failed, "failed"),
        (counts.not_tried, "not tried"),
    ] {
        if number > 0 {
            details.push(format!("{} {what}", grouped(number)));
        }
    }
    if run.records > 0 {
        let plural = if run.records == 1 { "" } else { "s" };
        let verb = if run.check { "would be " } else { "" };
        details.push(format!("{} RECORD{plural} {verb}updated", grouped(run.records)));
    }
    let details =
        if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    let seconds = run.elapsed.as_secs_f64();
    let total = run.total();
    let caches = if total == 1 { "cache" } else { "caches" };
    let (normalized, total) = (grouped(counts.normalized), grouped(total));
    let done = match (counts.normalized, run.check) {
        (0, _) if counts.is_well() && counts.not_tried == 0 => {
            format!("nothing to do for {total} {caches}")
        }
        (_, true) => format!("{normalized} of {total} {caches} would change"),
        (_, false) => format!("normalized {normalized} of {total} {caches}"),
    };
    let (tone, verb) = if counts.not_tried > 0 {
        (Tone::Warning, "Interrupted")
    } else if !counts.is_well() || !run.troubles.is_empty() {
        (Tone::Error, "Failed")
    } else {
        (Tone::Good, "Finished")
    };
    terminal.status_in(tone, verb, format!("{done}{details} in {seconds:.2}s"));
}

/// The JSON form.
pub(super) fn json(run: &Run<'_>, arguments: &NormalizeArguments, terminal: &Terminal) {
    let counts = run.counts();
    let files = run.inventory.subjects.iter().zip(run.outcomes).map(|(subject, outcome)| {
        let path = &subject.shown;
        match outcome {
            Outcome::Normalized { header, recorded_path, .. } => {
                row(path, "normalized", None, &changed(*header, *recorded_path))
            }
            Outcome::Unchanged => row(path, "unchanged", None, &[]),
            Outcome::Stale(why) => row(path, "stale", Some(why), &[]),
            Outcome::Foreign(why) => row(path, "foreign", Some(why), &[]),
            Outcome::Mismatched(record) => {
                let why = format!("`{}` lists other bytes", record.display());
                row(path, "not-as-recorded", Some(&why), &[])
            }
            Outcome::Damaged(why) => row(path, "damaged", Some(why), &[]),
            Outcome::Failed(why) => row(path, "failed", Some(why), &[]),
            Outcome::NotTried => row(path, "not-tried", None, &[]),
        }
    });
    let passed_over = run.inventory.passed_over.iter().map(|(path, why)| {
        let result = if *why == PassedOver::Name { "foreign" } else { "linked" };
        row(path, result, Some(why.sentence()), &[])
    });
    let files: Vec<Value> = files.chain(passed_over).collect();
    let name = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    let document = json!({
        "schema": "bytekiln-normalize/1",
        "check": run.check,
        "invalidation_mode": match run.wanted.mode {
            bytekiln_proof::RewriteMode::Keep => "keep",
            bytekiln_proof::RewriteMode::Hash(mode) => mode.as_str(),
        },
        "recorded_path": name(&arguments.recorded_path),
        "counts": {
            "normalized": counts.normalized,
            "unchanged": counts.unchanged,
            "stale": counts.stale,
            "foreign": counts.foreign,
            "linked": counts.links,
            "not_as_recorded": counts.mismatched,
            "damaged": counts.damaged,
            "failed": counts.failed,
            "not_tried": counts.not_tried,
            "records": run.records,
        },
        "elapsed_seconds": run.elapsed.as_secs_f64(),
        "problems": run.troubles,
        "files": files,
    });
    terminal.data(&format!("{document:#}\n"));
}

fn row(path: &Path, result: &str, reason: Option<&str>, changed: &[&str]) -> Value {
    json!({
        "path": path.display().to_string(),
        "result": result,
        "changed": changed,
        "reason": reason,
    })
}

/// `10,412`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
