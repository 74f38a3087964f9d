//! `[startup.NAME]`: what the start of a program may load. Knows nothing of how programs are run.

use std::path::PathBuf;

use bytekiln_python::OptimizationLevel;

use super::document::Located;
use super::reader::{Fault, TableReader};
use super::value::folder_below;
use crate::model::{AllowedModules, InterpreterSpec, StartupRule};

/// The rule; none if it is not whole, which has been reported.
pub(super) fn read_startup(
    name: Located<String>,
    mut reader: TableReader<'_>,
) -> Option<StartupRule> {
    let place = reader.findings().line_name(name.span.clone());
    let rule = StartupRule {
        command: read_command(&name, &mut reader).unwrap_or_default(),
        name: name.value.clone(),
        python: reader
            .parsed("python", |text| InterpreterSpec::parse(text).map_err(Fault::new))
            .map(|python| python.value),
        optimize: read_optimize(&mut reader),
        folder: reader.parsed("folder", folder_below).map(|folder| PathBuf::from(folder.value)),
        max_modules: read_max_modules(&mut reader),
        allowed: read_allowed(&mut reader),
        budget_milliseconds: reader.parsed("budget", budget).map(|budget| budget.value),
        place,
    };
    let limits = ["max-modules", "allowed", "budget"];
    if !limits.iter().any(|limit| reader.has(limit)) {
        let message = format!("`startup.{}` limits nothing", name.value);
        let hint = "add `allowed = []`, and let `bytekiln importtime --check --update` fill it, or \
                    `max-modules` or `budget`";
        reader.findings().report(name.span, message, Some(hint.to_owned()));
    }
    reader.finish(&[]);
    (!rule.command.is_empty()).then_some(rule)
}

/// `entry = "app.main"` is short for importing it; `command` is what follows `python`.
fn read_command(name: &Located<String>, reader: &mut TableReader<'_>) -> Option<Vec<String>> {
    let entry = reader.parsed("entry", |text| {
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with(|first: char| first.is_numeric())
                && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        };
        if text.split('.').all(is_part) {
            return Ok(vec!["-c".to_owned(), format!("import {text}")]);
        }
        Err(Fault::new(format!("`{text}` is no name of a module"))
            .hint("name it as an import does; scripts and options go into `command`"))
    });
    let command = reader.strings("command", |word| Ok(word.to_owned()));
    let report = |message: String| {
        let hint =
            "write `entry = \"app.main\"` to import a module, or `command = [\"-m\", \"app\"]`";
        reader.findings().report(name.span.clone(), message, Some(hint.to_owned()));
    };
    match (reader.has("entry"), reader.has("command")) {
        (true, true) => report(format!("`startup.{}` has `entry` and `command`", name.value)),
        (false, false) => report(format!("`startup.{}` names no program", name.value)),
        _ => {}
    }
    if let Some(command) = &command
        && command.value.is_empty()
    {
        let message = format!("`startup.{}.command` is empty", name.value);
        reader.findings().report(command.span.clone(), message, None);
    }
    let words = command.map(|words| words.value.into_iter().map(|word| word.value).collect());
    entry.map(|entry| entry.value).or(words)
}

fn read_optimize(reader: &mut TableReader<'_>) -> OptimizationLevel {
    let Some(raw) = reader.raw("optimize") else { return OptimizationLevel::Zero };
    let level = raw.value.as_integer().and_then(|level| u8::try_from(level).ok());
    level.and_then(OptimizationLevel::from_u8).unwrap_or_else(|| {
        let name = reader.name_of("optimize");
        reader.findings().report(raw.span, format!("`{name}` must be 0, 1 or 2"), None);
        OptimizationLevel::Zero
    })
}

fn read_max_modules(reader: &mut TableReader<'_>) -> Option<usize> {
    let raw = reader.raw("max-modules")?;
    let number = raw.value.as_integer().and_then(|number| usize::try_from(number).ok());
    if number.is_none() {
        let name = reader.name_of("max-modules");
        let message = format!("`{name}` must be a whole number, not below 0");
        reader.findings().report(raw.span, message, None);
    }
    number
}

/// A list, or the name of a file.
fn read_allowed(reader: &mut TableReader<'_>) -> Option<AllowedModules> {
    let raw = reader.raw("allowed")?;
    if raw.value.is_str() {
        let path = reader.parsed("allowed", |text| {
            if text.is_empty() {
                return Err(Fault::new("an empty path"));
            }
            folder_below(text)
        })?;
        return Some(AllowedModules::File(PathBuf::from(path.value)));
    }
    let names = reader.strings("allowed", |text| {
        let name = text.strip_suffix(".*").unwrap_or(text);
        let bad = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '*';
        if name.split('.').any(|part| part.is_empty() || part.contains(bad)) {
            return Err(Fault::new(format!("`{text}` names no module"))
                .hint("write `a.b`, or `a.b.*` for it and all below"));
        }
        Ok(text.to_owned())
    })?;
    Some(AllowedModules::Listed(names.value.into_iter().map(|name| name.value).collect()))
}

/// `250ms`, `1.5s`: milliseconds.
fn budget(text: &str) -> Result<u64, Fault> {
    let fault = || {
        Fault::new(format!("`{text}` is no time"))
            .hint("write a number and a unit, such as `250ms` or `1.5s`")
    };
    let (number, thousandths) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1.0),
        (None, Some(number)) => (number, 1000.0),
        (None, None) => return Err(fault()),
    };
    let number: f64 = number.trim().parse().map_err(|_| fault())?;
    let milliseconds = number * thousandths;
    if !(1.0..=86_400_000.0).contains(&milliseconds) {
        return Err(fault());
    }
    // In range, as was just seen.
    Ok(milliseconds.round() as u64)
}
