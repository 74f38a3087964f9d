//! Sources that a program reads while it runs, which it must keep when others go: those that another
//! module names as a file, and those that read themselves. And modules that ask for the source of what
//! they are given, so that their users can decide. Found in the text, nothing is run; a name that is put
//! together at run time is not found.

use std::collections::BTreeMap;

use bytekiln_action::RepoPath;
use bytekiln_syntax::{Lexer, Token};

/// What a source does with sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceUse {
    /// It has the name of a file with the suffix `.py` in a string: the last component.
    Names(Vec<u8>),
    /// It opens its own `__file__`.
    ReadsItself,
    /// It calls this: `inspect.getsource` and the like, `linecache.getline`.
    Inspects(String),
}

/// Functions that need the source of what they are given.
const INSPECTING: &[&str] =
    &["getsource", "getsourcelines", "getsourcefile", "findsource", "getcomments", "getblock"];

/// What a source does with sources, with the line, in the order of the text.
pub fn source_uses(source: &[u8]) -> Vec<(u32, SourceUse)> {
    let mut uses = Vec::new();
    // The last words, the nearest last: `open` of `open(__file__`, `inspect` of `inspect.getsource`.
    let mut before: [Option<Token<'_>>; 2] = [None, None];
    let mut in_import = false;
    for (token, line) in Lexer::new(source) {
        match token {
            Token::Text(text) => {
                if let Some(name) = file_name(text) {
                    uses.push((line, SourceUse::Names(name.to_vec())));
                }
            }
            Token::Word(word) => {
                in_import |= matches!(word, b"import" | b"from");
                let called = std::str::from_utf8(word).unwrap_or_default();
                if INSPECTING.contains(&called) && !in_import && !is_definition(&before) {
                    uses.push((line, SourceUse::Inspects(called.to_owned())));
                }
                let opens = matches!(
                    before,
                    [Some(Token::Word(b"open" | b"read_text")), Some(Token::Sign(b'('))]
                );
                if word == b"__file__" && opens {
                    uses.push((line, SourceUse::ReadsItself));
                }
            }
            Token::LineEnd => in_import = false,
            Token::Sign(_) => {}
        }
        before = [before[1], Some(token)];
    }
    uses
}

/// `def getsource`.
fn is_definition(before: &[Option<Token<'_>>; 2]) -> bool {
    matches!(before[1], Some(Token::Word(b"def" | b"class")))
}

/// `b.py` of `a/b.py`, if that is all of the text.
fn file_name(text: &[u8]) -> Option<&[u8]> {
    let name = text.rsplit(|byte| *byte == b'/').next()?;
    let stem = name.strip_suffix(b".py")?;
    bytekiln_python::is_module_name(stem).then_some(name)
}

/// Why a source is needed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceNeed {
    /// Another module names it: its place, and the line.
    Named(RepoPath, u32),
    /// It opens itself, in this line.
    ReadsItself(u32),
}

/// Which of these sources are needed while the program runs. `files` are places with what each does. A
/// name means the file of that name beside the one that has it or below its folder.
pub fn needed_sources(
    files: &[(&RepoPath, Vec<(u32, SourceUse)>)],
) -> BTreeMap<RepoPath, SourceNeed> {
    let mut by_name: BTreeMap<&[u8], Vec<&RepoPath>> = BTreeMap::new();
    for (path, _) in files {
        by_name.entry(path.file_name()).or_default().push(path);
    }
    let mut needed: BTreeMap<RepoPath, SourceNeed> = BTreeMap::new();
    for (path, uses) in files {
        for (line, one) in uses {
            match one {
                SourceUse::ReadsItself => {
                    needed.entry((*path).clone()).or_insert(SourceNeed::ReadsItself(*line));
                }
                SourceUse::Names(name) => {
                    let folder = path.parent().unwrap_or_default();
                    let near = by_name.get(name.as_slice()).into_iter().flatten();
                    for other in near.filter(|other| **other != *path) {
                        // At the top everything would be below.
                        let is_near = other.parent().as_ref() == Some(&folder)
                            || (!folder.is_root() && other.strip_prefix(&folder).is_some());
                        if is_near {
                            let need = SourceNeed::Named((*path).clone(), *line);
                            needed.entry((*other).clone()).or_insert(need);
                        }
                    }
                }
                SourceUse::Inspects(_) => {}
            }
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(files: &[(&str, &str)], expected: &Expect) {
        let paths: Vec<RepoPath> = files
            .iter()
            .map(|(path, _)| RepoPath::new(path.as_bytes()).unwrap_or_default())
            .collect();
        let mut out = String::new();
        let mut uses = Vec::new();
        for (path, (_, source)) in paths.iter().zip(files) {
            let found = source_uses(source.as_bytes());
            for (line, one) in &found {
                if let SourceUse::Inspects(what) = one {
                    out += &format!("{path}:{line} inspects with {what}\n");
                }
            }
            uses.push((path, found));
        }
        for (path, need) in needed_sources(&uses) {
            out += &format!("{path} {need:?}\n");
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn pyproject_hooks() {
        check(
            &[
                ("hooks/_impl.py", "from ._in_process import x\n\nSCRIPT = '_in_process.py'\n"),
                ("hooks/_in_process/__init__.py", ""),
                ("hooks/_in_process/_in_process.py", "import sys\n"),
                ("other/_in_process.py", ""),
            ],
            &expect![[r#"
                hooks/_in_process/_in_process.py Named("hooks/_impl.py", 3)
            "#]],
        );
    }

    #[test]
    fn themselves_and_others() {
        check(
            &[
                ("a.py", "with open(__file__) as f: pass\nprint(__file__)\n"),
                (
                    "b.py",
                    "import inspect\nfrom inspect import getsource\nsrc = inspect.getsource(f)\n",
                ),
                ("c.py", "def getsource(): pass\n'b.py'\n'setup.py install'\n"),
            ],
            &expect![[r#"
                b.py:3 inspects with getsource
                a.py ReadsItself(1)
                b.py Named("c.py", 2)
            "#]],
        );
    }
}
