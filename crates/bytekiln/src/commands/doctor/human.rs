//! The verdicts for people: grouped, worst first, each group with what to do about it.

use std::collections::BTreeMap;

use bytekiln_loader::{Class, Container, Effect, ModuleReport};

use super::{Outcome, wording};
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// So many files are named in a group, unless more is asked for.
const NAMED: usize = 5;
/// Seconds from which a start is felt to be slow.
const NOTICED: f64 = 0.1;

/// Says everything.
pub(super) fn report(outcome: &Outcome<'_>, terminal: &Terminal) {
    let mut groups: BTreeMap<(Effect, Class), Vec<&ModuleReport>> = BTreeMap::new();
    for report in outcome.reports {
        groups.entry((report.effect, report.class())).or_default().push(report);
    }
    for ((effect, class), reports) in &groups {
        let wanted = match class {
            Class::Loaded => Verbosity::Everything,
            Class::Script => Verbosity::Reasons,
            _ => Verbosity::Normal,
        };
        if terminal.verbosity() >= wanted {
            group(outcome, *effect, *class, reports, terminal);
        }
    }
    finished(outcome, terminal);
}

fn group(
    outcome: &Outcome<'_>,
    effect: Effect,
    class: Class,
    reports: &[&ModuleReport],
    terminal: &Terminal,
) {
    let tone = match effect {
        _ if outcome.allowed.contains(&class) => Tone::Note,
        Effect::Fails(_) | Effect::RunsOldCode => Tone::Error,
        Effect::Compiles => Tone::Warning,
        Effect::NotUsed => Tone::Note,
        Effect::Loads => Tone::Good,
    };
    let count = reports.len();
    let what = match effect {
        Effect::NotUsed => plural(count, "file", "files"),
        _ => plural(count, "module", "modules"),
    };
    let allowed = if outcome.allowed.contains(&class) { " (allowed)" } else { "" };
    let happens = wording::happens(class, effect, count == 1);
    let head = format!("{} {what} {happens}{allowed}", grouped(count));
    terminal.status_in(tone, wording::verb(class), head);
    let everything = terminal.verbosity() >= Verbosity::Reasons;
    let named = if everything { count } else { NAMED.min(count) };
    for report in reports.iter().take(named) {
        let detail = wording::detail(report, outcome.artifacts);
        let path = outcome.artifacts.path(report.file);
        let separator = if detail.is_empty() { "" } else { ": " };
        line(terminal, &format!("{:>12} {path}{separator}{detail}", ""));
    }
    if named < count {
        line(terminal, &format!("{:>12} … and {} more (-v lists all)", "", grouped(count - named)));
    }
    let mut remedies: Vec<String> = Vec::new();
    for report in reports {
        let release = outcome.launch.release;
        let remedy = wording::remedy(report, outcome.artifacts, release);
        if !remedy.is_empty() && !remedies.contains(&remedy) && remedies.len() < 3 {
            remedies.push(remedy);
        }
    }
    if terminal.verbosity() >= Verbosity::Normal {
        for remedy in remedies {
            terminal.help(remedy);
        }
    }
}

fn finished(outcome: &Outcome<'_>, terminal: &Terminal) {
    let counts = Counts::of(outcome.reports);
    let label = outcome.interpreter.toolchain.label();
    let options = match outcome.launch.optimize {
        0 => String::new(),
        level => format!(" -{}", "O".repeat(level.into())),
    };
    let mut parts = Vec::new();
    if counts.fails > 0 {
        parts.push(format!("{} cannot be imported", grouped(counts.fails)));
    }
    if counts.old > 0 {
        parts.push(format!(
            "{} {} old code",
            grouped(counts.old),
            plural(counts.old, "runs", "run")
        ));
    }
    parts.push(format!("{} loaded from cache", grouped(counts.loads)));
    if counts.compiles > 0 {
        let mut part = format!("{} compiled at each start", grouped(counts.compiles));
        if let Some(estimate) = outcome.estimate {
            part = format!("{part} (about {})", duration(estimate.seconds));
        }
        parts.push(part);
    }
    let modules = counts.loads + counts.compiles + counts.old + counts.fails + counts.extensions;
    let message = format!(
        "{} {} with {label}{options}: {} [{:.2}s]",
        grouped(modules),
        plural(modules, "module", "modules"),
        parts.join(", "),
        outcome.started.elapsed().as_secs_f64()
    );
    if outcome.is_failure() {
        terminal.status_in(Tone::Error, "Failed", message);
    } else {
        terminal.status("Finished", message);
    }
    // Of what nobody notices, the basis is of no interest.
    if let Some(estimate) = outcome.estimate
        && (estimate.seconds >= NOTICED || terminal.verbosity() >= Verbosity::Reasons)
        && terminal.verbosity() >= Verbosity::Normal
    {
        let all_zips =
            outcome.artifacts.tree.roots.iter().all(|root| root.container == Container::Zip);
        let first = if all_zips {
            ""
        } else {
            "; where the interpreter may write its caches, only the first start pays"
        };
        terminal.help(format!(
            "the time is an estimate: {} {} compiled at {}/s, the rest goes by size{first}",
            estimate.sample,
            plural(estimate.sample, "source was", "sources were"),
            crate::commands::cache::size(estimate.bytes_per_second as u64),
        ));
    }
}

/// How many modules have which effect.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) loads: usize,
    pub(super) extensions: usize,
    pub(super) compiles: usize,
    pub(super) old: usize,
    pub(super) fails: usize,
    pub(super) unused: usize,
}

impl Counts {
    pub(super) fn of(reports: &[ModuleReport]) -> Counts {
        let mut counts = Counts::default();
        for report in reports {
            *match report.effect {
                Effect::Loads if report.cache.is_none() => &mut counts.extensions,
                Effect::Loads => &mut counts.loads,
                Effect::Compiles => &mut counts.compiles,
                Effect::RunsOldCode => &mut counts.old,
                Effect::Fails(_) => &mut counts.fails,
                Effect::NotUsed => &mut counts.unused,
            } += 1;
        }
        counts
    }
}

/// A line below a status, unless quiet.
fn line(terminal: &Terminal, text: &str) {
    if terminal.verbosity() >= Verbosity::Normal {
        terminal.say(text);
    }
}

/// `80,123`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn duration(seconds: f64) -> String {
    if seconds < 0.1 {
        format!("{:.0} ms", (seconds * 1000.0).max(1.0))
    } else {
        format!("{seconds:.1} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1204), "1,204");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(duration(0.0321), "32 ms");
        assert_eq!(duration(9.42), "9.4 s");
    }
}
