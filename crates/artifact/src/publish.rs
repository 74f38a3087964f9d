//! Files and folders that get their final name when they are finished. Until then they have a
//! name of their own beside it, on the same file system, so that nothing half-written is ever found
//! under the final name.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::write::Output;

/// Why something was not published. What had the name before still has it.
#[derive(Debug)]
pub struct PublishError {
    /// Which file or folder.
    pub path: PathBuf,
    /// What was tried.
    pub action: &'static str,
    /// What the system said.
    pub error: std::io::Error,
}

/// A file that is being written. Dropped, it is removed.
#[derive(Debug)]
pub struct PendingFile {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
}

impl PendingFile {
    /// Creates an empty file beside `target`.
    ///
    /// # Errors
    /// The folder is not there, or may not be written to.
    pub fn create(target: &Path) -> Result<PendingFile, PublishError> {
        todo!("{target:?}")
    }

    /// Where archives are written to.
    pub fn output(&self) -> Output<'_> {
        Output { file: &self.file, name: &self.target }
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Gives it the final name, over a file that has it.
    ///
    /// # Errors
    /// The name still belongs to what had it before.
    pub fn publish(self) -> Result<(), PublishError> {
        todo!()
    }
}

/// A folder that is being filled. Dropped, it is removed with all that is in it.
#[derive(Debug)]
pub struct PendingFolder {
    temporary: PathBuf,
}

impl PendingFolder {
    /// Creates an empty folder beside `target`.
    ///
    /// # Errors
    /// The folder above is not there, or may not be written to.
    pub fn create(target: &Path) -> Result<PendingFolder, PublishError> {
        todo!("{target:?}")
    }

    /// Where it is now.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Gives it the final name; a folder that has it is removed.
    ///
    /// # Errors
    /// The name still belongs to what had it before, or that could not be removed afterwards.
    pub fn publish(self) -> Result<(), PublishError> {
        todo!()
    }
}
