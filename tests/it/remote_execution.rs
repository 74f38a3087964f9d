//! Compiling on other machines: a real executor, and what happens when it is the wrong one or gone.

use std::net::TcpListener;

use bytekiln_test_support::pythons;
use bytekiln_test_support::servers::{Server, free_port};

use crate::build::CALCULATOR;
use crate::sandbox::{Output, Sandbox};

fn address(server: &Server) -> String {
    format!("grpc://{}", server.authority())
}

fn finished(output: &Output) -> serde_json::Value {
    output.messages("build-finished").remove(0)
}

/// Lines that warn.
fn warnings(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter(|line| line.starts_with("warning")).collect()
}

fn many(sandbox: &Sandbox, count: usize) {
    for number in 0..count {
        let content = format!("def function_{number}(a, b):\n    return a * b + {number}\n");
        sandbox.write(&format!("package/module_{number}.py"), content);
    }
}

#[test]
fn what_is_executed_elsewhere_is_in_all_caches() {
    let Some(server) = Server::executor() else { return };
    let address = address(&server);
    for options in
        [&["--optimize", "0"][..], &["--optimize", "2", "--invalidation-mode", "unchecked-hash"]]
    {
        let Some(here) = Sandbox::new(CALCULATOR) else { return };
        here.build(&[options, &["--no-remote-executor"]].concat()).success();
        let Some(first) = Sandbox::new(CALCULATOR) else { return };
        let there = ["--remote-executor", &address, "--remote-cache", &address];
        let output = first.build(&[options, &there].concat()).success();
        assert_eq!(finished(&output)["compiled_remotely"], 6, "{}", output.shown());
        assert_eq!(finished(&output)["compiled"], 6);
        assert_eq!(output.messages("executor-trouble").len(), 0);
        assert_eq!(first.cache_bytes(), here.cache_bytes());
        // The local cache has it.
        first.caches().iter().for_each(|cache| first.remove(cache));
        let output = first.build(&[options, &["--no-remote-cache"]].concat()).success();
        assert_eq!(finished(&output)["restored"], 6, "{}", output.shown());
        // And the remote one: a second machine compiles nothing, nowhere.
        let Some(second) = Sandbox::new(CALCULATOR) else { return };
        let output = second.build(&[options, &there].concat()).success();
        assert_eq!(finished(&output)["restored_remotely"], 6, "{}", output.shown());
        assert_eq!(second.cache_bytes(), here.cache_bytes());
    }
}

#[test]
fn errors_and_warnings_are_those_of_here() {
    let Some(server) = Server::executor() else { return };
    let address = address(&server);
    let run = |options: &[&str]| {
        let sandbox = Sandbox::new("")?;
        many(&sandbox, 100);
        sandbox.write("package/bad.py", "x = 1\ndef f(:\n    pass\n");
        sandbox.write("package/odd.py", "PATTERN = '\\d'\nassert (1, 'always')\n");
        let output = sandbox.run(&[&["build", "-v"], options].concat()).code(1);
        Some((output, sandbox.cache_bytes()))
    };
    let Some((here, expected)) = run(&[]) else { return };
    let Some((there, found)) = run(&["--remote-executor", &address]) else { return };
    assert!(expected == found);
    let there = there.says(&["101 compiled by the remote executor", "1 failed"]);
    // All that is said of files, in order.
    let said = |output: &Output| -> Vec<String> {
        let lines = output.stderr.lines().filter(|line| {
            !["Failed", "Executor", "Looked up"].iter().any(|word| line.contains(word))
        });
        lines.map(str::to_owned).collect()
    };
    assert_eq!(said(&here), said(&there), "{}", there.shown());
    assert!(there.stderr.contains("SyntaxError"), "{}", there.shown());
}

#[test]
fn another_interpreter_is_refused_with_one_warning() {
    let Some(server) = Server::executor() else { return };
    let address = address(&server);
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let ours = sandbox.interpreter().path.clone();
    let Some(other) =
        pythons::all().iter().find(|python| python.version != sandbox.interpreter().version)
    else {
        return pythons::skip("needs two interpreters of different versions");
    };
    assert_ne!(other.path, ours);
    let path = std::fs::canonicalize(&other.path).unwrap().display().to_string();
    let arguments = ["build", "--remote-executor", &address, "--remote-python", &path];
    let output = sandbox.run(&arguments).success();
    assert_eq!(warnings(&output).len(), 1, "{}", output.shown());
    let said = warnings(&output)[0].to_owned();
    assert_eq!(said.matches("with the identity").count(), 2, "{said}");
    assert!(said.ends_with("; compiling here"), "{said}");
    output.says(&["`dev`: 6 compiled in"]);
    let Some(here) = Sandbox::new(CALCULATOR) else { return };
    here.run(&["build"]).success();
    assert_eq!(sandbox.cache_bytes(), here.cache_bytes());
}

#[test]
fn a_server_that_does_not_execute_is_one_warning() {
    let nobody = format!("grpc://127.0.0.1:{}", free_port());
    // Listens, and never answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent = format!("grpc://{}", silent.local_addr().unwrap());
    let cache = Server::casd();
    let cache = cache.as_ref().map(address);
    for address in [Some(nobody), Some(silent), cache].into_iter().flatten() {
        let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
        let limits = ["--remote-timeout", "1", "--remote-execution-timeout", "5"];
        let arguments = [&["build", "--remote-executor", &address], &limits[..]].concat();
        let output = sandbox.run(&arguments).success();
        assert_eq!(warnings(&output).len(), 1, "{}", output.shown());
        assert!(warnings(&output)[0].contains(&address), "{}", output.shown());
        output.says(&["6 compiled in"]);
    }
}

#[test]
fn an_executor_that_dies_in_the_middle_costs_one_warning() {
    let Some(mut server) = Server::executor() else { return };
    let address = address(&server);
    let Some(sandbox) = Sandbox::new("") else { return };
    many(&sandbox, 3000);
    let mut command = sandbox.command(&["build", "--remote-executor", &address]);
    command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    // When something has come, and not yet everything.
    let folder = sandbox.path("package/__pycache__");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
    while std::fs::read_dir(&folder).map_or(0, Iterator::count) < 50 {
        assert!(std::time::Instant::now() < deadline, "nothing came");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    server.kill();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("warning")).count(), 1, "{said}");
    assert!(said.contains(" compiled by the remote executor"), "{said}");
    let Some(alone) = Sandbox::new("") else { return };
    many(&alone, 3000);
    alone.run(&["build"]).success();
    assert!(sandbox.cache_bytes() == alone.cache_bytes());
}

#[test]
fn wrong_arguments_are_errors_of_the_user() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let address = "grpc://127.0.0.1:1";
    let cases: [(&[&str], &str); 5] = [
        (
            &["http://127.0.0.1:1"],
            "--remote-executor `http://127.0.0.1:1` is no address of an executor",
        ),
        (&["build:80"], "--remote-executor `build:80` is no address of an executor"),
        (&[address, "--remote-python", "bin/python3"], "`bin/python3` cannot be found there"),
        (&[address, "--remote-python-files", "."], "names no interpreter"),
        (&[address, "--remote-platform-property", "linux"], "`linux` has no value"),
    ];
    for (arguments, expected) in cases {
        let all = [&["build", "--remote-executor"], arguments].concat();
        sandbox.run(&all).code(2).says(&[expected]);
    }
}
