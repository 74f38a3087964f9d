//! Integers and floats as marshal writes them.

use super::tag;

/// A Python integer of any size: a sign and digits of fifteen bits, the lowest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integer {
    /// Whether it is below zero. False for zero.
    pub negative: bool,
    /// Each below 2^15; the last is not zero.
    pub digits: Vec<u16>,
}

impl Integer {
    /// The integer of this value.
    pub fn from_i64(value: i64) -> Integer {
        let mut digits = Vec::new();
        let mut rest = value.unsigned_abs();
        while rest != 0 {
            digits.push((rest & 0x7fff) as u16);
            rest >>= 15;
        }
        Integer { negative: value < 0, digits }
    }

    /// Its value, if that fits.
    pub fn to_i64(&self) -> Option<i64> {
        if self.digits.len() > 5 {
            return None;
        }
        let magnitude =
            self.digits.iter().rev().fold(0_i128, |sum, digit| sum << 15 | i128::from(*digit));
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// The content of type `l`: digit count with the sign, then the digits.
    pub(crate) fn push_long(&self, out: &mut Vec<u8>) {
        let count = self.digits.len() as i32;
        out.extend_from_slice(&(if self.negative { -count } else { count }).to_le_bytes());
        for digit in &self.digits {
            out.extend_from_slice(&digit.to_le_bytes());
        }
    }

    /// The inverse of [`Integer::push_long`], for content that the decoder has checked.
    pub(crate) fn from_long(content: &[u8]) -> Integer {
        let (count, digits) = content.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        Integer {
            negative: i32::from_le_bytes(*count) < 0,
            digits: digits
                .as_chunks::<2>()
                .0
                .iter()
                .map(|pair| u16::from_le_bytes(*pair))
                .collect(),
        }
    }
}

/// Decimal in Python's own notation for small values, hexadecimal beyond 64 bits.
impl std::fmt::Display for Integer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(value) = self.to_i64() {
            return write!(f, "{value}");
        }
        // Hexadecimal needs no long division, which would be quadratic in the digits.
        let mut bits = Vec::with_capacity(self.digits.len() * 15 + 4);
        for digit in &self.digits {
            bits.extend((0..15).map(|bit| digit >> bit & 1));
        }
        let nibbles: Vec<u16> = bits
            .chunks(4)
            .map(|chunk| chunk.iter().rev().fold(0, |sum, bit| sum << 1 | bit))
            .collect();
        f.write_str(if self.negative { "-0x" } else { "0x" })?;
        let significant =
            nibbles.iter().rposition(|nibble| *nibble != 0).map_or(0, |last| last + 1);
        nibbles.iter().take(significant).rev().try_for_each(|nibble| write!(f, "{nibble:x}"))
    }
}

/// The float that the decimal text of marshal versions 0 and 1 stands for.
pub(crate) fn float_of_text(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match text {
        "inf" | "-inf" => text.parse().ok(),
        "nan" => Some(f64::from_bits(0x7ff8_0000_0000_0000)),
        "-nan" => Some(f64::from_bits(0xfff8_0000_0000_0000)),
        _ if plain => text.parse().ok(),
        _ => None,
    }
}

/// Both decimal texts of a complex number: content of type `x`, each behind its length.
pub(crate) fn complex_of_text(content: &[u8]) -> Option<(f64, f64)> {
    let (length, rest) = content.split_first()?;
    let (real, rest) = rest.split_at_checked(usize::from(*length))?;
    let (_, imaginary) = rest.split_first()?;
    Some((float_of_text(real)?, float_of_text(imaginary)?))
}

/// The number as 64 bits, from the content of `g`.
pub(crate) fn float_of_bytes(content: &[u8]) -> f64 {
    f64::from_le_bytes(content.first_chunk::<8>().copied().unwrap_or_default())
}

/// The integer that the content of `i`, `I` or `l` stands for.
pub(crate) fn integer(tag: u8, content: &[u8]) -> Integer {
    match tag {
        tag::INT => Integer::from_i64(i64::from(i32::from_le_bytes(
            content.first_chunk().copied().unwrap_or_default(),
        ))),
        tag::INT64 => Integer::from_i64(i64::from_le_bytes(
            content.first_chunk().copied().unwrap_or_default(),
        )),
        _ => Integer::from_long(content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_round_trip() {
        for value in [0, 1, -1, 32767, 32768, -32768, i64::MAX, i64::MIN, 0x0123_4567_89ab_cdef] {
            let integer = Integer::from_i64(value);
            assert_eq!(integer.to_i64(), Some(value));
            assert_eq!(integer.to_string(), value.to_string());
            let mut content = Vec::new();
            integer.push_long(&mut content);
            assert_eq!(Integer::from_long(&content), integer);
        }
        let big = Integer { negative: true, digits: vec![0, 0, 0, 0, 0, 1] };
        assert_eq!((big.to_i64(), big.to_string().as_str()), (None, "-0x8000000000000000000"));
    }

    #[test]
    fn float_text() {
        for (text, expect) in [("1.5", 1.5), ("-0.0", -0.0), ("1e999", f64::INFINITY)] {
            assert_eq!(float_of_text(text.as_bytes()).map(f64::to_bits), Some(expect.to_bits()));
        }
        for bad in ["", "infinity", "NaN", "1_0", "0x1", " 1", "1.5 ", "e"] {
            assert_eq!(float_of_text(bad.as_bytes()), None, "{bad}");
        }
    }
}
