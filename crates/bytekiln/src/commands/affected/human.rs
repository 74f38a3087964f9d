//! What is affected, for people: one line each on standard output, the sum on standard error.

use std::fmt::Write as _;

use bytekiln_action::RepoPath;
use bytekiln_graph::{AffectedModule, EdgeId, Kinds};

use super::touched::{Role, Row, source};
use super::{Answer, Member};
use crate::arguments::{AffectedBy, UnknownChoice};
use crate::report::tally::plural;
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// More unknown files than this are counted.
const MOST_UNKNOWN: usize = 5;
/// Columns wider than this are not waited for.
const WIDEST: usize = 48;

/// One line for each.
pub(super) fn say(answer: &Answer<'_>, terminal: &Terminal) {
    let mut out = String::new();
    let open = &answer.touched.open;
    match answer.arguments.by {
        AffectedBy::Module => {
            let names: Vec<String> =
                answer.modules.iter().map(|one| plain(&open.name(one.module))).collect();
            let files: Vec<String> =
                answer.modules.iter().filter_map(|one| open.path(one.module)).collect();
            let (first, second) = (width(&names), width(&files));
            for (module, (name, file)) in answer.modules.iter().zip(names.iter().zip(&files)) {
                let why = why(answer, *module);
                let why = terminal.paint_data(tone(answer, *module), &why);
                let _ = writeln!(out, "{name:first$}  {file:second$}  {why}");
                chain(answer, *module, terminal, &mut out);
            }
        }
        AffectedBy::File => {
            for module in &answer.modules {
                let file = source(open, module.module).map(ToString::to_string);
                let gone = if answer.touched.is_gone(module.module) { "  deleted" } else { "" };
                let _ = writeln!(out, "{}{gone}", file.unwrap_or_default());
                chain(answer, *module, terminal, &mut out);
            }
        }
        AffectedBy::Member => {
            let names: Vec<String> = answer.members.iter().map(|one| one.name.clone()).collect();
            let folders: Vec<String> =
                answer.members.iter().map(|one| one.folder.to_string()).collect();
            let (first, second) = (width(&names), width(&folders));
            for (member, (name, folder)) in answer.members.iter().zip(names.iter().zip(&folders)) {
                let how_many = how_many(answer, member);
                let _ = writeln!(out, "{name:first$}  {folder:second$}  {how_many}");
                chain(answer, member.nearest, terminal, &mut out);
            }
        }
        AffectedBy::Artifact => {
            let workspace = &open.workspace.root;
            for artifact in answer.artifacts.iter().flatten() {
                let root = (artifact.root != *workspace)
                    .then(|| format!("{}/", crate::schema::path_text(&artifact.root)));
                let gone = if artifact.is_gone { "  to be removed" } else { "" };
                let _ = writeln!(out, "{}{}{gone}", root.unwrap_or_default(), artifact.path);
            }
        }
    }
    terminal.data(&out);
}

/// A name as one line that no terminal takes for commands, with the escapes of paths.
pub(super) fn plain(name: &str) -> String {
    match RepoPath::new(name.as_bytes()) {
        Some(path) if name.chars().any(char::is_control) => path.to_string(),
        _ => name.to_owned(),
    }
}

fn width(words: &[String]) -> usize {
    words
        .iter()
        .map(|word| word.chars().count())
        .filter(|width| *width <= WIDEST)
        .max()
        .unwrap_or(0)
}

fn tone(answer: &Answer<'_>, module: AffectedModule) -> Tone {
    match module.through {
        _ if answer.touched.is_gone(module.module) => Tone::Error,
        None => Tone::Warning,
        Some(_) => Tone::Note,
    }
}

/// Why a module is affected, in a few words.
fn why(answer: &Answer<'_>, module: AffectedModule) -> String {
    let Some(edge) = module.through.and_then(|id| answer.touched.open.graph().edge(id)) else {
        return start(answer, module);
    };
    let name = plain(&answer.touched.open.name(edge.to));
    let verb = if is_around(edge.kinds) { "is in" } else { "imports" };
    match module.distance {
        0 | 1 => format!("{verb} {name}"),
        more => format!("{verb} {name}, {more} imports away"),
    }
}

/// What happened to a module that is affected without any import.
fn start(answer: &Answer<'_>, module: AffectedModule) -> String {
    let path = source(&answer.touched.open, module.module);
    let rows = &answer.touched.rows;
    let own = rows.iter().find(|row| path == Some(&row.file.path));
    let other = || {
        let by_role = |row: &&Row| row.modules.binary_search(&module.module).is_ok();
        rows.iter().filter(by_role).min_by_key(|row| row.role)
    };
    match own.or_else(other) {
        _ if answer.touched.is_gone(module.module) => "deleted".to_owned(),
        Some(row) => match row.role {
            Role::Data => format!("reads {}, which changed", row.shown),
            Role::Manifest | Role::Workspace | Role::Unknown => format!("{} changed", row.shown),
            Role::Folder => format!("in {}, which changed", row.shown),
            Role::Module | Role::Output => "changed".to_owned(),
        },
        None => "changed".to_owned(),
    }
}

/// Whether an import stands for the package around the importer.
fn is_around(kinds: Kinds) -> bool {
    kinds.any(Kinds::PACKAGE)
}

/// With `--why`: the way to the change.
fn chain(answer: &Answer<'_>, module: AffectedModule, terminal: &Terminal, out: &mut String) {
    if !answer.arguments.why {
        return;
    }
    let open = &answer.touched.open;
    let steps = answer.touched.affected.why(open.graph(), module.module);
    for step in &steps {
        let line = format!("    {}", step_text(answer, *step));
        let _ = writeln!(out, "{}", terminal.paint_data(Tone::Note, &line));
    }
    let end = steps.last().and_then(|step| open.graph().edge(*step)).map(|edge| edge.to);
    let end = end.unwrap_or(module.module);
    if let Ok(at) = answer.touched.affected.modules.binary_search_by_key(&end, |one| one.module)
        && let Some(end) = answer.touched.affected.modules.get(at)
        && !steps.is_empty()
    {
        let name = plain(&open.name(end.module));
        let line = format!("    {name}: {}", start(answer, *end));
        let _ = writeln!(out, "{}", terminal.paint_data(Tone::Warning, &line));
    }
}

fn step_text(answer: &Answer<'_>, id: EdgeId) -> String {
    let open = &answer.touched.open;
    let Some(edge) = open.graph().edge(id) else { return String::new() };
    let (place, name) = (open.place(id), plain(&open.name(edge.to)));
    match is_around(edge.kinds) {
        true => format!("{place} is in {name}, whose `__init__` runs first"),
        false => format!("{place} imports {name}"),
    }
}

fn how_many(answer: &Answer<'_>, member: &Member) -> String {
    let Member { affected, changed, all, .. } = member;
    let modules = plural(*all, "module", "modules");
    match changed {
        0 => format!("{affected} of {all} {modules}, {}", why(answer, member.nearest)),
        _ => format!("{affected} of {all} {modules}, {changed} changed"),
    }
}

/// The sum, and what belongs to nothing.
pub(super) fn sum_up(answer: &Answer<'_>, terminal: &Terminal) {
    let touched = answer.touched;
    let unknown: Vec<&Row> = touched.rows.iter().filter(|row| row.role == Role::Unknown).collect();
    let known = touched.rows.iter().filter(|row| !row.modules.is_empty()).count();
    let since = match (&touched.base, &answer.arguments.since) {
        (Some(base), Some(revision)) => {
            let short = base.get(..12).unwrap_or(base);
            format!(" since `{revision}` ({short})")
        }
        _ => String::new(),
    };
    let (modules, members) = (answer.modules.len(), answer.members.len());
    terminal.status(
        "Affected",
        format!(
            "{modules} {} of {members} {}, by {known} changed {}{since}",
            plural(modules, "module", "modules"),
            plural(members, "member", "members"),
            plural(known, "file", "files"),
        ),
    );
    if unknown.is_empty() || answer.arguments.unknown == UnknownChoice::Ignore {
        return;
    }
    let most = if terminal.verbosity() >= Verbosity::Reasons { usize::MAX } else { MOST_UNKNOWN };
    let shown: Vec<String> =
        unknown.iter().take(most).map(|row| format!("`{}`", row.shown)).collect();
    let more = match unknown.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more (-v names them)"),
    };
    let so = match answer.arguments.unknown {
        UnknownChoice::All => "so everything is affected",
        UnknownChoice::Report | UnknownChoice::Ignore => "so nothing is affected by it",
    };
    let what = match unknown.len() {
        1 => format!("1 changed file belongs to no module, {so}"),
        many => {
            format!("{many} changed files belong to no module, {}", so.replace("by it", "by them"))
        }
    };
    terminal.status_in(Tone::Warning, "Unknown", format!("{what}: {}{more}", shown.join(", ")));
}
