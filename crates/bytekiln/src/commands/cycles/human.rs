//! Cycles for people: who is in it, a way round, what to cut; those that do no harm apart.

use std::fmt::Write as _;

use bytekiln_graph::Which;

use super::Answer;
use super::find::{Found, Link};
use crate::arguments::CyclesBy;
use crate::commands::edges::how;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// Without -v no more names, steps and cuts of one cycle than this.
const MOST: usize = 12;

pub(super) fn render(answer: &Answer<'_>, terminal: &Terminal) -> String {
    let mut out = String::new();
    let mut before = None;
    for cycle in &answer.cycles {
        if !out.is_empty() {
            out.push('\n');
        }
        if cycle.closed_by > Which::Eager && before != Some(cycle.closed_by) {
            let _ = writeln!(out, "{}\n", terminal.paint_data(Tone::Note, apart(cycle.closed_by)));
        }
        before = Some(cycle.closed_by);
        push(&mut out, answer, cycle, terminal);
    }
    out
}

fn apart(closed_by: Which) -> &'static str {
    match closed_by {
        Which::Eager => "",
        Which::WithLazy => "Closed by lazy imports: no import fails for these.",
        Which::Runtime => "Closed by imports in functions: no import fails for these.",
        Which::All => {
            "Closed by imports for type checkers, or that never run: harmless when the program runs."
        }
    }
}

fn push(out: &mut String, answer: &Answer<'_>, cycle: &Found, terminal: &Terminal) {
    let all = terminal.verbosity() >= Verbosity::Reasons;
    let most = if all { usize::MAX } else { MOST };
    let count = cycle.names.len();
    let headline = format!("{count} {} import each other", noun(answer.arguments.by));
    let tone = if cycle.closed_by <= answer.denied { Tone::Warning } else { Tone::Note };
    let names: Vec<&str> = cycle.names.iter().take(most).map(String::as_str).collect();
    let more = count - names.len();
    let more = if more > 0 { format!(", and {more} more (-v)") } else { String::new() };
    let _ = writeln!(out, "{}: {}{more}", terminal.paint_data(tone, &headline), names.join(", "));
    links(out, answer, "a way round", &cycle.example, most);
    if cycle.closed_by == Which::Eager || all || cycle.closed_by <= answer.denied {
        links(out, answer, "cut", &cycle.cut, most);
    }
}

fn noun(by: CyclesBy) -> &'static str {
    match by {
        CyclesBy::Module => "modules",
        CyclesBy::Package => "packages",
        CyclesBy::Member => "members",
    }
}

fn links(out: &mut String, answer: &Answer<'_>, title: &str, links: &[Link], most: usize) {
    let _ = writeln!(out, "  {title}:");
    let shown: Vec<(String, &Link)> = links
        .iter()
        .take(most)
        .map(|link| (format!("{} → {}", link.from, link.to), link))
        .collect();
    let width = |text: &String| text.chars().count();
    let widest = shown.iter().map(|(text, _)| width(text)).filter(|w| *w <= 70).max().unwrap_or(0);
    for (text, link) in &shown {
        let mut notes = Vec::new();
        let mut place = String::new();
        if let Some(id) = link.imports.first() {
            place = answer.open.place(*id);
            let kinds = answer.open.graph().edge(*id).map(|edge| how(edge.kinds));
            notes.extend(kinds.unwrap_or_default().into_iter().map(str::to_owned));
        }
        let more = link.imports.len().saturating_sub(1);
        if more > 0 {
            notes.push(format!("and {more} more {}", plural(more, "import", "imports")));
        }
        let gap = " ".repeat(widest.saturating_sub(width(text)));
        let notes =
            if notes.is_empty() { String::new() } else { format!("  ({})", notes.join(", ")) };
        let _ = writeln!(out, "    {text}{gap}  {place}{notes}");
    }
    if shown.len() < links.len() {
        let _ = writeln!(out, "    and {} more (-v)", links.len() - shown.len());
    }
}

/// How many there are of each sort.
pub(super) fn summary(answer: &Answer<'_>) -> String {
    let words = [
        (Which::Eager, "of eager imports"),
        (Which::WithLazy, "closed by lazy imports"),
        (Which::Runtime, "closed by imports in functions"),
        (Which::All, "that never run"),
    ];
    let mut parts = Vec::new();
    for (level, word) in words {
        let found = answer.cycles.iter().filter(|cycle| cycle.closed_by == level).count();
        if found > 0 || level == Which::Eager {
            let found = if found == 0 { "no".to_owned() } else { found.to_string() };
            let noun = if found == "1" { "cycle" } else { "cycles" };
            parts.push(if parts.is_empty() {
                format!("{found} {noun} {word}")
            } else {
                format!("{found} {word}")
            });
        }
    }
    parts.join(", ")
}
