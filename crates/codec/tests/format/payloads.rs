//! Payloads that crash, hang or mislead marshal readers, by name: what the codec says to each in
//! every release, and the seeds of the fuzzers that are made of them.

use bytekiln_codec::{Header, HeaderError, Limits, SourceHash, decode};
use bytekiln_python::{InvalidationMode, Release};
use expect_test::expect;

use crate::exercise;
use crate::modules::{canonical, module, release, tuple};
use crate::mutations::folder_of_seeds;

/// Bytes that stand for themselves; most of them are no code object.
const BARE: [(&str, &[u8]); 43] = [
    ("tuple-in-own-set", b"\xa8\x02\0\0\0\x4e\x3c\x01\0\0\0\x72\0\0\0\0"),
    ("dict-as-own-key", b"\xa8\x01\0\0\0\x7b\x72\0\0\0\0\x4e\x30"),
    ("list-in-itself", b"\xdb\x01\0\0\0\x72\0\0\0\0"),
    ("tuple-in-itself", b"\xa9\x01\x72\0\0\0\0"),
    ("frozenset-in-itself", b"\xbe\x01\0\0\0\x72\0\0\0\0"),
    ("slice-in-itself", b"\xba\x72\0\0\0\0NN"),
    ("frozendict-in-itself", b"\xfdN\x72\0\0\0\x000"),
    ("frozendict-twice", b")\x02\xfd0r\0\0\0\0"),
    ("frozendict-odd", b"}N0"),
    ("length-tuple", b"(\xff\xff\xff\x7f"),
    ("length-list", b"[\xff\xff\xff\x7f"),
    ("length-frozenset", b">\xff\xff\xff\x7f"),
    ("length-bytes", b"s\xff\xff\xff\x7f"),
    ("length-text", b"u\xff\xff\xff\x7f"),
    ("length-ascii", b"A\xff\xff\xff\x7f"),
    ("length-integer", b"l\xff\xff\xff\x7f\x01\0"),
    ("length-integer-least", b"l\0\0\0\x80\x01\0"),
    ("length-negative", b"(\0\0\0\x80"),
    ("length-one-more", b")\x02N"),
    ("empty", b""),
    ("flagged-none-takes-no-slot", b")\x04\xcez\x01qz\x01qr\0\0\0\0"),
    ("flagged-none-then-slot", b")\x03\xce\xfa\x01qr\0\0\0\0"),
    ("flagged-reference", b")\x02\xfa\x01q\xf2\0\0\0\0"),
    ("reference-ahead", b")\x02r\0\0\0\0\xfa\x01q"),
    ("reference-negative", b"r\xff\xff\xff\xff"),
    ("null", b"0"),
    ("null-in-tuple", b")\x010"),
    ("null-flagged", b"}NN\xb0"),
    ("digit-too-large", b"l\x01\0\0\0\x00\x80"),
    ("digit-leading-zero", b"l\x02\0\0\0\x01\0\0\0"),
    ("float-text", b"f\x03abc"),
    ("complex-text", b"x\x011\x01z"),
    ("latin-1-as-ascii", b"z\x03\xe4\xf6\xfc"),
    ("lone-surrogate", b"u\x03\0\0\0\xed\xa0\x80"),
    ("surrogate-pair", b"u\x06\0\0\0\xed\xa0\xbd\xed\xb8\x80"),
    ("over-long-null", b"u\x02\0\0\0\xc0\x80"),
    ("over-long-slash", b"t\x03\0\0\0\xe0\x80\xaf"),
    ("beyond-unicode", b"u\x04\0\0\0\xf4\x90\x80\x80"),
    ("text-cut", b"u\x02\0\0\0a\xc3"),
    ("trailing", b"NN"),
    ("unknown", b"?"),
    ("unknown-zero", b"\0"),
    ("integer-64", b"I\x10\x32\x54\x76\x98\xba\xdc\xfe"),
];

/// Repetitions and constants that are too long to write out: constants of a module.
fn made() -> Vec<(&'static str, Vec<u8>)> {
    let doubled = |levels: usize, tag: &[u8]| {
        let mut object = b"\xe9\x07\0\0\0".to_vec();
        for level in (0..levels).rev() {
            let slot = (level as u32 + 1).to_le_bytes();
            object = [tag, &object, b"r", &slot].concat();
        }
        object
    };
    let set = |elements: &[u8], count: u8| [&[b'>', count, 0, 0, 0], elements].concat();
    let mut locals = Vec::new();
    tuple(&[&b"z\x01a"[..]; 300], &mut locals);
    vec![
        ("dag-22", doubled(22, b"\xa9\x02")),
        ("dag-60", doubled(60, b"\xa9\x02")),
        ("dag-990", doubled(990, b"\xa9\x02")),
        ("dag-in-set", set(&[b"T".to_vec(), doubled(60, b"\xa9\x02")].concat(), 2)),
        ("set-of-ones", set(b"i\x01\0\0\0g\0\0\0\0\0\0\xf0\x3fT", 3)),
        ("set-of-twins", set(b"z\x01a\xfa\x01a", 2)),
        ("set-of-zeros", set(b"g\0\0\0\0\0\0\0\0g\0\0\0\0\0\0\0\x80", 2)),
        ("set-of-nans", set(b"g\0\0\0\0\0\0\xf8\x7fg\0\0\0\0\0\0\xf8\x7f", 2)),
        ("tuples-too-deep", [b")\x01".repeat(1200), b"N".to_vec()].concat()),
        ("nested-lengths", b"(\0\0\0\x01".repeat(40)),
        ("long-tuple", locals),
    ]
}

/// What comes of a payload.
fn outcome(release: Release, payload: &[u8]) -> String {
    match decode(payload, release, &Limits::default()) {
        Err(error) => error.kind.to_string(),
        Ok(_) => match canonical(release, payload) {
            Ok(_) => "accepted".to_owned(),
            Err(kind) => format!("decoded; {kind}"),
        },
    }
}

fn describe(minor: u8) -> String {
    let release = release(minor);
    let mut text = String::new();
    for (name, payload) in BARE {
        let payload = payload.to_vec();
        // Alone, and where an object may stand that the payload itself is not.
        exercise::payload(release, &payload);
        exercise::payload(release, &module(release, &[&payload]));
        text += &format!("{name}: {}\n", outcome(release, &payload));
    }
    for (name, constant) in made() {
        let payload = module(release, &[&constant]);
        exercise::payload(release, &payload);
        text += &format!("module of {name}: {}\n", outcome(release, &payload));
    }
    text
}

#[test]
fn outcomes() {
    expect![[r#"
        tuple-in-own-set: mutable object (type `<`)
        dict-as-own-key: mutable object (type `{`)
        list-in-itself: mutable object (type `[`)
        tuple-in-itself: reference to slot 0, which holds no object
        frozenset-in-itself: reference to slot 0, which holds no object
        slice-in-itself: reference to slot 0, which holds no object
        frozendict-in-itself: reference to slot 0, which holds no object
        frozendict-twice: reference to slot 0, which holds no object
        frozendict-odd: NULL object
        length-tuple: payload ends too early
        length-list: mutable object (type `[`)
        length-frozenset: payload ends too early
        length-bytes: payload ends too early
        length-text: payload ends too early
        length-ascii: payload ends too early
        length-integer: payload ends too early
        length-integer-least: payload ends too early
        length-negative: negative length
        length-one-more: payload ends too early
        empty: payload ends too early
        flagged-none-takes-no-slot: reference to slot 0, which holds no object
        flagged-none-then-slot: decoded; not a code object
        flagged-reference: decoded; not a code object
        reference-ahead: reference to slot 0, which holds no object
        reference-negative: reference to slot 4294967295, which holds no object
        null: NULL object
        null-in-tuple: NULL object
        null-flagged: unknown type byte 0xb0
        digit-too-large: malformed integer
        digit-leading-zero: malformed integer
        float-text: malformed float
        complex-text: malformed float
        latin-1-as-ascii: decoded; not a code object
        lone-surrogate: decoded; not a code object
        surrogate-pair: decoded; not a code object
        over-long-null: string that is not UTF-8
        over-long-slash: string that is not UTF-8
        beyond-unicode: string that is not UTF-8
        text-cut: string that is not UTF-8
        trailing: bytes after the object
        unknown: unknown type byte 0x3f
        unknown-zero: unknown type byte 0x00
        integer-64: decoded; not a code object
        module of dag-22: accepted
        module of dag-60: accepted
        module of dag-990: accepted
        module of dag-in-set: decoded; set too complex to order
        module of set-of-ones: decoded; set with equal elements
        module of set-of-twins: decoded; set with equal elements
        module of set-of-zeros: decoded; set with equal elements
        module of set-of-nans: accepted
        module of tuples-too-deep: objects nested too deeply
        module of nested-lengths: payload ends too early
        module of long-tuple: accepted
    "#]]
    .assert_eq(&describe(15));
}

/// Releases differ in the types that they know, and in nothing else.
#[test]
fn outcomes_of_other_releases() {
    let newest = describe(15);
    for minor in 8..15 {
        let text = describe(minor);
        for (line, expect) in text.lines().zip(newest.lines()) {
            let later = expect.contains("slice") || expect.contains("frozendict");
            assert!(line == expect || later || expect.starts_with("null-flagged"), "{line}");
        }
        assert_eq!(text.lines().count(), newest.lines().count());
    }
    assert!(newest.lines().count() >= 49);
}

#[test]
fn headers_of_nobody() {
    let good = module(release(11), &[]);
    let header = |magic: u16, flags: u32| {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&magic.to_le_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&flags.to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        [bytes, good.clone()].concat()
    };
    for flags in 0..4 {
        let header = Header::parse(&header(3495, flags)).expect("defined flags");
        assert_eq!(header.release(), Some(release(11)), "flags {flags}");
    }
    for flags in [4, 5, 8, 0x8000_0000, u32::MAX] {
        let found = Header::parse(&header(3495, flags));
        assert_eq!(found, Err(HeaderError::UnknownFlags(flags)));
    }
    // Alphas, betas and the releases to come have magic numbers of their own.
    for magic in [0, 3394, 3400, 3412, 3424, 3438, 3494, 3496, 3530, 3570, 3572, 3626, 3665, 3700] {
        let header = Header::parse(&header(magic, 0)).expect("a header");
        assert_eq!((header.magic, header.release()), (magic, None));
    }
}

/// The seeds are these payloads; `UPDATE_EXPECT=1` writes them.
#[test]
fn seeds_of_the_fuzzers() {
    let folder = folder_of_seeds();
    let update = std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1");
    let release = release(15);
    let header = Header::hash_based(release, InvalidationMode::UncheckedHash, SourceHash([0; 8]));
    let bare = BARE.map(|(name, constant)| (name, constant.to_vec()));
    for (name, constant) in bare.into_iter().chain(made()) {
        let pyc = [&header.to_bytes()[..], &module(release, &[&constant])].concat();
        let path = folder.join(format!("hostile-{name}.pyc"));
        if update {
            std::fs::write(&path, &pyc).expect("a seed");
        }
        assert!(std::fs::read(&path).is_ok_and(|found| found == pyc), "{}", path.display());
    }
}
