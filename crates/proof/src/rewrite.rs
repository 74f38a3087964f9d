//! Rewrites a `.pyc` of any tool into the canonical form, without change of meaning: what cannot be
//! proved to mean the same is refused, and what its own importer would not load is never made
//! loadable. Knows nothing of where caches and sources lie.

mod values;

use bytekiln_codec::{
    CanonicalOptions, CodeField, DecodeError, Expectation, HEADER_LENGTH, Header, HeaderError,
    Limits, NanPolicy, Object, SourceHash, Tree, ValidateError, Validation, canonicalize, decode,
    source_hash, validate,
};
use bytekiln_python::{InvalidationMode, Release};

pub use values::ValueFault;

/// A cache, and what its importer would have at hand.
#[derive(Debug, Clone, Copy)]
pub struct RewriteRequest<'a> {
    /// The cache.
    pub pyc: &'a [u8],
    /// What the importer compares it with.
    pub source: RewriteSource<'a>,
    /// What kind of header is wanted.
    pub mode: RewriteMode,
    /// The `co_filename` wanted for the module, as in [`CanonicalOptions::recorded_path`]; `None`
    /// keeps the one it has.
    pub recorded_path: Option<&'a [u8]>,
    /// What to refuse.
    pub limits: Limits,
}

/// The source of a cache.
#[derive(Debug, Clone, Copy)]
pub enum RewriteSource<'a> {
    /// This one.
    Present {
        /// The text.
        bytes: &'a [u8],
        /// When it was modified: seconds since 1970, and nanoseconds.
        mtime: (i64, i64),
    },
    /// There is none, and without it the importer does not look at the cache: `__pycache__`.
    Missing,
    /// There is none, and none is needed: `m.pyc` without `m.py`. Its header is kept.
    Sourceless,
}

/// What kind of header is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewriteMode {
    /// Hash-based (PEP 552), of this mode.
    Hash(InvalidationMode),
    /// The one that is there, timestamps too.
    Keep,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rewrite {
    /// It is as wanted already.
    Unchanged,
    /// It is to be replaced by this.
    Replaced(Replacement),
}

/// A cache that means the same as the one it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The header is another.
    pub header: bool,
    /// The recorded path is another.
    pub recorded_path: bool,
}

/// Why a cache is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RewriteRefusal {
    /// It has no header.
    Header(HeaderError),
    /// It is of an interpreter that is no final CPython known to us; carries the magic number.
    Foreign(u16),
    /// Its importer would not load it, or would load it although its source is another.
    Stale(Staleness),
    /// Its payload is no code object.
    Payload(DecodeError),
    /// The rewrite was made and does not mean the same. A fault of ours.
    NotTheSame(ValueFault),
    /// The rewrite was made and its canonical form is another. A fault of ours.
    OtherCanonicalForm,
    /// The rewrite was made and is not valid. A fault of ours.
    NotValid(ValidateError),
}

/// In what a cache and its source disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// There is no source.
    SourceMissing,
    /// The source has another length.
    Size {
        /// In the header.
        recorded: u32,
        /// Of the source, modulo 2^32.
        found: u32,
    },
    /// The source was modified at another time.
    Mtime {
        /// In the header.
        recorded: u32,
        /// Of the source, modulo 2^32.
        found: u32,
    },
    /// The source has another hash. CPython loads the cache nevertheless if the mode is unchecked.
    Hash {
        /// Whether CPython would see it.
        mode: InvalidationMode,
        /// In the header.
        recorded: SourceHash,
        /// Of the source.
        found: SourceHash,
    },
}

/// Brings a cache into the canonical form and the wanted mode.
///
/// Before it is given out, the new cache has been compared with the old one in two ways that have
/// nothing but the decoder in common: by their canonical forms under one path, and value by value.
pub fn rewrite(request: &RewriteRequest<'_>) -> Result<Rewrite, RewriteRefusal> {
    let header = Header::parse(request.pyc).map_err(RewriteRefusal::Header)?;
    let release = header.release().ok_or(RewriteRefusal::Foreign(header.magic))?;
    let new_header = wanted_header(request, &header, release)?;
    let payload = request.pyc.get(HEADER_LENGTH..).unwrap_or_default();
    let old = decode(payload, release, &request.limits).map_err(RewriteRefusal::Payload)?;
    let old_path = file_name(&old);
    let path = request.recorded_path.unwrap_or(&old_path);
    let options = CanonicalOptions {
        release,
        recorded_path: path,
        limits: request.limits,
        nans: NanPolicy::Kept,
    };
    let canonical = canonicalize(payload, &options).map_err(RewriteRefusal::Payload)?;
    if canonical == payload && new_header == header {
        return Ok(Rewrite::Unchanged);
    }
    let new = decode(&canonical, release, &request.limits).map_err(RewriteRefusal::Payload)?;
    values::check_same(&old, &new, [&old_path, path], payload.len())
        .map_err(RewriteRefusal::NotTheSame)?;
    let mut bytes = Vec::with_capacity(HEADER_LENGTH + canonical.len());
    bytes.extend_from_slice(&new_header.to_bytes());
    bytes.extend_from_slice(&canonical);
    check_form(&bytes, &new_header, &options)?;
    let replacement =
        Replacement { bytes, header: new_header != header, recorded_path: *path != *old_path };
    Ok(Rewrite::Replaced(replacement))
}

/// Reads the new cache as if it came from elsewhere: its header is the wanted one, and its
/// canonical form is itself. As it was made as the canonical form of the old one under the same
/// path, both then have one canonical form.
fn check_form(
    pyc: &[u8],
    header: &Header,
    options: &CanonicalOptions<'_>,
) -> Result<(), RewriteRefusal> {
    let CanonicalOptions { release, recorded_path, limits, .. } = *options;
    if let Validation::Hash { mode, source_hash } = header.validation {
        let recorded_path = Some(recorded_path);
        let expectation = Expectation { release, mode, source_hash, recorded_path, limits };
        return validate(pyc, &expectation).map_err(RewriteRefusal::NotValid);
    }
    let payload = pyc.get(HEADER_LENGTH..).unwrap_or_default();
    let form = canonicalize(payload, options).map_err(RewriteRefusal::Payload)?;
    if form == payload && Header::parse(pyc).as_ref() == Ok(header) {
        Ok(())
    } else {
        Err(RewriteRefusal::OtherCanonicalForm)
    }
}

/// The header that the cache is to have; refuses to give one to a cache of another source.
fn wanted_header(
    request: &RewriteRequest<'_>,
    header: &Header,
    release: Release,
) -> Result<Header, RewriteRefusal> {
    let stale = |staleness| Err(RewriteRefusal::Stale(staleness));
    let (source, mtime) = match request.source {
        RewriteSource::Sourceless => return Ok(*header),
        RewriteSource::Missing => return stale(Staleness::SourceMissing),
        RewriteSource::Present { bytes, mtime } => (bytes, mtime),
    };
    let found = match header.validation {
        Validation::Timestamp { mtime: recorded_mtime, size: recorded_size, .. } => {
            // Both modulo 2^32, as CPython has them in the header.
            let (size, mtime) = (source.len() as u32, importer_mtime(mtime) as u32);
            if recorded_mtime != mtime {
                return stale(Staleness::Mtime { recorded: recorded_mtime, found: mtime });
            }
            if recorded_size != size {
                return stale(Staleness::Size { recorded: recorded_size, found: size });
            }
            if request.mode == RewriteMode::Keep {
                return Ok(*header);
            }
            source_hash(release, source)
        }
        Validation::Hash { mode, source_hash: recorded } => {
            let found = source_hash(release, source);
            if recorded != found {
                return stale(Staleness::Hash { mode, recorded, found });
            }
            found
        }
    };
    match request.mode {
        RewriteMode::Keep => Ok(*header),
        RewriteMode::Hash(mode) => Ok(Header::hash_based(release, mode, found)),
    }
}

/// `int(os.stat(source).st_mtime)`, which is what importer and `py_compile` use: the double
/// rounds up the last 120 nanoseconds of a second.
fn importer_mtime((seconds, nanoseconds): (i64, i64)) -> i64 {
    (seconds as f64 + 1e-9 * nanoseconds as f64) as i64
}

/// `co_filename` of the module as marshal's UTF-8.
fn file_name(tree: &Tree<'_>) -> Vec<u8> {
    let Object::Code(module) = tree.get(tree.root()) else { return Vec::new() };
    module
        .field(CodeField::Filename)
        .map(|name| values::utf8(&tree.get(name)).into_owned())
        .unwrap_or_default()
}

impl std::fmt::Display for RewriteRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RewriteRefusal::Header(error) => error.fmt(f),
            RewriteRefusal::Foreign(magic) => {
                write!(f, "magic number {magic} is of no final CPython from 3.8 to 3.15")
            }
            RewriteRefusal::Stale(staleness) => staleness.fmt(f),
            RewriteRefusal::Payload(error) => error.fmt(f),
            RewriteRefusal::NotTheSame(fault) => {
                write!(f, "the rewritten cache does not mean the same: {fault}")
            }
            RewriteRefusal::OtherCanonicalForm => {
                f.write_str("the rewritten cache has another canonical form")
            }
            RewriteRefusal::NotValid(error) => {
                write!(f, "the rewritten cache is not valid: {error}")
            }
        }
    }
}

impl std::error::Error for RewriteRefusal {}

impl std::fmt::Display for Staleness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Staleness::SourceMissing => f.write_str("its source is not there"),
            Staleness::Size { recorded, found } => {
                write!(f, "it was compiled from {recorded} bytes, its source has {found}")
            }
            Staleness::Mtime { recorded, found } => write!(
                f,
                "it was compiled from a source modified at {recorded}, its source was at {found}"
            ),
            Staleness::Hash { mode, recorded, found } => {
                write!(f, "it was compiled from source hash {recorded}, its source has {found}")?;
                match mode {
                    InvalidationMode::CheckedHash => Ok(()),
                    InvalidationMode::UncheckedHash => {
                        f.write_str("; Python loads it nevertheless, its mode is unchecked-hash")
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
