//! `why`: shortest chains, what they are made of, and what is said where there is none.

use crate::deps::{ask, json, sandbox};
use crate::sandbox::Sandbox;

#[test]
fn a_chain_shows_each_import_as_it_is_written() {
    let Some(sandbox) = sandbox() else { return };
    let output = ask(&sandbox, &["why", "web.app", "core.fields"]).success();
    assert_eq!(
        output.stdout,
        "\
web.app
  web/src/web/app.py:2:1: from core.models import (Model)
core.models
  core/src/core/models.py:3:1: from . import fields
core.fields
"
    );
    output.says(&["Found one chain of 2 steps, and no shorter one"]);
    // Between members the nearest two modules are taken.
    let members = json(&sandbox, &["why", "member:web", "member:core"], 0);
    assert_eq!(members["length"], 1);
    assert_eq!(members["total"], 2);
    assert_eq!(members["chains"][0][0]["from"]["name"], "web.app");
}

#[test]
fn packages_around_a_module_are_explained() {
    let Some(sandbox) = sandbox() else { return };
    let output = ask(&sandbox, &["why", "web.app", "web.deep.side"]).success();
    assert_eq!(
        output.stdout,
        "\
web.app
  web/src/web/app.py:9:5: import web.late  (in a function)
web.late
  web/src/web/late.py:1:1: import web.deep.down
web.deep.down
  because importing web.deep.down runs web/src/web/deep/__init__.py first
web.deep
  web/src/web/deep/__init__.py:1:1: import web.deep.side
web.deep.side
"
    );
    output.says(&["importing `web.app` does not yet load `web.deep.side`"]);
    let value = json(&sandbox, &["why", "web.app", "web.deep.side"], 0);
    assert_eq!(value["schema"], "bytekiln-why/1");
    assert_eq!((&value["needs"], &value["eager_length"]), (&"runtime".into(), &().into()));
    let step = &value["chains"][0][2];
    assert_eq!(step["imports"][0]["kinds"][0], "package");
    assert_eq!(step["imports"][0]["line"], serde_json::Value::Null);
    let statement = &value["chains"][0][0]["imports"][0]["statement"];
    assert_eq!(statement, "import web.late");
}

#[test]
fn a_chain_that_is_not_eager_says_so_and_names_one_that_is() {
    let Some(sandbox) = Sandbox::new(
        "
        //- /a.py
        import b
        def late():
            import c
        //- /b.py
        import c
        //- /c.py
        ",
    ) else {
        return;
    };
    let output = ask(&sandbox, &["why", "a", "c"]).success();
    output.says(&["this chain has imports in functions", "has 2 steps: --imports eager"]);
    let eager = json(&sandbox, &["why", "a", "c", "--imports", "eager"], 0);
    assert_eq!((&eager["length"], &eager["needs"]), (&2.into(), &"eager".into()));
}

#[test]
fn where_there_is_no_chain_it_says_what_else_there_is() {
    let Some(sandbox) = sandbox() else { return };
    let output = ask(&sandbox, &["why", "core.fields", "web.app"]).code(1);
    assert_eq!(output.stdout, "");
    output.says(&[
        "no chain of imports that can run leads from `core.fields` to `web.app`",
        "the other way round there is one of 2 steps: bytekiln why web.app core.fields",
    ]);
    ask(&sandbox, &["why", "web.app", "web.heavy", "--imports", "eager"])
        .code(1)
        .says(&["no chain of eager imports leads", "with --imports lazy there is one of 2 steps"]);
    let value = json(&sandbox, &["why", "core.fields", "core.admin"], 1);
    assert_eq!((&value["found"], &value["total"]), (&false.into(), &0.into()));
    assert_eq!((&value["wider"]["imports"], &value["wider"]["length"]), (&"all".into(), &2.into()));
    assert_eq!(value["reverse_length"], 2);
}

#[test]
fn a_way_round() {
    let Some(sandbox) = sandbox() else { return };
    let output = ask(&sandbox, &["why", "core.models", "core/src/core/models.py"]).success();
    assert_eq!(
        output.stdout,
        "\
core.models
  core/src/core/models.py:3:1: from . import fields
core.fields
  core/src/core/fields.py:1:1: import core.models
core.models
"
    );
    output.says(&["Found one way round of 2 steps"]);
    assert_eq!(json(&sandbox, &["why", "core.own", "core.own"], 0)["length"], 1);
    ask(&sandbox, &["why", "web.app", "web.app"])
        .code(1)
        .says(&["leads from `web.app` back to it"]);
    ask(&sandbox, &["why", "member:web", "web/src"]).code(2).says(&["are the same 8 modules"]);
    // What both have in common is taken out of the larger.
    let rest = json(&sandbox, &["why", "core/src", "core.fields"], 0);
    assert_eq!(rest["chains"][0][0]["from"]["name"], "core.models");
    ask(&sandbox, &["why", "web.app", "web.apps"]).code(2).says(&["there is no module `web.apps`"]);
}

#[test]
fn all_shortest_chains_up_to_a_limit() {
    let Some(sandbox) = Sandbox::new("//- /end.py\n") else { return };
    // Ten layers of four modules, each of which imports all of the next: 4^10 chains.
    let layer = |number: usize| (0..4).map(move |at| format!("m{number}_{at}"));
    sandbox.write("start.py", layer(0).map(|name| format!("import {name}\n")).collect::<String>());
    for number in 0..10 {
        for name in layer(number) {
            let next: String = match number {
                9 => "import end\nimport end\n".to_owned(),
                _ => layer(number + 1).map(|next| format!("import {next}\n")).collect(),
            };
            sandbox.write(&format!("{name}.py"), next);
        }
    }
    let one = ask(&sandbox, &["why", "start", "end"]).success();
    assert!(one.stdout.contains("  and 1 more import\n"), "{}", one.stdout);
    one.says(&["Found 1048576 chains of 11 steps", "--all shows the others"]);
    let some = json(&sandbox, &["why", "start", "end", "--all", "--limit", "5"], 0);
    assert_eq!(some["total"], 1_048_576);
    let chains = some["chains"].as_array().unwrap();
    assert_eq!(chains.len(), 5);
    let ends: Vec<&str> =
        chains.iter().map(|chain| chain[10]["from"]["name"].as_str().unwrap()).collect();
    assert_eq!(ends, ["m9_0", "m9_1", "m9_2", "m9_3", "m9_0"]);
    let all = ask(&sandbox, &["why", "start", "end", "--all"]).success();
    all.says(&["50 of them are shown; --limit says how many"]);
}
