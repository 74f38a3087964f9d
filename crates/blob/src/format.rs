//! The layout (`docs/blob.md`): a head, payloads, the index and a tail. All numbers are little
//! endian. One place for offsets, which `read` and `write` share.

/// Version of the format. A reader takes its own version only.
pub const VERSION: u32 = 1;

/// Every blob starts with this: no text, and a line end that a conversion of text would change.
pub(crate) const MAGIC: [u8; 8] = *b"\x8bBKBLOB\n";

/// Magic, version, four zeros.
pub(crate) const HEAD_LENGTH: usize = 16;

/// Payloads begin at multiples of this, and so does the index.
pub(crate) const ALIGNMENT: usize = 16;

/// Length of the header of a `.pyc`; the marshalled code follows it.
pub(crate) const PYC_HEADER_LENGTH: usize = 16;

/// A module of the index.
pub(crate) mod module {
    pub(crate) const NAME: usize = 0; // u32: offset in the names
    pub(crate) const ORIGIN: usize = 4; // u32: offset in the names
    pub(crate) const NAME_LENGTH: usize = 8; // u16
    pub(crate) const ORIGIN_LENGTH: usize = 10; // u16: 0 if the origin follows from the name
    pub(crate) const KIND: usize = 12; // u8
    pub(crate) const FLAGS: usize = 13; // u8
    pub(crate) const ZERO: usize = 14; // u16
    pub(crate) const PYC: usize = 16; // u64
    pub(crate) const SOURCE: usize = 24; // u64
    pub(crate) const PYC_LENGTH: usize = 32; // u32
    pub(crate) const SOURCE_LENGTH: usize = 36; // u32
    pub(crate) const PYC_DIGEST: usize = 40; // u64
    pub(crate) const SOURCE_DIGEST: usize = 48; // u64
    pub(crate) const LENGTH: usize = 56;

    /// Flag: the text of the source is there.
    pub(crate) const HAS_SOURCE: u8 = 1;
}

/// A data file of the index.
pub(crate) mod data {
    pub(crate) const PATH: usize = 0; // u32: offset in the names
    pub(crate) const PATH_LENGTH: usize = 4; // u16
    pub(crate) const ZERO: usize = 6; // u16
    pub(crate) const BYTES: usize = 8; // u64
    pub(crate) const BYTES_LENGTH: usize = 16; // u64
    pub(crate) const DIGEST: usize = 24; // u64
    pub(crate) const LENGTH: usize = 32;
}

/// The last bytes.
pub(crate) mod tail {
    pub(crate) const PYC_MAGIC: usize = 0; // four bytes as a `.pyc` begins
    pub(crate) const OPTIMIZATION: usize = 4; // u8
    pub(crate) const CACHE_TAG_LENGTH: usize = 5; // u8
    pub(crate) const ZERO: usize = 6; // u16
    pub(crate) const CACHE_TAG: usize = 8; // zeros after it
    pub(crate) const CACHE_TAG_ROOM: usize = 24;
    pub(crate) const INDEX: usize = 32; // u64
    pub(crate) const BLOB_LENGTH: usize = 40; // u64
    pub(crate) const MODULES: usize = 48; // u32
    pub(crate) const DATA: usize = 52; // u32
    pub(crate) const DIGEST: usize = 56; // u64: of all from the index up to here
    pub(crate) const LENGTH: usize = 64;
}

/// The first four bytes of a `.pyc` with this magic number.
pub(crate) fn pyc_magic(magic_number: u16) -> [u8; 4] {
    let [low, high] = magic_number.to_le_bytes();
    [low, high, b'\r', b'\n']
}

/// Some bytes at an offset of a record; `None` past its end.
pub(crate) fn bytes<const N: usize>(record: &[u8], offset: usize) -> Option<[u8; N]> {
    record.get(offset..)?.first_chunk().copied()
}

/// A number of two bytes at an offset of a record.
pub(crate) fn u16(record: &[u8], offset: usize) -> Option<u16> {
    bytes(record, offset).map(u16::from_le_bytes)
}

/// A number of four bytes at an offset of a record.
pub(crate) fn u32(record: &[u8], offset: usize) -> Option<u32> {
    bytes(record, offset).map(u32::from_le_bytes)
}

/// A number of eight bytes at an offset of a record.
pub(crate) fn u64(record: &[u8], offset: usize) -> Option<u64> {
    bytes(record, offset).map(u64::from_le_bytes)
}
