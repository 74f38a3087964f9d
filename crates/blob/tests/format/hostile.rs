//! Bytes that nobody wrote, or that somebody wrote to break a reader: an error or the right answer.

use bytekiln_blob::{Blob, BlobError, write};

use crate::exercise;
use crate::golden::{ENTRIES, TARGET};
use crate::seal::seal;

/// The blob, and where its index begins.
fn sample() -> (Vec<u8>, usize) {
    let bytes = write(ENTRIES, &TARGET).unwrap();
    let offset = bytes[bytes.len() - 32..][..8].try_into().unwrap();
    (bytes, u64::from_le_bytes(offset) as usize)
}

#[test]
fn truncated_at_every_length_or_with_more_after_it() {
    let (mut bytes, _) = sample();
    for length in 0..bytes.len() {
        assert!(Blob::parse(&bytes[..length]).is_err(), "{length}");
        assert!(length == 0 || Blob::parse(&bytes[length..]).is_err(), "{length}");
    }
    bytes.push(0);
    assert_eq!(Blob::parse(&bytes).unwrap_err(), BlobError::Length);
}

#[test]
fn every_bit_of_head_and_index_is_watched() {
    let (bytes, index) = sample();
    for position in (0..16).chain(index..bytes.len()) {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[position] ^= 1 << bit;
            assert!(Blob::parse(&changed).is_err(), "byte {position}, bit {bit}");
        }
    }
}

#[test]
fn every_bit_of_a_payload_is_watched() {
    let (bytes, index) = sample();
    let blob = Blob::parse(&bytes).unwrap();
    let mut payloads = vec![blob.data("app/words.txt").unwrap().bytes().unwrap()];
    for module in blob.modules() {
        payloads.push(module.pyc().unwrap());
        payloads.extend(module.source().unwrap());
    }
    let mut watched = 0;
    for payload in payloads {
        let start = payload.as_ptr().addr() - bytes.as_ptr().addr();
        for position in start..start + payload.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[position] ^= 1 << bit;
                let damaged = Blob::parse(&changed).unwrap();
                assert!(matches!(damaged.verify(), Err(BlobError::Damaged(_))), "byte {position}");
                assert!(exercise::bytes(&changed));
                watched += 1;
            }
        }
    }
    assert_eq!(watched, 8 * (3 * 21 + 8 + 5), "of {index} bytes");
}

/// With a digest that fits: what only a wilful writer makes.
#[test]
fn every_byte_of_the_index_with_a_right_digest() {
    let (bytes, index) = sample();
    let mut accepted = 0;
    for position in index..bytes.len() - 24 {
        for value in [0, 1, 2, 3, 0x2e, 0x2f, 0x7f, 0x80, 0xfe, 0xff] {
            let mut changed = bytes.clone();
            changed[position] = value;
            seal(&mut changed);
            accepted += usize::from(exercise::bytes(&changed));
        }
    }
    // Digests, names and offsets of payloads may change and still make a blob, with damaged entries.
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn numbers_that_overflow_or_overlap() {
    let (bytes, index) = sample();
    let numbers = [0_u64, 1, 15, 16, 17, index as u64, bytes.len() as u64, u64::from(u32::MAX)];
    let numbers = numbers.into_iter().chain([1 << 63, u64::MAX - 15, u64::MAX]);
    for number in numbers {
        for position in (index..bytes.len() - 8).step_by(4) {
            let mut changed = bytes.clone();
            changed[position..position + 8].copy_from_slice(&number.to_le_bytes());
            seal(&mut changed);
            exercise::bytes(&changed);
            let mut changed = bytes.clone();
            changed[position..position + 4].copy_from_slice(&(number as u32).to_le_bytes());
            seal(&mut changed);
            exercise::bytes(&changed);
        }
    }
}

/// A record that breaks a rule, by offset and new bytes, is refused and named.
#[test]
fn broken_rules_have_names() {
    let (bytes, index) = sample();
    let check = |offset: usize, new: &[u8], expected: BlobError| {
        let mut changed = bytes.clone();
        changed[index + offset..][..new.len()].copy_from_slice(new);
        seal(&mut changed);
        assert_eq!(Blob::parse(&changed).unwrap_err(), expected, "at {offset}");
    };
    let tail = bytes.len() - index - 64;
    check(12, &[3], BlobError::Malformed("a module's record"));
    check(13, &[2], BlobError::Malformed("unknown flags"));
    check(14, &[1], BlobError::Malformed("unknown flags"));
    check(8, &[0, 0], BlobError::Malformed("names of modules"));
    check(56 + 8, &[3, 0], BlobError::Malformed("names of modules"));
    check(32, &[15], BlobError::Malformed("a module's bytecode"));
    check(56 * 5 + 6, &[1], BlobError::Malformed("unknown flags"));
    check(56 * 5 + 16, &[0xff; 8], BlobError::Malformed("a data file's record"));
    check(tail + 4, &[3], BlobError::Malformed("the target"));
    check(tail + 5, &[25], BlobError::Malformed("the target"));
    check(tail + 48, &[0xff; 4], BlobError::Malformed("more modules than bytes"));
    check(tail + 52, &[0xff; 4], BlobError::Malformed("more data files than bytes"));
    check(tail + 32, &[0xff; 8], BlobError::Index);
}
