//! What is in a wheel: its files, checked against its `RECORD`, and its modules with the place that they
//! will be installed to. Knows nothing of bytecode that is to be added.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::{Artifact, Container, Entry, EntryKind, OpenOptions, Record};

use bytekiln_assembly::is_module;

use super::name::WheelName;
use crate::commands::parallel;
use crate::failure::CommandFailure;

/// A wheel, opened and found to be whole.
pub(super) struct Wheel {
    pub(super) artifact: Arc<Artifact>,
    pub(super) name: WheelName,
    /// `NAME-VERSION.dist-info`.
    pub(super) info: RepoPath,
    pub(super) record_path: RepoPath,
    pub(super) record: Record,
    /// As its metadata say it.
    pub(super) requires_python: Option<String>,
    /// Digests of its files, by entry.
    digests: Vec<Option<Digest>>,
}

/// A module of a wheel.
#[derive(Debug, Clone)]
pub(super) struct Module {
    pub(super) entry: usize,
    /// In the wheel.
    pub(super) path: RepoPath,
    /// Below `site-packages`, once it is installed.
    pub(super) installed: RepoPath,
    /// Which of [`Wheel::roots`] it lies below.
    pub(super) root: usize,
    pub(super) digest: Digest,
}

impl Wheel {
    /// Opens a wheel. One that is not what its `RECORD` says is refused: whoever installs it would refuse
    /// it too, or worse, would not.
    pub(super) fn open(path: &Path, jobs: NonZeroUsize) -> Result<Wheel, CommandFailure> {
        let shown = path.display();
        let broken = |what: String| {
            CommandFailure::failure(format!("`{shown}` {what}")).hint("build the wheel again")
        };
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = WheelName::parse(&file_name).ok_or_else(|| {
            CommandFailure::usage(format!("`{shown}` has no name of a wheel"))
                .hint("it is `NAME-VERSION-PYTHON-ABI-PLATFORM.whl`, with a build tag perhaps")
        })?;
        let artifact = Artifact::open(path, &OpenOptions::new(jobs))
            .map_err(|error| CommandFailure::artifact(&error))?;
        if let Some(problem) = artifact.problems().first() {
            let message = format!("`{shown}`: {problem}");
            return Err(CommandFailure::failure(message).hint("build the wheel again"));
        }
        if artifact.container() != Container::Wheel {
            return Err(broken("has no `.dist-info/RECORD`, so it is no wheel".to_owned()));
        }
        let infos: BTreeSet<&[u8]> = artifact
            .entries()
            .iter()
            .filter_map(|entry| {
                let slash = entry.path.as_bytes().iter().position(|byte| *byte == b'/')?;
                entry.path.as_bytes().get(..slash)
            })
            .filter(|folder| folder.ends_with(b".dist-info"))
            .collect();
        let infos: Vec<RepoPath> = infos.into_iter().filter_map(RepoPath::new).collect();
        let [info] = infos.as_slice() else {
            return Err(broken(format!("has {} folders `*.dist-info`, not one", infos.len())));
        };
        let text = |file: &[u8]| -> Result<Option<Vec<u8>>, CommandFailure> {
            let Some(index) = artifact.find(&info.join(file)) else { return Ok(None) };
            artifact.read(index).map(Some).map_err(|error| CommandFailure::artifact(&error))
        };
        let record = Record::parse(text(b"RECORD")?.unwrap_or_default())
            .map_err(|error| broken(format!("has a broken RECORD: {error}")))?;
        let metadata = text(b"METADATA")?.unwrap_or_default();
        let mut wheel = Wheel {
            requires_python: header(&metadata, "Requires-Python"),
            record_path: info.join(b"RECORD"),
            info: info.clone(),
            record,
            name,
            digests: Vec::new(),
            artifact: Arc::new(artifact),
        };
        wheel.digests = wheel.checked(jobs).map_err(broken)?;
        Ok(wheel)
    }

    /// Reads every file, and compares it with its row.
    fn checked(&self, jobs: NonZeroUsize) -> Result<Vec<Option<Digest>>, String> {
        let entries: Vec<usize> = (0..self.artifact.entries().len()).collect();
        let read = parallel::map(&entries, jobs, |index| {
            let Some(entry) = self.artifact.entries().get(*index) else { return Ok(None) };
            match entry.kind {
                EntryKind::Directory => return Ok(None),
                EntryKind::Symlink(_) => {
                    return Err(format!("has a link, `{}`, which no wheel may have", entry.path));
                }
                EntryKind::File => {}
            }
            let bytes =
                self.artifact.read(*index).map_err(|error| format!("is broken: {error}"))?;
            let digest = Digest::of(&bytes);
            if entry.path == self.record_path || is_signature(&entry.path, &self.info) {
                return Ok(Some(digest));
            }
            match self.record.find(entry.path.as_bytes()) {
                None if is_bytecode(&entry.path) => Ok(Some(digest)),
                None => Err(format!("has `{}`, which its RECORD does not list", entry.path)),
                Some(row) if self.record.matches(row, &digest) == Some(false) => {
                    Err(format!("holds another `{}` than its RECORD says", entry.path))
                }
                Some(_) => Ok(Some(digest)),
            }
        });
        let digests = read.into_iter().collect::<Result<Vec<_>, _>>()?;
        let missing = self.record.paths().find(|path| {
            let path = RepoPath::new(path);
            path.is_none_or(|path| self.artifact.find(&path).is_none() && !is_bytecode(&path))
        });
        match missing {
            Some(path) => Err(format!("has no `{}`, which its RECORD lists", path.escape_ascii())),
            None => Ok(digests),
        }
    }

    /// Its files.
    pub(super) fn files(&self) -> impl Iterator<Item = (usize, &Entry)> {
        let entries = self.artifact.entries().iter().enumerate();
        entries.filter(|(_, entry)| entry.kind == EntryKind::File)
    }

    /// Whether the new wheel has none of this: bytecode and `RECORD` are made anew, signatures cannot be.
    pub(super) fn is_dropped(&self, path: &RepoPath) -> bool {
        *path == self.record_path || is_bytecode(path) || is_signature(path, &self.info)
    }

    /// Folders of the wheel that are installed to `site-packages`: the root, and those of `.data`.
    pub(super) fn roots(&self) -> Vec<RepoPath> {
        let data = self.info.as_str().and_then(|info| info.strip_suffix(".dist-info"));
        let data = data.map(|data| format!("{data}.data")).unwrap_or_default();
        let below = |folder: &str| RepoPath::new(format!("{data}/{folder}").as_bytes());
        let folders = ["purelib", "platlib"].into_iter().filter_map(below);
        std::iter::once(RepoPath::default())
            .chain(folders.filter(|folder| {
                let entries = self.artifact.entries().iter();
                entries.clone().any(|entry| entry.path.strip_prefix(folder).is_some())
            }))
            .collect()
    }

    /// What can be imported once it is installed.
    pub(super) fn modules(&self) -> Vec<Module> {
        let roots = self.roots();
        let mut modules = Vec::new();
        for (entry, file) in self.files() {
            let is_package =
                |folder: &RepoPath| self.artifact.find(&folder.join(b"__init__.py")).is_some();
            let Some(digest) = self.digests.get(entry).copied().flatten() else { continue };
            if !is_module(&file.path, is_package) {
                continue;
            }
            // The deepest root, and nothing else of `.data`.
            let place = roots
                .iter()
                .enumerate()
                .rev()
                .find_map(|(root, folder)| Some((root, file.path.strip_prefix(folder)?)));
            let Some((root, installed)) = place else { continue };
            let top = installed.as_bytes().split(|byte| *byte == b'/').next().unwrap_or_default();
            if root == 0 && (top.ends_with(b".data") || top.ends_with(b".dist-info")) {
                continue;
            }
            modules.push(Module { entry, path: file.path.clone(), installed, root, digest });
        }
        modules
    }

    /// The file `WHEEL`, with this build tag.
    pub(super) fn with_build(&self, tag: &str) -> Result<Arc<[u8]>, CommandFailure> {
        let index = self.artifact.find(&self.info.join(b"WHEEL")).ok_or_else(|| {
            CommandFailure::failure(format!("`{}` has no `WHEEL`", self.artifact.path().display()))
        })?;
        let bytes = self.artifact.read(index).map_err(|error| CommandFailure::artifact(&error))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<&str> =
            text.lines().filter(|line| !line.starts_with("Build:")).collect();
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        Ok(format!("{}\nBuild: {tag}\n", lines.join("\n")).into_bytes().into())
    }
}

/// Made by an interpreter.
pub(super) fn is_bytecode(path: &RepoPath) -> bool {
    path.as_bytes().ends_with(b".pyc") || path.as_bytes().ends_with(b".pyo")
}

/// `RECORD.jws` and `RECORD.p7s` sign `RECORD`.
fn is_signature(path: &RepoPath, info: &RepoPath) -> bool {
    *path == info.join(b"RECORD.jws") || *path == info.join(b"RECORD.p7s")
}

/// The first header of this name.
fn header(metadata: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(metadata);
    let mut lines = text.lines().take_while(|line| !line.is_empty());
    lines.find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
