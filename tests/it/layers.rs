//! `layers`: contracts in each home of a manifest, what breaks them, and what is said of it; and that
//! members of a uv workspace see each other as they do when installed.

use std::path::Path;

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::sandbox::{Output, Sandbox, finish};

const SHOP: &str = "
    //- /pyproject.toml
    [tool.uv.workspace]
    members = ['libs/*', 'apps/*']
    [[tool.bytekiln.graph.contract]]
    name = 'the way down'
    layers = ['web', 'mail | cart', 'member:core']
    ignore = ['core.old -> web']
    [[tool.bytekiln.graph.contract]]
    name = 'light start'
    from = ['web.cli']
    forbid = ['numpy']
    imports = 'eager'
    indirect = true
    [[tool.bytekiln.graph.contract]]
    name = 'apart'
    independent = ['cart', 'core']
    imports = 'eager'
    //- /libs/core/pyproject.toml
    [project]
    name = 'core'
    //- /libs/core/src/core/__init__.py
    //- /libs/core/src/core/low.py
    from typing import TYPE_CHECKING
    if TYPE_CHECKING:
        import web
    import web.app, json  # no
    def send():
        from mail import box; import cart
    //- /libs/core/src/core/old.py
    import web
    //- /libs/mail/pyproject.toml
    [project]
    name = 'mail'
    dependencies = ['Core >= 1']
    //- /libs/mail/src/mail/__init__.py
    import core
    //- /libs/mail/src/mail/box.py
    import cart
    //- /libs/cart/pyproject.toml
    [project]
    name = 'cart'
    dynamic = ['dependencies']
    //- /libs/cart/src/cart/__init__.py
    //- /apps/web/pyproject.toml
    [project]
    name = 'web'
    [dependency-groups]
    dev = ['core']
    //- /apps/web/src/web/__init__.py
    //- /apps/web/src/web/cli.py
    from . import app
    //- /apps/web/src/web/app.py
    import core.low
    import web.plot
    //- /apps/web/src/web/plot.py
    import numpy
";

/// The status and what is said, without the time that it took.
fn said(output: &Output) -> String {
    let lines = output.stderr.lines().map(|line| match line.rsplit_once(" in ") {
        Some((before, time)) if time.ends_with('s') && time.contains('.') => before.to_owned(),
        _ => line.to_owned(),
    });
    let lines: Vec<String> = lines.collect();
    format!("status {}\n{}\n", output.status.code().unwrap(), lines.join("\n"))
}

fn layers(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut all = vec!["layers", "--python", "3.13"];
    all.extend_from_slice(arguments);
    sandbox.run(&all)
}

fn check(fixture: &str, arguments: &[&str], status: i32, expected: Expect) {
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    expected.assert_eq(&said(&layers(&sandbox, arguments).code(status)));
}

#[test]
fn broken_contracts_are_shown_with_their_lines() {
    check(
        SHOP,
        &[],
        1,
        expect![[r#"
            status 1
            error: `core.low` imports `web.app` [the way down]
             --> libs/core/src/core/low.py:4:1
              |
            4 | import web.app, json  # no
              | ^^^^^^^^^^^^^^^^^^^^
              = note: `member:core` is below `web`, and must not import it
            error: `core.low` imports `mail.box` (in a function) [the way down]
             --> libs/core/src/core/low.py:6:5
              |
            6 |     from mail import box; import cart
              |     ^^^^^^^^^^^^^^^^^^^^
              = note: `member:core` is below `mail`, and must not import it
            error: `core.low` imports `cart` (in a function) [the way down]
             --> libs/core/src/core/low.py:6:27
              |
            6 |     from mail import box; import cart
              |                           ^^^^^^^^^^^
              = note: `member:core` is below `cart`, and must not import it
            error: `mail.box` imports `cart` [the way down]
             --> libs/mail/src/mail/box.py:1:1
              |
            1 | import cart
              | ^^^^^^^^^^^
              = note: `mail` and `cart` must not import each other
            error: `web.cli` imports `numpy` by way of `web.app` [light start]
             --> apps/web/src/web/cli.py:1:1
              |
            1 | from . import app
              | ^^^^^^^^^^^^^^^^^
              = note: `web.cli` must not import `numpy`, not even indirectly
                      `web.app` imports `web.plot` at apps/web/src/web/app.py:2
                      `web.plot` imports `numpy` at apps/web/src/web/plot.py:1
                  Broken the way down: 4 imports (1 import let pass)
                  Broken light start: 1 import
                    Kept apart
                  Failed 1 kept, 2 broken by 5 imports over 10 sources
        "#]],
    );
}

#[test]
fn some_contracts_by_other_imports() {
    check(
        SHOP,
        &["--contract", "apart"],
        0,
        expect![[r#"
            status 0
                    Kept apart
                Finished 1 contract kept over 10 sources
        "#]],
    );
    let runtime = ["--contract", "apart", "--imports", "runtime"];
    check(
        SHOP,
        &runtime,
        1,
        expect![[r#"
            status 1
            error: `core.low` imports `cart` (in a function) [apart]
             --> libs/core/src/core/low.py:6:27
              |
            6 |     from mail import box; import cart
              |                           ^^^^^^^^^^^
              = note: `core` and `cart` must not import each other
                  Broken apart: 1 import
                  Failed 0 kept, 1 broken by 1 import over 10 sources
        "#]],
    );
    check(
        SHOP,
        &["--contract", "a part"],
        2,
        expect![[r#"
            status 2
            error: there is no contract `a part`
              = help: the contracts are: `the way down`, `light start`, `apart`
        "#]],
    );
}

#[test]
fn dependencies_have_to_be_declared() {
    check(
        SHOP,
        &["--declared", "--contract", "apart"],
        1,
        expect![[r#"
            status 1
            warning: the dependencies in `libs/cart/pyproject.toml` are dynamic
              = help: list them under `[project]` to have its imports checked
            error: `core.low` imports `web.app` [declared dependencies]
             --> libs/core/src/core/low.py:4:1
              |
            4 | import web.app, json  # no
              | ^^^^^^^^^^^^^^^^^^^^
              = note: `libs/core/pyproject.toml` does not declare `web` as a dependency
            error: `core.low` imports `mail.box` (in a function) [declared dependencies]
             --> libs/core/src/core/low.py:6:5
              |
            6 |     from mail import box; import cart
              |     ^^^^^^^^^^^^^^^^^^^^
              = note: `libs/core/pyproject.toml` does not declare `mail` as a dependency
            error: `core.low` imports `cart` (in a function) [declared dependencies]
             --> libs/core/src/core/low.py:6:27
              |
            6 |     from mail import box; import cart
              |                           ^^^^^^^^^^^
              = note: `libs/core/pyproject.toml` does not declare `cart` as a dependency
            error: `core.old` imports `web` [declared dependencies]
             --> libs/core/src/core/old.py:1:1
              |
            1 | import web
              | ^^^^^^^^^^
              = note: `libs/core/pyproject.toml` does not declare `web` as a dependency
            error: `mail.box` imports `cart` [declared dependencies]
             --> libs/mail/src/mail/box.py:1:1
              |
            1 | import cart
              | ^^^^^^^^^^^
              = note: `libs/mail/pyproject.toml` does not declare `cart` as a dependency
                    Kept apart
                  Broken declared dependencies: 5 imports
                  Failed 1 kept, 1 broken by 5 imports over 10 sources
        "#]],
    );
}

#[test]
fn without_contracts() {
    check(
        "//- /a.py\n",
        &[],
        2,
        expect![[r#"
            status 2
            error: there are no contracts to check
              = help: write one into `bytekiln.toml`, such as
              [[graph.contract]]
              name = "layers of the shop"
              layers = ["shop.web", "shop.cart | shop.mail", "member:core"]
        "#]],
    );
    check(
        "//- /a.py\n",
        &["--declared"],
        0,
        expect![[r#"
            status 0
                    Kept declared dependencies
                Finished 1 contract kept over 1 source
        "#]],
    );
}

#[test]
fn what_is_not_there_is_a_warning() {
    check(
        "
        //- /bytekiln.toml
        [[graph.contract]]
        name = 'one'
        layers = ['app.web', 'app.kore', 'my']
        [[graph.contract]]
        name = 'two'
        from = ['app']
        forbid = ['pandas', 'app.nothing']
        ignore = ['app.web -> pandas']
        //- /app/web.py
        import numpy
        //- /my/pyproject.toml
        [project]
        name = 'my'
        //- /my/m.py
        ",
        &[],
        0,
        expect![[r#"
            status 0
            warning: bytekiln.toml:3: the contract `one` speaks of `app.kore`, and there is no such module
              = help: modules are named as imports do; `bytekiln graph` lists them
            warning: bytekiln.toml:3: the contract `one` speaks of `my`, and there is no such module
              = help: the member of this name is `member:my`
            warning: bytekiln.toml:7: the contract `two` speaks of `app.nothing`, and there is no such module
              = help: modules are named as imports do; `bytekiln graph` lists them
            warning: bytekiln.toml:8: `app.web -> pandas` lets no import pass that would break the contract `two`
              = help: remove it
                    Kept one
                    Kept two
                Finished 2 contracts kept over 2 sources
        "#]],
    );
}

#[test]
fn a_cargo_manifest() {
    let fixture = "
        //- /Cargo.toml
        [package]
        name = 'mixed'
        version = '1.0.0'
        [package.metadata.bytekiln.graph]
        contract = [{ name = 'down', layers = ['app.web', 'app.base'] }]
        //- /src/lib.rs
        //- /app/base.py
        import app.web
        //- /app/web.py
    ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    let cargo = std::env::var_os("CARGO").unwrap();
    let folder = Path::new(&cargo).parent().unwrap().display().to_string();
    let path = format!("{folder}:{}:/usr/bin:/bin", sandbox.beside("bin").display());
    let mut command = sandbox.command(&["layers", "--python", "3.13"]);
    let output = finish(command.env("PATH", path)).code(1);
    expect![[r#"
        status 1
        error: `app.base` imports `app.web` [down]
         --> app/base.py:1:1
          |
        1 | import app.web
          | ^^^^^^^^^^^^^^
          = note: `app.base` is below `app.web`, and must not import it
              Broken down: 1 import
              Failed 0 kept, 1 broken by 1 import over 2 sources
    "#]]
    .assert_eq(&said(&output));
}

#[test]
fn as_json() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let output = layers(&sandbox, &["--format", "json", "--contract", "light start"]).code(1);
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(output.stderr, "");
    expect![[r#"
        {
          "contracts": [
            {
              "form": "forbid",
              "ignored": 0,
              "imports": "eager",
              "kept": false,
              "name": "light start",
              "place": "pyproject.toml:7",
              "violations": [
                {
                  "import": {
                    "column": 1,
                    "file": "apps/web/src/web/cli.py",
                    "imports": "eager",
                    "kinds": [
                      "relative"
                    ],
                    "line": 1
                  },
                  "imported": {
                    "file": "apps/web/src/web/app.py",
                    "kind": "module",
                    "name": "web.app",
                    "origin": "workspace",
                    "owner": "web",
                    "reason": null
                  },
                  "importer": {
                    "file": "apps/web/src/web/cli.py",
                    "kind": "module",
                    "name": "web.cli",
                    "origin": "workspace",
                    "owner": "web",
                    "reason": null
                  },
                  "reason": "`web.cli` must not import `numpy`, not even indirectly",
                  "then": [
                    {
                      "import": {
                        "column": 1,
                        "file": "apps/web/src/web/app.py",
                        "imports": "eager",
                        "kinds": [],
                        "line": 2
                      },
                      "imported": {
                        "file": "apps/web/src/web/plot.py",
                        "kind": "module",
                        "name": "web.plot",
                        "origin": "workspace",
                        "owner": "web",
                        "reason": null
                      }
                    },
                    {
                      "import": {
                        "column": 1,
                        "file": "apps/web/src/web/plot.py",
                        "imports": "eager",
                        "kinds": [],
                        "line": 1
                      },
                      "imported": {
                        "file": null,
                        "kind": "unresolved",
                        "name": "numpy",
                        "origin": "unresolved",
                        "owner": null,
                        "reason": "not-found"
                      }
                    }
                  ]
                }
              ]
            }
          ],
          "kept": false,
          "problems": [],
          "python": "3.13",
          "schema": "bytekiln-layers/1"
        }"#]]
    .assert_eq(&format!("{value:#}"));
}

/// Which files import which, by `graph`.
fn imports(fixture: &str, expected: Expect) {
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    let graph = ["graph", "--format", "json-map", "--internal", "--python", "3.13"];
    let output = sandbox.run(&graph).success();
    let map: Value = serde_json::from_str(&output.stdout).unwrap();
    let mut text = String::new();
    for (file, imports) in map.as_object().unwrap() {
        let imports: Vec<&str> =
            imports.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        text.push_str(format!("{file}: {}", imports.join(", ")).trim_end());
        text.push('\n');
    }
    expected.assert_eq(&text);
}

/// ruff#24182: a folder that happens to hold a module of the name is no place to import from;
/// a member's own module comes before another's.
#[test]
fn members_of_a_uv_workspace_see_their_own() {
    imports(
        "
        //- /pyproject.toml
        [tool.uv.workspace]
        members = ['services/*', 'libs/*']
        //- /services/api/pyproject.toml
        [project]
        name = 'api'
        //- /services/api/start.py
        import graphql
        import helpers
        from shared.text import wrap
        //- /services/api/helpers.py
        //- /services/mail/pyproject.toml
        [project]
        name = 'mail'
        //- /services/mail/start.py
        import helpers
        //- /services/mail/helpers.py
        //- /libs/shared/pyproject.toml
        [project]
        name = 'shared'
        [build-system]
        requires = ['uv_build']
        build-backend = 'uv_build'
        //- /libs/shared/src/shared/__init__.py
        //- /libs/shared/src/shared/text.py
        //- /internal/linter/for/__init__.py
        //- /internal/linter/for/graphql.py
        ",
        expect![[r#"
            internal/linter/for/__init__.py:
            internal/linter/for/graphql.py:
            libs/shared/src/shared/__init__.py:
            libs/shared/src/shared/text.py:
            services/api/helpers.py:
            services/api/start.py: libs/shared/src/shared/text.py, services/api/helpers.py
            services/mail/helpers.py:
            services/mail/start.py: services/mail/helpers.py
        "#]],
    );
}

/// ruff#20701: one namespace over several roots of one's own, as Polylith lays them out; tach#564:
/// the same over members of a uv workspace.
#[test]
fn a_namespace_over_several_roots() {
    imports(
        "
        //- /pyproject.toml
        [project]
        name = 'flint'
        [tool.bytekiln.member.flint]
        import-roots = ['bases', 'components']
        //- /bases/flint/api/__init__.py
        from flint.greeting import hello
        from flint.greeting.words import WORDS
        //- /components/flint/greeting/__init__.py
        from .words import WORDS
        //- /components/flint/greeting/words.py
        ",
        expect![[r#"
            bases/flint/api/__init__.py: components/flint/greeting/__init__.py, components/flint/greeting/words.py
            components/flint/greeting/__init__.py: components/flint/greeting/words.py
            components/flint/greeting/words.py:
        "#]],
    );
    imports(
        "
        //- /pyproject.toml
        [tool.uv.workspace]
        members = ['packages/*']
        //- /packages/one/pyproject.toml
        [project]
        name = 'acme-one'
        //- /packages/one/src/acme/one/__init__.py
        import acme.two.deep
        //- /packages/two/pyproject.toml
        [project]
        name = 'acme-two'
        [tool.uv.build-backend]
        module-root = 'python'
        //- /packages/two/python/acme/two/__init__.py
        //- /packages/two/python/acme/two/deep.py
        from acme import one
        ",
        expect![[r#"
            packages/one/src/acme/one/__init__.py: packages/two/python/acme/two/deep.py
            packages/two/python/acme/two/__init__.py:
            packages/two/python/acme/two/deep.py: packages/one/src/acme/one/__init__.py
        "#]],
    );
}
