//! Bytes as a blob: as they are, and with head, length and digest made right, so that the rules
//! behind the digest are reached. Either they are refused, or all of them can be asked for.
#![no_main]

#[path = "../../tests/format/exercise.rs"]
mod exercise;
#[path = "../../tests/format/seal.rs"]
mod seal;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    exercise::bytes(bytes);
    let mut bytes = bytes.to_vec();
    seal::seal(&mut bytes);
    exercise::bytes(&bytes);
});
