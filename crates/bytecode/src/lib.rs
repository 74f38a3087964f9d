//! What the bytes of `co_code`, `co_linetable` and `co_exceptiontable` mean in each release from
//! 3.8 to 3.15. Total: any bytes decode to something or to an error. Knows nothing of code objects,
//! files or syntax.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod decode;
mod flags;
mod handlers;
mod instruction;
mod locations;
mod opcode;
mod reader;
mod tables;

pub use decode::{Instructions, instructions};
pub use flags::{code_flags, local_kinds, unnamed_flags};
pub use handlers::handlers;
pub use instruction::{Handler, Instruction, Location, Operand, TableError};
pub use locations::locations;
