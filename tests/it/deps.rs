//! `deps` and `rdeps`: on a made-up monorepo, as lines, trees, paths and JSON.

use bytekiln_test_support::pythons;
use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

/// Two members, every kind of import, and all that can be wrong with one.
pub(crate) const MONOREPO: &str = r#"
    //- /bytekiln.toml
    [workspace]
    members = ["core", "web"]
    //- /core/pyproject.toml
    [project]
    name = "core"
    //- /core/src/core/__init__.py
    VERSION = 1
    //- /core/src/core/models.py
    from typing import TYPE_CHECKING
    from core import VERSION
    from . import fields
    if TYPE_CHECKING:
        from core.admin import Admin
    //- /core/src/core/fields.py
    import core.models
    //- /core/src/core/admin.py
    import core.models
    def site():
        from core import report
    //- /core/src/core/report.py
    from core.admin import site
    //- /core/src/core/slow.py
    lazy from core import quick
    //- /core/src/core/quick.py
    import core.slow
    //- /core/src/core/own.py
    import core.own
    //- /web/pyproject.toml
    [project]
    name = "web"
    //- /web/src/web/__init__.py
    //- /web/src/web/app.py
    import json
    from core.models import (
        Model,  # the base
    )
    import web.view
    import nowhere
    from .... import far
    def late():
        import web.late
        import web.view
    //- /web/src/web/view.py
    lazy import web.heavy
    //- /web/src/web/heavy.py
    import core.fields
    //- /web/src/web/late.py
    import web.deep.down
    //- /web/src/web/deep/__init__.py
    import web.deep.side
    //- /web/src/web/deep/side.py
    //- /web/src/web/deep/down.py
    "#;

pub(crate) fn sandbox() -> Option<Sandbox> {
    Sandbox::new(MONOREPO)
}

/// Runs a command on the graph of Python 3.15, which has lazy imports.
pub(crate) fn ask(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut all = arguments.to_vec();
    all.extend_from_slice(&["--python", "3.15"]);
    sandbox.run(&all)
}

/// The JSON of a command that ends with a status.
#[track_caller]
pub(crate) fn json(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let mut all = arguments.to_vec();
    all.extend_from_slice(&["--format", "json"]);
    let output = ask(sandbox, &all).code(code);
    serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}", output.shown()))
}

/// A line with single spaces.
fn spaced(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Lines of standard output, with single spaces.
#[track_caller]
fn check(sandbox: &Sandbox, arguments: &[&str], expected: &[&str]) {
    let output = ask(sandbox, arguments).success();
    let lines: Vec<String> = output.stdout.lines().map(spaced).collect();
    assert_eq!(lines, expected, "{}", output.shown());
}

fn names(value: &Value) -> Vec<String> {
    let rows = value.as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_module_imports() {
    let Some(sandbox) = sandbox() else { return };
    let expected = [
        "core.models web/src/web/app.py:2",
        "web.late web/src/web/app.py:9 in a function",
        "web.view web/src/web/app.py:5 and 1 more import",
        "json web/src/web/app.py:1 standard library",
        "nowhere web/src/web/app.py:6 unresolved: not found",
    ];
    let output = ask(&sandbox, &["deps", "web.app"]).success();
    let lines: Vec<String> = output.stdout.lines().map(spaced).collect();
    assert_eq!(lines[..5], expected, "{}", output.shown());
    assert!(lines[5].ends_with("web/src/web/app.py:7 unresolved: more dots than packages"));
    assert_eq!(lines.len(), 6);
    output.says(&["Found 6 modules: 3 of the workspace, 1 of the standard library, 2 unresolved"]);
    // -v shows every import, and a path names a module too.
    check(
        &sandbox,
        &["deps", "web/src/web/app.py", "-v", "--only", "workspace"],
        &[
            "core.models web/src/web/app.py:2",
            "web.late web/src/web/app.py:9 in a function",
            "web.view web/src/web/app.py:5",
            "web/src/web/app.py:10 in a function",
        ],
    );
    check(
        &sandbox,
        &["deps", "web.app", "--only", "stdlib,workspace", "--imports", "eager"],
        &[
            "core.models web/src/web/app.py:2",
            "web.view web/src/web/app.py:5",
            "json web/src/web/app.py:1 standard library",
        ],
    );
    // A module that imports itself, and an empty one.
    check(&sandbox, &["deps", "core.own"], &[]);
    check(&sandbox, &["rdeps", "core.own"], &[]);
    ask(&sandbox, &["deps", "core/src/core/__init__.py"]).success().says(&["Found no modules"]);
}

#[test]
fn who_imports_a_module() {
    let Some(sandbox) = sandbox() else { return };
    check(
        &sandbox,
        &["rdeps", "core.models"],
        &[
            "core.admin core/src/core/admin.py:1",
            "core.fields core/src/core/fields.py:1",
            "web.app web/src/web/app.py:2",
        ],
    );
    check(&sandbox, &["rdeps", "core.admin"], &["core.report core/src/core/report.py:1"]);
    check(
        &sandbox,
        &["rdeps", "core.admin", "--imports", "all"],
        &[
            "core.models core/src/core/models.py:5 for type checkers",
            "core.report core/src/core/report.py:1",
        ],
    );
    // Of a member: what it imports of itself is left out; so is the member.
    check(
        &sandbox,
        &["rdeps", "member:core"],
        &["web.app web/src/web/app.py:2", "web.heavy web/src/web/heavy.py:1"],
    );
    check(
        &sandbox,
        &["rdeps", "core/src", "--by", "member"],
        &["web web/src/web/app.py:2 2 modules"],
    );
    check(&sandbox, &["deps", "member:core", "--transitive", "--by", "member"], &[]);
}

#[test]
fn modules_are_told_apart_by_the_imports_that_load_them() {
    let Some(sandbox) = sandbox() else { return };
    let output = ask(&sandbox, &["deps", "web.app", "--transitive", "--only", "workspace"]);
    let output =
        output.success().says(&["Found 5 modules eagerly, 1 more lazily, 4 more in functions"]);
    let lines: Vec<String> = output.stdout.lines().map(spaced).collect();
    assert_eq!(
        lines,
        [
            "core core/src/core/models.py 2 imports away, package around it",
            "core.fields core/src/core/models.py:3 2 imports away",
            "core.models web/src/web/app.py:2",
            "web web/src/web/app.py package around it",
            "web.deep web/src/web/deep/down.py in functions, 3 imports away, package around it",
            "web.deep.down web/src/web/late.py:1 in functions, 2 imports away",
            "web.deep.side web/src/web/deep/__init__.py:1 in functions, 4 imports away",
            "web.heavy web/src/web/view.py:1 lazily, 2 imports away",
            "web.late web/src/web/app.py:9 in functions",
            "web.view web/src/web/app.py:5",
        ]
    );
    let value = json(&sandbox, &["deps", "web.app", "--transitive"], 0);
    assert_eq!(value["schema"], "bytekiln-deps/1");
    assert_eq!(value["direction"], "dependencies");
    assert_eq!((&value["imports"], &value["depth"]), (&"runtime".into(), &Value::Null));
    let counts = &value["counts"];
    assert_eq!((&counts["eager"], &counts["lazy"]), (&9.into(), &1.into()), "{counts}");
    assert_eq!((&counts["runtime"], &counts["all"]), (&4.into(), &0.into()), "{counts}");
    let module = |name: &str| {
        let rows = value["modules"].as_array().unwrap().iter();
        rows.clone().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{value:#}")).clone()
    };
    let heavy = module("web.heavy");
    assert_eq!((&heavy["reached"], &heavy["distance"]), (&"lazy".into(), &2.into()));
    assert_eq!((&heavy["by"]["from"], &heavy["by"]["line"]), (&"web.view".into(), &1.into()));
    assert_eq!(heavy["by"]["kinds"][0], "lazy");
    assert_eq!((&heavy["owner"], &heavy["origin"]), (&"web".into(), &"workspace".into()));
    assert_eq!(heavy["direct"], Value::Array(Vec::new()));
    let view = module("web.view");
    let lines: Vec<&Value> =
        view["direct"].as_array().unwrap().iter().map(|import| &import["line"]).collect();
    assert_eq!(lines, [&Value::from(5), &Value::from(10)]);
    assert_eq!(view["direct"][1]["imports"], "runtime");
    let nowhere = module("nowhere");
    assert_eq!((&nowhere["kind"], &nowhere["reason"]), (&"unresolved".into(), &"not-found".into()));
    assert_eq!((&nowhere["file"], &nowhere["origin"]), (&Value::Null, &"unresolved".into()));
    // No further than asked.
    let near = json(&sandbox, &["deps", "web.app", "--depth", "2", "--only", "workspace"], 0);
    assert_eq!(
        names(&near["modules"]),
        [
            "core",
            "core.fields",
            "core.models",
            "web",
            "web.deep.down",
            "web.heavy",
            "web.late",
            "web.view"
        ]
    );
    let owners = json(&sandbox, &["deps", "web.app", "--by", "member"], 0);
    assert_eq!(names(&owners["owners"]), ["core"]);
    assert_eq!(
        (&owners["owners"][0]["modules"], &owners["owners"][0]["kind"]),
        (&1.into(), &"member".into())
    );
}

#[test]
fn trees_show_each_module_in_full_once() {
    let Some(sandbox) = sandbox() else { return };
    let tree = ask(&sandbox, &["deps", "web.app", "--tree", "--only", "workspace"]).success();
    assert_eq!(
        tree.stdout,
        "\
web.app
├── core.models [line 2]
│   ├── core [line 2]
│   └── core.fields [line 3]
│       └── core.models [line 1] (*)
├── web.late [line 9, in a function]
│   └── web.deep.down [line 1]
└── web.view [line 5]
    └── web.heavy [line 1, lazy]
        └── core.fields [line 1] (*)
"
    );
    let tree = ask(&sandbox, &["rdeps", "core.fields", "--tree", "--depth", "2"]).success();
    assert_eq!(
        tree.stdout,
        "\
core.fields
├── core.models [line 3]
│   ├── core.admin [line 1]
│   ├── core.fields [line 1] (*)
│   └── web.app [line 2]
└── web.heavy [line 1]
    └── web.view [line 1, lazy]
"
    );
}

#[test]
fn a_chain_of_thousands_is_no_deeper_a_tree_than_one_can_read() {
    let Some(sandbox) = Sandbox::new("//- /m0.py\nimport m1\n") else { return };
    for number in 1..2000 {
        sandbox.write(&format!("m{number}.py"), format!("import m{}\n", number + 1));
    }
    let tree = ask(&sandbox, &["deps", "m0", "--tree"]).success();
    assert_eq!(tree.stdout.lines().count(), 65);
    assert!(tree.stdout.ends_with("└── m64 [line 1] …\n"), "{}", tree.stdout);
    let all = json(&sandbox, &["deps", "m0", "--transitive"], 0);
    assert_eq!(all["modules"].as_array().unwrap().len(), 2000);
    let chain = json(&sandbox, &["why", "m0", "m1999"], 0);
    assert_eq!(chain["length"], 1999);
}

#[test]
fn paths_are_for_other_tools() {
    let Some(sandbox) = sandbox() else { return };
    let paths = ask(&sandbox, &["rdeps", "core.fields", "--transitive", "--format", "paths"]);
    assert_eq!(
        paths.success().stdout,
        "core/src/core/admin.py\ncore/src/core/models.py\ncore/src/core/report.py\n\
         web/src/web/app.py\nweb/src/web/heavy.py\nweb/src/web/view.py\n"
    );
    let paths = ask(&sandbox, &["-C", "web/src", "deps", "web.app", "--format", "paths", "-0"]);
    assert_eq!(paths.success().stdout, "../../core/src/core/models.py\0web/late.py\0web/view.py\0");
}

#[test]
fn an_import_below_a_file_that_is_no_text_has_its_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let Some(sandbox) = Sandbox::new("//- /seen.py\n") else { return };
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.py");
    if let Err(error) = std::fs::write(sandbox.root().join(name), "import seen\n") {
        pythons::skip(&format!("names of files have to be text here: {error}"));
        return;
    }
    let mut command = sandbox.command(&["rdeps", "seen", "--format", "paths", "--python", "3.14"]);
    let output = command.output().unwrap();
    assert_eq!(output.stdout, b"caf\xe9.py\n");
}

#[test]
fn relative_imports_of_every_depth() {
    let Some(sandbox) = Sandbox::new(
        "
        //- /a/__init__.py
        //- /a/b/__init__.py
        from . import c
        from .. import top
        //- /a/b/c.py
        from .d import thing
        from ..e import thing
        from ... import gone
        //- /a/b/d.py
        //- /a/e.py
        from . import top
        from .b import c
        //- /a/top.py
        ",
    ) else {
        return;
    };
    check(&sandbox, &["deps", "a.b"], &["a.b.c a/b/__init__.py:1", "a.top a/b/__init__.py:2"]);
    check(&sandbox, &["deps", "a.e"], &["a.b.c a/e.py:2", "a.top a/e.py:1"]);
    check(
        &sandbox,
        &["deps", "a.b.c", "--only", "workspace"],
        &["a.b.d a/b/c.py:1", "a.e a/b/c.py:2"],
    );
    let unresolved = json(&sandbox, &["deps", "a.b.c", "--only", "unresolved"], 0);
    assert_eq!(unresolved["modules"][0]["reason"], "beyond-top-level");
}

#[test]
fn distributions_of_a_virtual_environment() {
    let Some(sandbox) = Sandbox::new(
        "
        //- /app.py
        def late():
            import client
        import nowhere
        //- /.venv/pyvenv.cfg
        home = /somewhere
        version_info = 3.15.0
        //- /.venv/lib/python3.15/site-packages/client/__init__.py
        import wire.low
        //- /.venv/lib/python3.15/site-packages/Client-1.0.dist-info/METADATA
        Metadata-Version: 2.1
        Name: Client
        Version: 1.0
        //- /.venv/lib/python3.15/site-packages/Client-1.0.dist-info/RECORD
        client/__init__.py,,
        //- /.venv/lib/python3.15/site-packages/wire/low.py
        //- /.venv/lib/python3.15/site-packages/wire-2.0.dist-info/METADATA
        Metadata-Version: 2.1
        Name: wire
        Version: 2.0
        //- /.venv/lib/python3.15/site-packages/wire-2.0.dist-info/RECORD
        wire/low.py,,
        ",
    ) else {
        return;
    };
    let value = json(&sandbox, &["deps", "app", "--only", "third-party"], 0);
    assert_eq!(names(&value["modules"]), ["client"]);
    let kind = |value: &Value| value["modules"][0]["kind"].as_str().unwrap().to_owned();
    assert_eq!(kind(&value), "external");
    let by = ["deps", "app", "--transitive", "--by", "distribution"];
    let output = ask(&sandbox, &by).success();
    let line = spaced(&output.stdout);
    assert!(line.starts_with("Client app.py:2 1 module, in functions"), "{}", output.shown());
    output.says(&["Found 1 distribution; 1 unresolved name belongs to none that is known"]);
    // Once installed sources are read, so is what they import, also through a namespace package.
    let followed = [&by[..], &["--follow", "installed"]].concat();
    let value = json(&sandbox, &followed, 0);
    assert_eq!(names(&value["owners"]), ["Client", "wire"], "{value:#}");
    let value = json(&sandbox, &["deps", "client", "--transitive", "--follow", "installed"], 0);
    let origins: Vec<&Value> =
        value["modules"].as_array().unwrap().iter().map(|row| &row["origin"]).collect();
    assert_eq!(names(&value["modules"]), ["wire.low", "wire"], "{value:#}");
    assert_eq!(origins, ["third-party", "third-party"]);
    ask(&sandbox, &["why", "app", "wire.low", "--follow", "installed"])
        .success()
        .says(&["importing `app` does not yet load `wire.low`"]);
}

#[test]
fn what_cannot_be_asked() {
    let Some(sandbox) = sandbox() else { return };
    ask(&sandbox, &["deps", "web.ap"]).code(2).says(&["there is no module `web.ap`"]);
    ask(&sandbox, &["rdeps", "member:cores"]).code(2).says(&["there is no member `cores`"]);
    ask(&sandbox, &["deps", "web.app", "--tree", "--format", "json"]).code(2).says(&["--tree"]);
    ask(&sandbox, &["deps", "web.app", "--tree", "--by", "member"]).code(2).says(&["--tree"]);
    ask(&sandbox, &["deps", "web.app", "-0"]).code(2).says(&["--format paths"]);
    ask(&sandbox, &["deps"]).code(2).says(&["<X>"]);
    let Some(empty) = Sandbox::new("//- /bytekiln.toml\n[workspace]\nmembers = [\".\"]\n") else {
        return;
    };
    ask(&empty, &["deps", "app"]).code(2).says(&["there is no module `app`"]);
    ask(&empty, &["cycles"]).success().says(&["Found no cycles of eager imports"]);
}
