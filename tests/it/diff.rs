//! `diff`: files, trees and archives side by side.

use serde_json::Value;

use crate::sandbox::Sandbox;

const TWINS: &str = r"
    //- /a/pkg/shape.py
    def area(r):
        return 3.14159 * r * r
    //- /a/pkg/other.py
    x = 1
    //- /a/data.txt
    text
    //- /b/pkg/shape.py
    def area(r):
        return 3.14159 * r * r
    //- /b/pkg/other.py
    x = 1
    //- /b/data.txt
    text
";

fn compile(sandbox: &Sandbox, folder: &str, mode: &str) {
    sandbox.python(&["-m", "compileall", "-q", "--invalidation-mode", mode, folder]).success();
}

/// A workspace with two trees, both compiled.
fn twins(modes: [&str; 2]) -> Option<Sandbox> {
    let sandbox = Sandbox::new(TWINS)?;
    let [left, right] = modes;
    compile(&sandbox, "a", left);
    compile(&sandbox, "b", right);
    Some(sandbox)
}

fn json(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Value {
    let mut all = vec!["diff", "--format", "json"];
    all.extend_from_slice(arguments);
    let output = sandbox.run(&all).code(code);
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(value["schema"], "bytekiln-diff/1");
    value
}

#[test]
fn equivalent_trees_say_what_differs() {
    let Some(sandbox) = twins(["checked-hash", "unchecked-hash"]) else { return };
    let output = sandbox.run(&["diff", "a", "b"]).code(1);
    assert_eq!(output.stdout, "", "what is equivalent is only counted");
    output.says(&["5 files: 3 identical, 2 equivalent", "mode 2", "recorded path 2"]);
    sandbox.run(&["diff", "--equivalent", "a", "b"]).success();
    sandbox.run(&["diff", "--recorded-paths", "--equivalent", "a", "b"]).code(1);
    sandbox.run(&["diff", "a", "a"]).success().says(&["5 files: 5 identical"]);
    let value = json(&sandbox, &["a", "b"], 1);
    assert_eq!(value["summary"]["equivalent"], 2);
    let file = &value["files"][0];
    assert_eq!(file["status"], "equivalent");
    let names: Vec<&str> = file["encoding"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.first(), Some(&"mode"), "{names:?}");
    assert!(names.contains(&"recorded path"), "{names:?}");
}

#[test]
fn a_changed_constant_is_named() {
    let Some(sandbox) = twins(["checked-hash", "checked-hash"]) else { return };
    sandbox.write("b/pkg/shape.py", "def area(r):\n    return 3.0 * r * r\n");
    compile(&sandbox, "b", "checked-hash");
    let told = "is 3.14159 on the left, 3.0 on the right";
    let output = sandbox.run(&["diff", "a", "b", "--only-pyc"]).code(1).says(&["1 different"]);
    assert!(output.stdout.contains(told), "{}", output.shown());
    assert!(output.stdout.contains("of `area`"), "{}", output.shown());
    let cache = format!("pkg/__pycache__/shape.{}.pyc", sandbox.tag());
    let (left, right) = (format!("a/{cache}"), format!("b/{cache}"));
    let output = sandbox.run(&["diff", &left, &right]).code(1);
    assert!(output.stdout.contains(told), "{}", output.shown());
    let changes: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| {
            (line.starts_with("- ") || line.starts_with("+ ")) && line.contains("LOAD_CONST")
        })
        .collect();
    assert_eq!(changes.len(), 2, "{}", output.shown());
    let value = json(&sandbox, &[&left, &right], 1);
    let difference = &value["files"][0]["difference"];
    let first = &difference["findings"][0];
    assert_eq!((&first["kind"], &first["code_object"]), (&"constant".into(), &"area".into()));
    assert_eq!(difference["only_compiler_dependent"], false);
    assert_eq!(difference["header"][0]["name"], "source hash");
}

#[test]
fn files_of_one_side_and_other_files() {
    let Some(sandbox) = twins(["checked-hash", "checked-hash"]) else { return };
    sandbox.write("a/gone.txt", "x");
    sandbox.write("b/new.txt", "x");
    sandbox.write("b/data.txt", "TEXT\n");
    let output = sandbox.run(&["diff", "a", "b"]).code(1);
    for line in ["only left   gone.txt", "only right  new.txt", "different   data.txt: other bytes"]
    {
        assert!(output.stdout.contains(line), "no `{line}` in\n{}", output.shown());
    }
    sandbox.run(&["diff", "--only-pyc", "--equivalent", "a", "b"]).success();
    let value = json(&sandbox, &["a", "b"], 1);
    let summary = &value["summary"];
    assert_eq!((&summary["only_left"], &summary["only_right"]), (&1.into(), &1.into()));
    let digest = value["files"][0]["bytes"]["left_sha256"].as_str().unwrap();
    assert_eq!(digest.len(), 64);
}

#[test]
fn archives_against_folders() {
    let Some(sandbox) = twins(["checked-hash", "checked-hash"]) else { return };
    let pack = "import zipfile, pathlib, os; os.chdir('a'); \
                z = zipfile.ZipFile('../a.zip', 'w'); \
                [z.write(p) for p in sorted(pathlib.Path('.').rglob('*')) if p.is_file()]";
    sandbox.python(&["-c", pack]).success();
    sandbox.run(&["diff", "a.zip", "a"]).success().says(&["5 identical"]);
    sandbox.run(&["diff", "--equivalent", "a.zip", "b"]).success();
    sandbox.run(&["diff", "a.zip/pkg", "a/pkg"]).success().says(&["4 files: 4 identical"]);
    let cache = format!("pkg/__pycache__/other.{}.pyc", sandbox.tag());
    let (member, file) = (format!("a.zip/{cache}"), format!("a/{cache}"));
    let output = sandbox.run(&["diff", &member, &file]).success();
    assert!(output.stdout.contains("identical"), "{}", output.shown());
    sandbox.run(&["diff", &member, "b"]).code(2).says(&["is a tree", "cannot be compared"]);
    sandbox.run(&["diff", "a", "nowhere"]).code(2).says(&["nowhere"]);
}

#[test]
fn what_is_no_cache_is_different_and_said() {
    let Some(sandbox) = twins(["checked-hash", "checked-hash"]) else { return };
    sandbox.write(&format!("b/pkg/__pycache__/other.{}.pyc", sandbox.tag()), "no cache");
    let output = sandbox.run(&["diff", "--equivalent", "a", "b"]).code(1);
    assert!(output.stdout.contains("no valid cache: right file"), "{}", output.shown());
}
