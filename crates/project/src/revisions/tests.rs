//! Against real repositories.

use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(target_os = "linux")]
use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use super::*;

fn git_command() -> PathBuf {
    PathBuf::from("git")
}

/// Runs git without the settings of whoever runs the tests.
fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main"]);
    command.args(["-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false"]);
    command.args(arguments).current_dir(folder);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", "x"]);
}

fn repository(fixture: &str) -> Tree {
    let tree = Tree::new(fixture);
    git(tree.root(), &["init", "-q"]);
    commit(tree.root());
    git(tree.root(), &["branch", "base"]);
    tree
}

fn shown(changes: &Changes) -> String {
    let mut out = String::new();
    for file in &changes.files {
        let folder = if file.is_folder { "/" } else { "" };
        out.push_str(&format!("{:?} {}{folder}\n", file.status, file.path));
    }
    out
}

#[track_caller]
fn check(root: &Path, revision: &str, expected: Expect) {
    let text = match changes_since(&git_command(), root, revision) {
        Ok(changes) => shown(&changes),
        Err(error) => format!("{error}\nhint: {}\n", error.hint().unwrap_or_default())
            .replace(&*root.to_string_lossy(), "ROOT"),
    };
    expected.assert_eq(&text);
}

#[test]
fn committed_staged_edited_and_untracked() {
    let tree = repository(
        "
        //- /same.py
        a
        //- /committed.py
        a
        //- /staged.py
        a
        //- /edited.py
        a
        //- /gone.py
        a
        //- /moved.py
        a
        //- /dropped.py
        a
        //- /touched.py
        a
        //- /back.py
        a
        //- /.gitignore
        ignored.py
        ",
    );
    let root = tree.root();
    tree.write("committed.py", "b\n");
    tree.write("back.py", "b\n");
    git(root, &["mv", "moved.py", "new name.py"]);
    commit(root);
    tree.write("back.py", "a\n");
    tree.write("staged.py", "b\n");
    git(root, &["add", "staged.py"]);
    git(root, &["rm", "-q", "--cached", "dropped.py"]);
    tree.write("edited.py", "b\n");
    tree.write("ignored.py", "b\n");
    tree.write("line\nbreak \"é\".py", "b\n");
    tree.remove("gone.py");
    let file = std::fs::File::options().write(true).open(tree.path("touched.py")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    check(
        root,
        "base",
        expect![[r#"
            Modified committed.py
            Modified dropped.py
            Modified edited.py
            Deleted gone.py
            Added line\x0abreak "é".py
            Deleted moved.py
            Added new name.py
            Modified staged.py
        "#]],
    );
}

/// macOS has no such names.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text() {
    let tree = repository("//- /a.py\na\n");
    std::fs::write(tree.root().join(OsStr::from_bytes(b"\xff.py")), "x").unwrap();
    check(
        tree.root(),
        "base",
        expect![[r#"
            Added \xff.py
        "#]],
    );
}

#[test]
fn what_the_revision_did_meanwhile_does_not_count() {
    let tree = repository("//- /a.py\na\n//- /b.py\nb\n");
    let root = tree.root();
    tree.write("a.py", "mine\n");
    commit(root);
    git(root, &["checkout", "-q", "base"]);
    tree.write("b.py", "theirs\n");
    commit(root);
    git(root, &["checkout", "-q", "main"]);
    check(
        root,
        "base",
        expect![[r#"
            Modified a.py
        "#]],
    );
}

#[test]
fn below_a_folder_of_the_repository() {
    let tree = repository("//- /other/a.py\na\n//- /my work/pkg/b.py\nb\n");
    tree.write("other/a.py", "x\n");
    tree.write("other/new.py", "x\n");
    tree.write("my work/pkg/b.py", "x\n");
    tree.write("my work/pkg/new.py", "x\n");
    // A user's setting must not matter.
    git(tree.root(), &["config", "diff.relative", "true"]);
    let root = tree.path("my work");
    check(
        &root,
        "base",
        expect![[r#"
            Modified pkg/b.py
            Added pkg/new.py
        "#]],
    );
    let changes = changes_since(&git_command(), &root, "base").unwrap();
    assert_eq!(changes.outside, [tree.path("other/a.py")]);
}

#[test]
fn repositories_within() {
    let inner = repository("//- /x.py\nx\n");
    let tree = repository("//- /a.py\na\n");
    let root = tree.root();
    let from = inner.root().to_string_lossy().into_owned();
    git(root, &["submodule", "--quiet", "add", &from, "sub"]);
    commit(root);
    git(root, &["branch", "with-submodule"]);
    check(root, "with-submodule", expect![[""]]);
    tree.write("sub/x.py", "y\n");
    std::fs::create_dir(tree.path("plain")).unwrap();
    git(&tree.path("plain"), &["init", "-q"]);
    tree.write("plain/a.py", "y\n");
    check(
        root,
        "with-submodule",
        expect![[r#"
            Added plain/
            Modified sub/
        "#]],
    );
}

#[test]
fn no_answer() {
    let tree = repository("//- /a.py\na\n");
    let root = tree.root();
    check(
        root,
        "origin/main",
        expect![[r#"
            git knows no revision `origin/main`
            hint: if it is a branch of a remote: `git fetch origin main`
        "#]],
    );
    check(
        root,
        "base..main",
        expect![[r#"
            git knows no revision `base..main`
            hint: name one revision: what counts is what changed since it and HEAD parted
        "#]],
    );
    check(
        root,
        "--output=x",
        expect![[r#"
            git knows no revision `--output=x`
            hint: name a commit, a branch or a tag; `git branch -a` shows the branches
        "#]],
    );
    git(root, &["checkout", "-q", "--orphan", "island"]);
    tree.write("a.py", "b\n");
    commit(root);
    check(
        root,
        "main",
        expect![[r#"
            `main` and HEAD have no commit in common
            hint: name a revision of the history that HEAD is part of
        "#]],
    );
    let plain = Tree::new("//- /a.py\na\n");
    check(
        plain.root(),
        "main",
        expect![[r#"
            `ROOT` is in no git repository (not a git repository (or any of the parent directories): .git)
            hint: name the changed files with --files or --files-from
        "#]],
    );
    let error = changes_since(Path::new("/no/such/git"), root, "main").unwrap_err();
    assert!(matches!(error.kind, RevisionErrorKind::NotStarted { .. }), "{error}");
}

#[test]
fn a_shallow_clone() {
    let tree = repository("//- /a.py\na\n");
    tree.write("a.py", "b\n");
    commit(tree.root());
    let clone = Tree::new("");
    let from = format!("file://{}", tree.root().display());
    git(clone.root(), &["clone", "-q", "--depth", "1", "--no-single-branch", &from, "clone"]);
    let root = clone.path("clone");
    check(
        &root,
        "HEAD~1",
        expect![[r#"
            git knows no revision `HEAD~1`
            hint: the clone is shallow: `git fetch --unshallow`, or in CI clone with all of the history (`fetch-depth: 0`)
        "#]],
    );
    check(
        &root,
        "origin/base",
        expect![[r#"
            `origin/base` and HEAD have no commit in common
            hint: the clone is shallow: `git fetch --unshallow`, or in CI clone with all of the history (`fetch-depth: 0`)
        "#]],
    );
}
