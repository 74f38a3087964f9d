//! Arrows between crates point down: a crate may use crates of lower rows only, never of its own.
//! Also what each crate must have: its folder's name, its lints, its line in ARCHITECTURE.md.

use super::model::{Finding, Package, Repository};

/// Rows of the layer table, from the bottom; ARCHITECTURE.md shows the same picture.
const ROWS: &[&[&str]] = &[
    &["python"],
    &["action", "codec", "bytecode", "syntax", "blob"],
    &[
        "planner", "graph", "assembly", "compiler", "artifact", "cache", "proof", "loader",
        "startup",
    ],
    &["project", "executor", "remote"],
    &["bytekiln"],
];

/// Only ever a dev-dependency of a crate in the table.
const TEST_SUPPORT: &str = "bytekiln-test-support";

/// Outside the table: nothing may depend on them, they may depend on anything.
const OUTSIDE: &[&str] = &["xtask", "tests"];

/// Crates that do no I/O, start no threads and read no clock or environment.
const PURE: &[&str] = &[
    "python", "action", "codec", "bytecode", "syntax", "blob", "planner", "graph", "assembly",
    "proof", "loader", "startup",
];

const PURE_LINE: &str = "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]";

pub(crate) fn check(repository: &Repository, findings: &mut Vec<Finding>) {
    for package in &repository.packages {
        check_arrows(repository, package, findings);
        check_names(repository, package, findings);
        check_manifest(repository, package, findings);
        check_purity(repository, package, findings);
        check_architecture(repository, package, findings);
    }
}

fn row(short_name: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&short_name))
}

fn check_arrows(repository: &Repository, package: &Package, findings: &mut Vec<Finding>) {
    let name = package.short_name();
    if OUTSIDE.contains(&name) {
        return;
    }
    let is_test_support = package.name == TEST_SUPPORT;
    let Some(own_row) = row(name).or(is_test_support.then_some(ROWS.len())) else {
        findings.push(finding(
            repository,
            package,
            "name =",
            format!("crate `{}` is in no row of the layer table", package.name),
            "add it to `ROWS` in xtask/src/tidy/layers.rs and to ARCHITECTURE.md, or fold it into \
             the crate that needs it",
        ));
        return;
    };
    for dependency in &package.dependencies {
        if dependency.name == TEST_SUPPORT {
            if !dependency.dev {
                findings.push(finding(
                    repository,
                    package,
                    &dependency.name,
                    format!("`{}` uses `{TEST_SUPPORT}` outside tests", package.name),
                    "move it to [dev-dependencies]",
                ));
            }
            continue;
        }
        let Some(used) = repository.packages.iter().find(|other| other.name == dependency.name)
        else {
            continue; // a third party's; see `dependencies`
        };
        let points_down = row(used.short_name()).is_some_and(|used_row| used_row < own_row);
        if !points_down {
            findings.push(finding(
                repository,
                package,
                &dependency.name,
                format!("arrow from `{}` to `{}` does not point down", package.name, used.name),
                "a crate may use crates of lower rows only: move what is shared into a lower row, \
                 or pass it in as a value or a trait",
            ));
        }
    }
}

fn check_names(repository: &Repository, package: &Package, findings: &mut Vec<Finding>) {
    let name = package.short_name();
    let expected = if OUTSIDE.contains(&name) { name.to_owned() } else { format!("crates/{name}") };
    if package.folder != expected {
        findings.push(finding(
            repository,
            package,
            "name =",
            format!("package `{}` is in folder `{}`", package.name, package.folder),
            format!(
                "move it to `{expected}`: a folder is called as its package, without `bytekiln-`"
            ),
        ));
    }
}

fn check_manifest(repository: &Repository, package: &Package, findings: &mut Vec<Finding>) {
    let Some(manifest) = repository.file(&package.manifest()) else { return };
    let mut in_lints = false;
    let mut inherits = false;
    for (_, line) in manifest.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            in_lints = line == "[lints]";
        }
        inherits |= in_lints && line == "workspace = true";
    }
    if !inherits {
        findings.push(manifest.finding(
            1,
            format!("package `{}` does not inherit the workspace's lints", package.name),
            "add `[lints]` with `workspace = true`",
        ));
    }
}

fn check_purity(repository: &Repository, package: &Package, findings: &mut Vec<Finding>) {
    if !PURE.contains(&package.short_name()) {
        return;
    }
    let path = format!("{}/src/lib.rs", package.folder);
    let Some(root) = repository.file(&path) else { return };
    if !root.lines().any(|(_, line)| line.trim() == PURE_LINE) {
        findings.push(root.finding(
            1,
            format!("pure crate `{}` does not deny I/O", package.name),
            format!("add `{PURE_LINE}` after the header"),
        ));
    }
}

fn check_architecture(repository: &Repository, package: &Package, findings: &mut Vec<Finding>) {
    let name = package.short_name();
    let folder = &package.folder;
    let named = repository.file("ARCHITECTURE.md").is_some_and(|file| {
        file.text.contains(&format!("`{name}`")) || file.text.contains(&format!("`{folder}`"))
    });
    if !named && !OUTSIDE.contains(&name) {
        findings.push(Finding {
            path: "ARCHITECTURE.md".to_owned(),
            line: 1,
            message: format!("crate `{}` is not on the map", package.name),
            remedy: format!("name it in backticks (`{folder}`), with what it is for"),
        });
    }
}

/// A finding at the line of a package's manifest that starts with a word.
fn finding(
    repository: &Repository,
    package: &Package,
    word: &str,
    message: String,
    remedy: impl Into<String>,
) -> Finding {
    let path = package.manifest();
    let line = repository
        .file(&path)
        .map_or(1, |file| file.line_where(|line| line.trim_start().starts_with(word)));
    Finding { path, line, message, remedy: remedy.into() }
}
