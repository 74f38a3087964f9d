//! What people see of packing. Knows nothing of how it is done.

use bytekiln_assembly::SourceNeed;
use bytekiln_project::{ArtifactKind, ArtifactRule};

use super::choose::{Kept, Spent};
use super::outcome::Packed;
use super::provenance::hex;
use crate::report::tally::{grouped, plural};
use crate::report::terminal::{Terminal, Tone, Verbosity};

/// More than so many are counted.
const MOST_NAMED: usize = 5;

/// One artifact.
pub(super) fn report(packed: &Packed, terminal: &Terminal) {
    for warning in packed.warnings.iter().take(MOST_NAMED) {
        terminal.warning(warning);
    }
    if packed.warnings.len() > MOST_NAMED {
        terminal.warning(format!("{} more like these", packed.warnings.len() - MOST_NAMED));
    }
    left_out(packed, terminal);
    kept(packed, terminal);
    uncompiled(packed, terminal);
    if let Some(spent) = &packed.spent {
        terminal.status("Selected", in_words(spent));
    }
    let verb = if packed.unchanged { "Fresh" } else { "Packed" };
    terminal.status(verb, sentence(packed));
    if terminal.verbosity() == Verbosity::Quiet {
        return;
    }
    if let Some(image) = &packed.image {
        let line = |what: &str, digest| {
            terminal.status("", format!("{what:<9} sha256:{}", hex(digest)));
        };
        line("manifest", &image.manifest);
        for layer in &image.layers {
            line("layer", &layer.digest);
            line("diffID", &layer.diff_id);
        }
    } else if terminal.verbosity() >= Verbosity::Reasons && packed.kind != ArtifactKind::Site {
        terminal.status("", format!("sha256:{}", hex(&packed.digest)));
    }
    if let Some(path) = &packed.provenance {
        terminal.status("Attested", path.display());
    }
}

fn sentence(packed: &Packed) -> String {
    let mut parts = Vec::new();
    let mut add = |count: usize, one: &str, many: &str| {
        if count > 0 {
            parts.push(format!("{count} {}", plural(count, one, many)));
        }
    };
    add(packed.sources, "source", "sources");
    add(packed.caches, "cache", "caches");
    add(packed.others, "other file", "other files");
    let size = match packed.kind {
        ArtifactKind::Site => String::new(),
        _ => format!(", {}", bytes(packed.bytes)),
    };
    format!(
        "{} ({}): {}{size} in {:.2}s",
        packed.path.display(),
        packed.kind.as_str(),
        parts.join(", "),
        packed.elapsed.as_secs_f64()
    )
}

/// `612 of 14,103 modules: 94 % of the compile time, 11 % of the bytes`.
pub(super) fn in_words(spent: &Spent) -> String {
    let share = |part: u64, all: u64| {
        if all == 0 { 100.0 } else { part as f64 * 100.0 / all as f64 }
    };
    let all = match spent.all_modules > spent.modules.1 {
        true => format!(" that the entries load, of {} in all,", grouped(spent.all_modules)),
        false => String::new(),
    };
    format!(
        "{} of {} modules{all} for {}: {:.0} % of the compile time, {:.0} % of the bytes ({} of {})",
        grouped(spent.modules.0),
        grouped(spent.modules.1),
        bytes(spent.budget),
        share(spent.cost.0, spent.cost.1),
        share(spent.bytes.0, spent.bytes.1),
        bytes(spent.bytes.0),
        bytes(spent.bytes.1),
    )
}

fn left_out(packed: &Packed, terminal: &Terminal) {
    if terminal.verbosity() < Verbosity::Reasons {
        return;
    }
    for (why, count) in &packed.left_out {
        let files = plural(*count, "file stays", "files stay");
        terminal.status_in(Tone::Note, "Left out", format!("{count} {files} out: {why}"));
    }
}

fn kept(packed: &Packed, terminal: &Terminal) {
    let all = terminal.verbosity() >= Verbosity::Reasons;
    let most = if all { usize::MAX } else { MOST_NAMED };
    for (place, kept) in packed.kept.iter().take(most) {
        terminal.status_in(Tone::Note, "Keeping", format!("the source of {place}: {}", why(kept)));
    }
    if packed.kept.len() > most {
        let more = packed.kept.len() - most;
        terminal.status_in(Tone::Note, "Keeping", format!("{more} more sources; -v names them"));
    }
    if packed.inspecting.is_empty() {
        return;
    }
    let count = packed.inspecting.len();
    let calls = plural(count, "call asks", "calls ask");
    let message = format!("{count} {calls} for the source of other code, which may be gone");
    terminal.warning(message);
    for (place, line, what) in packed.inspecting.iter().take(most) {
        terminal.say(&format!("  --> {place}:{line}: {what}"));
    }
    if packed.inspecting.len() > most {
        terminal.say(&format!("  and {} more; -v names them", packed.inspecting.len() - most));
    }
    terminal.help("name what they look at in `keep-source`");
}

/// Modules that may fail to compile, and do.
fn uncompiled(packed: &Packed, terminal: &Terminal) {
    if packed.kind == ArtifactKind::RustBlob {
        // They are warned of.
        return;
    }
    let modules: Vec<_> =
        packed.rejected.iter().filter(|place| !packed.kept.contains_key(*place)).collect();
    if terminal.verbosity() >= Verbosity::Reasons {
        for place in modules {
            terminal.status_in(Tone::Note, "Uncompiled", format!("{place}: it does not compile"));
        }
    } else if let [first, others @ ..] = modules.as_slice() {
        let what = match others.len() {
            0 => format!("{first}: it does not compile"),
            more => format!(
                "{first}, and {more} more that {}; -v names them",
                plural(more, "does not compile", "do not compile")
            ),
        };
        terminal.status_in(Tone::Note, "Uncompiled", what);
    }
}

/// Why a source stays.
pub(super) fn why(kept: &Kept) -> String {
    match kept {
        Kept::Named => "`keep-source` names it".to_owned(),
        Kept::Needed(SourceNeed::Named(by, line)) => format!("{by}:{line} names the file"),
        Kept::Needed(SourceNeed::ReadsItself(line)) => format!("it opens itself in line {line}"),
        Kept::DoesNotCompile => "it does not compile".to_owned(),
        Kept::NotSelected => "it has no bytecode".to_owned(),
    }
}

/// `--list`.
pub(super) fn list(rules: &[ArtifactRule], terminal: &Terminal) {
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in rules {
        let out = rule.shown_out().or_else(|| rule.site.clone());
        let out = out.map(|out| format!("  {}", out.display())).unwrap_or_default();
        terminal.data(&format!("{:width$}  {:<9}{out}\n", rule.name, rule.kind.as_str()));
    }
}

/// `12.3 MB`, in steps of 1,000 as disks are sold.
fn bytes(count: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} bytes"),
        _ => format!("{value:.1} {}", units.get(unit).copied().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_shares() {
        for (count, expected) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (25_000_000, "25.0 MB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
        let spent = Spent {
            budget: 25_000_000,
            modules: (612, 14_103),
            all_modules: 14_103,
            bytes: (11, 100),
            cost: (94, 100),
        };
        assert_eq!(
            in_words(&spent),
            "612 of 14,103 modules for 25.0 MB: 94 % of the compile time, 11 % of the bytes \
             (11 bytes of 100 bytes)"
        );
        let spent = Spent { modules: (58, 60), all_modules: 2_417, ..spent };
        assert!(in_words(&spent).starts_with(
            "58 of 60 modules that the entries load, of 2,417 in all, for 25.0 MB: 94 %"
        ));
    }
}
