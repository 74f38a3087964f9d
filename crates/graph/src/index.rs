//! Which module names the files of each root have: a tree of names a root, and the `sys.path` of each
//! file. Immutable once built, so that files can be resolved on many threads. Knows nothing of imports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;

use crate::naming::{component, place};
use crate::record::{ModuleImports, NONE};
use crate::sources::{FileKind, PathEntry, SourceFile, Sources};
use crate::standard::Standard;

/// All names, ready to be looked up.
#[derive(Debug)]
pub struct Index<'a> {
    pub(crate) sources: &'a Sources<'a>,
    /// Of [`Sources::files`], in the order of tree and path: a file's number is its place here.
    pub(crate) files: Vec<IndexedFile<'a>>,
    pub(crate) entries: Vec<Entry<'a>>,
    children: HashMap<(u32, &'a str), u32, RandomState>,
    /// Entries directly below roots, by name.
    tops: HashMap<&'a str, Vec<u32>, RandomState>,
    pub(crate) views: Vec<View>,
    pub(crate) standard: Standard,
    pub(crate) generated: Generated<'a>,
    pub(crate) externals: BTreeMap<&'a str, u32>,
    /// Some package extends its path: most workspaces are spared all that this asks for.
    pub(crate) has_extending: bool,
}

#[derive(Debug)]
pub(crate) struct IndexedFile<'a> {
    pub(crate) source: &'a SourceFile<'a>,
    /// Its name below the nearest root; [`NONE`] if no import can find it.
    pub(crate) entry: u32,
    pub(crate) view: u32,
}

/// A name below a root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    /// [`NONE`] for a root.
    pub(crate) parent: u32,
    pub(crate) root: u32,
    /// `name/__init__.py`, or its extension module.
    pub(crate) package: u32,
    pub(crate) extension: u32,
    pub(crate) module: u32,
    pub(crate) stub: u32,
    /// The stub is `name/__init__.pyi`.
    pub(crate) stub_package: bool,
    /// There is a folder of this name.
    pub(crate) folder: bool,
    /// The [`sign`] of each entry below it. Most names that are imported from a package are none of a module,
    /// and differ from all of its modules in that: they need not be looked up.
    below: u64,
}

/// One of 64 bits, by the first letter and the length.
fn sign(name: &str) -> u64 {
    let first = name.as_bytes().first().copied().map_or(0, u64::from);
    1 << ((first.wrapping_mul(11) ^ name.len() as u64) & 63)
}

/// A `sys.path`.
#[derive(Debug)]
pub(crate) struct View {
    /// Position of each root, or [`NONE`].
    ranks: Vec<u32>,
    /// Position of the table of the standard library, or [`NONE`].
    pub(crate) standard: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Generated<'a> {
    exact: BTreeSet<&'a str>,
    below: BTreeSet<&'a str>,
    above: BTreeSet<&'a str>,
}

impl<'a> Generated<'a> {
    fn new(names: &'a [String]) -> Self {
        let mut generated = Generated::default();
        for name in names {
            let exact = name.strip_suffix(".*").unwrap_or(name);
            generated.exact.insert(exact);
            if exact.len() < name.len() {
                generated.below.insert(exact);
            }
            for (dot, _) in exact.match_indices('.') {
                generated.above.insert(exact.get(..dot).unwrap_or_default());
            }
        }
        generated
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }

    /// Whether a name, found nowhere else, is declared; the packages that it is in are as well.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.exact.contains(name)
            || self.above.contains(name)
            || (!self.below.is_empty()
                && name
                    .match_indices('.')
                    .any(|(dot, _)| self.below.contains(name.get(..dot).unwrap_or_default())))
    }
}

impl<'a> Index<'a> {
    /// Names all files. Files beyond the four thousand millionth, and those whose owner is no index
    /// into [`Sources::owners`], have no `sys.path`.
    #[must_use]
    pub fn new(sources: &'a Sources<'a>) -> Index<'a> {
        let mut files: Vec<&'a SourceFile<'a>> = sources.files.iter().collect();
        // Mostly they come in order.
        if !files.is_sorted_by(|a, b| (a.tree, &a.path) < (b.tree, &b.path)) {
            files.sort_by(|a, b| {
                (a.tree, &a.path, a.kind, a.owner).cmp(&(b.tree, &b.path, b.kind, b.owner))
            });
            files.dedup_by(|b, a| (a.tree, &a.path) == (b.tree, &b.path));
        }
        let mut builder = Builder::new(sources, &files);
        for (number, file) in files.iter().enumerate() {
            builder.add(u32::try_from(number).unwrap_or(NONE), file);
        }
        builder.finish(sources)
    }

    /// How many files there are; [`Index::resolve`] takes ranges of their numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(crate) fn entry(&self, id: u32) -> Option<&Entry<'a>> {
        self.entries.get(id as usize)
    }

    /// Whether a package looks for more of its folders on `sys.path`.
    pub(crate) fn extends_path(&self, package: u32) -> bool {
        let file = self.files.get(package as usize).filter(|_| self.has_extending);
        file.and_then(|file| file.source.imports).is_some_and(ModuleImports::extends_path)
    }

    pub(crate) fn child(&self, parent: u32, name: &str) -> Option<u32> {
        self.entry(parent).filter(|entry| entry.below & sign(name) != 0)?;
        self.children.get(&(parent, name)).copied()
    }

    /// Entries of this name below the roots that a view has, in its order, with their ranks.
    pub(crate) fn top(&self, view: u32, name: &str) -> Vec<(u32, u32)> {
        let (Some(view), Some(ids)) = (self.views.get(view as usize), self.tops.get(name)) else {
            return Vec::new();
        };
        let rank = |id: u32| view.rank(self.entry(id)?.root).map(|rank| (rank, id));
        let mut found: Vec<_> = ids.iter().filter_map(|id| rank(*id)).collect();
        found.sort_unstable();
        found
    }

    /// The dotted name of an entry.
    pub(crate) fn dotted(&self, id: u32) -> String {
        let mut names = Vec::with_capacity(8);
        let mut entry = self.entry(id);
        while let Some(Entry { name, parent, .. }) = entry {
            if *parent == NONE {
                break;
            }
            names.push(*name);
            entry = self.entry(*parent);
        }
        names.reverse();
        names.join(".")
    }
}

impl View {
    fn rank(&self, root: u32) -> Option<u32> {
        self.ranks.get(root as usize).copied().filter(|rank| *rank != NONE)
    }
}

struct Builder<'a> {
    /// Numbers of declared roots, then of folders of scripts.
    roots: HashMap<(u32, &'a [u8]), u32, RandomState>,
    declared: u32,
    /// Declared roots that are equal to an earlier one, as that.
    same: Vec<u32>,
    root_entries: Vec<u32>,
    entries: Vec<Entry<'a>>,
    children: HashMap<(u32, &'a str), u32, RandomState>,
    tops: HashMap<&'a str, Vec<u32>, RandomState>,
    /// The last folder seen, and the entry of that folder below each root around it, nearest first.
    last: Option<(u32, &'a [u8])>,
    around: Vec<u32>,
    paths: BTreeMap<Vec<PathEntry>, u32>,
    views_of: HashMap<(u32, u32), u32, RandomState>,
    files: Vec<IndexedFile<'a>>,
}

impl<'a> Builder<'a> {
    fn new(sources: &'a Sources<'a>, files: &[&'a SourceFile<'a>]) -> Self {
        let mut builder = Builder {
            roots: HashMap::default(),
            declared: 0,
            same: Vec::new(),
            root_entries: Vec::new(),
            entries: Vec::new(),
            children: HashMap::with_capacity_and_hasher(files.len(), RandomState::default()),
            tops: HashMap::default(),
            last: None,
            around: Vec::new(),
            paths: BTreeMap::new(),
            views_of: HashMap::default(),
            files: Vec::with_capacity(files.len()),
        };
        for root in &sources.roots {
            let id = builder.root(root.tree, root.folder.as_bytes());
            builder.same.push(id);
        }
        builder.declared = builder.next_root();
        for file in files.iter().filter(|file| file.script) {
            builder.root(file.tree, folder_of(file.path.as_bytes()));
        }
        builder
    }

    fn next_root(&self) -> u32 {
        u32::try_from(self.root_entries.len()).unwrap_or(NONE)
    }

    fn root(&mut self, tree: u32, folder: &'a [u8]) -> u32 {
        if let Some(id) = self.roots.get(&(tree, folder)) {
            return *id;
        }
        let id = self.next_root();
        self.roots.insert((tree, folder), id);
        let entry = self.push("", NONE, id);
        self.root_entries.push(entry);
        id
    }

    fn push(&mut self, name: &'a str, parent: u32, root: u32) -> u32 {
        let id = u32::try_from(self.entries.len()).unwrap_or(NONE);
        self.entries.push(Entry {
            name,
            parent,
            root,
            package: NONE,
            extension: NONE,
            module: NONE,
            stub: NONE,
            stub_package: false,
            folder: false,
            below: 0,
        });
        id
    }

    fn enter(&mut self, parent: u32, name: &'a str) -> u32 {
        if let Some(id) = self.children.get(&(parent, name)) {
            return *id;
        }
        let root = self.entries.get(parent as usize).map_or(NONE, |entry| entry.root);
        let id = self.push(name, parent, root);
        self.children.insert((parent, name), id);
        if let Some(entry) = self.entries.get_mut(parent as usize) {
            entry.below |= sign(name);
            if entry.parent == NONE {
                self.tops.entry(name).or_default().push(id);
            }
        }
        id
    }

    /// Entries of a folder below all roots around it, nearest root first.
    fn folder(&mut self, tree: u32, folder: &'a [u8]) {
        if self.last == Some((tree, folder)) {
            return;
        }
        self.last = Some((tree, folder));
        self.around.clear();
        let mut ends: Vec<usize> = vec![folder.len()];
        ends.extend((0..folder.len()).rev().filter(|at| folder.get(*at) == Some(&b'/')));
        if !folder.is_empty() {
            ends.push(0);
        }
        for end in ends {
            let head = folder.get(..end).unwrap_or_default();
            let Some(root) = self.roots.get(&(tree, head)).copied() else { continue };
            let Some(mut entry) = self.root_entries.get(root as usize).copied() else { continue };
            let rest = folder.get(end..).unwrap_or_default();
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            let mut components = rest.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
            let reached = components.try_for_each(|part| {
                entry = self.enter(entry, component(part)?);
                if let Some(entry) = self.entries.get_mut(entry as usize) {
                    entry.folder = true;
                }
                Some(())
            });
            if reached.is_some() {
                self.around.push(entry);
            }
        }
    }

    fn add(&mut self, number: u32, file: &'a SourceFile<'a>) {
        let mut nearest = NONE;
        if let Some(place) = place(file.path.as_bytes(), file.kind) {
            self.folder(file.tree, place.folder);
            let around = std::mem::take(&mut self.around);
            for folder in &around {
                let is_root =
                    self.entries.get(*folder as usize).is_none_or(|entry| entry.parent == NONE);
                let own = place.is_init && !is_root;
                let id = if own { *folder } else { self.enter(*folder, place.stem) };
                let Some(entry) = self.entries.get_mut(id as usize) else { continue };
                match file.kind {
                    FileKind::Folder => entry.folder = true,
                    FileKind::Stub => {
                        if own || entry.stub == NONE {
                            entry.stub = number;
                            entry.stub_package = own;
                        }
                    }
                    // Extension modules come first in `FileFinder`; the first by name is as good
                    // as another, they differ in their tags.
                    FileKind::Extension if own => entry.package = number,
                    FileKind::Extension if entry.extension == NONE => entry.extension = number,
                    FileKind::Extension => {}
                    FileKind::Source | FileKind::Deleted if own => {
                        if entry.package == NONE {
                            entry.package = number;
                        }
                    }
                    FileKind::Source | FileKind::Deleted => entry.module = number,
                }
                let declared = entry.root < self.declared;
                if nearest == NONE || (declared && !self.is_declared(nearest)) {
                    nearest = id;
                }
            }
            self.around = around;
        }
        self.files.push(IndexedFile { source: file, entry: nearest, view: NONE });
    }

    fn is_declared(&self, entry: u32) -> bool {
        self.entries.get(entry as usize).is_some_and(|entry| entry.root < self.declared)
    }

    /// The `sys.path` of a file: its owner's, after the folder of a script.
    fn view(&mut self, sources: &Sources<'_>, file: &IndexedFile<'_>) -> u32 {
        let own = if file.source.script {
            self.roots
                .get(&(file.source.tree, folder_of(file.source.path.as_bytes())))
                .copied()
                .unwrap_or(NONE)
        } else {
            let root = self.entries.get(file.entry as usize).map_or(NONE, |entry| entry.root);
            if root < self.declared { NONE } else { root }
        };
        if let Some(view) = self.views_of.get(&(file.source.owner, own)) {
            return *view;
        }
        let owner = sources.owners.get(file.source.owner as usize);
        let mut path: Vec<PathEntry> = Vec::new();
        if own != NONE {
            path.push(PathEntry::Root(own));
        }
        path.extend(owner.iter().flat_map(|owner| &owner.path).filter_map(|entry| match entry {
            PathEntry::Root(root) => self.same.get(*root as usize).copied().map(PathEntry::Root),
            PathEntry::StandardLibrary => Some(PathEntry::StandardLibrary),
        }));
        let next = u32::try_from(self.paths.len()).unwrap_or(NONE);
        let view = *self.paths.entry(path).or_insert(next);
        self.views_of.insert((file.source.owner, own), view);
        view
    }

    fn finish(mut self, sources: &'a Sources<'a>) -> Index<'a> {
        let mut files = std::mem::take(&mut self.files);
        for file in &mut files {
            file.view = self.view(sources, file);
        }
        let mut views: Vec<(u32, View)> =
            self.paths.iter().map(|(path, id)| (*id, self.ranks(path))).collect();
        views.sort_by_key(|(id, _)| *id);
        let mut externals = BTreeMap::new();
        for external in &sources.externals {
            let owner = externals.entry(external.module.as_str()).or_insert(external.owner);
            let name = |id: u32| sources.owners.get(id as usize).map(|owner| &owner.name);
            if name(external.owner) < name(*owner) {
                *owner = external.owner;
            }
        }
        let extends =
            |file: &IndexedFile<'_>| file.source.imports.is_some_and(ModuleImports::extends_path);
        Index {
            sources,
            has_extending: files.iter().any(extends),
            files,
            entries: self.entries,
            children: self.children,
            tops: self.tops,
            views: views.into_iter().map(|(_, view)| view).collect(),
            standard: Standard::new(sources.target.release),
            generated: Generated::new(&sources.generated),
            externals,
        }
    }

    fn ranks(&self, path: &[PathEntry]) -> View {
        let mut view = View { ranks: vec![NONE; self.root_entries.len()], standard: NONE };
        for (rank, entry) in path.iter().enumerate() {
            let place = match entry {
                PathEntry::Root(root) => view.ranks.get_mut(*root as usize),
                PathEntry::StandardLibrary => Some(&mut view.standard),
            };
            if let Some(place) = place.filter(|place| **place == NONE) {
                *place = u32::try_from(rank).unwrap_or(NONE);
            }
        }
        view
    }
}

fn folder_of(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|byte| *byte == b'/');
    slash.and_then(|slash| path.get(..slash)).unwrap_or_default()
}
