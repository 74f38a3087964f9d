//! Chains for people: each module, and below it the import that leads on, with its place and as it is
//! written.

use bytekiln_graph::{Kinds, Which};

use super::Answer;
use crate::commands::chains::Step;
use crate::commands::edges::{how, is_package, level_word, mark};
use crate::commands::written::Written;
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone, Verbosity};

pub(super) fn show(answer: &Answer<'_>, terminal: &Terminal) {
    let (from, to) = (&answer.arguments.from, &answer.arguments.to);
    let Some(found) = &answer.found else {
        nothing(answer, terminal);
        return;
    };
    let mut written = Written::new(answer.open);
    let mut out = String::new();
    for (number, chain) in found.chains.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        for step in chain {
            push(&mut out, answer, step, &mut written, terminal);
        }
        if let Some(last) = chain.last() {
            module(&mut out, answer, last.to, terminal);
        }
    }
    terminal.data(&out);
    let length = found.chains.first().map_or(0, Vec::len);
    let steps = format!("{length} {}", plural(length, "step", "steps"));
    let what = if answer.round { "way round" } else { "chain" };
    let summary = match found.total {
        1 => format!("one {what} of {steps}, and no shorter one"),
        u64::MAX => format!("more {what}s of {steps} than can be counted"),
        total => format!("{total} {what}s of {steps}, and no shorter one"),
    };
    terminal.status("Found", summary);
    let shown = found.chains.len() as u64;
    if shown < found.total {
        terminal.help(if answer.arguments.all {
            format!("{shown} of them are shown; --limit says how many")
        } else {
            "--all shows the others".to_owned()
        });
    }
    let others = match answer.level() {
        Which::Eager => return,
        Which::WithLazy => "lazy imports",
        Which::Runtime => "imports in functions",
        Which::All => "imports that never run",
    };
    terminal.help(match answer.eager {
        Some(length) => format!(
            "this chain has {others}; the shortest of eager imports has {length} {}: --imports eager",
            plural(length, "step", "steps")
        ),
        None => format!("this chain has {others}: importing `{from}` does not yet load `{to}`"),
    });
}

fn nothing(answer: &Answer<'_>, terminal: &Terminal) {
    let (from, to) = (&answer.arguments.from, &answer.arguments.to);
    let by = match answer.which {
        Which::Eager => "eager imports",
        Which::WithLazy => "eager and lazy imports",
        Which::Runtime => "imports that can run",
        Which::All => "imports",
    };
    terminal.error(if answer.round {
        format!("no chain of {by} leads from `{from}` back to it")
    } else {
        format!("no chain of {by} leads from `{from}` to `{to}`")
    });
    if let Some((which, length)) = answer.wider {
        terminal.help(format!(
            "with --imports {} there is one of {length} {}",
            level_word(which),
            plural(length, "step", "steps")
        ));
    }
    if let Some(length) = answer.reverse {
        terminal.help(format!(
            "the other way round there is one of {length} {}: bytekiln why {to} {from}",
            plural(length, "step", "steps")
        ));
    }
}

fn push(
    out: &mut String,
    answer: &Answer<'_>,
    step: &Step,
    written: &mut Written<'_>,
    terminal: &Terminal,
) {
    module(out, answer, step.from, terminal);
    let all = terminal.verbosity() >= Verbosity::Reasons;
    let shown = if all { step.imports.len() } else { 1 };
    for id in step.imports.iter().take(shown) {
        let Some(edge) = answer.open.graph().edge(*id) else { continue };
        if edge.line == 0 {
            let (outer, inner) = (answer.open.name(step.to), answer.open.name(step.from));
            out.push_str(&match answer.open.path(step.to) {
                Some(path) => format!("  because importing {inner} runs {path} first\n"),
                None => format!("  because {inner} is in the package {outer}\n"),
            });
            continue;
        }
        let mut place = answer.open.place(*id);
        if edge.column > 0 {
            place = format!("{place}:{}", edge.column);
        }
        let mut line = format!("  {place}");
        if let Some(statement) = written.statement(*id) {
            line.push_str(": ");
            line.push_str(&statement);
        }
        let mut notes: Vec<&str> = how(edge.kinds.without(Kinds::STAR));
        if is_package(edge.kinds) {
            notes.push("looks in this package");
        }
        if !notes.is_empty() {
            line.push_str(&format!("  ({})", notes.join(", ")));
        }
        line.push('\n');
        out.push_str(&line);
    }
    let more = step.imports.len() - shown;
    if more > 0 {
        out.push_str(&format!("  and {more} more {}\n", plural(more, "import", "imports")));
    }
}

fn module(out: &mut String, answer: &Answer<'_>, id: bytekiln_graph::NodeId, terminal: &Terminal) {
    out.push_str(&terminal.paint_data(Tone::Note, &answer.open.name(id)));
    if let Some(mark) = mark(answer.open, id) {
        out.push_str(&format!("  ({mark})"));
    }
    out.push('\n');
}
