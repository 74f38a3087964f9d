//! Bytes that nobody compiled: each an error, in little time and memory (`codec.md` knows what
//! CPython and other tools did with them).

use bytekiln_codec::{CodeFault, DecodeErrorKind as Kind, Limits, decode, encode};

use crate::exercise;
use crate::modules::{Module, canonical, module, reference, release, sized, tuple};

fn check(bytes: &[u8], expect: Kind) {
    for minor in 8..=15 {
        let found = decode(bytes, release(minor), &Limits::default()).err();
        assert_eq!(found.map(|error| error.kind), Some(expect), "3.{minor}: {bytes:x?}");
    }
}

fn check_const(minor: u8, constant: &[u8], expect: Option<Kind>) {
    let release = release(minor);
    let found = canonical(release, &module(release, &[constant]));
    assert_eq!(found.err(), expect, "3.{minor}: {constant:x?}");
}

#[test]
fn what_crashes_cpython() {
    // gh-148653: a tuple in a set in itself, a dict that is its own key.
    check(b"\xa8\x02\0\0\0\x4e\x3c\x01\0\0\0\x72\0\0\0\0", Kind::Mutable(b'<'));
    check(b"\xa8\x01\0\0\0\x7b\x72\0\0\0\0\x4e\x30", Kind::Mutable(b'{'));
    check(b"\xdb\x01\0\0\0\x72\0\0\0\0", Kind::Mutable(b'['));
    check(b"\xa9\x01\x72\0\0\0\0", Kind::BadReference(0));
    check(b"\xbe\x01\0\0\0\x72\0\0\0\0", Kind::BadReference(0));
}

#[test]
fn lengths_that_are_not_there() {
    for tag in *b"(>asuAt" {
        check(&[tag, 0xff, 0xff, 0xff, 0x7f], Kind::Truncated);
        check(&[tag, 0, 0, 0, 0x80], Kind::NegativeLength);
    }
    check(b"l\xff\xff\xff\x7f\x01\0", Kind::Truncated);
    check(b"l\0\0\0\x80\x01\0", Kind::Truncated);
    check(&b"(\0\0\0\x01".repeat(40), Kind::Truncated);
    check(b")\x02N", Kind::Truncated);
    check(b"z\x02a", Kind::Truncated);
    check(b"", Kind::Truncated);
}

#[test]
fn malformed_objects() {
    check(b"NN", Kind::TrailingBytes);
    check(b"0", Kind::Null);
    check(b")\x010", Kind::Null);
    check(b"?", Kind::UnknownType(b'?'));
    check(b"\0", Kind::UnknownType(0));
    check(b"r\0\0\0\0", Kind::BadReference(0));
    check(b")\x02\xcer\0\0\0\0", Kind::BadReference(0)); // the flag of None gives no slot
    check(b"r\xff\xff\xff\xff", Kind::BadReference(u32::MAX));
    check(b"l\x01\0\0\0\x00\x80", Kind::BadInteger);
    check(b"l\x02\0\0\0\x01\0\0\0", Kind::BadInteger);
    check(b"f\x03abc", Kind::BadFloat);
    check(b"x\x011\x01z", Kind::BadFloat);
    check(b"u\x02\0\0\0\xc0\x80", Kind::BadText);
    check(b"t\x01\0\0\0\xff", Kind::BadText);
    assert!(decode(b"u\x03\0\0\0\xed\xb2\x80", release(8), &Limits::default()).is_ok());
}

#[test]
fn types_of_later_releases() {
    for minor in 8..=15 {
        let slice = decode(b":NNN", release(minor), &Limits::default()).err();
        let dict = decode(b"}NN0", release(minor), &Limits::default()).err();
        let unknown = |tag| Some(Kind::UnknownType(tag));
        let expect = if minor >= 14 { None } else { unknown(b':') };
        assert_eq!(slice.map(|error| error.kind), expect);
        let expect = if minor >= 15 { None } else { unknown(b'}') };
        assert_eq!(dict.map(|error| error.kind), expect);
    }
    let limits = Limits::default();
    let odd = decode(b"}N0", release(15), &limits).expect_err("a key without a value");
    assert_eq!(odd.kind, Kind::Null);
    let flagged = decode(b"}NN\xb0", release(15), &limits).expect_err("a flagged NULL");
    assert_eq!(flagged.kind, Kind::UnknownType(0xb0));
    // gh-155315: CPython never fills the slot of a frozendict.
    let again = decode(b")\x02\xfd0r\0\0\0\0", release(15), &limits).expect_err("not filled");
    assert_eq!(again.kind, Kind::BadReference(0));
}

#[test]
fn depth_is_bounded_on_a_small_stack() {
    let deep = |depth: usize, open: &[u8]| [open.repeat(depth), b"N".to_vec()].concat();
    let work = move || {
        for open in [&b")\x01"[..], b"(\x01\0\0\0", b">\x01\0\0\0"] {
            let limit = usize::from(Limits::DEFAULT.depth);
            check(&deep(limit + 1, open), Kind::TooDeep);
            check(&deep(1 << 20, open), Kind::TooDeep);
            let allowed = deep(limit, open);
            let tree = decode(&allowed, release(11), &Limits::default()).expect("deep enough");
            assert_eq!(encode(&tree), allowed);
            // Two of them in a set, so that they are compared and ordered; the module and its
            // constants are two levels, the set is one.
            let mut set = b">\x02\0\0\0T".to_vec();
            set.extend(deep(limit - 3, open));
            check_const(11, &set, None);
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work);
    thread.expect("a thread").join().expect("no overflow");
}

/// A chain through references is as deep as a nested one: ordering a set may nest it.
#[test]
fn depth_counts_references() {
    let mut chain = vec![b"\xa9\x00".to_vec()];
    for slot in 0..2000 {
        chain.push([b"\xa9\x01".to_vec(), reference(slot)].concat());
    }
    let links: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let mut bytes = Vec::new();
    tuple(&links, &mut bytes);
    check(&bytes, Kind::TooDeep);
}

/// Each tuple holds the one before twice: two to the power of `levels` objects, if expanded.
fn doublings(levels: usize, innermost: &[u8], tag: u8) -> Vec<u8> {
    let mut object = innermost.to_vec();
    for level in (0..levels).rev() {
        // Slots are numbered from the outside in.
        let mut outer = vec![tag | 0x80, 2];
        if tag == b'>' || tag == b'(' {
            outer.extend_from_slice(&[0; 3]);
        }
        outer.extend_from_slice(&object);
        outer.extend(reference(level + 1));
        object = outer;
    }
    object
}

#[test]
fn shared_parts_are_not_expanded() {
    for levels in [22, 60, 990] {
        let bomb = doublings(levels, b"\xe9\x07\0\0\0", b')');
        let payload = module(release(11), &[&bomb]);
        let form = canonical(release(11), &payload).expect("it is only a tuple");
        assert!(form.len() <= payload.len());
        assert!(exercise::payload(release(11), &payload));
        // In a set it is written as it is shared, but comparing it would expand it.
        let mut set = Vec::new();
        sized(b'>', 2, &mut set);
        set.push(b'T');
        set.extend_from_slice(&bomb);
        let found = canonical(release(11), &module(release(11), &[&set]));
        assert_eq!(found.err(), Some(Kind::SetTooComplex), "{levels} levels");
    }
    check_const(11, &doublings(22, b"\xe9\x07\0\0\0", b'>'), Some(Kind::EqualElements));
}

#[test]
fn sets_that_depend_on_their_order() {
    let one = b"i\x01\0\0\0";
    let float = b"g\0\0\0\0\0\0\xf0\x3f";
    let complex = b"y\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x80";
    let set = |elements: &[&[u8]]| {
        let mut out = Vec::new();
        sized(b'>', elements.len(), &mut out);
        elements.iter().for_each(|element| out.extend_from_slice(element));
        out
    };
    let wrap = |element: &[u8]| [b")\x01".to_vec(), element.to_vec()].concat();
    let equal = Some(Kind::EqualElements);
    for elements in [&[&one[..], float, b"T"][..], &[one, b"T"], &[one, float], &[complex, one]] {
        check_const(11, &set(elements), equal);
        let wrapped: Vec<Vec<u8>> = elements.iter().map(|element| wrap(element)).collect();
        let wrapped: Vec<&[u8]> = wrapped.iter().map(Vec::as_slice).collect();
        check_const(11, &set(&wrapped), equal);
        let nested: Vec<Vec<u8>> = elements.iter().map(|element| set(&[element, b"N"])).collect();
        let nested: Vec<&[u8]> = nested.iter().map(Vec::as_slice).collect();
        check_const(11, &set(&nested), equal);
    }
    check_const(11, &set(&[b"z\x01a", b"\xfa\x01a"]), equal);
    check_const(11, &set(&[b"N", b"N"]), equal);
    check_const(11, &set(&[b"g\0\0\0\0\0\0\0\0", b"g\0\0\0\0\0\0\0\x80"]), equal);
    // 2.0**70 and 1 << 70.
    let large = set(&[b"g\0\0\0\0\0\0\x50\x44", b"l\x05\0\0\0\0\0\0\0\0\0\0\0\0\x04"]);
    check_const(11, &large, equal);
    check_const(15, b"}i\x01\0\0\0NTN0", equal);
    check_const(11, &set(&[&module(release(11), &[]), b"N"]), Some(Kind::CodeInSet));
    // These are different to Python as well.
    check_const(11, &set(&[b"T", b"F", b"i\x02\0\0\0", b"g\0\0\0\0\0\0\xf8\x3f"]), None);
    check_const(11, &set(&[b"z\x01a", b"s\x01\0\0\0a", &wrap(one), &set(&[one])]), None);
    check_const(11, &set(&[b"g\0\0\0\0\0\0\xf8\x7f", b"g\0\0\0\0\0\0\xf8\x7f"]), None);
}

#[test]
fn code_objects_that_are_none() {
    let bad = |fault| Some(Kind::BadCode(fault));
    let check = |minor: u8, module: &Module<'_>, fault| {
        let found = canonical(release(minor), &module.payload(release(minor), &[]));
        assert_eq!(found.err(), bad(fault));
    };
    for minor in [8, 10, 11, 15] {
        let names = Module { names: b")\x01N", ..Module::default() };
        check(minor, &names, CodeFault::Type("co_names"));
        let filename = Module { filename: b"N", ..Module::default() };
        check(minor, &filename, CodeFault::Type("co_filename"));
        let name = Module { name: b"s\0\0\0\0", ..Module::default() };
        check(minor, &name, CodeFault::Type("co_name"));
        let good = module(release(minor), &[]);
        for (place, value, fault) in [
            (1, 1, CodeFault::TooFewLocals),
            (4, 0xff, CodeFault::Range("co_argcount")),
            (5, 1, CodeFault::Range("co_posonlyargcount")),
            (if minor < 11 { 20 } else { 16 }, 0x7f, CodeFault::Range("co_stacksize")),
        ] {
            let mut payload = good.clone();
            payload[place] = value;
            let found = canonical(release(minor), &payload).err();
            assert_eq!(found, bad(fault), "3.{minor}, byte {place}");
        }
    }
    assert_eq!(canonical(release(11), b"N"), Err(Kind::NotCode));
}

/// Many code objects with one long `co_localspluskinds`, one set of names and one of constants:
/// none of them may be walked once for each.
#[test]
fn shared_fields_are_walked_once() {
    const NAMES: usize = 50_000;
    let mut names = Vec::new();
    sized(b'(' | 0x80, NAMES, &mut names);
    names.extend(b"z\0".repeat(NAMES));
    let mut kinds = Vec::new();
    sized(b's' | 0x80, NAMES, &mut kinds);
    kinds.extend(std::iter::repeat_n(0x20, NAMES));
    let code = |names: &[u8], kinds: &[u8]| {
        let mut out = b"c\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0s\0\0\0\0".to_vec();
        out.extend_from_slice(names); // as constants
        out.extend(reference(0)); // as names
        out.extend(reference(0)); // as local variables
        out.extend_from_slice(kinds);
        out.extend_from_slice(b"z\x04m.pyz\x01fz\x01f\x01\0\0\0s\0\0\0\0s\0\0\0\0");
        out
    };
    let mut consts = vec![code(&names, &kinds)];
    consts.extend(std::iter::repeat_n(code(&reference(0), &reference(1)), 50_000));
    let consts: Vec<&[u8]> = consts.iter().map(Vec::as_slice).collect();
    assert!(exercise::payload(release(11), &module(release(11), &consts)));
}
