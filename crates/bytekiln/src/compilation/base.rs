//! The folder that paths of a request are relative to, and whether they may leave it.

use std::path::{Component, Path, PathBuf};

use crate::failure::CommandFailure;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    folder: PathBuf,
    confined: bool,
}

impl Base {
    /// Paths may lead anywhere.
    pub(crate) fn free(folder: PathBuf) -> Base {
        Base { folder, confined: false }
    }

    /// Paths may not lead out, by their names; links inside may.
    pub(crate) fn confined(folder: PathBuf) -> Base {
        Base { folder, confined: true }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a path of the request is.
    pub(crate) fn resolve(&self, path: &Path) -> Result<PathBuf, CommandFailure> {
        if self.confined && !is_inside(path) {
            return Err(CommandFailure::usage(format!(
                "`{}` is outside of the folder that a request may use",
                path.display()
            ))
            .hint("name it relative to that folder, without `..`"));
        }
        Ok(self.folder.join(path))
    }

    /// Where a program is: also outside.
    pub(crate) fn resolve_tool(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

/// Whether a path leads nowhere but down.
pub(crate) fn is_inside(path: &Path) -> bool {
    let mut components = path.components();
    components.all(|component| matches!(component, Component::Normal(_) | Component::CurDir))
        && !path.as_os_str().is_empty()
}
