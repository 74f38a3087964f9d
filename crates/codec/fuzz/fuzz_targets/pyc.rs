//! A `.pyc`: the header must be refused or come back, the payload be refused or decode, encode and
//! become canonical as promised.
#![no_main]

#[path = "../../tests/format/exercise.rs"]
mod exercise;

use bytekiln_codec::HEADER_LENGTH;
use bytekiln_python::Release;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    exercise::pyc(bytes);
    let Some((header, payload)) = bytes.split_at_checked(HEADER_LENGTH) else { return };
    let magic = u16::from_le_bytes([header[0], header[1]]);
    let release = Release::from_magic(magic).or(Release::from_minor(8 + header[0] % 8));
    if let Some(release) = release {
        exercise::payload(release, payload);
    }
});
