//! Documents whose `console` blocks are true: each `$ command` is run and what follows it is
//! compared with what it prints, after redaction. Knows the shell, not the commands.
//!
//! ````text
//! ```console
//! $ bytekiln build
//!     Finished 7 files in 0.12s
//! ```
//! ````
//!
//! Standard output and standard error are read as one; a failing command ends with a line
//! `[exit status: N]`. `[..]` stands for any text within a line. Each command starts in the
//! document's folder. In a block after the line `<!-- numbers vary -->` numbers, and how far they stand
//! apart, are not compared: measurements are shown as they were once.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::pythons;
use crate::redact::Redactions;

/// A line of a document or a command with its output.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Step { command: String, expected: Vec<String>, numbers_vary: bool },
}

/// A command whose output is not what the document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The command after `$ `.
    pub command: String,
    /// What the document says.
    pub expected: String,
    /// What it printed.
    pub actual: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Difference { command, expected, actual } = self;
        write!(formatter, "$ {command}\n--- written\n{expected}\n--- printed\n{actual}\n")
    }
}

/// What came of a replay.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How many commands were run.
    pub commands: usize,
    /// Commands that printed something else.
    pub differences: Vec<Difference>,
    /// The document with what was printed; parts that agree after redaction are kept as written.
    pub updated: String,
}

/// Replays `FOLDER/README.md` in a temporary copy of the folder, with a home and a cache of its
/// own, `programs` (folders) first on the `PATH`, and as `python3` a CPython 3.11 if there is one.
///
/// # Errors
/// If the folder cannot be read or copied or the shell does not start.
pub fn replay(folder: &Path, programs: &[PathBuf]) -> io::Result<Outcome> {
    let document = fs::read_to_string(folder.join("README.md"))?;
    let temporary = tempfile::Builder::new().prefix("bytekiln-transcript-").tempdir()?;
    let base = fs::canonicalize(temporary.path())?;
    let name = folder.file_name().unwrap_or_default();
    let copy = base.join(name);
    copy_folder(folder, &copy)?;
    for inner in ["home", "cache", "bin"] {
        fs::create_dir(base.join(inner))?;
    }
    let mut path: Vec<PathBuf> = vec![base.join("bin")];
    link_pythons(&base.join("bin"))?;
    path.extend(programs.iter().cloned());
    path.extend(["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from));
    let path = std::env::join_paths(path).map_err(io::Error::other)?;
    let redactions = Redactions::new()
        .with(copy.to_string_lossy(), format!("/somewhere/{}", name.to_string_lossy()))
        .with(base.join("cache").to_string_lossy(), "~/.cache")
        .with(base.join("home").to_string_lossy(), "~")
        .with(base.to_string_lossy(), "/somewhere");
    run_steps(&document, &redactions, |command| run(command, &copy, &base, &path))
}

fn run_steps(
    document: &str,
    redactions: &Redactions,
    mut run: impl FnMut(&str) -> io::Result<String>,
) -> io::Result<Outcome> {
    let mut outcome = Outcome {
        commands: 0,
        differences: Vec::new(),
        updated: String::with_capacity(document.len()),
    };
    for part in parse(document) {
        let (command, expected, numbers_vary) = match part {
            Part::Text(line) => {
                outcome.updated.push_str(&line);
                outcome.updated.push('\n');
                continue;
            }
            Part::Step { command, expected, numbers_vary } => {
                (command, expected.join("\n"), numbers_vary)
            }
        };
        outcome.commands += 1;
        let actual = redactions.rename(&run(&command)?);
        let actual: Vec<&str> = actual.lines().map(str::trim_end).collect();
        let actual = actual.join("\n").trim_end().to_owned();
        let compared = |text: &str| {
            let text = redactions.redact(text);
            if numbers_vary { without_numbers(&text) } else { text }
        };
        let kept = matches(&compared(&expected), &compared(&actual));
        let shown = if kept { &expected } else { &actual };
        outcome.updated.push_str(&format!("$ {command}\n"));
        if !shown.is_empty() {
            outcome.updated.push_str(shown);
            outcome.updated.push('\n');
        }
        if !kept {
            outcome.differences.push(Difference { command, expected, actual });
        }
    }
    Ok(outcome)
}

/// Splits a document; a step ends at the next `$ ` or at the end of its block.
fn parse(document: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut inside = false;
    let mut numbers_vary = false;
    for line in document.lines() {
        if line.starts_with("```") {
            // Up to the end of the block that follows the mark.
            numbers_vary &= !inside;
            inside = line == "```console";
            parts.push(Part::Text(line.to_owned()));
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            let (command, expected) = (command.to_owned(), Vec::new());
            parts.push(Part::Step { command, expected, numbers_vary });
        } else if let (true, Some(Part::Step { expected, .. })) = (inside, parts.last_mut()) {
            expected.push(line.trim_end().to_owned());
        } else {
            numbers_vary |= line == NUMBERS_VARY;
            parts.push(Part::Text(line.to_owned()));
        }
    }
    parts
}

const NUMBERS_VARY: &str = "<!-- numbers vary -->";

/// Each row of words without letters, and of the word that stands where a number means nothing, as `#`.
fn without_numbers(text: &str) -> String {
    let is_number = |word: &str| word == "unclear" || !word.contains(char::is_alphabetic);
    let line = |line: &str| {
        let mut words: Vec<&str> = Vec::new();
        for word in line.split_whitespace() {
            let word = if is_number(word) && word != "[..]" { "#" } else { word };
            if word != "#" || words.last() != Some(&"#") {
                words.push(word);
            }
        }
        words.join(" ")
    };
    text.lines().map(line).collect::<Vec<String>>().join("\n")
}

/// Line by line, `[..]` in the expected line standing for any text.
fn matches(expected: &str, actual: &str) -> bool {
    let expected: Vec<&str> = expected.trim_end().lines().collect();
    let actual: Vec<&str> = actual.trim_end().lines().collect();
    expected.len() == actual.len()
        && expected.iter().zip(&actual).all(|(expected, actual)| line_matches(expected, actual))
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let mut pieces = expected.split("[..]");
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = actual.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let Some(position) = rest.find(piece) else { return false };
        rest = &rest[position + piece.len()..];
    }
    rest.ends_with(last)
}

fn run(command: &str, folder: &Path, base: &Path, path: &OsString) -> io::Result<String> {
    let mut shell = Command::new("sh");
    // One pipe for both streams keeps their order.
    shell.arg("-c").arg(format!("exec 2>&1\n{command}"));
    shell.current_dir(folder).env_clear().stdin(Stdio::null());
    shell.env("PATH", path).env("HOME", base.join("home")).env("LC_ALL", "C.UTF-8");
    shell.env("XDG_CACHE_HOME", base.join("cache")).env("TMPDIR", std::env::temp_dir());
    let output = shell.output()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let status = output.status.code().map_or_else(|| "signal".to_owned(), |c| c.to_string());
        text.push_str(&format!("[exit status: {status}]\n"));
    }
    Ok(text)
}

/// `python3` is 3.11 if there is one; every version is there by its name.
fn link_pythons(bin: &Path) -> io::Result<()> {
    for python in pythons::all() {
        std::os::unix::fs::symlink(&python.path, bin.join(format!("python{}", python.name())))?;
    }
    match pythons::any_or_skip() {
        Some(python) => std::os::unix::fs::symlink(&python.path, bin.join("python3")),
        None => Ok(()),
    }
}

/// Copies a folder without what builds leave in it.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if [".bytekiln", "__pycache__", "target"].iter().any(|left| name == *left) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to.join(name))?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# T\n\n```console\n$ one\n  took 1.5s\n$ two\n```\n\nText.\n";

    fn replayed(one: &str, two: &str) -> Outcome {
        run_steps(DOCUMENT, &Redactions::new(), |command| {
            Ok(if command == "one" { one } else { two }.to_owned())
        })
        .unwrap()
    }

    #[test]
    fn agreement_keeps_what_is_written() {
        let outcome = replayed("  took 99ms\n", "");
        assert_eq!((outcome.commands, outcome.differences), (2, Vec::new()));
        assert_eq!(outcome.updated, DOCUMENT);
    }

    #[test]
    fn difference_is_told_and_written() {
        let outcome = replayed("  took 99ms\n", "new  \n");
        assert_eq!(outcome.differences.len(), 1);
        assert_eq!(outcome.differences[0].actual, "new");
        assert_eq!(outcome.updated, DOCUMENT.replace("$ two\n", "$ two\nnew\n"));
    }

    #[test]
    fn numbers_may_vary() {
        let document = DOCUMENT.replace("```console", "<!-- numbers vary -->\n```console");
        let document = document.replace("took 1.5s", "took    1.50 … 2   75 %  5 of it");
        let replayed = |one: &str| {
            let run = |command: &str| Ok(if command == "one" { one } else { "" }.to_owned());
            run_steps(&document, &Redactions::new(), run).unwrap().differences.len()
        };
        assert_eq!(replayed("  took 111.50 … 200.1 unclear of it\n"), 0);
        assert_eq!(replayed("  took 1.50 … 2 of us\n"), 1);
        // The mark is for one block.
        let again = format!("{document}\n```console\n$ one\n1\n```\n");
        let run = |_: &str| Ok("2\n".to_owned());
        assert_eq!(run_steps(&again, &Redactions::new(), run).unwrap().differences.len(), 3);
    }

    #[test]
    fn wildcards_stay_within_their_line() {
        assert!(matches("a [..] c\nd", "a b c\nd"));
        assert!(matches("[..]b[..]", "abc"));
        assert!(!matches("a [..]", "a b\nc"));
        assert!(!matches("a[..]z", "a b"));
    }

    #[test]
    fn a_readme_is_replayed_in_a_copy() {
        let tree = crate::fixture::Tree::new(
            "
            //- /README.md
            ```console
            $ echo hello > made.txt; cat made.txt; pwd
            hello
            /somewhere/[..]
            $ ls made.txt; false
            made.txt
            [exit status: 1]
            ```
            ",
        );
        let outcome = replay(tree.root(), &[]).unwrap();
        assert_eq!((outcome.commands, outcome.differences), (2, Vec::new()));
        assert_eq!(tree.files(), ["README.md"], "the folder itself is left alone");
    }
}
