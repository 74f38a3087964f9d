//! The repository as the rules see it: packages with their dependencies, and text files.

use std::fmt;

/// All that the rules look at.
#[derive(Debug, Default, Clone)]
pub(crate) struct Repository {
    /// The members of the Cargo workspace.
    pub(crate) packages: Vec<Package>,
    /// Text files under version control or about to be, with `/` separated paths from the root.
    pub(crate) files: Vec<TextFile>,
}

/// A member of the Cargo workspace, as `cargo metadata` tells it.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Its name in `Cargo.toml`.
    pub(crate) name: String,
    /// Its folder from the root, such as `crates/codec`.
    pub(crate) folder: String,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a package.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    /// The name of the package depended on.
    pub(crate) name: String,
    /// Whether only tests, examples and benches see it.
    pub(crate) dev: bool,
}

/// A file and what it says.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    /// Path from the root, `/` separated.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path from the root.
    pub(crate) path: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { path, line, message, remedy } = self;
        write!(formatter, "{path}:{line}: {message}\n  remedy: {remedy}")
    }
}

impl Repository {
    /// The file at a path, if it is there.
    pub(crate) fn file(&self, path: &str) -> Option<&TextFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl Package {
    /// The path of its manifest.
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }

    /// The name in the layer table: the package name without the prefix.
    pub(crate) fn short_name(&self) -> &str {
        self.name.strip_prefix("bytekiln-").unwrap_or(&self.name)
    }
}

impl TextFile {
    /// Whether it is Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Lines with their numbers from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.split('\n').enumerate().map(|(index, line)| (index.saturating_add(1), line))
    }

    /// The first line that satisfies a condition, else 1.
    pub(crate) fn line_where(&self, condition: impl Fn(&str) -> bool) -> usize {
        self.lines().find(|(_, line)| condition(line)).map_or(1, |(number, _)| number)
    }

    /// A finding in this file.
    pub(crate) fn finding(
        &self,
        line: usize,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding { path: self.path.clone(), line, message: message.into(), remedy: remedy.into() }
    }
}
