//! The table of releases. A new CPython is a new row here. Magic numbers are those of final
//! releases (`Include/internal/pycore_magic_number.h`, before 3.14 `importlib/_bootstrap_external.py`);
//! pre-releases are refused, because their bytecode was never frozen.

/// Which SipHash CPython was built with for `source_hash` (PEP 552). Fixed per release and
/// independent of `--with-hash-algorithm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceHashAlgorithm {
    /// SipHash-2-4, up to 3.10.
    SipHash24,
    /// SipHash-1-3, from 3.11.
    SipHash13,
}

/// A CPython feature release, 3.8 to 3.15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    minor: u8,
}

struct Row {
    minor: u8,
    magic: u16,
    marshal_version: u8,
    source_hash: SourceHashAlgorithm,
}

const ROWS: [Row; 8] = {
    use SourceHashAlgorithm::{SipHash13, SipHash24};
    [
        Row { minor: 8, magic: 3413, marshal_version: 4, source_hash: SipHash24 },
        Row { minor: 9, magic: 3425, marshal_version: 4, source_hash: SipHash24 },
        Row { minor: 10, magic: 3439, marshal_version: 4, source_hash: SipHash24 },
        Row { minor: 11, magic: 3495, marshal_version: 4, source_hash: SipHash13 },
        Row { minor: 12, magic: 3531, marshal_version: 4, source_hash: SipHash13 },
        Row { minor: 13, magic: 3571, marshal_version: 4, source_hash: SipHash13 },
        Row { minor: 14, magic: 3627, marshal_version: 5, source_hash: SipHash13 },
        Row { minor: 15, magic: 3666, marshal_version: 6, source_hash: SipHash13 },
    ]
};

impl Release {
    /// The oldest release that can be a target.
    pub const OLDEST: Release = Release { minor: 8 };
    /// The newest release that can be a target.
    pub const NEWEST: Release = Release { minor: 15 };

    /// All releases, oldest first.
    pub fn all() -> impl Iterator<Item = Release> {
        ROWS.iter().map(|row| Release { minor: row.minor })
    }

    /// The release 3.`minor`, if it is one we know.
    pub fn from_minor(minor: u8) -> Option<Release> {
        ROWS.iter().find(|row| row.minor == minor).map(|row| Release { minor: row.minor })
    }

    /// The release whose final magic number this is.
    pub fn from_magic(magic: u16) -> Option<Release> {
        ROWS.iter().find(|row| row.magic == magic).map(|row| Release { minor: row.minor })
    }

    /// `11` for 3.11.
    pub fn minor(self) -> u8 {
        self.minor
    }

    /// The low 16 bits of the magic number, e.g. 3495.
    pub fn magic(self) -> u16 {
        self.row().magic
    }

    /// The four bytes that open a `.pyc`: the magic number, little-endian, then `\r\n`.
    pub fn magic_bytes(self) -> [u8; 4] {
        let [low, high] = self.magic().to_le_bytes();
        [low, high, b'\r', b'\n']
    }

    /// `marshal.version` that this release writes.
    pub fn marshal_version(self) -> u8 {
        self.row().marshal_version
    }

    /// The hash behind `importlib.util.source_hash`.
    pub fn source_hash_algorithm(self) -> SourceHashAlgorithm {
        self.row().source_hash
    }

    fn row(self) -> &'static Row {
        let Some(row) = ROWS.iter().find(|row| row.minor == self.minor) else {
            unreachable!("a Release is only made from a row of the table")
        };
        row
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "3.{}", self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_ascending_and_distinct() {
        let minors: Vec<u8> = Release::all().map(Release::minor).collect();
        assert_eq!(minors, (8..=15).collect::<Vec<u8>>());
        for release in Release::all() {
            assert_eq!(Release::from_magic(release.magic()), Some(release));
        }
        assert_eq!(Release::from_magic(3494), None, "pre-release magic numbers are refused");
    }

    #[test]
    fn magic_bytes_of_3_11() {
        let release = Release::from_minor(11).expect("3.11 is in the table");
        assert_eq!(release.magic_bytes(), [0xa7, 0x0d, 0x0d, 0x0a]);
    }
}
