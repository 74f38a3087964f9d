//! From imports to what they import, as the import system finds it: `sys.path` in its order, packages
//! before extension modules before sources before namespace portions. Each file is resolved on its
//! own, so that a caller can split the work. Knows nothing of graphs.

mod binding;
mod lookup;
mod run_time;
mod statement;

use std::ops::Range;

use crate::index::Index;
use crate::kinds::Kinds;
use crate::record::NONE;

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

/// The imports of some files, resolved.
#[derive(Debug, Default)]
pub struct Resolved {
    pub(crate) edges: Vec<RawEdge>,
    pub(crate) names: Vec<Named>,
    pub(crate) ambiguities: Vec<RawAmbiguity>,
}

impl Index<'_> {
    /// Resolves the imports of the files with these numbers. Whatever the ranges, the graph made of
    /// all results is the same.
    #[must_use]
    pub fn resolve(&self, files: Range<usize>) -> Resolved {
        let mut lookup = lookup::Lookup::new(self);
        let mut edges = Vec::new();
        for number in files {
            let Some(file) = self.files.get(number) else { break };
            let number = u32::try_from(number).unwrap_or(NONE);
            let start = edges.len();
            statement::resolve(self, &mut lookup, number, file, &mut edges);
            if let Some(own) = edges.get_mut(start..) {
                own.sort_unstable_by_key(|edge: &RawEdge| (edge.line, edge.column));
            }
        }
        // All parts are kept until the graph is put together.
        edges.shrink_to_fit();
        lookup.ambiguities.sort_unstable();
        lookup.ambiguities.dedup();
        Resolved { edges, names: lookup.names, ambiguities: lookup.ambiguities }
    }
}
