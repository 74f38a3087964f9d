//! What a tree or zip of a program holds: the packages that it was seen to load modules from, each of them
//! whole, by the place that they have on the path. Lists folders, and reads no file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_startup::{Loaded, Origin, Verbose};

use super::caches::is_below;
use super::observed::root_of;
use super::variant::Place;

/// What is to be gathered.
pub(super) struct Gathering<'a> {
    /// What was loaded; nothing of it is in a zip any more.
    pub(super) seen: &'a Verbose,
    /// What relative paths of the interpreter start from.
    pub(super) folder: &'a Path,
    /// The folder that is run, if it is one: all of it belongs to the program.
    pub(super) script: Option<&'a Path>,
    /// The module that is run, with `-m`.
    pub(super) module: Option<&'a str>,
    /// Where the standard library lies. It stays there if the rest goes into a zip.
    pub(super) library: &'a Path,
    /// A tree or a zip.
    pub(super) place: Place,
}

/// What belongs together.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Files by their new place, and in a tree folders that are taken as they are.
    pub(super) files: BTreeMap<RepoPath, PathBuf>,
    /// Sources that were loaded, which get caches, by their new place.
    pub(super) sources: BTreeMap<RepoPath, PathBuf>,
    /// Modules that are to be loaded from there.
    pub(super) modules: BTreeSet<String>,
    /// Packages that stay where they are: no zip can hold their extension modules.
    pub(super) left_out: BTreeSet<String>,
}

/// A package, or a module that is in none: what cannot be torn apart.
type Unit = (PathBuf, RepoPath);

/// A source that was loaded, and its name if it was imported.
struct Source<'a> {
    name: Option<&'a str>,
    unit: Unit,
    below: RepoPath,
    path: PathBuf,
}

/// Gathers it.
pub(super) fn gather(gathering: &Gathering<'_>) -> io::Result<Gathered> {
    let sources = gathering.sources();
    let units: BTreeSet<&Unit> = sources.iter().map(|source| &source.unit).collect();
    let mut gathered = Gathered::default();
    let mut stay: BTreeSet<&Unit> = BTreeSet::new();
    for unit in units {
        let (root, below) = unit;
        let mut files = BTreeMap::new();
        list(root, below, gathering.place, &mut files)?;
        if gathering.place == Place::Zip && files.keys().any(is_extension) {
            gathered.left_out.insert(below.to_string().replace('/', "."));
            stay.insert(unit);
            continue;
        }
        gathered.add(files);
    }
    if let Some(script) = gathering.script {
        for name in names(script)? {
            let mut files = BTreeMap::new();
            list(script, &RepoPath::default().join(&name), gathering.place, &mut files)?;
            gathered.add(files);
        }
    }
    if gathering.place == Place::Tree {
        for root in gathering.lonely(&sources) {
            gathered.add_neighbours(&root)?;
        }
    }
    // What is reached by a link to a folder is not ours to write caches beside.
    let is_there = |source: &&Source<'_>| {
        !stay.contains(&source.unit) && gathered.files.contains_key(&source.below)
    };
    let there: Vec<&Source<'_>> = sources.iter().filter(is_there).collect();
    for source in there {
        gathered.sources.insert(source.below.clone(), source.path.clone());
        gathered.modules.extend(source.name.map(str::to_owned));
    }
    Ok(gathered)
}

impl Gathering<'_> {
    fn sources(&self) -> Vec<Source<'_>> {
        let imported = self.seen.modules.iter().map(|(name, loaded)| (Some(name.as_str()), loaded));
        let others = self.seen.others.iter().map(|loaded| (None, loaded));
        imported.chain(others).filter_map(|(name, loaded)| self.source(name, loaded)).collect()
    }

    fn source<'a>(&'a self, name: Option<&'a str>, loaded: &Loaded) -> Option<Source<'a>> {
        let is_source = matches!(loaded.origin, Origin::Cache | Origin::Compiled | Origin::Stale);
        let file = loaded.file.as_ref().filter(|file| is_source && file.ends_with(".py"))?;
        let path = self.folder.join(file);
        if self.place == Place::Zip && is_below(&path, self.library) {
            return None;
        }
        let in_script = self.script.filter(|script| path.starts_with(script));
        let root = match (in_script, name) {
            (Some(script), _) => script.to_owned(),
            (None, Some(name)) => root_of(name, &path)?,
            // What is run is imported under no name of its own.
            (None, None) => {
                let module = self.module?;
                let main = format!("{module}.__main__");
                [module, &main].iter().find_map(|name| root_of(name, &path))?
            }
        };
        let below = RepoPath::new(path.strip_prefix(&root).ok()?.as_os_str().as_bytes())?;
        let unit = (root.clone(), unit(&root, &below));
        Some(Source { name, unit, below, path })
    }

    /// Folders of the path of which a module in no package was loaded: it may read what lies beside it.
    fn lonely(&self, sources: &[Source<'_>]) -> BTreeSet<PathBuf> {
        let lonely = sources.iter().filter(|source| source.unit.1 == source.below);
        let roots = lonely.map(|source| source.unit.0.clone());
        let is_installed = |root: &PathBuf| {
            root.starts_with(self.library)
                || root.ends_with("site-packages")
                || root.ends_with("dist-packages")
        };
        roots.filter(|root| !is_installed(root) && Some(root.as_path()) != self.script).collect()
    }
}

impl Gathered {
    /// What was there first stays: two entries of the path may have portions of one package.
    fn add(&mut self, files: BTreeMap<RepoPath, PathBuf>) {
        for (below, path) in files {
            self.files.entry(below).or_insert(path);
        }
    }

    fn add_neighbours(&mut self, root: &Path) -> io::Result<()> {
        let taken: BTreeSet<Vec<u8>> = self.files.keys().map(first).collect();
        for name in names(root)? {
            if !taken.contains(&name) && name != b"__pycache__" {
                let path = root.join(OsStr::from_bytes(&name));
                self.files.insert(RepoPath::default().join(&name), path);
            }
        }
        Ok(())
    }
}

fn first(path: &RepoPath) -> Vec<u8> {
    path.as_bytes().split(|byte| *byte == b'/').next().unwrap_or_default().to_owned()
}

/// The outermost package with an `__init__` that a source is in, or itself: a package without one may have
/// portions elsewhere, and its parts are strangers.
fn unit(root: &Path, below: &RepoPath) -> RepoPath {
    let mut at = RepoPath::default();
    for part in below.as_bytes().split(|byte| *byte == b'/') {
        at = at.join(part);
        let folder = root.join(OsStr::from_bytes(at.as_bytes()));
        if folder.join("__init__.py").is_file() {
            break;
        }
    }
    at
}

fn names(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().as_bytes().to_vec())).collect()
}

fn is_extension(path: &RepoPath) -> bool {
    path.as_bytes().ends_with(b".so")
}

/// All files of something, without caches that Python would not look for there or that come from us.
fn list(
    root: &Path,
    below: &RepoPath,
    place: Place,
    files: &mut BTreeMap<RepoPath, PathBuf>,
) -> io::Result<()> {
    let path = root.join(OsStr::from_bytes(below.as_bytes()));
    let metadata = std::fs::symlink_metadata(&path)?;
    if metadata.is_dir() {
        for name in names(&path)? {
            if name != b"__pycache__" {
                list(root, &below.join(&name), place, files)?;
            }
        }
        return Ok(());
    }
    let is_file = std::fs::metadata(&path).is_ok_and(|target| target.is_file());
    let is_ours = |name: &[u8]| {
        let source = name.strip_suffix(b"c").filter(|source| source.ends_with(b".py"));
        source.is_some_and(|source| path.with_file_name(OsStr::from_bytes(source)).is_file())
    };
    if place == Place::Tree || (is_file && !is_ours(below.file_name())) {
        files.insert(below.clone(), path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package is whole; one with an extension module stays out of a zip; portions of a namespace are
    /// apart; what lies beside a module in no package comes along in a tree.
    #[test]
    fn what_belongs_together() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in [
            "site-packages/a/__init__.py",
            "site-packages/a/b.py",
            "site-packages/a/b.pyc",
            "site-packages/a/data.txt",
            "site-packages/a/__pycache__/b.cpython-311.pyc",
            "site-packages/fast/__init__.py",
            "site-packages/fast/deep/x.so",
            "site-packages/ns/one/__init__.py",
            "site-packages/ns/two/__init__.py",
            "site-packages/other.py",
            "work/tool.py",
            "work/rates.json",
            "work/docs/x.md",
        ] {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let mut seen = Verbose::default();
        for (name, file) in [
            ("a.b", "site-packages/a/b.py"),
            ("fast", "site-packages/fast/__init__.py"),
            ("ns.one", "site-packages/ns/one/__init__.py"),
            ("tool", "work/tool.py"),
        ] {
            let file = Some(root.join(file).display().to_string());
            let loaded = Loaded { origin: Origin::Compiled, file, zipped: false };
            seen.modules.insert(name.to_owned(), loaded);
        }
        let gather = |place| {
            let gathered = gather(&Gathering {
                seen: &seen,
                folder: root,
                script: None,
                module: None,
                library: Path::new("/nowhere"),
                place,
            });
            gathered.unwrap()
        };
        let shown = |gathered: &Gathered| {
            gathered.files.keys().map(ToString::to_string).collect::<Vec<_>>()
        };
        let zip = gather(Place::Zip);
        assert_eq!(
            shown(&zip),
            ["a/__init__.py", "a/b.py", "a/data.txt", "ns/one/__init__.py", "tool.py"]
        );
        assert_eq!(zip.left_out, BTreeSet::from(["fast".to_owned()]));
        let sources: Vec<_> = zip.sources.keys().map(ToString::to_string).collect();
        assert_eq!(sources, ["a/b.py", "ns/one/__init__.py", "tool.py"]);
        let tree = gather(Place::Tree);
        assert_eq!(
            shown(&tree),
            [
                "a/__init__.py",
                "a/b.py",
                "a/b.pyc",
                "a/data.txt",
                "docs",
                "fast/__init__.py",
                "fast/deep/x.so",
                "ns/one/__init__.py",
                "rates.json",
                "tool.py"
            ]
        );
        assert_eq!(tree.left_out, BTreeSet::new());
    }
}
