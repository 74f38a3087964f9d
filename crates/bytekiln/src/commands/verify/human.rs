//! The verdicts for people: what does not prove is listed, what proves is counted.

use std::collections::BTreeMap;

use super::verdict::{Divergence, Judged, Making, Verdict, reason_name};
use super::{Counts, Outcome};
use crate::arguments::UnprovableReason;
use crate::report::tally::{grouped, plural};
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// So many files are named of those that share a reason, unless more is asked for.
const NAMED: usize = 10;

/// Says everything.
pub(super) fn report(outcome: &Outcome<'_>, terminal: &Terminal) {
    for judged in outcome.judged {
        match &judged.verdict {
            Verdict::Proved(making) if terminal.verbosity() >= Verbosity::Reasons => {
                let message = format!("{} by {}", shown(outcome, judged), by(outcome, making));
                terminal.status("Proved", message);
            }
            Verdict::Proved(_) | Verdict::Unprovable { .. } => {}
            Verdict::Diverges(divergence) => diverges(outcome, judged, divergence, terminal),
        }
    }
    other_builds(outcome, terminal);
    unprovable(outcome, terminal);
    let counts = outcome.counts();
    if outcome.judged.is_empty() {
        let named: Vec<String> = outcome
            .inventory
            .arguments
            .iter()
            .map(|argument| format!("`{}`", argument.typed.display()))
            .collect();
        terminal.warning(format!("there are no .pyc files in {}", named.join(", ")));
    }
    finished(&counts, outcome, terminal);
}

fn finished(counts: &Counts, outcome: &Outcome<'_>, terminal: &Terminal) {
    let mut parts = vec![format!("{} proved", grouped(counts.proved))];
    if counts.diverges > 0 {
        let verb = plural(counts.diverges, "diverges", "diverge");
        parts.push(format!("{} {verb}", grouped(counts.diverges)));
    }
    if counts.unprovable > 0 {
        let allowed = match counts.allowed {
            0 => String::new(),
            allowed if allowed == counts.unprovable => " (allowed)".to_owned(),
            allowed => format!(" ({} allowed)", grouped(allowed)),
        };
        parts.push(format!("{} unprovable{allowed}", grouped(counts.unprovable)));
    }
    let message = format!("{} in {:.2}s", parts.join(", "), outcome.elapsed.as_secs_f64());
    if outcome.interrupted {
        terminal.status_in(Tone::Warning, "Interrupted", message);
    } else if counts.diverges > 0 || counts.unprovable > counts.allowed {
        terminal.status_in(Tone::Error, "Failed", message);
    } else {
        terminal.status("Finished", message);
    }
}

fn diverges(outcome: &Outcome<'_>, judged: &Judged, divergence: &Divergence, terminal: &Terminal) {
    let path = shown(outcome, judged);
    terminal.error(format!("`{path}` does not come from its source"));
    let arrow = terminal.paint(Tone::Note, "-->");
    let line = divergence.line.map(|line| format!(":{line}")).unwrap_or_default();
    terminal.say(&format!("  {arrow} {}{line}", source(outcome, judged)));
    let mut what = divergence.message.clone();
    if let Some(interpreter) = divergence.compared_with
        && let Some(candidate) = outcome.candidates.get(interpreter)
    {
        what = format!("{what} (compared with {})", candidate.label());
    }
    let bar = terminal.paint(Tone::Note, "=");
    terminal.say(&format!("  {bar} {what}"));
}

/// Many that differ in nothing but the compiler's own choices speak against the maker, not the files.
fn other_builds(outcome: &Outcome<'_>, terminal: &Terminal) {
    let by_compiler = |judged: &&Judged| match &judged.verdict {
        Verdict::Diverges(divergence) => divergence.only_compiler,
        Verdict::Proved(_) | Verdict::Unprovable { .. } => false,
    };
    let count = outcome.judged.iter().filter(by_compiler).count();
    if count > 1 {
        terminal.help(format!(
            "{} of these differ only in what builds of one release may do differently: perhaps \
             they were made by another build than --python or pyvenv.cfg says",
            grouped(count)
        ));
    }
}

/// By reason: a thousand files without an interpreter are one problem.
fn unprovable(outcome: &Outcome<'_>, terminal: &Terminal) {
    let mut by_reason: BTreeMap<(UnprovableReason, String), Vec<&Judged>> = BTreeMap::new();
    for judged in outcome.judged {
        let Verdict::Unprovable { reason, message } = &judged.verdict else { continue };
        let group = match reason {
            UnprovableReason::NoInterpreter | UnprovableReason::NotCompared => message.clone(),
            UnprovableReason::OtherBuild => {
                let release = judged.release.map(|release| release.to_string());
                format!("made by another build of CPython {}", release.unwrap_or_default())
            }
            UnprovableReason::NoSource => "their sources are not there".to_owned(),
            UnprovableReason::UnknownRelease | UnprovableReason::Unreadable => String::new(),
        };
        by_reason.entry((*reason, group)).or_default().push(judged);
    }
    let everything = terminal.verbosity() >= Verbosity::Reasons;
    for ((reason, group), files) in &by_reason {
        let allowed = outcome.allowed.allows(*reason);
        if allowed && !everything {
            continue;
        }
        let say = |text: String| match allowed {
            true => terminal.status_in(Tone::Note, "Unprovable", text),
            false => terminal.warning(text),
        };
        let count = files.len();
        if group.is_empty() || count == 1 {
            for judged in files {
                let Verdict::Unprovable { message, .. } = &judged.verdict else { continue };
                say(format!("`{}` cannot be proved: {message}", shown(outcome, judged)));
            }
        } else {
            say(format!("{} files cannot be proved: {group}", grouped(count)));
            let named = if everything { count } else { NAMED.min(count) };
            let arrow = terminal.paint(Tone::Note, "-->");
            for judged in files.iter().take(named) {
                terminal.say(&format!("  {arrow} {}", shown(outcome, judged)));
            }
            if named < count {
                terminal.say(&format!("  and {} more; -v names them", grouped(count - named)));
            }
        }
        if let Some(help) = help(*reason, files).filter(|_| !allowed) {
            terminal.help(help);
        }
    }
}

fn help(reason: UnprovableReason, files: &[&Judged]) -> Option<String> {
    let release = files.iter().find_map(|judged| judged.release).map(|release| release.to_string());
    match reason {
        UnprovableReason::NoInterpreter => {
            let release = release?;
            Some(format!(
                "install one (`uv python install {release}`, `pyenv install {release}`), or name it with --python"
            ))
        }
        UnprovableReason::OtherBuild => Some(format!(
            "install the patch release of {} that made them, or name it with --python",
            release?
        )),
        UnprovableReason::NoSource => {
            Some(format!("if that is meant so: --allow-unprovable={}", reason_name(reason)))
        }
        UnprovableReason::UnknownRelease
        | UnprovableReason::Unreadable
        | UnprovableReason::NotCompared => None,
    }
}

/// `CPython 3.11.7 -O`.
pub(super) fn by(outcome: &Outcome<'_>, making: &Making) -> String {
    let label = outcome.candidates.get(making.interpreter).map(super::Candidate::label);
    let level = match making.level.as_u8() {
        0 => "",
        1 => " -O",
        _ => " -OO",
    };
    let ranges = if making.debug_ranges { "" } else { " -X no_debug_ranges" };
    format!("{}{level}{ranges}", label.unwrap_or_default())
}

/// The path of a cache, from where the user stands.
pub(super) fn shown(outcome: &Outcome<'_>, judged: &Judged) -> String {
    below(outcome, judged, &judged.subject.path)
}

/// The path of its source.
pub(super) fn source(outcome: &Outcome<'_>, judged: &Judged) -> String {
    below(outcome, judged, &judged.subject.source.0)
}

fn below(outcome: &Outcome<'_>, judged: &Judged, path: &bytekiln_action::RepoPath) -> String {
    let argument = outcome.inventory.arguments.get(judged.subject.argument);
    match argument {
        Some(argument) if argument.is_file && *path != judged.subject.path => {
            let folder = argument.typed.parent().unwrap_or(&argument.typed);
            let in_cache = folder.file_name().is_some_and(|name| name == "__pycache__");
            let folder = if in_cache { folder.parent().unwrap_or(folder) } else { folder };
            joined(folder, path)
        }
        Some(argument) if argument.is_file => argument.typed.display().to_string(),
        Some(argument) => joined(&argument.typed, path),
        None => path.to_string(),
    }
}

fn joined(folder: &std::path::Path, path: &bytekiln_action::RepoPath) -> String {
    let folder = folder.display().to_string();
    match folder.trim_end_matches('/') {
        "" if folder.is_empty() => path.to_string(),
        "." => path.to_string(),
        folder => format!("{folder}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::report::tally::grouped;

    #[test]
    fn thousands() {
        for (number, expect) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), expect);
        }
    }
}
