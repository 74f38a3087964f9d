//! `[graph]`: what is read from it in each home, and what is said about mistakes.

use bytekiln_project::{GraphSettings, selector_text};
use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use crate::{check_error, load};

fn shown(settings: &GraphSettings) -> String {
    let mut text = format!("generated {:?} strings {}\n", settings.generated, settings.strings);
    for rule in &settings.data {
        text.push_str(&format!("data {} of {}\n", rule.glob, rule.modules.join(", ")));
    }
    for rule in &settings.contracts {
        text.push_str(&format!("{}: {} by {:?}\n", rule.place, rule.name, rule.imports));
        for check in &rule.checks {
            text.push_str(&format!("  {check:?}\n"));
        }
        for ignored in &rule.ignored {
            let (from, to) = (selector_text(&ignored.from), selector_text(&ignored.to));
            text.push_str(&format!("  ignored at {}: {from} -> {to}\n", ignored.place));
        }
        for one in &rule.selectors {
            text.push_str(&format!("  {} at {}\n", selector_text(&one.selector), one.place));
        }
    }
    text.replace("Module(", "(").replace("Owner(", "member(")
}

fn check(fixture: &str, expected: Expect) {
    let tree = Tree::new(fixture);
    let workspace = load(&tree, "").unwrap_or_else(|error| panic!("{error}"));
    expected.assert_eq(&shown(&workspace.graph));
}

#[test]
fn all_keys() {
    check(
        "
        //- /a.py
        //- /libs/core/pyproject.toml
        [project]
        name = 'core'
        //- /bytekiln.toml
        [graph]
        generated = ['app.version', 'proto.*']
        strings = true
        data = { 'templates/**' = ['app.views', 'app.mail'], 'x.json' = 'app' }

        [[graph.contract]]
        name = 'down'
        imports = 'eager'
        layers = [
            'web',
            'shop | mail',
            ['a', 'b'],
            'member:core',
        ]
        ignore = ['web.old -> shop.db']

        [[graph.contract]]
        name = 'light'
        from = ['cli']
        forbid = ['numpy']
        except = ['numpy.typing']
        [[graph.contract]]
        name = 'apart'
        independent = ['x', 'y']
        ",
        expect![[r#"
            generated ["app.version", "proto.*"] strings true
            data templates/** of app.views, app.mail
            data x.json of app
            bytekiln.toml:6: down by Eager
              Layers { name: "down", layers: [[("web")], [("shop"), ("mail")], [("a"), ("b")], [member("core")]] }
              Independent { name: "down", groups: [("shop"), ("mail")] }
              ignored at bytekiln.toml:15: web.old -> shop.db
              web at bytekiln.toml:10
              shop at bytekiln.toml:11
              mail at bytekiln.toml:11
              a at bytekiln.toml:12
              b at bytekiln.toml:12
              member:core at bytekiln.toml:13
            bytekiln.toml:17: light by Runtime
              Forbidden { name: "light", from: [("cli")], to: [("numpy")], except: [("numpy.typing")] }
              cli at bytekiln.toml:19
              numpy at bytekiln.toml:20
              numpy.typing at bytekiln.toml:21
            bytekiln.toml:22: apart by Runtime
              Independent { name: "apart", groups: [("x"), ("y")] }
              x at bytekiln.toml:24
              y at bytekiln.toml:24
        "#]],
    );
}

#[test]
fn in_other_homes() {
    check(
        "
        //- /pyproject.toml
        [tool.bytekiln.graph]
        strings = true
        [[tool.bytekiln.graph.contract]]
        name = 'apart'
        independent = ['x', 'y']
        ",
        expect![[r#"
            generated [] strings true
            pyproject.toml:3: apart by Runtime
              Independent { name: "apart", groups: [("x"), ("y")] }
              x at pyproject.toml:5
              y at pyproject.toml:5
        "#]],
    );
    check(
        "
        //- /Cargo.toml
        [package]
        name = 'c'
        version = '1.0.0'
        [package.metadata.bytekiln.graph]
        generated = ['x']
        contract = [{ name = 'apart', independent = ['x', 'y'] }]
        //- /src/lib.rs
        ",
        expect![[r#"
            generated ["x"] strings false
            Cargo.toml:6: apart by Runtime
              Independent { name: "apart", groups: [("x"), ("y")] }
              x at Cargo.toml:6
              y at Cargo.toml:6
        "#]],
    );
    check(
        "//- /bytekiln.toml\n",
        expect![[r#"
        generated [] strings false
    "#]],
    );
}

#[test]
fn mistakes() {
    check_error(
        "
        //- /bytekiln.toml
        contracts = []
        [graph]
        genrated = []
        generated = ['a-b', 'a.*.b', 1]
        string = 1
        data = { '/x' = 'a', 'y' = 1, 'z' = ['a', 'b/c.py'] }
        ",
        expect![[r#"
            unknown key `contracts`
             --> /ROOT/bytekiln.toml:1:1
              |
            1 | contracts = []
              | ^^^^^^^^^
              = help: known here are `workspace`, `files`, `member`, `profile`, `allow-failure`, `cache`, `graph`, `artifact` and `startup`

            unknown key `genrated` in `graph`
             --> /ROOT/bytekiln.toml:3:1
              |
            3 | genrated = []
              | ^^^^^^^^
              = help: did you mean `generated`?

            bad `graph.generated`: `a-b` is no name of a module
             --> /ROOT/bytekiln.toml:4:14
              |
            4 | generated = ['a-b', 'a.*.b', 1]
              |              ^^^^^
              = help: write `a.b`, or `a.b.*` for it and all below

            bad `graph.generated`: `a.*.b` is no name of a module
             --> /ROOT/bytekiln.toml:4:21
              |
            4 | generated = ['a-b', 'a.*.b', 1]
              |                     ^^^^^^^
              = help: write `a.b`, or `a.b.*` for it and all below

            bad `graph.generated`: an integer is not a string
             --> /ROOT/bytekiln.toml:4:30
              |
            4 | generated = ['a-b', 'a.*.b', 1]
              |                              ^

            unknown key `string` in `graph`
             --> /ROOT/bytekiln.toml:5:1
              |
            5 | string = 1
              | ^^^^^^
              = help: did you mean `strings`?

            bad `graph.data`: `/x` is absolute
             --> /ROOT/bytekiln.toml:6:10
              |
            6 | data = { '/x' = 'a', 'y' = 1, 'z' = ['a', 'b/c.py'] }
              |          ^^^^
              = help: globs are relative

            bad `graph.data`: a module or a list of modules is wanted
             --> /ROOT/bytekiln.toml:6:28
              |
            6 | data = { '/x' = 'a', 'y' = 1, 'z' = ['a', 'b/c.py'] }
              |                            ^

            bad `graph.data`: `b/c.py` is no name of a module
             --> /ROOT/bytekiln.toml:6:37
              |
            6 | data = { '/x' = 'a', 'y' = 1, 'z' = ['a', 'b/c.py'] }
              |                                     ^^^^^^^^^^^^^^^"#]],
    );
    check_error(
        "//- /bytekiln.toml\ngraph.data = 1\ngraph.contract = 1\n",
        expect![[r#"
        `graph.data` must be a table of globs and modules
         --> /ROOT/bytekiln.toml:1:14
          |
        1 | graph.data = 1
          |              ^
          = help: write `"app/templates/**" = ["app.views"]` into it

        `graph.contract` must be an array of tables (`[[graph.contract]]`), not an integer
         --> /ROOT/bytekiln.toml:2:18
          |
        2 | graph.contract = 1
          |                  ^"#]],
    );
    check_error(
        "
        //- /core/pyproject.toml
        [project]
        name = 'core'
        //- /bytekiln.toml
        [[graph.contract]]
        layers = ['a']
        [[graph.contract]]
        name = 'none'
        [[graph.contract]]
        name = 'both'
        layers = ['a', 'b']
        forbid = ['b']
        [[graph.contract]]
        name = 'both'
        imports = 'egger'
        independent = ['a', 'member:cor', 'a.*', 'my-app']
        from = ['b']
        [[graph.contract]]
        name = 'both'
        layers = ['a | b', 'c', ['a']]
        ignore = ['a', 'a -> member:']
        [[graph.contract]]
        name = 'whose'
        forbid = ['b']
        layer = []
        ",
        expect![[r#"
            a contract has no `name`
             --> /ROOT/bytekiln.toml:1:1
              |
            1 | [[graph.contract]]
              | ^^^^^^^^^^^^^^^^^^
              = help: add `name = "…"`, as it is to be called in messages

            a contract has none of `layers`, `forbid` and `independent`
             --> /ROOT/bytekiln.toml:3:1
              |
            3 | [[graph.contract]]
              | ^^^^^^^^^^^^^^^^^^
              = help: each has one of them

            a contract has `layers` and `forbid`
             --> /ROOT/bytekiln.toml:5:1
              |
            5 | [[graph.contract]]
              | ^^^^^^^^^^^^^^^^^^
              = help: each has one of them

            bad `graph.contract.imports`: no such value `egger`
              --> /ROOT/bytekiln.toml:11:11
               |
            11 | imports = 'egger'
               |           ^^^^^^^
               = help: did you mean `eager`? allowed are `eager`, `lazy`, `runtime` and `all`

            bad `graph.contract.independent`: `a.*` is no name of a module
              --> /ROOT/bytekiln.toml:12:35
               |
            12 | independent = ['a', 'member:cor', 'a.*', 'my-app']
               |                                   ^^^^^
               = help: a name without `.*` means all below it too

            bad `graph.contract.independent`: `my-app` is no name of a module
              --> /ROOT/bytekiln.toml:12:42
               |
            12 | independent = ['a', 'member:cor', 'a.*', 'my-app']
               |                                          ^^^^^^^^
               = help: modules are named as imports do, members as `member:NAME`

            `from` goes with `forbid`, and not with `independent`
              --> /ROOT/bytekiln.toml:13:1
               |
            13 | from = ['b']
               | ^^^^

            two contracts are called `both`
              --> /ROOT/bytekiln.toml:15:8
               |
            15 | name = 'both'
               |        ^^^^^^

            `a` is in two layers
              --> /ROOT/bytekiln.toml:16:25
               |
            16 | layers = ['a | b', 'c', ['a']]
               |                         ^^^^^

            bad `graph.contract.ignore`: `a` is no import
              --> /ROOT/bytekiln.toml:17:11
               |
            17 | ignore = ['a', 'a -> member:']
               |           ^^^
               = help: write `"importer -> imported"`

            bad `graph.contract.ignore`: `member:` names no member
              --> /ROOT/bytekiln.toml:17:16
               |
            17 | ignore = ['a', 'a -> member:']
               |                ^^^^^^^^^^^^^^

            a contract has `forbid` and no `from`
              --> /ROOT/bytekiln.toml:18:1
               |
            18 | [[graph.contract]]
               | ^^^^^^^^^^^^^^^^^^
               = help: add `from = ["…"]`, or `from = ["member:…"]`

            unknown key `layer` in `graph.contract`
              --> /ROOT/bytekiln.toml:21:1
               |
            21 | layer = []
               | ^^^^^
               = help: did you mean `layers`?

            a contract speaks of a member `cor`, which is not there
              --> /ROOT/bytekiln.toml:12:21
               |
            12 | independent = ['a', 'member:cor', 'a.*', 'my-app']
               |                     ^^^^^^^^^^^^
               = help: did you mean `member:core`?"#]],
    );
    check_error(
        "
        //- /core/pyproject.toml
        [project]
        name = 'core'
        //- /bytekiln.toml
        [[graph.contract]]
        name = 'x'
        independent = ['a', 'member:cor']
        ignore = ['a -> member:elsewhere']
        ",
        expect![[r#"
            a contract speaks of a member `cor`, which is not there
             --> /ROOT/bytekiln.toml:3:21
              |
            3 | independent = ['a', 'member:cor']
              |                     ^^^^^^^^^^^^
              = help: did you mean `member:core`?

            a contract speaks of a member `elsewhere`, which is not there
             --> /ROOT/bytekiln.toml:4:11
              |
            4 | ignore = ['a -> member:elsewhere']
              |           ^^^^^^^^^^^^^^^^^^^^^^^
              = help: the members are: ., core"#]],
    );
}
