//! Real interpreters on this machine, for tests: from `BYTEKILN_TEST_PYTHONS` (folders, colon
//! separated), `PATH` and `~/.pyenv/versions`. Knows nothing of how the product finds them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An interpreter that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// Major and minor version, such as `(3, 11)`.
    pub version: (u8, u8),
    /// Its executable, as `sys.executable` says: never a shim.
    pub path: PathBuf,
}

impl Python {
    /// `3.11`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }
}

/// Environment variable with further folders of interpreters.
pub const FOLDERS_VARIABLE: &str = "BYTEKILN_TEST_PYTHONS";

/// Environment variable that turns a skipped test into a failed one.
pub const REQUIRE_VARIABLE: &str = "BYTEKILN_REQUIRE_ALL";

/// Every CPython from 3.8 that was found, one a minor version, oldest first. A version that is
/// found twice is taken from [`FOLDERS_VARIABLE`], else from `PATH`, else from pyenv.
pub fn all() -> &'static [Python] {
    static FOUND: OnceLock<Vec<Python>> = OnceLock::new();
    FOUND.get_or_init(find)
}

/// One version, or `None` after [`skip`] has said so.
#[must_use]
pub fn find_or_skip(major: u8, minor: u8) -> Option<&'static Python> {
    let found = all().iter().find(|python| python.version == (major, minor));
    if found.is_none() {
        skip(&format!("needs CPython {major}.{minor}"));
    }
    found
}

/// Any version, preferably 3.11, or `None` after [`skip`] has said so.
#[must_use]
pub fn any_or_skip() -> Option<&'static Python> {
    let found = all().iter().find(|python| python.version == (3, 11)).or_else(|| all().last());
    if found.is_none() {
        skip("needs a CPython");
    }
    found
}

/// Says aloud that a test did not run.
///
/// # Panics
/// With `BYTEKILN_REQUIRE_ALL=1`, where nothing may be skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so aloud")]
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(
        std::env::var_os(REQUIRE_VARIABLE).is_none_or(|value| value != "1"),
        "{test} {why}, and {REQUIRE_VARIABLE} is 1"
    );
    eprintln!("skipped: {test} {why}");
}

fn find() -> Vec<Python> {
    let mut found: BTreeMap<(u8, u8), PathBuf> = BTreeMap::new();
    for folder in folders() {
        for minor in 8..=15 {
            let candidate = folder.join(format!("python3.{minor}"));
            if !found.contains_key(&(3, minor))
                && candidate.exists()
                && let Some(python) = ask(&candidate)
            {
                found.entry(python.version).or_insert(python.path);
            }
        }
        let plain = folder.join("python3");
        if plain.exists()
            && let Some(python) = ask(&plain)
        {
            found.entry(python.version).or_insert(python.path);
        }
    }
    found.into_iter().map(|(version, path)| Python { version, path }).collect()
}

fn folders() -> Vec<PathBuf> {
    let split = |variable: &str| {
        let value: OsString = std::env::var_os(variable).unwrap_or_default();
        std::env::split_paths(&value)
            .filter(|path| !path.as_os_str().is_empty())
            .collect::<Vec<_>>()
    };
    let mut folders = split(FOLDERS_VARIABLE);
    folders.extend(split("PATH"));
    if let Some(home) = std::env::home_dir()
        && let Ok(entries) = std::fs::read_dir(home.join(".pyenv/versions"))
    {
        let mut versions: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        versions.sort();
        folders.extend(versions.into_iter().map(|version| version.join("bin")));
    }
    folders
}

/// Asks a candidate who it is; a shim that finds no interpreter, a PyPy, or something else
/// altogether is `None`.
#[must_use]
pub fn ask(candidate: &Path) -> Option<Python> {
    const QUESTION: &str = "import sys; print(sys.implementation.name, sys.version_info[0], \
                            sys.version_info[1], sys.executable)";
    let output = Command::new(candidate).args(["-I", "-S", "-c", QUESTION]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut words = text.trim_end().splitn(4, ' ');
    if !output.status.success() || words.next()? != "cpython" {
        return None;
    }
    let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (version >= (3, 8)).then_some(Python { version, path: PathBuf::from(words.next()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_once_and_really_there() {
        let versions: Vec<_> = all().iter().map(|python| python.version).collect();
        let mut sorted = versions.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(versions, sorted);
        assert!(all().iter().all(|python| python.path.is_absolute() && python.path.exists()));
    }

    #[test]
    fn what_is_no_python_is_not_found() {
        assert_eq!(ask(Path::new("/bin/echo")), None);
        assert_eq!(ask(Path::new("/nowhere/python3.11")), None);
    }
}
