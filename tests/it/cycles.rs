//! `cycles`: what goes round by which imports, what to cut, and when that fails.

use serde_json::Value;

use crate::deps::{ask, json, sandbox};
use crate::sandbox::Sandbox;

/// `closed_by: names | from → to of each cut`.
#[track_caller]
fn check(sandbox: &Sandbox, arguments: &[&str], expected: &[&str]) {
    let mut all = vec!["cycles"];
    all.extend_from_slice(arguments);
    let value = json(sandbox, &all, 0);
    assert_eq!(value["schema"], "bytekiln-cycles/1");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows: Vec<String> = value["cycles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cycle| {
            let names: Vec<String> =
                cycle["members"].as_array().unwrap().iter().map(text).collect();
            let cut = cycle["cut"].as_array().unwrap().iter();
            let cut: Vec<String> =
                cut.map(|cut| format!("{} → {}", text(&cut["from"]), text(&cut["to"]))).collect();
            ways_round(&cycle["example"]);
            format!("{}: {} | {}", text(&cycle["closed_by"]), names.join(", "), cut.join(", "))
        })
        .collect();
    assert_eq!(rows, expected, "{value:#}");
}

/// An example ends where it began, and each step has a place.
#[track_caller]
fn ways_round(example: &Value) {
    let steps = example.as_array().unwrap();
    assert!(!steps.is_empty());
    for (step, next) in steps.iter().zip(steps.iter().cycle().skip(1)) {
        assert_eq!(step["to"], next["from"], "{example:#}");
        assert!(step["imports"][0]["line"].as_u64() > Some(0), "{example:#}");
    }
}

#[test]
fn cycles_are_told_apart_by_what_closes_them() {
    let Some(sandbox) = sandbox() else { return };
    check(
        &sandbox,
        &[],
        &[
            "eager: core.fields, core.models | core.models → core.fields",
            "lazy: core.quick, core.slow | core.slow → core.quick",
            "runtime: core.admin, core.report | core.report → core.admin",
        ],
    );
    check(
        &sandbox,
        &["--imports", "eager"],
        &["eager: core.fields, core.models | core.models → core.fields"],
    );
    let all = json(&sandbox, &["cycles", "--imports", "all"], 0);
    assert_eq!(all["counts"]["all"], 1);
    let last = &all["cycles"][3];
    assert_eq!((&last["closed_by"], &last["size"]), (&"all".into(), &4.into()));
    assert_eq!(last["example"][0]["imports"][0]["kinds"][0], "type-checking");
    let output = ask(&sandbox, &["cycles"]).success();
    assert!(
        output.stdout.starts_with(
            "\
2 modules import each other: core.fields, core.models
  a way round:
    core.fields → core.models  core/src/core/fields.py:1
    core.models → core.fields  core/src/core/models.py:3
  cut:
    core.models → core.fields  core/src/core/models.py:3

Closed by lazy imports: no import fails for these.

2 modules import each other: core.quick, core.slow
  a way round:
    core.slow → core.quick  core/src/core/slow.py:1  (lazy)
    core.quick → core.slow  core/src/core/quick.py:1

Closed by imports in functions: no import fails for these.
"
        ),
        "{}",
        output.shown()
    );
    assert!(!output.stdout.contains("type checkers"), "{}", output.shown());
    output.says(&[
        "Found 1 cycle of eager imports, 1 closed by lazy imports, 1 closed by imports in functions",
    ]);
    let output = ask(&sandbox, &["cycles", "--imports", "all"]).success();
    assert!(output.stdout.contains("harmless when the program runs"), "{}", output.shown());
}

#[test]
fn deny_fails_for_the_imports_that_count() {
    let Some(sandbox) = sandbox() else { return };
    ask(&sandbox, &["cycles", "--deny"]).code(1).says(&["1 cycle of imports is not allowed"]);
    ask(&sandbox, &["cycles", "--deny", "--imports", "runtime"])
        .code(1)
        .says(&["3 cycles of imports are not allowed"]);
    assert_eq!(json(&sandbox, &["cycles", "--deny"], 1)["success"], false);
    sandbox.write("core/src/core/fields.py", "def late():\n    import core.models\n");
    ask(&sandbox, &["cycles", "--deny"]).success();
    ask(&sandbox, &["cycles", "--deny", "--imports", "lazy"]).code(1);
    assert_eq!(json(&sandbox, &["cycles", "--deny"], 0)["success"], true);
}

#[test]
fn packages_and_members() {
    let Some(sandbox) = Sandbox::new(
        r#"
        //- /bytekiln.toml
        [workspace]
        members = ["one", "two"]
        //- /one/pyproject.toml
        [project]
        name = "one"
        //- /one/a/__init__.py
        //- /one/a/x.py
        import b.y
        //- /one/a/z.py
        //- /one/b/__init__.py
        //- /one/b/y.py
        import a.z
        import a.z
        import c.t
        //- /two/pyproject.toml
        [project]
        name = "two"
        //- /two/c/__init__.py
        //- /two/c/t.py
        def late():
            import a.z
        //- /two/c/inner/__init__.py
        import c.t
        "#,
    ) else {
        return;
    };
    // No module imports itself by detours, but packages and members do.
    check(&sandbox, &[], &[]);
    check(&sandbox, &["--by", "package"], &["eager: a, b | a → b", "runtime: a, b, c | a → b"]);
    check(&sandbox, &["--by", "member"], &["runtime: one, two | two → one"]);
    let output = ask(&sandbox, &["cycles", "--by", "package", "--deny"]).code(1);
    assert!(
        output.stdout.starts_with(
            "\
2 packages import each other: a, b
  a way round:
    a → b  one/a/x.py:1
    b → a  one/b/y.py:1  (and 1 more import)
  cut:
    a → b  one/a/x.py:1
"
        ),
        "{}",
        output.shown()
    );
    ask(&sandbox, &["cycles", "--by", "member", "--deny"]).success();
}

#[test]
fn a_ring_of_thousands() {
    let Some(sandbox) = Sandbox::new("//- /m0.py\nimport m1\n") else { return };
    for number in 1..2000 {
        sandbox.write(&format!("m{number}.py"), format!("import m{}\n", (number + 1) % 2000));
    }
    let output = ask(&sandbox, &["cycles"]).success();
    assert!(output.stdout.contains("and 1988 more (-v)"), "{}", output.stdout);
    assert!(output.stdout.lines().count() < 20, "{}", output.stdout);
    let value = json(&sandbox, &["cycles"], 0);
    assert_eq!(value["cycles"][0]["size"], 2000);
    assert_eq!(value["cycles"][0]["cut"].as_array().unwrap().len(), 1);
}
