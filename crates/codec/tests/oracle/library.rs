//! The standard library's own tests on a standard library whose caches are all canonical: they pass
//! and fail as they do on the caches that the interpreter wrote. With `BYTEKILN_FULL=1`; a few of
//! them otherwise. Needs an interpreter that came with its `Lib/test`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytekiln_codec::{HEADER_LENGTH, Header, NanPolicy, assemble, canonicalize, source_hash};
use bytekiln_python::{InvalidationMode, Release};
use bytekiln_test_support::Scratch;

use crate::{interpreters, is_full, options};

/// What looks deepest into code objects, caches and their positions.
const TESTS: [&str; 9] = [
    "test_marshal",
    "test_code",
    "test_dis",
    "test_inspect",
    "test_importlib",
    "test_traceback",
    "test_typing",
    "test_compileall",
    "test_py_compile",
];
/// The quick ones.
const FEW: [&str; 2] = ["test_marshal", "test_code"];

/// Copies the library that `sys.argv[1]` is to be the home of, and compiles it.
const COPY: &str = "
import os, shutil, subprocess, sys, sysconfig
library = sysconfig.get_paths()['stdlib']
name = os.path.basename(library)
target = os.path.join(sys.argv[1], 'lib', name)
leave = shutil.ignore_patterns('site-packages', '__pycache__', 'config-*', '*.a')
shutil.copytree(library, target, symlinks=True, ignore=leave)
os.mkdir(os.path.join(target, 'site-packages'))
null = subprocess.DEVNULL
subprocess.run([sys.executable, '-m', 'compileall', '-q', '-j2', '--invalidation-mode',
    'unchecked-hash', target], stdout=null, stderr=null)
print(target, end='')
";

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("the interpreter starts");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Brings all caches below a folder to the canonical form; how many, and how many changed.
fn canonicalize_all(library: &Path, release: Release) -> (usize, usize) {
    let (mut all, mut changed) = (0, 0);
    let mut folders = vec![library.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
                continue;
            }
            let cache = path.extension().is_some_and(|extension| extension == "pyc");
            let Some(source) = source_of(&path).filter(|_| cache) else { continue };
            let pyc = std::fs::read(&path).expect("a cache");
            if Header::parse(&pyc).ok().and_then(|header| header.release()) != Some(release) {
                continue; // the tests bring broken ones
            }
            let relative = source.strip_prefix(library).expect("a path below").to_path_buf();
            let relative = relative.to_string_lossy().into_owned();
            let options = options(release, relative.as_bytes(), NanPolicy::Kept);
            let form = canonicalize(&pyc[HEADER_LENGTH..], &options).expect("a canonical form");
            let hash = source_hash(release, &std::fs::read(&source).expect("a source"));
            let new = assemble(release, InvalidationMode::UncheckedHash, hash, &form);
            changed += usize::from(new != pyc);
            std::fs::write(&path, new).expect("a cache");
            all += 1;
        }
    }
    (all, changed)
}

/// The source of a cache in `__pycache__`.
fn source_of(cache: &Path) -> Option<PathBuf> {
    let folder = cache.parent().filter(|folder| folder.ends_with("__pycache__"))?;
    let stem = cache.file_name()?.to_str()?.split('.').next()?;
    Some(folder.parent()?.join(format!("{stem}.py"))).filter(|source| source.is_file())
}

/// What came of each test, by its name.
fn results(interpreter: &Path, home: &Path, tests: &[&str]) -> BTreeMap<String, String> {
    let report = home.join("report.xml");
    let said = output(
        Command::new(interpreter)
            .args(["-s", "-m", "test", "--timeout", "600", "--junit-xml"])
            .arg(&report)
            .args(tests)
            .env("PYTHONHOME", home)
            .env_remove("PYTHONDONTWRITEBYTECODE"),
    );
    let text = std::fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {said}"));
    let mut all = BTreeMap::new();
    for case in text.split("<testcase ").skip(1) {
        let case = case.split("</testcase>").next().unwrap_or_default();
        let name = case.split("name=\"").nth(1).and_then(|rest| rest.split('"').next());
        let outcome = ["<failure", "<error", "<skipped"].into_iter().find(|tag| case.contains(tag));
        all.insert(name.unwrap_or_default().to_owned(), outcome.unwrap_or("passed").to_owned());
    }
    all
}

/// Checks one interpreter; false if it came without tests.
fn check(interpreter: &Path, release: Release, tests: &[&str]) -> bool {
    let has_tests = "import test.test_marshal, test.libregrtest; print('yes')";
    if !output(Command::new(interpreter).args(["-I", "-c", has_tests])).starts_with("yes") {
        return false;
    }
    let scratch = Scratch::new();
    let mut outcomes = Vec::new();
    for kind in ["raw", "canonical"] {
        let home = scratch.join(kind);
        let library = output(Command::new(interpreter).args(["-I", "-c", COPY]).arg(&home));
        let mut counts = (0, 0);
        if kind == "canonical" {
            counts = canonicalize_all(Path::new(&library), release);
            assert!(counts.1 > 500, "{counts:?} in {library}");
        }
        // That it is these caches that are loaded.
        let loud = output(
            Command::new(interpreter)
                .args(["-s", "-v", "-c", "import argparse, typing, test.support"])
                .env("PYTHONHOME", &home),
        );
        let loaded = loud.matches(&format!("# code object from '{library}")).count();
        assert!(loaded >= 20, "{loaded} caches of {library} were loaded");
        let found = results(interpreter, &home, tests);
        println!(
            "{}, {kind}: {} caches canonical, {} of them changed; {loaded} seen loaded; {} tests, \
             {} passed",
            interpreter.display(),
            counts.0,
            counts.1,
            found.len(),
            found.values().filter(|outcome| *outcome == "passed").count()
        );
        outcomes.push(found);
    }
    let [raw, canonical] = outcomes.as_slice() else { return false };
    assert!(raw.len() >= 20, "{} tests", raw.len());
    let differ: Vec<String> = raw
        .iter()
        .filter(|(name, outcome)| canonical.get(*name) != Some(*outcome))
        .map(|(name, outcome)| format!("{name}: {outcome}, then {:?}", canonical.get(name)))
        .collect();
    assert!(differ.is_empty() && raw.len() == canonical.len(), "{differ:#?}");
    true
}

fn check_release(minor: u8) {
    let release = Release::from_minor(minor).expect("a known release");
    let tests: &[&str] = if is_full() { &TESTS } else { &FEW };
    for interpreter in interpreters::find(minor) {
        if check(&interpreter, release, tests) {
            return;
        }
    }
    println!("skipped: no interpreter of Python 3.{minor} that came with its tests was found");
}

#[test]
fn library_tests_of_3_11() {
    check_release(11);
}

#[test]
fn library_tests_of_3_13() {
    check_release(13);
}
