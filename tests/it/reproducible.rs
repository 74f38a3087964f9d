//! The same sources give the same bytes: in another folder, locale, order, with another number of
//! jobs, another hash seed, from workers fresh or warm, compiled or restored.

use std::fs;
use std::path::Path;

use bytekiln_test_support::pythons::{self, Python};

use crate::sandbox::{Sandbox, finish, full_size};

/// Copies modules of an interpreter's standard library, smallest names first, at most `count`; how
/// many.
fn copy_library(python: &Python, sandbox: &Sandbox, count: usize) -> usize {
    let sandboxed = Sandbox::with_python("", python);
    let code = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let library = sandboxed.python(&["-c", code]).success().stdout;
    let library = Path::new(library.trim_end());
    let mut sources = Vec::new();
    collect(library, &mut sources);
    sources.sort();
    assert!(sources.len() > 300, "{} has only {} sources", library.display(), sources.len());
    for source in sources.iter().take(count) {
        let path = source.strip_prefix(library).unwrap().to_string_lossy().into_owned();
        sandbox.write(&path, fs::read(source).unwrap());
    }
    sources.len().min(count)
}

/// Sources without tests that are broken on purpose and without installed packages.
fn collect(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    const LEFT_OUT: [&str; 6] =
        ["site-packages", "dist-packages", "lib2to3", "bad_coding", "__pycache__", "tests"];
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if LEFT_OUT.contains(&name.as_str()) || name == "test" {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&path, found);
        } else if name.ends_with(".py") && fs::read_to_string(&path).is_ok() {
            found.push(path);
        }
    }
}

#[track_caller]
fn check(python: &Python, count: usize) {
    let first = Sandbox::with_python("", python);
    let count = copy_library(python, &first, count);
    first.build(&["--jobs", "1"]).success();
    let expected = first.cache_bytes();
    assert!(expected.len() > count * 9 / 10, "{} outputs of {count} sources", expected.len());

    // Another folder, more jobs, another locale, hash seed, time zone, umask; no cache.
    let second = Sandbox::with_python("", python);
    copy_library(python, &second, count);
    let shell = "umask 077; exec \"$0\" build --jobs 3 --no-cache --force";
    let mut command = second.command(&[]);
    let mut shelled = std::process::Command::new("sh");
    shelled.args(["-c", shell]).arg(command.get_program()).current_dir(second.root()).env_clear();
    shelled.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    shelled.env("LC_ALL", "C").env("LANG", "tr_TR.UTF-8").env("PYTHONHASHSEED", "12345");
    shelled.env("TZ", "Asia/Kathmandu").env("PYTHONDONTWRITEBYTECODE", "1");
    shelled.env("PYTHONOPTIMIZE", "2").env("SOURCE_DATE_EPOCH", "1");
    finish(&mut shelled).success();
    same(&expected, &second.cache_bytes(), "compiled elsewhere");

    // One file at a time, by workers that have compiled nothing before: a sample.
    command = second.command(&[]);
    drop(command);
    let sample: Vec<&(String, Vec<u8>)> = expected.iter().step_by(count / 8).collect();
    for (path, _) in &sample {
        second.remove(path);
        second.run(&["build", "--no-cache", "--jobs", "1"]).success();
    }
    same(&expected, &second.cache_bytes(), "compiled by a fresh worker");

    // Restored from the first one's cache.
    for (path, _) in &expected {
        second.remove(path);
    }
    let cache = first.beside("cache/bytekiln").to_string_lossy().into_owned();
    let restored = second.build(&["--cache-dir", &cache]).success();
    assert!(restored.results().iter().all(|result| !result.ends_with(" compiled")));
    same(&expected, &second.cache_bytes(), "restored");
}

#[track_caller]
fn same(expected: &[(String, Vec<u8>)], actual: &[(String, Vec<u8>)], how: &str) {
    assert_eq!(expected.len(), actual.len(), "{how}");
    let differing: Vec<&str> = expected
        .iter()
        .zip(actual)
        .filter(|(expected, actual)| expected != actual)
        .map(|((path, _), _)| path.as_str())
        .collect();
    assert_eq!(differing, [""; 0], "{how}");
}

#[test]
fn a_thousand_files_are_the_same_everywhere() {
    let Some(python) = pythons::any_or_skip() else { return };
    check(python, 1000);
}

#[test]
fn every_interpreter_is_reproducible() {
    for python in pythons::all() {
        check(python, if full_size() { 2000 } else { 250 });
    }
}
