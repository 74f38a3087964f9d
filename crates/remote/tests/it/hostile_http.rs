//! HTTP servers that lie, break off, stall, redirect and refuse. Whatever they do, a store gives the
//! right bytes or none, in a bounded time.

use std::time::{Duration, Instant};

use bytekiln_cache::{ResultEntry, Store as _};
use bytekiln_remote::{RemoteHeaders, RemoteStore};
use bytekiln_test_support::store_conformance::{action, blob, compiled};

use crate::scripted_http::{Answer, ScriptedHttp};
use crate::stores::{options, store};

/// A server that answers every request with the same, and what a store makes of one blob there.
#[track_caller]
fn check(answer: impl Fn() -> Answer + Send + Sync + 'static, expected: &str, requests: usize) {
    let server = ScriptedHttp::start(move |_, _| answer());
    let store = store(&server.address);
    let found = store.read_blobs(&[blob(b"twelve bytes").digest]);
    let text = match found {
        Ok(found) => match &found[0] {
            Some(blob) => format!("found {:?}", String::from_utf8_lossy(&blob.bytes)),
            None => {
                let warnings = store.take_warnings();
                assert!(warnings.len() <= 1, "{warnings:?}");
                warnings.first().map_or("missing".to_owned(), ToString::to_string)
            }
        },
        Err(error) => error.to_string(),
    };
    assert!(text.contains(expected), "expected `{expected}`: {text}");
    assert_eq!(server.requests().len(), requests, "{:?}", server.lines());
}

#[test]
fn answers_that_are_not_the_blob_are_no_blob() {
    check(|| Answer::body(b"twelve bytes"), "found \"twelve bytes\"", 1);
    check(|| Answer::status("404 Not Found"), "missing", 1);
    check(|| Answer::body(b"twelve wrong"), "its bytes have digest `", 1);
    check(|| Answer::body(b"short"), "it has 5 bytes, and 12 were expected", 1);
    check(|| Answer::body(&[0; 100_000]), "it has 100000 bytes, and 12 were expected", 1);
    check(|| Answer::Endless(vec![b'x'; 1000]), "it has more than 12 bytes", 1);
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n";
    check(move || Answer::Raw(announced.into()), "it has 99999999999999 bytes", 1);
}

#[test]
fn what_may_pass_is_tried_again_and_what_lasts_is_not() {
    let truncated = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\ntwelve";
    check(move || Answer::Raw(truncated.into()), "end of file before message length reached", 4);
    check(|| Answer::Raw(Vec::new()), "could not read blobs: ", 4);
    check(|| Answer::status("503 Service Unavailable"), "it answered 503 Service Unavailable", 4);
    check(|| Answer::status("429 Too Many Requests"), "it answered 429 Too Many Requests", 4);
    check(|| Answer::status("401 Unauthorized"), "it answered 401 Unauthorized", 1);
    check(|| Answer::status("400 Bad Request"), "it answered 400 Bad Request", 1);
    check(|| Answer::Raw("SSH-2.0-server\r\n\r\n".into()), "could not read blobs: ", 4);
}

#[test]
fn a_server_that_recovers_has_lost_nothing() {
    let server = ScriptedHttp::start(|_, number| match number {
        0 => Answer::status("500 Internal Server Error"),
        1 => Answer::Raw(Vec::new()),
        _ => Answer::body(b"twelve bytes"),
    });
    let found = store(&server.address).read_blobs(&[blob(b"twelve bytes").digest]).unwrap();
    assert!(found[0].is_some());
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn no_redirect_is_followed() {
    let other = ScriptedHttp::start(|_, _| Answer::body(b"twelve bytes"));
    let to = other.address.clone();
    let server = ScriptedHttp::start(move |_, _| {
        let head =
            format!("HTTP/1.1 302 Found\r\nLocation: {to}/cas/x\r\nContent-Length: 0\r\n\r\n");
        Answer::Raw(head.into())
    });
    let error = store(&server.address).read_blobs(&[blob(b"twelve bytes").digest]).unwrap_err();
    let said = error.to_string();
    assert!(said.contains(&format!("it redirects to `{}/cas/x`", other.address)), "{said}");
    assert_eq!(other.requests(), [""; 0]);
}

#[test]
fn a_slow_server_costs_its_time_once() {
    let server = ScriptedHttp::start(|_, _| Answer::Silence);
    let options = bytekiln_remote::RemoteOptions {
        timeout: Duration::from_millis(300),
        ..options(&server.address)
    };
    let store = RemoteStore::new(options).unwrap();
    let started = Instant::now();
    let actions: Vec<_> = (0..100).map(action).collect();
    let error = store.get_results(&actions).unwrap_err().to_string();
    assert!(error.contains("no answer within 0.3 s"), "{error}");
    let (waited, asked) = (started.elapsed(), server.requests().len());
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    // From now on it is not even asked, and says why.
    for _ in 0..100 {
        let again = store.get_results(&actions).unwrap_err().to_string();
        assert_eq!(again, error);
        assert!(store.write_blobs(&[blob(b"x")]).is_err());
    }
    assert_eq!(server.requests().len(), asked);
}

#[test]
fn a_result_that_is_none_is_a_miss() {
    let garbage: [fn() -> Answer; 4] = [
        || Answer::body(b""),
        || Answer::body(b"<html>Welcome to the hotel</html>"),
        || Answer::body(&[0xff; 1000]),
        || Answer::Endless(vec![0; 100_000]),
    ];
    for answer in garbage {
        let server = ScriptedHttp::start(move |_, _| answer());
        assert_eq!(store(&server.address).get_results(&[action(1)]).unwrap(), [None]);
    }
}

#[test]
fn a_result_is_not_sent_without_its_blob() {
    let server = ScriptedHttp::start(|head, _| {
        let is_large = head.contains("ontent-length: 5000\r\n") || head.ends_with("ength: 5000");
        Answer::status(if is_large { "413 Payload Too Large" } else { "201 Created" })
    });
    let store = store(&server.address);
    let (large, small) = (blob(&[1; 5000]), blob(b"small"));
    store.write_blobs(&[large.clone(), small.clone()]).unwrap();
    assert!(store.take_warnings()[0].to_string().contains("takes no blob of 5000 bytes"));
    let entry = |number, output| ResultEntry { action: action(number), result: compiled(output) };
    store.update_results(&[entry(1, large.digest), entry(2, small.digest)]).unwrap();
    let mut lines = server.lines();
    lines.sort();
    assert_eq!(lines, ["PUT /ac/", "PUT /cas", "PUT /cas"]);
}

#[test]
fn who_may_only_read_reads_on() {
    let server = ScriptedHttp::start(|head, _| match head.starts_with("PUT") {
        true => Answer::status("403 Forbidden"),
        false => Answer::body(b"twelve bytes"),
    });
    let store = store(&server.address);
    let blob = blob(b"twelve bytes");
    let error = store.write_blobs(std::slice::from_ref(&blob)).unwrap_err().to_string();
    assert!(error.contains("could not upload blobs: it answered 403 Forbidden"), "{error}");
    assert!(store.read_blobs(&[blob.digest]).unwrap()[0].is_some());
}

#[test]
fn headers_of_the_user_go_with_every_request() {
    let server = ScriptedHttp::start(|_, _| Answer::status("404 Not Found"));
    let headers = RemoteHeaders::parse("Authorization: Bearer s3cret\nX-Team: kiln").unwrap();
    let options = bytekiln_remote::RemoteOptions { headers, ..options(&server.address) };
    let store = RemoteStore::new(options).unwrap();
    store.get_results(&[action(1)]).unwrap();
    store.find_missing(&[blob(b"x").digest]).unwrap();
    for head in server.requests() {
        assert!(head.contains("authorization: Bearer s3cret"), "{head}");
        assert!(head.contains("x-team: kiln"), "{head}");
        assert!(head.contains("user-agent: bytekiln/"), "{head}");
    }
}

#[test]
fn a_size_that_nobody_can_have_is_not_asked_for() {
    let server = ScriptedHttp::start(|_, _| Answer::Endless(vec![0; 100_000]));
    let huge = bytekiln_action::Digest { hash: [7; 32], size: u64::MAX };
    assert!(store(&server.address).read_blobs(&[huge]).unwrap()[0].is_none());
    assert_eq!(server.requests().len(), 0);
}
