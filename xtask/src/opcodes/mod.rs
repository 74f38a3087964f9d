//! `cargo xtask opcodes [--check]`: asks the interpreters of this machine for their instruction
//! sets and writes them as tables of crate `bytecode`, or says which tables are not what they say.
//! Knows nothing of what the tables mean.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::shell;

/// Releases that have a table.
const MINORS: std::ops::RangeInclusive<u8> = 8..=15;

/// Folders of further interpreters, as for the tests.
const FOLDERS_VARIABLE: &str = "BYTEKILN_TEST_PYTHONS";

/// Writes the tables of all interpreters found; with `check`, compares instead.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = shell::root();
    let found = interpreters();
    let mut wrong = Vec::new();
    for minor in MINORS {
        let Some(interpreter) = found.get(&minor) else {
            println!("skipped: no interpreter of Python 3.{minor} was found");
            continue;
        };
        let relative = format!("crates/bytecode/src/tables/python_3_{minor}.rs");
        let path = root.join(&relative);
        let text = table(interpreter)
            .with_context(|| format!("cannot ask `{}`", interpreter.display()))?;
        if std::fs::read_to_string(&path).is_ok_and(|now| now == text) {
            println!("{relative}: as `{}` says", interpreter.display());
        } else if check {
            println!("{relative}: differs from what `{}` says", interpreter.display());
            wrong.push(relative);
        } else {
            std::fs::write(&path, text).with_context(|| format!("cannot write `{relative}`"))?;
            println!("{relative}: written from `{}`", interpreter.display());
        }
    }
    ensure!(!found.is_empty(), "no interpreter was found; name folders in {FOLDERS_VARIABLE}");
    ensure!(wrong.is_empty(), "{} tables differ; run `cargo xtask opcodes`", wrong.len());
    Ok(())
}

/// One interpreter of each release: of the folders of the variable, else of `PATH`, else of pyenv.
fn interpreters() -> BTreeMap<u8, PathBuf> {
    let mut folders = Vec::new();
    for variable in [FOLDERS_VARIABLE, "PATH"] {
        let list = std::env::var_os(variable).unwrap_or_default();
        folders.extend(std::env::split_paths(&list).collect::<Vec<_>>());
    }
    if let Some(home) = std::env::home_dir()
        && let Ok(entries) = std::fs::read_dir(home.join(".pyenv/versions"))
    {
        let mut versions: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        versions.sort();
        folders.extend(versions.into_iter().map(|version| version.join("bin")));
    }
    let mut found = BTreeMap::new();
    for minor in MINORS {
        let candidates = folders.iter().map(|folder| folder.join(format!("python3.{minor}")));
        if let Some(path) = candidates.into_iter().find(|path| is_release(path, minor)) {
            found.insert(minor, path);
        }
    }
    found
}

/// Whether it is a CPython of 3.`minor`: a shim that finds none is not.
fn is_release(path: &Path, minor: u8) -> bool {
    const QUESTION: &str =
        "import sys; print(sys.implementation.name, *sys.version_info[:2], sys.version_info[3])";
    let output = Command::new(path).args(["-I", "-S", "-c", QUESTION]).output();
    output.is_ok_and(|output| output.stdout.trim_ascii_end() == answer(minor).as_bytes())
}

fn answer(minor: u8) -> String {
    format!("cpython 3 {minor} final")
}

/// The formatted table.
fn table(interpreter: &Path) -> Result<String> {
    let mut python = Command::new(interpreter);
    let output = python.args(["-I", "-S", "-B", "-c", include_str!("facts.py")]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut formatter = Command::new("rustfmt");
    formatter.args(["--edition", "2024", "--config", "max_width=100,use_small_heuristics=Max"]);
    let mut child = formatter.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let Some(mut input) = child.stdin.take() else { bail!("rustfmt has no input") };
    input.write_all(&output.stdout)?;
    drop(input);
    let formatted = child.wait_with_output()?;
    ensure!(formatted.status.success(), "rustfmt rejects the table");
    Ok(String::from_utf8(formatted.stdout)?)
}
