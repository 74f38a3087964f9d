//! `--compare OLD NEW`: two results of `--format json`, as modules that came and went and times that changed
//! by more than their spreads. Runs nothing.

use std::path::Path;

use bytekiln_startup::{Difference, Measured, Summary, compare};
use serde_json::{Value, json};

use super::document::{Document, Figure, SCHEMA};
use super::human::{milliseconds, tenths};
use crate::arguments::ImporttimeFormat;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::diagnostic::harmless;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone};

/// Name and version of the schema of the comparison.
const COMPARISON: &str = "bytekiln-importtime-comparison/1";
/// Smaller changes of a module, in microseconds, are not worth a line.
const LEAST: u64 = 200;
/// More lines say less.
const MOST_LINES: usize = 20;

/// Runs the command.
pub(super) fn run(
    old: &Path,
    new: &Path,
    format: ImporttimeFormat,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let (before, after) = (read(old)?, read(new)?);
    let both = Both::new(&before, &after)?;
    match format {
        ImporttimeFormat::Human => terminal.data(&both.text()),
        ImporttimeFormat::Json => terminal.data(&format!("{:#}\n", both.json())),
        ImporttimeFormat::Speedscope | ImporttimeFormat::Chrome => {
            return Err(CommandFailure::usage("a comparison is shown as text or JSON"));
        }
    }
    if before.interpreter.version != after.interpreter.version {
        terminal.warning(format!(
            "the old one is of CPython {}, the new one of CPython {}",
            before.interpreter.version, after.interpreter.version
        ));
    }
    if before.program.title != after.program.title {
        terminal.warning(format!(
            "the old one is of `{}`, the new one of `{}`",
            harmless(&before.program.title),
            harmless(&after.program.title)
        ));
    }
    let Difference { added, removed, changed } = &both.difference;
    let (count, word) = (changed.len(), plural(changed.len(), "change", "changes"));
    terminal.status_in(
        Tone::Good,
        "Compared",
        format!("{} modules added, {} removed, {count} {word} of time", added.len(), removed.len()),
    );
    Ok(ExitStatus::Success)
}

fn read(path: &Path) -> Result<Document, CommandFailure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandFailure::usage(format!("could not read `{shown}`: {error}")))?;
    let hint = "make one with `bytekiln importtime --format json … > FILE`";
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        CommandFailure::usage(format!("`{shown}` is no JSON: {error}")).hint(hint)
    })?;
    match value.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) => {
            let other = harmless(other);
            return Err(CommandFailure::usage(format!(
                "`{shown}` is of schema `{other}`, and `{SCHEMA}` is wanted"
            ))
            .hint(hint));
        }
        None => {
            return Err(CommandFailure::usage(format!("`{shown}` is no measurement")).hint(hint));
        }
    }
    serde_json::from_value(value).map_err(|error| {
        CommandFailure::usage(format!("`{shown}` is not as `{SCHEMA}` has it: {error}")).hint(hint)
    })
}

struct Both<'a> {
    old: &'a Document,
    new: &'a Document,
    /// Id, title and wall time of what both have.
    ways: Vec<(&'a str, &'a str, Figure, Figure)>,
    /// The way whose imports are compared.
    way: &'a str,
    difference: Difference,
}

impl<'a> Both<'a> {
    fn new(old: &'a Document, new: &'a Document) -> Result<Both<'a>, CommandFailure> {
        let ways: Vec<_> = new
            .variants
            .iter()
            .filter_map(|variant| {
                let before = old.variants.get(old.variant(&variant.id)?)?;
                Some((&*variant.id, &*variant.title, before.wall?, variant.wall?))
            })
            .collect();
        let way = ["unchecked", "checked", "timestamp", "as-is", "none"]
            .into_iter()
            .find(|id| ways.iter().any(|way| way.0 == *id))
            .ok_or_else(|| {
                CommandFailure::usage("the two have no way of starting in common")
                    .hint("measure both with the same --variant")
            })?;
        let difference = compare(&measured(old, way), &measured(new, way), LEAST);
        Ok(Both { old, new, ways, way, difference })
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let width = self.ways.iter().map(|way| way.1.chars().count()).max().unwrap_or(0);
        let (head, old, new, change) = ("start-up", "old, ms", "new, ms", "change");
        let width = width.max(head.len());
        out.push_str(&format!("{head:<width$}{old:>12}{new:>12}{change:>12}\n"));
        for (_, title, old, new) in &self.ways {
            let clear = Summary::from(*old).is_clear(&(*new).into());
            let change = if clear { percent(*old, *new) } else { "unclear".to_owned() };
            let (old, new) = (tenths(old.median), tenths(new.median));
            out.push_str(&format!("{title:<width$}{old:>12}{new:>12}  {change:>10}\n"));
        }
        let (old, new) = (count(self.old), count(self.new));
        out.push_str(&format!("{:<width$}{old:>12}{new:>12}\n", "modules"));
        let Difference { added, removed, changed } = &self.difference;
        lines(&mut out, "Added", added, |one| {
            let by = importer(self.new, &one.name);
            (milliseconds(one.own.median), format!("{}{by}", harmless(&one.name)))
        });
        lines(&mut out, "Removed", removed, |one| {
            (milliseconds(one.own.median), harmless(&one.name))
        });
        lines(&mut out, "Changed by more than their spreads", changed, |one| {
            let sign = if one.new.median >= one.old.median { "+" } else { "-" };
            let amount = milliseconds(one.new.median.abs_diff(one.old.median));
            (format!("{sign}{amount}"), harmless(&one.name))
        });
        out
    }

    fn json(&self) -> Value {
        let figure =
            |one: &Summary| json!({"median": one.median, "least": one.least, "most": one.most});
        let measured = |one: &Measured| json!({"module": one.name, "self": figure(&one.own)});
        json!({
            "schema": COMPARISON,
            "variant": self.way,
            "modules": {"old": count(self.old), "new": count(self.new)},
            "variants": self.ways.iter().map(|(id, _, old, new)| json!({
                "id": id, "old": old, "new": new, "clear": Summary::from(*old).is_clear(&(*new).into()),
            })).collect::<Vec<_>>(),
            "added": self.difference.added.iter().map(measured).collect::<Vec<_>>(),
            "removed": self.difference.removed.iter().map(measured).collect::<Vec<_>>(),
            "changed": self.difference.changed.iter().map(|one| json!({
                "module": one.name, "old": figure(&one.old), "new": figure(&one.new),
            })).collect::<Vec<_>>(),
        })
    }
}

fn lines<T>(out: &mut String, title: &str, all: &[T], line: impl Fn(&T) -> (String, String)) {
    if all.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}, ms in the module itself\n"));
    for one in all.iter().take(MOST_LINES) {
        let (time, text) = line(one);
        out.push_str(&format!("{time:>9}  {text}\n"));
    }
    let more = all.len().saturating_sub(MOST_LINES);
    if more > 0 {
        out.push_str(&format!("           and {more} more\n"));
    }
}

fn percent(old: Figure, new: Figure) -> String {
    let base = old.median.max(1);
    let change = old.median.abs_diff(new.median).saturating_mul(100) / base;
    let sign = if new.median >= old.median { "+" } else { "-" };
    format!("{sign}{change} %")
}

fn count(document: &Document) -> usize {
    document.imports.iter().filter(|import| import.loaded).count()
}

/// `, by app.py:3`.
fn importer(document: &Document, module: &str) -> String {
    let import = document.imports.iter().find(|import| import.name.as_deref() == Some(module));
    let place = import.and_then(|import| import.places.iter().find(|place| place.eager));
    place.map_or(String::new(), |place| {
        format!(", by {}:{}", harmless(&super::human::below(document, &place.file)), place.line)
    })
}

fn measured(document: &Document, way: &str) -> Vec<Measured> {
    let Some(at) = document.variant(way) else { return Vec::new() };
    let loaded = document.imports.iter().filter(|import| import.loaded);
    loaded
        .filter_map(|import| {
            let times = import.times.get(at).copied().flatten()?;
            Some(Measured { name: import.name.clone()?, own: times.own.into() })
        })
        .collect()
}
