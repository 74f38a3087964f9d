//! `init`, `add`, `remove`, `clean`, `inspect`, `completions`, `--timings`, and what builds do about
//! sources that stop compiling, interpreters that hang, and members that want one file.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::build::CALCULATOR;
use crate::sandbox::Sandbox;

const PROJECTS: &str = "\
//- /libs/money/pyproject.toml
[project]
name = \"money\"
//- /libs/money/src/money/__init__.py
PENCE = 100
//- /apps/shop/pyproject.toml
[project]
name = \"shop\"
//- /apps/shop/shop.py
import money
//- /loose.py
x = 1
";

#[test]
fn a_first_manifest_builds_what_was_built_without_it() {
    let Some(sandbox) = Sandbox::new(PROJECTS) else { return };
    sandbox.run(&["build"]).success();
    let before = sandbox.caches();
    assert_eq!(before.len(), 3, "files outside of every project are built too: {before:?}");
    sandbox.run(&["init"]).success();
    let manifest = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
    assert!(manifest.contains("libs/money") && manifest.contains('#'), "{manifest}");
    sandbox.run(&["build"]).success();
    assert_eq!(sandbox.caches(), before);
    sandbox.run(&["init"]).code(2);
}

#[test]
fn members_come_and_go_and_comments_stay() {
    let Some(sandbox) = Sandbox::new(PROJECTS) else { return };
    sandbox.write("bytekiln.toml", "# ours\n[workspace]\nmembers = [\n    \"apps/*\", # all\n]\n");
    sandbox.run(&["add", "libs/money"]).success();
    let added = String::from_utf8(sandbox.read("bytekiln.toml")).unwrap();
    assert!(added.contains("# ours") && added.contains("# all"), "{added}");
    assert!(added.contains("\"libs/money\""), "{added}");
    sandbox.run(&["build", "-p", "money"]).success();
    assert_eq!(sandbox.caches().len(), 1);
    sandbox.run(&["add", "libs/money"]).success();
    assert_eq!(sandbox.read("bytekiln.toml"), added.as_bytes(), "adding twice changes nothing");
    sandbox.run(&["remove", "libs/money"]).success();
    assert!(!String::from_utf8(sandbox.read("bytekiln.toml")).unwrap().contains("libs/money"));
    sandbox.run(&["remove", "libs/monney"]).code(1);
    sandbox.run(&["add", "libs/none"]).code(2);
}

#[test]
fn clean_removes_what_we_made_and_nothing_else() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.run(&["build"]).success();
    let all = sandbox.caches();
    let (foreign, changed) = ("mathematics/__pycache__/other.cpython-27.pyc", &all[0]);
    sandbox.write(foreign, "not ours");
    sandbox.remove(changed);
    sandbox.write(changed, "somebody else's");
    sandbox.run(&["clean", "--dry-run"]).success();
    assert_eq!(sandbox.caches().len(), all.len() + 1);
    let output = sandbox.run(&["clean"]).success();
    let mut left = sandbox.caches();
    left.sort();
    let mut expected = vec![foreign.to_owned(), changed.clone()];
    expected.sort();
    assert_eq!(left, expected, "{}", output.shown());
    sandbox.run(&["clean"]).success();
    sandbox.remove(changed);
    sandbox.run(&["build"]).success();
    assert_eq!(sandbox.caches().len(), all.len() + 1);
}

#[test]
fn inspect_shows_header_source_and_code() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.run(&["build"]).success();
    let caches = sandbox.caches();
    let cache = caches.iter().find(|cache| cache.contains("/add.")).expect("the module's cache");
    let output = sandbox.run(&["inspect", "--format", "json", cache]).success();
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    let file = &value["files"][0];
    assert_eq!(file["validation"]["mode"], "checked-hash");
    assert_eq!(file["source"]["matches"], true);
    assert_eq!(file["canonical"], true);
    assert_eq!(file["code_objects"][0]["filename"], "mathematics/arithmetic/add.py");
    sandbox.write("mathematics/arithmetic/add.py", "changed = True\n");
    let output = sandbox.run(&["inspect", cache]).success();
    assert!(output.stdout.contains("DIFFERS"), "{}", output.shown());
    sandbox.write("broken.pyc", b"\xa7\x0d\x0d\x0a");
    let output = sandbox.run(&["inspect", "broken.pyc", cache]).code(1);
    assert!(output.stderr.contains("broken.pyc"), "{}", output.shown());
    assert!(output.stdout.contains("add.py"), "the other is still shown: {}", output.shown());
}

#[test]
fn completions_and_timings_are_written() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    for shell in ["bash", "zsh", "fish"] {
        let output = sandbox.run(&["completions", shell]).success();
        assert!(output.stdout.contains("bytekiln"), "{shell}");
    }
    sandbox.run(&["build", "--timings=timings.html"]).success();
    let page = String::from_utf8(sandbox.read("timings.html")).unwrap();
    assert!(page.contains("mathematics/arithmetic") && page.contains("add.py"));
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "no network");
}

#[test]
fn a_source_that_stops_compiling_takes_its_old_output_along() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.run(&["build", "--invalidation-mode", "unchecked-hash"]).success();
    let before = sandbox.caches().len();
    sandbox.write("calculator.py", "def broken(:\n");
    sandbox.run(&["build", "--invalidation-mode", "unchecked-hash"]).code(1);
    assert_eq!(sandbox.caches().len(), before - 1, "CPython would go on loading the old one");
    sandbox.run(&["build", "--invalidation-mode", "unchecked-hash"]).code(1);
    sandbox.write("calculator.py", "fixed = 1\n");
    sandbox.run(&["build", "--invalidation-mode", "unchecked-hash"]).success();
    assert_eq!(sandbox.caches().len(), before);
}

#[test]
fn warnings_can_be_denied_also_from_the_cache() {
    let Some(sandbox) = Sandbox::new("//- /m.py\nif 'a' is 'a':\n    pass\n") else { return };
    let output = sandbox.run(&["build"]).success();
    assert!(output.stderr.contains("SyntaxWarning"), "{}", output.shown());
    assert!(
        !sandbox.run(&["build"]).success().stderr.contains("SyntaxWarning"),
        "quiet when fresh"
    );
    let output = sandbox.run(&["build", "--deny-warnings"]).code(1);
    assert!(output.stderr.contains("m.py:1"), "{}", output.shown());
}

#[test]
fn interpreters_that_are_none_are_named() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let fake = |name: &str, script: &str| {
        let path = sandbox.beside(&format!("bin/{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_string_lossy().into_owned()
    };
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let pypy: String = [
        ("implementation", "pypy"),
        ("version", "3.11.13"),
        ("build", "3.11.13 [PyPy 7.3.20]"),
        ("magic", "240"),
        ("cache-tag", "pypy311"),
        ("platform", "linux-x86_64"),
        ("free-threaded", "no"),
        ("debug", "no"),
        ("executable", "/opt/pypy"),
    ]
    .iter()
    .map(|(key, value)| format!("{key} {}\n", hex(value)))
    .collect();
    let report = format!("cat <<'END'\nbytekiln-identity-1\n{pypy}bytekiln-identity-end\nEND");
    for (name, script, part) in [
        ("pypy3", report.as_str(), "pypy 3.11.13"),
        ("dies", "exit 3", "exit"),
        ("silent", "exit 0", "Python 3"),
    ] {
        let path = fake(name, script);
        let output = sandbox.run(&["build", "--python", &path]).code(3);
        assert!(output.stderr.contains(part), "{name}: {}", output.shown());
        assert!(output.stderr.contains(name), "{name}: {}", output.shown());
    }
    assert_eq!(sandbox.caches(), [""; 0]);
}

#[test]
fn one_folder_is_not_two_members() {
    let Some(sandbox) = Sandbox::new(PROJECTS) else { return };
    sandbox.write(
        "bytekiln.toml",
        "[workspace]\nmembers = [\"libs/money\", \"apps/shop\"]\n\n\
         [member.shop]\nimport-roots = [\".\", \"../../libs/money/src\"]\n",
    );
    let output = sandbox.run(&["build"]).code(2);
    assert!(output.stderr.contains("bytekiln.toml"), "{}", output.shown());
}
