//! Several processes on one cache, each writing and reading while two more collect garbage: no
//! wrong byte, no error, no warning, and a result that was written is there for those who come
//! later.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytekiln_cache::{GcOptions, ResultEntry, Store};
use bytekiln_test_support::Scratch;
use bytekiln_test_support::store_conformance::{action, blob, compiled, rejected};

use crate::open;

/// Set in the processes that the test starts from its own binary: `ROOT` and the part to play.
const ROOT: &str = "STORE_TEST_ROOT";
const PART: &str = "STORE_TEST_PART";
const KEYS: u64 = 150;

#[test]
fn processes_share_a_cache_while_garbage_is_collected() {
    if let (Ok(root), Ok(part)) = (std::env::var(ROOT), std::env::var(PART)) {
        return match part.parse() {
            Ok(number) => build(Path::new(&root), number),
            Err(_) => collect(Path::new(&root)),
        };
    }
    let scratch = Scratch::new();
    let start = |part: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "concurrency::processes_share_a_cache_while_garbage_is_collected"])
            .env(ROOT, scratch.path())
            .env(PART, part)
            .output()
    };
    std::thread::scope(|scope| {
        let parts = ["1", "2", "3", "gc", "gc"].map(|part| scope.spawn(move || start(part)));
        for part in parts {
            let output = part.join().unwrap().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    });
    // Rejections have no blob that could have been evicted: not one may be lost, whether its
    // journal was merged during the writing, afterwards, or never.
    for _ in 0..2 {
        let store = open(scratch.path());
        let keys: Vec<_> =
            (1..=3).flat_map(|part| (0..KEYS).map(move |key| action(part * 1000 + key))).collect();
        let found = store.get_results(&keys).unwrap();
        assert_eq!(found.iter().filter(|found| found.is_none()).count(), 0);
        assert_eq!(store.take_warnings(), []);
        store.gc(&GcOptions::default()).unwrap();
    }
}

/// Writes and reads, some keys of its own and some that all builds share, in several stores as
/// if several commands ran one after the other.
fn build(root: &Path, part: u64) {
    for keys in [0..KEYS / 3, KEYS / 3..KEYS / 2, KEYS / 2..KEYS] {
        let store = open(root);
        for key in keys {
            let result = rejected(&key.to_string());
            let own = ResultEntry { action: action(part * 1000 + key), result };
            let output = blob(&vec![u8::try_from(key % 251).unwrap(); 3000]);
            let shared = ResultEntry { action: action(key), result: compiled(output.digest) };
            if let Some(object) = store.write_local_object(&output).unwrap() {
                // It may be collected at once, but is never half there.
                if let Ok(bytes) = std::fs::read(object.path) {
                    assert!(bytes == *output.bytes);
                }
            }
            store.update_results(&[own.clone(), shared.clone()]).unwrap();
            let found = store.get_results(&[own.action, shared.action]).unwrap();
            assert_eq!(found, [Some(own.result), Some(shared.result)]);
            if let [Some(found)] = &store.read_blobs(&[output.digest]).unwrap()[..] {
                assert!(found.bytes == output.bytes);
            }
        }
        assert_eq!(store.take_warnings(), []);
    }
}

fn collect(root: &Path) {
    for _ in 0..15 {
        let store = open(root);
        store.gc(&GcOptions { max_bytes: Some(30_000), max_age: None }).unwrap();
        assert_eq!(store.take_warnings(), []);
        std::thread::sleep(Duration::from_millis(10));
    }
}
