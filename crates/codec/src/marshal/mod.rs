//! The marshal format as CPython 3.8 to 3.15 write and read it: bytes to a [`Tree`] that keeps
//! every type code, flag and reference, and back to the same bytes.

mod code;
mod decode;
mod encode;
mod error;
pub(crate) mod number;
mod reader;
pub(crate) mod tag;
pub(crate) mod text;
mod tree;

pub use code::{CodeField, CodeNumbers, CodeObject};
pub use decode::decode;
pub use encode::encode;
pub use error::{CodeFault, DecodeError, DecodeErrorKind};
pub use number::Integer;
pub use tree::{NodeId, Object, Tree};

pub(crate) use code::{CODE_FIELDS_BEFORE_LINE, CODE_FIELDS_MAX, CodeLayout};
pub(crate) use tree::Node;
