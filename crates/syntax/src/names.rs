//! Names that a module binds at its top level: what `from package import name` finds without a
//! submodule of that name. Knows nothing of scopes below.

/// Names bound at the top level.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names<'source> {
    /// In the order of the source.
    pub bound: Vec<Binding<'source>>,
}

/// A bound name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'source> {
    /// The name.
    pub name: &'source str,
}
