//! Canonical caches in every place from which an interpreter loads one: run as a file, without a
//! source, in a zip, and beside a source that has changed since.

use std::path::Path;
use std::process::Command;

use bytekiln_codec::{HEADER_LENGTH, NanPolicy, assemble, canonicalize, source_hash};
use bytekiln_python::{InvalidationMode, Release};
use bytekiln_test_support::Scratch;

use crate::{interpreters, options};

const OLD: &str = "print('old', __name__)\n";
const NEW: &str = "print('new', __name__)\n";

fn run(interpreter: &Path, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(interpreter)
        .args(arguments)
        .current_dir(folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the interpreter starts");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).trim_end().to_owned()
}

/// The canonical cache of [`OLD`], and its name in `__pycache__`.
fn cache(
    interpreter: &Path,
    release: Release,
    folder: &Path,
    mode: InvalidationMode,
) -> (String, Vec<u8>) {
    const COMPILE: &str = "import importlib.util, py_compile, sys\n\
        py_compile.compile('m.py', cfile='raw.pyc', doraise=True)\n\
        print(importlib.util.cache_from_source('m.py'))";
    std::fs::write(folder.join("m.py"), OLD).expect("a source");
    let name = run(interpreter, folder, &["-I", "-c", COMPILE]);
    let raw = std::fs::read(folder.join("raw.pyc")).expect("a cache");
    let options = options(release, b"m.py", NanPolicy::Kept);
    let payload = canonicalize(&raw[HEADER_LENGTH..], &options).expect("a canonical form");
    (name, assemble(release, mode, source_hash(release, OLD.as_bytes()), &payload))
}

fn check(interpreter: &Path, release: Release) {
    for mode in [InvalidationMode::CheckedHash, InvalidationMode::UncheckedHash] {
        let scratch = Scratch::new();
        let folder = scratch.path();
        let (name, pyc) = cache(interpreter, release, folder, mode);
        let put = |name: &str| {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, &pyc).expect("a cache");
        };
        let expect = |arguments: &[&str], expect: &str| {
            let said = run(interpreter, folder, arguments);
            assert_eq!(said, expect, "{} {arguments:?}, {mode:?}", interpreter.display());
        };
        put("direct.pyc");
        expect(&["direct.pyc"], "old __main__");
        put("sourceless/s.pyc");
        expect(&["-c", "import sys; sys.path.insert(0, 'sourceless'); import s"], "old s");
        put("z.pyc");
        expect(&["-m", "zipfile", "-c", "archive.zip", "z.pyc"], "");
        std::fs::remove_file(folder.join("z.pyc")).expect("it was there");
        expect(&["-c", "import sys; sys.path.insert(0, 'archive.zip'); import z"], "old z");

        put(&name);
        let import = "import sys; sys.path.insert(0, ''); import m";
        expect(&["-c", import], "old m");
        // The hash is what tells an interpreter that the source has changed; if it is to look.
        std::fs::write(folder.join("m.py"), NEW).expect("a source");
        let checked = mode == InvalidationMode::CheckedHash;
        expect(&["-c", import], if checked { "new m" } else { "old m" });
        expect(&["--check-hash-based-pycs", "always", "-c", import], "new m");
        expect(&["--check-hash-based-pycs", "never", "-c", import], "old m");
        std::fs::write(folder.join("m.py"), OLD).expect("a source");
        expect(&["--check-hash-based-pycs", "always", "-c", import], "old m");
    }
}

#[test]
fn canonical_caches_load_wherever_they_lie() {
    let mut loaded = 0;
    for minor in 8..=15 {
        let release = Release::from_minor(minor).expect("a known release");
        for interpreter in interpreters::find(minor) {
            check(&interpreter, release);
            loaded += 1;
        }
    }
    println!("{loaded} interpreters");
    assert!(loaded > 0, "no interpreter was found");
}
