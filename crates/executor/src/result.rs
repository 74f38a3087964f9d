//! From what a compiler made to what is published: the only file of this crate that knows what is in a
//! cache.

use bytekiln_action::Action;
use bytekiln_codec::{
    CanonicalOptions, Expectation, HEADER_LENGTH, Header, Limits, NanPolicy, SourceHash,
    Validation, assemble, canonicalize, source_hash, validate,
};

/// Brings a payload to its canonical form and puts the header before it. The error says what is
/// wrong. That a canonical form is its own canonical form is the codec's promise, tested on every
/// corpus and fuzzed; builds without optimisation check it on each result, others would pay a
/// thirtieth of a cold build for it.
pub(crate) fn canonical_pyc(
    action: &Action,
    source: &[u8],
    payload: &[u8],
) -> Result<Vec<u8>, String> {
    let release = action.toolchain.release;
    let options = CanonicalOptions {
        release,
        recorded_path: action.recorded_path.as_bytes(),
        limits: Limits::default(),
        nans: NanPolicy::Kept,
    };
    let canonical = canonicalize(payload, &options).map_err(|error| error.to_string())?;
    let source_hash = source_hash(release, source);
    let pyc = assemble(release, action.mode, source_hash, &canonical);
    if cfg!(debug_assertions) {
        check_pyc(action, source_hash, &pyc)?;
    }
    Ok(pyc)
}

/// Whether these bytes are a canonical result of this action, on a source with this hash.
pub(crate) fn check_pyc(
    action: &Action,
    source_hash: SourceHash,
    pyc: &[u8],
) -> Result<(), String> {
    let release = action.toolchain.release;
    let expectation = Expectation {
        release,
        mode: action.mode,
        source_hash,
        recorded_path: Some(action.recorded_path.as_bytes()),
        limits: Limits::default(),
    };
    validate(pyc, &expectation).map_err(|error| error.to_string())
}

/// The payload of a `.pyc` that another machine sent, if it is a canonical result of this action on
/// this source.
pub(crate) fn sent_payload<'p>(
    action: &Action,
    source: &[u8],
    pyc: &'p [u8],
) -> Result<&'p [u8], String> {
    check_pyc(action, source_hash(action.toolchain.release, source), pyc)?;
    pyc.get(HEADER_LENGTH..).ok_or_else(|| "it ends in its header".to_owned())
}

/// Whether the beginning of a file is the header of such a result. For files whose digest was
/// recorded by us and has been checked: the digest vouches for the rest.
pub(crate) fn check_header(action: &Action, beginning: &[u8]) -> Result<(), String> {
    let header = Header::parse(beginning).map_err(|error| error.to_string())?;
    let mode = match header.validation {
        Validation::Hash { mode, .. } => Some(mode),
        Validation::Timestamp { .. } => None,
    };
    if header.release() != Some(action.toolchain.release) || mode != Some(action.mode) {
        return Err("its header is of another release or invalidation mode".to_owned());
    }
    Ok(())
}
