//! What was typed as a tree for the simulation, and its files' bytes. Knows nothing of modules.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_artifact::{Artifact, EntryKind, Modified, OpenOptions, locate};
use bytekiln_loader::{Container, Contents, Entry, FileId, Kind, Root, Stamp, Tree};
use bytekiln_python::Release;

use crate::arguments::TargetChoice;
use crate::failure::CommandFailure;

/// 1980-01-01 and 2107-12-31, between which a zip's dates are.
const ZIP_TIMES: std::ops::RangeInclusive<i64> = 315_532_800..=4_354_819_198;

/// How things will be changed before they are imported.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct Deployment {
    pub(in crate::commands) target: Option<TargetChoice>,
    pub(in crate::commands) mtime: Option<i64>,
}

/// Where the bytes of an entry are.
enum Bytes {
    Member(usize),
    /// A link out of a folder, followed.
    Linked(PathBuf),
}

struct Source {
    artifact: Artifact,
    /// By entry of the root.
    bytes: Vec<Bytes>,
}

/// What was typed, opened.
pub(in crate::commands) struct Artifacts {
    pub(in crate::commands) tree: Tree,
    /// As typed, by root.
    pub(in crate::commands) shown: Vec<PathBuf>,
    /// What could not be listed or understood.
    pub(in crate::commands) problems: Vec<String>,
    sources: Vec<Source>,
    pub(in crate::commands) local_seconds: BTreeMap<(u16, u16), i64>,
}

impl Artifacts {
    /// Opens everything. `release` chooses the `site-packages` of a virtual environment.
    pub(in crate::commands) fn open(
        paths: &[PathBuf],
        prefix: Option<&Path>,
        release: Release,
        deployment: Deployment,
        start: &Path,
        jobs: NonZeroUsize,
    ) -> Result<Artifacts, CommandFailure> {
        let mut artifacts = Artifacts {
            tree: Tree { roots: Vec::new(), pycache_prefix: None },
            shown: Vec::new(),
            problems: Vec::new(),
            sources: Vec::new(),
            local_seconds: BTreeMap::new(),
        };
        for typed in paths {
            let path = in_environment(&start.join(typed), release);
            let shown = path.strip_prefix(start).map_or(path.clone(), Path::to_owned);
            let root = artifacts.root(&path, deployment, jobs)?;
            artifacts.tree.roots.push(root);
            artifacts.shown.push(shown);
        }
        if let Some(prefix) = prefix {
            let as_is = Deployment { target: None, mtime: None };
            let path = start.join(prefix);
            let mut root = artifacts.root(&path, as_is, jobs)?;
            root.container = Container::Directory;
            artifacts.tree.pycache_prefix = Some(root);
            artifacts.shown.push(prefix.to_owned());
        }
        Ok(artifacts)
    }

    fn root(
        &mut self,
        path: &Path,
        deployment: Deployment,
        jobs: NonZeroUsize,
    ) -> Result<Root, CommandFailure> {
        use bytekiln_artifact::Container as Stored;
        let located = locate(path).map_err(|error| CommandFailure::artifact(&error))?;
        let artifact = Artifact::open(&located.path, &OpenOptions::new(jobs))
            .map_err(|error| CommandFailure::artifact(&error))?;
        for problem in artifact.problems() {
            self.problems.push(format!("{problem} in `{}`", located.path.display()));
        }
        let stored = artifact.container();
        let container = match (deployment.target, stored) {
            (Some(TargetChoice::Zip), _) | (None, Stored::Zip) => Container::Zip,
            (Some(TargetChoice::Dir), _)
            | (None, Stored::Directory | Stored::Wheel | Stored::Tar) => Container::Directory,
        };
        let stays = match stored {
            Stored::Directory => container == Container::Directory,
            Stored::Zip | Stored::Wheel => container == Container::Zip,
            Stored::Tar => false,
        };
        let location = if stays { path.as_os_str().as_bytes().to_vec() } else { Vec::new() };
        let (mut entries, mut bytes) = (Vec::new(), Vec::new());
        let folder = (stored == Stored::Directory).then_some(located.path.as_path());
        for (index, found) in artifact.entries().iter().enumerate() {
            let Some(inside) = found.path.strip_prefix(&located.inside) else { continue };
            if inside.is_root() {
                continue;
            }
            let Some((kind, size, modified, place)) = follow(&artifact, index, folder) else {
                continue;
            };
            if kind == Kind::Directory && matches!(found.kind, EntryKind::Symlink(_)) {
                for (below, size, modified, place) in linked(&artifact, index, folder, jobs)? {
                    let modified = stamp(modified, container, deployment.mtime);
                    let path = inside.join(below.as_bytes());
                    entries.push(Entry { path, kind: Kind::File, size, modified });
                    bytes.push(place);
                }
            }
            let modified = stamp(modified, container, deployment.mtime);
            entries.push(Entry { path: inside, kind, size, modified });
            bytes.push(place);
        }
        if entries.is_empty() && !located.inside.is_root() {
            return Err(CommandFailure::usage(format!(
                "there is no `{}` in `{}`",
                located.inside,
                located.path.display()
            )));
        }
        self.sources.push(Source { artifact, bytes });
        Ok(Root { container, location, entries })
    }

    /// The dates of zips' sources, which only an interpreter can turn into seconds.
    pub(in crate::commands) fn stamps(&self) -> BTreeSet<(u16, u16)> {
        let entries = self.tree.roots.iter().flat_map(|root| &root.entries);
        entries
            .filter(|entry| entry.path.as_bytes().ends_with(b".py"))
            .filter_map(|entry| match entry.modified {
                Stamp::Dos { date, time } => Some((date, time)),
                Stamp::Seconds(_) => None,
            })
            .collect()
    }

    /// Where a file is, as typed.
    pub(in crate::commands) fn path(&self, file: FileId) -> String {
        let root = self.shown.get(file.root).cloned().unwrap_or_default();
        let inside = self.tree.entry(file).map(|entry| entry.path.as_bytes()).unwrap_or_default();
        root.join(OsStr::from_bytes(inside)).display().to_string()
    }

    /// Whether every root stands behind the standard library in `sys.path`.
    pub(in crate::commands) fn is_site_packages(&self) -> bool {
        let roots = self.tree.roots.len();
        self.shown.iter().take(roots).all(|path| {
            let name = path.file_name().unwrap_or_default();
            name == "site-packages" || name == "dist-packages"
        })
    }
}

impl Contents for Artifacts {
    fn read(&self, file: FileId) -> Result<Vec<u8>, String> {
        let source = self.sources.get(file.root).ok_or("it is nowhere")?;
        match source.bytes.get(file.entry).ok_or("it is nowhere")? {
            Bytes::Member(index) => source.artifact.read(*index).map_err(|error| error.to_string()),
            Bytes::Linked(path) => {
                std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))
            }
        }
    }

    fn local_seconds(&self, date: u16, time: u16) -> Option<i64> {
        self.local_seconds.get(&(date, time)).copied()
    }
}

/// What an entry is to an importer, links followed; in a folder also out of it, as with the
/// runfiles of Bazel.
fn follow(
    artifact: &Artifact,
    index: usize,
    folder: Option<&Path>,
) -> Option<(Kind, u64, Modified, Bytes)> {
    let entry = artifact.entries().get(index)?;
    let resolved = artifact.resolve(index).and_then(|index| artifact.entries().get(index));
    if let Some(found) = resolved {
        let kind = match found.kind {
            EntryKind::File => Kind::File,
            EntryKind::Directory => Kind::Directory,
            EntryKind::Symlink(_) => return None,
        };
        return Some((kind, found.size, found.modified, Bytes::Member(index)));
    }
    let path = folder?.join(OsStr::from_bytes(entry.path.as_bytes()));
    let metadata = std::fs::metadata(&path).ok()?;
    let kind = if metadata.is_dir() { Kind::Directory } else { Kind::File };
    let modified = Modified::Unix { seconds: metadata.mtime(), nanoseconds: 0 };
    Some((kind, metadata.len(), modified, Bytes::Linked(path)))
}

/// The files below a folder that a link leads to, by their paths from it: inside the artifact, or
/// in a folder outside of it. Links to folders in there are not followed again.
fn linked(
    artifact: &Artifact,
    link: usize,
    folder: Option<&Path>,
    jobs: NonZeroUsize,
) -> Result<Vec<(RepoPath, u64, Modified, Bytes)>, CommandFailure> {
    let mut found = Vec::new();
    let target = artifact.resolve(link).and_then(|index| artifact.entries().get(index));
    if let Some(target) = target {
        for (index, entry) in artifact.entries().iter().enumerate() {
            if let Some(below) = entry.path.strip_prefix(&target.path)
                && let Some((Kind::File, size, modified, place)) = follow(artifact, index, folder)
            {
                found.push((below, size, modified, place));
            }
        }
        return Ok(found);
    }
    let (Some(folder), Some(entry)) = (folder, artifact.entries().get(link)) else {
        return Ok(found);
    };
    let outside = folder.join(OsStr::from_bytes(entry.path.as_bytes()));
    let other = Artifact::open(&outside, &OpenOptions::new(jobs))
        .map_err(|error| CommandFailure::artifact(&error))?;
    for (index, entry) in other.entries().iter().enumerate() {
        if let Some((Kind::File, size, modified, _)) = follow(&other, index, Some(&outside)) {
            let path = outside.join(OsStr::from_bytes(entry.path.as_bytes()));
            found.push((entry.path.clone(), size, modified, Bytes::Linked(path)));
        }
    }
    Ok(found)
}

fn stamp(modified: Modified, container: Container, mtime: Option<i64>) -> Stamp {
    let seconds = match (mtime, modified) {
        (Some(seconds), _) | (None, Modified::Unix { seconds, .. }) => seconds,
        (None, Modified::Dos { date, time }) => return Stamp::Dos { date, time },
    };
    match container {
        Container::Directory => Stamp::Seconds(seconds),
        // What becomes of a time in a zip: two-second steps, and no year before 1980.
        Container::Zip => {
            let clamped = seconds.clamp(*ZIP_TIMES.start(), *ZIP_TIMES.end());
            Stamp::Seconds(clamped - clamped % 2)
        }
    }
}

/// The `site-packages` of a virtual environment; other paths stay.
fn in_environment(path: &Path, release: Release) -> PathBuf {
    if path.join("pyvenv.cfg").is_file() {
        let packages = path.join(format!("lib/python{release}/site-packages"));
        if packages.is_dir() {
            return packages;
        }
    }
    path.to_owned()
}

/// Whether it is a package, given instead of the folder above it.
pub(in crate::commands) fn holds_package(root: &Root) -> bool {
    let init = RepoPath::new(b"__init__.py");
    root.entries.iter().any(|entry| Some(&entry.path) == init.as_ref())
}
