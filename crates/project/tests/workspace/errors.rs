//! Every message about what a manifest says, as it is rendered.

use bytekiln_test_support::fixture::Tree;
use expect_test::expect;

use crate::{check_error as check, load, redacted};

#[test]
fn syntax() {
    check(
        "//- /bytekiln.toml\n[workspace]\nmembers = [\n  'a'\n",
        expect![[r#"
        unclosed array, expected `]`
         --> /ROOT/bytekiln.toml:3:6
          |
        3 |   'a'
          |      ^"#]],
    );
    check(
        "//- /bytekiln.toml\n[workspace]\n[workspace]\n",
        expect![[r#"
        duplicate key
         --> /ROOT/bytekiln.toml:2:2
          |
        2 | [workspace]
          |  ^^^^^^^^^"#]],
    );
    check(
        "//- /bytekiln.toml\nx = 'a\tb' y\n",
        expect![[r#"
            unexpected key or value, expected newline, `#`
             --> /ROOT/bytekiln.toml:1:11
              |
            1 | x = 'a→b' y
              |       →   ^"#]],
    );
    let tree = Tree::new("//- /x.py\n");
    tree.write("bytekiln.toml", b"[workspace]\n# caf\xe9\n");
    let error = load(&tree, "").unwrap_err();
    expect![[r#"
        the manifest is not UTF-8
         --> /ROOT/bytekiln.toml:2:6
          |
        2 | # caf�
          |      ^
          = help: TOML files are UTF-8; save it in that encoding"#]]
    .assert_eq(&redacted(&tree, &error.to_string()));
}

#[test]
fn unknown_keys_all_at_once() {
    check(
        "
        //- /bytekiln.toml
        members = ['.']
        mode = 'checked-hash'
        colour = 1
        profiles.dev.mode = 'checked-hash'

        [workspace]
        member = ['a']
        include = []
        [member.x]
        import_roots = []
        [profile.dev]
        \toptimise = [0]  # a tab before it
        [files]
        excludes = []
        [cache]
        size = 1
        [[allow-failure]]
        path = 'x'
        reason = 'y'
        expires = 2030-01-01
        until = 1
        ",
        expect![[r#"
            unknown key `members`
             --> /ROOT/bytekiln.toml:1:1
              |
            1 | members = ['.']
              | ^^^^^^^
              = help: did you mean `workspace.members`?

            unknown key `mode`
             --> /ROOT/bytekiln.toml:2:1
              |
            2 | mode = 'checked-hash'
              | ^^^^
              = help: did you mean `profile.dev.mode`?

            unknown key `colour`
             --> /ROOT/bytekiln.toml:3:1
              |
            3 | colour = 1
              | ^^^^^^
              = help: known here are `workspace`, `files`, `member`, `profile`, `allow-failure`, `cache`, `graph`, `artifact` and `startup`

            unknown key `profiles`
             --> /ROOT/bytekiln.toml:4:1
              |
            4 | profiles.dev.mode = 'checked-hash'
              | ^^^^^^^^
              = help: did you mean `profile`?

            unknown key `member` in `workspace`
             --> /ROOT/bytekiln.toml:7:1
              |
            7 | member = ['a']
              | ^^^^^^
              = help: did you mean `members`?

            unknown key `include` in `workspace`
             --> /ROOT/bytekiln.toml:8:1
              |
            8 | include = []
              | ^^^^^^^
              = help: did you mean `files.include`?

            unknown key `import_roots` in `member.x`
              --> /ROOT/bytekiln.toml:10:1
               |
            10 | import_roots = []
               | ^^^^^^^^^^^^
               = help: did you mean `import-roots`?

            unknown key `optimise` in `profile.dev`
              --> /ROOT/bytekiln.toml:12:2
               |
            12 | →optimise = [0]  # a tab before it
               | →^^^^^^^^
               = help: did you mean `optimize`?

            unknown key `excludes` in `files`
              --> /ROOT/bytekiln.toml:14:1
               |
            14 | excludes = []
               | ^^^^^^^^
               = help: did you mean `exclude`?

            unknown key `size` in `cache`
              --> /ROOT/bytekiln.toml:16:1
               |
            16 | size = 1
               | ^^^^
               = help: known here are `dir`, `max-size`, `remote` and `remote-read-only`

            unknown key `until` in `allow-failure`
              --> /ROOT/bytekiln.toml:21:1
               |
            21 | until = 1
               | ^^^^^
               = help: known here are `path`, `reason` and `expires`"#]],
    );
}

#[test]
fn wrong_types() {
    check(
        "
        //- /bytekiln.toml
        member = 1
        profile = { dev = 1 }
        allow-failure = ['x']
        [workspace]
        members = 'libs/*'
        exclude = ['a', 1]
        python = [3.10]
        [files]
        include = [['x']]
        [cache]
        dir = false
        max-size = -1
        ",
        expect![[r#"
            `member` must be a table, not an integer
             --> /ROOT/bytekiln.toml:1:10
              |
            1 | member = 1
              |          ^

            `profile.dev` must be a table, not an integer
             --> /ROOT/bytekiln.toml:2:19
              |
            2 | profile = { dev = 1 }
              |                   ^

            `allow-failure` must hold tables, not a string
             --> /ROOT/bytekiln.toml:3:18
              |
            3 | allow-failure = ['x']
              |                  ^^^

            `workspace.members` must be an array of strings, not a string
             --> /ROOT/bytekiln.toml:5:11
              |
            5 | members = 'libs/*'
              |           ^^^^^^^^

            bad `workspace.exclude`: an integer is not a string
             --> /ROOT/bytekiln.toml:6:17
              |
            6 | exclude = ['a', 1]
              |                 ^

            bad `workspace.python`: `3.1` is not a string
             --> /ROOT/bytekiln.toml:7:11
              |
            7 | python = [3.10]
              |           ^^^^
              = help: write versions as strings: `"3.10"` as a number would be 3.1

            bad `files.include`: an array is not a string
             --> /ROOT/bytekiln.toml:9:12
              |
            9 | include = [['x']]
              |            ^^^^^

            `cache.dir` must be a string, not a boolean
              --> /ROOT/bytekiln.toml:11:7
               |
            11 | dir = false
               |       ^^^^^

            `cache.max-size` is negative
              --> /ROOT/bytekiln.toml:12:12
               |
            12 | max-size = -1
               |            ^^"#]],
    );
    check(
        "//- /bytekiln.toml\nworkspace = 1\nallow-failure = 1\nfiles = []\n",
        expect![[r#"
        `workspace` must be a table, not an integer
         --> /ROOT/bytekiln.toml:1:13
          |
        1 | workspace = 1
          |             ^

        `allow-failure` must be an array of tables (`[[allow-failure]]`), not an integer
         --> /ROOT/bytekiln.toml:2:17
          |
        2 | allow-failure = 1
          |                 ^

        `files` must be a table, not an array
         --> /ROOT/bytekiln.toml:3:9
          |
        3 | files = []
          |         ^^"#]],
    );
}

#[test]
fn bad_values_in_profiles() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        python = []
        [profile.one]
        mode = 'unchecked_hash'
        optimize = [0, 3, 'x']
        python = ['3', '3.x', '3.13t', '3.13t', '']
        layout = 'prefixed'
        recorded-path = 'absolute'
        path-prefix-map = ['a']
        debug-ranges = 'no'
        orphans = 'delete'
        [profile.two]
        mode = 'timestamp'
        optimize = []
        out = 'out'
        deploy-root = '/app'
        path-prefix-map = { a = 1 }
        [profile.three]
        optimize = 7
        layout = 'prefix'
        out = '{name}'
        deploy-root = 'app'
        [profile.four]
        layout = 'sourceless'
        out = './'
        ['profile'.'fi/ve']
        ",
        expect![[r#"
            `workspace.python` names no interpreter
             --> /ROOT/bytekiln.toml:2:10
              |
            2 | python = []
              |          ^^
              = help: leave the key out to get the default one

            bad `profile.one.mode`: no such value `unchecked_hash`
             --> /ROOT/bytekiln.toml:4:8
              |
            4 | mode = 'unchecked_hash'
              |        ^^^^^^^^^^^^^^^^
              = help: did you mean `unchecked-hash`? allowed are `checked-hash` and `unchecked-hash`

            bad `profile.one.optimize`: not an optimization level
             --> /ROOT/bytekiln.toml:5:16
              |
            5 | optimize = [0, 3, 'x']
              |                ^
              = help: levels are 0, 1 and 2

            bad `profile.one.optimize`: not an optimization level
             --> /ROOT/bytekiln.toml:5:19
              |
            5 | optimize = [0, 3, 'x']
              |                   ^^^
              = help: levels are 0, 1 and 2

            bad `profile.one.python`: `3` does not say which minor version, e.g. `3.14`
             --> /ROOT/bytekiln.toml:6:11
              |
            6 | python = ['3', '3.x', '3.13t', '3.13t', '']
              |           ^^^

            bad `profile.one.python`: `3.x` is not a version such as `3.14`, `3.13.1` or `3.13t`
             --> /ROOT/bytekiln.toml:6:16
              |
            6 | python = ['3', '3.x', '3.13t', '3.13t', '']
              |                ^^^^^

            `profile.one.python` names an interpreter twice
             --> /ROOT/bytekiln.toml:6:32
              |
            6 | python = ['3', '3.x', '3.13t', '3.13t', '']
              |                                ^^^^^^^

            bad `profile.one.python`: `` is empty or has blanks around it
             --> /ROOT/bytekiln.toml:6:41
              |
            6 | python = ['3', '3.x', '3.13t', '3.13t', '']
              |                                         ^^

            bad `profile.one.layout`: no such value `prefixed`
             --> /ROOT/bytekiln.toml:7:10
              |
            7 | layout = 'prefixed'
              |          ^^^^^^^^^^
              = help: did you mean `prefix`? allowed are `pycache`, `prefix`, `legacy` and `sourceless`

            bad `profile.one.recorded-path`: no such value `absolute`
             --> /ROOT/bytekiln.toml:8:17
              |
            8 | recorded-path = 'absolute'
              |                 ^^^^^^^^^^
              = help: allowed are `workspace`, `member` and `import-root`

            bad `profile.one.path-prefix-map`: `a` is not `FROM=TO`
             --> /ROOT/bytekiln.toml:9:20
              |
            9 | path-prefix-map = ['a']
              |                    ^^^

            `profile.one.debug-ranges` must be `true` or `false`, not a string
              --> /ROOT/bytekiln.toml:10:16
               |
            10 | debug-ranges = 'no'
               |                ^^^^

            bad `profile.one.orphans`: no such value `delete`
              --> /ROOT/bytekiln.toml:11:11
               |
            11 | orphans = 'delete'
               |           ^^^^^^^^
               = help: allowed are `report` and `remove`

            bad `profile.two.mode`: no such value `timestamp`
              --> /ROOT/bytekiln.toml:13:8
               |
            13 | mode = 'timestamp'
               |        ^^^^^^^^^^^
               = help: timestamps are not reproducible; allowed are `checked-hash` and `unchecked-hash`

            `profile.two.optimize` names no level
              --> /ROOT/bytekiln.toml:14:12
               |
            14 | optimize = []
               |            ^^
               = help: levels are 0, 1 and 2

            `profile.two.path-prefix-map` must map strings to strings
              --> /ROOT/bytekiln.toml:17:25
               |
            17 | path-prefix-map = { a = 1 }
               |                         ^

            bad `profile.three.optimize`: not an optimization level
              --> /ROOT/bytekiln.toml:19:12
               |
            19 | optimize = 7
               |            ^
               = help: levels are 0, 1 and 2

            bad `profile.three.out`: unknown placeholder in `{name}`
              --> /ROOT/bytekiln.toml:21:7
               |
            21 | out = '{name}'
               |       ^^^^^^^^
               = help: only `{profile}` is replaced, by the profile's name

            bad `profile.three.deploy-root`: `app` is not a plain absolute path
              --> /ROOT/bytekiln.toml:22:15
               |
            22 | deploy-root = 'app'
               |               ^^^^^
               = help: name the folder that the workspace has when the program runs, e.g. `/app`

            bad `profile.four.out`: `./` is not a folder of its own
              --> /ROOT/bytekiln.toml:25:7
               |
            25 | out = './'
               |       ^^^^
               = help: name a folder that holds nothing else, e.g. `.bytekiln/{profile}`

            bad profile name `fi/ve`
              --> /ROOT/bytekiln.toml:26:12
               |
            26 | ['profile'.'fi/ve']
               |            ^^^^^^^
               = help: use letters, digits, `-` and `_`: it becomes part of file names

            `profile.two.out` has no meaning with layout `pycache`
              --> /ROOT/bytekiln.toml:15:7
               |
            15 | out = 'out'
               |       ^^^^^
               = help: it is for `prefix` and `sourceless`, which have a tree of their own

            `profile.two.deploy-root` has no meaning with layout `pycache`
              --> /ROOT/bytekiln.toml:16:15
               |
            16 | deploy-root = '/app'
               |               ^^^^^^
               = help: it is for `prefix`, whose tree repeats the workspace's absolute path"#]],
    );
}

#[test]
fn inheritance() {
    check(
        "
        //- /bytekiln.toml
        [profile.dev]
        inherits = 'release'
        [profile.a]
        inherits = 'b'
        [profile.b]
        inherits = 'c'
        [profile.c]
        inherits = 'a'
        [profile.into-circle]
        inherits = 'b'
        [profile.orphan]
        inherits = 'releese'
        [profile.self]
        inherits = 'self'
        ",
        expect![[r#"
            `dev` cannot inherit: every other profile ends in it
             --> /ROOT/bytekiln.toml:2:12
              |
            2 | inherits = 'release'
              |            ^^^^^^^^^
              = help: remove `inherits`

            profiles inherit in a circle: a → b → c → a
             --> /ROOT/bytekiln.toml:8:12
              |
            8 | inherits = 'a'
              |            ^^^

            no profile `releese` to inherit from
              --> /ROOT/bytekiln.toml:12:12
               |
            12 | inherits = 'releese'
               |            ^^^^^^^^^
               = help: did you mean `release`?

            profiles inherit in a circle: self → self
              --> /ROOT/bytekiln.toml:14:12
               |
            14 | inherits = 'self'
               |            ^^^^^^"#]],
    );
}

#[test]
fn layouts_with_one_file_a_module() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        python = ['3.11', '3.14']
        [profile.base]
        optimize = [0, 2]
        [profile.image]
        inherits = 'base'
        layout = 'sourceless'
        [profile.old]
        layout = 'legacy'
        optimize = [1, 2]
        python = '3.11'
        ",
        expect![[r#"
            profile `image` has several interpreters, but layout `sourceless` has one file a module
             --> /ROOT/bytekiln.toml:2:10
              |
            2 | python = ['3.11', '3.14']
              |          ^^^^^^^^^^^^^^^^
              = help: its file names carry neither level nor version: make it one, or use layout `pycache` or `prefix`

            profile `image` has several optimization levels, but layout `sourceless` has one file a module
             --> /ROOT/bytekiln.toml:4:12
              |
            4 | optimize = [0, 2]
              |            ^^^^^^
              = help: its file names carry neither level nor version: make it one, or use layout `pycache` or `prefix`

            profile `old` has several optimization levels, but layout `legacy` has one file a module
              --> /ROOT/bytekiln.toml:10:12
               |
            10 | optimize = [1, 2]
               |            ^^^^^^
               = help: its file names carry neither level nor version: make it one, or use layout `pycache` or `prefix`"#]],
    );
}

#[test]
fn allowances() {
    check(
        "
        //- /bytekiln.toml
        [[allow-failure]]
        path = '/vendor/**'
        reason = ' '
        expires = '2030-01-01'
        [[allow-failure]]
        path = 'vendor/**'
        [[allow-failure]]
        path = 'a{b'
        reason = 'x'
        expires = 2030-01-01T00:00:00
        ",
        expect![[r#"
            bad `allow-failure.path`: `/vendor/**` is absolute
             --> /ROOT/bytekiln.toml:2:8
              |
            2 | path = '/vendor/**'
              |        ^^^^^^^^^^^^
              = help: globs are relative

            bad `allow-failure.reason`: an empty reason
             --> /ROOT/bytekiln.toml:3:10
              |
            3 | reason = ' '
              |          ^^^
              = help: say why these files may fail

            `allow-failure.expires` must be a date
             --> /ROOT/bytekiln.toml:4:11
              |
            4 | expires = '2030-01-01'
              |           ^^^^^^^^^^^^
              = help: write it without quotes and time: `expires = 2027-01-31`

            an `allow-failure` rule has no `reason`
             --> /ROOT/bytekiln.toml:5:1
              |
            5 | [[allow-failure]]
              | ^^^^^^^^^^^^^^^^^
              = help: add `reason = "waits for upstream"`

            an `allow-failure` rule has no `expires`
             --> /ROOT/bytekiln.toml:5:1
              |
            5 | [[allow-failure]]
              | ^^^^^^^^^^^^^^^^^
              = help: add `expires = 2027-01-31`, the last day on which it holds

            bad `allow-failure.path`: `a{b` is not a glob: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
             --> /ROOT/bytekiln.toml:8:8
              |
            8 | path = 'a{b'
              |        ^^^^^

            `allow-failure.expires` must be a date
              --> /ROOT/bytekiln.toml:10:11
               |
            10 | expires = 2030-01-01T00:00:00
               |           ^^^^^^^^^^^^^^^^^^^
               = help: write it without quotes and time: `expires = 2027-01-31`"#]],
    );
}

#[test]
fn sizes() {
    for size in ["'5 XB'", "'99999999999999999999'", "'18446744073709551615TB'", "1.5"] {
        let tree = Tree::new(&format!("//- /bytekiln.toml\ncache.max-size = {size}\n"));
        assert!(load(&tree, "").is_err(), "{size}");
    }
    check(
        "//- /bytekiln.toml\n[cache]\nmax-size = 'much'\n",
        expect![[r#"
        bad `cache.max-size`: `much` is not a size
         --> /ROOT/bytekiln.toml:2:12
          |
        2 | max-size = 'much'
          |            ^^^^^^
          = help: write a whole number and a unit, e.g. `5GB`, `500MB` or `2GiB`"#]],
    );
}
