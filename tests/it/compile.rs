//! `bytekiln compile`: the hermetic action, its inputs, outputs and refusals.

use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

const TREE: &str = "
//- /bytekiln.toml
[workspace]
members = [\"lib\"]
//- /lib/pyproject.toml
[project]
name = \"lib\"
//- /lib/pkg/__init__.py
import pkg.sub
//- /lib/pkg/sub.py
def f(x):
    \"\"\"doc\"\"\"
    assert x in {'a', 'b', 'c'}
    return x
//- /lib/pkg/other_file.py
VALUE = {1, 2, 3}
";

fn python(sandbox: &Sandbox) -> String {
    sandbox.interpreter().path.display().to_string()
}

fn compile(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let python = python(sandbox);
    let mut all = vec!["compile", "--python", &python];
    all.extend_from_slice(arguments);
    sandbox.run(&all)
}

#[test]
fn the_bytes_are_those_of_build_at_every_level_and_mode() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let tag = sandbox.tag();
    for (level, mode) in [("0", "checked-hash"), ("1", "checked-hash"), ("2", "unchecked-hash")] {
        let options = ["--optimize", level, "--invalidation-mode", mode];
        let mut build = vec!["build", "--no-cache", "--force"];
        build.extend(options);
        sandbox.run(&build).success();
        let part = if level == "0" { String::new() } else { format!(".opt-{level}") };
        let name = |stem: &str| format!("pkg/__pycache__/{stem}.{tag}{part}.pyc");
        let mut arguments = options.to_vec();
        let tree = format!("out{level}");
        arguments.extend(["--out-dir", &tree]);
        for entry in ["__init__.py", "sub.py", "other_file.py"] {
            let path = format!("lib/pkg/{entry}");
            arguments.push(path.leak());
        }
        let output = compile(&sandbox, &arguments).success();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
        for stem in ["__init__", "sub", "other_file"] {
            let (built, compiled) = (name(stem), name(stem));
            assert_eq!(
                sandbox.read(&format!("lib/{built}")),
                sandbox.read(&format!("{tree}/lib/{compiled}")),
                "{stem} {level}"
            );
        }
    }
}

/// `gen/` is where the source is, `lib/` what it records.
#[test]
fn arguments_parameters_and_manifests_say_the_same() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let tag = sandbox.tag();
    sandbox.write("gen/a.py", "A = 1\n");
    compile(&sandbox, &["gen/a.py=lib/a.py=one/two/a.pyc"]).success();
    let python = python(&sandbox);
    sandbox.write("p", format!("--python\n{python}\n--out-dir\ntree\ngen/a.py=lib/a.py\n"));
    sandbox.run(&["compile", "@p"]).success();
    sandbox.write(
        "sources.json",
        r#"[["lib/a.py", "gen/a.py", "//gen:a"], {"source": "gen/a.py", "recorded": "lib/a.py", "output": "three.pyc"}]"#,
    );
    let options =
        ["--manifest", "sources.json", "--out-dir", "tree2", "--out-manifest", "made.json"];
    compile(&sandbox, &options).success();
    let elsewhere = sandbox.beside("home/x.pyc");
    compile(&sandbox, &[&format!("gen/a.py=lib/a.py={}", elsewhere.display())]).success();
    let first = sandbox.read("one/two/a.pyc");
    let name = format!("lib/__pycache__/a.{tag}.pyc");
    for path in [format!("tree/{name}"), format!("tree2/{name}"), "three.pyc".to_owned()] {
        assert_eq!(first, sandbox.read(&path), "{path}");
    }
    assert_eq!(first, std::fs::read(elsewhere).unwrap());
    let made: Value = serde_json::from_slice(&sandbox.read("made.json")).unwrap();
    assert_eq!(
        made,
        serde_json::json!([[name, format!("tree2/{name}"), "//gen:a"], ["three.pyc", "three.pyc"]])
    );
    compile(&sandbox, &["gen/a.py=lib/a.py", "--layout", "sourceless", "--out-dir", "bare"])
        .success();
    assert_eq!(first, sandbox.read("bare/lib/a.pyc"));
}

#[test]
fn a_depfile_names_all_that_was_read() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let entry = "lib/pkg/other_file.py=lib/pkg/other_file.py=o/other_file.pyc";
    let python = python(&sandbox);
    sandbox.write("p", format!("--python\n{python}\n--depfile\no/d\n{entry}\n"));
    sandbox.run(&["compile", "@p"]).success();
    let text = String::from_utf8(sandbox.read("o/d")).unwrap().replace(&python, "PYTHON");
    let mut words: Vec<&str> = text.split(" \\\n  ").collect();
    words.sort_unstable();
    expect![[r#"["PYTHON", "lib/pkg/other_file.py", "o/other_file.pyc:", "p\n"]"#]]
        .assert_eq(&format!("{words:?}").replace("\"p\", ", "\"p\", "));
}

/// What is right already stays, which is what ninja's `restat` looks at; make wants it touched.
#[test]
fn outputs_that_are_right_stay() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let entry = "lib/pkg/sub.py==sub.pyc";
    compile(&sandbox, &[entry]).success();
    sandbox.touch("sub.pyc", 1000);
    let stamp = |sandbox: &Sandbox| std::fs::metadata(sandbox.path("sub.pyc")).unwrap().mtime();
    let before = stamp(&sandbox);
    compile(&sandbox, &[entry]).success();
    assert_eq!(stamp(&sandbox), before);
    compile(&sandbox, &[entry, "--touch"]).success();
    assert!(stamp(&sandbox) > before + 900);
}

#[test]
fn the_cache_is_used_only_where_it_is_named() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let cached = |arguments: &[&str]| {
        let mut all = vec!["-v", "lib/pkg/sub.py==sub.pyc"];
        all.extend_from_slice(arguments);
        let output = compile(&sandbox, &all).success();
        sandbox.remove("sub.pyc");
        output.stderr.contains("0 compiled, 1 from the cache")
    };
    assert!(!cached(&[]));
    assert!(!cached(&[]));
    assert!(!sandbox.beside("cache/bytekiln").exists());
    assert!(!cached(&["--cache-dir", "c"]));
    assert!(cached(&["--cache-dir", "c"]));
}

#[test]
fn a_source_that_does_not_compile_is_named_with_its_line() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    sandbox.write("bad.py", "x = 1\ny = = 2\n");
    sandbox.write("bad.pyc", "of an older text");
    let output =
        compile(&sandbox, &["lib/pkg/sub.py==sub.pyc", "bad.py==bad.pyc", "absent.py==absent.pyc"]);
    let output = output.code(1).says(&[
        "--> bad.py:2:5",
        "error: `absent.py`: could not be read: No such file or directory",
        "error: 2 files were not compiled",
    ]);
    assert_eq!(output.stdout, "");
    assert!(sandbox.path("sub.pyc").exists(), "the good one is written");
    assert!(!sandbox.path("bad.pyc").exists(), "an older output would be loaded");
}

#[test]
fn who_compiles_can_be_asserted() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity: Value =
        serde_json::from_str(&compile(&sandbox, &["--print-identity"]).success().stdout).unwrap();
    compile(&sandbox, &["--print-identity=who.json"]).success();
    let (version, digest) =
        (identity["version"].as_str().unwrap(), identity["python"].as_str().unwrap());
    let entry = "lib/pkg/sub.py==sub.pyc";
    for expected in [version, digest, "@who.json", version.rsplit_once('.').unwrap().0] {
        compile(&sandbox, &[entry, "--expect-python", expected]).success();
    }
    let compiler = identity["compiler"].as_str().unwrap();
    compile(&sandbox, &[entry, "--expect-compiler", compiler]).success();
    compile(&sandbox, &[entry, "--expect-compiler", "@who.json"]).success();
    sandbox.remove("sub.pyc");
    compile(&sandbox, &[entry, "--expect-compiler", "bytekiln-0.0.1+canonical-1"])
        .code(3)
        .says(&["bytekiln-0.0.1+canonical-1 was expected to compile"]);
    compile(&sandbox, &[entry, "--expect-python", "3.7.1"]).code(3).says(&["3.7.1 was expected"]);
    assert!(!sandbox.path("sub.pyc").exists());
}

/// Nothing of the surroundings is seen: neither variables nor a workspace.
#[test]
fn surroundings_change_nothing() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    compile(&sandbox, &["lib/pkg/sub.py==a.pyc"]).success();
    sandbox.write("bytekiln.toml", "this is no manifest [");
    sandbox.write("marshal.py", "raise SystemExit(3)\n");
    sandbox.write("sitecustomize.py", "raise SystemExit(3)\n");
    let python = python(&sandbox);
    let mut command = sandbox.command(&["compile", "--python", &python, "lib/pkg/sub.py==b.pyc"]);
    command.env_clear();
    for (name, value) in [
        ("PYTHONOPTIMIZE", "2"),
        ("PYTHONPATH", "."),
        ("PYTHONNODEBUGRANGES", "1"),
        ("PYTHONHASHSEED", "7"),
        ("BYTEKILN_CACHE_DIR", "somewhere"),
        ("TZ", "Asia/Tokyo"),
    ] {
        command.env(name, value);
    }
    crate::sandbox::finish(&mut command).success();
    assert_eq!(sandbox.read("a.pyc"), sandbox.read("b.pyc"));
    assert!(!sandbox.path("somewhere").exists());
}

#[track_caller]
fn check(sandbox: &Sandbox, arguments: &[&str], code: i32, expect: &Expect) {
    let output = sandbox.run(arguments).code(code);
    let stderr = output.stderr.replace(&sandbox.root().display().to_string(), "WORK");
    expect.assert_eq(&stderr);
}

#[test]
fn bad_arguments() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let python = python(&sandbox);
    sandbox.write("bad.json", "[\n[\"a.py\", 1]]");
    let with = |arguments: &[&'static str]| {
        let mut all = vec!["compile", "--python", python.clone().leak()];
        all.extend_from_slice(arguments);
        all
    };
    check(
        &sandbox,
        &["compile", "a.py==a.pyc"],
        2,
        &expect![[r#"
        error: no interpreter is named
          = help: name one with --python PATH: nothing is taken from PATH or the workspace
    "#]],
    );
    check(
        &sandbox,
        &with(&["a.py"]),
        2,
        &expect![[r#"
        error: `a.py` has no output
          = help: write SOURCE=RECORDED=OUTPUT, or name a tree with --out-dir
    "#]],
    );
    check(
        &sandbox,
        &with(&["a.py=b=c=d"]),
        2,
        &expect![[r#"
        error: `a.py=b=c=d`: more than two `=`
          = help: write SOURCE=RECORDED=OUTPUT; paths that have a `=` go through --manifest
    "#]],
    );
    check(
        &sandbox,
        &with(&["a.py==x.pyc", "b.py==x.pyc"]),
        2,
        &expect![[r#"
        error: `a.py` and `b.py` have one output, `x.pyc`
    "#]],
    );
    check(
        &sandbox,
        &with(&["../a.py", "--out-dir", "o"]),
        2,
        &expect![[r#"
        error: `../a.py` is no place in the tree of outputs
          = help: record a relative path without `.` and `..`, or give the output a path
    "#]],
    );
    check(
        &sandbox,
        &with(&["tool", "--out-dir", "o"]),
        2,
        &expect![[r#"
        error: `tool` is not called like a module (`.py`)
          = help: only modules have caches that are found by name; give the output a path
    "#]],
    );
    check(
        &sandbox,
        &with(&["@absent"]),
        2,
        &expect![[r#"
        error: could not read `absent`: No such file or directory (os error 2)
    "#]],
    );
    check(
        &sandbox,
        &with(&["--manifest", "bad.json"]),
        2,
        &expect![[r#"
        error: bad.json: row 1: no row of a manifest
          = help: a row is [recorded path, source], [recorded path, source, origin], or an object with `source`, and perhaps `recorded`, `output`, `origin`
    "#]],
    );
    check(
        &sandbox,
        &with(&["a.py==x", "--expect-python", "python3"]),
        2,
        &expect![[r#"
        error: --expect-python: `python3` is neither a version nor a digest
          = help: a version is 3.11 or 3.11.7; digests are what --print-identity calls `python`
    "#]],
    );
    check(
        &sandbox,
        &["compile", "--python", "absent/python", "a.py==x"],
        3,
        &expect![[r#"
        error: could not start `WORK/absent/python`: No such file or directory (os error 2)
    "#]],
    );
}

/// A source in the place of which is something that would make us wait.
#[test]
fn pipes_and_folders_are_no_sources() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let made = std::process::Command::new("mkfifo").arg(sandbox.path("pipe.py")).status().unwrap();
    assert!(made.success());
    let start = std::time::Instant::now();
    compile(&sandbox, &["pipe.py==p.pyc", "lib==l.pyc"]).code(1).says(&[
        "`pipe.py`: could not be read: it is no file",
        "`lib`: could not be read: it is no file",
    ]);
    assert!(start.elapsed() < Duration::from_secs(20));
}
