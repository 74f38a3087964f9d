//! Which files changed: by a revision, by name, or from a list. Knows nothing of modules.

use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_project::{ChangeStatus, ChangedFile, changes_since};

use crate::arguments::UnknownChoice;
use crate::environment::Environment;
use crate::failure::CommandFailure;

/// How changed files are to be found.
pub(crate) struct Asked<'a> {
    pub(crate) since: Option<&'a str>,
    pub(crate) files: &'a [PathBuf],
    /// A list of files; `-` is standard input.
    pub(crate) files_from: Option<&'a Path>,
    /// What those mean that belong to nothing.
    pub(crate) unknown: UnknownChoice,
}

/// What changed.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// The commit that was compared with.
    pub(crate) base: Option<String>,
    /// Below the workspace, by path, each once.
    pub(crate) files: Vec<ChangedFile>,
    /// Files of the repository outside of the workspace.
    pub(crate) outside: Vec<PathBuf>,
    /// Files that were named, and are outside of the workspace; absolute.
    pub(crate) named_outside: Vec<PathBuf>,
}

impl Changed {
    /// Sources that are gone.
    pub(crate) fn deleted(&self) -> Vec<RepoPath> {
        let gone = self.files.iter().filter(|file| is_deleted_source(file));
        gone.map(|file| file.path.clone()).collect()
    }
}

fn is_deleted_source(file: &ChangedFile) -> bool {
    file.status == ChangeStatus::Deleted
        && !file.is_folder
        && file.path.as_bytes().ends_with(b".py")
}

impl Asked<'_> {
    /// Finds them. `root` is the workspace, `start` the folder that names are relative to.
    pub(crate) fn changed(
        &self,
        root: &Path,
        start: &Path,
        environment: &Environment,
    ) -> Result<Changed, CommandFailure> {
        let mut changed = Changed::default();
        if let Some(revision) = self.since {
            let found = changes_since(&environment.git(), root, revision).map_err(|error| {
                let failure = if error.is_usage() {
                    CommandFailure::usage(&error)
                } else {
                    CommandFailure::environment(&error)
                };
                match error.hint() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            })?;
            changed = Changed {
                base: Some(found.base),
                files: found.files,
                outside: found.outside,
                named_outside: Vec::new(),
            };
        }
        let mut named: Vec<PathBuf> = self.files.to_vec();
        if let Some(list) = self.files_from {
            named.extend(listed(list, start)?);
        }
        for name in named {
            let path = resolved(&start.join(&name));
            match path.strip_prefix(root).ok().and_then(|p| RepoPath::new(p.as_os_str().as_bytes()))
            {
                Some(below) => changed.files.push(named_file(below, &path)),
                None => changed.named_outside.push(path),
            }
        }
        // What git says of a file comes first.
        changed.files.sort_by(|a, b| a.path.cmp(&b.path));
        changed.files.dedup_by(|later, first| later.path == first.path);
        Ok(changed)
    }
}

fn named_file(path: RepoPath, absolute: &Path) -> ChangedFile {
    let (status, is_folder) = match absolute.symlink_metadata() {
        Ok(found) => (ChangeStatus::Modified, found.is_dir()),
        Err(_) => (ChangeStatus::Deleted, false),
    };
    ChangedFile { path, status, is_folder }
}

/// With links resolved in the folder, not in the file; by letter where the folder is gone.
fn resolved(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    let (Some(folder), Some(name)) = (out.parent(), out.file_name()) else { return out };
    let mut rest = PathBuf::from(name);
    for above in folder.ancestors() {
        if let Ok(real) = above.canonicalize() {
            return real.join(rest);
        }
        if let Some(name) = above.file_name() {
            rest = Path::new(name).join(rest);
        }
    }
    out
}

/// One a line; where there is a NUL, separated by those.
fn listed(list: &Path, start: &Path) -> Result<Vec<PathBuf>, CommandFailure> {
    let shown = if list == Path::new("-") {
        "standard input".to_owned()
    } else {
        format!("`{}`", list.display())
    };
    let text = if list == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).map(|_| text)
    } else {
        std::fs::read(start.join(list))
    };
    let text = text.map_err(|error| {
        CommandFailure::usage(format!("could not read the files from {shown}: {error}"))
    })?;
    Ok(split(&text).map(|name| PathBuf::from(std::ffi::OsStr::from_bytes(name))).collect())
}

fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let nul = text.contains(&0);
    let end = if nul { 0 } else { b'\n' };
    text.split(move |byte| *byte == end)
        .map(move |name| if nul { name } else { name.strip_suffix(b"\r").unwrap_or(name) })
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&[u8]> = split(text.as_bytes()).collect();
        let expected: Vec<&[u8]> = expected.iter().map(|name| name.as_bytes()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lists() {
        check("", &[]);
        check("a.py\nb c.py\n", &["a.py", "b c.py"]);
        check("a.py\r\nb.py", &["a.py", "b.py"]);
        check("a.py\0b\nc.py\0", &["a.py", "b\nc.py"]);
    }
}
