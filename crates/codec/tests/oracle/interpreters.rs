//! Finds interpreters to test against: on PATH, under `~/.pyenv/versions`, and in the folders of
//! `BYTEKILN_TEST_PYTHONS`. Free-threaded and debug builds (`python3.13t`, `python3.13d`,
//! `.ci/install-more-pythons` makes them) are interpreters of their release as any other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The interpreters of 3.`minor`, each once.
pub(crate) fn find(minor: u8) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for variable in ["BYTEKILN_TEST_PYTHONS", "PATH"] {
        if let Some(list) = std::env::var_os(variable) {
            folders.extend(std::env::split_paths(&list));
        }
    }
    if let Some(home) = std::env::var_os("HOME") {
        let versions = std::fs::read_dir(Path::new(&home).join(".pyenv/versions"));
        let versions = versions.into_iter().flatten().flatten();
        let mut versions: Vec<PathBuf> =
            versions.map(|version| version.path().join("bin")).collect();
        versions.sort();
        folders.extend(versions);
    }
    let names = ["", "t", "d", "-dbg"].map(|build| format!("python3.{minor}{build}"));
    let found = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    // Shims of version managers are scripts; they resolve to themselves and fail to start, or start
    // an interpreter that is found under its own name as well.
    let real = found.filter_map(|path| path.canonicalize().ok()).filter(|path| is_binary(path));
    real.collect::<BTreeSet<PathBuf>>().into_iter().collect()
}

fn is_binary(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| !bytes.starts_with(b"#!"))
}

/// Says aloud that there is none, or fails if all are required. Only those count as required that
/// `.ci/run` can install; the others come with some machines, and are used where they are.
pub(crate) fn missing(minor: u8) {
    let required = std::env::var_os("BYTEKILN_REQUIRE_ALL").is_some_and(|value| value == "1");
    let obtainable = minor == 11 || minor >= 13;
    assert!(!(required && obtainable), "no interpreter of Python 3.{minor} was found");
    println!("skipped: no interpreter of Python 3.{minor} was found");
}
