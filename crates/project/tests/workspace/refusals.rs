//! Every message about what a manifest refers to (folders, other manifests), as it is rendered.

use bytekiln_project::load_workspace;
use bytekiln_test_support::fixture::Tree;
use expect_test::expect;

use crate::{check_error as check, load, redacted};

#[test]
fn patterns_of_members() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
        [member.monei]
        [member.'libs/money']
        import-roots = ['src', '..', '/x']
        //- /libs/money/m.py
        //- /file.py
        //- /own/bytekiln.toml
        ",
        expect![[r#"
            bad `workspace.members`: `/abs` is absolute
             --> /ROOT/bytekiln.toml:2:12
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |            ^^^^^^
              = help: members are named by their path below the workspace

            bad `workspace.members`: `../out` leaves the workspace
             --> /ROOT/bytekiln.toml:2:20
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |                    ^^^^^^^^
              = help: put the manifest into a folder that holds all members

            bad `workspace.members`: `a//b` has an empty or `.` component
             --> /ROOT/bytekiln.toml:2:30
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |                              ^^^^^^

            bad `workspace.members`: an empty path
             --> /ROOT/bytekiln.toml:2:38
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |                                      ^^
              = help: write `.` for the workspace's own folder

            bad `workspace.members`: `x[` is not a glob: unclosed character class; missing ']'
             --> /ROOT/bytekiln.toml:2:42
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |                                          ^^^^

            bad `member."libs/money".import-roots`: `..` is not a plain path below its folder
             --> /ROOT/bytekiln.toml:5:24
              |
            5 | import-roots = ['src', '..', '/x']
              |                        ^^^^
              = help: leave out `..`, `.` and doubled slashes

            bad `member."libs/money".import-roots`: `/x` is absolute
             --> /ROOT/bytekiln.toml:5:30
              |
            5 | import-roots = ['src', '..', '/x']
              |                              ^^^^

            member `libs/mony` does not exist
             --> /ROOT/bytekiln.toml:2:48
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |                                                ^^^^^^^^^^^
              = help: did you mean `libs/money`?

            member `file.py` is a file
             --> /ROOT/bytekiln.toml:2:61
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |                                                             ^^^^^^^^^
              = help: members are folders; `include` in `[member.NAME]` chooses files

            member `own` is a workspace of its own (`own/bytekiln.toml`)
             --> /ROOT/bytekiln.toml:2:72
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |                                                                        ^^^^^
              = help: move its settings here, or remove it from `members`

            member `nowhere` does not exist
             --> /ROOT/bytekiln.toml:2:79
              |
            2 | members = ['/abs', '../out', 'a//b', '', 'x[', 'libs/mony', 'file.py', 'own', 'nowhere']
              |                                                                               ^^^^^^^^^"#]],
    );
}

#[test]
fn links_as_members() {
    let tree = Tree::new(
        "
        //- /w/bytekiln.toml
        [workspace]
        members = ['inner', 'outer']
        //- /w/libs/a/a.py
        //- /elsewhere/x.py
        ",
    );
    std::os::unix::fs::symlink(tree.path("w/libs/a"), tree.path("w/inner")).unwrap();
    std::os::unix::fs::symlink(tree.path("elsewhere"), tree.path("w/outer")).unwrap();
    let error = load(&tree, "w").unwrap_err();
    expect![[r#"
        member `inner` is a link to `libs/a`
         --> /ROOT/w/bytekiln.toml:2:12
          |
        2 | members = ['inner', 'outer']
          |            ^^^^^^^
          = help: list the folder that it points to

        member `outer` is a link that leaves the workspace
         --> /ROOT/w/bytekiln.toml:2:21
          |
        2 | members = ['inner', 'outer']
          |                     ^^^^^^^
          = help: only what is below the workspace can be compiled reproducibly"#]]
    .assert_eq(&redacted(&tree, &error.to_string()));
}

#[test]
fn two_members_claim_one_file_or_name() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        members = ['a', 'a/inner', 'b', 'c/b']
        [member.a]
        import-roots = ['inner/src']
        //- /a/inner/src/x.py
        //- /b/x.py
        //- /c/b/x.py
        ",
        expect![[r#"
            two members are called `b`: `b` and `c/b`
             --> /ROOT/bytekiln.toml
              = help: give one a name of its own: `[member."c/b"]` with `name = "…"`

            import root `a/inner/src` of member `a` lies in member `inner` (`a/inner`)
             --> /ROOT/bytekiln.toml
              = help: a file belongs to one member: the innermost around it"#]],
    );
    check(
        "
        //- /Cargo.toml
        [workspace]
        members = ['crates/*']
        [workspace.metadata.bytekiln]
        //- /crates/one/Cargo.toml
        [package]
        name = 'one'
        [package.metadata.bytekiln]
        python-root = '../../python/inner'
        import-roots = ['missing']
        //- /crates/one/src/lib.rs
        //- /crates/two/Cargo.toml
        [package]
        name = 'two'
        [package.metadata.bytekiln]
        python-root = '../../../python'
        profile = {}
        //- /crates/two/src/lib.rs
        //- /crates/three/Cargo.toml
        [package]
        name = 'three'
        [package.metadata.bytekiln]
        python-root = 'pyhton'
        //- /crates/three/src/lib.rs
        //- /python/inner/x.py
        ",
        expect![[r#"
            unknown key `profile`
             --> /ROOT/crates/two/Cargo.toml:5:1
              |
            5 | profile = {}
              | ^^^^^^^
              = help: known here are `python-root`, `name`, `include`, `exclude` and `import-roots`

            import root `python/inner/missing` is not a folder
             --> /ROOT/crates/one/Cargo.toml:5:17
              |
            5 | import-roots = ['missing']
              |                 ^^^^^^^^^

            `python-root` is `pyhton`, which is not a folder
             --> /ROOT/crates/three/Cargo.toml:4:15
              |
            4 | python-root = 'pyhton'
              |               ^^^^^^^^
              = help: name the folder that holds the crate's Python packages

            `python-root` is `../../../python`, outside of the workspace
             --> /ROOT/crates/two/Cargo.toml:4:15
              |
            4 | python-root = '../../../python'
              |               ^^^^^^^^^^^^^^^^^
              = help: all members lie below the workspace"#]],
    );
}

#[test]
fn two_manifests_in_one_folder() {
    check(
        "
        //- /bytekiln.toml
        //- /pyproject.toml
        [tool.bytekiln]
        ",
        expect![[r#"
            two manifests in one folder: `bytekiln.toml` and `[tool.bytekiln]` in `pyproject.toml`
             --> /ROOT
              = help: keep the settings in one of them"#]],
    );
}

#[test]
fn broken_projects_of_members() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        members = ['a', 'b']
        //- /a/pyproject.toml
        [project
        //- /b/pyproject.toml
        name =
        ",
        expect![[r#"
            unclosed table, expected `]`
             --> /ROOT/a/pyproject.toml:1:9
              |
            1 | [project
              |         ^

            string values must be quoted, expected literal string
             --> /ROOT/b/pyproject.toml:1:7
              |
            1 | name =
              |       ^"#]],
    );
}

#[test]
fn settings_that_are_no_table() {
    check(
        "//- /pyproject.toml\n[tool]\nbytekiln = 1\n",
        expect![[r#"
            `tool.bytekiln` must be a table
             --> /ROOT/pyproject.toml:2:12
              |
            2 | bytekiln = 1
              |            ^"#]],
    );
}

#[test]
fn manifest_paths() {
    let tree = Tree::new("//- /a.toml\n//- /sub/x.py\n");
    let say = |path: &str| {
        let error = load_workspace(tree.root(), Some(path.as_ref())).unwrap_err();
        redacted(&tree, &error.to_string())
    };
    expect![[r#"
        not a manifest
         --> /ROOT/a.toml
          = help: name a `bytekiln.toml`, `pyproject.toml` or `Cargo.toml`, or a folder"#]]
    .assert_eq(&say("a.toml"));
    expect![[r#"
        no such file or folder
         --> missing/bytekiln.toml"#]]
    .assert_eq(&say("missing/bytekiln.toml"));
}

#[test]
fn a_cargo_toml_that_cargo_refuses() {
    let tree = Tree::new(
        "
        //- /Cargo.toml
        [workspace]
        members = ['gone']
        [workspace.metadata.bytekiln]
        ",
    );
    let error = load(&tree, "").unwrap_err();
    let text = redacted(&tree, &error.to_string());
    // The rest is cargo's own wording.
    assert!(text.starts_with("`cargo metadata` failed: error: "), "{text}");
    assert!(text.contains("gone"), "{text}");
    assert!(text.contains("--> /ROOT/Cargo.toml"), "{text}");
}
