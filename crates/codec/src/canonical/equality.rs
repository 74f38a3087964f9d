//! Which elements of a set Python calls equal. Values are told apart more finely than that (`1`,
//! `1.0`, `True`), and a set with two elements that are equal to Python but not to us would load as
//! the one or the other, depending on their order. Such sets are refused.

use super::order::Budget;
use super::values::{Kind, ValueId, Values};
use crate::marshal::{DecodeErrorKind, Integer};

/// Checks that no two of these are equal to Python.
pub(super) fn check_distinct(
    values: &Values<'_>,
    elements: &[ValueId],
    budget: &mut Budget,
) -> Result<(), DecodeErrorKind> {
    if elements.len() < 2 {
        return Ok(());
    }
    let mut sorted = elements.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(DecodeErrorKind::EqualElements);
    }
    // Nearly all sets hold strings, or integers; equality is identity among those.
    let plain = |kind| {
        matches!(
            kind,
            Kind::None
                | Kind::Ellipsis
                | Kind::StopIteration
                | Kind::Bytes
                | Kind::Text
                | Kind::Int
                | Kind::Long
        )
    };
    if elements.iter().all(|id| plain(values.get(*id).kind)) {
        return Ok(());
    }
    let mut keys = Vec::with_capacity(elements.len());
    for id in elements {
        let mut key = Vec::new();
        push_key(values, *id, &mut key, budget)?;
        keys.push(key);
    }
    keys.sort_unstable();
    if keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(DecodeErrorKind::EqualElements);
    }
    Ok(())
}

/// Appends bytes that are the same for values that are equal to Python, and only for those. The
/// depth of recursion is that of the value, which the decoder bounds.
fn push_key(
    values: &Values<'_>,
    id: ValueId,
    key: &mut Vec<u8>,
    budget: &mut Budget,
) -> Result<(), DecodeErrorKind> {
    let value = values.get(id);
    let before = key.len();
    match value.kind {
        Kind::Tuple | Kind::Slice => {
            key.push(if value.kind == Kind::Tuple { b'(' } else { b':' });
            for child in values.children(value) {
                push_key(values, *child, key, budget)?;
            }
            key.push(b'.');
        }
        Kind::Frozenset => push_sorted(values, b'>', values.children(value), 1, key, budget)?,
        Kind::Frozendict => push_sorted(values, b'}', values.children(value), 2, key, budget)?,
        Kind::False => push_integer(&Integer::from_i64(0), key),
        Kind::True => push_integer(&Integer::from_i64(1), key),
        Kind::Int | Kind::Long => push_integer(&values.integer(value), key),
        Kind::Float => {
            let [real, _] = values.floats(value);
            push_float(id, real, key);
        }
        Kind::Complex => {
            let [real, imaginary] = values.floats(value);
            if imaginary == 0.0 {
                push_float(id, real, key);
            } else {
                key.push(b'y');
                push_float(id, real, key);
                push_float(id, imaginary, key);
            }
        }
        // Equal only to itself.
        _ => push_identity(id, key),
    }
    // What containers copy of their children was paid for by these, once more for each level.
    budget.spend(key.len() - before + 1)
}

/// The keys of groups of `width` children, in an order that does not depend on theirs.
fn push_sorted(
    values: &Values<'_>,
    opening: u8,
    children: &[ValueId],
    width: usize,
    key: &mut Vec<u8>,
    budget: &mut Budget,
) -> Result<(), DecodeErrorKind> {
    let mut groups = Vec::with_capacity(children.len() / width);
    for group in children.chunks(width) {
        let mut bytes = Vec::new();
        for child in group {
            push_key(values, *child, &mut bytes, budget)?;
        }
        groups.push(bytes);
    }
    groups.sort_unstable();
    key.push(opening);
    groups.iter().for_each(|bytes| key.extend_from_slice(bytes));
    key.push(b'.');
    Ok(())
}

fn push_identity(id: ValueId, key: &mut Vec<u8>) {
    key.push(b'=');
    key.extend_from_slice(&id.to_le_bytes());
}

fn push_integer(integer: &Integer, key: &mut Vec<u8>) {
    key.push(if integer.negative { b'-' } else { b'+' });
    key.extend_from_slice(&(integer.digits.len() as u32).to_le_bytes());
    integer.digits.iter().for_each(|digit| key.extend_from_slice(&digit.to_le_bytes()));
}

/// A float that is an integer has that integer's key. A NaN in `id` equals nothing else.
fn push_float(id: ValueId, number: f64, key: &mut Vec<u8>) {
    if number.is_nan() {
        push_identity(id, key);
    } else if number.is_finite() && number.fract() == 0.0 {
        push_integer(&integer_of_float(number), key);
    } else {
        key.push(b'g');
        key.extend_from_slice(&number.to_le_bytes());
    }
}

/// The integer that a float without a fraction is.
fn integer_of_float(number: f64) -> Integer {
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1075;
    let mantissa = u128::from(bits & ((1 << 52) - 1) | 1 << 52);
    if number.abs() < 9e15 {
        return Integer::from_i64(number as i64);
    }
    // Above 2^52 the exponent is not negative; shift by whole digits first.
    let exponent = exponent.unsigned_abs() as usize;
    let mut digits = vec![0; exponent / 15];
    let mut rest = mantissa << (exponent % 15);
    while rest != 0 {
        digits.push((rest & 0x7fff) as u16);
        rest >>= 15;
    }
    Integer { negative: number < 0.0, digits }
}
