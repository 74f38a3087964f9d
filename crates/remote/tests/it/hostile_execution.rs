//! Executors that lie, break off, forget and never end.

use std::time::{Duration, Instant};

use bytekiln_action::Digest;
use bytekiln_cache::Blob;
use bytekiln_remote::{ExecuteError, InputKind};

use crate::scripted_executor::{
    ScriptedExecutor, action, done, done_as, failed, fields, going_on, output, part_of, response,
};
use crate::scripted_grpc::{Answer, field as part, number};

const FAILED_PRECONDITION: u32 = 9;
const INVALID_ARGUMENT: u32 = 3;
const DEADLINE_EXCEEDED: u32 = 4;
const NOT_FOUND: u32 = 5;
const RESOURCE_EXHAUSTED: u32 = 8;
const UNAVAILABLE: u32 = 14;

const OUTPUT: &[u8] = b"what was written";

/// Enough for servers that answer at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of an action.
fn outcome(server: &ScriptedExecutor) -> String {
    outcome_within(server, PATIENCE)
}

/// The same with other patience; it may not take longer.
fn outcome_within(server: &ScriptedExecutor, patience: Duration) -> String {
    let (client, began) = (server.client(patience, &[]), Instant::now());
    let executed = client.execute(&action(), &|| false);
    assert!(began.elapsed() < 2 * patience + Duration::from_secs(5), "{:?}", began.elapsed());
    if let Err(error) = &executed {
        // It is asked no more.
        let asked = client.stats().requests;
        assert_eq!(&client.execute(&action(), &|| false).unwrap_err(), error);
        assert_eq!(client.stats().requests, asked);
    }
    match executed {
        Ok(executed) => {
            let outputs = executed.outputs.iter();
            let outputs: Vec<String> = outputs
                .map(|(path, blob)| format!("{path}={}", String::from_utf8_lossy(&blob.bytes)))
                .collect();
            let (code, said) = (executed.exit_code, executed.stderr);
            format!("{code} [{}] {said}", outputs.join(" "))
        }
        Err(ExecuteError::Trouble(why)) => why,
        Err(ExecuteError::Interrupted) => "interrupted".to_owned(),
    }
}

/// The outcome where each `Execute` is answered by `execute`, and the blob of an output by `read`.
fn with(
    execute: impl Fn(usize) -> Answer + Send + Sync + 'static,
    read: Option<Vec<u8>>,
) -> String {
    let server = ScriptedExecutor::start(&[OUTPUT], move |method, before| match method {
        "Execute" => Some(execute(before)),
        "BatchReadBlobs" => read.clone().map(Answer::message),
        _ => None,
    });
    outcome(&server)
}

fn right() -> Vec<u8> {
    done(&response(&[output("out", &Digest::of(OUTPUT))]))
}

#[track_caller]
fn ends_with(operation: Vec<u8>, expected: &str) {
    let said = with(move |_| Answer::message(operation.clone()), None);
    assert!(said.contains(expected), "expected `{expected}`: {said}");
}

#[test]
fn what_an_executor_should_do() {
    ends_with(right(), "0 [out=what was written] ");
    let of = Digest::of(b"inline");
    let digest = [part(1, of.to_hex().as_bytes()), number(2, of.size)].concat();
    let inline = [part(1, b"out"), part(2, &digest), part(5, b"inline")].concat();
    ends_with(done(&response(&[part(2, &inline)])), "0 [out=inline] ");
    // Files that nobody asked for are not looked at.
    let odd = output("../../etc/passwd", &Digest { hash: [1; 32], size: u64::MAX });
    ends_with(done(&response(&[odd])), "0 [] ");
}

#[test]
fn outputs_that_are_not_what_their_digest_says() {
    let of = Digest::of(OUTPUT);
    let digest = [part(1, of.to_hex().as_bytes()), number(2, of.size)].concat();
    let blob = |bytes: &[u8]| part(1, &[part(1, &digest), part(2, bytes)].concat());
    let cases: [(Vec<u8>, &str); 5] = [
        (blob(b"what was wrotten"), "its bytes have digest `"),
        (blob(&OUTPUT[..5]), "its bytes have digest `"),
        (blob(b""), "its bytes have digest `"),
        (Vec::new(), "it has lost its output `out`"),
        (vec![0xff; 50], ""),
    ];
    for (read, expected) in cases {
        let said = with(|_| Answer::message(right()), Some(read));
        assert!(said.contains(expected) && !said.contains('['), "expected `{expected}`: {said}");
    }
    // Bytes beside the digest that are others: those under the digest are fetched.
    let inline = [part(1, b"out"), part(2, &digest), part(5, b"something else")].concat();
    ends_with(done(&response(&[part(2, &inline)])), "0 [out=what was written] ");
    // A digest that is none.
    let none = [part(1, b"out"), part(2, &[part(1, b"abc"), number(2, 3)].concat())].concat();
    ends_with(done(&response(&[part(2, &none)])), "its output `out` has no digest");
    ends_with(done(&response(&[part(2, &part(1, b"out"))])), "its output `out` has no digest");
}

#[test]
fn a_command_that_fails_says_why() {
    let code = number(4, 3);
    ends_with(done(&response(&[code.clone(), part(7, b"no such thing")])), "3 [] no such thing");
    // By digest, wherever that is of a size that anybody reads.
    let digest =
        |of: &Digest| part(8, &[part(1, of.to_hex().as_bytes()), number(2, of.size)].concat());
    let said = digest(&Digest::of(OUTPUT));
    ends_with(done(&response(&[code.clone(), said])), "3 [] what was written");
    let lost = digest(&Digest::of(b"lost"));
    ends_with(done(&response(&[code.clone(), lost])), "3 [] ");
    let huge = digest(&Digest { hash: [7; 32], size: 1 << 60 });
    ends_with(done(&response(&[code.clone(), huge])), "3 [] ");
    // Much is cut, what is no text is shown as such.
    let much = part(7, &vec![0xff; 100_000]);
    let said = with(move |_| Answer::message(done(&response(&[code.clone(), much.clone()]))), None);
    assert_eq!(said.chars().filter(|c| *c == '\u{fffd}').count(), 16 << 10);
}

#[test]
fn sizes_that_are_absurd() {
    for size in [1 << 60, u64::MAX >> 1, (64 << 20) + 1] {
        let absurd = output("out", &Digest { hash: [7; 32], size });
        ends_with(done(&response(&[absurd])), "its output `out` is too large");
    }
    // Negative, as the wire has it.
    let negative = output("out", &Digest { hash: [7; 32], size: u64::MAX });
    ends_with(done(&response(&[negative])), "its output `out` has no digest");
    // The same one often enough.
    let many = vec![output("out", &Digest { hash: [7; 32], size: 64 << 20 }); 5];
    ends_with(done(&response(&many)), "its output `out` is too large");
    let message = vec![0; 9 << 20];
    ends_with(message, "it answered OutOfRange");
}

#[test]
fn answers_that_are_none() {
    let result = output("out", &Digest::of(OUTPUT));
    ends_with(
        done_as("ActionResult", &response(&[result])),
        "its answer is of another type: `type.googleapis.com/build.bazel.remote",
    );
    ends_with([going_on(), number(3, 1)].concat(), "neither result nor error");
    ends_with(done(&[]), "it says nothing of a result");
    ends_with(done(&[0xff; 30]), "its answer cannot be read");
    ends_with(done(&failed(INVALID_ARGUMENT)), "it answered InvalidArgument: so it is");
    ends_with(done(&failed(DEADLINE_EXCEEDED)), "it answered DeadlineExceeded: so it is");
    ends_with(done(&failed(4_000_000_000)), "it answered Unknown: so it is");
    let error = part(4, &[number(1, 3), part(2, b"an error")].concat());
    ends_with([number(3, 1), error].concat(), "it answered InvalidArgument: an error");
    ends_with(vec![0xff; 30], "");
}

#[test]
fn what_may_pass_is_tried_again_so_often() {
    for code in [UNAVAILABLE, RESOURCE_EXHAUSTED] {
        for (in_response, recovers) in [(false, true), (false, false), (true, true), (true, false)]
        {
            let server = ScriptedExecutor::start(&[OUTPUT], move |method, before| {
                (method == "Execute").then(|| match (in_response, recovers && before > 1) {
                    (_, true) => Answer::message(right()),
                    (false, false) => Answer::status(code),
                    (true, false) => Answer::message(done(&failed(code))),
                })
            });
            let said = outcome(&server);
            let expected = if recovers { "out=what was written" } else { "it answered " };
            assert!(said.contains(expected), "{said}");
            assert_eq!(server.server.calls("Execute"), if recovers { 3 } else { 4 });
        }
    }
}

#[test]
fn a_stream_that_is_torn_is_taken_up_again() {
    let torn = || Some(Answer::Torn(vec![going_on(), going_on()]));
    let server = ScriptedExecutor::start(&[OUTPUT], move |method, before| match (method, before) {
        ("Execute", 0) | ("WaitExecution", 0) => torn(),
        // Ended, and not done.
        ("WaitExecution", 1) => Some(Answer::message(going_on())),
        ("WaitExecution", _) => Some(Answer::message(right())),
        _ => None,
    });
    assert_eq!(outcome(&server), "0 [out=what was written] ");
    assert_eq!((server.server.calls("Execute"), server.server.calls("WaitExecution")), (1, 3));

    // An operation that is known no more is executed again.
    let server = ScriptedExecutor::start(&[OUTPUT], move |method, before| match (method, before) {
        ("Execute", 0) => torn(),
        ("WaitExecution", _) => Some(Answer::status(NOT_FOUND)),
        ("Execute", _) => Some(Answer::message(right())),
        _ => None,
    });
    assert_eq!(outcome(&server), "0 [out=what was written] ");
    assert_eq!((server.server.calls("Execute"), server.server.calls("WaitExecution")), (2, 1));

    // All are torn.
    let server = ScriptedExecutor::start(&[OUTPUT], move |method, _| {
        matches!(method, "Execute" | "WaitExecution").then(torn).flatten()
    });
    assert!(!outcome(&server).contains('['));
    assert!(server.server.calls("Execute") <= 4 && server.server.calls("WaitExecution") <= 16);
}

#[test]
fn forgotten_inputs_are_uploaded_once_more() {
    let ways: [fn() -> Answer; 3] = [
        || Answer::message(done(&failed(FAILED_PRECONDITION))),
        || Answer::status(FAILED_PRECONDITION),
        || Answer::Messages(vec![going_on()], FAILED_PRECONDITION),
    ];
    for forgotten in ways {
        for times in [1, 2] {
            let server = ScriptedExecutor::start(&[OUTPUT], move |method, before| {
                (method == "Execute").then(|| match before < times {
                    true => forgotten(),
                    false => Answer::message(right()),
                })
            });
            let said = outcome(&server);
            match times {
                1 => assert_eq!(said, "0 [out=what was written] "),
                _ => assert!(said.contains("it does not keep what it was sent: "), "{said}"),
            }
            assert_eq!(server.server.calls("Execute"), 2);
            assert_eq!(server.server.calls("FindMissingBlobs"), 2, "before each");
        }
    }
}

#[test]
fn what_never_ends_ends_with_the_time_for_it() {
    let endless: [fn() -> Answer; 3] = [
        || Answer::Held(Vec::new()),
        || Answer::Held(vec![going_on()]),
        || Answer::Endless(part(1, &[b'n'; 1000])),
    ];
    let ends = |server: &ScriptedExecutor, expected: &str| {
        assert_eq!(outcome_within(server, Duration::from_secs(1)), expected);
    };
    std::thread::scope(|scope| {
        for answer in endless {
            scope.spawn(move || {
                let server = ScriptedExecutor::start(&[], move |method, _| {
                    (method == "Execute").then(answer)
                });
                ends(&server, "no answer within 2 s");
            });
        }
        // Nor is there time for large inputs before anybody wants them.
        scope.spawn(move || {
            let server = ScriptedExecutor::start(&[], move |method, _| {
                (method == "FindMissingBlobs").then(|| Answer::Held(Vec::new()))
            });
            let mut large = action();
            let blob = Blob::of(vec![0; 16 << 20]);
            large.inputs.add_file("large", blob, InputKind::Data);
            let (client, began) = (server.client(Duration::from_secs(1), &[]), Instant::now());
            let error = client.execute(&large, &|| false).unwrap_err();
            assert_eq!(error.to_string(), "no answer within 1 s");
            assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
        });
        // Nor are capabilities, uploads and blobs waited for.
        for silent in ["GetCapabilities", "FindMissingBlobs", "BatchUpdateBlobs", "BatchReadBlobs"]
        {
            scope.spawn(move || {
                let server = ScriptedExecutor::start(&[OUTPUT], move |method, _| match method {
                    "Execute" => Some(Answer::message(right())),
                    _ => (method == silent).then(|| Answer::Held(Vec::new())),
                });
                ends(&server, "no answer within 1 s");
            });
        }
    });
}

#[test]
fn who_interrupts_does_not_wait() {
    let server = ScriptedExecutor::start(&[], |method, _| {
        (method == "Execute").then(|| Answer::Held(vec![going_on()]))
    });
    let (client, began) = (server.client(PATIENCE, &[]), Instant::now());
    let error = client.execute(&action(), &|| began.elapsed() > Duration::from_millis(300));
    assert_eq!(error.unwrap_err(), ExecuteError::Interrupted);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// What runs, and nobody waits for, is cancelled: by its name, once, also on a server that does not say
/// whether it did. What has ended or never got a name is not.
#[test]
fn what_nobody_waits_for_is_cancelled() {
    let cancelled = |answer: fn() -> Answer, cancel: fn() -> Answer, patience: u64| {
        let server = ScriptedExecutor::start(&[], move |method, _| match method {
            "Execute" => Some(answer()),
            "CancelOperation" => Some(cancel()),
            _ => None,
        });
        let client = server.client(Duration::from_millis(patience), &[]);
        let began = Instant::now();
        client.execute(&action(), &|| began.elapsed() > Duration::from_secs(1)).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        server.server.requests("CancelOperation")
    };
    let runs = || Answer::Held(vec![going_on()]);
    let done = || Answer::message(Vec::new());
    for cancel in [done, || Answer::status(12), || Answer::Held(Vec::new())] {
        // Interrupted, then too slow.
        assert_eq!(cancelled(runs, cancel, 10_000), [going_on()]);
        assert_eq!(cancelled(runs, cancel, 300), [going_on()]);
    }
    assert!(cancelled(|| Answer::Held(Vec::new()), done, 10_000).is_empty());
    let fails = || Answer::message(super::scripted_executor::done(&failed(INVALID_ARGUMENT)));
    assert!(cancelled(fails, done, 10_000).is_empty());
}

/// Names are sorted, and in both places where servers look.
#[test]
fn platform_properties_reach_the_server() {
    let server = ScriptedExecutor::start(&[OUTPUT], |method, _| {
        (method == "Execute").then(|| Answer::message(right()))
    });
    let client = server.client(PATIENCE, &[("OSFamily", "linux"), ("ISA", "x86-64")]);
    client.execute(&action(), &|| false).unwrap();
    let property = |name: &[u8], value: &[u8]| part(1, &[part(1, name), part(2, value)].concat());
    let platform = [property(b"ISA", b"x86-64"), property(b"OSFamily", b"linux")].concat();
    let kept = server.kept();
    let with = |number| {
        let mut found = kept.iter().filter(|blob| {
            let has = |(field, bytes): &(u64, Vec<u8>)| *field == number && *bytes == platform;
            fields(blob).is_some_and(|fields| fields.iter().any(has))
        });
        let only = found.next().unwrap();
        assert!(found.next().is_none());
        only
    };
    let (command, action) = (with(5), with(10));
    assert_eq!(part_of(command, 1), b"./program");
    assert_eq!(part_of(command, 7), b"out");
    assert_eq!(server.blob(&part_of(action, 1)), *command);
    // The input root: `program`, then `folder`.
    let root = server.blob(&part_of(action, 2));
    assert_eq!(part_of(&part_of(&root, 1), 1), b"program");
    assert_eq!(part_of(&part_of(&root, 2), 1), b"folder");
    assert_eq!(server.blob(&part_of(&part_of(&root, 1), 2)), b"a program");
}
