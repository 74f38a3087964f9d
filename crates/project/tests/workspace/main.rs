//! What the crate makes of manifests and trees, through its public face: workspaces, messages,
//! edits. Each test is a tree in one string and what is said about it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arbitrary;
mod artifact_errors;
mod artifacts;
mod declared;
mod documented;
mod edits;
mod errors;
mod graph;
mod initial;
mod members;
mod profiles;
mod refusals;
mod startup;
mod watching;

use bytekiln_project::{Workspace, WorkspaceError, load_workspace};
use bytekiln_test_support::fixture::Tree;

/// Loads the workspace of a tree that is no part of any repository around it.
fn load(tree: &Tree, start: &str) -> Result<Workspace, WorkspaceError> {
    load_workspace(&tree.path(start), None)
}

/// Paths of the temporary folder as `/ROOT`, tabs as `→`.
fn redacted(tree: &Tree, text: &str) -> String {
    text.replace(&tree.root().display().to_string(), "/ROOT").replace('\t', "→")
}

/// What is said about a tree that must not load.
fn check_error(fixture: &str, expected: expect_test::Expect) {
    let tree = Tree::new(fixture);
    match load(&tree, "") {
        Ok(workspace) => panic!("loaded: {workspace:?}"),
        Err(error) => expected.assert_eq(&redacted(&tree, &error.to_string())),
    }
}

/// The members and problems of a workspace, one line each.
fn summary(tree: &Tree, workspace: &Workspace) -> String {
    use std::fmt::Write;
    let mut text = format!("root {}", workspace.root.display());
    match &workspace.manifest {
        Some(path) => writeln!(text, ", settings in {}", path.display()).unwrap(),
        None => writeln!(text, ", no settings").unwrap(),
    }
    for member in &workspace.members {
        let roots: Vec<String> = member.import_roots.iter().map(ToString::to_string).collect();
        write!(text, "{} at {} ({:?})", member.name, member.path, member.origin).unwrap();
        write!(text, " imports from {}", roots.join(", ")).unwrap();
        for (name, globs) in [("include", &member.include), ("exclude", &member.exclude)] {
            if !globs.is_empty() {
                write!(text, " {name} {}", globs.join(" ")).unwrap();
            }
        }
        text.push('\n');
    }
    for problem in &workspace.problems {
        let path = problem.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
        writeln!(text, "{:?}: {path}{}", problem.severity, problem.message).unwrap();
        if let Some(hint) = &problem.hint {
            writeln!(text, "  help: {hint}").unwrap();
        }
    }
    redacted(tree, &text)
}
