//! Comparing payloads: that it agrees with the canonical form on anything, names each kind of
//! difference, and takes linear time on payloads made against it.

use bytekiln_codec::{
    CanonicalOptions, CodeField, CompareOptions, EncodingDifference as Difference, Found, Limits,
    NanPolicy, Object, Place, Side, Tree, TreeComparison, canonicalize, compare, decode,
};
use bytekiln_python::Release;

use crate::modules::{Module, module, reference, release, sized, tuple};
use crate::mutations::{Sequence, mutate, seeds};

fn tree(release: Release, payload: &[u8]) -> Tree<'_> {
    decode(payload, release, &Limits::default()).expect("a payload")
}

fn run(release: Release, left: &[u8], right: &[u8], recorded_paths: bool) -> TreeComparison {
    let options = CompareOptions { recorded_paths, ..CompareOptions::default() };
    compare(&tree(release, left), &tree(release, right), &options).expect("two code objects")
}

/// Expects what a comparison says to be what the canonical forms say. True if the values are equal.
pub(crate) fn agrees(release: Release, left: &[u8], right: &[u8]) -> bool {
    // A path that is in neither.
    let limits = Limits::default();
    let options = CanonicalOptions {
        release,
        recorded_path: b"\0of the test",
        limits,
        nans: NanPolicy::Kept,
    };
    let (Ok(a), Ok(b)) = (canonicalize(left, &options), canonicalize(right, &options)) else {
        return false;
    };
    let found = run(release, left, right, false);
    assert_eq!(found.divergences.is_empty(), a == b, "{found:?}");
    assert_eq!(found.total == 0, a == b);
    assert_eq!(found.differing_code_objects == 0, a == b);
    if a == b {
        assert_eq!(found.encoding.is_empty(), left == right, "{found:?}");
        assert!(found.complete);
    }
    let mirrored = run(release, right, left, false);
    assert_eq!(mirrored.total == 0, a == b);
    assert_eq!(mirrored.encoding, found.encoding);
    let strict = run(release, left, right, true);
    assert!(strict.total > 0 || found.total == 0);
    a == b
}

#[test]
fn mutations_agree_with_canonical_forms() {
    let mut sequence = Sequence(0x1234_5678_9abc_def1);
    let mut counts = [0, 0];
    let seeds = seeds();
    for round in 0..4_000 {
        let (release, bytes) = &seeds[round % seeds.len()];
        let original = &bytes[bytekiln_codec::HEADER_LENGTH..];
        let mut payload = original.to_vec();
        mutate(&mut payload, &mut sequence);
        if decode(&payload, *release, &Limits::default()).is_ok() {
            counts[usize::from(agrees(*release, original, &payload))] += 1;
        }
    }
    // A flag that is flipped shifts all slots behind it, so few are equal.
    let [different, equal] = counts;
    assert!(different > 200 && equal > 3, "too few of a kind: {counts:?}");
}

/// Expects two modules with these constants to have equal values and these encodings.
fn encodings(left: &[&[u8]], right: &[&[u8]], expect: &[Difference]) {
    for minor in 8..=15 {
        let (left, right) = (module(release(minor), left), module(release(minor), right));
        let found = run(release(minor), &left, &right, true);
        assert_eq!(found.divergences, [], "3.{minor}");
        assert_eq!(found.encoding, expect, "3.{minor}");
        assert!(agrees(release(minor), &left, &right));
    }
}

#[test]
fn each_difference_of_encoding() {
    use Difference::{Interning, ReferenceFlags, SetOrder, Sharing, TypeCodes};
    encodings(&[b"z\x01a"], &[b"z\x01a"], &[]);
    encodings(&[b"z\x01a"], &[b"\xfa\x01a"], &[ReferenceFlags]);
    encodings(&[b"N"], &[b"\xce"], &[ReferenceFlags]);
    encodings(&[b"z\x01a"], &[b"Z\x01a"], &[Interning]);
    encodings(&[b"z\x01a"], &[b"A\x01\0\0\0a"], &[Interning, TypeCodes]);
    encodings(&[b"z\x01a"], &[b"u\x01\0\0\0a"], &[TypeCodes]);
    encodings(&[b"i\x01\0\0\0"], &[b"l\x01\0\0\0\x01\0"], &[TypeCodes]);
    encodings(&[b")\x00"], &[b"(\0\0\0\0"], &[TypeCodes]);
    encodings(&[b"f\x031.5"], &[b"f\x041.50"], &[TypeCodes]);
    let shared = [b"\xfa\x01a".to_vec(), reference(0)];
    let shared: Vec<&[u8]> = shared.iter().map(Vec::as_slice).collect();
    encodings(&[b"z\x01a", b"z\x01a"], &shared, &[Sharing]);
    encodings(&[b"\xfa\x01a", b"z\x01a"], &shared, &[Sharing]);
    encodings(&[b">\x02\0\0\0TN"], &[b">\x02\0\0\0NT"], &[SetOrder]);
    // The same objects and flags: that another slot comes first is a matter of the order.
    let one = [&b">\x02\0\0\0\xfa\x01a\xfa\x01b"[..], &reference(0)];
    let other = [&b">\x02\0\0\0\xfa\x01b\xfa\x01a"[..], &reference(1)];
    encodings(&one, &other, &[SetOrder]);
}

#[test]
fn recorded_paths_are_compared_apart() {
    let release = release(13);
    let one = Module::default().payload(release, &[]);
    let other = Module { filename: b"z\x06a/m.py", ..Module::default() }.payload(release, &[]);
    let found = run(release, &one, &other, false);
    assert_eq!((found.total, found.encoding), (0, vec![Difference::RecordedPath]));
    let found = run(release, &one, &other, true);
    let [divergence] = found.divergences.as_slice() else { panic!("{found:?}") };
    let place = Place::Field { field: CodeField::Filename, elements: Vec::new() };
    assert_eq!(divergence.place, place);
}

/// Expects one divergence in the constants of two modules, and nothing else.
fn one_divergence(minor: u8, left: &[&[u8]], right: &[&[u8]], elements: &[u32], identity: bool) {
    let (left, right) = (module(release(minor), left), module(release(minor), right));
    let found = run(release(minor), &left, &right, true);
    let [divergence] = found.divergences.as_slice() else { panic!("{found:?}") };
    let place = Place::Field { field: CodeField::Consts, elements: elements.to_vec() };
    assert_eq!((&divergence.place, divergence.identity), (&place, identity));
    assert!(!agrees(release(minor), &left, &right));
}

#[test]
fn values_are_told_apart_as_the_canonical_form_does() {
    let float = |number: f64| [b"g".to_vec(), number.to_le_bytes().to_vec()].concat();
    one_divergence(11, &[&float(0.0)], &[&float(-0.0)], &[0], false);
    one_divergence(11, &[b"i\x01\0\0\0"], &[&float(1.0)], &[0], false);
    one_divergence(11, &[b"i\x01\0\0\0"], &[b"T"], &[0], false);
    one_divergence(11, &[b"z\x01a"], &[b"s\x01\0\0\0a"], &[0], false);
    one_divergence(11, &[b"N", b")\x02T)\x02NN"], &[b"N", b")\x02T)\x02NF"], &[1, 1, 1], false);
    one_divergence(11, &[b"N"], &[b"N", b"T"], &[1], false);
    one_divergence(11, &[b")\x01N"], &[b")\x00"], &[0, 0], false);
    // What is in a set has no place of its own.
    let sets: [&[u8]; 2] = [b">\x01\0\0\0)\x02TN", b">\x01\0\0\0)\x02TF"];
    one_divergence(11, &sets[..1], &sets[1..], &[0], false);
    let nan = float(f64::NAN);
    let flagged = [&[b'g' | 0x80], &nan[1..]].concat();
    one_divergence(11, &[&nan, &nan], &[&flagged, &reference(0)], &[1], true);
    one_divergence(14, &[b":NNN"], &[b":NNT"], &[0, 2], false);
    one_divergence(15, &[b"}NTTN0"], &[b"}NTTF0"], &[0, 3], false);
}

#[test]
fn code_objects_have_an_identity() {
    let code = Module::default().payload(release(12), &[]);
    let flagged = Module { flagged: true, ..Module::default() }.payload(release(12), &[]);
    one_divergence(12, &[&code, &code], &[&flagged, &reference(0)], &[1], true);
}

/// Functions that stand at other indices are still compared with their namesakes.
#[test]
fn code_objects_are_paired_by_name() {
    let release = release(12);
    let function = |name: &[u8], constant: &[u8]| {
        Module { name, qualname: name, ..Module::default() }.payload(release, &[constant])
    };
    let (f, g) = (function(b"z\x01f", b"N"), function(b"z\x01g", b"N"));
    let changed = function(b"z\x01g", b"T");
    let left = module(release, &[&f, &g]);
    let right = module(release, &[&changed, &f]);
    let found = run(release, &left, &right, true);
    // Both constants of the module, and the one of `g`.
    assert_eq!((found.total, found.differing_code_objects), (3, 2), "{found:?}");
    let last = found.divergences.last().expect("three");
    assert_eq!(last.path.iter().map(|step| step.constant).collect::<Vec<_>>(), [[1, 0]]);
    let renamed = module(release, &[&f, &function(b"z\x01h", b"N")]);
    let found = run(release, &left, &renamed, true);
    let places: Vec<&Place> = found.divergences.iter().map(|found| &found.place).collect();
    let field = |field| Place::Field { field, elements: Vec::new() };
    assert_eq!(places, [&field(CodeField::Name), &field(CodeField::Qualname)]);
}

/// A chain of tuples, each of which holds the one before twice, `end` at its bottom.
fn bomb(length: usize, end: &[u8]) -> Vec<u8> {
    let mut links = vec![[b"\xa9\x01", end].concat()];
    for slot in 0..length {
        links.push([b"\xa9\x02".to_vec(), reference(slot), reference(slot)].concat());
    }
    let links: Vec<&[u8]> = links.iter().map(Vec::as_slice).collect();
    let mut out = Vec::new();
    tuple(&links, &mut out);
    module(release(12), &[&out])
}

#[test]
fn shared_parts_are_looked_into_once() {
    let (one, other) = (bomb(900, b"N"), bomb(900, b"T"));
    let release = release(12);
    let found = run(release, &one, &other, true);
    let place = Place::Field { field: CodeField::Consts, elements: vec![0, 0, 0] };
    assert_eq!(found.divergences.first().map(|first| &first.place), Some(&place));
    assert_eq!(run(release, &one, &one.clone(), true).total, 0);
    // The same value without the references, as far as that is feasible.
    let mut flat = b")\x01N".to_vec();
    for _ in 0..12 {
        flat = [b")\x02".to_vec(), flat.clone(), flat].concat();
    }
    let mut links = vec![b"\xa9\x01N".to_vec()];
    for slot in 0..12 {
        links.push([b"\xa9\x02".to_vec(), reference(slot), reference(slot)].concat());
    }
    let last = links.concat();
    let count = links.len();
    let mut all = Vec::new();
    sized(b'(', count, &mut all);
    all.extend_from_slice(&last);
    let shared = module(release, &[&all]);
    assert!(agrees(release, &shared, &shared));
    assert!(!agrees(release, &shared, &module(release, &[&flat])));
}

/// Each of many constants differs from its counterpart at the far end of a long common part.
#[test]
fn many_differences_cost_no_more_than_the_budget() {
    let release = release(12);
    let text = |end: u8| {
        let mut out = Vec::new();
        sized(b's' | 0x80, 100_001, &mut out);
        out.resize(out.len() + 100_000, b'a');
        out.push(end);
        out
    };
    let side = |first: u8| {
        let mut elements: Vec<Vec<u8>> = (0..20).map(|index| text(first + index)).collect();
        for round in 0..20_000_usize {
            let slot = if first == 0 { round % 20 } else { round / 20 % 20 };
            elements.push(reference(slot));
        }
        let elements: Vec<&[u8]> = elements.iter().map(Vec::as_slice).collect();
        module(release, &elements)
    };
    let found = run(release, &side(0), &side(100), true);
    assert!(!found.complete && found.total > 0);
}

#[test]
fn what_cannot_be_compared() {
    let (old, new) = (module(release(11), &[]), module(release(12), &[]));
    let options = CompareOptions::default();
    let error = compare(&tree(release(11), &old), &tree(release(12), &new), &options);
    let error = error.expect_err("two releases").to_string();
    assert_eq!(error, "payloads of different releases, 3.11 and 3.12");
    let error = compare(&tree(release(12), &new), &tree(release(12), b"N"), &options);
    let error = error.expect_err("no code object");
    assert!(matches!(error, bytekiln_codec::CompareError::Payload(Side::Right, _)));
    assert_eq!(error.to_string(), "right payload: not a code object");
}

#[test]
fn found_objects_are_those_of_their_sides() {
    let (left, right) = (module(release(9), &[b"T"]), module(release(9), &[b"F"]));
    let found = run(release(9), &left, &right, true);
    let divergence = found.divergences.first().expect("one");
    let (Found::Object(l), Found::Object(r)) = (divergence.left, divergence.right) else {
        panic!("{divergence:?}")
    };
    assert!(matches!(tree(release(9), &left).get(l), Object::True));
    assert!(matches!(tree(release(9), &right).get(r), Object::False));
}
