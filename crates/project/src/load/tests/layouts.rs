//! Outputs in trees of their own, and beside the sources.

use std::path::PathBuf;

use bytekiln_python::OptimizationLevel;
use expect_test::expect;

use super::{Tree, check, member};
use crate::LayoutSetting;

fn tree(layout: LayoutSetting) -> Tree {
    let mut tree = Tree::new(&[("pkg/a.py", "A = 1"), ("pkg/b.py", "B = 1")], vec![member("")]);
    tree.profile.layout = layout;
    tree
}

fn outputs(tree: &Tree, folder: &str) -> String {
    let mut found = Vec::new();
    let mut stack = vec![tree.path(folder)];
    while let Some(folder) = stack.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "pyc") {
                found.push(path.strip_prefix(&tree.workspace.root).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found.join("\n") + "\n"
}

#[test]
fn a_sourceless_tree() {
    let mut tree = tree(LayoutSetting::Sourceless { out: PathBuf::from("out") });
    tree.build();
    check(
        outputs(&tree, "."),
        expect![[r#"
        out/pkg/a.pyc
        out/pkg/b.pyc
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
    std::fs::remove_file(tree.path("pkg/b.py")).unwrap();
    tree.write("out/stranger.pyc", "");
    check(
        tree.build(),
        expect![[r#"
        remove pkg/b.pyc: SourceGone
        orphan stranger.pyc
        fresh: 1
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 1 sources
    "#]],
    );
    // Back in the tree: what the former layout wrote goes.
    tree.profile.layout = LayoutSetting::Pycache;
    check(
        tree.build(),
        expect![[r#"
        pkg/a.py: New
        remove pkg/a.pyc: TargetGone
        fresh: 0
    "#]],
    );
    tree.profile.layout = LayoutSetting::Sourceless { out: PathBuf::from("pkg/a.py") };
    check(
        tree.scan(),
        expect![[r#"
        the output folder `ROOT/pkg/a.py` is not a folder
        remove it, or choose another `out`
    "#]],
    );
}

#[test]
fn a_prefix_tree() {
    let tree = tree(LayoutSetting::Prefix {
        out: PathBuf::from("out"),
        deploy_root: Some(PathBuf::from("/srv/app")),
    });
    tree.build();
    check(
        outputs(&tree, "."),
        expect![[r#"
        out/srv/app/pkg/a.cpython-311.pyc
        out/srv/app/pkg/b.cpython-311.pyc
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
    std::fs::remove_file(tree.path("out/srv/app/pkg/a.cpython-311.pyc")).unwrap();
    check(
        tree.build(),
        expect![[r#"
        pkg/a.py: OutputMissing
        fresh: 1
    "#]],
    );
}

#[test]
fn beside_the_sources() {
    let mut tree = tree(LayoutSetting::Legacy);
    check(
        tree.build(),
        expect![[r#"
        pkg/a.py: New
        pkg/b.py: New
        fresh: 0
    "#]],
    );
    check(
        outputs(&tree, "."),
        expect![[r#"
        pkg/a.pyc
        pkg/b.pyc
    "#]],
    );
    check(
        tree.build(),
        expect![[r#"
        settled: 2 sources
    "#]],
    );
    tree.profile.levels = vec![OptimizationLevel::Zero, OptimizationLevel::Two];
    check(
        tree.scan(),
        expect![[r#"
        CPython 3.11.1 at level 0 and CPython 3.11.1 at level 2 would both write `m.pyc`
        their file names are the same; give one of them a profile with an `out` of its own
    "#]],
    );
}
