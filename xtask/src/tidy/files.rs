//! Rules for every text file: names, line ends, what must not leave a developer's machine.

use super::model::{Finding, Repository, TextFile};

/// Names that say nothing about what is inside.
const FORBIDDEN_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "types"];

/// Folders of one person's machine, spelt in parts so that this file passes.
const MACHINE_FOLDERS: &[&str] =
    &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];

/// Marks of work left to do; each needs an owner in parentheses.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

const CONFLICTS: &[&str] = &[concat!("<<<<", "<<< "), concat!(">>>>", ">>> ")];

/// Folders whose files are data for tests, taken as they are.
const DATA_FOLDERS: &[&str] = &["golden", "corpus", "testdata", "proptest-regressions"];

pub(crate) fn check(repository: &Repository, findings: &mut Vec<Finding>) {
    for file in &repository.files {
        check_name(file, findings);
        if !file.path.split('/').any(|part| DATA_FOLDERS.contains(&part)) {
            check_lines(file, findings);
        }
    }
}

fn check_name(file: &TextFile, findings: &mut Vec<Finding>) {
    if !(file.is_rust() || file.name() == "Cargo.toml") {
        return;
    }
    for part in file.path.split('/') {
        let stem = part.strip_suffix(".rs").unwrap_or(part);
        if FORBIDDEN_NAMES.contains(&stem) {
            findings.push(file.finding(
                1,
                format!("`{stem}` says nothing about what is inside"),
                "call it by what it is for",
            ));
        }
    }
}

fn check_lines(file: &TextFile, findings: &mut Vec<Finding>) {
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(file.finding(
            file.text.lines().count(),
            "no newline at the end of the file",
            "add one",
        ));
    }
    for (number, line) in file.lines() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(file.finding(number, "white space at the end of the line", "remove it"));
        }
        if CONFLICTS.iter().any(|marker| line.starts_with(marker)) {
            findings.push(file.finding(number, "a conflict marker", "resolve the conflict"));
        }
        if let Some(folder) = MACHINE_FOLDERS.iter().find(|folder| names_folder(line, folder)) {
            findings.push(file.finding(
                number,
                format!("a path of one machine, `{folder}`"),
                "take it from the environment, or make up a path such as `/somewhere/`",
            ));
        }
        if let Some(mark) = MARKS.iter().find(|mark| has_orphan_mark(line, mark)) {
            findings.push(file.finding(
                number,
                format!("`{mark}` without an owner"),
                format!("write `{mark}(name): …`, or do it"),
            ));
        }
    }
}

/// Whether a line names a folder from the root of the file system; `src/folder/` does not count.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(position, _)| {
        let before = line[..position].chars().next_back();
        let after = line[position.saturating_add(folder.len())..].chars().next();
        after.is_some_and(char::is_alphanumeric)
            && !before
                .is_some_and(|before| before.is_alphanumeric() || "_-.~$})/*]".contains(before))
    })
}

/// Whether a line has a mark as a word that no `(owner)` follows.
fn has_orphan_mark(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(position, _)| {
        let before = line[..position].chars().next_back();
        let after = line[position.saturating_add(mark.len())..].chars().next();
        let inside_word = |neighbour: Option<char>| {
            neighbour.is_some_and(|neighbour| neighbour.is_alphanumeric() || neighbour == '_')
        };
        !inside_word(before) && !inside_word(after) && after != Some('(')
    })
}
