//! `.pyc` bytes to values and back: the header, the marshal format of CPython 3.8 to 3.15, and the
//! canonical form (`docs/canonical-form.md`). Hostile bytes are an error, never a crash, and cost
//! time and memory linear in their length. Knows nothing of files, clocks or interpreters.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod canonical;
mod compare;
mod header;
mod limits;
mod marshal;
mod pyc;
mod source_hash;

pub use canonical::{CANONICAL_FORM_VERSION, CanonicalOptions, NanPolicy, canonicalize};
pub use compare::{
    CodeStep, CompareError, CompareOptions, Divergence, EncodingDifference, Found, Place, Side,
    TreeComparison, compare,
};
pub use header::{HEADER_LENGTH, Header, HeaderError, Validation};
pub use limits::Limits;
pub use marshal::{
    CodeFault, CodeField, CodeNumbers, CodeObject, DecodeError, DecodeErrorKind, Integer, NodeId,
    Object, Tree, decode, encode,
};
pub use pyc::{Expectation, ValidateError, assemble, validate};
pub use source_hash::{SourceHash, source_hash};
