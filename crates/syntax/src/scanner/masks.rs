//! Which of 64 bytes are of interest to the scanner, as bit masks (bit 0 is the first byte). Knows
//! nothing of what they mean.

/// One bit a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Masks {
    /// Newlines, quotes, backslashes and `#`: what ends a run of plain code.
    pub(super) event: u64,
    pub(super) open: u64,
    pub(super) close: u64,
}

/// Bytes in a block.
pub(super) const WIDTH: usize = 64;

#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(unsafe_code, reason = "calls what needs SSE2, which is part of every x86-64")]
pub(super) fn masks(block: &[u8; WIDTH]) -> Masks {
    // SAFETY: all processors of this architecture have the instructions.
    unsafe { sse2(block) }
}

/// Written out because the portable loop is not vectorised well.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn sse2(block: &[u8; WIDTH]) -> Masks {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    #[target_feature(enable = "sse2")]
    #[inline]
    fn equal(bytes: __m128i, byte: u8) -> __m128i {
        _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()))
    }
    #[target_feature(enable = "sse2")]
    #[inline]
    fn bits(bytes: __m128i, shift: usize) -> u64 {
        u64::from(_mm_movemask_epi8(bytes).cast_unsigned()) << shift
    }
    let mut masks = Masks::default();
    let (quarters, _) = block.as_chunks::<16>();
    for (index, quarter) in quarters.iter().enumerate() {
        let word = u128::from_le_bytes(*quarter);
        #[expect(clippy::cast_possible_truncation, reason = "its two halves")]
        let bytes = _mm_set_epi64x((word >> 64) as i64, word as i64);
        let shift = index * 16;
        let newline = _mm_or_si128(equal(bytes, b'\n'), equal(bytes, b'\r'));
        let quotes = _mm_or_si128(equal(bytes, b'\''), equal(bytes, b'"'));
        let rest = _mm_or_si128(equal(bytes, b'\\'), equal(bytes, b'#'));
        let event = _mm_or_si128(_mm_or_si128(newline, quotes), rest);
        // `[` and `{`, `]` and `}` differ in this bit only.
        let folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        let open = _mm_or_si128(equal(folded, b'{'), equal(bytes, b'('));
        let close = _mm_or_si128(equal(folded, b'}'), equal(bytes, b')'));
        masks.event |= bits(event, shift);
        masks.open |= bits(open, shift);
        masks.close |= bits(close, shift);
    }
    masks
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(super) fn masks(block: &[u8; WIDTH]) -> Masks {
    portable(block)
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn portable(block: &[u8; WIDTH]) -> Masks {
    fn mask(block: &[u8; WIDTH], is: impl Fn(u8) -> bool) -> u64 {
        block.iter().enumerate().fold(0, |bits, (index, &byte)| bits | u64::from(is(byte)) << index)
    }
    Masks {
        event: mask(block, |byte| b"\n\r'\"\\#".contains(&byte)),
        open: mask(block, |byte| byte | 0x20 == b'{' || byte == b'('),
        close: mask(block, |byte| byte | 0x20 == b'}' || byte == b')'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_in_every_place() {
        for first in 0..=255_u8 {
            let mut block = [b'x'; WIDTH];
            for (index, byte) in block.iter_mut().enumerate() {
                let step = u8::try_from(index).expect("small");
                *byte = first.wrapping_add(step.wrapping_mul(7));
            }
            assert_eq!(masks(&block), portable(&block), "{first}");
        }
        let all: Vec<u8> = (0..=255).collect();
        let opening: u32 =
            all.as_chunks::<WIDTH>().0.iter().map(|block| masks(block).open.count_ones()).sum();
        assert_eq!(opening, 3, "only the three brackets open");
    }
}
