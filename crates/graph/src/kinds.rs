//! Labels of edges, and which of them a question follows. Knows nothing of nodes.

use std::fmt;

/// How an import runs: a set of facts. The empty set is an import that runs whenever its module does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Kinds(u16);

impl Kinds {
    /// Nothing special.
    pub const NONE: Kinds = Kinds(0);
    /// Runs at first use (PEP 810).
    pub const LAZY: Kinds = Kinds(1);
    /// In a function: runs when that is called.
    pub const FUNCTION: Kinds = Kinds(1 << 1);
    /// In a branch, loop, `case` or handler that the target does not decide.
    pub const CONDITIONAL: Kinds = Kinds(1 << 2);
    /// In a `try` that catches its failure.
    pub const OPTIONAL: Kinds = Kinds(1 << 3);
    /// In the handler of a failed import.
    pub const FALLBACK: Kinds = Kinds(1 << 4);
    /// Under `TYPE_CHECKING`, or in a stub.
    pub const TYPE_CHECKING: Kinds = Kinds(1 << 5);
    /// Under `if __name__ == "__main__"`.
    pub const MAIN: Kinds = Kinds(1 << 6);
    /// Under a test that never holds, for any target or for this one.
    pub const NEVER: Kinds = Kinds(1 << 7);
    /// A call such as `import_module`.
    pub const DYNAMIC: Kinds = Kinds(1 << 8);
    /// A string that names a module.
    pub const STRING: Kinds = Kinds(1 << 9);
    /// `from module import *`.
    pub const STAR: Kinds = Kinds(1 << 10);
    /// Not what is imported, but a package around it, whose `__init__` runs first: of each module to its
    /// own package; and of an import that finds nothing in a package to that package.
    pub const PACKAGE: Kinds = Kinds(1 << 11);
    /// `from module import name`, where the name is none of a module.
    pub const NAME: Kinds = Kinds(1 << 12);

    /// `from module import name`, where the module is not seen to bind the name. It may do so all the
    /// same, by `globals()` and the like.
    pub const UNBOUND: Kinds = Kinds(1 << 13);

    /// Written with leading dots, as `from . import name`.
    pub const RELATIVE: Kinds = Kinds(1 << 14);

    const WORDS: [(Kinds, &'static str); 15] = [
        (Kinds::LAZY, "lazy"),
        (Kinds::FUNCTION, "function"),
        (Kinds::CONDITIONAL, "conditional"),
        (Kinds::OPTIONAL, "optional"),
        (Kinds::FALLBACK, "fallback"),
        (Kinds::TYPE_CHECKING, "type-checking"),
        (Kinds::MAIN, "main"),
        (Kinds::NEVER, "never"),
        (Kinds::DYNAMIC, "dynamic"),
        (Kinds::STRING, "string"),
        (Kinds::STAR, "star"),
        (Kinds::PACKAGE, "package"),
        (Kinds::NAME, "name"),
        (Kinds::UNBOUND, "unbound"),
        (Kinds::RELATIVE, "relative"),
    ];

    /// All facts of both.
    #[must_use]
    pub const fn with(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    /// The facts of this that are not of the other.
    #[must_use]
    pub const fn without(self, other: Kinds) -> Kinds {
        Kinds(self.0 & !other.0)
    }

    /// Whether both have a fact in common.
    #[must_use]
    pub const fn any(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    /// One word a fact, always in the same order: what goes into JSON.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Kinds::WORDS.into_iter().filter(move |(kind, _)| self.any(*kind)).map(|(_, word)| word)
    }

    /// The bits: equal for equal facts within one version of this crate, and no longer.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u16) -> Kinds {
        Kinds(bits & ((1 << 15) - 1))
    }
}

impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}

/// Which edges a question follows; each follows those of the one before, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// What runs when a module is imported: also conditional and optional imports.
    Eager,
    /// And lazy imports: what runs once every lazy name was used.
    WithLazy,
    /// And imports in functions and under `if __name__ == "__main__"`: all that can run.
    Runtime,
    /// And those for type checkers, in strings, and under tests that never hold.
    All,
}

impl Which {
    /// Whether an edge with this label is followed.
    #[must_use]
    pub fn follows(self, kinds: Kinds) -> bool {
        let but = match self {
            Which::All => return true,
            Which::Runtime => NOT_RUNTIME,
            Which::WithLazy => NOT_RUNTIME.with(Kinds::FUNCTION).with(Kinds::MAIN),
            Which::Eager => NOT_RUNTIME.with(Kinds::FUNCTION).with(Kinds::MAIN).with(Kinds::LAZY),
        };
        !kinds.any(but)
    }
}

const NOT_RUNTIME: Kinds = Kinds::TYPE_CHECKING.with(Kinds::STRING).with(Kinds::NEVER);
