//! Blocks around imports, as a tree: each guard has a parent, so that a thousand imports under one
//! `if` share it. An import runs only where all its guards let it. Knows nothing of how they were
//! read.

use crate::test::Test;

/// A block that decides whether and when its statements run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard<'source> {
    /// The body of `def`, `async def` or `lambda`: runs when called.
    Function,
    /// The body of `class`: runs at once.
    Class,
    /// A branch of `if`/`elif`/`else`. Later branches also stand under the failed tests of earlier
    /// ones, each a guard of its own.
    If {
        /// What is tested.
        test: Test<'source>,
        /// Whether the block runs when the test holds, or when it fails.
        holds: bool,
    },
    /// The body or the `else` of `for` and `while`.
    Loop,
    /// The body of `with`.
    With,
    /// The body of a `case`.
    Match,
    /// The body of a `try`, with what its handlers catch.
    Try(Catches),
    /// The body of an `except`.
    Handler(Catches),
    /// The `else` of a `try`.
    TryElse,
    /// The body of `finally`.
    Finally,
}

/// What handlers catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Catches {
    /// `ImportError` or `ModuleNotFoundError`.
    pub import_error: bool,
    /// `Exception`, `BaseException`, or anything (`except:`).
    pub everything: bool,
}

impl Catches {
    /// Whether a failing import is caught.
    #[must_use]
    pub fn imports(self) -> bool {
        self.import_error || self.everything
    }

    pub(crate) fn union(self, other: Catches) -> Catches {
        Catches {
            import_error: self.import_error || other.import_error,
            everything: self.everything || other.everything,
        }
    }
}

/// What all guards of an import say together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Facts {
    /// In a function or lambda: does not run when the module is imported.
    pub function: bool,
    /// In a class body.
    pub class: bool,
    /// In a branch, loop, `case`, handler or `else` of `try`: runs sometimes.
    pub conditional: bool,
    /// In a `try` that catches a failing import.
    pub optional: bool,
    /// In a handler of failing imports: an alternative.
    pub fallback: bool,
    /// Under `if TYPE_CHECKING`: never runs.
    pub type_checking: bool,
    /// Under `if __name__ == "__main__"`: runs only in a script.
    pub main: bool,
    /// In any clause of a `try`.
    pub in_try: bool,
    /// Under a test that never holds, such as `if 0`.
    pub never: bool,
}

impl Facts {
    /// Whether `__lazy_modules__` applies here: CPython ignores it in functions, classes and `try`.
    #[must_use]
    pub fn may_be_lazy(self) -> bool {
        !(self.function || self.class || self.in_try)
    }

    /// Whether the import may run when the module is imported and is no script.
    #[must_use]
    pub fn eager(self) -> bool {
        !(self.function || self.type_checking || self.main || self.never)
    }

    fn with(mut self, guard: &Guard<'_>) -> Facts {
        match guard {
            Guard::Function => self.function = true,
            Guard::Class => self.class = true,
            Guard::If { test, holds } => match (test, holds) {
                (Test::TypeChecking, true) => self.type_checking = true,
                (Test::Main, true) => self.main = true,
                (Test::Always, false) => self.never = true,
                (Test::TypeChecking | Test::Main, false) | (Test::Always, true) => {}
                (Test::Version(_) | Test::Platform { .. } | Test::Other, _) => {
                    self.conditional = true;
                }
            },
            Guard::Loop | Guard::Match => self.conditional = true,
            Guard::With => {}
            Guard::Try(catches) => {
                self.in_try = true;
                self.optional |= catches.imports();
            }
            Guard::Handler(catches) => {
                self.in_try = true;
                self.conditional = true;
                self.fallback |= catches.imports();
            }
            Guard::TryElse => {
                self.in_try = true;
                self.conditional = true;
            }
            Guard::Finally => self.in_try = true,
        }
        self
    }
}

/// Names a guard in [`Guards`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuardId(u32);

/// All guards of a source; parents before children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guards<'source> {
    nodes: Vec<Node<'source>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node<'source> {
    guard: Guard<'source>,
    parent: Option<GuardId>,
    facts: Facts,
}

impl<'source> Guards<'source> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The facts of everything directly in this block, or of the top level.
    #[must_use]
    pub fn facts(&self, id: Option<GuardId>) -> Facts {
        self.node(id).map(|node| node.facts).unwrap_or_default()
    }

    /// A guard and all around it, innermost first.
    pub fn chain(&self, id: Option<GuardId>) -> impl Iterator<Item = &Guard<'source>> {
        std::iter::successors(self.node(id), |node| self.node(node.parent)).map(|node| &node.guard)
    }

    fn node(&self, id: Option<GuardId>) -> Option<&Node<'source>> {
        id.and_then(|id| self.nodes.get(id.0 as usize))
    }

    pub(crate) fn push(&mut self, guard: Guard<'source>, parent: Option<GuardId>) -> GuardId {
        let id = GuardId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node { guard, parent, facts: Facts::default() });
        id
    }

    /// Handlers come after the body of their `try`.
    pub(crate) fn add_handler(&mut self, id: GuardId, more: Catches) {
        if let Some(Node { guard: Guard::Try(catches), .. }) = self.nodes.get_mut(id.0 as usize) {
            *catches = catches.union(more);
        }
    }

    /// Sums up the facts, once all handlers are known.
    pub(crate) fn finish(&mut self) {
        for index in 0..self.nodes.len() {
            let facts = self.facts(self.nodes[index].parent).with(&self.nodes[index].guard);
            self.nodes[index].facts = facts;
        }
    }
}
