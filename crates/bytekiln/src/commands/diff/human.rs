//! `diff` for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytekiln_codec::Side;
use bytekiln_proof::{Difference, EncodingDifference, Excerpt, ExcerptSide};

use super::Judged;
use super::verdict::{Tally, Verdict};
use crate::arguments::DiffArguments;
use crate::report::terminal::{Terminal, Tone};

/// Findings that are shown beside the first, of two files.
const FINDINGS: usize = 8;

/// Two files.
pub(super) fn single(
    arguments: &DiffArguments,
    judged: &Judged,
    excerpts: &[(String, Excerpt)],
    terminal: &Terminal,
) -> String {
    let mut out = String::new();
    let names = [("---", &arguments.left, Tone::Error), ("+++", &arguments.right, Tone::Good)];
    for (mark, path, tone) in names {
        let line = format!("{mark} {}", path.display());
        let _ = writeln!(out, "{}", terminal.paint_data(tone, &line));
    }
    match &judged.verdict {
        Verdict::Identical => out.push_str("identical\n"),
        Verdict::Equivalent(how) => {
            out.push_str("equivalent: the same code, in the canonical form under one header\n");
            for difference in how {
                let _ = writeln!(out, "  {difference}");
            }
        }
        Verdict::Different(difference) => {
            let _ = writeln!(out, "different: {}", difference.first);
            for finding in difference.further.iter().take(FINDINGS) {
                let _ = writeln!(out, "      also {finding}");
            }
            more(difference, 1 + FINDINGS.min(difference.further.len()), "      ", &mut out);
            for header in &difference.header {
                let _ = writeln!(out, "      also {header}");
            }
            if difference.is_only_compiler_dependent() {
                out.push_str("      no constant, name or signature differs\n");
            }
        }
        Verdict::OtherBytes { detail, .. } => {
            let _ = writeln!(out, "different: {detail}");
        }
        // Both are files that were read.
        Verdict::Only(_) | Verdict::Unreadable(_) => {}
    }
    for (code_object, found) in excerpts {
        let heading = format!("@@ {code_object} @@");
        let _ = writeln!(out, "{}", terminal.paint_data(Tone::Note, &heading));
        instructions(found, "", terminal, &mut out);
    }
    out
}

/// Says how much is not shown.
fn more(difference: &Difference, shown: usize, indent: &str, out: &mut String) {
    let hidden = difference.total.saturating_sub(shown);
    if hidden == 0 {
        return;
    }
    let least = if difference.complete { "" } else { "at least " };
    let objects = match difference.code_objects {
        1 => "1 code object".to_owned(),
        count => format!("{count} code objects"),
    };
    let _ = writeln!(out, "{indent}and {least}{hidden} more; in all, {objects} differ");
}

fn instructions(excerpt: &Excerpt, indent: &str, terminal: &Terminal, out: &mut String) {
    for line in &excerpt.lines {
        let number = line.line.map(|line| line.to_string()).unwrap_or_default();
        let text = format!("{number:>5} {:>6}  {}", line.offset, line.text);
        let text = match line.side {
            ExcerptSide::Both => format!(" {text}"),
            ExcerptSide::Only(Side::Left) => terminal.paint_data(Tone::Error, &format!("-{text}")),
            ExcerptSide::Only(Side::Right) => terminal.paint_data(Tone::Good, &format!("+{text}")),
            ExcerptSide::Gap => "       ⋮".to_owned(),
        };
        let _ = writeln!(out, "{indent}{text}");
    }
    if excerpt.goes_on {
        let _ = writeln!(out, "{indent}       … and further on");
    }
}

/// A path of two trees; nothing if there is nothing to say.
pub(super) fn path(
    judged: &Judged,
    excerpts: &[(String, Excerpt)],
    everything: bool,
    terminal: &Terminal,
) -> String {
    const INDENT: &str = "            ";
    let (tone, word) = match &judged.verdict {
        Verdict::Identical | Verdict::Equivalent(_) if !everything => return String::new(),
        Verdict::Identical => (Tone::Note, "identical"),
        Verdict::Equivalent(_) => (Tone::Note, "equivalent"),
        Verdict::Different(_) | Verdict::OtherBytes { .. } => (Tone::Error, "different"),
        Verdict::Only(Side::Left) => (Tone::Warning, "only left"),
        Verdict::Only(Side::Right) => (Tone::Warning, "only right"),
        Verdict::Unreadable(_) => (Tone::Error, "unreadable"),
    };
    let word = terminal.paint_data(tone, &format!("{word:<11}"));
    let mut out = format!("{word} {}", judged.pair.path);
    match &judged.verdict {
        Verdict::Equivalent(how) => {
            let names: Vec<&str> = how.iter().map(EncodingDifference::name).collect();
            let _ = write!(out, " ({})", names.join(", "));
        }
        Verdict::OtherBytes { detail, .. } => {
            let _ = write!(out, ": {detail}");
        }
        Verdict::Unreadable(message) => {
            let _ = write!(out, ": {message}");
        }
        _ => {}
    }
    out.push('\n');
    if let Verdict::Different(difference) = &judged.verdict {
        let _ = writeln!(out, "{INDENT}{}", difference.first);
        more(difference, 1, INDENT, &mut out);
        for (_, found) in excerpts {
            instructions(found, INDENT, terminal, &mut out);
        }
    }
    out
}

/// The last line: how many of each, and how those differ that mean the same.
pub(super) fn summary(judged: &[Judged], tally: &Tally) -> String {
    let mut parts = vec![format!("{} identical", tally.identical)];
    if tally.equivalent > 0 {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for one in judged {
            if let Verdict::Equivalent(how) = &one.verdict {
                for difference in how {
                    *kinds.entry(difference.name()).or_default() += 1;
                }
            }
        }
        let kinds: Vec<String> =
            kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        parts.push(format!("{} equivalent ({})", tally.equivalent, kinds.join(", ")));
    }
    for (count, word) in [
        (tally.different, "different"),
        (tally.only_left, "only left"),
        (tally.only_right, "only right"),
        (tally.unreadable, "unreadable"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let files = if tally.total() == 1 { "file" } else { "files" };
    format!("{} {files}: {}", tally.total(), parts.join(", "))
}
