//! A tree of files in one string. Knows nothing of what the files mean.
//!
//! ```text
//! //- /pkg/__init__.py
//! //- /pkg/mod.py
//! import pkg
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A file of a fixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixtureFile {
    /// Path from the root of the tree, `/` separated, without a leading `/`.
    pub path: String,
    /// Its content, every line with its newline.
    pub content: String,
}

/// Splits a fixture at its `//- /path` lines. What all lines are indented by is removed, so a
/// fixture may stand at the indentation of the test.
///
/// # Panics
/// If there is text before the first path or a path does not start with `/`.
#[must_use]
pub fn parse(fixture: &str) -> Vec<FixtureFile> {
    // The line on which the closing quote stands is not content.
    let fixture = fixture.trim_end_matches(' ');
    let indentation = fixture
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let mut files: Vec<FixtureFile> = Vec::new();
    for line in fixture.lines() {
        let line = line.get(indentation..).unwrap_or_default();
        if let Some(path) = line.strip_prefix("//- ") {
            let Some(path) = path.trim().strip_prefix('/') else {
                panic!("fixture path `{path}` does not start with `/`");
            };
            files.push(FixtureFile { path: path.to_owned(), content: String::new() });
        } else if let Some(file) = files.last_mut() {
            file.content.push_str(line);
            file.content.push('\n');
        } else if !line.trim().is_empty() {
            panic!("fixture has text before its first `//- /path`: `{line}`");
        }
    }
    files
}

/// A fixture on disk, removed when dropped.
#[derive(Debug)]
pub struct Tree {
    folder: TempDir,
    root: PathBuf,
}

impl Tree {
    /// Writes a fixture into a new temporary folder.
    ///
    /// # Panics
    /// If the disk refuses.
    #[must_use]
    pub fn new(fixture: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("bytekiln-test-")
            .tempdir()
            .unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        // Symbolic links resolved, so that paths in output are recognised (macOS: /var).
        let root = fs::canonicalize(folder.path())
            .unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        let tree = Self { folder, root };
        for file in parse(fixture) {
            tree.write(&file.path, &file.content);
        }
        tree
    }

    /// Its absolute path, without symbolic links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute path of a file in it.
    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Writes a file and the folders above it.
    ///
    /// # Panics
    /// If the disk refuses.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let full = self.path(path);
        let folder = full.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&full, content))
            .unwrap_or_else(|error| panic!("could not write `{}`: {error}", full.display()));
    }

    /// Reads a file.
    ///
    /// # Panics
    /// If it is not there.
    #[must_use]
    pub fn read(&self, path: &str) -> Vec<u8> {
        let full = self.path(path);
        fs::read(&full)
            .unwrap_or_else(|error| panic!("could not read `{}`: {error}", full.display()))
    }

    /// Removes a file.
    ///
    /// # Panics
    /// If it is not there.
    pub fn remove(&self, path: &str) {
        let full = self.path(path);
        fs::remove_file(&full)
            .unwrap_or_else(|error| panic!("could not remove `{}`: {error}", full.display()));
    }

    /// Every file's path from the root, sorted; symbolic links are named, not followed.
    ///
    /// # Panics
    /// If a folder cannot be read or a name is not UTF-8.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder)
                .unwrap_or_else(|error| panic!("could not read `{}`: {error}", folder.display()));
            for entry in entries.flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                } else if let Ok(path) = entry.path().strip_prefix(&self.root) {
                    found.push(path.to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }

    /// Keeps the folder on disk and says where it is: for looking at a failure.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_and_dedents() {
        let files = parse(
            "
            //- /a.py
            def f():
                return 1

            //- /empty/__init__.py
            ",
        );
        let shown: Vec<_> =
            files.iter().map(|file| (file.path.as_str(), file.content.as_str())).collect();
        assert_eq!(shown, [("a.py", "def f():\n    return 1\n\n"), ("empty/__init__.py", "")]);
    }

    #[test]
    fn writes_and_lists() {
        let tree = Tree::new("//- /b/c.py\nx = 1\n//- /a.py\n");
        assert_eq!(tree.files(), ["a.py", "b/c.py"]);
        assert_eq!(tree.read("b/c.py"), b"x = 1\n");
        tree.remove("a.py");
        assert_eq!(tree.files(), ["b/c.py"]);
    }
}
