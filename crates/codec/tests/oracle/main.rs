//! The real interpreters as oracles: each compiles its own standard library in many ways, and all
//! of them must come to one canonical form that loads as what was compiled. A slice of the library
//! by default, all of it with `BYTEKILN_FULL=1`.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says which interpreters it used"
)]

mod builds;
mod corpora;
mod hashes;
mod interpreters;
mod library;
mod loads;
mod process;
mod routes;
#[path = "../format/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;
use std::path::Path;

use bytekiln_codec::{
    CanonicalOptions, Expectation, Limits, NanPolicy, assemble, canonicalize, decode, encode,
    source_hash, validate,
};
use bytekiln_python::{InvalidationMode, Release};
use process::{Compiled, Process};

/// Files of each standard library that are compiled by default.
const FILES: usize = 150;

fn check_release(minor: u8) {
    let release = Release::from_minor(minor).expect("a known release");
    let found = interpreters::find(minor);
    if found.is_empty() {
        interpreters::missing(minor);
    }
    for interpreter in found {
        check_folder(&interpreter, release, if is_full() { 0 } else { FILES }, None);
    }
}

/// Whether all there is to compile is compiled.
fn is_full() -> bool {
    std::env::var_os("BYTEKILN_FULL").is_some_and(|value| value == "1")
}

/// Compiles `files` modules of a folder, or of the standard library, in two processes.
fn check_folder(interpreter: &Path, release: Release, files: usize, folder: Option<&Path>) {
    let forward = canonical_forms(interpreter, release, files, "forward", folder);
    // Another process, another hash seed, another history.
    let backward = canonical_forms(interpreter, release, files / 2, "backward", folder);
    let common = backward.iter().filter(|(path, _)| forward.contains_key(*path));
    let mut compared = 0;
    for (path, canonical) in common {
        assert!(forward.get(path) == Some(canonical), "{path} depends on the process");
        compared += 1;
    }
    println!(
        "{}: {} files, {compared} of them in two processes",
        interpreter.display(),
        forward.len()
    );
    assert!(forward.len() >= files.max(FILES) / 4 && compared >= files.max(FILES) / 8);
}

fn canonical_forms(
    interpreter: &Path,
    release: Release,
    files: usize,
    order: &str,
    folder: Option<&Path>,
) -> BTreeMap<String, Vec<u8>> {
    let mut process = Process::start(interpreter, release, files, order, folder);
    // The second implementation is slow; the lesser half of the files will do.
    let mut second = (order == "backward").then(|| Process::second_implementation(interpreter));
    let mut all = BTreeMap::new();
    let (mut raw_bytes, mut canonical_bytes) = (0, 0);
    while let Some(compiled) = process.next() {
        let canonical = check_file(release, &compiled);
        let verdict = process.judge(&canonical);
        assert_eq!(verdict, "", "{} of {}", compiled.path, interpreter.display());
        if let Some(second) = &mut second {
            let (path, raw) = (&compiled.path, &compiled.variants[0]);
            let options = options(release, path.as_bytes(), NanPolicy::Kept);
            assert!(second.canonicalize(&options, raw) == canonical, "{path}");
        }
        raw_bytes += compiled.variants[0].len();
        canonical_bytes += canonical.len();
        all.insert(compiled.path, canonical);
    }
    assert!(canonical_bytes <= raw_bytes, "{canonical_bytes} of {raw_bytes} bytes");
    all
}

fn options(release: Release, recorded_path: &[u8], nans: NanPolicy) -> CanonicalOptions<'_> {
    CanonicalOptions { release, recorded_path, limits: Limits::default(), nans }
}

/// Checks all variants of a file against one another; their canonical form.
fn check_file(release: Release, compiled: &Compiled) -> Vec<u8> {
    let path = &compiled.path;
    let limits = Limits::default();
    let options =
        CanonicalOptions { release, recorded_path: path.as_bytes(), limits, nans: NanPolicy::Kept };
    let mut canonical: Option<Vec<u8>> = None;
    for (index, variant) in compiled.variants.iter().enumerate() {
        let tree = decode(variant, release, &limits)
            .unwrap_or_else(|error| panic!("{path}, variant {index}: {error}"));
        assert!(encode(&tree) == *variant, "{path}, variant {index} is not kept by encoding");
        let form = canonicalize(variant, &options)
            .unwrap_or_else(|error| panic!("{path}, variant {index}: {error}"));
        let first = canonical.get_or_insert_with(|| form.clone());
        assert!(*first == form, "{path}, variant {index} has another canonical form");
    }
    let canonical = canonical.expect("at least one variant");
    assert!(canonicalize(&canonical, &options).as_ref() == Ok(&canonical), "{path}");
    let raw = compiled.variants[0].len();
    // A short string that CPython left twice becomes a reference, which may be longer.
    assert!(canonical.len() <= raw + raw / 100 + 16, "{path}: {} of {raw}", canonical.len());

    let source_hash = source_hash(release, &compiled.source);
    assert_eq!(source_hash.0.as_slice(), compiled.source_hash, "{path}");
    let mode = InvalidationMode::CheckedHash;
    let pyc = assemble(release, mode, source_hash, &canonical);
    let recorded_path = Some(path.as_bytes());
    let expect = Expectation { release, mode, source_hash, recorded_path, limits };
    assert_eq!(validate(&pyc, &expect), Ok(()), "{path}");
    canonical
}

#[test]
fn second_implementation_knows_the_vectors() {
    let Some(interpreter) = (8..=15).rev().find_map(|minor| interpreters::find(minor).pop()) else {
        return interpreters::missing(15);
    };
    let mut second = Process::second_implementation(&interpreter);
    let mut compared = 0;
    for vector in vectors::vectors() {
        let Ok(expect) = vector.expect else { continue };
        let release = Release::from_minor(vector.minor).expect("a known release");
        let options = options(release, vector.path.as_bytes(), vector.nans);
        assert_eq!(second.canonicalize(&options, &vector.payload), expect);
        compared += 1;
    }
    assert!(compared >= 10, "{compared} vectors");
}

macro_rules! releases {
    ($($name:ident: $minor:literal,)*) => {
        $(#[test]
        fn $name() {
            check_release($minor);
        })*
    };
}

releases! {
    python_3_8: 8,
    python_3_9: 9,
    python_3_10: 10,
    python_3_11: 11,
    python_3_12: 12,
    python_3_13: 13,
    python_3_14: 14,
    python_3_15: 15,
}
