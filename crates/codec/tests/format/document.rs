//! The test vectors in `docs/canonical-form.md` are what the code does.

use bytekiln_codec::{CanonicalOptions, Limits, canonicalize};

use crate::modules::release;
use crate::vectors::{Vector, vectors};

#[test]
fn vectors_of_the_document() {
    let all = vectors();
    assert!(all.len() >= 12, "{} vectors", all.len());
    all.iter().for_each(check);
}

fn check(vector: &Vector) {
    let options = CanonicalOptions {
        release: release(vector.minor),
        recorded_path: vector.path.as_bytes(),
        limits: Limits::default(),
        nans: vector.nans,
    };
    let found = canonicalize(&vector.payload, &options).map_err(|error| error.kind.to_string());
    assert_eq!(found, vector.expect, "{:x?}", vector.payload);
}
