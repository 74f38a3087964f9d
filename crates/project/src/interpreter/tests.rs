//! Interpreters, real ones where there are any and small scripts that misbehave.

use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::{Expect, expect};

use super::all::find_all_interpreters;
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

#[test]
fn real_interpreters_are_found_by_version_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    for python in bytekiln_test_support::pythons::all() {
        let search = SearchPath {
            folders: vec![python.path.parent().unwrap().to_owned()],
            ..SearchPath::default()
        };
        let minor = u16::from(python.version.1);
        let version = InterpreterSpec::Version { numbers: vec![3, minor], free_threaded: false };
        let find =
            || find_interpreters(std::slice::from_ref(&version), &search, folder.path(), &state);
        let found = find().unwrap().remove(0);
        assert_eq!(u16::from(found.toolchain.release.minor()), minor);
        assert!(found.evidence.iter().any(|watch| watch.path == found.executable));
        // Known now: its identity is taken from the state.
        let before = std::fs::metadata(state.join("interpreters")).unwrap().modified().unwrap();
        let again = find().unwrap().remove(0);
        assert_eq!(again.toolchain, found.toolchain);
        let after = std::fs::metadata(state.join("interpreters")).unwrap().modified().unwrap();
        assert_eq!(before, after);
    }
    let _ = bytekiln_test_support::pythons::any_or_skip();
}

#[test]
fn an_identity_goes_with_the_file_that_gave_it() {
    let Some(python) = bytekiln_test_support::pythons::any_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let started = folder.path().join("started");
    let body = format!("echo x >> {}; exec {} \"$@\"", started.display(), python.path.display());
    let wrapper = script(folder.path(), "wrapped", &body);
    std::thread::sleep(Duration::from_millis(15));
    let find = || {
        let specs =
            [InterpreterSpec::Path(wrapper.clone()), InterpreterSpec::Path(wrapper.clone())];
        let found = find_interpreters(&specs, &SearchPath::default(), folder.path(), &state);
        assert_eq!(found.unwrap().len(), 1);
        std::fs::read_to_string(&started).unwrap().lines().count()
    };
    assert_eq!((find(), find()), (1, 1));
    script(folder.path(), "wrapped", &format!("{body} ;"));
    assert_eq!(find(), 2);
}

#[test]
fn a_workspace_names_its_interpreter() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::write(folder.path().join(".python-version"), "# ours\nthree\n").unwrap();
    let find = || {
        find_interpreters(&[], &SearchPath::default(), folder.path(), &state)
            .map(|found| found[0].executable.clone())
            .map_err(|error| error.to_string().replace(folder.path().to_str().unwrap(), "ROOT"))
    };
    expect!["`ROOT/.python-version` names no version of Python: `three`"]
        .assert_eq(&find().unwrap_err());
    let Some(python) = bytekiln_test_support::pythons::any_or_skip() else { return };
    std::fs::create_dir_all(folder.path().join(".venv/bin")).unwrap();
    let own = folder.path().join(".venv/bin/python");
    std::os::unix::fs::symlink(&python.path, &own).unwrap();
    assert_eq!(find().unwrap(), own);
}

#[test]
fn uv_and_pyenv_are_asked_last() {
    let Some(python) = bytekiln_test_support::pythons::any_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (major, minor) = python.version;
    let spec = InterpreterSpec::Version {
        numbers: vec![u16::from(major), u16::from(minor)],
        free_threaded: false,
    };
    let managed = folder.path().join("managed-python");
    std::os::unix::fs::symlink(&python.path, &managed).unwrap();
    let uv = script(folder.path(), "uv", &format!("echo {}", managed.display()));
    let search = SearchPath { uv: Some(uv), ..SearchPath::default() };
    let found = find_interpreters(
        std::slice::from_ref(&spec),
        &search,
        folder.path(),
        &folder.path().join("state"),
    );
    let executable = found.unwrap().remove(0).executable;
    // The system's own interpreter, if it is of this version, comes before uv's.
    assert!(executable == managed || executable.starts_with("/usr"), "{}", executable.display());

    let version = folder.path().join(format!("pyenv/versions/{major}.{minor}.99/bin"));
    std::fs::create_dir_all(&version).unwrap();
    std::os::unix::fs::symlink(&python.path, version.join("python")).unwrap();
    let search = SearchPath { pyenv_root: Some(folder.path().join("pyenv")), ..search };
    let found = find_interpreters(&[spec], &search, folder.path(), &folder.path().join("state"));
    let executable = found.unwrap().remove(0).executable;
    assert!(
        executable == version.join("python") || executable.starts_with("/usr"),
        "{}",
        executable.display()
    );
}

#[test]
fn all_patch_releases_are_found_once_each() {
    let Some(python) = bytekiln_test_support::pythons::any_or_skip() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (bin, state) = (folder.path().join("bin"), folder.path().join("state"));
    std::fs::create_dir(&bin).unwrap();
    let started = folder.path().join("started");
    let real = python.path.display();
    let count = format!("echo x >> {}; ", started.display());
    for name in ["python3", &format!("python{}", python.name())] {
        script(&bin, name, &format!("{count}exec {real} \"$@\""));
    }
    // Another build of the same release.
    let pyenv = folder.path().join(format!("pyenv/versions/{}.99/bin", python.name()));
    std::fs::create_dir_all(&pyenv).unwrap();
    let other = format!("{count}{real} \"$@\" | sed 's/^build .*/build 6f74686572/'");
    script(&pyenv, "python3", &other);
    std::thread::sleep(Duration::from_millis(15));
    let search = SearchPath {
        folders: vec![bin],
        pyenv_root: Some(folder.path().join("pyenv")),
        ..SearchPath::default()
    };
    let release = bytekiln_python::Release::from_minor(python.version.1).unwrap();
    let find = || {
        let survey = find_all_interpreters(&[release], &search, folder.path(), Some(&state));
        let builds = |found: &super::Interpreter| found.toolchain.build.clone();
        let builds: Vec<String> = survey.found.iter().map(builds).collect();
        assert_eq!(builds.iter().filter(|build| *build == "other").count(), 1, "{builds:?}");
        assert!(builds.iter().any(|build| build != "other"));
        std::fs::read_to_string(&started).unwrap().lines().count()
    };
    assert_eq!((find(), find()), (3, 3), "the second search starts none");
}
