//! Compiling on other machines: a real executor, and what happens when it is the wrong one or gone.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytekiln_test_support::pythons;
use bytekiln_test_support::servers::{Certificate, Server, free_port};

use crate::build::CALCULATOR;
use crate::sandbox::{Output, Sandbox, command_path};

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
    let path = fs::canonicalize(&other.path).unwrap().display().to_string();
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
        let limits = ["--remote-timeout", "2", "--remote-execution-timeout", "5"];
        let arguments = [&["build", "--remote-executor", &address], &limits[..]].concat();
        let began = Instant::now();
        let output = sandbox.run(&arguments).success();
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
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
    command.stderr(Stdio::piped()).stdout(Stdio::piped());
    let child = command.spawn().unwrap();
    // When something has come, and not yet everything.
    let folder = sandbox.path("package/__pycache__");
    let deadline = Instant::now() + Duration::from_secs(120);
    while fs::read_dir(&folder).map_or(0, Iterator::count) < 50 {
        assert!(Instant::now() < deadline, "nothing came");
        std::thread::sleep(Duration::from_millis(1));
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

/// Instead of bytekiln: it writes its number to a file beside the workspace, and takes its time.
fn sleeper(sandbox: &Sandbox, seconds: u32) -> String {
    let (file, began) = (sandbox.beside("sleeper"), sandbox.beside("began"));
    let text = format!("#!/bin/sh\necho $$ > '{}'\nexec sleep {seconds}\n", began.display());
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file.display().to_string()
}

#[test]
fn a_worker_that_does_not_end_costs_its_time_once() {
    let Some(server) = Server::executor() else { return };
    let address = address(&server);
    let Some(sandbox) = Sandbox::new("") else { return };
    many(&sandbox, 100);
    let sleeper = sleeper(&sandbox, 6);
    let began = Instant::now();
    let output = sandbox.run(&[
        "build",
        "--remote-executor",
        &address,
        "--remote-bytekiln",
        &sleeper,
        "--remote-execution-timeout",
        "1",
    ]);
    let output = output.success();
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(sandbox.beside("began").exists());
    assert_eq!(warnings(&output).len(), 1, "{}", output.shown());
    output.says(&["no answer within 1 s; compiling here", "100 compiled in"]);
}

#[test]
fn an_interruption_does_not_wait_for_an_executor_that_is_silent() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("grpc://{}", silent.local_addr().unwrap());
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let child = start(&sandbox, &["--remote-executor", &address]);
    // It has to be heard, and not answered.
    let _connection = silent.accept().unwrap();
    interrupt(child);
    assert_eq!(sandbox.caches(), [""; 0]);
    sandbox.run(&["build"]).success().says(&["6 compiled in"]);
}

/// The worker is told that nobody waits for it any more.
#[test]
fn an_interruption_ends_what_a_worker_does() {
    let Some(server) = Server::executor() else { return };
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let sleeper = sleeper(&sandbox, 600);
    let options = ["--remote-executor", &address(&server), "--remote-bytekiln", &sleeper];
    let child = start(&sandbox, &options);
    let number = eventually(|| {
        let number = fs::read_to_string(sandbox.beside("began")).ok()?;
        number.ends_with('\n').then_some(number)
    });
    let process = Path::new("/proc").join(number.trim());
    assert!(process.exists());
    interrupt(child);
    eventually(|| (!process.exists()).then_some(()));
    assert_eq!(sandbox.caches(), [""; 0]);
}

fn start(sandbox: &Sandbox, options: &[&str]) -> std::process::Child {
    let mut command = sandbox.command(&[&["build"], options].concat());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits for something that happens on another thread or in another process.
#[track_caller]
fn eventually<T>(mut find: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "it has not happened");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Interrupts a build, which ends as it should, soon.
#[track_caller]
fn interrupt(child: std::process::Child) {
    let began = Instant::now();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let took = began.elapsed();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(!said.contains("compiling here"), "nobody has done wrong: {said}");
}

#[test]
fn an_interpreter_that_is_sent_along() {
    let Some(server) = Server::executor() else { return };
    let address = address(&server);
    let Some(here) = Sandbox::new(CALCULATOR) else { return };
    here.run(&["build"]).success();
    let python = here.beside("interpreter");
    here.copy_interpreter(&python);
    symlink("python3", python.join("bin/python")).unwrap();
    let folder = python.display().to_string();
    let compiled = |output: &Output| finished(output)["compiled_remotely"].clone();
    let build = || {
        let sandbox = Sandbox::new(CALCULATOR)?;
        let options =
            ["--remote-executor", &address, "--remote-python-files", &folder, "--remote-python"];
        let output = sandbox.build(&[&options[..], &["bin/python"]].concat()).success();
        assert!(sandbox.cache_bytes() == here.cache_bytes(), "{}", output.shown());
        Some(output)
    };
    let Some(output) = build() else { return };
    assert_eq!(compiled(&output), 6, "{}", output.shown());

    // It is this one that ran: where its library is incomplete, nothing else is taken for it.
    let library = fs::read_dir(python.join("lib")).unwrap().next().unwrap().unwrap().path();
    fs::remove_dir_all(library.join("encodings")).unwrap();
    let Some(output) = build() else { return };
    assert_eq!(compiled(&output), 0, "{}", output.shown());
    assert_eq!(output.messages("executor-trouble").len(), 1, "{}", output.shown());

    // Links that lead outside are told with their names.
    for target in ["/usr/bin/python3", "../../python3"] {
        fs::remove_file(python.join("bin/python")).unwrap();
        symlink(target, python.join("bin/python")).unwrap();
        let Some(output) = build() else { return };
        let trouble = output.messages("executor-trouble").remove(0).to_string();
        assert!(trouble.contains("bin/python` is a link that leads outside"), "{trouble}");
    }
}

#[test]
fn pack_and_lock_compile_there_as_well() {
    let Some(server) = Server::executor() else { return };
    let address = address(&server);
    let Some(here) = Sandbox::new(CALCULATOR) else { return };
    here.run(&["lock"]).success();
    here.pack_kind("zip", &[], &["--out", "out.zip"]).success();
    let executor = ["--remote-executor", &address, "--no-cache", "-vv"];
    let batches = |output: Output| {
        assert_eq!(warnings(&output).len(), 0, "{}", output.shown());
        let said = output.stderr.lines().find(|line| line.contains("batches executed"));
        let said = said.unwrap_or_else(|| panic!("{}", output.shown()));
        assert!(!said.contains(" 0 batches executed"), "{said}");
    };
    let Some(there) = Sandbox::new(CALCULATOR) else { return };
    batches(
        there.pack_kind("zip", &[], &[&["--out", "out.zip"], &executor[..]].concat()).success(),
    );
    assert!(there.read("out.zip") == here.read("out.zip"));
    batches(there.run(&[&["lock"], &executor[..]].concat()).success());
    assert!(there.read("bytekiln.lock") == here.read("bytekiln.lock"));
    there.run(&["lock", "--check"]).success();
    there.build(&["--release", "--locked", "--remote-executor", &address]).success();
}

/// A folder of packages is compiled in place; nothing but its compiling happens elsewhere.
#[test]
fn a_site_is_compiled_there_as_well() {
    let Some(server) = Server::executor() else { return };
    let address = address(&server);
    let packed = |more: &[&str]| {
        let sandbox = Sandbox::new(CALCULATOR)?;
        let output = sandbox.pack_kind("site", &["site=mathematics"], more).success();
        Some((sandbox.listed(&["mathematics"]), output))
    };
    let Some((here, _)) = packed(&[]) else { return };
    let options = ["--remote-executor", &address, "--no-cache", "-vv"];
    let Some((there, output)) = packed(&options) else { return };
    assert!(here.contains(".pyc "), "{here}");
    assert_eq!(here, there);
    assert_eq!(warnings(&output).len(), 0, "{}", output.shown());
    output.says(&["1 batches executed"]);
}

/// As workers of another platform need it. What is no bytekiln, or another one, proves nothing.
#[test]
fn the_bytekiln_of_the_workers() {
    let Some(server) = Server::executor() else { return };
    let address = address(&server);
    let Some(here) = Sandbox::new(CALCULATOR) else { return };
    here.build(&["--no-remote-executor"]).success();
    let own = here.beside("bytekiln-of-workers");
    fs::copy(command_path(), &own).unwrap();
    let liar = here.beside("liar");
    fs::write(&liar, "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(&liar, fs::Permissions::from_mode(0o755)).unwrap();
    for (file, elsewhere) in [(own, 6), (liar, 0)] {
        let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
        let file = file.display().to_string();
        let options = ["--remote-executor", &address, "--remote-bytekiln", &file];
        let output = sandbox.build(&options).success();
        assert_eq!(finished(&output)["compiled_remotely"], elsewhere, "{}", output.shown());
        let trouble = output.messages("executor-trouble").len();
        assert_eq!(trouble, usize::from(elsewhere == 0), "{}", output.shown());
        assert_eq!(sandbox.cache_bytes(), here.cache_bytes());
    }
    let gone = ["--remote-executor", &address, "--remote-bytekiln", "no-such-file"];
    // Also where there is nothing to do.
    here.run(&[&["build"], &gone[..]].concat()).code(2).says(&["there is no file", "no-such-file"]);
}

#[test]
fn an_executor_behind_tls() {
    let Some(server) = Server::executor() else { return };
    let certificates =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/remote/tests/it/certificates");
    let (chain, key) = (certificates.join("good.pem"), certificates.join("server.key"));
    let certificate = Certificate { chain: &chain, key: &key };
    let Some(front) = Server::nginx_before(&server, certificate) else { return };
    let address = format!("grpcs://{}", front.authority());
    let authority = certificates.join("authority.pem").display().to_string();
    for (trust, elsewhere) in [(&["--remote-ca-file", &authority][..], 6), (&[], 0)] {
        let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
        let options = [&["--remote-executor", &address], trust].concat();
        let output = sandbox.build(&options).success();
        assert_eq!(finished(&output)["compiled_remotely"], elsewhere, "{}", output.shown());
        // Whoever is not trusted gets no source, and costs one warning.
        let trouble = output.messages("executor-trouble");
        assert_eq!(trouble.len(), usize::from(elsewhere == 0), "{}", output.shown());
        let named = trouble.iter().all(|one| one.to_string().contains("certificate"));
        assert!(named, "{trouble:?}");
    }
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
