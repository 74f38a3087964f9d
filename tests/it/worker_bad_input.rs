//! What a worker and `compile` are given by mistake: parameter files that are none, sources that are missing,
//! requests that are huge or meant twice.

use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;
use crate::worker::{fine, identity, request};
use crate::worker_process::{Protocol, Request, Response, WorkerProcess};

const TREE: &str = "
//- /lib/a.py
A = 1
//- /lib/b.py
B = 2
";

#[test]
fn parameter_files_with_missing_sources() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    let entries = "lib/a.py==o/a.pyc\nlib/gone.py==o/gone.pyc\nlib/lost.py==o/lost.pyc\n";
    let expect = |said: &str| {
        for name in ["gone", "lost"] {
            let message = format!("`lib/{name}.py`: could not be read: No such file or directory");
            assert!(said.contains(&message), "{said}");
        }
        assert!(sandbox.path("o/a.pyc").exists(), "the good one is written");
        assert!(!sandbox.path("o/gone.pyc").exists(), "an older output would be loaded");
        sandbox.remove("o/a.pyc");
    };
    for protocol in [Protocol::Json, Protocol::Proto] {
        sandbox.write("o/gone.pyc", "of an older source");
        sandbox.write("p", entries);
        let mut worker = WorkerProcess::start(&sandbox, protocol, &[]);
        let response = worker.ask(&request(&identity, &["@p"]));
        assert_eq!(response.exit_code, 1, "{}", response.output);
        expect(&response.output);
        assert_eq!(worker.ask(&request(&identity, &["lib/b.py==b.pyc"])), fine(0), "it goes on");
    }
    sandbox.write("o/gone.pyc", "of an older source");
    sandbox.write("p", format!("{}\n{entries}", identity.join("\n")));
    expect(&sandbox.run(&["compile", "@p"]).code(1).stderr);
}

/// Neither waits for a pipe nor reads without end, and names what it was given.
#[test]
fn what_is_no_parameter_file() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    let made = std::process::Command::new("mkfifo").arg(sandbox.path("pipe")).status().unwrap();
    assert!(made.success());
    let huge = std::fs::File::create(sandbox.path("huge")).unwrap();
    huge.set_len(300 << 20).unwrap();
    sandbox.write("bytes", b"\xff\xfe\0lib\xff.py==x.pyc\n\x01\n");
    sandbox.write("options", "--no-such-option\n");
    sandbox.write("nested", "@nested\n");
    std::os::unix::fs::symlink("endless", sandbox.path("endless")).unwrap();
    let start = Instant::now();
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &[]);
    let python = &identity[1];
    for (name, why) in [
        ("pipe", "`pipe` is no file of less than 256 MiB"),
        ("huge", "`huge` is no file of less than 256 MiB"),
        ("lib", "`lib` is no file of less than 256 MiB"),
        ("absent", "could not read `absent`: No such file or directory"),
        ("endless", "could not read `endless`: Too many levels of symbolic links"),
        ("bytes", "no NUL"),
        ("options", "'--no-such-option'"),
        ("nested", "`@nested` has no output"),
    ] {
        let response = worker.ask(&request(&identity, &[&format!("@{name}")]));
        assert_eq!(response.exit_code, 2, "{name}: {}", response.output);
        assert!(response.output.contains(why), "{name}: {}", response.output);
        let once = sandbox.run(&["compile", "--python", python, &format!("@{name}")]);
        once.code(2).says(&[why]);
    }
    assert_eq!(worker.ask(&request(&identity, &["lib/a.py==a.pyc"])), fine(0), "it goes on");
    assert!(start.elapsed() < Duration::from_secs(30));
}

/// Up to the bound, a request is answered however large it is; beyond, the worker says so and ends.
#[test]
fn huge_requests() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    let digest = "0".repeat(64);
    let inputs = (0..50_000).map(|number| (format!("bazel-out/input{number}"), digest.clone()));
    let mut large = request(&identity, &["lib/a.py==a.pyc"]);
    large.inputs = inputs.collect();
    for protocol in [Protocol::Json, Protocol::Proto] {
        let mut worker = WorkerProcess::start(&sandbox, protocol, &[]);
        assert_eq!(worker.ask(&large), fine(0));
        assert_eq!(worker.ask(&request(&identity, &["lib/b.py==b.pyc"])), fine(0));
        // 129 MiB, of which the worker need not see the end.
        let mut bytes = match protocol {
            Protocol::Json => b"{\"arguments\": [\"".to_vec(),
            Protocol::Proto => vec![0x80, 0x80, 0xc0, 0x40],
        };
        bytes.resize(129 << 20, b'x');
        worker.send_bytes(&bytes);
        let (status, said) = worker.finish();
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(said.contains("a request of more than 128 MiB"), "{said}");
    }
}

/// Two requests that are under way with one number, and two that write one file.
#[test]
fn what_is_meant_twice() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    for protocol in [Protocol::Json, Protocol::Proto] {
        let mut worker = WorkerProcess::start(&sandbox, protocol, &["--jobs", "4"]);
        for _ in 0..10 {
            for name in ["a", "b"] {
                let entry = format!("lib/{name}.py=m.py=one.pyc");
                assert!(worker.send(&Request { id: 7, ..request(&identity, &[&entry]) }));
            }
        }
        let responses: Vec<Response> = (0..20).map(|_| worker.receive().unwrap()).collect();
        assert!(responses.iter().all(|response| *response == fine(7)), "{responses:?}");
        assert_eq!(worker.finish().0.code(), Some(0));
        // The whole of the one or the whole of the other.
        let made = sandbox.read("one.pyc");
        let python = &identity[1];
        let whole = ["a", "b"].map(|name| {
            let entry = format!("lib/{name}.py=m.py=once.pyc");
            sandbox.run(&["compile", "--python", python, &entry]).success();
            sandbox.read("once.pyc")
        });
        assert!(whole.contains(&made));
        // In one request it is a mistake.
        let mut worker = WorkerProcess::start(&sandbox, protocol, &[]);
        let response = worker.ask(&request(&identity, &["lib/a.py==x.pyc", "lib/b.py==x.pyc"]));
        assert_eq!(response.exit_code, 2);
        assert!(response.output.contains("have one output, `x.pyc`"), "{}", response.output);
    }
}
