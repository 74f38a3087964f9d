//! `[startup.NAME]`: what is read from it, what is said about mistakes, and how what is allowed is written.

use bytekiln_project::set_startup_allowed;
use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use crate::{check_error, load, redacted};

#[expect(clippy::needless_pass_by_value, reason = "written at the call")]
fn check(fixture: &str, expected: Expect) {
    let tree = Tree::new(fixture);
    let workspace = load(&tree, "").unwrap_or_else(|error| panic!("{error}"));
    expected.assert_eq(&format!("{:#?}\n", workspace.startup));
}

#[test]
fn all_keys() {
    check(
        "
        //- /a.py
        //- /pyproject.toml
        [project]
        name = 'a'
        [tool.bytekiln.startup.cli]
        entry = 'app.cli'
        python = '3.11'
        optimize = 1
        folder = './apps/'
        max-modules = 120
        allowed = ['app.*', 'json']
        budget = '1.5s'
        [tool.bytekiln.startup.tool]
        command = ['tool.py', '--help']
        allowed = 'startup/tool.txt'
        ",
        expect![[r#"
            [
                StartupRule {
                    name: "cli",
                    command: [
                        "-c",
                        "import app.cli",
                    ],
                    python: Some(
                        Version {
                            numbers: [
                                3,
                                11,
                            ],
                            free_threaded: false,
                        },
                    ),
                    optimize: One,
                    folder: Some(
                        "apps",
                    ),
                    max_modules: Some(
                        120,
                    ),
                    allowed: Some(
                        Listed(
                            [
                                "app.*",
                                "json",
                            ],
                        ),
                    ),
                    budget_milliseconds: Some(
                        1500,
                    ),
                    place: "pyproject.toml:3",
                },
                StartupRule {
                    name: "tool",
                    command: [
                        "tool.py",
                        "--help",
                    ],
                    python: None,
                    optimize: Zero,
                    folder: None,
                    max_modules: None,
                    allowed: Some(
                        File(
                            "startup/tool.txt",
                        ),
                    ),
                    budget_milliseconds: None,
                    place: "pyproject.toml:11",
                },
            ]
        "#]],
    );
}

#[test]
fn mistakes() {
    check_error(
        "
        //- /a.py
        //- /bytekiln.toml
        [startup.none]
        max-modules = -1
        [startup.both]
        entry = 'a'
        command = ['a.py']
        budget = '5 minutes'
        [startup.idle]
        entry = 'my-app'
        [startup.odd]
        command = []
        optimize = 3
        allowed = ['a b', 'x*']
        alowed = 1
        ",
        expect![[r#"
            `startup.none` names no program
             --> /ROOT/bytekiln.toml:1:10
              |
            1 | [startup.none]
              |          ^^^^
              = help: write `entry = "app.main"` to import a module, or `command = ["-m", "app"]`

            `startup.none.max-modules` must be a whole number, not below 0
             --> /ROOT/bytekiln.toml:2:15
              |
            2 | max-modules = -1
              |               ^^

            `startup.both` has `entry` and `command`
             --> /ROOT/bytekiln.toml:3:10
              |
            3 | [startup.both]
              |          ^^^^
              = help: write `entry = "app.main"` to import a module, or `command = ["-m", "app"]`

            bad `startup.both.budget`: `5 minutes` is no time
             --> /ROOT/bytekiln.toml:6:10
              |
            6 | budget = '5 minutes'
              |          ^^^^^^^^^^^
              = help: write a number and a unit, such as `250ms` or `1.5s`

            `startup.idle` limits nothing
             --> /ROOT/bytekiln.toml:7:10
              |
            7 | [startup.idle]
              |          ^^^^
              = help: add `allowed = []`, and let `bytekiln importtime --check --update` fill it, or `max-modules` or `budget`

            bad `startup.idle.entry`: `my-app` is no name of a module
             --> /ROOT/bytekiln.toml:8:9
              |
            8 | entry = 'my-app'
              |         ^^^^^^^^
              = help: name it as an import does; scripts and options go into `command`

            `startup.odd.command` is empty
              --> /ROOT/bytekiln.toml:10:11
               |
            10 | command = []
               |           ^^

            `startup.odd.optimize` must be 0, 1 or 2
              --> /ROOT/bytekiln.toml:11:12
               |
            11 | optimize = 3
               |            ^

            bad `startup.odd.allowed`: `a b` names no module
              --> /ROOT/bytekiln.toml:12:12
               |
            12 | allowed = ['a b', 'x*']
               |            ^^^^^
               = help: write `a.b`, or `a.b.*` for it and all below

            bad `startup.odd.allowed`: `x*` names no module
              --> /ROOT/bytekiln.toml:12:19
               |
            12 | allowed = ['a b', 'x*']
               |                   ^^^^
               = help: write `a.b`, or `a.b.*` for it and all below

            unknown key `alowed` in `startup.odd`
              --> /ROOT/bytekiln.toml:13:1
               |
            13 | alowed = 1
               | ^^^^^^
               = help: did you mean `allowed`?"#]],
    );
}

/// Sets what is allowed, and shows the file; a second time nothing is written.
#[expect(clippy::needless_pass_by_value, reason = "written at the call")]
fn set(fixture: &str, names: &[&str], file: &str, expected: Expect) {
    let tree = Tree::new(fixture);
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let workspace = load(&tree, "").unwrap_or_else(|error| panic!("{error}"));
    let rule = workspace.startup.first().unwrap();
    let written = set_startup_allowed(&workspace, rule, &names).unwrap();
    assert_eq!(written, Some(tree.path(file)));
    let text = String::from_utf8(tree.read(file)).unwrap();
    expected.assert_eq(&redacted(&tree, &text));
    let workspace = load(&tree, "").unwrap_or_else(|error| panic!("{error}"));
    let rule = workspace.startup.first().unwrap();
    assert_eq!(set_startup_allowed(&workspace, rule, &names).unwrap(), None);
}

#[test]
fn the_manifest_keeps_its_formatting() {
    let listed = "
        //- /a.py
        //- /bytekiln.toml
        # The house.
        [startup.cli]  # the command
        entry = 'a'
        allowed = [
            'a',      # ours
            'gone',   # no longer
            # Of the standard library.
            'json.*',
        ]
        [profile.release]
        optimize = [ 0,2 ]
        ";
    set(
        listed,
        &["a", "json.*", "new"],
        "bytekiln.toml",
        expect![[r##"
        # The house.
        [startup.cli]  # the command
        entry = 'a'
        allowed = [
            'a',      # ours
            # Of the standard library.
            'json.*',
            "new",
        ]
        [profile.release]
        optimize = [ 0,2 ]
    "##]],
    );
    let missing = "
        //- /a.py
        //- /bytekiln.toml
        [startup.cli]
        entry = 'a'
        allowed = []
        # end
        ";
    set(
        missing,
        &["b", "a"],
        "bytekiln.toml",
        expect![[r#"
        [startup.cli]
        entry = 'a'
        allowed = [
            "a",
            "b",
        ]
        # end
    "#]],
    );
    let inline = "
        //- /a.py
        //- /pyproject.toml
        [tool.bytekiln]
        startup.cli = { entry = 'a', max-modules = 3 }
        ";
    set(
        inline,
        &["a"],
        "pyproject.toml",
        expect![[r#"
        [tool.bytekiln]
        startup.cli = { entry = 'a', max-modules = 3 , allowed = [
            "a",
        ] }
    "#]],
    );
}

#[test]
fn a_file_of_names() {
    let file = "
        //- /a.py
        //- /startup/cli.txt
        # Reviewed by the platform team.
        a
        gone
        //- /bytekiln.toml
        [startup.cli]
        entry = 'a'
        allowed = 'startup/cli.txt'
        ";
    set(
        file,
        &["a", "b"],
        "startup/cli.txt",
        expect![[r#"
        # Reviewed by the platform team.
        a
        b
    "#]],
    );
}
