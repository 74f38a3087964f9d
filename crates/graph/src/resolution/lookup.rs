//! Finds the module of a dotted name on a `sys.path`. Remembers every name it was asked for. Knows
//! nothing of statements.

mod extended;

use std::collections::HashMap;
use std::ops::Bound;

use foldhash::fast::RandomState;

use super::run_time::is_made;
use super::{AmbiguityKind, Named, NamedKind, RawAmbiguity, Reason, Target};
use crate::index::{Entry, Index};
use crate::record::NONE;
use crate::sources::OwnerKind;

/// Longer names cannot be modules: a path holds 4,096 bytes.
const COMPONENTS: usize = 2048;

/// Where a name was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// What runs.
    pub(crate) target: Target,
    /// What type checkers read instead.
    pub(crate) stub: Option<Target>,
    pub(crate) inside: Inside,
    /// The package that it was found in, if that may have another file than its own folder has
    /// (`pkgutil.extend_path`).
    pub(crate) package: Option<Target>,
}

/// What can be below a module.
#[derive(Debug, Clone)]
pub(crate) enum Inside {
    /// It is no package.
    Nothing,
    /// Entries of its `__path__`.
    Folders(Box<[u32]>),
    /// The table of the standard library knows.
    Standard,
    /// Nobody knows; whatever is named is there, and is the same.
    Anything,
    /// It was not found itself.
    Missing(Reason),
}

pub(crate) struct Lookup<'i, 'a> {
    pub(crate) index: &'i Index<'a>,
    found: Vec<Found>,
    /// One map a view: dotted name → place in `found`.
    known: Vec<HashMap<Box<str>, u32, RandomState>>,
    /// What `from package import name` found, by place of the package in `found`.
    below: HashMap<u32, HashMap<Box<str>, u32, RandomState>, RandomState>,
    pub(crate) names: Vec<Named>,
    named: HashMap<(Box<str>, u32, Option<Target>), u32, RandomState>,
    pub(crate) ambiguities: Vec<RawAmbiguity>,
}

impl<'i, 'a> Lookup<'i, 'a> {
    pub(crate) fn new(index: &'i Index<'a>) -> Self {
        Lookup {
            index,
            found: Vec::new(),
            known: index.views.iter().map(|_| HashMap::default()).collect(),
            below: HashMap::default(),
            names: Vec::new(),
            named: HashMap::default(),
            ambiguities: Vec::new(),
        }
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Found> {
        self.found.get(id as usize)
    }

    pub(crate) fn push(&mut self, found: Found) -> u32 {
        let id = u32::try_from(self.found.len()).unwrap_or(NONE);
        self.found.push(found);
        id
    }

    /// The module that `import NAME` finds.
    pub(crate) fn find(&mut self, view: u32, name: &str) -> u32 {
        if let Some(id) = self.known.get(view as usize).and_then(|known| known.get(name)) {
            return *id;
        }
        if name.split('.').count() > COMPONENTS || name.split('.').any(str::is_empty) {
            return self.missing(name, Reason::NotFound, None);
        }
        let mut id = NONE;
        let mut start = 0;
        let dots = name.match_indices('.').map(|(dot, _)| dot);
        for end in dots.chain([name.len()]) {
            let (Some(dotted), Some(part)) = (name.get(..end), name.get(start..end)) else { break };
            let known = self.known.get(view as usize).and_then(|known| known.get(dotted));
            id = match known {
                Some(id) => *id,
                None => {
                    let id = if start == 0 {
                        self.top(view, part)
                    } else {
                        self.child(id, part, dotted)
                    };
                    self.remember(view, dotted, id);
                    id
                }
            };
            start = end + 1;
            if start <= name.len() && self.is_missing(id) {
                // What is below is missing for the same reason. To go on step by step would take a
                // hostile name quadratic time.
                let part = name.get(start..).unwrap_or_default();
                id = self.child(id, part, name);
                self.remember(view, name, id);
                break;
            }
        }
        id
    }

    fn is_missing(&self, id: u32) -> bool {
        matches!(self.get(id).map(|found| &found.inside), Some(Inside::Missing(_)))
    }

    fn remember(&mut self, view: u32, name: &str, id: u32) {
        if let Some(known) = self.known.get_mut(view as usize) {
            known.insert(name.into(), id);
        }
    }

    fn top(&mut self, view: u32, name: &str) -> u32 {
        let index = self.index;
        let standard = index.standard.find(name);
        let standard_rank = index.views.get(view as usize).map_or(NONE, |view| view.standard);
        let mut candidates = index.top(view, name);
        if let Some(id) = standard {
            if index.standard.is_first(name) {
                // `BuiltinImporter` and `FrozenImporter` come before `sys.path`. If the library's
                // own files are given, what is seen there is the same module.
                let own = self.standard_file(&candidates);
                if let Some(own) = own {
                    return own;
                }
                if standard_rank != NONE {
                    return self.standard(id);
                }
            }
            if standard_rank != NONE {
                candidates.push((standard_rank, NONE));
                candidates.sort_unstable();
            }
        }
        let entries: Vec<u32> = candidates.iter().map(|(_, entry)| *entry).collect();
        if let Some(found) = self.pick(&entries, standard) {
            return found;
        }
        self.elsewhere(name, Reason::NotFound, None)
    }

    fn standard(&mut self, id: u32) -> u32 {
        let package = self.index.standard.get(id).is_some_and(|module| module.package);
        let inside = if package { Inside::Standard } else { Inside::Nothing };
        self.push(Found { target: Target::Standard(id), stub: None, inside, package: None })
    }

    /// The candidate that belongs to the files of the standard library.
    fn standard_file(&mut self, candidates: &[(u32, u32)]) -> Option<u32> {
        let own = candidates.iter().find_map(|(_, id)| {
            let file = runtime_file(self.index.entry(*id)?)?;
            self.is_standard_file(file).then_some(*id)
        })?;
        self.pick(&[own], None)
    }

    fn is_standard_file(&self, file: u32) -> bool {
        let file = self.index.files.get(file as usize);
        let owners = &self.index.sources.owners;
        file.and_then(|file| owners.get(file.source.owner as usize))
            .is_some_and(|owner| owner.kind == OwnerKind::StandardLibrary)
    }

    fn is_standard(&self, found: u32) -> bool {
        match self.get(found).map(|found| found.target) {
            Some(Target::File(file)) => self.is_standard_file(file),
            Some(Target::Standard(_)) => true,
            _ => false,
        }
    }

    /// What `FileFinder`s for these entries find, in their order; [`NONE`] stands for the table of the
    /// standard library.
    fn pick(&mut self, entries: &[u32], standard: Option<u32>) -> Option<u32> {
        let mut portions = Vec::new();
        let mut chosen: Option<u32> = None;
        let mut stub_only = None;
        let extends = self.extending_package(entries);
        for id in entries {
            let Some(entry) = self.index.entry(*id).copied() else {
                let Some(standard) = standard.filter(|_| *id == NONE) else { continue };
                match chosen {
                    None => chosen = Some(self.standard(standard)),
                    Some(chosen) if self.is_standard(chosen) => {}
                    Some(chosen) => {
                        let hidden = Target::Standard(standard);
                        self.ambiguous(chosen, hidden, AmbiguityKind::Shadowed);
                    }
                }
                continue;
            };
            if let Some(file) = runtime_file(&entry) {
                match chosen {
                    None => chosen = Some(self.file(*id, &entry, file)),
                    Some(_) if extends && entry.package == file => {}
                    Some(chosen) => {
                        self.ambiguous(chosen, Target::File(file), AmbiguityKind::Shadowed);
                    }
                }
            } else if entry.stub != NONE && (entry.stub_package || !entry.folder) {
                stub_only = stub_only.or(Some(*id));
            } else if entry.folder {
                portions.push(*id);
            }
        }
        if let Some(id) = chosen {
            if extends {
                self.extend_path(id, entries);
            }
            return chosen;
        }
        if let Some(id) = stub_only {
            // What it describes is built, or compiled, elsewhere.
            let entry = self.index.entry(id)?;
            let target = Target::File(entry.stub);
            let inside = if entry.stub_package || entry.folder {
                Inside::Folders([id].into())
            } else {
                Inside::Nothing
            };
            return Some(self.push(Found { target, stub: Some(target), inside, package: None }));
        }
        let first = *portions.first()?;
        let inside = Inside::Folders(portions.into());
        Some(self.push(Found {
            target: Target::Namespace(first),
            stub: None,
            inside,
            package: None,
        }))
    }

    fn file(&mut self, id: u32, entry: &Entry<'_>, file: u32) -> u32 {
        let inside =
            if file == entry.package { Inside::Folders([id].into()) } else { Inside::Nothing };
        let stub = (entry.stub != NONE).then_some(Target::File(entry.stub));
        let found = self.push(Found { target: Target::File(file), stub, inside, package: None });
        for other in [entry.extension, entry.module] {
            if other != NONE && other != file {
                self.ambiguous(found, Target::File(other), AmbiguityKind::SameFolder);
            }
        }
        found
    }

    pub(crate) fn ambiguous(&mut self, chosen: u32, hidden: Target, kind: AmbiguityKind) {
        if let Some(chosen) = self.get(chosen).map(|found| found.target)
            && chosen != hidden
        {
            self.ambiguities.push(RawAmbiguity { chosen, hidden, kind });
        }
    }

    /// Like [`Lookup::child`], remembered.
    pub(crate) fn below(&mut self, parent: u32, part: &str, module: &str) -> u32 {
        if let Some(id) = self.below.get(&parent).and_then(|known| known.get(part)) {
            return *id;
        }
        let id = self.child(parent, part, &format!("{module}.{part}"));
        self.below.entry(parent).or_default().insert(part.into(), id);
        id
    }

    /// The module `part` of a package; `dotted` is its whole name.
    pub(crate) fn child(&mut self, parent: u32, part: &str, dotted: &str) -> u32 {
        let Some(found) = self.get(parent).cloned() else {
            return self.missing(dotted, Reason::NotFound, None);
        };
        let id = self.child_of(&found, part, dotted).unwrap_or(parent);
        if self.index.has_extending && id != parent {
            self.note_package(id, &found);
        }
        id
    }

    /// `None` if it is the parent itself.
    fn child_of(&mut self, found: &Found, part: &str, dotted: &str) -> Option<u32> {
        Some(match &found.inside {
            Inside::Folders(folders) => {
                let entries: Vec<u32> =
                    folders.iter().filter_map(|folder| self.index.child(*folder, part)).collect();
                match self.pick(&entries, None) {
                    Some(id) => id,
                    None => self.not_inside(dotted, Reason::NoSubmodule, found.target),
                }
            }
            Inside::Standard => match self.index.standard.find(dotted) {
                Some(id) => self.standard(id),
                None => self.elsewhere(dotted, Reason::NoSubmodule, Some(found.target)),
            },
            Inside::Nothing if self.is_put_into_modules(dotted) => return None,
            Inside::Nothing => self.not_inside(dotted, Reason::NotAPackage, found.target),
            Inside::Anything if is_made(dotted) => {
                let parent = self.package_of_named(found.target);
                self.opaque(dotted, NamedKind::Generated, parent)
            }
            Inside::Anything => self.elsewhere(dotted, Reason::NotFound, None),
            Inside::Missing(reason) => {
                // The packages that are there run before the import fails.
                let parent = self.package_of_named(found.target);
                self.elsewhere(dotted, *reason, parent)
            }
        })
    }

    /// The package in which something without a file was looked for.
    fn package_of_named(&self, target: Target) -> Option<Target> {
        match target {
            Target::Named(id) => self.names.get(id as usize).and_then(|name| name.parent),
            _ => None,
        }
    }

    /// What a package or module that is there has no file for.
    fn not_inside(&mut self, dotted: &str, reason: Reason, parent: Target) -> u32 {
        if is_made(dotted) {
            return self.opaque(dotted, NamedKind::Generated, Some(parent));
        }
        self.elsewhere(dotted, reason, Some(parent))
    }

    /// Names that modules of the standard library put into `sys.modules` themselves.
    fn is_put_into_modules(&self, dotted: &str) -> bool {
        match dotted {
            "os.path" => true,
            "typing.io" | "typing.re" => self.index.sources.target.release.minor() < 13,
            _ => false,
        }
    }

    /// Modules without files.
    fn elsewhere(&mut self, name: &str, reason: Reason, parent: Option<Target>) -> u32 {
        if self.index.generated.has(name) {
            return self.opaque(name, NamedKind::Generated, parent);
        }
        let mut head = name;
        loop {
            if let Some((module, owner)) = self.index.externals.get_key_value(head) {
                return self.opaque(module, NamedKind::External(*owner), None);
            }
            match head.rfind('.') {
                Some(dot) => head = head.get(..dot).unwrap_or_default(),
                None => break,
            }
        }
        // A distribution may own `google.cloud.storage` only; what is above is then a namespace.
        let start = format!("{name}.");
        let below = self
            .index
            .externals
            .range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded))
            .next();
        let below = below.filter(|(module, _)| module.starts_with(&start));
        match below {
            Some((_, owner)) => self.opaque(name, NamedKind::External(*owner), None),
            None => self.missing(name, reason, parent),
        }
    }

    fn opaque(&mut self, name: &str, what: NamedKind, parent: Option<Target>) -> u32 {
        let target = self.name(name, what, parent);
        self.push(Found { target, stub: None, inside: Inside::Anything, package: None })
    }

    pub(crate) fn missing(&mut self, name: &str, reason: Reason, parent: Option<Target>) -> u32 {
        let target = self.name(name, NamedKind::Unresolved(reason), parent);
        self.push(Found { target, stub: None, inside: Inside::Missing(reason), package: None })
    }

    fn name(&mut self, name: &str, what: NamedKind, parent: Option<Target>) -> Target {
        let kind = match what {
            NamedKind::External(owner) => owner.wrapping_add(16),
            NamedKind::Generated => 15,
            NamedKind::Unresolved(reason) => reason as u32,
        };
        let key = (Box::from(name), kind, parent);
        let names = &mut self.names;
        let id = *self.named.entry(key).or_insert_with(|| {
            names.push(Named { name: name.into(), what, parent });
            u32::try_from(names.len() - 1).unwrap_or(NONE)
        });
        Target::Named(id)
    }
}

/// What runs when an entry is imported: a package, else an extension module, else a source.
fn runtime_file(entry: &Entry<'_>) -> Option<u32> {
    [entry.package, entry.extension, entry.module].into_iter().find(|file| *file != NONE)
}
