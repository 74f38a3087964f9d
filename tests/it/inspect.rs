//! `inspect`: what it shows of files, members of archives and trees.

use bytekiln_test_support::pythons;
use serde_json::Value;

use crate::sandbox::Sandbox;

const SHAPES: &str = r"
    //- /pkg/shape.py
    class Shape:
        def area(self, r, /, *rest, scale=3.14159):
            return [r * scale for part in rest]
    //- /pkg/other.py
    x = 1
";

/// Compiles what is below `pkg` in a mode; the path of the cache of a module.
fn compiled(sandbox: &Sandbox, mode: &str) -> impl Fn(&str) -> String + use<> {
    sandbox.python(&["-m", "compileall", "-q", "--invalidation-mode", mode, "pkg"]).success();
    let tag = sandbox.tag();
    move |module: &str| format!("pkg/__pycache__/{module}.{tag}.pyc")
}

fn json(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut all = vec!["inspect", "--format", "json"];
    all.extend_from_slice(arguments);
    let output = sandbox.run(&all).success();
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["schema"], "bytekiln-inspect/2");
    value
}

#[test]
fn instructions_are_joined_with_constants_and_lines() {
    let Some(sandbox) = Sandbox::new(SHAPES) else { return };
    let cache = compiled(&sandbox, "checked-hash")("shape");
    let plain = sandbox.run(&["inspect", &cache]).success().stdout;
    assert!(plain.contains("Shape.area(self, r, /, *rest, scale)"), "{plain}");
    assert!(plain.contains("matches"), "{plain}");
    assert!(!plain.contains("LOAD_CONST"), "{plain}");
    let full = sandbox.run(&["inspect", "--dis", "--code", "Shape", &cache]).success().stdout;
    assert!(full.contains("(3.14159)") && full.contains("STORE_NAME"), "{full}");
    assert!(!full.contains("Shape.area(self"), "only the class was asked for: {full}");
    let value = json(&sandbox, &["--all", &cache]);
    let objects = value["files"][0]["code_objects"].as_array().unwrap();
    let area = objects.iter().find(|code| code["qualname"] == "Shape.area").unwrap();
    assert_eq!(area["firstlineno"], 2);
    assert_eq!(area["posonlyargcount"], 2);
    let lines: Vec<i64> = area["instructions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|found| found["line"].as_i64())
        .collect();
    assert!(lines.contains(&3), "{lines:?}");
    let output = sandbox.run(&["inspect", "--code", "absent", &cache]).code(1);
    assert_eq!(output.stdout, "");
    output.says(&["no code object `absent`"]);
}

#[test]
fn timestamps_are_compared_with_the_source() {
    let Some(sandbox) = Sandbox::new(SHAPES) else { return };
    let cache = compiled(&sandbox, "timestamp")("other");
    let state = || json(&sandbox, &[&cache])["files"][0]["source"].clone();
    assert_eq!(state()["state"], "matches");
    sandbox.touch("pkg/other.py", 3600);
    let found = state();
    assert_eq!((&found["state"], &found["matches"]), (&"differs".into(), &false.into()));
    assert!(found["detail"].as_str().unwrap().contains("modified at"), "{found}");
    sandbox.write("pkg/other.py", "xyz = 12345\n");
    assert!(state()["detail"].as_str().unwrap().contains("12 bytes"), "{}", state());
    sandbox.remove("pkg/other.py");
    assert_eq!(state()["state"], "missing");
}

#[test]
fn every_cache_of_a_tree_has_a_line() {
    let Some(sandbox) = Sandbox::new(SHAPES) else { return };
    let cache = compiled(&sandbox, "unchecked-hash");
    sandbox.write("pkg/other.py", "x = 2\n");
    let output = sandbox.run(&["inspect", "pkg"]).success().says(&["2 caches", "1 stale"]);
    let rows: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(rows.len(), 3, "{}", output.shown());
    assert!(rows[1].contains("unchecked-hash") && rows[1].contains("differs"), "{}", rows[1]);
    assert!(rows[2].contains("matches"), "{}", rows[2]);
    // One that is damaged does not hide the others.
    sandbox.write(&cache("other"), "no cache");
    let output = sandbox.run(&["inspect", "pkg"]).code(1).says(&["other", "no valid cache"]);
    assert!(output.stdout.contains("shape"), "{}", output.shown());
    sandbox.run(&["inspect", "nowhere.pyc"]).code(2).says(&["nowhere.pyc"]);
}

#[test]
fn members_of_archives() {
    let Some(sandbox) = Sandbox::new(SHAPES) else { return };
    let cache = compiled(&sandbox, "checked-hash")("shape");
    sandbox.python(&["-m", "zipfile", "-c", "app.zip", "pkg"]).success();
    let member = format!("app.zip/{cache}");
    let value = json(&sandbox, &[&member]);
    assert_eq!(value["files"][0]["path"], member.as_str());
    assert_eq!(value["files"][0]["source"]["state"], "matches");
    let value = json(&sandbox, &["app.zip"]);
    assert_eq!(value["files"].as_array().unwrap().len(), 2);
    assert!(value["files"][0].get("code_objects").is_none());
    sandbox.run(&["inspect", "app.zip/pkg/absent.pyc"]).code(2).says(&["absent.pyc", "app.zip"]);
}

#[test]
fn every_release_is_shown() {
    for python in pythons::all() {
        let sandbox = Sandbox::with_python(SHAPES, python);
        let cache = compiled(&sandbox, "checked-hash")("shape");
        let value = json(&sandbox, &["--all", &cache]);
        assert_eq!(value["files"][0]["release"], python.name());
        let objects = value["files"][0]["code_objects"].as_array().unwrap();
        let names: Vec<&str> =
            objects.iter().map(|code| code["qualname"].as_str().unwrap()).collect();
        assert!(names.contains(&"Shape.area"), "{names:?}");
    }
}
