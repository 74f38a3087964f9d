//! What two `.pyc` files may differ in without meaning anything else: their headers, and how their
//! payloads are written.

use bytekiln_codec::{self as codec, Header, SourceHash, Validation};
use bytekiln_python::InvalidationMode;

/// A difference between two files of equal code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodingDifference {
    /// The invalidation mode: `timestamp`, `checked-hash` or `unchecked-hash`. What follows the
    /// mode cannot be compared then.
    Mode {
        /// On the left.
        left: &'static str,
        /// On the right.
        right: &'static str,
    },
    /// The hash of the source.
    SourceHash {
        /// On the left.
        left: SourceHash,
        /// On the right.
        right: SourceHash,
    },
    /// The modification time of the source, in seconds since 1970.
    SourceMtime {
        /// On the left.
        left: u32,
        /// On the right.
        right: u32,
    },
    /// The size of the source in bytes.
    SourceSize {
        /// On the left.
        left: u32,
        /// On the right.
        right: u32,
    },
    /// A header flag that CPython ignores.
    HeaderFlags,
    /// `co_filename` of the module.
    RecordedPath {
        /// On the left.
        left: String,
        /// On the right.
        right: String,
    },
    /// See [`codec::EncodingDifference::ReferenceFlags`].
    ReferenceFlags,
    /// See [`codec::EncodingDifference::Sharing`].
    Sharing,
    /// See [`codec::EncodingDifference::Interning`].
    Interning,
    /// See [`codec::EncodingDifference::SetOrder`].
    SetOrder,
    /// See [`codec::EncodingDifference::TypeCodes`].
    TypeCodes,
}

impl EncodingDifference {
    pub(super) fn of(
        found: codec::EncodingDifference,
        paths: impl FnOnce() -> [String; 2],
    ) -> EncodingDifference {
        match found {
            codec::EncodingDifference::ReferenceFlags => EncodingDifference::ReferenceFlags,
            codec::EncodingDifference::Sharing => EncodingDifference::Sharing,
            codec::EncodingDifference::Interning => EncodingDifference::Interning,
            codec::EncodingDifference::SetOrder => EncodingDifference::SetOrder,
            codec::EncodingDifference::RecordedPath => {
                let [left, right] = paths();
                EncodingDifference::RecordedPath { left, right }
            }
            _ => EncodingDifference::TypeCodes,
        }
    }

    /// A word for a list: `mode`, `source hash`, `set order`, ….
    pub fn name(&self) -> &'static str {
        match self {
            EncodingDifference::Mode { .. } => "mode",
            EncodingDifference::SourceHash { .. } => "source hash",
            EncodingDifference::SourceMtime { .. } => "mtime",
            EncodingDifference::SourceSize { .. } => "source size",
            EncodingDifference::HeaderFlags => "header flags",
            EncodingDifference::RecordedPath { .. } => "recorded path",
            EncodingDifference::ReferenceFlags => "reference flags",
            EncodingDifference::Sharing => "sharing",
            EncodingDifference::Interning => "interning",
            EncodingDifference::SetOrder => "set order",
            EncodingDifference::TypeCodes => "type codes",
        }
    }

    /// What stands on the left and on the right, if that can be told in a few words.
    pub fn sides(&self) -> Option<[String; 2]> {
        Some(match self {
            EncodingDifference::Mode { left, right } => {
                [left, right].map(|mode| (*mode).to_owned())
            }
            EncodingDifference::SourceHash { left, right } => [left, right].map(hexadecimal),
            EncodingDifference::SourceMtime { left, right }
            | EncodingDifference::SourceSize { left, right } => [left, right].map(u32::to_string),
            EncodingDifference::RecordedPath { left, right } => [left.clone(), right.clone()],
            _ => return None,
        })
    }
}

/// `mode timestamp on the left, checked-hash on the right`, or the name alone.
impl std::fmt::Display for EncodingDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.sides() {
            Some([left, right]) => {
                write!(f, "{} {left} on the left, {right} on the right", self.name())
            }
            None => f.write_str(self.name()),
        }
    }
}

fn hexadecimal(hash: &SourceHash) -> String {
    hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `timestamp`, `checked-hash` or `unchecked-hash`.
pub(crate) fn mode(validation: &Validation) -> &'static str {
    match validation {
        Validation::Timestamp { .. } => "timestamp",
        Validation::Hash { mode: InvalidationMode::CheckedHash, .. } => "checked-hash",
        Validation::Hash { mode: InvalidationMode::UncheckedHash, .. } => "unchecked-hash",
    }
}

/// What differs between two headers of one release.
pub(super) fn differences(left: &Header, right: &Header) -> Vec<EncodingDifference> {
    let mut found = Vec::new();
    let (l, r) = (mode(&left.validation), mode(&right.validation));
    if l != r {
        found.push(EncodingDifference::Mode { left: l, right: r });
        return found;
    }
    match (left.validation, right.validation) {
        (
            Validation::Hash { source_hash: left, .. },
            Validation::Hash { source_hash: right, .. },
        ) if left != right => found.push(EncodingDifference::SourceHash { left, right }),
        (
            Validation::Timestamp { mtime, size, check_source },
            Validation::Timestamp { mtime: mtime_r, size: size_r, check_source: check_r },
        ) => {
            if mtime != mtime_r {
                found.push(EncodingDifference::SourceMtime { left: mtime, right: mtime_r });
            }
            if size != size_r {
                found.push(EncodingDifference::SourceSize { left: size, right: size_r });
            }
            if check_source != check_r {
                found.push(EncodingDifference::HeaderFlags);
            }
        }
        _ => {}
    }
    found
}
