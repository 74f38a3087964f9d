//! What was found, for people: a line a module, aligned, and a summary.

use std::fmt::Write as _;

use bytekiln_graph::{Direction, EdgeId, Kinds, Which};

use super::Question;
use super::answer::{Answer, Row};
use crate::arguments::DepsBy;
use crate::commands::edges::{Origin, how, mark, origin};
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// Wider names and places are not waited for.
const WIDEST: usize = 60;

/// A line: name, place, notes.
struct Line {
    name: String,
    place: String,
    notes: Vec<String>,
    tone: Option<Tone>,
}

pub(super) fn render(question: &Question<'_>, answer: &Answer, terminal: &Terminal) -> String {
    let mut lines = Vec::new();
    match question.arguments.by {
        DepsBy::Module => {
            let all = terminal.verbosity() >= Verbosity::Reasons;
            for row in &answer.rows {
                module(question, row, answer.far, all, &mut lines);
            }
        }
        DepsBy::Member | DepsBy::Distribution => {
            for row in &answer.owners {
                let owner = question.open.graph().owners().get(row.owner as usize);
                let count = format!("{} {}", row.modules, plural(row.modules, "module", "modules"));
                let mut notes = vec![count];
                notes.extend(at_level(row.level));
                notes.extend(away(row.distance));
                let name = owner.map(|owner| owner.name.clone()).unwrap_or_default();
                let place = question.open.place(row.by);
                lines.push(Line { name, place, notes, tone: None });
            }
        }
    }
    aligned(&lines, terminal)
}

fn module(question: &Question<'_>, row: &Row, far: bool, all: bool, lines: &mut Vec<Line>) {
    let open = question.open;
    let kinds = |id: EdgeId| open.graph().edge(id).map_or(Kinds::NONE, |edge| edge.kinds);
    let marked = match question.direction {
        Direction::Dependencies => mark(open, row.module),
        // Who imports something was found, but may not be of the workspace.
        Direction::Dependents => {
            mark(open, row.module).filter(|_| origin(open, row.module) != Origin::Workspace)
        }
    };
    let tone = (origin(open, row.module) == Origin::Unresolved).then_some(Tone::Warning);
    let mut notes: Vec<String> = marked.into_iter().collect();
    if far {
        notes.extend(at_level(row.level));
        notes.extend(away(row.distance));
        if kinds(row.by).any(Kinds::PACKAGE) {
            notes.push("package around it".to_owned());
        }
    } else {
        notes.extend(how(kinds(row.by)).into_iter().map(str::to_owned));
        let more = row.imports.len().saturating_sub(1);
        if more > 0 && !all {
            notes.push(format!("and {more} more {}", plural(more, "import", "imports")));
        }
    }
    let (name, place) = (open.name(row.module), open.place(row.by));
    lines.push(Line { name, place, notes, tone });
    if all {
        for id in row.imports.iter().filter(|id| **id != row.by) {
            let notes = how(kinds(*id)).into_iter().map(str::to_owned).collect();
            lines.push(Line { name: String::new(), place: open.place(*id), notes, tone: None });
        }
    }
}

/// By which imports alone it is reached.
fn at_level(level: Which) -> Option<String> {
    let text = match level {
        Which::Eager => return None,
        Which::WithLazy => "lazily",
        Which::Runtime => "in functions",
        Which::All => "not at run time",
    };
    Some(text.to_owned())
}

fn away(distance: u32) -> Option<String> {
    (distance > 1).then(|| format!("{distance} imports away"))
}

fn aligned(lines: &[Line], terminal: &Terminal) -> String {
    let width = |text: &str| text.chars().count();
    let widest = |of: fn(&Line) -> &str| {
        lines.iter().map(|line| width(of(line))).filter(|w| *w <= WIDEST).max().unwrap_or_default()
    };
    let (names, places) = (widest(|line| &line.name), widest(|line| &line.place));
    let mut out = String::new();
    for line in lines {
        let gap = " ".repeat(names.saturating_sub(width(&line.name)));
        let name = match line.tone {
            Some(tone) => terminal.paint_data(tone, &line.name),
            None => line.name.clone(),
        };
        let row = format!("{name}{gap}  {:places$}  {}", line.place, line.notes.join(", "));
        let _ = writeln!(out, "{}", row.trim_end());
    }
    out
}

/// How much was found.
pub(super) fn summary(question: &Question<'_>, answer: &Answer) -> String {
    let owners = answer.owners.len();
    match question.arguments.by {
        DepsBy::Module if answer.far => by_level(answer),
        DepsBy::Module => format!("{}{}", count(answer.rows.len()), by_origin(question, answer)),
        DepsBy::Member => counted(owners, "member", "members"),
        DepsBy::Distribution => {
            let unresolved = |row: &&Row| origin(question.open, row.module) == Origin::Unresolved;
            let unresolved = answer.rows.iter().filter(unresolved).count();
            let found = counted(owners, "distribution", "distributions");
            if unresolved == 0 {
                return found;
            }
            let belong = plural(unresolved, "unresolved name belongs", "unresolved names belong");
            format!("{found}; {unresolved} {belong} to none that is known")
        }
    }
}

fn count(modules: usize) -> String {
    counted(modules, "module", "modules")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {many}"),
        count => format!("{count} {}", plural(count, one, many)),
    }
}

/// `412 modules eagerly, 31 more lazily, 57 more in functions`.
fn by_level(answer: &Answer) -> String {
    let words = [
        (Which::Eager, "eagerly"),
        (Which::WithLazy, "lazily"),
        (Which::Runtime, "in functions"),
        (Which::All, "not at run time"),
    ];
    let mut parts: Vec<String> = Vec::new();
    for (level, word) in words {
        let found = answer.rows.iter().filter(|row| row.level == level).count();
        match (found, parts.is_empty()) {
            (0, _) => {}
            (found, true) => parts.push(format!("{} {word}", count(found))),
            (found, false) => parts.push(format!("{found} more {word}")),
        }
    }
    if parts.is_empty() { count(0) } else { parts.join(", ") }
}

/// `: 3 of the workspace, 1 unresolved`; nothing if all are of the workspace.
fn by_origin(question: &Question<'_>, answer: &Answer) -> String {
    let words = [
        (Origin::Workspace, "of the workspace"),
        (Origin::ThirdParty, "third-party"),
        (Origin::StandardLibrary, "of the standard library"),
        (Origin::Unresolved, "unresolved"),
    ];
    let mut parts = Vec::new();
    for (wanted, word) in words {
        let is = |row: &&Row| origin(question.open, row.module) == wanted;
        let found = answer.rows.iter().filter(is).count();
        if found > 0 {
            parts.push(format!("{found} {word}"));
        }
        if wanted == Origin::Workspace && found == answer.rows.len() {
            return String::new();
        }
    }
    format!(": {}", parts.join(", "))
}
