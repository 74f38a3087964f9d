//! `bytekiln worker`: Bazel's persistent worker, asked right and wrong.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::sandbox::Sandbox;
use crate::worker_process::{Protocol, Request, Response, WorkerProcess, to_json, to_proto};

const TREE: &str = "
//- /lib/a.py
def f(x):
    assert x
    return {x, 'one', 'two'}
//- /lib/b.py
B = 2
";

/// Arguments by which a request says who compiles.
pub(crate) fn identity(sandbox: &Sandbox) -> Vec<String> {
    let python = sandbox.beside("bin/python3").display().to_string();
    let said = sandbox.run(&["compile", "--python", &python, "--print-identity"]).success();
    let said: Value = serde_json::from_str(&said.stdout).unwrap();
    let text = |key: &str| said[key].as_str().unwrap().to_owned();
    [
        "--python",
        &python,
        "--expect-python",
        &text("python"),
        "--expect-compiler",
        &text("compiler"),
    ]
    .map(str::to_owned)
    .to_vec()
}

pub(crate) fn request(identity: &[String], more: &[&str]) -> Request {
    let arguments = identity.iter().cloned().chain(more.iter().map(|&it| it.to_owned())).collect();
    Request { arguments, ..Request::default() }
}

pub(crate) fn fine(id: i32) -> Response {
    Response { id, ..Response::default() }
}

#[test]
fn one_request_after_the_other() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    for protocol in [Protocol::Json, Protocol::Proto] {
        let mut worker = WorkerProcess::start(&sandbox, protocol, &[]);
        assert_eq!(worker.ask(&request(&identity, &["lib/a.py==o/a.pyc"])), fine(0));
        sandbox.write("p", "lib/a.py\nlib/b.py\n--out-dir\ntree\n--optimize\n1\n");
        assert_eq!(worker.ask(&request(&identity, &["@p"])), fine(0));
        let (tag, a) = (sandbox.tag(), sandbox.read("o/a.pyc"));
        assert_ne!(a, sandbox.read(&format!("tree/lib/__pycache__/a.{tag}.opt-1.pyc")));
        sandbox.write("bad.py", "x = (\n");
        sandbox.write("bad.pyc", "older");
        let response = worker.ask(&request(&identity, &["bad.py==bad.pyc"]));
        assert_eq!(response.exit_code, 1);
        assert!(response.output.contains("--> bad.py:1:5"), "{}", response.output);
        assert!(!sandbox.path("bad.pyc").exists());
        assert_eq!(worker.ask(&request(&identity, &["lib/a.py==o/a2.pyc"])), fine(0));
        assert_eq!(a, sandbox.read("o/a2.pyc"));
        let (status, said) = worker.finish();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""));
    }
}

/// Many at once, in any order, each in a sandbox of its own.
#[test]
fn multiplex_with_sandboxes() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    for protocol in [Protocol::Json, Protocol::Proto] {
        let mut worker = WorkerProcess::start(&sandbox, protocol, &["--jobs", "3"]);
        for id in 1..=30 {
            let folder = format!("__sandbox/{protocol:?}{id}/_main");
            sandbox.write(&format!("{folder}/m.py"), format!("N = {id}\n"));
            let sandboxed =
                Request { id, sandbox_dir: folder, ..request(&identity, &["m.py==o/m.pyc"]) };
            assert!(worker.send(&sandboxed));
        }
        let mut responses: Vec<Response> = (0..30).map(|_| worker.receive().unwrap()).collect();
        responses.sort_by_key(|response| response.id);
        assert_eq!(responses, (1..=30).map(fine).collect::<Vec<_>>());
        assert_eq!(worker.finish().0.code(), Some(0));
        for id in 1..=30 {
            let made = sandbox.read(&format!("__sandbox/{protocol:?}{id}/_main/o/m.pyc"));
            sandbox.write("m.py", format!("N = {id}\n"));
            let python = sandbox.beside("bin/python3").display().to_string();
            sandbox.run(&["compile", "--python", &python, "m.py==m.pyc"]).success();
            assert_eq!(made, sandbox.read("m.pyc"));
        }
    }
}

#[test]
fn cancelled_before_the_start_and_unknown() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    // The first request holds the only thread: its interpreter starts slowly.
    sandbox.script_python("sleep 1; exec REAL \"$@\"");
    for protocol in [Protocol::Json, Protocol::Proto] {
        let mut worker = WorkerProcess::start(&sandbox, protocol, &["--jobs", "1"]);
        let cancel = |id| Request { id, cancel: true, ..Request::default() };
        assert!(worker.send(&Request { id: 1, ..request(&identity, &["lib/a.py==1.pyc"]) }));
        assert!(worker.send(&Request { id: 2, ..request(&identity, &["lib/a.py==2.pyc"]) }));
        assert!(worker.send(&cancel(2)));
        assert!(worker.send(&cancel(77)));
        assert_eq!(worker.receive(), Some(fine(1)));
        assert_eq!(worker.receive(), Some(Response { was_cancelled: true, ..fine(2) }));
        // After the end there is nothing to cancel, and no second response.
        assert!(worker.send(&cancel(1)));
        assert!(worker.send(&Request { id: 3, ..request(&identity, &["lib/b.py==3.pyc"]) }));
        assert_eq!(worker.receive(), Some(fine(3)));
        assert_eq!(worker.receive_after_end(), None);
        assert!(!sandbox.path("2.pyc").exists());
    }
}

/// A compiler that never answers: the request ends when it is cancelled, and the worker goes on.
#[test]
fn cancelled_after_the_start() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    // Says who it is, and takes no request.
    sandbox.script_python("sleep 600 | REAL \"$@\"");
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &["--jobs", "2"]);
    assert!(
        worker.send(&Request {
            id: 1,
            ..request(&identity, &["lib/a.py==1.pyc", "--timeout", "600"])
        })
    );
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(worker.send(&Request { id: 1, cancel: true, ..Request::default() }));
    assert_eq!(worker.receive(), Some(Response { was_cancelled: true, ..fine(1) }));
    assert!(!sandbox.path("1.pyc").exists());
}

/// Whoever is not who was expected says so and ends; what was under way is finished.
#[test]
fn another_compiler_or_interpreter_is_refused() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    for (place, value) in
        [(3, "0".repeat(64)), (3, "3.7".to_owned()), (5, "bytekiln-9+canonical-9".to_owned())]
    {
        let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &[]);
        assert_eq!(worker.ask(&request(&identity, &["lib/a.py==a.pyc"])), fine(0));
        sandbox.remove("a.pyc");
        let mut other = identity.clone();
        other[place] = value;
        let response = worker.ask(&request(&other, &["lib/a.py==a.pyc"]));
        assert_eq!(response.exit_code, 3);
        assert!(response.output.contains("expected"), "{}", response.output);
        assert_eq!(worker.receive(), None, "it ends by itself");
        assert_eq!(worker.finish().0.code(), Some(3));
        assert!(!sandbox.path("a.pyc").exists());
    }
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &[]);
    let response = worker.ask(&request(&identity[..2], &["lib/a.py==a.pyc"]));
    assert_eq!(response.exit_code, 2);
    assert!(response.output.contains("does not say who is to compile"), "{}", response.output);
}

/// The interpreter is replaced while the worker runs: what a request expects is what it gets.
#[test]
fn an_upgraded_interpreter_is_not_mistaken_for_the_old_one() {
    use bytekiln_test_support::pythons;
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let mut others =
        pythons::all().iter().filter(|other| other.version != sandbox.interpreter().version);
    let Some(other) = others.next_back() else {
        return pythons::skip("needs two interpreters");
    };
    let before = identity(&sandbox);
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &[]);
    assert_eq!(worker.ask(&request(&before, &["lib/a.py==before.pyc"])), fine(0));
    let link = sandbox.beside("bin/python3");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&other.path, &link).unwrap();
    let after = identity(&sandbox);
    assert_eq!(worker.ask(&request(&after, &["lib/a.py==after.pyc"])), fine(0));
    let python = other.path.display().to_string();
    sandbox.run(&["compile", "--python", &python, "lib/a.py==once.pyc"]).success();
    assert_eq!(sandbox.read("after.pyc"), sandbox.read("once.pyc"));
    assert_ne!(sandbox.read("after.pyc"), sandbox.read("before.pyc"));
    assert_eq!(worker.ask(&request(&before, &["lib/a.py==x.pyc"])).exit_code, 3);
    assert_eq!(worker.finish().0.code(), Some(3));
}

/// Digests save reading where there is a cache, and are checked where there is none.
#[test]
fn digests_of_inputs() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    let sha256 = |path: &str| {
        let sum = std::process::Command::new("sha256sum").arg(sandbox.path(path)).output().unwrap();
        String::from_utf8(sum.stdout).unwrap()[..64].to_owned()
    };
    let with = |more: &[&str], path: &str, digest: &str| Request {
        inputs: vec![(path.to_owned(), digest.to_owned())],
        ..request(&identity, more)
    };
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &["--cache-dir", "c"]);
    let (a, b) = (sha256("lib/a.py"), sha256("lib/b.py"));
    assert_eq!(worker.ask(&with(&["lib/a.py==a.pyc"], "lib/a.py", &a)), fine(0));
    let made = sandbox.read("a.pyc");
    sandbox.remove("a.pyc");
    // Known: the source need not even be readable.
    let size = sandbox.read("lib/a.py").len();
    sandbox.write("lib/a.py", "#".repeat(size));
    assert_eq!(worker.ask(&with(&["lib/a.py==a.pyc"], "lib/a.py", &a)), fine(0));
    assert_eq!(sandbox.read("a.pyc"), made);
    // Unknown: it is read, and is not what was said.
    let response = worker.ask(&with(&["lib/a.py==x.pyc"], "lib/a.py", &b));
    assert_eq!(response.exit_code, 1, "{}", response.output);
    assert!(!sandbox.path("x.pyc").exists());
    drop(worker);

    let mut worker = WorkerProcess::start(&sandbox, Protocol::Proto, &[]);
    assert_eq!(worker.ask(&with(&["lib/b.py==b.pyc"], "lib/b.py", &b)), fine(0));
    let response = worker.ask(&with(&["lib/b.py==y.pyc"], "lib/b.py", &a));
    assert_eq!(response.exit_code, 1);
    assert!(response.output.contains("not what the request's digest says"), "{}", response.output);
    assert!(!sandbox.path("y.pyc").exists());
}

#[test]
fn nothing_outside_of_the_sandbox() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    let outside = sandbox.beside("home/out.py");
    std::fs::write(&outside, "SECRET = 1\n").unwrap();
    sandbox.write("s/ok.py", "x = 1\n");
    std::os::unix::fs::symlink(sandbox.beside("home"), sandbox.path("s/link")).unwrap();
    let absolute = format!("{}==x.pyc", outside.display());
    let absolute_output = format!("lib/a.py=={}", sandbox.beside("home/x.pyc").display());
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &[]);
    for (folder, arguments) in [
        ("", vec![absolute.as_str()]),
        ("", vec![absolute_output.as_str()]),
        ("", vec!["../home/out.py==x.pyc"]),
        ("", vec!["lib/../../home/out.py==x.pyc"]),
        ("", vec!["lib/a.py==../x.pyc"]),
        ("", vec!["lib/a.py", "--out-dir", "../home"]),
        ("", vec!["lib/a.py==x.pyc", "--depfile", "../home/d"]),
        ("", vec!["lib/a.py==x.pyc", "--out-manifest", "/nowhere/m"]),
        ("", vec!["--manifest", "../home/m.json"]),
        ("", vec!["@../home/p"]),
        ("s", vec!["../lib/a.py==x.pyc"]),
        ("..", vec!["lib/a.py==x.pyc"]),
        ("/", vec!["lib/a.py==x.pyc"]),
        ("absent", vec!["lib/a.py==x.pyc"]),
    ] {
        let asked = Request { sandbox_dir: folder.to_owned(), ..request(&identity, &arguments) };
        let response = worker.ask(&asked);
        assert_eq!(response.exit_code, 2, "{arguments:?}: {}", response.output);
        assert!(response.output.starts_with("error: "), "{}", response.output);
    }
    // A link in the sandbox that leads out: outputs do not follow it.
    let asked =
        Request { sandbox_dir: "s".to_owned(), ..request(&identity, &["ok.py==link/x.pyc"]) };
    assert_eq!(worker.ask(&asked).exit_code, 1);
    let made: Vec<_> = std::fs::read_dir(sandbox.beside("home")).unwrap().collect();
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(worker.ask(&request(&identity, &["lib/a.py==a.pyc"])), fine(0), "it goes on");
}

#[test]
fn what_is_no_request() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    let good = request(&identity, &["lib/a.py==a.pyc"]);
    // Understood, and wrong.
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &[]);
    for (bytes, id) in [
        (&b"{\"requestId\": 5, \"arguments\": 1}\n"[..], 5),
        (b"{\"requestId\": 6, \"inputs\": [{\"path\": \"x\", \"digest\": \"?\"}]}\n", 6),
        (b"{\"requestId\": 7}\n", 7),
        (b"{\"requestId\": 8, \"arguments\": [\"--no-such-option\"]}\n", 8),
        (b"{\"requestId\": 9, \"arguments\": [\"--optimize\", \"3\"]}\n", 9),
        (b"{\"requestId\": 10, \"arguments\": [\"\\u0000==\\u0000\"]}\n", 10),
    ] {
        assert!(worker.send_bytes(bytes));
        let response = worker.receive().unwrap();
        assert_eq!((response.id, response.exit_code), (id, 2), "{}", response.output);
    }
    assert_eq!(worker.ask(&good), fine(0));
    drop(worker);
    // Not understood: the worker cannot know what follows, and ends.
    let truncated = to_proto(&good);
    let mut huge = vec![0xff, 0xff, 0xff, 0xff, 0x7f];
    huge.extend([b'x'; 1000]);
    for (protocol, bytes) in [
        (Protocol::Json, b"garbage\n".to_vec()),
        (Protocol::Json, b"[1, 2]\n".to_vec()),
        (Protocol::Json, b"{\"requestId\": 99999999999}\n".to_vec()),
        (Protocol::Json, to_json(&good)[..20].to_vec()),
        (Protocol::Json, vec![b'['; 100_000]),
        (Protocol::Proto, huge),
        (Protocol::Proto, vec![0xff; 64]),
        (Protocol::Proto, truncated[..truncated.len() / 2].to_vec()),
        (Protocol::Proto, b"\x04\x0a\x7fab".to_vec()),
    ] {
        let mut worker = WorkerProcess::start(&sandbox, protocol, &[]);
        worker.send_bytes(&bytes);
        let (status, said) = worker.finish();
        assert_eq!(status.code(), Some(2), "{protocol:?} {said}");
        assert!(said.starts_with("error: "), "{said}");
    }
}

/// Where Bazel starts no worker, the same command line compiles once.
#[test]
fn without_persistence_it_is_compile() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let mut lines = identity(&sandbox);
    lines.push("lib/a.py==once.pyc".to_owned());
    sandbox.write("p", lines.join("\n"));
    sandbox.run(&["worker", "--protocol", "json", "@p"]).success();
    let python = sandbox.beside("bin/python3").display().to_string();
    sandbox.run(&["compile", "--python", &python, "lib/a.py==two.pyc"]).success();
    assert_eq!(sandbox.read("once.pyc"), sandbox.read("two.pyc"));
    sandbox.run(&["worker", "--persistent_worker", "lib/a.py==x.pyc"]).code(2);
}

/// Resident bytes of a process and its children.
fn memory(pid: u32) -> u64 {
    let mut total = 0;
    let children = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        Some((pid, field("PPid:")?, field("VmRSS:")?))
    });
    for (process, parent, kilobytes) in children {
        if process == pid || parent == u64::from(pid) {
            total += kilobytes << 10;
        }
    }
    total
}

/// Memory after many requests is memory after a few. 100,000 at full size.
#[test]
fn memory_is_bounded() {
    if !Path::new("/proc/self/status").exists() {
        return bytekiln_test_support::pythons::skip("needs /proc");
    }
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    let count = if crate::sandbox::full_size() { 100_000 } else { 3_000 };
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Proto, &[]);
    let mut seen = BTreeMap::new();
    for number in 0..count {
        // Names that differ: what an interpreter interns would pile up.
        sandbox.write("m.py", format!("def f{number}(): return 'text {number}'\n"));
        let name = format!("pkg{number}/m.py");
        let entry = format!("m.py={name}=m.pyc");
        assert_eq!(worker.ask(&request(&identity, &[&entry])), fine(0));
        if number == count / 10 || number == count - 1 {
            seen.insert(number, memory(worker.pid()));
        }
    }
    let (early, late) = (*seen.values().next().unwrap(), *seen.values().last().unwrap());
    eprintln!("resident: {} KiB after a tenth, {} KiB after {count}", early >> 10, late >> 10);
    assert!(late < early + (24 << 20), "{early} {late}");
}

#[test]
fn an_interpreter_that_cannot_start_is_a_failure_of_the_request() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let identity = identity(&sandbox);
    let script = sandbox.script_python("exit 7");
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut worker = WorkerProcess::start(&sandbox, Protocol::Json, &[]);
    let response = worker.ask(&request(&identity, &["lib/a.py==a.pyc"]));
    assert_eq!(response.exit_code, 3, "{}", response.output);
    assert!(response.output.contains("cannot be used"), "{}", response.output);
    assert_eq!(worker.finish().0.code(), Some(0));
}
