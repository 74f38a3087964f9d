//! Files that nobody compiled: no panic, and work that their length bounds.

use std::path::Path;

use bytekiln_codec::Limits;
use bytekiln_proof::{
    CompareOptions, Comparison, ListOptions, compare, excerpt, is_canonical, list,
};

/// A fixed sequence (xorshift64), so that a failure can be repeated.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// The `.pyc` files of the codec's fuzz corpus, one a release.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codec/fuzz/seeds");
    let entries = std::fs::read_dir(folder).expect("the seeds");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a seed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pyc"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a seed")).collect()
}

#[test]
fn mutated_files_are_survived() {
    let mut sequence = Sequence(0x0dd0_feed_5eed_1234);
    let seeds = seeds();
    let (mut listed, mut compared) = (0, 0);
    for round in 0..3_000 {
        let seed = &seeds[round % seeds.len()];
        let mut other = seed.clone();
        for _ in 0..=sequence.below(2) {
            let place = sequence.below(other.len());
            other[place] ^= 1 << sequence.below(8);
        }
        let _ = is_canonical(&other, &Limits::default());
        if let Ok(listing) = list(&other, &ListOptions::default()) {
            listed += 1;
            assert!(listing.complete && !listing.code_objects.is_empty());
        }
        match compare(seed, &other, &CompareOptions::default()) {
            Ok(Comparison::Different(difference)) => {
                compared += 1;
                for finding in difference.findings() {
                    assert!(finding.to_string().len() < 1000, "{finding}");
                    let _ = excerpt(seed, &other, finding, 3, &Limits::default());
                }
            }
            Ok(Comparison::Equivalent(how)) => assert!(!how.is_empty()),
            Ok(Comparison::Identical) => assert_eq!(seed, &other),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    assert!(listed > 300 && compared > 300, "{listed} listed, {compared} compared");
}

fn sized(tag: u8, count: usize, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(count as u32).to_le_bytes());
}

/// A code object of 3.11 with this marshalled code and these marshalled constants.
fn code(code: &[u8], consts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![b'c'];
    out.extend_from_slice(&[0; 20]);
    out.extend_from_slice(code);
    sized(b'(', consts.len(), &mut out);
    consts.iter().for_each(|constant| out.extend_from_slice(constant));
    out.extend_from_slice(b")\0)\0s\0\0\0\0z\x01mz\x01mz\x01m\x01\0\0\0s\0\0\0\0s\0\0\0\0");
    out
}

fn pyc(payload: &[u8]) -> Vec<u8> {
    [&b"\xa7\x0d\r\n\0\0\0\0\0\0\0\0\0\0\0\0"[..], payload].concat()
}

/// A thousand code objects with one `co_code` of a hundred thousand instructions.
#[test]
fn shared_code_is_not_listed_without_end() {
    let mut long = Vec::new();
    sized(b's' | 0x80, 200_000, &mut long);
    long.resize(long.len() + 200_000, 9);
    let mut consts = vec![code(&long, &[])];
    consts.resize(1_000, code(b"r\0\0\0\0", &[]));
    let file = pyc(&code(b"s\0\0\0\0", &consts));
    let listing = list(&file, &ListOptions::default()).expect("a file");
    assert!(!listing.complete);
    let count: usize = listing.code_objects.iter().map(|code| code.instructions.len()).sum();
    assert!(count <= 2 * file.len(), "{count} instructions of {} bytes", file.len());
}

/// A chain of tuples, each of which holds the one before twice.
#[test]
fn shared_constants_are_rendered_within_bounds() {
    let chain = |end: &[u8]| {
        let mut links = vec![[b"\xa9\x01", end].concat()];
        for slot in 0..900_u32 {
            let mut link = b"\xa9\x02".to_vec();
            for _ in 0..2 {
                link.push(b'r');
                link.extend_from_slice(&slot.to_le_bytes());
            }
            links.push(link);
        }
        pyc(&code(b"s\0\0\0\0", &links))
    };
    let (left, right) = (chain(b"N"), chain(b"T"));
    let listing = list(&left, &ListOptions::default()).expect("a file");
    let module = listing.code_objects.first().expect("the module");
    assert!(module.constants.iter().all(|constant| constant.text.len() < 400));
    let Ok(Comparison::Different(found)) = compare(&left, &right, &CompareOptions::default())
    else {
        panic!("they differ")
    };
    let expect = "element [0] of constant 0 of `m` is None on the left, True on the right";
    assert_eq!(found.to_string(), expect);
}
