//! What the no-op check has to look at.

use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use crate::{load, redacted};

/// Watched paths below the fixture, and the first folder above it as a sign that those are
/// watched too.
fn check(fixture: &str, expected: Expect) {
    let tree = Tree::new(fixture);
    let workspace = load(&tree, "").unwrap();
    let mut lines: Vec<String> = workspace
        .watched
        .iter()
        .filter(|path| path.starts_with(tree.root()))
        .map(|path| redacted(&tree, &path.display().to_string()))
        .collect();
    lines.push(String::new());
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn listed_members_watch_what_their_globs_list() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        members = ['libs/*', 'app']
        //- /libs/a/pyproject.toml
        [project]
        //- /libs/a/src/a.py
        //- /app/x.py
        //- /elsewhere/deep/x.py
        ",
        expect![[r#"
            /ROOT/Cargo.toml
            /ROOT/app
            /ROOT/app/Cargo.toml
            /ROOT/app/bytekiln.toml
            /ROOT/app/pyproject.toml
            /ROOT/app/src
            /ROOT/bytekiln.toml
            /ROOT/libs
            /ROOT/libs/a/Cargo.toml
            /ROOT/libs/a/bytekiln.toml
            /ROOT/libs/a/pyproject.toml
            /ROOT/libs/a/src
            /ROOT/pyproject.toml
        "#]],
    );
}

#[test]
fn a_search_watches_every_folder_it_lists() {
    check(
        "
        //- /.git/HEAD
        //- /.gitignore
        out
        //- /out/x/y.py
        //- /pkg/deep/x.py
        //- /project/pyproject.toml
        [project]
        //- /project/not/searched.py
        ",
        expect![[r#"
            /ROOT
            /ROOT/.gitignore
            /ROOT/Cargo.toml
            /ROOT/bytekiln.toml
            /ROOT/pkg
            /ROOT/pkg/deep
            /ROOT/project
            /ROOT/project/pyproject.toml
            /ROOT/project/src
            /ROOT/pyproject.toml
            /ROOT/src
        "#]],
    );
}
