//! Renders a compiler's diagnostic, or a problem of a plan, for people: message, place, source
//! line, caret. Knows nothing of terminals: colours and width are given, the text is given back.

mod line;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bytekiln_action::{Diagnostic, DiagnosticKind, Position};
use bytekiln_planner::{Problem, Severity};

pub(crate) use line::harmless;
use line::{Excerpt, Span};

/// How to render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// With SGR codes.
    pub color: bool,
    /// Columns that there are; source lines are cut to fit. `None`: 140 columns of source.
    pub width: Option<usize>,
}

/// Columns of source where the width is not known.
const DEFAULT_COLUMNS: usize = 140;
/// A window narrower than this shows nothing that helps.
const LEAST_COLUMNS: usize = 20;

#[derive(Clone, Copy)]
enum Paint {
    Error,
    Warning,
    Gutter,
    Strong,
}

impl Style {
    fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Error => "1;31",
            Paint::Warning => "1;33",
            Paint::Gutter => "1;34",
            Paint::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// The diagnostic in lines, each with its line end. Whatever the diagnostic holds, the text has no
/// control characters but newlines and, with colours, our own SGR codes.
///
/// `compiled_for` are labels of targets (`CPython 3.11.7`, `CPython 3.11.7 -O`); levels of one
/// interpreter are said together.
pub fn render(
    diagnostic: &Diagnostic,
    path: &dyn std::fmt::Display,
    compiled_for: &[String],
    style: &Style,
) -> String {
    let (paint, label) = match diagnostic.kind {
        DiagnosticKind::Error => (Paint::Error, "error"),
        DiagnosticKind::Warning => (Paint::Warning, "warning"),
    };
    let (category, message) = (diagnostic.category.trim(), diagnostic.message.trim());
    let headline = match (message.is_empty(), category.is_empty()) {
        (false, false) => format!("{message} [{category}]"),
        (false, true) => message.to_owned(),
        (true, false) => category.to_owned(),
        (true, true) => "no message".to_owned(),
    };
    let mut out = String::new();
    push_headline(&mut out, paint, label, &headline, style);

    // Compilers say 0 for "no line" and "no column".
    let start = diagnostic.start.filter(|start| start.line > 0);
    let column = start.and_then(|start| start.column).filter(|column| *column > 0);
    let path = harmless(&path.to_string());
    let place = match (start, column) {
        (Some(start), Some(column)) => format!("{path}:{}:{column}", start.line),
        (Some(start), None) => format!("{path}:{}", start.line),
        (None, _) => path,
    };
    let number = start.map(|start| start.line.to_string()).unwrap_or_default();
    let gutter = number.len().max(1);
    let arrow = style.paint(Paint::Gutter, "-->");
    push_line(&mut out, &format!("{:gutter$}{arrow} {place}", ""));

    if let (Some(start), Some(text)) = (start, &diagnostic.line_text) {
        let columns = match style.width {
            Some(width) => width.saturating_sub(gutter + 3).max(LEAST_COLUMNS),
            None => DEFAULT_COLUMNS,
        };
        let span = column.map(|column| span(start, column, diagnostic.end));
        let excerpt = Excerpt::new(text, span, columns);
        let bar = style.paint(Paint::Gutter, "|");
        push_line(&mut out, &format!("{:gutter$} {bar}", ""));
        let number = style.paint(Paint::Gutter, &number);
        push_line(&mut out, &format!("{number} {bar} {}", excerpt.text));
        if let Some((indent, length)) = excerpt.marker {
            let mut marker = "^".repeat(length);
            if let Some(end) = diagnostic.end.filter(|end| end.line > start.line) {
                let _ = write!(marker, "… to line {}", end.line);
            }
            let marker = style.paint(paint, &marker);
            push_line(&mut out, &format!("{:gutter$} {bar} {:indent$}{marker}", "", ""));
        }
    }
    if !compiled_for.is_empty() {
        let (sign, what) =
            (style.paint(Paint::Gutter, "="), style.paint(Paint::Strong, "compiled for"));
        push_line(&mut out, &format!("{:gutter$} {sign} {what}: {}", "", targets(compiled_for)));
    }
    out
}

/// The problem in lines, each with its line end: what, where, and what to do about it.
pub fn render_problem(problem: &Problem, style: &Style) -> String {
    let (paint, label) = match problem.severity {
        Severity::Error => (Paint::Error, "error"),
        Severity::Warning => (Paint::Warning, "warning"),
    };
    let mut out = String::new();
    push_headline(&mut out, paint, label, problem.message.trim(), style);
    if let Some(path) = &problem.path {
        let path = harmless(&path.to_string());
        push_line(&mut out, &format!("  {} {path}", style.paint(Paint::Gutter, "-->")));
    }
    if let Some(hint) = &problem.hint {
        let sign = style.paint(Paint::Gutter, "=");
        let prefix = format!("  {sign} {}: ", style.paint(Paint::Strong, "help"));
        push_lines(&mut out, &prefix, "  = help: ".len(), hint.trim(), |line| line.to_owned());
    }
    out
}

fn push_headline(out: &mut String, paint: Paint, label: &str, message: &str, style: &Style) {
    let prefix = format!("{}{}", style.paint(paint, label), style.paint(Paint::Strong, ": "));
    push_lines(out, &prefix, label.len() + 2, message, |line| style.paint(Paint::Strong, line));
}

/// Text of several lines: the second and later ones begin below the first one's text.
fn push_lines(
    out: &mut String,
    prefix: &str,
    indent: usize,
    text: &str,
    paint: impl Fn(&str) -> String,
) {
    for (number, line) in text.split('\n').enumerate() {
        let line = paint(harmless(line.trim_end_matches('\r')).trim_end());
        if number == 0 {
            push_line(out, &format!("{prefix}{line}"));
        } else {
            push_line(out, &format!("{:indent$}{line}", ""));
        }
    }
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}

fn span(start: Position, column: u32, end: Option<Position>) -> Span {
    let first = column as usize - 1;
    let last = match end {
        Some(end) if end.line == start.line => {
            end.column.map_or(first, |column| (column as usize).saturating_sub(1))
        }
        Some(end) if end.line > start.line => usize::MAX,
        Some(_) | None => first,
    };
    Span { first, last: last.max(first.saturating_add(1)) }
}

/// `CPython 3.14.8`, `CPython 3.14.8 -OO` → `CPython 3.14.8 (levels 0, 2)`.
fn targets(labels: &[String]) -> String {
    let mut order = Vec::new();
    let mut levels: BTreeMap<&str, BTreeSet<u8>> = BTreeMap::new();
    for label in labels {
        let (interpreter, level) = if let Some(interpreter) = label.strip_suffix(" -OO") {
            (interpreter, 2)
        } else if let Some(interpreter) = label.strip_suffix(" -O") {
            (interpreter, 1)
        } else {
            (label.as_str(), 0)
        };
        if !levels.contains_key(interpreter) {
            order.push(interpreter);
        }
        levels.entry(interpreter).or_default().insert(level);
    }
    let said: Vec<String> = order
        .iter()
        .map(|interpreter| {
            let numbers: Vec<String> =
                levels.get(interpreter).into_iter().flatten().map(u8::to_string).collect();
            let interpreter = harmless(&interpreter.replace('\n', " "));
            match numbers.as_slice() {
                [only] if only == "0" => interpreter,
                [only] => format!("{interpreter} (level {only})"),
                several => format!("{interpreter} (levels {})", several.join(", ")),
            }
        })
        .collect();
    said.join(", ")
}
