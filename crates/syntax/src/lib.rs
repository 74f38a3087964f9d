//! The imports of a Python source, and the facts that decide when each of them runs, found in one
//! pass over its bytes. Total: any bytes give an extraction, what could not be read is a problem in
//! it. Beside it a plain lexer, for those who look for other things. Knows nothing of files, of where modules lie, or of what an import resolves to.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod encoding;
mod extraction;
mod guard;
mod lexer;
mod names;
mod problem;
mod scanner;
mod test;

pub use extraction::{
    Argument, Extraction, Function, Import, LazyModules, Options, Package, Span, StringConstant,
    What,
};
pub use guard::{Catches, Facts, Guard, GuardId, Guards};
pub use lexer::{Lexer, Token};
pub use names::{All, Binding, BindingKind, Names};
pub use problem::{Problem, ProblemKind};
pub use scanner::{extract, imports};
pub use test::{Operator, Platform, Subject, Test, Version};
