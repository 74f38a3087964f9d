//! Random constants, marshalled in two random ways: one canonical form.

use bytekiln_codec::{Header, Limits, decode, encode};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::comparing;
use crate::modules::{canonical, module, release, sized};

/// A constant, before anybody chose how to write it.
#[derive(Debug, Clone)]
enum Constant {
    None,
    Bool(bool),
    Int(i32),
    Float(u64),
    Bytes(Vec<u8>),
    Text(String),
    Tuple(Vec<Constant>),
    /// Strings only, each once: sets of other things may have equal elements.
    Set(Vec<String>),
}

fn constants() -> impl Strategy<Value = Constant> {
    let text = prop_oneof!["[a-c]{0,2}", "[ -~]{0,4}", "\\PC{0,3}", "x{254,258}"];
    let leaf = prop_oneof![
        Just(Constant::None),
        any::<bool>().prop_map(Constant::Bool),
        (-3..3).prop_map(Constant::Int),
        any::<i32>().prop_map(Constant::Int),
        // NaNs have an identity, which writing a constant twice does not keep.
        any::<f64>()
            .prop_filter("a number", |float| !float.is_nan())
            .prop_map(|float| Constant::Float(float.to_bits())),
        vec(any::<u8>(), 0..4).prop_map(Constant::Bytes),
        text.clone().prop_map(Constant::Text),
        proptest::collection::btree_set(text, 0..6)
            .prop_map(|all| Constant::Set(all.into_iter().collect())),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| vec(inner, 0..6).prop_map(Constant::Tuple))
}

/// Choices of a writer, used up one by one; when none are left, the plainest.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn below(&mut self, bound: u8) -> u8 {
        self.0.next().map_or(0, |choice| choice % bound)
    }
}

fn write(constant: &Constant, choices: &mut Choices<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    match constant {
        Constant::None => out.push(b'N'),
        Constant::Bool(value) => out.push(if *value { b'T' } else { b'F' }),
        Constant::Int(value) => match choices.below(3) {
            0 => {
                out.push(b'i');
                out.extend_from_slice(&value.to_le_bytes());
            }
            1 => {
                out.push(b'I');
                out.extend_from_slice(&i64::from(*value).to_le_bytes());
            }
            _ => long(*value, out),
        },
        Constant::Float(bits) => {
            out.push(b'g');
            out.extend_from_slice(&bits.to_le_bytes());
        }
        Constant::Bytes(bytes) => {
            sized(b's', bytes.len(), out);
            out.extend_from_slice(bytes);
        }
        Constant::Text(text) => string(text, choices, out),
        Constant::Tuple(elements) => {
            if choices.below(2) == 0 {
                out.extend_from_slice(&[b')', elements.len() as u8]);
            } else {
                sized(b'(', elements.len(), out);
            }
            elements.iter().for_each(|element| write(element, choices, out));
        }
        Constant::Set(elements) => {
            sized(b'>', elements.len(), out);
            let turn = usize::from(choices.below(6)) % elements.len().max(1);
            let (before, after) = elements.split_at(turn);
            after.iter().chain(before).for_each(|element| string(element, choices, out));
        }
    }
    if choices.below(3) == 1 {
        out[start] |= 0x80;
    }
}

fn string(text: &str, choices: &mut Choices<'_>, out: &mut Vec<u8>) {
    let interned = choices.below(2) == 1;
    match choices.below(3) {
        0 if text.is_ascii() && text.len() < 256 => {
            out.extend_from_slice(&[if interned { b'Z' } else { b'z' }, text.len() as u8]);
        }
        1 if text.is_ascii() => sized(if interned { b'A' } else { b'a' }, text.len(), out),
        _ => sized(if interned { b't' } else { b'u' }, text.len(), out),
    }
    out.extend_from_slice(text.as_bytes());
}

fn long(value: i32, out: &mut Vec<u8>) {
    let mut digits = Vec::new();
    let mut rest = value.unsigned_abs();
    while rest != 0 {
        digits.push((rest & 0x7fff) as u16);
        rest >>= 15;
    }
    let count = digits.len() as i32;
    out.push(b'l');
    out.extend_from_slice(&(if value < 0 { -count } else { count }).to_le_bytes());
    digits.iter().for_each(|digit| out.extend_from_slice(&digit.to_le_bytes()));
}

fn marshalled(minor: u8, constants: &[Constant], choices: &[u8]) -> Vec<u8> {
    let mut choices = Choices(choices.iter());
    let mut written = Vec::new();
    for constant in constants {
        let mut out = Vec::new();
        write(constant, &mut choices, &mut out);
        written.push(out);
    }
    let written: Vec<&[u8]> = written.iter().map(Vec::as_slice).collect();
    module(release(minor), &written)
}

proptest! {
    #[test]
    fn one_form_however_written(
        minor in 8..=15_u8,
        constants in vec(constants(), 0..8),
        one in vec(any::<u8>(), 0..64),
        other in vec(any::<u8>(), 0..64),
    ) {
        let one = marshalled(minor, &constants, &one);
        let other = marshalled(minor, &constants, &other);
        let tree = decode(&one, release(minor), &Limits::default()).expect("a module");
        prop_assert_eq!(encode(&tree), one.clone());
        let form = canonical(release(minor), &one).expect("a module");
        prop_assert_eq!(canonical(release(minor), &other), Ok(form.clone()));
        prop_assert_eq!(canonical(release(minor), &form), Ok(form.clone()));
        prop_assert!(comparing::agrees(release(minor), &one, &other));
        prop_assert!(comparing::agrees(release(minor), &one, &form));
    }

    #[test]
    fn comparing_agrees_with_canonical_forms(
        minor in 8..=15_u8,
        one in vec(constants(), 0..4),
        other in vec(constants(), 0..4),
        choices in vec(any::<u8>(), 0..64),
    ) {
        let one = marshalled(minor, &one, &choices);
        let other = marshalled(minor, &other, &[]);
        comparing::agrees(release(minor), &one, &other);
    }

    #[test]
    fn any_bytes_are_survived(minor in 8..=15_u8, bytes in vec(any::<u8>(), 0..64)) {
        crate::exercise::payload(release(minor), &bytes);
        crate::exercise::pyc(&bytes);
    }

    #[test]
    fn headers_round_trip(bytes in any::<[u8; 16]>(), flags in 0..4_u8) {
        let mut bytes = bytes;
        bytes[2..8].copy_from_slice(&[b'\r', b'\n', flags, 0, 0, 0]);
        let header = Header::parse(&bytes).expect("defined flags");
        prop_assert_eq!(header.to_bytes(), bytes);
    }
}
