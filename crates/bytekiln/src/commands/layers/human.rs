//! The outcome for people: each import that breaks a contract with its source line, then the
//! contracts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytekiln_action::{Diagnostic, DiagnosticKind, Position, RepoPath};
use bytekiln_graph::Edge;

use super::{Broken, Checked, Outcome};
use crate::commands::edges;
use crate::imports::OpenGraph;
use crate::report::diagnostic::{harmless, render};
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone};

/// Says everything.
pub(super) fn report(outcome: &Outcome<'_>, elapsed: Duration, terminal: &Terminal) {
    let mut sources = Sources::default();
    for contract in &outcome.contracts {
        for broken in &contract.broken {
            violation(outcome.open, contract, broken, &mut sources, terminal);
        }
    }
    for contract in &outcome.contracts {
        let name = &contract.name;
        let ignored = match contract.ignored {
            0 => String::new(),
            some => format!(" ({some} {} let pass)", plural(some, "import", "imports")),
        };
        match contract.broken.len() {
            0 => terminal.status("Kept", format!("{name}{ignored}")),
            some => {
                let imports = plural(some, "import", "imports");
                let what = format!("{name}: {some} {imports}{ignored}");
                terminal.status_in(Tone::Error, "Broken", what);
            }
        }
    }
    let broken = outcome.contracts.iter().filter(|one| !one.broken.is_empty()).count();
    let kept = outcome.contracts.len() - broken;
    let seconds = elapsed.as_secs_f64();
    let modules = outcome.open.loaded.sources;
    let over = format!("over {modules} {} in {seconds:.2}s", plural(modules, "source", "sources"));
    if broken == 0 {
        let contracts = plural(kept, "contract", "contracts");
        terminal.status("Finished", format!("{kept} {contracts} kept {over}"));
    } else {
        let count = outcome.broken_imports();
        let imports = plural(count, "import", "imports");
        let text = format!("{kept} kept, {broken} broken by {count} {imports} {over}");
        terminal.status_in(Tone::Error, "Failed", text);
    }
}

fn violation(
    open: &OpenGraph,
    contract: &Checked,
    broken: &Broken,
    sources: &mut Sources,
    terminal: &Terminal,
) {
    let Some(edge) = open.graph().edge(broken.import) else { return };
    let how = edges::how(edge.kinds);
    let how = if how.is_empty() { String::new() } else { format!(" ({})", how.join(", ")) };
    let (from, to) = (open.name(edge.from), open.name(edge.to));
    let reached = broken.then.last().and_then(|last| open.graph().edge(*last));
    let message = match reached {
        Some(last) => {
            format!("`{from}` imports `{}` by way of `{to}`{how}", open.name(last.to))
        }
        None => format!("`{from}` imports `{to}`{how}"),
    };
    let file = open.graph().node(edge.from).and_then(|node| node.file.as_ref());
    let line_text = file.and_then(|(tree, path)| {
        let folder = &open.loaded.trees.get(*tree as usize)?.folder;
        sources.line(&folder.join(path_of(path)), edge.line)
    });
    let position = |column: u32| Position { line: edge.line, column: Some(column) };
    let end = line_text.as_ref().map(|line| position(statement_end(line, edge.column)));
    let diagnostic = Diagnostic {
        kind: DiagnosticKind::Error,
        category: contract.name.clone(),
        message,
        start: Some(position(edge.column)),
        end,
        line_text,
    };
    // Of what is installed, the path below its `site-packages`.
    let Some((_, path)) = file else { return };
    let mut text = render(&diagnostic, path, &[], &terminal.style());
    let gutter = edge.line.to_string().len();
    let note = terminal.paint(Tone::Note, "= note:");
    text.push_str(&format!("{:gutter$} {note} {}\n", "", broken.reason));
    for import in &broken.then {
        let Some(edge) = open.graph().edge(*import) else { continue };
        let (from, to) = (open.name(edge.from), open.name(edge.to));
        let step = format!("`{from}` {} `{to}` at {}", verb(edge), harmless(&open.place(*import)));
        text.push_str(&format!("{:gutter$}         {step}\n", ""));
    }
    terminal.say(&text);
}

fn path_of(path: &RepoPath) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(path.as_bytes()))
}

/// A module is imported together with the packages around it.
fn verb(edge: Edge) -> &'static str {
    if edge.line == 0 { "is in" } else { "imports" }
}

/// The column after a statement that ends on its first line: before a comment or a semicolon.
fn statement_end(line: &str, column: u32) -> u32 {
    let start = column.saturating_sub(1) as usize;
    let rest: String = line.chars().skip(start).take_while(|c| *c != '#' && *c != ';').collect();
    let length = rest.trim_end().chars().count().max(1);
    u32::try_from(start + length + 1).unwrap_or(u32::MAX)
}

/// Lines of sources; the last one read is kept, as imports come by file.
#[derive(Default)]
struct Sources {
    path: PathBuf,
    text: String,
}

impl Sources {
    /// None if the file cannot be read any more or has no such line.
    fn line(&mut self, path: &Path, line: u32) -> Option<String> {
        if self.path != path {
            self.text = String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned();
            self.path = path.to_owned();
        }
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        text.lines().nth((line as usize).checked_sub(1)?).map(str::to_owned)
    }
}
