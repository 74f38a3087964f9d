//! A whole `.pyc`: header and canonical payload, made and checked.

use bytekiln_python::{InvalidationMode, Release};

use crate::canonical::recognize::is_canonical;
use crate::canonical::{NanPolicy, canonicalize_tree};
use crate::header::{HEADER_LENGTH, Header, HeaderError};
use crate::marshal::{self, DecodeError};
use crate::{Limits, SourceHash};

/// Puts a header before a canonical payload.
pub fn assemble(
    release: Release,
    mode: InvalidationMode,
    source_hash: SourceHash,
    canonical_payload: &[u8],
) -> Vec<u8> {
    let header = Header::hash_based(release, mode, source_hash);
    let mut pyc = Vec::with_capacity(HEADER_LENGTH + canonical_payload.len());
    pyc.extend_from_slice(&header.to_bytes());
    pyc.extend_from_slice(canonical_payload);
    pyc
}

/// What a `.pyc` must be to be published or used.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// The release that is to load it.
    pub release: Release,
    /// How it is to be validated at import.
    pub mode: InvalidationMode,
    /// The hash of the source that it is for.
    pub source_hash: SourceHash,
    /// The file name that the module must bear, as in
    /// [`CanonicalOptions::recorded_path`](crate::CanonicalOptions::recorded_path); `None` takes
    /// any.
    pub recorded_path: Option<&'a [u8]>,
    /// What to refuse.
    pub limits: Limits,
}

/// Why a `.pyc` is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidateError {
    /// It has no header.
    Header(HeaderError),
    /// It has another header: of another release, mode, or source.
    UnexpectedHeader {
        /// The header it has.
        found: Header,
        /// The one it should have.
        expected: Header,
    },
    /// Its payload is no code object.
    Payload(DecodeError),
    /// Its payload is a code object, but not in canonical form, or under another path; carries
    /// the offset of the first byte that differs from the canonical payload.
    NotCanonical(usize),
}

impl Expectation<'_> {
    /// The header that such a `.pyc` has.
    pub fn header(&self) -> Header {
        Header::hash_based(self.release, self.mode, self.source_hash)
    }

    /// Checks the header alone: for bytes whose digest already vouches for the rest.
    pub fn check_header(&self, pyc: &[u8]) -> Result<(), ValidateError> {
        let found = Header::parse(pyc).map_err(ValidateError::Header)?;
        let expected = self.header();
        if found != expected {
            return Err(ValidateError::UnexpectedHeader { found, expected });
        }
        Ok(())
    }
}

/// Checks all of a `.pyc`: that its header is of this release, mode and source, and that its
/// payload is a code object in canonical form under this path, with whatever NaNs: that of
/// [`NanPolicy::Positive`] is valid too.
pub fn validate(pyc: &[u8], expect: &Expectation<'_>) -> Result<(), ValidateError> {
    expect.check_header(pyc)?;
    let payload = pyc.get(HEADER_LENGTH..).unwrap_or_default();
    let tree =
        marshal::decode(payload, expect.release, &expect.limits).map_err(ValidateError::Payload)?;
    if is_canonical(&tree, expect.recorded_path) {
        return Ok(());
    }
    let canonical = canonicalize_tree(&tree, expect.recorded_path, NanPolicy::Kept)
        .map_err(ValidateError::Payload)?;
    if canonical == payload {
        return Ok(());
    }
    let same = canonical.iter().zip(payload).take_while(|(a, b)| a == b).count();
    Err(ValidateError::NotCanonical(same))
}

impl std::fmt::Display for ValidateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ValidateError::Header(error) => error.fmt(f),
            ValidateError::UnexpectedHeader { found, expected } => write!(
                f,
                "header {} where {} was expected",
                hexadecimal(found),
                hexadecimal(expected)
            ),
            ValidateError::Payload(error) => error.fmt(f),
            ValidateError::NotCanonical(offset) => {
                write!(f, "not in canonical form from byte {offset} of the marshal payload")
            }
        }
    }
}

impl std::error::Error for ValidateError {}

fn hexadecimal(header: &Header) -> String {
    header.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
