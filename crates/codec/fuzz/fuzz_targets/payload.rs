//! A payload of any release: the first byte picks the release. Decodes, encodes and becomes
//! canonical as promised, or is refused.
#![no_main]

#[path = "../../tests/format/exercise.rs"]
mod exercise;

use bytekiln_python::Release;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, payload)) = bytes.split_first() else { return };
    if let Some(release) = Release::from_minor(8 + first % 8) {
        exercise::payload(release, payload);
    }
});
