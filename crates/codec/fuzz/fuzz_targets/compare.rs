//! Two payloads that are nearly the same: comparing finds a difference where, and only where, their
//! canonical forms differ. The header of the input, whose hash nobody reads, says what to change.
#![no_main]

use bytekiln_codec::{
    CanonicalOptions, CompareOptions, HEADER_LENGTH, Limits, NanPolicy, canonicalize, compare,
    decode,
};
use bytekiln_python::Release;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((header, payload)) = bytes.split_at_checked(HEADER_LENGTH) else { return };
    let magic = u16::from_le_bytes([header[0], header[1]]);
    let Some(release) = Release::from_magic(magic) else { return };
    let mut changed = payload.to_vec();
    for change in header[8..].chunks(4) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]]));
        if let Some(byte) = changed.get_mut(place) {
            *byte ^= change[2];
        }
    }
    let limits = Limits::default();
    // Both under one path, which is then no difference.
    let options = CanonicalOptions { release, recorded_path: b"\0", limits, nans: NanPolicy::Kept };
    let forms = (canonicalize(payload, &options), canonicalize(&changed, &options));
    let (Ok(left), Ok(right)) = forms else { return };
    let trees = (decode(&left, release, &limits), decode(&right, release, &limits));
    let (Ok(left_tree), Ok(right_tree)) = trees else { panic!("canonical bytes decode") };
    let found = compare(&left_tree, &right_tree, &CompareOptions::default());
    let found = found.expect("canonical payloads can be compared");
    if found.complete {
        assert_eq!(found.total == 0, left == right, "{found:?}");
    }
    assert!(found.total > 0 || found.encoding.is_empty(), "{found:?}");
});
