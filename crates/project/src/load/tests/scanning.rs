//! What is a source, what is not, and what is told about it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use bytekiln_action::RepoPath;
use expect_test::expect;
use proptest::prelude::*;

use super::{Tree, check, member};
use crate::{AllowanceRule, Date, PrefixMap, RecordedPathPolicy};

#[test]
fn modules_and_scripts() {
    let tree = Tree::new(
        &[
            ("a.py", ""),
            ("my-tool.py", ""),
            ("window.pyw", ""),
            ("tool", "#!/usr/bin/env python3\n"),
            ("other", "#!/usr/bin/env -S node\n"),
            ("with-options", "#! /usr/bin/env -S -i A=1 /opt/bin/python3.13 -u\n"),
            ("not-executable", "#!/usr/bin/python\n"),
            (".hidden.py", ""),
            ("data.txt", ""),
            ("name with space.py", ""),
            ("new\nline.py", ""),
            ("größe.py", ""),
        ],
        vec![member("")],
    );
    for name in ["tool", "other", "with-options"] {
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(tree.path(name), executable).unwrap();
    }
    std::fs::write(tree.workspace.root.join(OsStr::from_bytes(b"caf\xe9.py")), "").unwrap();
    check(
        tree.scan(),
        expect![[r#"
        a.py [.] a.py
        caf\xe9.py [.] caf\xed\xb3\xa9.py NotAModuleName
        größe.py [.] größe.py
        my-tool.py [.] my-tool.py NotAModuleName
        name with space.py [.] name with space.py NotAModuleName
        new\x0aline.py [.] new\x0aline.py NotAModuleName
        tool [.] tool Shebang
        window.pyw [.] window.pyw NotAModuleName
        with-options [.] with-options Shebang
    "#]],
    );
}

#[test]
fn ignored_hidden_and_virtual_folders() {
    let tree = Tree::new(
        &[
            (".gitignore", "generated/\n*_pb2.py\n!keep_pb2.py\n/only_here.py\n"),
            ("a.py", ""),
            ("only_here.py", ""),
            ("sub/only_here.py", ""),
            ("sub/x_pb2.py", ""),
            ("sub/keep_pb2.py", ""),
            ("sub/__pycache__/x_pb2.cpython-311.pyc", ""),
            ("sub/.gitignore", "local.py\n"),
            ("sub/local.py", ""),
            ("generated/g.py", ""),
            (".hidden/h.py", ""),
            ("node_modules/n.py", ""),
            ("env/pyvenv.cfg", ""),
            ("env/lib/e.py", ""),
        ],
        vec![member("")],
    );
    check(
        tree.scan(),
        expect![[r#"
        a.py [.] a.py
        sub/keep_pb2.py [.] sub/keep_pb2.py
        sub/only_here.py [.] sub/only_here.py
        out of scope: sub/local.py
        out of scope: sub/x_pb2.py
    "#]],
    );
}

#[test]
fn include_and_exclude() {
    let mut own = member("m");
    own.include = vec!["src/**/*.py".to_owned(), ".tools".to_owned()];
    own.exclude = vec!["src/tests/**".to_owned(), "**/*_old.py".to_owned()];
    own.import_roots = vec![RepoPath::new(b"m/src").unwrap()];
    let tree = Tree::new(
        &[
            ("m/setup.py", ""),
            ("m/src/a.py", ""),
            ("m/src/deep/er/b.py", ""),
            ("m/src/deep/b_old.py", ""),
            ("m/src/tests/t.py", ""),
            ("m/docs/conf.py", ""),
            ("m/.tools/run.py", ""),
        ],
        vec![own],
    );
    check(
        tree.scan(),
        expect![[r#"
        m/.tools/run.py [m] m/.tools/run.py
        m/src/a.py [m/src] m/src/a.py
        m/src/deep/er/b.py [m/src] m/src/deep/er/b.py
        Excluded { path: "m/src/deep/b_old.py", glob: "**/*_old.py" }
        Excluded { path: "m/src/tests", glob: "src/tests/**" }
    "#]],
    );
}

#[test]
fn an_inner_member_owns_its_files() {
    let mut tree = Tree::new(
        &[("a.py", ""), ("inner/b.py", ""), ("inner/src/c.py", ""), ("inner2/d.py", "")],
        vec![member(""), member("inner")],
    );
    tree.workspace.members[1].import_roots =
        vec![RepoPath::new(b"inner").unwrap(), RepoPath::new(b"inner/src").unwrap()];
    tree.profile.recorded_path = RecordedPathPolicy::Member;
    check(
        tree.scan(),
        expect![[r#"
        a.py [.] a.py
        inner/b.py [inner] b.py
        inner/src/c.py [inner/src] src/c.py
        inner2/d.py [.] inner2/d.py
    "#]],
    );
    tree.profile.recorded_path = RecordedPathPolicy::ImportRoot;
    tree.profile.path_prefix_map = vec![
        PrefixMap { from: "a.py".to_owned(), to: "/app/main.py".to_owned() },
        PrefixMap { from: String::new(), to: "/srv".to_owned() },
    ];
    check(
        tree.scan(),
        expect![[r#"
        a.py [.] /app/main.py
        inner/b.py [inner] /srv/b.py
        inner/src/c.py [inner/src] /srv/c.py
        inner2/d.py [.] /srv/inner2/d.py
    "#]],
    );
    // Discovery does not let this happen; if it does, it is said.
    tree.workspace.members[0].path = RepoPath::new(b"inner").unwrap();
    tree.workspace.members[0].import_roots = vec![RepoPath::new(b"inner").unwrap()];
    check(
        tree.scan(),
        expect![[r#"
        inner/b.py [inner] /srv/b.py
        inner/src/c.py [inner] /srv/src/c.py
        Error: inner/b.py: two members claim this file: `tree` and `inner`
    "#]],
    );
}

#[test]
fn links() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("o.py"), "").unwrap();
    let tree = Tree::new(&[("pkg/a.py", "A = 1")], vec![member("")]);
    symlink("a.py", tree.path("pkg/same.py")).unwrap();
    symlink("pkg", tree.path("linked")).unwrap();
    symlink("nowhere", tree.path("broken.py")).unwrap();
    symlink("circle.py", tree.path("circle.py")).unwrap();
    symlink(outside.path().join("o.py"), tree.path("leaves.py")).unwrap();
    symlink(outside.path(), tree.path("leaves")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        tree.path("pipe.py"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let outside = outside.path().to_str().unwrap();
    check(
        tree.scan().replace(outside, "OUTSIDE"),
        expect![[r#"
        pkg/a.py [.] pkg/a.py
        pkg/same.py [.] pkg/same.py
        LinkLeavesWorkspace { path: "leaves", to: "OUTSIDE" }
        LinkLeavesWorkspace { path: "leaves.py", to: "OUTSIDE/o.py" }
        BrokenLink { path: "broken.py" }
        BrokenLink { path: "circle.py" }
        LinkInsideWorkspace { path: "linked", to: "pkg" }
        NotARegularFile { path: "pipe.py" }
    "#]],
    );
}

#[test]
fn two_sources_for_one_module_and_names_that_differ_in_case() {
    let tree = Tree::new(
        &[("pkg/__init__.py", ""), ("pkg.py", ""), ("Shapes.py", ""), ("shapes.py", "")],
        vec![member("")],
    );
    check(
        tree.scan(),
        expect![[r#"
        Shapes.py [.] Shapes.py
        pkg.py [.] pkg.py
        pkg/__init__.py [.] pkg/__init__.py
        shapes.py [.] shapes.py
        Warning: Shapes.py: its name differs from `shapes.py` in case only
        Warning: pkg.py: one module has two sources: this file and `pkg/__init__.py`
    "#]],
    );
}

#[test]
fn allowances() {
    let mut tree = Tree::new(&[("a.py", ""), ("old/b.py", "")], vec![member("")]);
    let rule = |glob: &str, year, line| AllowanceRule {
        glob: glob.to_owned(),
        reason: "Python 2".to_owned(),
        expires: Date { year, month: 11, day: 22 },
        place: format!("bytekiln.toml:{line}"),
    };
    tree.workspace.allowances =
        vec![rule("old/**", 2026, 3), rule("a.py", 2025, 7), rule("none/*.py", 2027, 11)];
    check(
        tree.scan(),
        expect![[r#"
        a.py [.] a.py
        old/b.py [.] old/b.py (Python 2)
        Error: bytekiln.toml:7: the allowance for `a.py` has expired on 2025-11-22 (Python 2)
        Warning: bytekiln.toml:11: the allowance for `none/*.py` matches no source
    "#]],
    );
}

#[test]
fn nothing_python() {
    let tree = Tree::new(&[("lib/readme.txt", "")], vec![member("lib")]);
    check(
        tree.scan(),
        expect![[r#"
        no Python file was found in `ROOT/lib`
        `.gitignore` files, `include` and `exclude` globs decide what is in scope
    "#]],
    );
}

proptest! {
    #[test]
    fn two_sources_are_found_as_by_looking_each_one_up(
        paths in proptest::collection::btree_set("(a|a-|b|a\\.b)(/(a|a0|Z|__init__))?(/(a|__init__))?\\.py", 0..40),
    ) {
        let paths: Vec<RepoPath> =
            paths.iter().map(|path| RepoPath::new(path.as_bytes()).unwrap()).collect();
        let found = crate::load::two_sources(paths.iter());
        let mut looked_up = Vec::new();
        for path in paths.iter().filter(|path| path.file_name() == b"__init__.py") {
            let module = [path.parent_bytes(), b".py"].concat();
            let module = RepoPath::new(&module).unwrap();
            if paths.binary_search(&module).is_ok() {
                looked_up.push(Some(module));
            }
        }
        let found: Vec<Option<RepoPath>> = found.into_iter().map(|problem| problem.path).collect();
        prop_assert_eq!(found, looked_up);
    }
}
