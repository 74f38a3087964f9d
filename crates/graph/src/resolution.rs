//! From imports to what they import, as the import system finds it: `sys.path` in its order, packages
//! before extension modules before sources before namespace portions. Each file is resolved on its
//! own, so that a caller can split the work. Knows nothing of graphs.

mod binding;
mod lookup;
mod run_time;
mod statement;

use crate::graph::{Edge, NodeId};
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

/// Bits of a target's code that say which kind it is.
const TAG: u32 = 30;

impl Target {
    /// The target as one number, in the place of the node that it will be: edges are put together where they
    /// are, and a graph has so many that each byte of them counts. Numbers have 30 bits: a thousand million
    /// files would not fit into memory.
    pub(crate) fn code(self) -> NodeId {
        let (tag, number) = match self {
            Target::File(number) => (0, number),
            Target::Namespace(number) => (1, number),
            Target::Standard(number) => (2, number),
            Target::Named(number) => (3, number),
        };
        NodeId(tag << TAG | number.min((1 << TAG) - 1))
    }

    /// What has this code.
    pub(crate) fn of(code: NodeId) -> Target {
        let number = code.0 & ((1 << TAG) - 1);
        match code.0 >> TAG {
            0 => Target::File(number),
            1 => Target::Namespace(number),
            2 => Target::Standard(number),
            _ => Target::Named(number),
        }
    }

    /// The edge to it, as the package around what is no import.
    pub(crate) fn around(self, from: u32) -> Edge {
        let (from, to) = (NodeId(from), self.code());
        Edge { from, to, line: 0, column: 0, kinds: Kinds::PACKAGE }
    }
}

/// The imports of some files, resolved.
#[derive(Debug, Default)]
pub(crate) struct Imports {
    /// By importer, line and column; they lead to codes of targets.
    pub(crate) edges: Vec<Edge>,
    pub(crate) names: Vec<Named>,
    pub(crate) ambiguities: Vec<RawAmbiguity>,
}

impl<'a> Index<'a> {
    /// Resolves the imports of files with their numbers and dotted names; the name of one that no import can
    /// find does not matter. `first` gives each an edge that is no import.
    pub(crate) fn imports<'f>(
        &self,
        files: impl Iterator<Item = (u32, &'f IndexedFile<'a>, &'f str)> + Clone,
        first: impl Fn(u32, &IndexedFile<'a>) -> Option<Edge>,
    ) -> Imports
    where
        'a: 'f,
    {
        let mut lookup = lookup::Lookup::new(self);
        // One import gives one edge, mostly, and each file has a package. What is not used is never touched.
        let imports = files.clone().filter_map(|(_, file, _)| file.source.imports);
        let count = imports.map(|imports| imports.len() + 1).sum::<usize>();
        let (mut edges, mut room) = (Vec::with_capacity(count), Record::default());
        for (number, file, name) in files {
            let start = edges.len();
            edges.extend(first(number, file));
            statement::resolve(self, &mut lookup, number, file, name, &mut room, &mut edges);
            if let Some(own) = edges.get_mut(start..) {
                own.sort_unstable_by_key(|edge: &Edge| (edge.line, edge.column));
            }
        }
        lookup.ambiguities.sort_unstable();
        lookup.ambiguities.dedup();
        Imports { edges, names: lookup.names, ambiguities: lookup.ambiguities }
    }
}
