//! A table of a manifest, read key by key: wrong types and values become located problems, and
//! what nobody asked for is reported as an unknown key. Knows nothing of what the keys mean.

use std::cell::RefCell;
use std::ops::Range;
use std::path::PathBuf;

use toml_edit::{Item, TableLike, Value};

use super::document::{Located, ManifestFile};
use super::problem::LocatedProblem;
use super::value::{list, nearest};

/// Where the problems of one file gather.
pub(crate) struct Findings<'a> {
    /// `None` where nothing is written that could be wrong.
    file: Option<&'a ManifestFile>,
    problems: RefCell<Vec<LocatedProblem>>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(file: Option<&'a ManifestFile>) -> Findings<'a> {
        Findings { file, problems: RefCell::new(Vec::new()) }
    }

    pub(crate) fn report(&self, span: Range<usize>, message: String, hint: Option<String>) {
        self.problems.borrow_mut().push(match self.file {
            Some(file) => file.problem(span, message, hint),
            None => LocatedProblem { path: PathBuf::new(), place: None, message, hint },
        });
    }

    /// `FILE:LINE` of a place.
    pub(crate) fn line_name(&self, span: Range<usize>) -> String {
        let Some(file) = self.file else { return String::new() };
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}:{}", file.place(span).line)
    }

    /// All problems, by place.
    pub(crate) fn into_problems(self) -> Vec<LocatedProblem> {
        let mut problems = self.problems.into_inner();
        problems
            .sort_by_key(|problem| problem.place.as_ref().map(|place| (place.line, place.column)));
        problems
    }
}

/// A table and the keys that were asked of it.
pub(crate) struct TableReader<'a> {
    table: &'a dyn TableLike,
    /// As a user would write it, e.g. `profile.release`; empty at the top.
    name: String,
    findings: &'a Findings<'a>,
    known: Vec<&'static str>,
}

impl<'a> TableReader<'a> {
    pub(crate) fn new(
        table: &'a dyn TableLike,
        name: String,
        findings: &'a Findings<'a>,
    ) -> TableReader<'a> {
        TableReader { table, name, findings, known: Vec::new() }
    }

    pub(crate) fn findings(&self) -> &'a Findings<'a> {
        self.findings
    }

    /// The full name of a key of this table.
    pub(crate) fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// Where a key stands.
    pub(crate) fn key_span(&self, key: &str) -> Range<usize> {
        self.table
            .key(key)
            .and_then(toml_edit::Key::span)
            .or_else(|| self.table.get(key).and_then(Item::span))
            .unwrap_or(0..0)
    }

    fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table.get(key).filter(|item| !item.is_none())
    }

    fn value_span(&self, key: &str, item: &Item) -> Range<usize> {
        item.span().unwrap_or_else(|| self.key_span(key))
    }

    fn mismatch(&self, key: &str, item: &Item, wanted: &str) {
        self.findings.report(
            self.value_span(key, item),
            format!("`{}` must be {wanted}, not {}", self.name_of(key), with_article(item)),
            None,
        );
    }

    /// Whether the key is there at all, without reading it.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(crate) fn string(&mut self, key: &'static str) -> Option<Located<String>> {
        let item = self.item(key)?;
        let Some(text) = item.as_str() else {
            self.mismatch(key, item, "a string");
            return None;
        };
        Some(Located { value: text.to_owned(), span: self.value_span(key, item) })
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<Located<bool>> {
        let item = self.item(key)?;
        let Some(value) = item.as_bool() else {
            self.mismatch(key, item, "`true` or `false`");
            return None;
        };
        Some(Located { value, span: self.value_span(key, item) })
    }

    /// A string that is parsed further; the parser's error is a message and a hint.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Located<T>> {
        let text = self.string(key)?;
        match parse(&text.value) {
            Ok(value) => Some(text.with(value)),
            Err(fault) => {
                let message = format!("bad `{}`: {}", self.name_of(key), fault.message);
                self.findings.report(text.span, message, fault.hint);
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Option<Located<T>> {
        self.parsed(key, |text| {
            if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
                return Ok(*value);
            }
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            let hint = match nearest(text, words.iter().copied()) {
                Some(near) => format!("did you mean `{near}`? allowed are {}", list(&words)),
                None => format!("allowed are {}", list(&words)),
            };
            Err(Fault { message: format!("no such value `{text}`"), hint: Some(hint) })
        })
    }

    /// An array whose elements are parsed one by one; broken ones are reported and left out.
    pub(crate) fn array<T>(
        &mut self,
        key: &'static str,
        element_kind: &str,
        parse: impl Fn(&Value) -> Result<T, Fault>,
    ) -> Option<Located<Vec<Located<T>>>> {
        let item = self.item(key)?;
        let Some(array) = item.as_array() else {
            self.mismatch(key, item, &format!("an array of {element_kind}"));
            return None;
        };
        let whole = self.value_span(key, item);
        let mut elements = Vec::new();
        for element in array.iter() {
            let span = element.span().unwrap_or_else(|| whole.clone());
            match parse(element) {
                Ok(value) => elements.push(Located { value, span }),
                Err(fault) => {
                    let message = format!("bad `{}`: {}", self.name_of(key), fault.message);
                    self.findings.report(span, message, fault.hint);
                }
            }
        }
        Some(Located { value: elements, span: whole })
    }

    /// An array of strings, each parsed further.
    pub(crate) fn strings<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Located<Vec<Located<T>>>> {
        self.array(key, "strings", |element| match element.as_str() {
            Some(text) => parse(text),
            None => Err(Fault::new(format!("{} is not a string", with_article_value(element)))),
        })
    }

    /// The value of a key as it stands, for those with several forms.
    pub(crate) fn raw(&mut self, key: &'static str) -> Option<Located<&'a Item>> {
        let item = self.item(key)?;
        Some(Located { value: item, span: self.value_span(key, item) })
    }

    /// A table.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<TableReader<'a>> {
        let item = self.item(key)?;
        let Some(table) = item.as_table_like() else {
            self.mismatch(key, item, "a table");
            return None;
        };
        Some(TableReader::new(table, self.name_of(key), self.findings))
    }

    /// A table of tables, e.g. `[profile.NAME]`: each with its name.
    pub(crate) fn named_tables(
        &mut self,
        key: &'static str,
    ) -> Vec<(Located<String>, TableReader<'a>)> {
        let Some(outer) = self.table(key) else { return Vec::new() };
        let mut tables = Vec::new();
        for (name, item) in outer.table.iter() {
            let span = outer.key_span(name);
            match item.as_table_like() {
                Some(table) => tables.push((
                    Located { value: name.to_owned(), span },
                    TableReader::new(table, outer.name_of(&quoted_key(name)), self.findings),
                )),
                None => outer.mismatch(name, item, "a table"),
            }
        }
        tables
    }

    /// `[[key]]`, or an array of inline tables: each with its place.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<Located<TableReader<'a>>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let name = self.name_of(key);
        let reader = |table| TableReader::new(table, name.clone(), self.findings);
        let mut readers = Vec::new();
        if let Some(tables) = item.as_array_of_tables() {
            for table in tables.iter() {
                let span = table.span().unwrap_or_else(|| self.key_span(key));
                readers.push(Located { value: reader(table as &dyn TableLike), span });
            }
        } else if let Some(array) = item.as_array() {
            for element in array.iter() {
                let span = element.span().unwrap_or_else(|| self.key_span(key));
                match element.as_inline_table() {
                    Some(table) => readers.push(Located { value: reader(table), span }),
                    None => self.findings.report(
                        span,
                        format!("`{name}` must hold tables, not {}", with_article_value(element)),
                        None,
                    ),
                }
            }
        } else {
            self.mismatch(key, item, &format!("an array of tables (`[[{name}]]`)"));
        }
        readers
    }

    /// All keys with their values, as TOML on one line each.
    pub(crate) fn written(&self) -> std::collections::BTreeMap<String, String> {
        let plain = |item: &Item| match item.as_value() {
            Some(value) => value.clone().decorated("", "").to_string(),
            None => item.to_string().trim().to_owned(),
        };
        self.table.iter().map(|(key, item)| (key.to_owned(), plain(item))).collect()
    }

    /// Reports every key that was not asked for. `elsewhere` are full names of keys that live in
    /// other tables: a key that is only in the wrong place is told where it belongs.
    pub(crate) fn finish(self, elsewhere: &[&str]) {
        for (key, _) in self.table.iter() {
            if self.known.contains(&key) {
                continue;
            }
            let moved = elsewhere.iter().find(|full| full.rsplit('.').next() == Some(key));
            let hint = match (nearest(key, self.known.iter().copied()), moved) {
                (_, Some(full)) => format!("did you mean `{full}`?"),
                (Some(near), None) => format!("did you mean `{near}`?"),
                (None, None) => format!("known here are {}", list(&self.known)),
            };
            let message = match self.name.as_str() {
                "" => format!("unknown key `{key}`"),
                name => format!("unknown key `{key}` in `{name}`"),
            };
            self.findings.report(self.key_span(key), message, Some(hint));
        }
    }
}

/// Why a value cannot be taken.
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Fault {
        Fault { hint: Some(hint.into()), ..self }
    }
}

fn with_article(item: &Item) -> String {
    article(item.type_name())
}

fn with_article_value(value: &Value) -> String {
    article(value.type_name())
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// A key as it is written in a path of keys.
fn quoted_key(name: &str) -> String {
    let bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if bare { name.to_owned() } else { format!("{name:?}") }
}
