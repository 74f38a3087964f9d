//! Interpreters, real ones where there are any and small scripts that misbehave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::{Expect, expect};

use super::find::{SearchPath, find_interpreters};
use super::probe::probe;
use crate::InterpreterSpec;

/// A shell script in the place of an interpreter.
fn script(folder: &Path, name: &str, body: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn check(body: &str, expect: Expect) {
    let folder = tempfile::tempdir().unwrap();
    let path = script(folder.path(), "python", body);
    let said = match probe(&path, Duration::from_millis(700)) {
        Ok(answer) => answer.toolchain.label(),
        Err(fault) => fault.to_string(),
    };
    expect.assert_eq(&said);
}

#[test]
fn misbehaving_interpreters_are_named() {
    check("echo oh no >&2; exit 3", expect!["it failed (exit status: 3): oh no"]);
    check("exit 0", expect!["it did not answer as a Python 3 does"]);
    check("sleep 30", expect!["it did not answer within 0 s, and was killed"]);
    check("sleep 30 & echo hello", expect!["it did not answer within 0 s, and was killed"]);
    check(
        "echo bytekiln-is pypy 3.10.14",
        expect!["it is pypy 3.10.14, and only CPython 3's caches can be built"],
    );
    check(
        "echo bytekiln-is Python 2.7.18",
        expect!["it is Python 2.7.18, and only CPython 3's caches can be built"],
    );
    check("yes noise", expect!["it did not answer within 0 s, and was killed"]);
}

#[test]
fn what_was_not_found_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    let state = folder.path().join("state");
    script(&folder.path().join("bin"), "python9.9", "echo bytekiln-is pypy 3.10.14");
    let search = SearchPath { folders: vec![folder.path().join("bin")], ..SearchPath::default() };
    let find = |spec| {
        let error = find_interpreters(&[spec], &search, folder.path(), &state).unwrap_err();
        let text = format!("{error}\n{}", error.hint().unwrap_or_default());
        text.replace(folder.path().to_str().unwrap(), "ROOT")
    };
    let version = InterpreterSpec::Version { numbers: vec![9, 9], free_threaded: false };
    let text = find(version);
    assert!(text.starts_with("no interpreter for `9.9` was found in `ROOT/bin`, "), "{text}");
    assert!(text.contains("`ROOT/bin/python9.9` (it is pypy 3.10.14"), "{text}");
    expect![[r#"
        the interpreter `ROOT/none/python` (for `none/python`) cannot be used: there is no such file
    "#]]
    .assert_eq(&find(InterpreterSpec::Path(PathBuf::from("none/python"))));
    std::fs::write(folder.path().join("plain"), "").unwrap();
    expect![[r#"
        the interpreter `ROOT/plain` (for `./plain`) cannot be used: it is not executable
    "#]]
    .assert_eq(&find(InterpreterSpec::Path(PathBuf::from("./plain"))));
}
