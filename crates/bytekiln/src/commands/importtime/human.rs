//! A measurement for people: the ways side by side, then a table of imports as CPython's own, without and
//! with caches, then what is worth making lazy.

use bytekiln_startup::Summary;

use super::document::{Candidate, Document, Figure, ImportInfo, VariantInfo, WITHOUT};
use crate::report::diagnostic::harmless;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone};

/// Imports that take less than this share of all are left out of the table, unless all are wanted.
const SHOWN_SHARE: u64 = 100;
/// Candidates that are shown; the page and JSON have more.
const MOST_CANDIDATES: usize = 10;
/// The least room for names.
const LEAST_NAME: usize = 24;

/// Prints it.
pub(super) fn report(document: &Document, all: bool, terminal: &Terminal) {
    let mut out = String::new();
    out.push_str(&summary(document));
    out.push('\n');
    out.push_str(&table(document, all, terminal));
    let candidates = candidates(document, terminal);
    if !candidates.is_empty() {
        out.push('\n');
        out.push_str(&candidates);
    }
    terminal.data(&out);
}

/// Milliseconds with two decimals.
pub(super) fn milliseconds(micros: u64) -> String {
    let hundredths = micros.saturating_add(5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Milliseconds with one decimal, for whole processes.
pub(super) fn tenths(micros: u64) -> String {
    let tenths = micros.saturating_add(50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn spread(figure: Figure) -> String {
    format!("{} … {}", tenths(figure.lower), tenths(figure.upper))
}

fn summary(document: &Document) -> String {
    let base = WITHOUT.iter().find_map(|id| document.variant(id));
    let base = base.and_then(|at| document.variants.get(at));
    let has_zips = document.variants.iter().any(|variant| variant.zipped > 0);
    let mut head = vec![
        "start-up, ms",
        "fastest",
        "median",
        "middle half",
        "saved",
        "cached",
        "compiled",
        "stale",
    ];
    head.extend(has_zips.then_some("in zips"));
    let mut rows: Vec<Vec<String>> = vec![head.into_iter().map(str::to_owned).collect()];
    for variant in &document.variants {
        let Some(wall) = variant.wall else { continue };
        let saved = match base.filter(|base| variant.id != base.id).and_then(|base| base.wall) {
            Some(base) => saving(base, wall),
            None => String::new(),
        };
        let count = |word: &str| variant.origins.get(word).copied().unwrap_or(0).to_string();
        let mut row = vec![
            variant.title.clone(),
            tenths(wall.least),
            tenths(wall.median),
            spread(wall),
            saved,
            count("cache"),
            count("compiled"),
            count("stale"),
        ];
        row.extend(has_zips.then(|| variant.zipped.to_string()));
        rows.push(row);
    }
    let mut out = aligned(&rows);
    if let Some(first) = document.variants.first() {
        out.push_str(&besides(document, first));
    }
    out
}

/// How much less, in percent, unless the middle halves of both touch.
fn saving(base: Figure, wall: Figure) -> String {
    if !Summary::from(base).is_clear(&wall.into()) {
        return "unclear".to_owned();
    }
    let (old, new) = (base.median.max(1), wall.median);
    let percent = |part: u64| part.saturating_mul(100).saturating_add(old / 2) / old;
    if new > old {
        format!("-{} %", percent(new.saturating_sub(old)))
    } else {
        format!("{} %", percent(old.saturating_sub(new)))
    }
}

/// What is the same in all ways, or in the first where they are in several places, and what the numbers
/// are of.
fn besides(document: &Document, variant: &VariantInfo) -> String {
    let counts: Vec<String> = [
        ("zip", "in zips that say no more"),
        ("extension", "extension modules"),
        ("built-in", "built in"),
        ("frozen", "frozen"),
        ("namespace", "namespace packages"),
        ("other", "by loaders of their own"),
    ]
    .into_iter()
    .filter_map(|(word, said)| variant.origins.get(word).map(|count| format!("{count} {said}")))
    .collect();
    let same = if counts.is_empty() {
        String::new()
    } else {
        let elsewhere = document.variants.iter().any(|other| other.zipped != variant.zipped);
        let what = match elsewhere {
            true => format!("Besides ({})", variant.title),
            false => "The same in all".to_owned(),
        };
        format!("{what}: {}.\n", counts.join(", "))
    };
    let library = match document.uncached.as_str() {
        "program" => {
            "Without a cache means the program and its libraries; the standard library keeps its own.\n"
        }
        _ => "",
    };
    let (agree, differ) = document.variants.iter().fold((0, 0), |(agree, differ), variant| {
        (agree + variant.doctor.agree, differ + variant.doctor.differ.len())
    });
    let doctor = match (agree, differ) {
        (0, 0) => String::new(),
        (agree, 0) => format!("`doctor` foretells all {agree} of these loads.\n"),
        (agree, differ) => {
            format!("`doctor` foretells {agree} of these loads, and is wrong about {differ}.\n")
        }
    };
    format!("{same}{library}{doctor}")
}

/// Columns two blanks apart, the first one to the left and the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            line.push_str(&if column > 0 {
                format!("  {padding}{cell}")
            } else {
                format!("{cell}{padding}")
            });
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// What a row of the table holds.
fn figures(import: &ImportInfo, variant: Option<usize>) -> Option<(u64, u64)> {
    let times = import.times.get(variant?).copied().flatten()?;
    Some((times.own.median, times.cumulative.median))
}

fn table(document: &Document, all: bool, terminal: &Terminal) -> String {
    let (without, with) = document.pair();
    let columns: Vec<(usize, String)> = [without, with]
        .into_iter()
        .flatten()
        .filter_map(|at| Some((at, document.variants.get(at)?.title.clone())))
        .collect();
    let both = without.is_some() && with.is_some();
    let mut out = String::new();
    let mut heads = [String::new(), String::new()];
    for (_, title) in &columns {
        heads[0].push_str(&format!("{:>18}", format!("{title} ms")));
        heads[1].push_str(&format!("{:>9}{:>9}", "self", "total"));
    }
    if both {
        heads[0].push_str(&format!("{:>9}", "saved"));
        heads[1].push_str(&format!("{:>9}", "total"));
    }
    out.push_str(&format!("{}\n{}  imported by its importer\n", heads[0], heads[1]));
    let numbers = heads[1].chars().count().saturating_add(2);
    let room = terminal.data_width().map(|width| width.saturating_sub(numbers).max(LEAST_NAME));
    let whole: u64 = document
        .imports
        .iter()
        .filter(|import| import.parent.is_none())
        .filter_map(|import| figures(import, without.or(with)))
        .map(|(_, total)| total)
        .sum();
    let least = if all { 0 } else { whole / SHOWN_SHARE };
    let is_shown = |import: &&ImportInfo| {
        [without, with]
            .into_iter()
            .any(|at| figures(import, at).is_some_and(|(_, total)| total >= least))
    };
    for import in document.imports.iter().filter(is_shown) {
        for (at, _) in &columns {
            match figures(import, Some(*at)) {
                Some((own, total)) => {
                    out.push_str(&format!("{:>9}{:>9}", milliseconds(own), milliseconds(total)));
                }
                None => out.push_str(&format!("{:>9}{:>9}", "-", "-")),
            }
        }
        if both {
            let total = |at| figures(import, at).map(|(_, total)| total);
            out.push_str(&format!("{:>9}", difference(total(without), total(with))));
        }
        out.push_str("  ");
        out.push_str(&cut(&named(import), room));
        out.push('\n');
    }
    let hidden = document.imports.len() - document.imports.iter().filter(is_shown).count();
    if hidden > 0 {
        out.push_str(&format!(
            "{hidden} {} below {} ms not shown; --all shows {}\n",
            plural(hidden, "import", "imports"),
            milliseconds(least),
            plural(hidden, "it", "them"),
        ));
    }
    out
}

fn difference(old: Option<u64>, new: Option<u64>) -> String {
    let (Some(old), Some(new)) = (old, new) else { return "-".to_owned() };
    let shown = milliseconds(new.saturating_sub(old));
    if new > old && shown != "0.00" {
        format!("-{shown}")
    } else {
        milliseconds(old.saturating_sub(new))
    }
}

fn named(import: &ImportInfo) -> String {
    let name = match &import.name {
        Some(name) => harmless(name),
        None => "(never ended)".to_owned(),
    };
    let failed = if import.loaded || import.name.is_none() { "" } else { "  (not loaded)" };
    format!("{}{name}{failed}", "  ".repeat(import.depth))
}

/// On a terminal, so that a row stays one line.
fn cut(text: &str, room: Option<usize>) -> String {
    match room {
        Some(room) if text.chars().count() > room => {
            let mut cut: String = text.chars().take(room.saturating_sub(1)).collect();
            cut.push('…');
            cut
        }
        _ => text.to_owned(),
    }
}

fn candidates(document: &Document, terminal: &Terminal) -> String {
    let Some(first) = document.candidates.first() else { return String::new() };
    let with = document.variants.iter().find(|variant| variant.id == first.variant);
    let with = with.map(|variant| variant.title.as_str()).unwrap_or_default();
    let mut out = format!("Worth importing later (ms, {with}): nothing else at start needs them\n");
    for candidate in document.candidates.iter().take(MOST_CANDIDATES) {
        out.push_str(&candidate_line(document, candidate, terminal));
    }
    let more = document.candidates.len().saturating_sub(MOST_CANDIDATES);
    if more > 0 {
        out.push_str(&format!("           and {more} more, which the page and JSON list\n"));
    }
    out
}

fn candidate_line(document: &Document, candidate: &Candidate, terminal: &Terminal) -> String {
    let Some(import) = document.imports.get(candidate.import) else { return String::new() };
    let name = harmless(import.name.as_deref().unwrap_or_default());
    let modules = candidate.modules;
    let eager = import.places.iter().filter(|place| place.eager);
    let places: Vec<String> = eager
        .map(|place| format!("{}:{}", harmless(&below(document, &place.file)), place.line))
        .collect();
    let by = match places.as_slice() {
        [] => match import.parent.and_then(|parent| document.imports.get(parent)) {
            Some(parent) => format!(", by {}", harmless(parent.name.as_deref().unwrap_or("?"))),
            None => String::new(),
        },
        [one] => format!(", by {one}"),
        [one, rest @ ..] => format!(", by {one} and {} more", rest.len()),
    };
    let count = format!("{modules} {}", plural(modules, "module", "modules"));
    let time = format!("{:>9}", milliseconds(candidate.saving));
    format!("{}  {name} ({count}){by}\n", terminal.paint_data(Tone::Note, &time))
}

/// A path as people know it: from the folder of the program, or from the folder of packages.
pub(super) fn below(document: &Document, file: &str) -> String {
    for mark in ["/site-packages/", "/dist-packages/"] {
        if let Some((_, rest)) = file.rsplit_once(mark) {
            return rest.to_owned();
        }
    }
    if let Some(rest) = file.strip_prefix(&document.program.folder) {
        return rest.trim_start_matches('/').to_owned();
    }
    match file.split_once("/lib/python3.").and_then(|(_, rest)| rest.split_once('/')) {
        Some((_, rest)) => rest.to_owned(),
        None => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(milliseconds(0), "0.00");
        assert_eq!(milliseconds(1_234_567), "1234.57");
        assert_eq!(tenths(1_949), "1.9");
        let figure = |median| Figure {
            median,
            least: median - 9,
            lower: median - 5,
            upper: median + 5,
            most: median + 900,
        };
        assert_eq!(saving(figure(200), figure(50)), "75 %");
        assert_eq!(saving(figure(200), figure(250)), "-25 %");
        assert_eq!(saving(figure(200), figure(195)), "unclear");
    }
}
