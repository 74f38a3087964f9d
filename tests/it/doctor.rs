//! `doctor`: the failures that people met, as folders and as zips, each checked against what the
//! interpreter says with `-v`.

use std::path::Path;
use std::process::Command;

use bytekiln_test_support::pythons;
use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

const APP: &str = "
//- /app/shop/__init__.py
NAME = 'shop'
//- /app/shop/cart.py
def total(items):
    return sum(items)
//- /app/tool.py
import shop.cart
";

/// Compiles `app` as the interpreter's own tool does.
fn compile(sandbox: &Sandbox, arguments: &[&str]) {
    let mut all = vec!["-m", "compileall", "-q"];
    all.extend_from_slice(arguments);
    all.push("app");
    sandbox.python(&all).success();
}

/// Packs `app` into `app.zip` with a date for every member.
fn pack(sandbox: &Sandbox, date: &str) {
    let script = format!(
        "import os, zipfile
with zipfile.ZipFile('app.zip', 'w') as archive:
    for folder, folders, files in os.walk('app'):
        for name in sorted(files):
            path = os.path.join(folder, name)
            info = zipfile.ZipInfo.from_file(path, os.path.relpath(path, 'app'))
            info.date_time = {date}
            with open(path, 'rb') as file:
                archive.writestr(info, file.read())
"
    );
    sandbox.python(&["-c", &script]).success();
}

/// Runs `doctor` with JSON; `file verdict effect` of each module, sorted.
fn verdicts(sandbox: &Sandbox, arguments: &[&str]) -> (Output, Vec<String>) {
    let mut all = vec!["doctor", "--python", "python3", "--format", "json"];
    all.extend_from_slice(arguments);
    let mut command = sandbox.command(&all);
    command.env("TZ", "UTC");
    let output = crate::sandbox::finish(&mut command);
    let report: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}", output.shown()));
    assert_eq!(report["schema"], "bytekiln-doctor/1");
    let text = |module: &Value, key: &str| module[key].as_str().unwrap_or("?").to_owned();
    let mut rows: Vec<String> = report["modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!("{} {} {}", text(one, "file"), text(one, "verdict"), text(one, "effect"))
        })
        .collect();
    rows.sort();
    (output, rows)
}

#[track_caller]
fn check(sandbox: &Sandbox, arguments: &[&str], code: i32, expected: &[&str]) {
    let (output, rows) = verdicts(sandbox, arguments);
    assert_eq!(rows, expected, "{}", output.shown());
    output.code(code);
}

/// What `python -v` says of an import: which sources are compiled, in order.
fn compiled(sandbox: &Sandbox, options: &[&str], place: &str, import: &str) -> Vec<String> {
    let mut command = Command::new(&sandbox.interpreter().path);
    command.args(options).args(["-B", "-v", "-S", "-c"]);
    command.arg(format!("import sys; sys.path.insert(0, {place:?}); import {import}"));
    command.current_dir(sandbox.root()).env_clear().env("TZ", "UTC");
    let output = crate::sandbox::finish(&mut command);
    let marker = "# code object from ";
    let lines = output.stderr.lines();
    let sources = lines
        .filter_map(|line| line.strip_prefix(marker))
        .filter(|line| line.contains(place) && line.trim_end_matches('\'').ends_with(".py"));
    let name = |path: &str| path.trim_matches('\'').rsplit('/').next().unwrap().to_owned();
    sources.map(name).collect()
}

#[test]
fn a_tree_that_loads() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    compile(&sandbox, &[]);
    check(
        &sandbox,
        &["app"],
        0,
        &[
            "app/shop/__init__.py loaded loads",
            "app/shop/cart.py loaded loads",
            "app/tool.py loaded loads",
        ],
    );
    assert_eq!(compiled(&sandbox, &[], "app", "tool"), [""; 0]);
    sandbox
        .run(&["doctor", "--python", "python3", "app"])
        .success()
        .says(&["    Finished 3 modules with CPython ", ": 3 loaded from cache"]);
}

/// Times normalised in an image (heroku/heroku-buildpack-python#1322), and an edited source.
#[test]
fn stale_in_a_folder() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    compile(&sandbox, &[]);
    sandbox.touch("app/shop/cart.py", 100_000);
    check(
        &sandbox,
        &["app"],
        1,
        &[
            "app/shop/__init__.py loaded loads",
            "app/shop/cart.py stale compiles",
            "app/tool.py loaded loads",
        ],
    );
    assert_eq!(compiled(&sandbox, &[], "app", "tool"), ["cart.py"]);
    sandbox.run(&["doctor", "--python", "python3", "--allow", "stale", "app"]).success();
    let all = sandbox.run(&["doctor", "--python", "python3", "--mtime", "1", "app"]);
    all.code(1).says(&["3 modules are compiled at start", "hash-based", "= help:"]);
    // Hashes do not care.
    compile(&sandbox, &["-f", "--invalidation-mode", "checked-hash"]);
    sandbox.run(&["doctor", "--python", "python3", "--mtime", "1", "app"]).success();
    sandbox.write("app/shop/cart.py", "def total(items):\n    return 0\n");
    check(
        &sandbox,
        &["app", "--allow", "stale"],
        0,
        &[
            "app/shop/__init__.py loaded loads",
            "app/shop/cart.py stale compiles",
            "app/tool.py loaded loads",
        ],
    );
    assert_eq!(compiled(&sandbox, &[], "app", "tool"), ["cart.py"]);
}

/// Zip dates of 2098 and 1980 (serverless/serverless#13889, aws/aws-lambda-builders#924), and the
/// `__pycache__` that zips ignore (pypa/pip#14098).
#[test]
fn zips() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    compile(&sandbox, &["-b"]);
    for date in ["(2098, 1, 1, 0, 0, 0)", "(1980, 1, 1, 0, 0, 0)"] {
        pack(&sandbox, date);
        check(
            &sandbox,
            &["app.zip"],
            1,
            &[
                "app.zip/shop/__init__.py stale compiles",
                "app.zip/shop/cart.py stale compiles",
                "app.zip/tool.py stale compiles",
            ],
        );
        assert_eq!(
            compiled(&sandbox, &[], "app.zip", "tool").len(),
            0,
            "zipimport does not say what it compiles"
        );
    }
    // The same caches as a folder: that a `.pyc` stands beside its source helps nobody.
    let (_, rows) = verdicts(&sandbox, &["app"]);
    assert!(rows.contains(&"app/tool.py missing compiles".to_owned()), "{rows:?}");
    assert!(rows.contains(&"app/tool.pyc ignored not-used".to_owned()), "{rows:?}");
    // Hash-based, and beside their sources, they load whatever the date.
    compile(&sandbox, &["-b", "-f", "--invalidation-mode", "checked-hash"]);
    pack(&sandbox, "(2098, 1, 1, 0, 0, 0)");
    let good = sandbox.run(&["doctor", "--python", "python3", "app.zip"]);
    good.success().says(&["3 loaded from cache"]);
    sandbox.run(&["doctor", "--python", "python3", "--as", "zip", "app"]).success();

    for path in sandbox.caches() {
        sandbox.remove(&path);
    }
    compile(&sandbox, &[]);
    pack(&sandbox, "(2026, 1, 1, 0, 0, 0)");
    let ignored = [
        "app.zip/shop/__init__.py ignored compiles",
        "app.zip/shop/cart.py ignored compiles",
        "app.zip/tool.py ignored compiles",
    ];
    check(&sandbox, &["app.zip"], 1, &ignored);
    let as_zip = ignored.map(|row| row.replace("app.zip/", "app/"));
    check(&sandbox, &["--as", "zip", "app"], 1, &as_zip.each_ref().map(|row| &row[..]));
    // Unpacked, its dates are stale.
    let stale = ignored.map(|row| row.replace("ignored", "stale"));
    check(&sandbox, &["--as", "dir", "app.zip"], 1, &stale.each_ref().map(|row| &row[..]));
}

/// Unchecked caches over an edited source (aspect-build/rules_py#1506).
#[test]
fn unchecked_over_an_edited_source() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    compile(&sandbox, &["--invalidation-mode", "unchecked-hash"]);
    sandbox.write("app/shop/cart.py", "def total(items):\n    return 0\n");
    let edited = |verdict: &str| {
        [
            "app/shop/__init__.py loaded loads".to_owned(),
            format!("app/shop/cart.py {verdict}"),
            "app/tool.py loaded loads".to_owned(),
        ]
    };
    let rows = edited("unchecked-over-changed runs-old-code");
    check(&sandbox, &["app"], 1, &rows.each_ref().map(|row| &row[..]));
    assert_eq!(compiled(&sandbox, &[], "app", "tool"), [""; 0]);
    let rows = edited("stale compiles");
    let always = ["app", "--check-hash-based-pycs", "always"];
    check(&sandbox, &always, 1, &rows.each_ref().map(|row| &row[..]));
    let option = ["--check-hash-based-pycs", "always"];
    assert_eq!(compiled(&sandbox, &option, "app", "tool"), ["cart.py"]);
}

/// A truncated cache with a good header (spec-kitty/spec-kitty#4529), in a folder and alone.
#[test]
fn truncated() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    compile(&sandbox, &[]);
    let cache = format!("app/shop/__pycache__/cart.{}.pyc", sandbox.tag());
    let bytes = sandbox.read(&cache);
    sandbox.write(&cache, &bytes[..bytes.len() / 2]);
    check(
        &sandbox,
        &["app"],
        1,
        &[
            "app/shop/__init__.py loaded loads",
            "app/shop/cart.py truncated fails",
            "app/tool.py loaded loads",
        ],
    );
    let failed = sandbox.python(&["-c", "import sys; sys.path.insert(0, 'app'); import tool"]);
    failed.code(1).says(&["EOFError"]);
    let human = sandbox.run(&["doctor", "--python", "python3", "app"]).code(1);
    human.says(&["   Truncated 1 module cannot be imported (EOFError)", "1 cannot be imported"]);
}

/// No level in the name (rules_python's precompiling), no cache tag, another interpreter, a prefix.
#[test]
fn launches() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    compile(&sandbox, &[]);
    let all = |verdict: &str| {
        ["shop/__init__", "shop/cart", "tool"].map(|module| format!("app/{module}.py {verdict}"))
    };
    let expect = |arguments: &[&str], verdict: &str| {
        let rows = all(verdict);
        check(&sandbox, arguments, 1, &rows.each_ref().map(|row| &row[..]));
    };
    expect(&["app", "-O"], "wrong-level compiles");
    expect(&["app", "-OO"], "wrong-level compiles");
    expect(&["app", "--optimize", "1"], "wrong-level compiles");
    assert_eq!(compiled(&sandbox, &["-O"], "app", "tool"), ["tool.py", "__init__.py", "cart.py"]);
    expect(&["app", "--cache-tag", "none"], "missing compiles");
    expect(&["app", "--cache-tag", "cpython-27"], "wrong-magic compiles");
    std::fs::create_dir(sandbox.path("prefix")).unwrap();
    expect(&["app", "--pycache-prefix", "prefix"], "ignored compiles");
    // Filled by the interpreter itself.
    let app = sandbox.path("app");
    let script = "import sys; sys.path.insert(0, sys.argv[1]); import tool";
    let mut command = Command::new(&sandbox.interpreter().path);
    let prefix = format!("pycache_prefix={}", sandbox.path("prefix").display());
    command.args(["-X", &prefix, "-c", script]).arg(&app).current_dir(sandbox.root()).env_clear();
    crate::sandbox::finish(&mut command).success();
    let prefixed =
        sandbox.run(&["doctor", "--python", "python3", "app", "--pycache-prefix", "prefix"]);
    prefixed.success();
    let others = pythons::all().iter().find(|other| other.version != sandbox.interpreter().version);
    let Some(other) = others else { return pythons::skip("needs two versions of CPython") };
    let by_other = sandbox.run(&["doctor", "app", "--python", &other.name()]);
    by_other.code(1).says(&["Wrong magic 3 modules are compiled at start", "compile with CPython"]);
}

/// Names that something else has already, caches whose source is gone, paths of elsewhere.
#[test]
fn what_is_never_looked_at() {
    let Some(sandbox) = Sandbox::new(
        "
        //- /app/cart.py
        WHAT = 'module'
        //- /app/cart/__init__.py
        WHAT = 'package'
        //- /app/sys.py
        //- /app/gone.py
        //- /app/alone.py
        //- /later/alone.py
        //- /app/my-script.py
        ",
    ) else {
        return;
    };
    compile(&sandbox, &[]);
    sandbox.remove("app/gone.py");
    let tag = sandbox.tag();
    let orphan = format!("app/__pycache__/gone.{tag}.pyc orphan not-used");
    check(
        &sandbox,
        &["app", "later"],
        0,
        &[
            &orphan,
            "app/alone.py loaded loads",
            "app/cart.py shadowed not-used",
            "app/cart/__init__.py loaded loads",
            "app/my-script.py script not-used",
            "app/sys.py shadowed not-used",
            "later/alone.py shadowed not-used",
        ],
    );
    let code = "import sys; sys.path.insert(0, 'app'); import cart; print(cart.WHAT)";
    assert_eq!(sandbox.python(&["-c", code]).success().stdout, "package\n");

    compile(&sandbox, &["-b", "-f", "-d", "/elsewhere"]);
    for path in ["app/alone.py", "app/cart.py", "app/cart/__init__.py", "app/sys.py"] {
        sandbox.remove(path);
    }
    let (_, rows) = verdicts(&sandbox, &["app"]);
    assert!(rows.contains(&"app/alone.pyc foreign-path loads".to_owned()), "{rows:?}");
}

#[test]
fn a_virtual_environment_is_its_site_packages() {
    let Some(sandbox) = Sandbox::new("//- /app/one.py\nx = 1\n") else { return };
    sandbox.python(&["-m", "venv", "--without-pip", "env"]).success();
    let version = sandbox.interpreter().name();
    let packages = format!("env/lib/python{version}/site-packages");
    sandbox.write(&format!("{packages}/one.py"), "x = 1\n");
    sandbox.write(&format!("{packages}/json.py"), "x = 1\n");
    assert!(Path::new(&sandbox.path(&packages)).is_dir());
    // Its own interpreter, without being told.
    let output = sandbox.run(&["doctor", "env"]).code(1);
    output.says(&[
        &format!("{packages}/one.py"),
        "Missing 1 module is compiled at start",
        &format!("{packages}/json.py: the name is in the standard library already"),
    ]);
}

/// Files and folders that are links, out of the tree too, as runfiles and editable packages are.
#[test]
fn links_are_followed() {
    let Some(sandbox) = Sandbox::new(APP) else { return };
    sandbox.write("app/own/inner.py", "x = 1\n");
    compile(&sandbox, &[]);
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(sandbox.path(target), sandbox.path(name)).unwrap();
    };
    sandbox.write("run/real/one.py", "x = 1\n");
    link("app/shop", "run/shop");
    link("app/tool.py", "run/tool.py");
    link("run/real", "run/other");
    check(
        &sandbox,
        &["run"],
        1,
        &[
            "run/other/one.py missing compiles",
            "run/real/one.py missing compiles",
            "run/shop/__init__.py loaded loads",
            "run/shop/cart.py loaded loads",
            "run/tool.py missing compiles",
        ],
    );
    assert_eq!(compiled(&sandbox, &[], "run", "tool, other.one"), ["tool.py", "one.py"]);
}

#[test]
fn what_cannot_be_examined() {
    let Some(sandbox) = Sandbox::new("//- /app/one.py\nx = 1\n") else { return };
    sandbox.run(&["doctor", "nowhere"]).code(2).says(&["nowhere"]);
    sandbox.run(&["doctor", "app/one.py"]).code(2).says(&["one.py"]);
    sandbox.run(&["doctor", "app", "--python", "3.99"]).code(3).says(&["3.99"]);
    sandbox.run(&["doctor", "app", "--allow", "nonsense"]).code(2).says(&["wrong-magic"]);
}
