//! What is wrong with sources, for people. Of installed trees, which nobody here can mend, one line
//! each says how many sources could not be read whole. Knows no disk.

use std::path::PathBuf;

use bytekiln_action::RepoPath;
use bytekiln_planner::{Problem, Severity};
use bytekiln_python::Release;

use super::contents::Contents;
use super::trees::TreeFile;
use crate::path::{absolute, show};

/// Packages beside a module of their name.
pub(super) fn two_sources(files: &[TreeFile]) -> Vec<Problem> {
    let built = files.iter().filter(|file| file.is_built());
    crate::load::two_sources(built.map(|file| &file.path))
}

/// The first release that knows the statement `lazy import` (PEP 810).
const LAZY: u8 = 15;

/// Unreadable files, what could have hidden imports, and in the workspace what `release` cannot
/// compile.
pub(super) fn of_sources(
    files: &[TreeFile],
    contents: &mut Contents,
    trees: &[PathBuf],
    release: Release,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    // Of each tree how many, and one of them.
    let mut installed: Vec<(usize, Option<String>)> = vec![(0, None); trees.len()];
    let mut count = |tree: u32, path: &RepoPath, what: String| {
        let folder = trees.get(tree as usize);
        if let (Some(place), Some(folder)) = (installed.get_mut(tree as usize), folder) {
            place.0 += 1;
            place.1.get_or_insert_with(|| format!("`{}`{what}", show(&absolute(folder, path))));
        }
    };
    for (tree, problem) in contents.unreadable.drain(..) {
        match &problem.path {
            Some(path) if tree > 0 => count(tree, path, format!(": {}", problem.message)),
            _ => problems.push(problem),
        }
    }
    for (file, content) in files.iter().zip(&contents.of) {
        let record = contents.records.of(content);
        let lazy = record.and_then(|record| record.lazy_statement());
        if let Some(line) = lazy.filter(|_| file.tree == 0 && release.minor() < LAZY) {
            problems.push(Problem {
                severity: Severity::Warning,
                path: Some(file.path.clone()),
                message: format!(
                    "line {line}: `lazy` before an import is a syntax error in Python {release}"
                ),
                hint: Some(format!("Python 3.{LAZY} is the first that knows it")),
            });
        }
        let Some(first) = record.and_then(|record| record.problems().first()) else { continue };
        if file.tree > 0 {
            count(file.tree, &file.path, format!(", line {}: {}", first.line, first.message));
            continue;
        }
        for problem in record.into_iter().flat_map(|record| record.problems()) {
            problems.push(Problem {
                severity: Severity::Warning,
                path: Some(file.path.clone()),
                message: format!("line {}: {}", problem.line, problem.message),
                hint: Some("imports near this line may be missing from the graph".to_owned()),
            });
        }
    }
    for (folder, (count, first)) in trees.iter().zip(installed) {
        let Some(first) = first else { continue };
        let sources = if count == 1 { "source".to_owned() } else { format!("{count} sources") };
        problems.push(Problem {
            severity: Severity::Warning,
            path: None,
            message: format!("{sources} in `{}` could not be read whole: {first}", show(folder)),
            hint: None,
        });
    }
    problems
}
