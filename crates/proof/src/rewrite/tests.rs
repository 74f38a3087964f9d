//! What is rewritten means the same; what does not belong to its source is left alone.

#![expect(clippy::disallowed_types, reason = "tests ask real interpreters")]

use std::process::Command;

use bytekiln_codec::assemble;
use bytekiln_test_support::pythons;
use expect_test::{Expect, expect};

use super::*;

const MODULE: &str = r#"
"""Docs é."""
import os, sys as system
def outer(a, /, b=1.5, *c, d=-0.0, **e):
    free = a
    class Inner:
        x = {"a": 1}
        def method(self): return free, __class__
    return [i for i in (1, 2, 10**40, 1j, b"\xff", ..., None, True) if i in {"x", 1.0, ("t", 2), "\xe9"}]
async def co(): return lambda: (outer, "\u20ac", "\ud800")
if os.name in {"nt", "posix", "java"}: pass
"#;

/// A cache of [`MODULE`] as the interpreter writes it: header, payload.
fn compiled(python: &pythons::Python) -> (Release, Vec<u8>) {
    let code = "import sys, marshal; \
                code = compile(sys.argv[1], '/build/tree/m.py', 'exec'); \
                sys.stdout.buffer.write(marshal.dumps(code))";
    let output =
        Command::new(&python.path).args(["-I", "-S", "-c", code, MODULE]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (Release::from_minor(python.version.1).expect("a known release"), output.stdout)
}

fn timestamped(release: Release, mtime: u32, size: u32, payload: &[u8]) -> Vec<u8> {
    let validation = Validation::Timestamp { mtime, size, check_source: false };
    let mut pyc = Header { magic: release.magic(), validation }.to_bytes().to_vec();
    pyc.extend_from_slice(payload);
    pyc
}

const CHECKED: RewriteMode = RewriteMode::Hash(InvalidationMode::CheckedHash);

fn request<'a>(pyc: &'a [u8], source: RewriteSource<'a>) -> RewriteRequest<'a> {
    RewriteRequest {
        pyc,
        source,
        mode: CHECKED,
        recorded_path: Some(b"m.py"),
        limits: Limits::default(),
    }
}

fn present(mtime: i64) -> RewriteSource<'static> {
    RewriteSource::Present { bytes: MODULE.as_bytes(), mtime: (mtime, 0) }
}

fn replaced(request: &RewriteRequest<'_>) -> Replacement {
    match rewrite(request) {
        Ok(Rewrite::Replaced(replacement)) => replacement,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_release_is_rewritten_once() {
    for python in pythons::all() {
        let (release, payload) = compiled(python);
        let pyc = timestamped(release, 77, MODULE.len() as u32, &payload);
        let new = replaced(&request(&pyc, present(77)));
        assert!(new.header && new.recorded_path);
        let header = Header::parse(&new.bytes).unwrap();
        let hash = source_hash(release, MODULE.as_bytes());
        assert_eq!(header, Header::hash_based(release, InvalidationMode::CheckedHash, hash));
        assert_eq!(rewrite(&request(&new.bytes, present(78))), Ok(Rewrite::Unchanged), "{release}");
        let kept = replaced(&RewriteRequest {
            mode: RewriteMode::Keep,
            recorded_path: None,
            ..request(&pyc, present(77))
        });
        assert!(!kept.header && !kept.recorded_path);
        assert_eq!(kept.bytes[..HEADER_LENGTH], pyc[..HEADER_LENGTH]);
        let sourceless = replaced(&request(&pyc, RewriteSource::Sourceless));
        assert_eq!(sourceless.bytes[..HEADER_LENGTH], pyc[..HEADER_LENGTH]);
        assert_eq!(sourceless.bytes[HEADER_LENGTH..], new.bytes[HEADER_LENGTH..]);
    }
}

/// The two proofs agree on payloads that are nearly the same: each byte of a real one changed.
#[test]
fn both_proofs_agree() {
    let Some(python) = pythons::any_or_skip() else { return };
    let (release, payload) = compiled(python);
    let path = b"/build/tree/m.py";
    let limits = Limits::default();
    let options = CanonicalOptions { release, recorded_path: path, limits, nans: NanPolicy::Kept };
    let tree = decode(&payload, release, &limits).unwrap();
    let canonical = canonicalize(&payload, &options).unwrap();
    let (mut same, mut different) = (0, 0);
    for at in 0..payload.len() {
        for flip in [1, 0x20, 0x80] {
            let mut other = payload.clone();
            other[at] ^= flip;
            let Ok(other_tree) = decode(&other, release, &limits) else { continue };
            if file_name(&other_tree) != path {
                continue;
            }
            let Ok(form) = canonicalize(&other, &options) else { continue };
            let told = values::check_same(&tree, &other_tree, [path, path], payload.len());
            assert_eq!(told.is_ok(), form == canonical, "byte {at} flipped by {flip:#x}: {told:?}");
            if form == canonical { same += 1 } else { different += 1 }
        }
    }
    assert!(same > 20 && different > 200, "{same} {different}");
}

/// A function from elsewhere, whose file name is by chance the one that the module gets: from then
/// on the importer would take it for the module's.
#[test]
fn file_names_do_not_become_one() {
    let python = pythons::any_or_skip();
    let Some(python) = python else { return };
    let code = "import sys, marshal\n\
                inner = compile('def f(): pass', 'm.py', 'exec').co_consts[0]\n\
                outer = compile('x = 1', '/build/m.py', 'exec')\n\
                outer = outer.replace(co_consts=(inner,) + outer.co_consts)\n\
                sys.stdout.buffer.write(marshal.dumps(outer))";
    let output = Command::new(&python.path).args(["-I", "-S", "-c", code]).output().unwrap();
    let release = Release::from_minor(python.version.1).expect("a known release");
    let pyc = timestamped(release, 77, MODULE.len() as u32, &output.stdout);
    let refusal = rewrite(&request(&pyc, present(77)));
    assert_eq!(refusal, Err(RewriteRefusal::NotTheSame(ValueFault::FileName)));
    let other = RewriteRequest { recorded_path: Some(b"n.py"), ..request(&pyc, present(77)) };
    assert!(matches!(rewrite(&other), Ok(Rewrite::Replaced(_))));
}

fn check(pyc: &[u8], source: RewriteSource<'_>, expected: Expect) {
    let refusal = rewrite(&request(pyc, source)).expect_err("a refusal");
    expected.assert_eq(&refusal.to_string());
}

/// The least module of `docs/canonical-form.md`.
const LEAST: &str = "e30000000000000000000000000100000000000000730200000097002801000000ce290029007300000000fa046d2e70797a083c6d6f64756c653e7a083c6d6f64756c653e0100000073000000007300000000";

fn least() -> Vec<u8> {
    LEAST
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn caches_of_another_source_are_left_alone() {
    let release = Release::from_minor(11).unwrap();
    let size = MODULE.len() as u32;
    let pyc = timestamped(release, 77, size, &least());
    assert!(matches!(rewrite(&request(&pyc, present(77))), Ok(Rewrite::Replaced(_))));
    check(
        &pyc,
        present(78),
        expect!["it was compiled from a source modified at 77, its source was at 78"],
    );
    check(&pyc, RewriteSource::Missing, expect!["its source is not there"]);
    let pyc = timestamped(release, 77, 7, &least());
    check(
        &pyc,
        RewriteSource::Present { bytes: b"pass", mtime: (77, 5) },
        expect!["it was compiled from 7 bytes, its source has 4"],
    );
    let other = source_hash(release, b"another");
    let pyc = assemble(release, InvalidationMode::UncheckedHash, other, &least());
    check(
        &pyc,
        present(1),
        expect![
            "it was compiled from source hash f241b529aae091b4, its source has 90baddfe3f661a74; Python loads it nevertheless, its mode is unchecked-hash"
        ],
    );
}

#[test]
fn what_is_no_cache_of_ours_is_left_alone() {
    check(b"short", present(1), expect!["header of 16 bytes expected, 5 found"]);
    let release = Release::from_minor(11).unwrap();
    let mut pyc = timestamped(release, 77, MODULE.len() as u32, &least());
    pyc.pop();
    check(&pyc, present(77), expect!["payload ends too early at byte 79 of the marshal payload"]);
    pyc[0] = 0;
    check(&pyc, present(77), expect!["magic number 3328 is of no final CPython from 3.8 to 3.15"]);
}

/// `int((1700000000, 999999950 ns).st_mtime)` of CPython 3.11 is 1700000001.
#[test]
fn times_are_rounded_as_the_importer_does() {
    assert_eq!(importer_mtime((1_700_000_000, 999_999_950)), 1_700_000_001);
    assert_eq!(importer_mtime((1_700_000_000, 999_999_000)), 1_700_000_000);
}
