//! Brings one cache to its canonical form: `canonicalize FILE RECORDED_PATH OUTPUT`. Keeps the mode
//! and the source hash of a hash-based cache; makes an unchecked one of any other.

use std::error::Error;

use bytekiln_codec::{
    CanonicalOptions, HEADER_LENGTH, Header, Limits, NanPolicy, SourceHash, Validation, assemble,
    canonicalize,
};
use bytekiln_python::InvalidationMode;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, recorded_path, output] = arguments.as_slice() else {
        return Err("usage: canonicalize FILE RECORDED_PATH OUTPUT".into());
    };
    let pyc = std::fs::read(file)?;
    let header = Header::parse(&pyc)?;
    let release = header.release().ok_or("a magic number of no final release")?;
    let options = CanonicalOptions {
        release,
        recorded_path: recorded_path.as_bytes(),
        limits: Limits::default(),
        nans: NanPolicy::Kept,
    };
    let payload = canonicalize(&pyc[HEADER_LENGTH..], &options)?;
    // Nobody reads the hash of an unchecked cache.
    let (mode, source_hash) = match header.validation {
        Validation::Hash { mode, source_hash } => (mode, source_hash),
        Validation::Timestamp { .. } => (InvalidationMode::UncheckedHash, SourceHash([0; 8])),
    };
    std::fs::write(output, assemble(release, mode, source_hash, &payload))?;
    Ok(())
}
