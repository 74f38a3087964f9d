//! Names that a module binds at its top level: what `from package import name` finds before the
//! import system looks for a submodule of that name. Values only; read in `scanner/bindings`.

use std::borrow::Cow;

/// Names bound at the top level, and in its `if`, `try`, `for` and `with`. Not followed: `:=`,
/// patterns, `global` in functions, `del`, assignments after a `;`, and names from stars.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names<'source> {
    /// In the order of the source, more than once if bound more than once.
    pub bound: Vec<Binding<'source>>,
    /// `__all__`, if it is assigned.
    pub all: Option<All<'source>>,
    /// Whether the module looks for more folders of its package: `__path__ =
    /// pkgutil.extend_path(…)` or `pkg_resources.declare_namespace(…)`.
    pub extends_path: bool,
}

/// A bound name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding<'source> {
    /// The name.
    pub name: Cow<'source, str>,
    /// What binds it.
    pub kind: BindingKind,
    /// Offset of the statement.
    pub offset: u32,
}

/// What binds a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindingKind {
    /// `def`.
    Function,
    /// `class`.
    Class,
    /// `=`, `type`, `for` or `with`.
    Assignment,
    /// `import`; not those that never run, as under `TYPE_CHECKING`.
    Import,
}

/// What `from module import *` takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct All<'source> {
    /// String constants that are assigned or added to `__all__`.
    pub names: Vec<Cow<'source, str>>,
    /// Whether these are all: no other value takes part.
    pub complete: bool,
}

impl Names<'_> {
    /// Whether the module binds a name.
    #[must_use]
    pub fn binds(&self, name: &str) -> bool {
        self.bound.iter().any(|binding| binding.name == name)
    }

    /// Whether the module answers for any name, by a function `__getattr__` (PEP 562).
    #[must_use]
    pub fn answers_for_any(&self) -> bool {
        self.bound.iter().any(|binding| binding.name == "__getattr__")
    }
}
