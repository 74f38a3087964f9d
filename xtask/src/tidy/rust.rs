//! Rules for Rust source: header, size, inline tests, what may not be left behind.

use super::model::{Finding, Repository, TextFile};

/// Lines that a file may have.
const MAXIMUM_LINES: usize = 800;

/// Lines that a test module inside its module's file may have.
const MAXIMUM_INLINE_TEST_LINES: usize = 80;

/// Files above [`MAXIMUM_LINES`] and how long each may be. Entries shrink and go, none is added.
const RATCHET: &[(&str, usize)] = &[];

/// Spelt in two parts so that this file does not break its own rules.
const UNFINISHED: &[&str] = &[concat!("to", "do!("), concat!("unimplem", "ented!(")];
const IGNORED: &str = concat!("#[ign", "ore");

pub(crate) fn check(repository: &Repository, findings: &mut Vec<Finding>) {
    for file in repository.files.iter().filter(|file| file.is_rust()) {
        check_header(file, findings);
        check_size(file, findings);
        check_inline_tests(file, findings);
        check_leftovers(file, findings);
    }
}

fn check_header(file: &TextFile, findings: &mut Vec<Finding>) {
    if !file.text.starts_with("//! ") {
        findings.push(file.finding(
            1,
            "no header",
            "start with `//! `: what the file is for and what it does not know",
        ));
    }
}

fn check_size(file: &TextFile, findings: &mut Vec<Finding>) {
    let generated = file.lines().take(5).any(|(_, line)| line.contains("@generated"));
    let count = file.text.lines().count();
    let ratchet = RATCHET.iter().find(|(path, _)| *path == file.path).map(|(_, lines)| *lines);
    let limit = ratchet.unwrap_or(MAXIMUM_LINES);
    if count > limit && !generated {
        findings.push(file.finding(
            limit.saturating_add(1),
            format!("{count} lines, at most {limit} are allowed"),
            "split it by what it is for",
        ));
    }
}

/// rustfmt puts the closing brace of a module in the column of the `mod`.
fn check_inline_tests(file: &TextFile, findings: &mut Vec<Finding>) {
    let lines: Vec<&str> = file.text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        if line.trim() != "#[cfg(test)]" {
            continue;
        }
        let module = lines.iter().skip(index.saturating_add(1)).position(|line| {
            line.trim_start().starts_with("mod ") && line.trim_end().ends_with('{')
        });
        // Between the two there may be further attributes, nothing else.
        let Some(offset) = module.filter(|offset| *offset <= 2) else { continue };
        let start = index.saturating_add(1).saturating_add(offset);
        let indent: String =
            lines[start].chars().take_while(|character| *character == ' ').collect();
        let closing = format!("{indent}}}");
        let length = lines
            .iter()
            .skip(start)
            .position(|line| *line == closing)
            .unwrap_or(lines.len().saturating_sub(start));
        if length > MAXIMUM_INLINE_TEST_LINES {
            findings.push(file.finding(
                start.saturating_add(1),
                format!(
                    "an inline test module of {length} lines, at most \
                     {MAXIMUM_INLINE_TEST_LINES} are allowed"
                ),
                "move it to a sibling `tests.rs` and leave `mod tests;`",
            ));
        }
    }
}

fn check_leftovers(file: &TextFile, findings: &mut Vec<Finding>) {
    for (number, line) in file.lines() {
        if line.trim_start().starts_with(IGNORED) {
            findings.push(file.finding(
                number,
                "an ignored test",
                "make it fast, let an environment variable switch it on and say aloud when it is \
                 skipped, or assert today's behaviour with a note",
            ));
        }
        for unfinished in UNFINISHED {
            if line.contains(unfinished) {
                findings.push(file.finding(
                    number,
                    format!("`{unfinished})`"),
                    "finish it, or return an error that says what is not supported",
                ));
            }
        }
        if line.contains('\t') {
            findings.push(file.finding(number, "a tab", "write `\\t`, or run `cargo fmt`"));
        }
    }
}
