//! The sixteen bytes before the marshal payload (PEP 552): magic number, flags, and either a
//! timestamp and size or a source hash.

use bytekiln_python::{InvalidationMode, Release};

use crate::SourceHash;

/// Length of the header since 3.7, in bytes.
pub const HEADER_LENGTH: usize = 16;

/// How the importer is to tell a stale cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validation {
    /// By modification time and size of the source. Never written by Bytekiln.
    Timestamp {
        /// Seconds since 1970, modulo 2^32.
        mtime: u32,
        /// Length of the source, modulo 2^32.
        size: u32,
        /// Flags 2 instead of 0: CPython accepts it and ignores the bit.
        check_source: bool,
    },
    /// By the source's hash, or not at all.
    Hash {
        /// Whether the importer compares.
        mode: InvalidationMode,
        /// What it compares with.
        source_hash: SourceHash,
    },
}

/// The header of a `.pyc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Low 16 bits of the magic number; [`Release::from_magic`] says whose it is.
    pub magic: u16,
    /// What follows the magic number.
    pub validation: Validation,
}

/// Why sixteen bytes are no header.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// Fewer than [`HEADER_LENGTH`] bytes; carries how many.
    Truncated(usize),
    /// Bytes 2 and 3 are not `\r\n`.
    NotPyc,
    /// Flags with bits that PEP 552 does not define; CPython refuses to import these.
    UnknownFlags(u32),
}

impl Header {
    /// Reads the header at the start of `bytes`; what follows it is not looked at.
    pub fn parse(bytes: &[u8]) -> Result<Header, HeaderError> {
        let Some(&[m0, m1, cr, lf, f0, f1, f2, f3, v0, v1, v2, v3, v4, v5, v6, v7]) =
            bytes.first_chunk::<HEADER_LENGTH>()
        else {
            return Err(HeaderError::Truncated(bytes.len()));
        };
        if [cr, lf] != *b"\r\n" {
            return Err(HeaderError::NotPyc);
        }
        let hash = |mode| Validation::Hash {
            mode,
            source_hash: SourceHash([v0, v1, v2, v3, v4, v5, v6, v7]),
        };
        let validation = match u32::from_le_bytes([f0, f1, f2, f3]) {
            flags @ (0 | 2) => Validation::Timestamp {
                mtime: u32::from_le_bytes([v0, v1, v2, v3]),
                size: u32::from_le_bytes([v4, v5, v6, v7]),
                check_source: flags == 2,
            },
            1 => hash(InvalidationMode::UncheckedHash),
            3 => hash(InvalidationMode::CheckedHash),
            flags => return Err(HeaderError::UnknownFlags(flags)),
        };
        Ok(Header { magic: u16::from_le_bytes([m0, m1]), validation })
    }

    /// The header of a hash-based cache.
    pub fn hash_based(release: Release, mode: InvalidationMode, source_hash: SourceHash) -> Header {
        Header { magic: release.magic(), validation: Validation::Hash { mode, source_hash } }
    }

    /// The bytes that [`Header::parse`] reads.
    pub fn to_bytes(&self) -> [u8; HEADER_LENGTH] {
        let (flags, value) = match self.validation {
            Validation::Timestamp { mtime, size, check_source } => {
                let value = u64::from(mtime) | u64::from(size) << 32;
                (if check_source { 2 } else { 0 }, value.to_le_bytes())
            }
            Validation::Hash { mode, source_hash } => (mode.header_flags(), source_hash.0),
        };
        let mut bytes = [0; HEADER_LENGTH];
        bytes[..2].copy_from_slice(&self.magic.to_le_bytes());
        bytes[2..4].copy_from_slice(b"\r\n");
        bytes[4..8].copy_from_slice(&flags.to_le_bytes());
        bytes[8..].copy_from_slice(&value);
        bytes
    }

    /// The release that wrote it; `None` for unknown and pre-release magic numbers.
    pub fn release(&self) -> Option<Release> {
        Release::from_magic(self.magic)
    }
}

impl std::fmt::Display for HeaderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HeaderError::Truncated(length) => {
                write!(f, "header of {HEADER_LENGTH} bytes expected, {length} found")
            }
            HeaderError::NotPyc => f.write_str("not a `.pyc`: no magic number at its start"),
            HeaderError::UnknownFlags(flags) => write!(f, "unknown header flags {flags:#x}"),
        }
    }
}

impl std::error::Error for HeaderError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_header_round_trips() {
        for flags in 0..=8_u32 {
            let mut bytes = *b"\xa7\x0d\r\n\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08";
            bytes[4..8].copy_from_slice(&flags.to_le_bytes());
            match Header::parse(&bytes) {
                Ok(header) => {
                    assert!(flags <= 3);
                    assert_eq!(header.to_bytes(), bytes);
                    assert_eq!(header.release().map(Release::minor), Some(11));
                }
                Err(error) => {
                    assert!(flags > 3);
                    assert_eq!(error, HeaderError::UnknownFlags(flags));
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_header() {
        assert_eq!(Header::parse(&[0; 15]), Err(HeaderError::Truncated(15)));
        assert_eq!(Header::parse(&[0; 16]), Err(HeaderError::NotPyc));
        let high_bit = b"\xa7\x0d\r\n\x01\0\0\x80\0\0\0\0\0\0\0\0";
        assert_eq!(Header::parse(high_bit), Err(HeaderError::UnknownFlags(0x8000_0001)));
    }
}
