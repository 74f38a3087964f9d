//! What an extraction consists of: imports with their position and what they name. Values only;
//! when an import runs is in `guard`, how it was found in `scanner`.

use std::borrow::Cow;

use crate::guard::{Facts, GuardId, Guards};
use crate::names::Names;
use crate::problem::Problem;

/// A range of bytes of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

/// What to look for besides import statements and calls that import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Also the names that the module binds at its top level ([`Extraction::names`]). Reads the
    /// whole source, where imports alone need it up to the last `import`.
    pub names: bool,
    /// Also string constants that look like dotted names, with at least so many dots
    /// ([`Extraction::strings`]). Reads the whole source. Django settings name modules so.
    pub strings: Option<u32>,
}

/// Everything found in a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extraction<'source> {
    /// In the order of the source; one for each name, so `import a, b` gives two.
    pub imports: Vec<Import<'source>>,
    /// The conditions under which they run.
    pub guards: Guards<'source>,
    /// The last `__lazy_modules__` before the last import (PEP 810).
    pub lazy_modules: Option<LazyModules<'source>>,
    /// With [`Options::strings`].
    pub strings: Vec<StringConstant<'source>>,
    /// With [`Options::names`].
    pub names: Option<Names<'source>>,
    /// What could have hidden an import; the rest of the extraction holds nevertheless.
    pub problems: Vec<Problem>,
}

/// One imported name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import<'source> {
    /// What is imported.
    pub what: What<'source>,
    /// The name after `as`.
    pub alias: Option<Cow<'source, str>>,
    /// Line of the statement or call, from 1.
    pub line: u32,
    /// Column of the statement or call in characters, from 1.
    pub column: u32,
    /// The statement from its first keyword to its last name or bracket; of a call, the name of the
    /// function.
    pub statement: Span,
    /// The module of `import module`, the name of `from module import name`, the star, the first
    /// argument of a call.
    pub name: Span,
    /// Written `lazy import` or `lazy from` (PEP 810, from 3.15).
    pub lazy: bool,
    /// The innermost block that it stands in; none at the top level of the module.
    pub guard: Option<GuardId>,
}

/// What an import names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What<'source> {
    /// `import a.b`.
    Module {
        /// `a.b`, without the blanks that may stand around dots.
        module: Cow<'source, str>,
    },
    /// `from ..a import name`: a module `a.name`, or a name in `a`.
    Name {
        /// Leading dots.
        level: u32,
        /// The module after them, empty in `from . import name`.
        module: Cow<'source, str>,
        /// The name.
        name: Cow<'source, str>,
    },
    /// `from ..a import *`.
    Star {
        /// Leading dots.
        level: u32,
        /// The module after them, possibly empty.
        module: Cow<'source, str>,
    },
    /// A call that imports.
    Call {
        /// Which function is called.
        function: Function,
        /// Which module is asked for.
        argument: Argument<'source>,
    },
}

/// A function that imports the module that its first argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `importlib.import_module(name, package=None)`.
    ImportModule,
    /// `__import__(name, …)`.
    DunderImport,
    /// `runpy.run_module(name, …)`.
    RunModule,
    /// `pytest.importorskip(name, …)`.
    ImportOrSkip,
}

impl Function {
    /// Its name, without its module.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Function::ImportModule => "import_module",
            Function::DunderImport => "__import__",
            Function::RunModule => "run_module",
            Function::ImportOrSkip => "importorskip",
        }
    }
}

/// The module that a call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument<'source> {
    /// A string constant.
    Constant {
        /// Its text, with leading dots if relative.
        name: Cow<'source, str>,
        /// What it is relative to.
        package: Package<'source>,
    },
    /// Anything else: known only at run time.
    Unknown,
}

/// The `package` argument of `import_module`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Package<'source> {
    /// Not given.
    None,
    /// A string constant.
    Constant(Cow<'source, str>),
    /// `__package__`.
    OwnPackage,
    /// `__name__`.
    OwnName,
    /// Anything else, such as the level that is passed to `__import__`.
    Unknown,
}

/// An assignment to `__lazy_modules__` at the top level: from there on, imports of these modules at
/// the top level are lazy (PEP 810; [`Extraction::is_lazy`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LazyModules<'source> {
    /// Fully qualified names, sorted.
    pub modules: Vec<Cow<'source, str>>,
    /// Whether these are all: the value is a display of string constants and nothing else.
    pub complete: bool,
    /// The statement up to its value.
    pub statement: Span,
}

/// A string constant that looks like a dotted name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringConstant<'source> {
    /// Its text.
    pub text: &'source str,
    /// Line, from 1.
    pub line: u32,
    /// The constant with its quotes, without a prefix.
    pub span: Span,
    /// The innermost block that it stands in, as far as statements tell.
    pub guard: Option<GuardId>,
}

impl Extraction<'_> {
    /// What the blocks around an import say about when it runs.
    #[must_use]
    pub fn facts(&self, import: &Import<'_>) -> Facts {
        self.guards.facts(import.guard)
    }

    /// Whether an import runs at first use only, from 3.15: it says `lazy`, or stands at the top
    /// level after a `__lazy_modules__` that holds the module, whose fully qualified name is
    /// `module`. Functions, classes, `try` and stars are never lazy by that list.
    #[must_use]
    pub fn is_lazy(&self, import: &Import<'_>, module: &str) -> bool {
        let listed = || {
            self.lazy_modules.as_ref().is_some_and(|list| {
                list.statement.end <= import.statement.start
                    && list.modules.binary_search_by(|name| (**name).cmp(module)).is_ok()
            })
        };
        match import.what {
            What::Module { .. } | What::Name { .. } => {
                import.lazy || (self.facts(import).may_be_lazy() && listed())
            }
            What::Star { .. } | What::Call { .. } => false,
        }
    }
}
