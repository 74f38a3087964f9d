//! What must hold of any bytes at all. The body of the fuzz target, which includes this file, and
//! of the mutation test.

use bytekiln_codec::{
    CanonicalOptions, CodeField, CompareOptions, Expectation, Header, Limits, NanPolicy, Object,
    SourceHash, assemble, canonicalize, compare, decode, encode, validate,
};
use bytekiln_python::{InvalidationMode, Release};

/// Reads bytes as a payload of `release`. Whether they are one is of no interest; if they are, all
/// that the codec promises must hold. True if they are.
pub(crate) fn payload(release: Release, bytes: &[u8]) -> bool {
    let limits = Limits::default();
    let Ok(tree) = decode(bytes, release, &limits) else { return false };
    assert!(encode(&tree) == bytes, "encoding changes what was decoded");

    let options =
        CanonicalOptions { release, recorded_path: b"a/b.py", limits, nans: NanPolicy::Kept };
    let mode = InvalidationMode::UncheckedHash;
    let source_hash = SourceHash(*b"12345678");
    valid(release, bytes);
    if let Ok(canonical) = canonicalize(bytes, &options) {
        assert!(canonicalize(&canonical, &options).as_ref() == Ok(&canonical), "not idempotent");
        let canonical_tree = decode(&canonical, release, &limits).expect("canonical bytes decode");
        assert!(encode(&canonical_tree) == canonical, "encoding changes canonical bytes");
        let recorded_path = Some(options.recorded_path);
        let expect = Expectation { release, mode, source_hash, recorded_path, limits };
        let pyc = assemble(release, mode, source_hash, &canonical);
        assert_eq!(validate(&pyc, &expect), Ok(()));
        // Comparing must agree with the form that it is defined by.
        let ignored = CompareOptions { recorded_paths: false, ..CompareOptions::default() };
        let found = compare(&tree, &canonical_tree, &ignored).expect("two code objects");
        assert_eq!(found.total, 0, "{found:?}");
        assert_eq!(found.encoding.is_empty(), bytes == canonical, "{found:?}");
    }
    true
}

/// Valid is what comes back unchanged, and nothing else: `validate` has a shorter way to find out. True
/// if these bytes are, under the path that they have.
pub(crate) fn valid(release: Release, bytes: &[u8]) -> bool {
    let limits = Limits::default();
    let Ok(tree) = decode(bytes, release, &limits) else { return false };
    let (mode, source_hash) = (InvalidationMode::UncheckedHash, SourceHash(*b"12345678"));
    let pyc = assemble(release, mode, source_hash, bytes);
    let is_valid = |recorded_path| {
        let expect = Expectation { release, mode, source_hash, recorded_path, limits };
        validate(&pyc, &expect).is_ok()
    };
    let comes_back = |recorded_path| {
        let options = CanonicalOptions { release, recorded_path, limits, nans: NanPolicy::Kept };
        canonicalize(bytes, &options).is_ok_and(|canonical| canonical == bytes)
    };
    let other = b"a/b.py";
    assert_eq!(is_valid(Some(other)), comes_back(other), "under another path");
    let Object::Code(code) = tree.get(tree.root()) else { return false };
    let own = code.bytes(CodeField::Filename);
    assert_eq!(is_valid(Some(own)), comes_back(own), "under its own path");
    assert_eq!(is_valid(None), comes_back(own), "under any path");
    comes_back(own)
}

/// Reads bytes as a header, and what follows as its payload.
pub(crate) fn pyc(bytes: &[u8]) {
    if let Ok(header) = Header::parse(bytes) {
        assert!(bytes.starts_with(&header.to_bytes()), "a header changes");
    }
}
