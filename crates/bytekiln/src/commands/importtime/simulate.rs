//! What `doctor` would say of the modules that a program loaded, to be held against what the interpreter
//! says: the same simulation, on nothing but the sources that were loaded and their caches.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_loader::{
    Class, Container, Contents, Effect, Entry, FileId, HashCheck, Kind, Launch, ModuleReport, Root,
    Stamp, Tree, simulate,
};
use bytekiln_project::Interpreter;
use bytekiln_python::{OptimizationLevel, cache_file_name};
use bytekiln_startup::{Origin, Verbose};

/// How both agree.
#[derive(Debug, Clone, Default)]
pub(super) struct Agreement {
    /// Modules of which both say the same.
    pub(super) agreed: usize,
    /// Modules, what the simulation says, and what the interpreter did.
    pub(super) differing: Vec<(String, &'static str, &'static str)>,
    /// Modules of which the simulation knows nothing: their names are not those of their files.
    pub(super) unknown: usize,
}

/// What decides.
pub(super) struct Circumstances<'a> {
    pub(super) interpreter: &'a Interpreter,
    pub(super) level: OptimizationLevel,
    /// The tree of caches; without one they lie beside the sources.
    pub(super) prefix: Option<&'a Path>,
    /// What relative paths of the interpreter start from.
    pub(super) folder: &'a Path,
}

/// By root and name: the module, and where the interpreter took it from.
pub(super) type Expected<'a> = BTreeMap<(usize, Vec<u8>), (&'a String, Origin)>;

/// Simulates and compares what lies in folders.
pub(super) fn agreement(verbose: &Verbose, circumstances: &Circumstances<'_>) -> Agreement {
    let mut world = World::default();
    let mut agreement = Agreement::default();
    let mut expected = Expected::new();
    for (name, loaded) in &verbose.modules {
        let is_source = matches!(loaded.origin, Origin::Cache | Origin::Compiled | Origin::Stale);
        let is_here = is_source && !loaded.zipped;
        let Some(file) = loaded.file.as_ref().filter(|_| is_here) else { continue };
        let path = circumstances.folder.join(file);
        match world.add(name, &path) {
            Some(root) => {
                world.add_cache(root, &path, circumstances);
                expected.insert((root, name.as_bytes().to_vec()), (name, loaded.origin));
            }
            None => agreement.unknown += 1,
        }
    }
    let (tree, contents) = world.finish(circumstances.prefix);
    agreement.hold(&simulate(&tree, &launch(circumstances), &contents), expected);
    agreement
}

/// A start as it is simulated: without anything that hides what was seen to be loaded.
pub(super) fn launch(circumstances: &Circumstances<'_>) -> Launch {
    let toolchain = &circumstances.interpreter.toolchain;
    Launch {
        release: toolchain.release,
        cache_tag: Some(toolchain.cache_tag.clone()),
        optimize: circumstances.level.as_u8(),
        hash_check: HashCheck::Default,
        extension_suffixes: Vec::new(),
        earlier: BTreeMap::new(),
    }
}

impl Agreement {
    /// Holds a simulation against what happened.
    pub(super) fn hold(&mut self, reports: &[ModuleReport], mut expected: Expected<'_>) {
        for report in reports.iter().filter(|report| report.effect != Effect::NotUsed) {
            let key = (report.file.root, report.name.clone());
            let Some((name, origin)) = expected.remove(&key) else { continue };
            let (says, agrees) = match report.effect {
                Effect::Loads | Effect::RunsOldCode => ("cache", origin == Origin::Cache),
                Effect::Compiles if report.class() == Class::Stale => {
                    ("stale", origin == Origin::Stale)
                }
                Effect::Compiles => {
                    ("compiled", matches!(origin, Origin::Compiled | Origin::Stale))
                }
                Effect::Fails(_) => ("fails", false),
                Effect::NotUsed => continue,
            };
            if agrees {
                self.agreed += 1;
            } else {
                self.differing.push((name.clone(), says, origin.word()));
            }
        }
        // Shadowed by another folder of the path: the order of those is not known here.
        self.unknown += expected.len();
    }

    /// Both together.
    pub(super) fn and(mut self, other: Agreement) -> Agreement {
        self.agreed += other.agreed;
        self.differing.extend(other.differing);
        self.unknown += other.unknown;
        self
    }
}

#[derive(Default)]
struct World {
    roots: Vec<(PathBuf, BTreeMap<RepoPath, Entry>)>,
    prefix: BTreeMap<RepoPath, Entry>,
    seen: BTreeSet<PathBuf>,
}

impl World {
    /// Adds a source under the folder of the path that its name makes it lie in.
    fn add(&mut self, name: &str, path: &Path) -> Option<usize> {
        let mut folder = path.parent()?;
        let mut parts: Vec<&str> = name.split('.').collect();
        let stem = path.file_stem()?;
        if stem == "__init__" && parts.last() != Some(&"__init__") {
            // The package's own folder carries the last part.
        } else if OsStr::new(parts.pop()?) != stem {
            return None;
        }
        for part in parts.iter().rev() {
            if folder.file_name()? != OsStr::new(part) {
                return None;
            }
            folder = folder.parent()?;
        }
        let root = self.roots.iter().position(|(root, _)| root == folder).unwrap_or_else(|| {
            self.roots.push((folder.to_owned(), BTreeMap::new()));
            self.roots.len() - 1
        });
        self.put(root, path)?;
        Some(root)
    }

    fn put(&mut self, root: usize, path: &Path) -> Option<()> {
        let (folder, entries) = self.roots.get_mut(root)?;
        let (key, entry) = entry(path, folder)?;
        entries.insert(key, entry);
        self.seen.insert(path.to_owned());
        Some(())
    }

    fn add_cache(&mut self, root: usize, source: &Path, circumstances: &Circumstances<'_>) {
        let tag = &circumstances.interpreter.toolchain.cache_tag;
        let stem = source.file_stem().unwrap_or_default();
        let name = cache_file_name(stem.as_bytes(), tag, circumstances.level);
        let Some(folder) = source.parent() else { return };
        let name = OsStr::from_bytes(&name);
        match circumstances.prefix {
            Some(prefix) => {
                let below = folder.strip_prefix("/").unwrap_or(folder);
                if let Some((key, entry)) = entry(&prefix.join(below).join(name), prefix) {
                    self.prefix.insert(key, entry);
                }
            }
            // What is not there is no cache.
            None => {
                self.put(root, &folder.join("__pycache__").join(name));
            }
        }
    }

    fn finish(self, prefix: Option<&Path>) -> (Tree, Files) {
        let root = |folder: &Path, entries: BTreeMap<RepoPath, Entry>| Root {
            container: Container::Directory,
            location: folder.as_os_str().as_bytes().to_vec(),
            entries: entries.into_values().collect(),
        };
        let mut folders: Vec<PathBuf> =
            self.roots.iter().map(|(folder, _)| folder.clone()).collect();
        let roots = self.roots.into_iter().map(|(folder, entries)| root(&folder, entries));
        let roots: Vec<Root> = roots.collect();
        let pycache_prefix = prefix.map(|prefix| root(prefix, self.prefix));
        folders.extend(prefix.map(Path::to_owned));
        let all = roots.iter().chain(&pycache_prefix);
        let paths = all.zip(&folders).map(|(root, folder)| {
            let path = |entry: &Entry| folder.join(OsStr::from_bytes(entry.path.as_bytes()));
            root.entries.iter().map(path).collect()
        });
        let contents = Files { paths: paths.collect() };
        (Tree { roots, pycache_prefix }, contents)
    }
}

fn entry(path: &Path, folder: &Path) -> Option<(RepoPath, Entry)> {
    let below = RepoPath::new(path.strip_prefix(folder).ok()?.as_os_str().as_bytes())?;
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let entry = Entry {
        path: below.clone(),
        kind: Kind::File,
        size: metadata.len(),
        modified: Stamp::Seconds(metadata.mtime()),
    };
    Some((below, entry))
}

/// By root and entry.
struct Files {
    paths: Vec<Vec<PathBuf>>,
}

impl Contents for Files {
    fn read(&self, file: FileId) -> Result<Vec<u8>, String> {
        let path = self.paths.get(file.root).and_then(|root| root.get(file.entry));
        let path = path.ok_or("it is nowhere")?;
        std::fs::read(path).map_err(|error| format!("`{}`: {error}", path.display()))
    }

    fn local_seconds(&self, _date: u16, _time: u16) -> Option<i64> {
        None
    }
}
