//! Which file each importable name is found in, over all entries of `sys.path`: `FileFinder`,
//! `zipimporter.find_spec` and `PathFinder`, in their orders. Knows nothing of what the files hold.

use std::collections::BTreeSet;

use bytekiln_python::is_module_name;

use crate::index::{FolderId, Index};
use crate::{
    Container, Earlier, Effect, Exception, FileId, Launch, ModuleReport, Reason, Shadow,
    ShadowKind, Tree,
};

pub(crate) const CACHE_FOLDER: &[u8] = b"__pycache__";

/// The release from which `zipimport` knows folders that no entry of the zip names.
const IMPLICIT_FOLDERS: u8 = 14;
/// The release from which `zipimport` reads the format that zips with more entries than
/// [`ENTRIES_OF_OLD_ZIPS`] have.
const LARGE_ZIPS: u8 = 13;
const ENTRIES_OF_OLD_ZIPS: usize = 65_535;

/// A module, and where it is found.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    pub(crate) name: Vec<u8>,
    pub(crate) root: usize,
    pub(crate) found: Found,
}

/// How it is loaded. Numbers are indices into the root's entries.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// `SourceFileLoader`: a `.py`, and the folder that it is in.
    Source { folder: FolderId, entry: usize },
    /// `SourcelessFileLoader`.
    Sourceless { entry: usize },
    /// `ExtensionFileLoader`.
    Extension { entry: usize },
    /// `zipimporter`: what there is of `m/__init__.pyc`, `m/__init__.py`, `m.pyc`, `m.py`.
    Zip { folder: FolderId, files: [Option<usize>; 4] },
}

impl Found {
    fn entry(&self) -> usize {
        match self {
            Found::Source { entry, .. }
            | Found::Sourceless { entry }
            | Found::Extension { entry } => *entry,
            Found::Zip { files, .. } => files.iter().flatten().next().copied().unwrap_or_default(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Location {
    root: usize,
    folder: FolderId,
}

/// What one entry of a search path has under a name.
enum Answer {
    Module { found: Found, package: Option<FolderId> },
    Portion(FolderId),
    Nothing,
}

pub(crate) struct Finder<'t> {
    tree: &'t Tree,
    launch: &'t Launch,
    pub(crate) indexes: Vec<Index<'t>>,
    pub(crate) modules: Vec<Module>,
    /// Of files that no import reaches.
    pub(crate) unused: Vec<ModuleReport>,
}

impl<'t> Finder<'t> {
    pub(crate) fn new(tree: &'t Tree, launch: &'t Launch) -> Finder<'t> {
        let indexes = tree.roots.iter().chain(&tree.pycache_prefix).map(Index::new).collect();
        Finder { tree, launch, indexes, modules: Vec::new(), unused: Vec::new() }
    }

    /// Finds everything that can be imported.
    pub(crate) fn walk(&mut self) {
        let (readable, unreadable): (Vec<usize>, Vec<usize>) =
            (0..self.tree.roots.len()).partition(|root| self.is_readable(*root));
        for root in unreadable {
            let mut files = Vec::new();
            self.sources_below(root, 0, &mut files);
            for file in files {
                let effect = Effect::Fails(Exception::ModuleNotFoundError);
                self.unused(file, effect, Reason::ZipTooLarge);
            }
        }
        let top = readable.into_iter().map(|root| Location { root, folder: 0 }).collect();
        let mut packages: Vec<(Vec<u8>, Vec<Location>)> = vec![(Vec::new(), top)];
        while let Some((package, locations)) = packages.pop() {
            for name in self.names(&package, &locations) {
                let mut dotted = package.clone();
                if !package.is_empty() {
                    dotted.push(b'.');
                }
                dotted.extend_from_slice(name);
                if let Some(path) = self.resolve(&dotted, name, &locations) {
                    packages.push((dotted, path));
                }
            }
        }
    }

    fn is_readable(&self, root: usize) -> bool {
        self.container(root) == Container::Directory
            || self.launch.release.minor() >= LARGE_ZIPS
            || self.tree.root(root).is_none_or(|root| root.entries.len() <= ENTRIES_OF_OLD_ZIPS)
    }

    /// Every name that something in these folders could be imported by. What has no such name is
    /// put with the unused.
    fn names(&mut self, package: &[u8], locations: &[Location]) -> BTreeSet<&'t [u8]> {
        let mut names = BTreeSet::new();
        let mut scripts = Vec::new();
        let mut strange = Vec::new();
        for location in locations {
            let Some(index) = self.indexes.get(location.root) else { continue };
            let folder = index.folder(location.folder);
            for (name, child) in &folder.folders {
                if *name == CACHE_FOLDER {
                    continue;
                }
                let is_init = !package.is_empty() && *name == b"__init__";
                if is_module_name(name) && !is_init {
                    names.insert(*name);
                } else {
                    strange.push((location.root, *child));
                }
            }
            for (name, entry) in &folder.files {
                let mut any = false;
                for suffix in self.suffixes() {
                    if let Some(stem) = name.strip_suffix(suffix)
                        && is_module_name(stem)
                    {
                        any = true;
                        // `package.__init__` can be imported, but it is the package once more.
                        if package.is_empty() || stem != b"__init__" {
                            names.insert(stem);
                        }
                    }
                }
                if !any && name.ends_with(b".py") {
                    scripts.push(FileId { root: location.root, entry: *entry });
                }
            }
        }
        for (root, folder) in strange {
            self.sources_below(root, folder, &mut scripts);
        }
        for file in scripts {
            self.unused(file, Effect::NotUsed, Reason::NoModuleName);
        }
        names
    }

    /// Suffixes in the order of `FileFinder`.
    fn suffixes(&self) -> impl Iterator<Item = &'t [u8]> + use<'t> {
        let extensions = self.launch.extension_suffixes.iter().map(String::as_bytes);
        extensions.chain([&b".py"[..], b".pyc"])
    }

    /// Finds a name; gives the search path of what lies below it, if it is a package.
    fn resolve(
        &mut self,
        dotted: &[u8],
        name: &'t [u8],
        locations: &[Location],
    ) -> Option<Vec<Location>> {
        if dotted == name
            && let Some(earlier) =
                std::str::from_utf8(name).ok().and_then(|name| self.launch.earlier.get(name))
        {
            let shadow = Shadow { kind: ShadowKind::Interpreter(*earlier), by: None };
            // A source that is built in or frozen may be there for reading only.
            for location in locations {
                self.shadow_all(*location, name, shadow, None);
            }
            return None;
        }
        let answers: Vec<Answer> =
            locations.iter().map(|location| self.answer(*location, name)).collect();
        let winner = answers.iter().position(|answer| matches!(answer, Answer::Module { .. }));
        let Some((number, Answer::Module { found, package })) =
            winner.and_then(|number| Some((number, answers.get(number)?)))
        else {
            return self.portions(dotted, name, locations, &answers);
        };
        let place = *locations.get(number)?;
        let by = FileId { root: place.root, entry: found.entry() };
        self.competitors(place, name, found, *package);
        for (other, location) in locations.iter().enumerate() {
            let kind = match (other.cmp(&number), package) {
                (std::cmp::Ordering::Equal, _) => continue,
                (std::cmp::Ordering::Greater, _) => ShadowKind::EarlierPath,
                (std::cmp::Ordering::Less, Some(_)) => ShadowKind::Package,
                (std::cmp::Ordering::Less, None) => ShadowKind::Module,
            };
            self.shadow_all(*location, name, Shadow { kind, by: Some(by) }, None);
        }
        self.modules.push(Module { name: dotted.to_vec(), root: place.root, found: found.clone() });
        package.map(|folder| vec![Location { root: place.root, folder }])
    }

    /// A namespace package, if any portion is one.
    fn portions(
        &mut self,
        dotted: &[u8],
        name: &'t [u8],
        locations: &[Location],
        answers: &[Answer],
    ) -> Option<Vec<Location>> {
        let mut path = Vec::new();
        let mut lost = Vec::new();
        for (location, answer) in locations.iter().zip(answers) {
            let Some(index) = self.indexes.get(location.root) else { continue };
            for suffix in self.suffixes() {
                if self.container(location.root) == Container::Zip
                    && let Some(entry) = index.file(location.folder, &[name, suffix].concat())
                {
                    let file = FileId { root: location.root, entry };
                    lost.push((dotted.to_vec(), file, Reason::ExtensionInZip));
                }
            }
            match answer {
                Answer::Portion(folder) => {
                    path.push(Location { root: location.root, folder: *folder })
                }
                Answer::Module { .. } => {}
                Answer::Nothing => {
                    let Some(folder) = index.subfolder(location.folder, name) else { continue };
                    let mut files = Vec::new();
                    self.sources_below(location.root, folder, &mut files);
                    for file in files {
                        let name = self.path_of(file);
                        lost.push((name, file, Reason::NoFolderEntry));
                    }
                }
            }
        }
        for (name, file, reason) in lost {
            let effect = Effect::Fails(Exception::ModuleNotFoundError);
            self.report(name, file, effect, reason);
        }
        (!path.is_empty()).then_some(path)
    }

    fn answer(&self, location: Location, name: &[u8]) -> Answer {
        let Some(index) = self.indexes.get(location.root) else { return Answer::Nothing };
        let package = index.subfolder(location.folder, name);
        match self.container(location.root) {
            Container::Directory => {
                if let Some(folder) = package
                    && let Some(found) = self.first(index, folder, b"__init__")
                {
                    return Answer::Module { found, package };
                }
                match (self.first(index, location.folder, name), package) {
                    (Some(found), _) => Answer::Module { found, package: None },
                    (None, Some(folder)) => Answer::Portion(folder),
                    (None, None) => Answer::Nothing,
                }
            }
            Container::Zip => {
                let inside = |suffix: &[u8]| index.file(package?, &[b"__init__", suffix].concat());
                let beside = |suffix: &[u8]| index.file(location.folder, &[name, suffix].concat());
                let files = [inside(b".pyc"), inside(b".py"), beside(b".pyc"), beside(b".py")];
                if files.iter().any(Option::is_some) {
                    let is_package = files.iter().take(2).any(Option::is_some);
                    let found = Found::Zip { folder: location.folder, files };
                    return Answer::Module { found, package: package.filter(|_| is_package) };
                }
                let knows_implicit = self.launch.release.minor() >= IMPLICIT_FOLDERS;
                match package {
                    Some(folder) if knows_implicit || index.folder(folder).explicit => {
                        Answer::Portion(folder)
                    }
                    _ => Answer::Nothing,
                }
            }
        }
    }

    /// The first file of this stem, by the order of suffixes.
    fn first(&self, index: &Index<'_>, folder: FolderId, stem: &[u8]) -> Option<Found> {
        self.suffixes().find_map(|suffix| {
            let entry = index.file(folder, &[stem, suffix].concat())?;
            Some(match suffix {
                b".py" => Found::Source { folder, entry },
                b".pyc" => Found::Sourceless { entry },
                _ => Found::Extension { entry },
            })
        })
    }

    /// Reports what has the same name in the same place as what was found.
    fn competitors(
        &mut self,
        place: Location,
        name: &[u8],
        found: &Found,
        package: Option<FolderId>,
    ) {
        let by = FileId { root: place.root, entry: found.entry() };
        if let Found::Zip { .. } = found {
            // The loader of zips says itself which of its four files it never reaches.
            if package.is_none() {
                let shadow = Shadow { kind: ShadowKind::Module, by: Some(by) };
                self.shadow_folder(place, name, shadow);
            }
            let Some(index) = self.indexes.get(place.root) else { return };
            let extensions: Vec<usize> = self
                .suffixes()
                .filter(|suffix| !matches!(*suffix, b".py" | b".pyc"))
                .filter_map(|suffix| index.file(place.folder, &[name, suffix].concat()))
                .collect();
            for entry in extensions {
                let file = FileId { root: place.root, entry };
                self.unused(file, Effect::NotUsed, Reason::ExtensionInZip);
            }
            return;
        }
        let kind = match (found, package) {
            (Found::Extension { .. }, None) => ShadowKind::Extension,
            (_, None) => ShadowKind::Module,
            (_, Some(_)) => ShadowKind::Package,
        };
        if let Some(folder) = package {
            let kind = match found {
                Found::Extension { .. } => ShadowKind::Extension,
                _ => ShadowKind::Module,
            };
            let inside = Location { root: place.root, folder };
            self.shadow_files(inside, b"__init__", Shadow { kind, by: Some(by) }, Some(found));
            let shadow = Shadow { kind: ShadowKind::Package, by: Some(by) };
            self.shadow_files(place, name, shadow, None);
        } else {
            let shadow = Shadow { kind, by: Some(by) };
            self.shadow_files(place, name, shadow, Some(found));
            self.shadow_folder(place, name, shadow);
        }
    }

    /// Everything of this name in a place.
    fn shadow_all(&mut self, place: Location, name: &[u8], shadow: Shadow, except: Option<&Found>) {
        self.shadow_files(place, name, shadow, except);
        self.shadow_folder(place, name, shadow);
    }

    fn shadow_files(
        &mut self,
        place: Location,
        stem: &[u8],
        shadow: Shadow,
        except: Option<&Found>,
    ) {
        let Some(index) = self.indexes.get(place.root) else { return };
        let mut files = Vec::new();
        for suffix in self.suffixes() {
            if let Some(entry) = index.file(place.folder, &[stem, suffix].concat())
                && except.is_none_or(|found| found.entry() != entry)
            {
                let beside_source = matches!(except, Some(Found::Source { .. }));
                let reason = match suffix {
                    b".pyc" if beside_source => Reason::LegacyBesideSource,
                    _ => Reason::ShadowedBy(shadow),
                };
                files.push((FileId { root: place.root, entry }, reason));
            }
        }
        for (file, reason) in files {
            self.unused(file, Effect::NotUsed, reason);
        }
    }

    fn shadow_folder(&mut self, place: Location, name: &[u8], shadow: Shadow) {
        let Some(index) = self.indexes.get(place.root) else { return };
        let Some(folder) = index.subfolder(place.folder, name) else { return };
        let mut files = Vec::new();
        self.sources_below(place.root, folder, &mut files);
        for file in files {
            self.unused(file, Effect::NotUsed, Reason::ShadowedBy(shadow));
        }
    }

    /// Sources, and caches that stand for one, in a folder and below.
    fn sources_below(&self, root: usize, folder: FolderId, out: &mut Vec<FileId>) {
        let Some(index) = self.indexes.get(root) else { return };
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            let folder = index.folder(folder);
            for (name, entry) in &folder.files {
                let stem = name.strip_suffix(b".pyc");
                let lone = |stem: &[u8]| !folder.files.contains_key(&[stem, b".py"].concat()[..]);
                if name.ends_with(b".py") || stem.is_some_and(lone) {
                    out.push(FileId { root, entry: *entry });
                }
            }
            let below = folder.folders.iter().filter(|(name, _)| **name != CACHE_FOLDER);
            folders.extend(below.map(|(_, child)| *child));
        }
    }

    fn unused(&mut self, file: FileId, effect: Effect, reason: Reason) {
        let name = self.path_of(file);
        self.report(name, file, effect, reason);
    }

    fn report(&mut self, name: Vec<u8>, file: FileId, effect: Effect, reason: Reason) {
        let report = ModuleReport { name, file, cache: None, effect, reason, compiled_bytes: 0 };
        self.unused.push(report);
    }

    fn path_of(&self, file: FileId) -> Vec<u8> {
        self.tree.entry(file).map(|entry| entry.path.as_bytes().to_vec()).unwrap_or_default()
    }

    fn container(&self, root: usize) -> Container {
        self.tree.root(root).map_or(Container::Directory, |root| root.container)
    }
}

/// For messages: how such a module came to be before `sys.path`.
impl Earlier {
    /// As people say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Earlier::BuiltIn => "built in",
            Earlier::Frozen => "frozen",
            Earlier::StandardLibrary => "in the standard library",
        }
    }
}
