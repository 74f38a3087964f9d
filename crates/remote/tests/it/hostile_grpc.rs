//! gRPC servers that lie, break off and refuse.

use bytekiln_action::Digest;
use bytekiln_cache::{Blob, Store as _};
use bytekiln_test_support::store_conformance::{action, blob, compiled};

use crate::scripted_grpc::{Answer, ScriptedGrpc, field, number};
use crate::stores::store;

const INVALID_ARGUMENT: u32 = 3;
const NOT_FOUND: u32 = 5;
const PERMISSION_DENIED: u32 = 7;
const RESOURCE_EXHAUSTED: u32 = 8;
const UNIMPLEMENTED: u32 = 12;
const UNAVAILABLE: u32 = 14;

/// `ServerCapabilities` of a cache with so much room in a batch.
fn capabilities(digest_function: u64, batch: u64) -> Answer {
    let cache = [number(1, digest_function), number(4, batch)].concat();
    Answer::message(field(1, &cache))
}

fn digest(of: &Digest) -> Vec<u8> {
    [field(1, of.to_hex().as_bytes()), number(2, of.size)].concat()
}

/// One answer in a `BatchReadBlobsResponse`.
fn read(of: &Digest, bytes: &[u8]) -> Vec<u8> {
    field(1, &[field(1, &digest(of)), field(2, bytes)].concat())
}

/// What a store makes of one blob.
fn outcome(server: &ScriptedGrpc, wanted: &Blob) -> String {
    let store = store(&server.address);
    match store.read_blobs(&[wanted.digest]) {
        Err(error) => error.to_string(),
        Ok(found) => match &found[0] {
            Some(found) => {
                assert_eq!(found.bytes, wanted.bytes);
                "found".to_owned()
            }
            None => {
                let warnings = store.take_warnings();
                warnings.first().map_or("missing".to_owned(), ToString::to_string)
            }
        },
    }
}

#[track_caller]
fn check(answer: impl Fn(usize) -> Answer + Send + Sync + 'static, expected: &str, calls: usize) {
    let server = ScriptedGrpc::start(move |method, _, before| match method {
        "GetCapabilities" => capabilities(1, 0),
        _ => answer(before),
    });
    let said = outcome(&server, &blob(b"twelve bytes"));
    assert!(said.contains(expected), "expected `{expected}`: {said}");
    assert_eq!(server.calls("BatchReadBlobs"), calls);
}

#[test]
fn answers_that_are_not_the_blob_are_no_blob() {
    let wanted = blob(b"twelve bytes").digest;
    let other = blob(b"twelve wrong").digest;
    check(move |_| Answer::message(read(&wanted, b"twelve bytes")), "found", 1);
    check(move |_| Answer::message(read(&wanted, b"twelve wrong")), "its bytes have digest `", 1);
    check(move |_| Answer::message(read(&wanted, b"")), "its bytes have digest `", 1);
    check(move |_| Answer::message(read(&other, b"twelve wrong")), "missing", 1);
    check(|_| Answer::message(Vec::new()), "missing", 1);
    let odd = Digest { hash: [0; 32], size: 0 };
    check(move |_| Answer::message(read(&odd, b"x")), "missing", 1);
    // Larger than any batch may be.
    let huge = vec![0; 9 << 20];
    check(
        move |_| Answer::message(field(1, &huge)),
        "could not read blobs: it answered OutOfRange",
        1,
    );
    check(|_| Answer::message(vec![0xff; 100]), "could not read blobs: ", 4);
}

#[test]
fn what_may_pass_is_tried_again_and_what_lasts_is_not() {
    let wanted = blob(b"twelve bytes").digest;
    let recovers = move |before| match before {
        0 | 1 => Answer::status(UNAVAILABLE),
        2 => Answer::Torn(Vec::new()),
        _ => Answer::message(read(&wanted, b"twelve bytes")),
    };
    check(recovers, "found", 4);
    check(|_| Answer::status(UNAVAILABLE), "could not read blobs: it answered Unavailable", 4);
    check(|_| Answer::status(RESOURCE_EXHAUSTED), "it answered ResourceExhausted", 4);
    check(|_| Answer::status(PERMISSION_DENIED), "a token is named with --remote-header-file", 1);
    check(|_| Answer::status(UNIMPLEMENTED), "it answered Unimplemented", 1);
}

#[test]
fn batches_that_are_too_much_are_halved() {
    let blobs: Vec<Blob> = (0..8_u8).map(|number| blob(&[number; 100])).collect();
    let known = blobs.clone();
    let server = ScriptedGrpc::start(move |method, request, _| {
        let asked = |blob: &&Blob| {
            let hex = blob.digest.to_hex();
            request.windows(hex.len()).any(|part| part == hex.as_bytes())
        };
        let asked: Vec<&Blob> = known.iter().filter(asked).collect();
        match method {
            "GetCapabilities" => capabilities(1, 0),
            "FindMissingBlobs" => {
                let missing = asked.iter().map(|blob| field(2, &digest(&blob.digest)));
                Answer::message(missing.collect::<Vec<_>>().concat())
            }
            _ if asked.len() > 4 => Answer::status(INVALID_ARGUMENT),
            _ if asked.len() > 2 => Answer::status(RESOURCE_EXHAUSTED),
            "BatchReadBlobs" => {
                let found = asked.iter().map(|blob| read(&blob.digest, &blob.bytes));
                Answer::message(found.collect::<Vec<_>>().concat())
            }
            _ => Answer::message(Vec::new()),
        }
    });
    let store = store(&server.address);
    let digests: Vec<Digest> = blobs.iter().map(|blob| blob.digest).collect();
    assert!(store.read_blobs(&digests).unwrap().iter().all(Option::is_some));
    assert_eq!(server.calls("BatchReadBlobs"), 7, "1 + 2 + 4");
    store.write_blobs(&blobs).unwrap();
    assert_eq!(server.calls("BatchUpdateBlobs"), 7);
}

type Script = Box<dyn Fn() -> Answer + Send + Sync>;

#[test]
fn streams_that_end_early_or_never_are_no_blob() {
    let large = blob(&vec![b'x'; 5 << 20]);
    let half = field(10, &vec![b'x'; 1 << 20]);
    let cases: [(&str, Script, &str, usize); 4] = [
        (
            "short",
            {
                let half = half.clone();
                Box::new(move || Answer::message(half.clone()))
            },
            "its bytes have digest `",
            1,
        ),
        (
            "torn",
            {
                let half = half.clone();
                Box::new(move || Answer::Torn(vec![half.clone()]))
            },
            "could not read blobs: ",
            4,
        ),
        (
            "endless",
            Box::new(move || Answer::Endless(half.clone())),
            "more bytes than its digest",
            1,
        ),
        ("missing", Box::new(|| Answer::status(NOT_FOUND)), "missing", 1),
    ];
    for (name, answer, expected, calls) in cases {
        let server = ScriptedGrpc::start(move |method, _, _| match method {
            "GetCapabilities" => capabilities(1, 0),
            _ => answer(),
        });
        let said = outcome(&server, &large);
        assert!(said.contains(expected), "{name}: expected `{expected}`: {said}");
        assert_eq!(server.calls("Read"), calls, "{name}");
    }
}

#[test]
fn a_server_that_goes_away_is_asked_no_more() {
    let server = ScriptedGrpc::start(|method, _, before| match method {
        "GetCapabilities" => capabilities(1, 0),
        _ if before < 50 => Answer::status(NOT_FOUND),
        _ => Answer::status(UNAVAILABLE),
    });
    let store = store(&server.address);
    let actions: Vec<_> = (0..40).map(action).collect();
    assert!(store.get_results(&actions).unwrap().iter().all(Option::is_none));
    let error = store.get_results(&actions).unwrap_err().to_string();
    assert!(error.contains("could not look up results: it answered Unavailable"), "{error}");
    let asked = server.calls("GetActionResult");
    assert!(store.get_results(&actions).is_err());
    assert!(store.update_results(&[]).is_ok(), "nothing told is nothing refused");
    assert_eq!(server.calls("GetActionResult"), asked);
}

#[test]
fn a_server_of_another_digest_is_no_cache() {
    let server = ScriptedGrpc::start(|_, _, _| capabilities(9, 0));
    let error = store(&server.address).get_results(&[action(1)]).unwrap_err().to_string();
    assert!(error.contains("it does not know SHA-256 digests"), "{error}");
}

/// An `ActionResult` with the results of many actions in it.
fn bundle(bytes: &[u8]) -> Answer {
    let ours = b"type.googleapis.com/bytekiln.ActionResults";
    let any = [field(1, ours), field(2, bytes)].concat();
    Answer::message(field(9, &field(11, &any)))
}

fn entries(actions: impl Iterator<Item = u64>) -> Vec<u8> {
    let entry = |number: u64| {
        let result = bytekiln_cache::encode_result(&compiled(blob(&number.to_le_bytes()).digest));
        let length = u32::try_from(result.len()).unwrap().to_le_bytes();
        [&action(number).0[..], &length, &result].concat()
    };
    let entries: Vec<Vec<u8>> = actions.map(entry).collect();
    let count = u32::try_from(entries.len()).unwrap().to_le_bytes();
    [&[1][..], &count, &entries.concat()].concat()
}

#[test]
fn bundles_that_are_none_cost_one_request() {
    let good = entries(0..90);
    let cases: [(&str, Vec<u8>, usize, usize); 9] = [
        ("all", good.clone(), 90, 1),
        ("all but two", entries((0..90).filter(|number| number % 50 != 7)), 88, 3),
        ("empty", Vec::new(), 0, 91),
        ("cut", good[..good.len() - 1].to_vec(), 0, 91),
        ("another version", [&[2], &good[1..]].concat(), 0, 91),
        ("one that was not asked for", entries(0..91), 0, 91),
        ("another order", entries((0..90).rev()), 0, 91),
        ("huge", vec![1; 3 << 20], 0, 91),
        ("endless count", [&[1], &u32::MAX.to_le_bytes()[..], &good[5..]].concat(), 0, 91),
    ];
    for (name, bytes, found, calls) in cases {
        let server = ScriptedGrpc::start(move |method, _, before| match (method, before) {
            ("GetCapabilities", _) => capabilities(1, 0),
            ("GetActionResult", 0) => bundle(&bytes),
            _ => Answer::status(NOT_FOUND),
        });
        let actions: Vec<_> = (0..90).map(action).collect();
        let results = store(&server.address).get_results(&actions).unwrap();
        assert_eq!(results.iter().flatten().count(), found, "{name}");
        for (number, result) in (0_u64..).zip(results) {
            let right = compiled(blob(&number.to_le_bytes()).digest);
            assert!(result.is_none_or(|result| result == right), "{name}");
        }
        assert_eq!(server.calls("GetActionResult"), calls, "{name}");
        assert_eq!(server.calls("UpdateActionResult"), 0, "{name}: it was only asked");
    }
}
