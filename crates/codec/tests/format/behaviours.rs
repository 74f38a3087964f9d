//! What CPython's own tests ask of marshal, asked of the codec: integers at the edges of digits and
//! words, floats of all bits, many references, names that are shared.

use bytekiln_codec::{CodeField, Limits, Object, Tree, decode, encode};
use bytekiln_python::Release;

use crate::modules::{canonical, module, reference, release, sized, tuple};

/// The constants of a canonical module.
fn constants<'t>(tree: &'t Tree<'t>) -> Vec<Object<'t>> {
    let Object::Code(code) = tree.get(tree.root()) else { panic!("a code object") };
    code.elements(CodeField::Consts).iter().map(|id| tree.get(tree.resolve(*id))).collect()
}

/// The canonical form of a module with one constant, as that constant is written there.
fn written(release: Release, constant: &[u8]) -> Vec<u8> {
    let payload = canonical(release, &module(release, &[constant])).expect("a module");
    let start = payload.windows(2).position(|pair| pair == b")\x01").expect("the constants") + 2;
    payload[start..].to_vec()
}

/// `l` with as few digits as there are.
fn long(number: i128) -> Vec<u8> {
    let mut digits = Vec::new();
    let mut rest = number.unsigned_abs();
    while rest != 0 {
        digits.extend_from_slice(&((rest & 0x7fff) as u16).to_le_bytes());
        rest >>= 15;
    }
    let count = (digits.len() / 2) as i32 * number.signum() as i32;
    [&b"l"[..], &count.to_le_bytes(), &digits].concat()
}

#[test]
fn integers_at_every_edge() {
    let release = release(13);
    let mut seen = 0;
    for shift in [0, 8, 14, 15, 16, 29, 30, 31, 32, 45, 60, 62, 63, 64, 90, 120] {
        for offset in -2..=2_i128 {
            for sign in [1, -1] {
                let number = sign * ((1 << shift) + offset);
                let expect = match i32::try_from(number) {
                    Ok(small) => [&b"i"[..], &small.to_le_bytes()].concat(),
                    Err(_) => long(number),
                };
                let mut spellings = vec![long(number)];
                if let Ok(word) = i64::try_from(number) {
                    spellings.push([&b"I"[..], &word.to_le_bytes()].concat());
                }
                if let Ok(small) = i32::try_from(number) {
                    spellings.push([&b"i"[..], &small.to_le_bytes()].concat());
                }
                for spelling in spellings {
                    let found = written(release, &spelling);
                    assert!(found.starts_with(&expect), "{number}: {found:x?}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 300, "{seen}");
    let vector = written(release, b"I\x10\x32\x54\x76\x98\xba\xdc\xfe");
    assert!(vector.starts_with(&long(-0x0123_4567_89ab_cdf0)), "{vector:x?}");
}

#[test]
fn floats_keep_their_bits() {
    let release = release(12);
    for number in [0.0, -0.0, 1.5, f64::MIN_POSITIVE / 4.0, f64::MAX, f64::INFINITY, -0.1, 1e-300] {
        let binary = [&b"g"[..], &number.to_le_bytes()].concat();
        assert!(written(release, &binary).starts_with(&binary), "{number}");
        let text = format!("{number:?}");
        let decimal = [&[b'f', text.len() as u8], text.as_bytes()].concat();
        assert!(written(release, &decimal).starts_with(&binary), "{text}");
    }
}

/// Ten thousand code objects, each met again after all the others.
#[test]
fn many_references() {
    const COUNT: usize = 10_000;
    for minor in [8, 11, 15] {
        let release = release(minor);
        let mut one = module(release, &[]);
        one[0] |= 0x80;
        let mut parts = vec![one; COUNT];
        parts.extend((0..COUNT).map(reference));
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let payload = module(release, &parts);
        let tree = decode(&payload, release, &Limits::default()).expect("a module");
        assert!(encode(&tree) == payload);
        let form = canonical(release, &payload).expect("a module");
        let tree = decode(&form, release, &Limits::default()).expect("a module");
        let found = constants(&tree);
        assert_eq!(found.len(), 2 * COUNT);
        assert!(found.iter().all(|object| matches!(object, Object::Code(_))));
    }
}

#[test]
fn one_long_tuple_shared() {
    let release = release(11);
    let mut long = Vec::new();
    tuple(&[&b"z\x01q"[..]; 300], &mut long);
    long[0] |= 0x80;
    let form = canonical(release, &module(release, &[&long, &reference(0)])).expect("a module");
    let tree = decode(&form, release, &Limits::default()).expect("a module");
    let found = constants(&tree);
    for object in &found {
        let Object::Tuple(elements) = object else { panic!("{object:?}") };
        assert_eq!(elements.len(), 300);
    }
    assert_eq!(found.len(), 2);
}

#[test]
fn one_byte_is_an_error_or_a_singleton() {
    for minor in 8..=15 {
        for byte in 0..=255_u8 {
            let found = decode(&[byte], release(minor), &Limits::default()).is_ok();
            assert_eq!(found, b"NFT.S".contains(&(byte & 0x7f)), "{byte:#x}");
        }
    }
}

/// Lengths at which the type byte changes.
#[test]
fn strings_and_tuples_at_their_bounds() {
    let release = release(11);
    for (length, tag) in [(0, b'Z'), (255, b'Z'), (256, b'A'), (70_000, b'A')] {
        let mut text = Vec::new();
        sized(b'u', length, &mut text);
        text.extend(std::iter::repeat_n(b'a', length));
        assert_eq!(written(release, &text)[0] & 0x7f, tag, "{length}");
        let mut elements = Vec::new();
        tuple(&vec![&b"N"[..]; length], &mut elements);
        let tag = if length < 256 { b')' } else { b'(' };
        assert_eq!(written(release, &elements)[0] & 0x7f, tag, "{length}");
    }
}
