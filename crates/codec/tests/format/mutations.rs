//! Real payloads with a few bytes changed: whatever becomes of them, the codec keeps its promises.
//! The same seeds and the same body as the fuzz targets, but the same mutations each time.

use std::path::{Path, PathBuf};

use bytekiln_codec::{
    CanonicalOptions, HEADER_LENGTH, Header, Limits, NanPolicy, canonicalize, decode,
};
use bytekiln_python::Release;

use crate::exercise;
use crate::modules::module;

/// In all, over the seeds.
const MUTATIONS: usize = 20_000;

pub(crate) fn folder_of_seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

/// The real `.pyc` files among the seeds of the fuzzers, one a release.
pub(crate) fn seeds() -> Vec<(Release, Vec<u8>)> {
    let entries = std::fs::read_dir(folder_of_seeds()).expect("the seeds");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a seed").path()).collect();
    let real = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("sample-") && name.ends_with(".pyc")
    };
    paths.retain(real);
    paths.sort();
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("a seed");
        let header = Header::parse(&bytes).expect("a header");
        (header.release().expect("a final release"), bytes)
    };
    paths.iter().map(read).collect()
}

#[test]
fn seeds_cover_each_release() {
    let seeds = seeds();
    let mut releases: Vec<Release> = seeds.iter().map(|(release, _)| *release).collect();
    releases.sort();
    assert_eq!(releases, Release::all().collect::<Vec<Release>>());
    for (release, bytes) in seeds {
        assert!(exercise::payload(release, &bytes[HEADER_LENGTH..]));
    }
}

#[test]
fn every_prefix_is_an_error() {
    for (release, bytes) in seeds() {
        let payload = &bytes[HEADER_LENGTH..];
        for length in 0..payload.len() {
            let found = decode(&payload[..length], release, &Limits::default());
            assert!(found.is_err(), "{release}, {length} of {} bytes", payload.len());
        }
    }
}

/// A fixed sequence (xorshift64), so that a failure can be repeated.
pub(crate) struct Sequence(pub(crate) u64);

impl Sequence {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

pub(crate) fn mutate(bytes: &mut Vec<u8>, sequence: &mut Sequence) {
    const TAGS: &[u8] = b"NFT.SiIlfgxysazZAut)([<>{}rc:?0";
    for _ in 0..=sequence.below(3) {
        let place = sequence.below(bytes.len());
        match sequence.below(8) {
            0 => bytes[place] ^= 1 << sequence.below(8),
            1 => bytes[place] = sequence.below(256) as u8,
            2 => bytes[place] = TAGS[sequence.below(TAGS.len())],
            3 => bytes[place] ^= 0x80,
            4 => bytes[place] = bytes[place].wrapping_add(1),
            5 => drop(bytes.remove(place)),
            6 => bytes.insert(place, TAGS[sequence.below(TAGS.len())]),
            _ => {
                let length = sequence.below(32).min(bytes.len() - place);
                let copy = bytes[place..place + length].to_vec();
                let target = sequence.below(bytes.len());
                bytes.splice(target..target, copy);
            }
        }
    }
}

/// Nearly canonical is what a hostile server would send. Two kinds of seeds: real payloads with everything
/// in them, and modules of what `validate` can tell the short way.
#[test]
fn mutated_canonical_payloads() {
    let mut sequence = Sequence(0x2545_f491_4f6c_dd1d);
    let mut seeds: Vec<(Release, Vec<u8>)> = Vec::new();
    for (release, bytes) in crate::mutations::seeds() {
        let (limits, nans) = (Limits::default(), NanPolicy::Kept);
        let options = CanonicalOptions { release, recorded_path: b"a/b.py", limits, nans };
        let inner = module(release, &[b"z\x04name", b"i\x07\0\0\0", b"z\x01,"]);
        let plain = module(
            release,
            &[
                b"z\x04name",
                b"u\x02\0\0\0\xc3\xa9",
                b"i\x07\0\0\0",
                b"l\x03\0\0\0\0\0\0\0\x02\0",
                b"g\0\0\0\0\0\0\xf0?",
                b"y\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0\x80",
                b"s\x02\0\0\0ab",
                b")\x02z\x01,)\x02z\x01,N",
                b")\x02z\x01,N",
                b">\x03\0\0\0z\x01,z\x04nameu\x02\0\0\0\xc3\xa9",
                &inner,
                &inner,
            ],
        );
        for payload in [&bytes[HEADER_LENGTH..], &plain, &plain] {
            seeds.push((release, canonicalize(payload, &options).expect("a payload")));
        }
    }
    let mut valid = 0;
    for round in 0..3 * MUTATIONS {
        let (release, payload) = &seeds[round % seeds.len()];
        let mut payload = payload.clone();
        mutate(&mut payload, &mut sequence);
        valid += usize::from(exercise::valid(*release, &payload));
    }
    assert!(valid > MUTATIONS / 20 && valid < MUTATIONS, "{valid} are valid");
}

#[test]
fn mutated_payloads() {
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15);
    let seeds = seeds();
    let mut valid = 0;
    for round in 0..MUTATIONS {
        let (release, bytes) = &seeds[round % seeds.len()];
        let mut payload = bytes[HEADER_LENGTH..].to_vec();
        mutate(&mut payload, &mut sequence);
        valid += usize::from(exercise::payload(*release, &payload));
        let mut pyc = bytes.clone();
        mutate(&mut pyc, &mut sequence);
        exercise::pyc(&pyc);
    }
    // Mutations that are all refused would test the refusal only.
    assert!(valid > MUTATIONS / 20 && valid < MUTATIONS, "{valid} are valid");
}
