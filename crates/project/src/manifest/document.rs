//! A TOML file in memory with the places of its parts, and the notes taken while a workspace is
//! loaded. Knows nothing of what the keys mean.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytekiln_planner::{Problem, Severity};
use toml_edit::{Document, Item};

use super::problem::{LocatedProblem, Place};

/// A value and where it stands: a byte range of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<T> Located<T> {
    pub(crate) fn with<U>(&self, value: U) -> Located<U> {
        Located { value, span: self.span.clone() }
    }
}

/// What is gathered on the way to a workspace, whatever else comes of it.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Files and folders whose change may change the workspace.
    pub(crate) watched: BTreeSet<PathBuf>,
    /// What is worth a look.
    pub(crate) warnings: Vec<Problem>,
    /// What makes the workspace unusable.
    pub(crate) errors: Vec<LocatedProblem>,
}

impl Notes {
    pub(crate) fn watch(&mut self, path: impl Into<PathBuf>) {
        self.watched.insert(path.into());
    }

    pub(crate) fn warn(
        &mut self,
        path: Option<bytekiln_action::RepoPath>,
        message: String,
        hint: Option<String>,
    ) {
        self.warnings.push(Problem { severity: Severity::Warning, path, message, hint });
    }

    /// As [`Notes::read`], for files without which the rest can still be looked at.
    pub(crate) fn read_or_report(&mut self, path: &Path) -> Option<ManifestFile> {
        match self.read(path) {
            Ok(file) => file,
            Err(problem) => {
                if !self.errors.contains(&problem) {
                    self.errors.push(problem);
                }
                None
            }
        }
    }

    /// Reads a TOML file that may be absent and watches it either way.
    pub(crate) fn read(&mut self, path: &Path) -> Result<Option<ManifestFile>, LocatedProblem> {
        self.watch(path);
        match read_if_there(path)? {
            Some(text) => ManifestFile::parse(path, text).map(Some),
            None => Ok(None),
        }
    }
}

/// The text of a file; `None` if there is none of this name.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, LocatedProblem> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(LocatedProblem {
                path: path.into(),
                place: None,
                message: format!("cannot read the manifest: {error}"),
                hint: None,
            });
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            Err(LocatedProblem {
                path: path.into(),
                place: Some(place(&text, at..at.saturating_add(1))),
                message: "the manifest is not UTF-8".into(),
                hint: Some("TOML files are UTF-8; save it in that encoding".into()),
            })
        }
    }
}

/// A TOML file that has been parsed.
#[derive(Debug, Clone)]
pub(crate) struct ManifestFile {
    pub(crate) path: PathBuf,
    pub(crate) document: Document<String>,
}

impl ManifestFile {
    pub(crate) fn parse(path: &Path, text: String) -> Result<ManifestFile, LocatedProblem> {
        match Document::parse(text.as_str()) {
            Err(error) => Err(LocatedProblem {
                path: path.into(),
                place: Some(place(&text, error.span().unwrap_or(0..0))),
                message: first_line(error.message()),
                hint: None,
            }),
            // Parsed again so that the document owns its text; manifests are small.
            Ok(_) => match Document::parse(text) {
                Ok(document) => Ok(ManifestFile { path: path.into(), document }),
                Err(error) => Err(LocatedProblem {
                    path: path.into(),
                    place: None,
                    message: first_line(error.message()),
                    hint: None,
                }),
            },
        }
    }

    /// Where `span` is.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        place(self.document.raw(), span)
    }

    /// `FILE:LINE:COLUMN` of `span`, with the file's name only.
    pub(crate) fn place_name(&self, span: Range<usize>) -> String {
        let place = self.place(span);
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}:{}:{}", place.line, place.column)
    }

    pub(crate) fn problem(
        &self,
        span: Range<usize>,
        message: String,
        hint: Option<String>,
    ) -> LocatedProblem {
        LocatedProblem { path: self.path.clone(), place: Some(self.place(span)), message, hint }
    }

    /// What stands at a path of keys.
    pub(crate) fn get(&self, keys: &[&str]) -> Option<&Item> {
        lookup(self.document.as_item(), keys)
    }

    /// The string at a path of keys.
    pub(crate) fn get_str(&self, keys: &[&str]) -> Option<&str> {
        self.get(keys).and_then(Item::as_str)
    }
}

/// What stands at a path of keys below `item`.
pub(crate) fn lookup<'a>(item: &'a Item, keys: &[&str]) -> Option<&'a Item> {
    keys.iter().try_fold(item, |item, key| item.as_table_like()?.get(key))
}

fn first_line(message: &str) -> String {
    message
        .split('\n')
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

/// Where a byte range of `text` is; the range is cut to its first line.
fn place(text: &str, span: Range<usize>) -> Place {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let (before, after) = text.split_at(start);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = after.find('\n').map_or(text.len(), |newline| start + newline);
    let line = text.get(line_start..line_end).unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    let shown_end = span.end.min(line_start + line.len());
    let width = text
        .char_indices()
        .skip_while(|(at, _)| *at < start)
        .take_while(|(at, _)| *at < shown_end)
        .count();
    Place {
        line: before.matches('\n').count() + 1,
        column: column + 1,
        width: width.max(1),
        line_text: line.chars().map(visible).collect(),
    }
}

fn visible(character: char) -> char {
    if character.is_control() && character != '\t' {
        char::REPLACEMENT_CHARACTER
    } else {
        character
    }
}
