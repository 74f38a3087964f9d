//! The rules of the canonical form, one by one: what must become one, and what must not.

use std::collections::BTreeSet;

use bytekiln_codec::{
    CanonicalOptions, CodeField, DecodeErrorKind, Expectation, Limits, NanPolicy, Object,
    SourceHash, Tree, ValidateError, assemble, canonicalize, decode, validate,
};
use bytekiln_python::InvalidationMode;

use crate::modules::{Module, canonical, module, reference, release, sized};

/// All of these constants give the same bytes in `minor`.
fn check_same(minor: u8, spellings: &[&[&[u8]]]) {
    let release = release(minor);
    let forms: BTreeSet<Vec<u8>> = spellings
        .iter()
        .map(|consts| canonical(release, &module(release, consts)).expect("a module"))
        .collect();
    assert_eq!(forms.len(), 1, "{spellings:x?}");
}

/// The constants of a canonical module, so that a test can look at their bytes.
fn consts_of<'t>(tree: &'t Tree<'t>) -> Vec<Object<'t>> {
    let Object::Code(code) = tree.get(tree.root()) else { panic!("a code object") };
    code.elements(CodeField::Consts).iter().map(|id| tree.get(*id)).collect()
}

#[test]
fn spellings_of_one_value() {
    check_same(
        11,
        &[&[b"z\x03abc"], &[b"Z\x03abc"], &[b"\xe1\x03\0\0\0abc"], &[b"u\x03\0\0\0abc"]],
    );
    check_same(11, &[&[b"u\x02\0\0\0\xc3\xa9"], &[b"t\x02\0\0\0\xc3\xa9"], &[b"z\x01\xe9"]]);
    check_same(11, &[&[b"i\x05\0\0\0"], &[b"l\x01\0\0\0\x05\0"], &[b"I\x05\0\0\0\0\0\0\0"]]);
    check_same(11, &[&[b"i\0\0\0\0"], &[b"l\0\0\0\0"]]);
    check_same(11, &[&[b"i\0\0\0\x80"], &[b"l\xfd\xff\xff\xff\0\0\0\0\x02\0"]]);
    check_same(11, &[&[b"l\x03\0\0\0\0\0\0\0\x02\0"], &[b"I\0\0\0\x80\0\0\0\0"]]);
    check_same(11, &[&[b"g\0\0\0\0\0\0\xf8\x3f"], &[b"f\x031.5"]]);
    check_same(11, &[&[b"y\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\x80"], &[b"x\x031.5\x02-0"]]);
    check_same(11, &[&[b")\x01N"], &[b"(\x01\0\0\0N"], &[b"\xa9\x01\xce"]]);
    check_same(11, &[&[b"z\x01,", b"z\x01,"], &[b"\xfa\x01,", b"r\0\0\0\0"]]);
    check_same(14, &[&[b":NNN", b":NNN"], &[b"\xba\xceNN", b"r\0\0\0\0"]]);
}

#[test]
fn order_of_sets() {
    let set = |elements: &[&[u8]]| {
        let mut out = Vec::new();
        sized(b'>', elements.len(), &mut out);
        elements.iter().for_each(|element| out.extend_from_slice(element));
        out
    };
    let inner = [set(&[b"z\x01a", b"z\x01b"]), set(&[b"z\x01b", b"z\x01a"])];
    let forms = [
        set(&[b"z\x02b!", b"\xfa\x02a!", b"i\x01\0\0\0", &inner[0]]),
        set(&[&inner[1], b"i\x01\0\0\0", b"z\x02a!", b"\xfa\x02b!"]),
    ];
    check_same(11, &[&[&forms[0]], &[&forms[1]]]);
    // Being a name elsewhere does not move an element.
    let names = Module { names: b")\x01z\x02b!", ..Module::default() };
    for form in &forms {
        let payload = names.payload(release(11), &[form]);
        let bytes = canonical(release(11), &payload).expect("a module");
        let tree = decode(&bytes, release(11), &Limits::default()).expect("canonical");
        let Object::Frozenset(elements) = &consts_of(&tree)[0] else { panic!("a set") };
        let shown: Vec<String> = elements.iter().map(|id| format!("{:?}", tree.get(*id))).collect();
        assert!(shown[1].starts_with("Integer"), "{shown:?}");
        assert!(shown[2].contains("[97, 33]") && shown[3].contains("[98, 33]"), "{shown:?}");
    }
}

/// Values that Python calls equal, or that look alike: none becomes another.
#[test]
fn values_that_stay_apart() {
    let nan: &[u8] = b"g\0\0\0\0\0\0\xf8\x7f";
    let values: &[&[u8]] = &[
        b"i\0\0\0\0",
        b"F",
        b"g\0\0\0\0\0\0\0\0",
        b"g\0\0\0\0\0\0\0\x80",
        b"y\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"y\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80",
        b"y\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0",
        b"i\x01\0\0\0",
        b"T",
        b"g\0\0\0\0\0\0\xf0\x3f",
        b"z\x01a",
        b"s\x01\0\0\0a",
        b")\x01g\0\0\0\0\0\0\0\0",
        b")\x01g\0\0\0\0\0\0\0\x80",
        b">\x01\0\0\0i\0\0\0\0",
        b">\x01\0\0\0F",
        b">\0\0\0\0",
        b")\0",
        b"z\0",
        b"s\0\0\0\0",
        b".",
        b"N",
        nan,
        nan,
    ];
    let release = release(11);
    let bytes = canonical(release, &module(release, values)).expect("a module");
    let tree = decode(&bytes, release, &Limits::default()).expect("canonical");
    let consts = consts_of(&tree);
    // The empty tuple is that of the names too; it is the first that is met again.
    let shared = |object: &Object<'_>| matches!(object, Object::Reference(_));
    assert_eq!(consts.iter().filter(|object| shared(object)).count(), 0, "{consts:?}");
    assert_eq!(consts.len(), values.len());
}

#[test]
fn nan_keeps_its_identity() {
    let nan: &[u8] = b"g\0\0\0\0\0\0\xf8\x7f";
    let flagged: &[u8] = b"\xe7\0\0\0\0\0\0\xf8\x7f";
    let form = |consts: &[&[u8]]| canonical(release(11), &module(release(11), consts));
    let same = form(&[flagged, &reference(0)]).expect("a module");
    let different = form(&[nan, nan]).expect("a module");
    assert_ne!(same, different);
    assert!(same.len() < different.len());
    let pair = |inner: &[u8]| [b")\x01".to_vec(), inner.to_vec()].concat();
    let same = form(&[&pair(flagged), &pair(&reference(0))]).expect("a module");
    let different = form(&[&pair(nan), &pair(nan)]).expect("a module");
    assert!(same.len() < different.len());
}

#[test]
fn code_objects_keep_their_identity() {
    let release = release(11);
    let inner = module(release, &[]);
    let flagged = Module { flagged: true, ..Module::default() }.payload(release, &[]);
    let twice = canonical(release, &module(release, &[&inner, &inner])).expect("a module");
    let shared =
        canonical(release, &module(release, &[&flagged, &reference(0)])).expect("a module");
    assert!(shared.len() < twice.len());
}

#[test]
fn interned_by_value_and_role() {
    for (minor, name_tag) in [(8, b'z'), (11, b'z'), (12, b'z'), (13, b'Z'), (15, b'Z')] {
        let release = release(minor);
        let names = Module { names: b")\x01z\x03a.b", ..Module::default() };
        let payload = names.payload(release, &[b"z\x03abc", b"Z\x02a!", b"z\x00"]);
        let bytes = canonical(release, &payload).expect("a module");
        let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(has(b"Z\x03abc") && has(b"z\x02a!") && has(b"Z\x00"), "{minor}");
        assert!(has(b"Z\x03a.b"), "{minor}: names are interned");
        let name = [&[name_tag | if minor < 11 { 0 } else { 0x80 }, 8][..], b"<module>"].concat();
        assert!(has(&name), "{minor}: {bytes:x?}");
    }
}

#[test]
fn file_names() {
    let release = release(11);
    let own = module(release, &[]);
    let foreign = Module { filename: b"z\x07<other>", ..Module::default() }.payload(release, &[]);
    let payload = module(release, &[&own, &foreign, b"z\x04m.py"]);
    let limits = Limits::default();
    let options = CanonicalOptions {
        release,
        recorded_path: "src/ä.py".as_bytes(),
        limits,
        nans: NanPolicy::Kept,
    };
    let bytes = canonicalize(&payload, &options).expect("a module");
    let count = |text: &[u8]| bytes.windows(text.len()).filter(|window| window == &text).count();
    assert_eq!(count("src/ä.py".as_bytes()), 1, "written once, referred to by the inner one");
    assert_eq!((count(b"<other>"), count(b"m.py")), (1, 1), "the constant stays");
    let bad = CanonicalOptions { recorded_path: b"\xff", ..options };
    let error = canonicalize(&payload, &bad).expect_err("not UTF-8");
    assert_eq!(error.kind, DecodeErrorKind::BadRecordedPath);
}

#[test]
fn frozendicts_are_never_flagged() {
    let dict: &[u8] = b"}z\x01ai\x01\0\0\0z\x01bN0";
    let turned: &[u8] = b"}z\x01bNz\x01ai\x01\0\0\x000";
    let form = |consts: &[&[u8]]| canonical(release(15), &module(release(15), consts));
    let bytes = form(&[dict, dict, turned]).expect("a module");
    assert_eq!(bytes.iter().filter(|byte| **byte == b'}').count(), 3);
    assert!(!bytes.contains(&(b'}' | 0x80)));
    assert_ne!(form(&[dict]), form(&[turned]), "order is kept: it shows");
    assert_eq!(form(&[b"}NNNN0"]), Err(DecodeErrorKind::EqualElements));
}

#[test]
fn validation() {
    let release = release(11);
    let (mode, source_hash) = (InvalidationMode::CheckedHash, SourceHash([7; 8]));
    let payload = module(release, &[b"z\x01,", b"z\x01,"]);
    let form = canonical(release, &payload).expect("a module");
    let limits = Limits::default();
    let expect = Expectation { release, mode, source_hash, recorded_path: Some(b"m.py"), limits };
    let pyc = assemble(release, mode, source_hash, &form);
    assert_eq!(validate(&pyc, &expect), Ok(()));
    assert_eq!(validate(&pyc, &Expectation { recorded_path: None, ..expect }), Ok(()));
    let elsewhere = Expectation { recorded_path: Some(b"n.py"), ..expect };
    assert!(matches!(validate(&pyc, &elsewhere), Err(ValidateError::NotCanonical(_))));
    let raw = assemble(release, mode, source_hash, &payload);
    assert!(matches!(validate(&raw, &expect), Err(ValidateError::NotCanonical(_))));
    for place in 0..16 {
        let mut broken = pyc.clone();
        broken[place] ^= 1;
        assert!(validate(&broken, &expect).is_err(), "byte {place} of the header");
    }
    for length in 0..pyc.len() {
        assert!(validate(&pyc[..length], &expect).is_err(), "{length} bytes");
    }
}
