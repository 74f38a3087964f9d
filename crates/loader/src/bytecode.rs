//! The two questions that importers ask about the bytes of a cache: is this a header of ours, and
//! is that a code object. Knows nothing of sources.

use bytekiln_codec::{CodeField, DecodeErrorKind, Limits, Object, decode};
use bytekiln_python::Release;

use crate::Reason;

const HEADER: usize = bytekiln_codec::HEADER_LENGTH;

/// What a header of the right release says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// Flags 0 and 2.
    Timestamp { mtime: u32, size: u32 },
    /// Flags 1 and 3.
    Hash { checked: bool, hash: [u8; 8] },
}

/// `_classify_pyc`, in its order: magic number, then length, then flags. All but
/// [`Reason::ShortHeader`], an `EOFError`, are an `ImportError`.
pub(crate) fn classify(data: &[u8], release: Release) -> Result<Header, Reason> {
    let magic = data.get(..4).unwrap_or(data);
    if magic != release.magic_bytes() {
        return Err(Reason::WrongMagic(magic.to_vec()));
    }
    let Some(&[_, _, _, _, f0, f1, f2, f3, v0, v1, v2, v3, v4, v5, v6, v7]) =
        data.first_chunk::<HEADER>()
    else {
        return Err(Reason::ShortHeader(data.len()));
    };
    match u32::from_le_bytes([f0, f1, f2, f3]) {
        0 | 2 => Ok(Header::Timestamp {
            mtime: u32::from_le_bytes([v0, v1, v2, v3]),
            size: u32::from_le_bytes([v4, v5, v6, v7]),
        }),
        flags @ (1 | 3) => {
            Ok(Header::Hash { checked: flags == 3, hash: [v0, v1, v2, v3, v4, v5, v6, v7] })
        }
        flags => Err(Reason::BadFlags(flags)),
    }
}

/// Unmarshals what follows the header: `co_filename`, or why there is none.
pub(crate) fn recorded_path(data: &[u8], release: Release) -> Result<Vec<u8>, Reason> {
    let payload = data.get(HEADER..).unwrap_or_default();
    let limits = Limits::default();
    let tree = match decode(payload, release, &limits) {
        // CPython reads one object and ignores what follows it.
        Err(error) if error.kind == DecodeErrorKind::TrailingBytes => {
            let end = error.offset.unwrap_or(payload.len());
            decode(payload.get(..end).unwrap_or(payload), release, &limits)
        }
        other => other,
    };
    let tree = match tree {
        Ok(tree) => tree,
        Err(error) if error.kind == DecodeErrorKind::Truncated => {
            return Err(Reason::TruncatedBody);
        }
        Err(error) => return Err(Reason::DamagedBody(error.to_string())),
    };
    let Object::Code(code) = tree.get(tree.root()) else { return Err(Reason::NotCode) };
    let filename = code.field(CodeField::Filename).map(|id| tree.get(tree.resolve(id)));
    match filename {
        Some(Object::Text { bytes, latin1: false, .. }) => Ok(bytes.to_vec()),
        Some(Object::Text { bytes, latin1: true, .. }) => {
            Ok(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes())
        }
        _ => Err(Reason::NotCode),
    }
}
