//! A whole `.pyc` as the codec reads it: header, release, payload. Knows nothing of what is done with it.

use bytekiln_codec::{
    DecodeError, HEADER_LENGTH, Header, HeaderError, Limits, Object, Tree, decode,
};
use bytekiln_python::Release;

/// Why bytes are no `.pyc` that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// No header.
    Header(HeaderError),
    /// A magic number of no final release from 3.8 to 3.15.
    UnknownMagic(u16),
    /// No payload of that release.
    Payload(DecodeError),
    /// The payload is another object.
    NotCode,
}

/// A `.pyc` that was read.
pub(crate) struct Pyc<'a> {
    pub(crate) header: Header,
    pub(crate) release: Release,
    pub(crate) tree: Tree<'a>,
}

impl<'a> Pyc<'a> {
    pub(crate) fn read(bytes: &'a [u8], limits: &Limits) -> Result<Pyc<'a>, ReadError> {
        let (header, release) = read_header(bytes)?;
        let payload = bytes.get(HEADER_LENGTH..).unwrap_or_default();
        let tree = decode(payload, release, limits).map_err(ReadError::Payload)?;
        if !matches!(tree.get(tree.root()), Object::Code(_)) {
            return Err(ReadError::NotCode);
        }
        Ok(Pyc { header, release, tree })
    }
}

pub(crate) fn read_header(bytes: &[u8]) -> Result<(Header, Release), ReadError> {
    let header = Header::parse(bytes).map_err(ReadError::Header)?;
    let release = header.release().ok_or(ReadError::UnknownMagic(header.magic))?;
    Ok((header, release))
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReadError::Header(error) => error.fmt(f),
            ReadError::UnknownMagic(magic) => write!(
                f,
                "magic number {magic} of no final CPython from {} to {}",
                Release::OLDEST,
                Release::NEWEST
            ),
            ReadError::Payload(error) => error.fmt(f),
            ReadError::NotCode => f.write_str("payload is not a code object"),
        }
    }
}

impl std::error::Error for ReadError {}
