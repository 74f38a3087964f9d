//! Says whether a cache is the canonical one of its source, under whatever path:
//! `check CACHE SOURCE`.

use std::error::Error;

use bytekiln_codec::{Expectation, Header, Limits, Validation, source_hash, validate};

#[expect(clippy::print_stdout, reason = "an example that prints what it found")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cache, source] = arguments.as_slice() else {
        return Err("usage: check CACHE SOURCE".into());
    };
    let pyc = std::fs::read(cache)?;
    let header = Header::parse(&pyc)?;
    let release = header.release().ok_or("a magic number of no final release")?;
    let Validation::Hash { mode, .. } = header.validation else {
        return Err("validated by timestamp, which no canonical cache is".into());
    };
    let expectation = Expectation {
        release,
        mode,
        source_hash: source_hash(release, &std::fs::read(source)?),
        recorded_path: None,
        limits: Limits::default(),
    };
    validate(&pyc, &expectation)?;
    println!("{cache} is canonical, and of {source}");
    Ok(())
}
