//! Trees and zips of a program, made to be started from: what was gathered, and the caches that lie in the
//! tree of a prefix, put where each of them is looked for. Knows nothing of how it is started.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_artifact::{
    Content, DeflateLevel, Item, ItemKind, Links, PendingFile, ZipCompression, ZipFolders,
    ZipOptions, lay_out, write_zip,
};
use bytekiln_project::Interpreter;
use bytekiln_python::{OptimizationLevel, cache_file_name};
use bytekiln_startup::Verbose;

use super::gather::Gathered;
use super::variant::Place;
use crate::commands::pack::DEFAULT_TIME;

/// Where a program is started from.
pub(super) struct Home {
    /// A folder or a zip.
    pub(super) path: PathBuf,
    /// Where what is in it came from, by the place in it.
    originals: BTreeMap<PathBuf, PathBuf>,
    /// Modules that should come from it.
    modules: Vec<String>,
}

/// How one is made.
pub(super) struct Building<'a> {
    pub(super) gathered: &'a Gathered,
    pub(super) place: Place,
    /// What it will be.
    pub(super) path: PathBuf,
    /// The tree of a prefix that has its caches, if it is to have any.
    pub(super) caches: Option<&'a Path>,
    pub(super) interpreter: &'a Interpreter,
    pub(super) level: OptimizationLevel,
    pub(super) jobs: NonZeroUsize,
    /// Folders that zips were unpacked to, by zip.
    pub(super) unpacked: &'a BTreeMap<PathBuf, PathBuf>,
}

impl Building<'_> {
    /// Makes it.
    pub(super) fn build(self) -> io::Result<Home> {
        match self.place {
            Place::Own => {}
            Place::Tree => self.tree()?,
            Place::Zip => self.zip()?,
        }
        let files = self.gathered.files.iter();
        let originals = files.map(|(below, path)| (native(below), self.original(path))).collect();
        let modules = self.gathered.modules.iter().cloned().collect();
        Ok(Home { path: self.path, originals, modules })
    }

    /// In the zip that it was unpacked from.
    fn original(&self, path: &Path) -> PathBuf {
        let unpacked = self.unpacked.iter();
        let mut zipped =
            unpacked.filter_map(|(zip, folder)| Some(zip.join(path.strip_prefix(folder).ok()?)));
        zipped.next().unwrap_or_else(|| path.to_owned())
    }

    /// The cache of a source, if it has one: one that does not compile has none.
    fn cache(&self, source: &Path) -> Option<(Vec<u8>, PathBuf)> {
        let tag = &self.interpreter.toolchain.cache_tag;
        let name = cache_file_name(source.file_stem()?.as_bytes(), tag, self.level);
        let below = source.parent()?.strip_prefix("/").ok()?;
        let path = self.caches?.join(below).join(OsStr::from_bytes(&name));
        path.is_file().then_some((name, path))
    }

    /// Links lead to the files themselves, so that data are found beside their modules; only the caches
    /// are files of the tree.
    fn tree(&self) -> io::Result<()> {
        for (below, path) in &self.gathered.files {
            let place = self.path.join(native(below));
            std::fs::create_dir_all(place.parent().unwrap_or(&self.path))?;
            std::os::unix::fs::symlink(path, place)?;
        }
        for (below, path) in &self.gathered.sources {
            let Some((name, cache)) = self.cache(path) else { continue };
            let parent = below.parent().unwrap_or_default();
            let folder = self.path.join(native(&parent)).join("__pycache__");
            std::fs::create_dir_all(&folder)?;
            std::fs::hard_link(cache, folder.join(OsStr::from_bytes(&name)))?;
        }
        Ok(())
    }

    /// As `pack` makes them.
    fn zip(&self) -> io::Result<()> {
        let file = |path: RepoPath, from: &Path| Item {
            path,
            kind: ItemKind::File {
                content: Content::File { path: from.to_owned(), digest: None },
                executable: false,
            },
        };
        let files = self.gathered.files.iter();
        let mut items: Vec<Item> = files.map(|(below, path)| file(below.clone(), path)).collect();
        for (below, path) in &self.gathered.sources {
            let Some((_, cache)) = self.cache(path) else { continue };
            let name = [below.file_name(), b"c"].concat();
            items.push(file(below.parent().unwrap_or_default().join(&name), &cache));
        }
        let entries = lay_out(items, Links::Relative).map_err(io::Error::other)?;
        let pending = PendingFile::create(&self.path).map_err(io::Error::other)?;
        let options = ZipOptions {
            compression: ZipCompression::Deflated(DeflateLevel::DEFAULT),
            preamble: None,
            modified: DEFAULT_TIME,
            zip64: self.interpreter.toolchain.release.minor() >= 13,
            folders: ZipFolders::All,
            last: None,
            jobs: self.jobs,
        };
        write_zip(pending.output(), &entries, &options).map_err(io::Error::other)?;
        pending.publish().map_err(io::Error::other)
    }
}

fn native(path: &RepoPath) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path.as_bytes()))
}

impl Home {
    /// Modules that should have come from it and did not.
    pub(super) fn strangers(&self, verbose: &Verbose) -> Vec<&str> {
        let is_stranger = |name: &&String| {
            let file = verbose.modules.get(*name).and_then(|loaded| loaded.file.as_ref());
            file.is_some_and(|file| !Path::new(file).starts_with(&self.path))
        };
        self.modules.iter().filter(is_stranger).map(String::as_str).collect()
    }

    /// Names files by where they came from: this place is gone when somebody reads of it.
    pub(super) fn translate(&self, verbose: &mut Verbose) {
        let modules = verbose.modules.values_mut().chain(&mut verbose.others);
        for loaded in modules {
            let Some(file) = &loaded.file else { continue };
            let Ok(below) = Path::new(file).strip_prefix(&self.path) else { continue };
            if let Some(original) = self.originals.get(below) {
                loaded.file = Some(original.display().to_string());
            }
        }
    }
}
