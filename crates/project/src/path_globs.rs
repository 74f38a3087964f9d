//! Globs over paths below the workspace. Knows no file system.

use bytekiln_action::RepoPath;
use globset::{GlobSet, GlobSetBuilder};

use crate::path::from_bytes;
use crate::scan::{GlobError, compile};

/// Globs of one list.
#[derive(Debug, Clone)]
pub struct PathGlobs {
    set: GlobSet,
    /// Position in the list of each glob of the set.
    origin: Vec<usize>,
}

impl PathGlobs {
    /// `data/*.toml`, `tests/**`, `tests` (the file or folder, and all below it), `**/test_*.py`.
    ///
    /// # Errors
    /// A glob cannot be understood.
    pub fn new<'a>(globs: impl IntoIterator<Item = &'a str>) -> Result<PathGlobs, GlobError> {
        let mut builder = GlobSetBuilder::new();
        let mut origin = Vec::new();
        for (at, glob) in globs.into_iter().enumerate() {
            let trimmed = glob.trim_start_matches("./").trim_end_matches('/');
            let trunk = trimmed.strip_suffix("/**").unwrap_or(trimmed);
            for text in [trunk.to_owned(), format!("{trunk}/**")] {
                let compiled = compile(&text);
                builder.add(compiled.map_err(|e| GlobError { glob: glob.to_owned(), ..e })?);
                origin.push(at);
            }
        }
        let set = builder
            .build()
            .map_err(|error| GlobError { glob: String::new(), message: error.to_string() })?;
        Ok(PathGlobs { set, origin })
    }

    /// Whether a glob matches.
    #[must_use]
    pub fn is_match(&self, path: &RepoPath) -> bool {
        self.set.is_match(from_bytes(path.as_bytes()))
    }

    /// Positions in the list of the globs that match, in order.
    #[must_use]
    pub fn matches(&self, path: &RepoPath) -> Vec<usize> {
        let found = self.set.matches(from_bytes(path.as_bytes()));
        let mut found: Vec<usize> =
            found.into_iter().filter_map(|at| self.origin.get(at).copied()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &[usize]) {
        let globs =
            ["**/test_*.py", "data/*.toml", "docs", "src/templates/**", "./a/b/", "[!x]?.j"];
        let globs = PathGlobs::new(globs).unwrap();
        let path = RepoPath::new(path.as_bytes()).unwrap();
        assert_eq!(globs.matches(&path), expected);
        assert_eq!(globs.is_match(&path), !expected.is_empty());
    }

    #[test]
    fn relative_to_the_workspace() {
        check("test_a.py", &[0]);
        check("x/y/test_a.py", &[0]);
        check("x/y/a_test.py", &[]);
        check("data/a.toml", &[1]);
        check("x/data/a.toml", &[]);
        check("data/x/a.toml", &[]);
        check("docs/test_x.py", &[0, 2]);
        check("x/docs/deep.md", &[]);
        check("src/templates/a/b.html", &[3]);
        check("a/b/c", &[4]);
        check("ab.j", &[5]);
        check("xb.j", &[]);
    }

    #[test]
    fn what_is_no_glob() {
        let error = PathGlobs::new(["a", "[x"]).unwrap_err();
        assert_eq!(error.glob, "[x");
    }
}
