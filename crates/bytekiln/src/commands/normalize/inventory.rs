//! Which caches there are below the paths that were typed, where their sources would be, and from
//! which folder they are imported. Reads names, not contents.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bytekiln_action::{RecordedPath, RepoPath};
use bytekiln_artifact::{
    Artifact, ArtifactError, EntryKind, EntryProblemKind, LocatedKind, OpenOptions, locate,
};
use bytekiln_python::parse_cache_file_name;

use crate::failure::CommandFailure;

const PYCACHE: &[u8] = b"__pycache__";

/// A cache.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Absolute.
    pub(super) path: PathBuf,
    /// As the user would type it.
    pub(super) shown: PathBuf,
    pub(super) source: SourcePlace,
    /// The tag in its name; `None` for `m.pyc`.
    pub(super) tag: Option<String>,
    /// Index into [`Inventory::roots`].
    pub(super) root: usize,
    /// Below that root.
    pub(super) below_root: Vec<u8>,
    /// The source, below that root, as it is recorded.
    pub(super) recorded_path: RecordedPath,
}

/// Where a cache's source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SourcePlace {
    /// Here.
    File(PathBuf),
    /// Not there, and CPython would not load the cache without it.
    Missing,
    /// Not there, and not needed.
    Sourceless,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// Sorted by path.
    pub(super) subjects: Vec<Subject>,
    /// Files with the suffix that are left alone, with the reason.
    pub(super) passed_over: Vec<(PathBuf, PassedOver)>,
    /// Folders that are imported from, absolute.
    pub(super) roots: Vec<PathBuf>,
    /// What could not be looked at.
    pub(super) unreadable: Vec<String>,
}

/// Why a `.pyc` is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PassedOver {
    /// A name that CPython does not read: pytest's rewritten modules, for one.
    Name,
    /// A symbolic link.
    Link,
}

impl PassedOver {
    pub(super) fn sentence(self) -> &'static str {
        match self {
            PassedOver::Name => "has a name that CPython never reads: another tool made it",
            PassedOver::Link => "is a symbolic link; normalize what it leads to",
        }
    }
}

impl Inventory {
    /// Looks at each path; what one of them is wrong with is an error of the user.
    pub(super) fn take(
        paths: &[PathBuf],
        start: &Path,
        jobs: NonZeroUsize,
    ) -> Result<Inventory, CommandFailure> {
        let mut collector = Collector::default();
        for path in paths {
            collector.path(path, &start.join(path), jobs)?;
        }
        let mut inventory = collector.inventory;
        // Bytes are compared, not components: that is much faster. A path may have been typed
        // twice, or lie below another.
        inventory.subjects.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        inventory.subjects.dedup_by(|a, b| a.path.as_os_str() == b.path.as_os_str());
        inventory.passed_over.sort_by(|a, b| a.0.as_os_str().cmp(b.0.as_os_str()));
        inventory.passed_over.dedup_by(|a, b| a.0.as_os_str() == b.0.as_os_str());
        Ok(inventory)
    }
}

#[derive(Default)]
struct Collector {
    inventory: Inventory,
    /// Folders of modules and their roots.
    roots: BTreeMap<OsString, usize>,
    /// The folder looked up last: files come folder by folder.
    last_root: Option<(OsString, usize)>,
}

impl Collector {
    fn path(
        &mut self,
        typed: &Path,
        path: &Path,
        jobs: NonZeroUsize,
    ) -> Result<(), CommandFailure> {
        let located = locate(path).map_err(|error| unusable(&error))?;
        match located.kind {
            LocatedKind::Archive => Err(CommandFailure::usage(format!(
                "`{}` is an archive, and caches are only rewritten in place",
                start_of(typed, &located.inside).display()
            ))
            .hint("unpack it, normalize the folder, and pack it again")),
            LocatedKind::File if typed.extension() != Some(OsStr::new("pyc")) => {
                Err(CommandFailure::usage(format!(
                    "`{}` is neither a folder nor a .pyc file",
                    typed.display()
                )))
            }
            LocatedKind::File => self.single(typed, path),
            LocatedKind::Directory => self.folder(typed, path, jobs),
        }
    }

    fn single(&mut self, typed: &Path, path: &Path) -> Result<(), CommandFailure> {
        let fail = |error: std::io::Error| {
            CommandFailure::usage(format!("`{}` could not be read: {error}", typed.display()))
        };
        if std::fs::symlink_metadata(path).map_err(fail)?.is_symlink() {
            self.inventory.passed_over.push((typed.to_owned(), PassedOver::Link));
            return Ok(());
        }
        let path = std::fs::canonicalize(path).map_err(fail)?;
        let exists = |source: &Path| source.is_file();
        self.subject(path, typed.to_owned(), None, &exists);
        Ok(())
    }

    fn folder(
        &mut self,
        typed: &Path,
        path: &Path,
        jobs: NonZeroUsize,
    ) -> Result<(), CommandFailure> {
        let artifact =
            Artifact::open(path, &OpenOptions::new(jobs)).map_err(|error| unusable(&error))?;
        let base = std::fs::canonicalize(path).map_err(|error| {
            CommandFailure::usage(format!("`{}` could not be read: {error}", typed.display()))
        })?;
        for problem in artifact.problems() {
            if matches!(problem.kind, EntryProblemKind::Unreadable(_)) {
                self.inventory.unreadable.push(format!("`{}`: {problem}", typed.display()));
            }
        }
        let exists = |source: &Path| {
            let below = source.strip_prefix(&base).ok().map(|below| below.as_os_str().as_bytes());
            match below.and_then(RepoPath::new) {
                Some(below) => artifact.find(&below).is_some_and(|index| {
                    // A link out of the tree is the user's own business: CPython follows it.
                    !matches!(
                        artifact.entries().get(index).map(|entry| &entry.kind),
                        Some(EntryKind::Directory) | None
                    )
                }),
                // A package may have been typed whose caches lie beside it.
                None => source.is_file(),
            }
        };
        for entry in artifact.entries() {
            if !entry.path.as_bytes().ends_with(b".pyc") {
                continue;
            }
            let below = Path::new(OsStr::from_bytes(entry.path.as_bytes()));
            let shown = if typed == Path::new(".") { below.to_owned() } else { typed.join(below) };
            match entry.kind {
                EntryKind::File => self.subject(base.join(below), shown, Some(&base), &exists),
                EntryKind::Symlink(_) => {
                    self.inventory.passed_over.push((shown, PassedOver::Link));
                }
                EntryKind::Directory => {}
            }
        }
        Ok(())
    }

    fn subject(
        &mut self,
        path: PathBuf,
        shown: PathBuf,
        base: Option<&Path>,
        exists: &dyn Fn(&Path) -> bool,
    ) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
        let name = name.as_bytes();
        let cached = folder.file_name().is_some_and(|name| name.as_bytes() == PYCACHE);
        let (home, stem, tag) = if cached {
            let Some((home, (stem, tag, _))) = folder.parent().zip(parse_cache_file_name(name))
            else {
                self.inventory.passed_over.push((shown, PassedOver::Name));
                return;
            };
            (home, stem, Some(tag.to_owned()))
        } else {
            (folder, name.strip_suffix(b".pyc").unwrap_or(name), None)
        };
        let source = home.join(OsStr::from_bytes(&[stem, b".py"].concat()));
        let place = if exists(&source) {
            SourcePlace::File(source.clone())
        } else if cached {
            SourcePlace::Missing
        } else {
            SourcePlace::Sourceless
        };
        let root = self.root_of(home, base);
        let below = |path: &Path| -> Vec<u8> {
            let root = self.inventory.roots.get(root).map_or(home, PathBuf::as_path);
            path.strip_prefix(root).unwrap_or(path).as_os_str().as_bytes().to_vec()
        };
        let subject = Subject {
            shown,
            source: place,
            tag,
            root,
            below_root: below(&path),
            recorded_path: RecordedPath::from_file_system(&below(&source)),
            path,
        };
        self.inventory.subjects.push(subject);
    }

    /// The folder that `home` is imported from.
    fn root_of(&mut self, home: &Path, base: Option<&Path>) -> usize {
        let name = home.as_os_str();
        if let Some((last, root)) = &self.last_root
            && last == name
        {
            return *root;
        }
        let index = match self.roots.get(name) {
            Some(index) => *index,
            None => {
                let root = import_root(home, base);
                let known = self.inventory.roots.iter().position(|known| *known == root);
                known.unwrap_or_else(|| {
                    self.inventory.roots.push(root);
                    self.inventory.roots.len() - 1
                })
            }
        };
        self.roots.insert(name.to_owned(), index);
        self.last_root = Some((name.to_owned(), index));
        index
    }
}

/// The innermost `site-packages`, `dist-packages` or `lib/pythonX.Y` that holds a folder; else the
/// folder that was typed, or the one above it as long as that is a package's.
fn import_root(home: &Path, base: Option<&Path>) -> PathBuf {
    if let Some(root) = home.ancestors().find(|folder| is_import_root(folder)) {
        return root.to_owned();
    }
    // What was typed may be a `__pycache__`, which lies below the folder of its modules.
    let mut root = base.filter(|base| home.starts_with(base)).unwrap_or(home);
    while root.join("__init__.py").is_file()
        && let Some(above) = root.parent()
    {
        root = above;
    }
    root.to_owned()
}

fn is_import_root(folder: &Path) -> bool {
    let Some(name) = folder.file_name().and_then(OsStr::to_str) else { return false };
    if matches!(name, "site-packages" | "dist-packages") {
        return true;
    }
    let in_lib = folder
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|above| above == "lib" || above == "lib64");
    let is_release = name.strip_prefix("python3.").is_some_and(|minor| {
        let minor = minor.strip_suffix('t').unwrap_or(minor);
        !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
    });
    in_lib && is_release
}

/// What was typed, without the part that is inside an archive.
fn start_of<'a>(typed: &'a Path, inside: &RepoPath) -> &'a Path {
    let parts = inside.as_bytes().split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    typed.ancestors().nth(parts.count()).unwrap_or(typed)
}

fn unusable(error: &ArtifactError) -> CommandFailure {
    CommandFailure::usage(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn import_roots() {
        for (home, base, expect) in [
            ("/v/lib/python3.11/site-packages/a/b", Some("/v"), "/v/lib/python3.11/site-packages"),
            ("/v/lib/python3.13t/json", Some("/v"), "/v/lib/python3.13t"),
            ("/usr/lib/python3/dist-packages/a", None, "/usr/lib/python3/dist-packages"),
            ("/nowhere/app/a/b", Some("/nowhere/app"), "/nowhere/app"),
            ("/nowhere/python3.11/a", Some("/nowhere"), "/nowhere"),
            ("/nowhere/a", None, "/nowhere/a"),
            ("/nowhere/a", Some("/nowhere/a/__pycache__"), "/nowhere/a"),
        ] {
            let found = import_root(Path::new(home), base.map(Path::new));
            assert_eq!(found, Path::new(expect), "{home}");
        }
    }
}
