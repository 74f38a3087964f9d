//! Folders for tests, gone when the test ends. Knows nothing of what is put into them.

use std::path::{Path, PathBuf};

/// A fresh empty folder; removed with its content when it is dropped.
#[derive(Debug)]
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Makes one where the system keeps temporary files.
    ///
    /// # Panics
    /// If that fails: a test cannot go on without.
    #[expect(clippy::expect_used, reason = "a fixture; without it the test has failed")]
    pub fn new() -> Scratch {
        Scratch(tempfile::tempdir().expect("a temporary folder"))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path in the folder.
    pub fn join(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}
