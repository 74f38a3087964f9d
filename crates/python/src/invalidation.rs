//! The hash-based invalidation modes of PEP 552. Timestamps are not a mode that Bytekiln writes.

/// How CPython decides at import whether a cache still belongs to its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InvalidationMode {
    /// Flags 3: the importer hashes the source and compares. Right for trees that change.
    CheckedHash,
    /// Flags 1: the importer trusts the cache. Right only where the source cannot change.
    UncheckedHash,
}

impl InvalidationMode {
    /// The `flags` word of the `.pyc` header.
    pub fn header_flags(self) -> u32 {
        match self {
            InvalidationMode::CheckedHash => 3,
            InvalidationMode::UncheckedHash => 1,
        }
    }

    /// As spelled by `py_compile --invalidation-mode` and in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            InvalidationMode::CheckedHash => "checked-hash",
            InvalidationMode::UncheckedHash => "unchecked-hash",
        }
    }

    /// The inverse of [`InvalidationMode::as_str`].
    pub fn parse(text: &str) -> Option<InvalidationMode> {
        match text {
            "checked-hash" => Some(InvalidationMode::CheckedHash),
            "unchecked-hash" => Some(InvalidationMode::UncheckedHash),
            _ => None,
        }
    }
}

impl std::fmt::Display for InvalidationMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
