//! Compares the scanner with CPython's own parser, on the standard libraries of the interpreters
//! found, and with `BYTEKILN_FULL=1` on the corpora of the work tree. `facts.py` prints what `ast`
//! sees; this prints the same from an extraction. Files that CPython refuses are scanned too, but
//! there is nothing to compare them with.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test that cannot ask fails, and one that did says how much it compared"
)]

mod render;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytekiln_test_support::pythons::{self, Python};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/facts.py");

/// Differences shown before the rest is only counted.
const SHOWN: usize = 20;

#[test]
fn standard_library_of_3_11() {
    if let Some(python) = pythons::find_or_skip(3, 11) {
        compare(python, &[standard_library(python)]);
    }
}

#[test]
fn standard_library_of_the_newest() {
    match pythons::all().iter().rfind(|python| python.version >= (3, 12)) {
        Some(python) => compare(python, &[standard_library(python)]),
        None => pythons::skip("needs CPython 3.12 or newer"),
    }
}

/// Lazy imports are a syntax error before 3.15.
#[test]
fn lazy_imports() {
    if let Some(python) = pythons::find_or_skip(3, 15) {
        compare(python, &[Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/lazy")]);
    }
}

#[test]
fn corpora() {
    if std::env::var_os("BYTEKILN_FULL").is_none_or(|value| value != "1") {
        // As downloads that only `cargo xtask bench` makes: nothing that a clone must have.
        return println!("skipped: corpora is long, set BYTEKILN_FULL=1");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora");
    let folders: Vec<PathBuf> = ["small", "ansible"]
        .iter()
        .map(|name| root.join(name))
        .filter(|path| path.exists())
        .collect();
    match pythons::all().iter().rfind(|python| python.version >= (3, 12)) {
        Some(python) if !folders.is_empty() => compare(python, &folders),
        Some(_) => println!("skipped: no packages in corpora"),
        None => pythons::skip("needs CPython 3.12 or newer"),
    }
}

fn standard_library(python: &Python) -> PathBuf {
    let output = Command::new(&python.path)
        .args(["-I", "-S", "-c", "import os; print(os.path.dirname(os.__file__))"])
        .output()
        .expect("the interpreter runs");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim_end())
}

/// Extraction and `ast` agree on all sources under the folders.
fn compare(python: &Python, folders: &[PathBuf]) {
    let mut paths = Vec::new();
    for folder in folders {
        collect(folder, &mut paths);
    }
    assert!(!paths.is_empty(), "no sources in {folders:?}");
    let expected = ask(python, &paths);
    let (mut compared, mut refused, mut differences, mut shown) = (0, 0, 0, String::new());
    let mut rest = expected.as_str();
    while let Some((head, after)) = rest.split_once('\n') {
        let end = after
            .match_indices(['=', '!'])
            .map(|(index, _)| index)
            .find(|&index| {
                after[index + 1..].starts_with(' ')
                    && (index == 0 || after.as_bytes()[index - 1] == b'\n')
            })
            .unwrap_or(after.len());
        let facts = &after[..end];
        rest = &after[end..];
        let Some(path) = head.strip_prefix("= ") else {
            refused += 1;
            continue;
        };
        compared += 1;
        let source = std::fs::read(path).expect("readable");
        let actual = render::facts(&source);
        if actual != facts {
            differences += 1;
            if differences <= SHOWN {
                let _ = writeln!(shown, "{path}\n{}", difference(facts, &actual));
            }
        }
    }
    assert_eq!(differences, 0, "of {compared} files ({refused} refused):\n{shown}");
    assert_eq!(compared + refused, paths.len());
    println!("{compared} files agree with {}, {refused} refused", python.name());
}

fn ask(python: &Python, paths: &[PathBuf]) -> String {
    let mut child = Command::new(&python.path)
        .args(["-I", "-S", "-B", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the interpreter starts");
    let mut stdin = child.stdin.take().expect("piped");
    for path in paths {
        writeln!(stdin, "{}", path.display()).expect("the interpreter reads");
    }
    drop(stdin);
    let output = child.wait_with_output().expect("the interpreter ends");
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let is_python = path.extension().is_some_and(|extension| extension == "py");
        if path.is_symlink() || path.ends_with("site-packages") {
            continue;
        } else if path.is_dir() {
            collect(&path, paths);
        } else if is_python && path.to_str().is_some_and(|path| !path.contains('\n')) {
            paths.push(path);
        }
    }
}

fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<_>, Vec<_>) =
        (expected.lines().collect(), actual.lines().collect());
    let mut text = String::new();
    for line in expected.iter().filter(|line| !actual.contains(line)).take(4) {
        let _ = writeln!(text, "  ast     {line}");
    }
    for line in actual.iter().filter(|line| !expected.contains(line)).take(4) {
        let _ = writeln!(text, "  scanner {line}");
    }
    text
}
