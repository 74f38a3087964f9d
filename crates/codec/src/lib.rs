//! `.pyc` bytes to values and back: the header, the marshal format of CPython 3.8 to 3.15, and the
//! canonical form (`docs/canonical-form.md`). Hostile bytes are an error, never a crash, and cost
//! time and memory linear in their length. Knows nothing of files, clocks or interpreters.
//!
//! A cache comes apart into a [`Header`] and a payload, which [`decode`] reads into a [`Tree`] that
//! [`encode`] writes back byte for byte. [`canonicalize`] makes the bytes that depend on the values
//! alone; [`assemble`] and [`validate`] make and check whole caches of them. [`compare`] says where
//! two payloads differ.
//!
//! ```
//! use bytekiln_codec::{
//!     CanonicalOptions, Expectation, HEADER_LENGTH, Header, Limits, NanPolicy, assemble,
//!     canonicalize, source_hash, validate,
//! };
//! use bytekiln_python::InvalidationMode;
//!
//! // As CPython 3.11 wrote it for a module with one `pass`: with a path of its own.
//! let pyc = b"\xa7\x0d\r\n\0\0\0\0\x80\x43\x6d\x38\x05\0\0\0\
//!     c\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\xf3\x06\0\0\0\x97\0d\0S\0)\x01N\xa9\0\
//!     r\x01\0\0\0\xf3\0\0\0\0\xfa\x0f/home/me/one.py\xfa\x08<module>r\x04\0\0\0\x01\0\0\0\
//!     s\x0a\0\0\0\xf0\x03\x01\x01\x01\xd8\0\x04\x80\x04r\x02\0\0\0";
//! let header = Header::parse(pyc)?;
//! let release = header.release().ok_or("a magic number of no final release")?;
//!
//! let limits = Limits::default();
//! let recorded_path = b"one.py";
//! let options = CanonicalOptions { release, recorded_path, limits, nans: NanPolicy::Kept };
//! let payload = canonicalize(&pyc[HEADER_LENGTH..], &options)?;
//! assert_eq!(canonicalize(&payload, &options)?, payload);
//!
//! let (mode, source_hash) = (InvalidationMode::CheckedHash, source_hash(release, b"pass\n"));
//! let canonical = assemble(release, mode, source_hash, &payload);
//! let recorded_path = Some(&b"one.py"[..]);
//! let expectation = Expectation { release, mode, source_hash, recorded_path, limits };
//! validate(&canonical, &expectation)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
