//! `inspect` for people.

use std::fmt::Write as _;

use bytekiln_codec::{Header, Limits, SourceHash, Validation};
use bytekiln_proof::{CodeListing, InstructionListing, Listing, is_canonical};
use bytekiln_python::InvalidationMode;
use unicode_width::UnicodeWidthStr as _;

use super::source::SourceState;
use super::subject::{Row, Subject};
use crate::arguments::InspectArguments;
use crate::calendar::date_and_time;
use crate::report::terminal::{Terminal, Tone};

/// Columns that lists are wrapped at.
const COLUMNS: usize = 100;

/// A code object and its number.
pub(super) type Numbered = (usize, CodeListing);

/// A `.pyc` in full.
pub(super) fn file(
    subject: &Subject,
    listing: &Listing,
    code_objects: &[Numbered],
    arguments: &InspectArguments,
    terminal: &Terminal,
) -> String {
    let mut out = format!("{}\n", terminal.paint_data(Tone::Good, &subject.shown));
    let mut field = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<10} {value}");
    };
    field("size", format!("{} bytes", subject.size));
    let level = match subject.level {
        Some(level) => format!(", optimization level {}", level.as_u8()),
        None => String::new(),
    };
    let (release, magic) = (listing.release, listing.header.magic);
    field("release", format!("CPython {release} (magic number {magic}){level}"));
    field("mode", mode(&listing.header));
    field("source", source(subject, terminal));
    let canonical = is_canonical(&subject.bytes, &Limits::default()).unwrap_or(false);
    field("canonical", if canonical { "yes" } else { "no" }.to_owned());
    if let Some((_, module)) = code_objects.iter().find(|(index, _)| *index == 0) {
        field("recorded", module.filename.clone());
    }
    let module_path = code_objects.first().map(|(_, code)| code.filename.clone());
    for (index, code) in code_objects {
        let elsewhere = module_path.as_ref() != Some(&code.filename);
        code_object(*index, code, elsewhere, arguments, terminal, &mut out);
    }
    if !listing.complete {
        out.push_str("  … and more: the payload repeats its parts too often to list them all\n");
    }
    out
}

fn source(subject: &Subject, terminal: &Terminal) -> String {
    let path = &subject.source;
    match &subject.state {
        SourceState::Missing => format!("{path} is not there"),
        SourceState::Matches => format!("{path} matches"),
        SourceState::Differs(how) => {
            let differs = terminal.paint_data(Tone::Error, "DIFFERS");
            format!("{path} {differs}: it {how}")
        }
        SourceState::NotCompared(why) => format!("{path} (not compared: {why})"),
    }
}

fn mode(header: &Header) -> String {
    match header.validation {
        Validation::Timestamp { mtime, size, .. } => {
            format!("timestamp: of a source of {size} bytes, modified at {}", utc(mtime))
        }
        Validation::Hash { mode, source_hash } => {
            let when = match mode {
                InvalidationMode::CheckedHash => "the importer hashes the source and compares",
                InvalidationMode::UncheckedHash => "the importer does not look at the source",
            };
            format!("{mode} {}: {when}", hexadecimal(source_hash))
        }
    }
}

pub(super) fn hexadecimal(hash: SourceHash) -> String {
    hash.0.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `2024-02-29 12:00:00 UTC (1709208000)`.
fn utc(seconds: u32) -> String {
    format!("{} UTC ({seconds})", date_and_time(i64::from(seconds)))
}

fn code_object(
    index: usize,
    code: &CodeListing,
    elsewhere: bool,
    arguments: &InspectArguments,
    terminal: &Terminal,
    out: &mut String,
) {
    let numbers = &code.numbers;
    let heading = format!("{}{}", code.qualname, signature(code));
    let _ = writeln!(out, "\n  {}", terminal.paint_data(Tone::Note, &heading));
    let mut facts = format!(
        "code object {index}, line {}, stack {}, {} bytes of code",
        numbers.firstlineno, numbers.stacksize, code.code_bytes
    );
    if elsewhere {
        let _ = write!(facts, ", recorded as {}", code.filename);
    }
    let _ = writeln!(out, "    {facts}");
    if !code.flags.is_empty() {
        list("flags", code.flags.iter().map(|flag| (*flag).to_owned()), out);
    }
    let variables = code.variables.iter().map(|variable| match variable.kinds.as_slice() {
        ["local", ..] if variable.kinds.len() == 1 => variable.name.clone(),
        kinds => {
            let kinds: Vec<&str> = kinds
                .iter()
                .copied()
                .filter(|kind| !matches!(*kind, "local" | "positional" | "keyword" | "variadic"))
                .collect();
            match kinds.as_slice() {
                [] => variable.name.clone(),
                kinds => format!("{} ({})", variable.name, kinds.join(" ")),
            }
        }
    });
    list("variables", variables, out);
    list("names", code.names.iter().cloned(), out);
    list("constants", code.constants.iter().map(|constant| constant.text.clone()), out);
    if arguments.dis || arguments.all {
        instructions(code, arguments.lines || arguments.all, terminal, out);
    } else if arguments.lines {
        lines(code, out);
    }
    if arguments.dis || arguments.lines || arguments.all {
        handlers(code, out);
    }
}

/// `(self, /, x, *rest, y, **more)`; nothing for modules and classes.
fn signature(code: &CodeListing) -> String {
    const FUNCTION: i32 = 0x1; // CO_OPTIMIZED
    const VARARGS: i32 = 0x4;
    const VARKEYWORDS: i32 = 0x8;
    let numbers = &code.numbers;
    if numbers.flags & FUNCTION == 0 {
        return String::new();
    }
    let count = |number: i32| usize::try_from(number).unwrap_or(0);
    let mut names = code.variables.iter().map(|variable| variable.name.as_str());
    let mut parts: Vec<String> = Vec::new();
    let positional = count(numbers.argcount);
    for (index, name) in names.by_ref().take(positional).enumerate() {
        parts.push(name.to_owned());
        if index + 1 == count(numbers.posonlyargcount) {
            parts.push("/".to_owned());
        }
    }
    let keyword_only: Vec<&str> = names.by_ref().take(count(numbers.kwonlyargcount)).collect();
    if numbers.flags & VARARGS != 0 {
        parts.extend(names.next().map(|name| format!("*{name}")));
    } else if !keyword_only.is_empty() {
        parts.push("*".to_owned());
    }
    parts.extend(keyword_only.into_iter().map(str::to_owned));
    if numbers.flags & VARKEYWORDS != 0 {
        parts.extend(names.next().map(|name| format!("**{name}")));
    }
    format!("({})", parts.join(", "))
}

/// A list behind its name, wrapped.
fn list(name: &str, items: impl Iterator<Item = String>, out: &mut String) {
    const INDENT: usize = 16;
    let mut column = INDENT;
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let _ = write!(out, "    {name:<12}");
    let mut first = true;
    while let Some(item) = items.next() {
        let width = item.width() + 2;
        if !first && column + width > COLUMNS {
            let _ = write!(out, "\n{:INDENT$}", "");
            column = INDENT;
        } else if !first {
            out.push(' ');
        }
        first = false;
        out.push_str(&item);
        if items.peek().is_some() {
            out.push(',');
        }
        column += width;
    }
    out.push('\n');
}

fn instructions(code: &CodeListing, columns: bool, terminal: &Terminal, out: &mut String) {
    let width = code.instructions.iter().map(|found| found.name.len()).max().unwrap_or(0);
    let span = |found: &InstructionListing| match found.location {
        Some(location) if columns => {
            match (location.line, location.column, location.end_line, location.end_column) {
                (Some(line), Some(column), Some(end_line), Some(end_column)) => {
                    format!("{line}:{column}-{end_line}:{end_column}")
                }
                (Some(line), ..) => line.to_string(),
                (None, ..) => String::new(),
            }
        }
        Some(location) if found.starts_line => {
            location.line.map(|line| line.to_string()).unwrap_or_default()
        }
        _ => String::new(),
    };
    let spans: Vec<String> = code.instructions.iter().map(span).collect();
    let span_width = spans.iter().map(String::len).max().unwrap_or(0).max(6);
    let _ = writeln!(out, "    {:>span_width$}  offset", "line");
    for (found, span) in code.instructions.iter().zip(spans) {
        let mark = match (found.is_jump_target, found.is_handler) {
            (_, true) => "!>",
            (true, false) => ">>",
            (false, false) => "  ",
        };
        let mut line =
            format!("    {span:>span_width$}  {:>6} {mark} {:<width$}", found.offset, found.name);
        if let Some(argument) = found.argument {
            let _ = write!(line, " {argument:>5}");
        }
        if let Some(meaning) = &found.meaning {
            let _ = write!(line, " ({meaning})");
        }
        let line = line.trim_end();
        let line =
            if mark == "!>" { terminal.paint_data(Tone::Warning, line) } else { line.to_owned() };
        let _ = writeln!(out, "{line}");
    }
}

/// The line table: a row a run of instructions.
fn lines(code: &CodeListing, out: &mut String) {
    let locations = match &code.locations {
        Ok(locations) => locations,
        Err(error) => {
            let _ = writeln!(out, "    line table is damaged: {error}");
            return;
        }
    };
    let _ = writeln!(out, "    offsets        place");
    for location in locations {
        let offsets = format!("{} to {}", location.start, location.end);
        let place = match (location.line, location.column, location.end_line, location.end_column) {
            (Some(line), Some(column), Some(end_line), Some(end_column)) => {
                format!("{line}:{column}-{end_line}:{end_column}")
            }
            (Some(line), ..) => line.to_string(),
            (None, ..) => "none".to_owned(),
        };
        let _ = writeln!(out, "    {offsets:<14} {place}");
    }
}

fn handlers(code: &CodeListing, out: &mut String) {
    match &code.handlers {
        Ok(handlers) if handlers.is_empty() => {}
        Ok(handlers) => {
            let _ = writeln!(out, "    handlers");
            for row in handlers {
                let lasti = if row.push_lasti { ", lasti" } else { "" };
                let _ = writeln!(
                    out,
                    "      {} to {} -> {}, depth {}{lasti}",
                    row.start, row.end, row.target, row.depth
                );
            }
        }
        Err(error) => {
            let _ = writeln!(out, "    exception table is damaged: {error}");
        }
    }
}

/// A line for each `.pyc`.
pub(super) fn table(rows: &[(Subject, Row)], terminal: &Terminal) -> String {
    let mut out = format!(
        "{:<7} {:<5} {:<14} {:>8}  {:<9} {:<12} PATH\n",
        "RELEASE", "LEVEL", "MODE", "SIZE", "CANONICAL", "SOURCE"
    );
    for (subject, row) in rows {
        let release = row.header.release().map(|release| release.to_string()).unwrap_or_default();
        let level = subject.level.map_or("-".to_owned(), |level| level.as_u8().to_string());
        let mode = mode_name(&row.header);
        let canonical = if row.canonical { "yes" } else { "no" };
        let word = format!("{:<12}", row.source.word());
        let source = match row.source {
            SourceState::Differs(_) => terminal.paint_data(Tone::Error, &word),
            _ => word,
        };
        let _ = writeln!(
            out,
            "{release:<7} {level:<5} {mode:<14} {:>8}  {canonical:<9} {source} {}",
            subject.size, subject.shown
        );
    }
    out
}

pub(super) fn mode_name(header: &Header) -> &'static str {
    match header.validation {
        Validation::Timestamp { .. } => "timestamp",
        Validation::Hash { mode, .. } => mode.as_str(),
    }
}
