//! From imports to what they import, as the import system finds it: `sys.path` in its order, packages
//! before extension modules before sources before namespace portions. Each file is resolved on its
//! own, so that a caller can split the work. Knows nothing of graphs.

mod binding;
mod lookup;
mod run_time;
mod statement;

use crate::index::{Index, IndexedFile};
use crate::kinds::Kinds;
use crate::record::Record;

/// What an import imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Target {
    /// Number of a file.
    File(u32),
    /// An entry that is a namespace package.
    Namespace(u32),
    /// Number of a module in the table of the standard library.
    Standard(u32),
    /// Number in [`Resolved::names`].
    Named(u32),
}

/// Something imported that has no file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub(crate) name: Box<str>,
    pub(crate) what: NamedKind,
    /// The package in which it was looked for.
    pub(crate) parent: Option<Target>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NamedKind {
    External(u32),
    Generated,
    Unresolved(Reason),
}

/// Why an import was not resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Nothing of its first name is on `sys.path`.
    NotFound,
    /// Its package is there, but has no such module.
    NoSubmodule,
    /// What it should be in is a module and no package.
    NotAPackage,
    /// More dots than packages around it.
    BeyondTopLevel,
    /// A relative import in a module that is in no package.
    NoPackage,
    /// The name is computed when the program runs.
    Computed,
}

impl Reason {
    /// A word for JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Reason::NotFound => "not-found",
            Reason::NoSubmodule => "no-submodule",
            Reason::NotAPackage => "not-a-package",
            Reason::BeyondTopLevel => "beyond-top-level",
            Reason::NoPackage => "no-package",
            Reason::Computed => "computed",
        }
    }
}

/// An import of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RawEdge {
    pub(crate) from: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) target: Target,
    pub(crate) kinds: Kinds,
}

/// One name, two modules: what won, and what it hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RawAmbiguity {
    pub(crate) chosen: Target,
    pub(crate) hidden: Target,
    pub(crate) kind: AmbiguityKind,
}

/// Kinds of [`crate::Ambiguity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AmbiguityKind {
    /// `name/__init__.py` beside `name.py`, or an extension module beside either.
    SameFolder,
    /// Two entries of `sys.path` have the module; the first wins.
    Shadowed,
    /// A package binds a name that is also a module in it, to something from elsewhere; `from package
    /// import name` takes what is bound. The usual `from .name import name` is not told.
    NameAndModule,
}

impl RawEdge {
    /// To a package around what is no import.
    pub(crate) fn around(from: u32, target: Target) -> RawEdge {
        RawEdge { from, line: 0, column: 0, target, kinds: Kinds::PACKAGE }
    }
}

/// The imports of some files, resolved.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    /// By importer, line and column.
    pub(crate) edges: Vec<RawEdge>,
    pub(crate) names: Vec<Named>,
    pub(crate) ambiguities: Vec<RawAmbiguity>,
}

impl<'a> Index<'a> {
    /// Resolves the imports of files with their numbers. `first` gives each an edge that is no import.
    pub(crate) fn imports<'f>(
        &self,
        files: impl Iterator<Item = (u32, &'f IndexedFile<'a>)>,
        first: impl Fn(u32, &IndexedFile<'a>) -> Option<RawEdge>,
    ) -> Imports
    where
        'a: 'f,
    {
        let mut lookup = lookup::Lookup::new(self);
        let (mut edges, mut room) = (Vec::new(), Record::default());
        for (number, file) in files {
            let start = edges.len();
            edges.extend(first(number, file));
            statement::resolve(self, &mut lookup, number, file, &mut room, &mut edges);
            if let Some(own) = edges.get_mut(start..) {
                own.sort_unstable_by_key(|edge: &RawEdge| (edge.line, edge.column));
            }
        }
        // All parts are kept until the graph is put together.
        edges.shrink_to_fit();
        lookup.ambiguities.sort_unstable();
        lookup.ambiguities.dedup();
        Imports { edges, names: lookup.names, ambiguities: lookup.ambiguities }
    }
}
