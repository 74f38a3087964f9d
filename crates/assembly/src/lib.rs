//! What an artifact consists of: which files, at which paths, with which bytecode, and which sources it
//! cannot do without. Pure functions of values. Knows nothing of the file system, of compilers, and of
//! the containers that the result is written to.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod arrange;
mod assemble;
mod budget;
mod cost;
mod module;
mod needs_source;

pub use arrange::{Arrangement, LeftOut, TreeFile, arrange};
pub use assemble::{Assembly, Choice, Clash, File, FileKind, Layout, Origin, Part, Plan, assemble};
pub use budget::{Priced, spend};
pub use cost::compile_cost;
pub use module::is_module;
pub use needs_source::{SourceNeed, SourceUse, needed_sources, source_uses};
