//! A cache on another machine, which several checkouts with caches of their own share: real servers,
//! and what happens when they are gone.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use bytekiln_test_support::servers::{Server, free_port};

use crate::build::CALCULATOR;
use crate::sandbox::{Output, Sandbox};

/// The servers that this machine has, with their addresses.
fn servers() -> Vec<(Server, String)> {
    let http = Server::nginx(None).map(|server| {
        let address = format!("http://{}/team", server.authority());
        (server, address)
    });
    let grpc = Server::casd().map(|server| {
        let address = format!("grpc://{}", server.authority());
        (server, address)
    });
    http.into_iter().chain(grpc).collect()
}

/// How often each result was, of a build that had to succeed.
fn count(output: &Output, result: &str) -> usize {
    output.results().iter().filter(|line| line.ends_with(result)).count()
}

fn finished(output: &Output) -> serde_json::Value {
    output.messages("build-finished").remove(0)
}

#[test]
fn a_second_machine_compiles_nothing() {
    for (server, address) in servers() {
        let Some(first) = Sandbox::new(CALCULATOR) else { return };
        let output = first.build(&["--remote-cache", &address]).success();
        assert_eq!(count(&output, " compiled"), 6, "{}", output.shown());
        assert_eq!(output.messages("uploaded")[0]["results"], 6);

        // Another user with a cache of their own, another folder, another order of work.
        let Some(second) = Sandbox::new(CALCULATOR) else { return };
        let output = second.build(&["--remote-cache", &address, "--jobs", "1"]).success();
        assert_eq!(count(&output, " restored"), 6, "{}", output.shown());
        assert_eq!(finished(&output)["restored_remotely"], 6);
        assert_eq!(second.cache_bytes(), first.cache_bytes());

        // What came is kept: the server is not needed any more.
        drop(server);
        for cache in second.caches() {
            second.remove(&cache);
        }
        let output = second.build(&["--no-remote-cache"]).success();
        assert_eq!(count(&output, " restored"), 6, "{}", output.shown());
        assert_eq!(finished(&output)["restored_remotely"], 0);
        assert_eq!(second.cache_bytes(), first.cache_bytes());
    }
}

#[test]
fn it_is_found_in_the_manifest_and_the_environment_and_said() {
    let Some(server) = Server::nginx(None) else { return };
    let address = format!("http://{}", server.authority());
    let manifest = |more: &str| format!("[cache]\nremote = \"{address}\"\n{more}");
    let Some(first) = Sandbox::new(CALCULATOR) else { return };
    first.write("bytekiln.toml", manifest("remote-read-only = true\n"));
    let output = first.run(&["build", "-v"]).success();
    assert!(!output.stderr.contains("Uploaded"), "{}", output.shown());
    output.says(&["6 compiled in", "Remote 6 requests: 0 of 6 results and 0 blobs"]);
    assert!(!server.join("files/ac").exists(), "it is not to be written to");
    first.run(&["build", "--force", "-v"]).success();
    first.write("bytekiln.toml", manifest(""));
    first.write("calculator/new.py", "NEW = 1\n");
    first.run(&["build", "-v"]).success().says(&["Uploaded 1 result\n"]);
    let stats = first.run(&["cache", "stats"]).success();
    assert!(stats.stdout.contains(&format!("remote cache  {address}\n")), "{}", stats.shown());

    let Some(second) = Sandbox::new("") else { return };
    second.write("calculator/new.py", "NEW = 1\n");
    let mut command = second.command(&["build"]);
    command.env("BYTEKILN_REMOTE_CACHE", &address);
    let output = crate::sandbox::finish(&mut command).success();
    output.says(&["1 from the remote cache in"]);
}

#[test]
fn outputs_are_locked_and_packed_with_it() {
    let Some(server) = Server::nginx(None) else { return };
    let address = format!("http://{}", server.authority());
    let Some(first) = Sandbox::new(CALCULATOR) else { return };
    first.build(&["--release", "--remote-cache", &address]).success();
    let Some(second) = Sandbox::new(CALCULATOR) else { return };
    let output =
        second.run(&["lock", "--message-format", "json", "--remote-cache", &address]).success();
    assert_eq!(count(&output, " restored"), 6, "{}", output.shown());
    let pack = ["pack", "--kind", "tree", "--set", "out=packed", "-v", "--remote-cache", &address];
    second.run(&pack).success().says(&["6 of 6 results and 6 blobs"]);
}

#[test]
fn a_dead_server_is_one_warning() {
    let nobody = free_port();
    // Listens, and never answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    for scheme in ["http", "grpc"] {
        for port in [nobody, silent_port] {
            let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
            let address = format!("{scheme}://127.0.0.1:{port}");
            let arguments = ["build", "--remote-cache", &address, "--remote-timeout", "1"];
            let output = sandbox.run(&arguments).success();
            let warnings = output.stderr.lines().filter(|line| line.starts_with("warning"));
            let warnings: Vec<&str> = warnings.collect();
            assert_eq!(warnings.len(), 1, "{}", output.shown());
            assert!(warnings[0].contains(&address), "{}", output.shown());
            assert!(warnings[0].ends_with("; going on without"), "{}", output.shown());
            output.says(&["6 compiled in"]);
            assert_eq!(sandbox.caches().len(), 6);
        }
    }
}

#[test]
fn a_server_that_dies_in_the_middle_costs_one_warning() {
    for (mut server, address) in servers() {
        let Some(sandbox) = Sandbox::new("") else { return };
        let Some(alone) = Sandbox::new("") else { return };
        for number in 0..1500 {
            let name = format!("package/module_{number}.py");
            let content = format!("def function_{number}(a, b):\n    return a * b + {number}\n");
            sandbox.write(&name, &content);
            alone.write(&name, &content);
        }
        let mut command = sandbox.command(&["build", "--remote-cache", &address]);
        command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let child = command.spawn().unwrap();
        // When it has compiled something, and not yet everything.
        let folder = sandbox.path("package/__pycache__");
        while fs::read_dir(&folder).map_or(0, Iterator::count) < 100 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        server.kill();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let warnings = said.lines().filter(|line| line.starts_with("warning")).count();
        assert_eq!(warnings, 1, "{said}");
        assert!(said.contains("1500 compiled in"), "{said}");
        alone.build(&["--no-remote-cache"]).success();
        assert!(sandbox.cache_bytes() == alone.cache_bytes());
    }
}

#[test]
fn damage_on_the_server_is_a_miss_and_is_mended() {
    let Some(server) = Server::nginx(None) else { return };
    let address = format!("http://{}", server.authority());
    let Some(first) = Sandbox::new(CALCULATOR) else { return };
    first.build(&["--remote-cache", &address]).success();
    let damage = |folder: &str, how: &dyn Fn(&Path)| {
        let mut files: Vec<_> =
            fs::read_dir(server.join(folder)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files.iter().take(2).for_each(|file| how(file));
    };
    damage("files/cas", &|file| {
        let mut bytes = fs::read(file).unwrap();
        bytes[40] ^= 1;
        fs::write(file, bytes).unwrap();
    });
    damage("files/ac", &|file| fs::write(file, "no result").unwrap());
    for compiled in [true, false] {
        let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
        let output = sandbox.build(&["--remote-cache", &address]).success();
        assert_eq!(count(&output, " compiled") > 1, compiled, "{}", output.shown());
        assert_eq!(sandbox.cache_bytes(), first.cache_bytes());
    }
}

#[test]
fn wrong_addresses_and_files_are_errors_of_the_user() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.write("headers", "Authorization: Bearer secret\nno header\n");
    sandbox.write("nothing.pem", "");
    let cases: [(&[&str], &str); 5] = [
        (&["--remote-cache", "cache:80"], "--remote-cache `cache:80` is no address of a cache"),
        (
            &["--remote-cache", "http://127.0.0.1:1", "--remote-header-file", "nowhere"],
            "could not read the headers `",
        ),
        (
            &["--remote-cache", "http://127.0.0.1:1", "--remote-header-file", "headers"],
            "headers`: line 2: it has no colon",
        ),
        (
            &["--remote-cache", "https://127.0.0.1:1", "--remote-ca-file", "nothing.pem"],
            "nothing.pem`: there is none in it",
        ),
        (&["--remote-cache", "http://127.0.0.1:1", "--remote-timeout", "0"], "0 is not in 1..="),
    ];
    for (arguments, expected) in cases {
        let mut all = vec!["build"];
        all.extend_from_slice(arguments);
        let output = sandbox.run(&all).code(2);
        assert!(!output.stderr.contains("secret"), "{}", output.shown());
        output.says(&[expected]);
    }
}

/// So many that their results travel together.
fn write_modules(sandbox: &Sandbox) {
    for number in 0..100 {
        let content = format!("def function_{number}(a, b):\n    return a * b + {number}\n");
        sandbox.write(&format!("package/module_{number:03}.py"), &content);
    }
}

/// How many requests `-v` says there were.
fn requests(output: &Output) -> usize {
    let line = output.stderr.lines().find_map(|line| line.trim().strip_prefix("Remote "));
    let number = line.and_then(|line| line.split(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("{}", output.shown()))
}

#[test]
fn many_files_are_restored_with_few_requests() {
    let Some(server) = Server::casd() else { return };
    let address = format!("grpc://{}", server.authority());
    let Some(first) = Sandbox::new("") else { return };
    write_modules(&first);
    first.run(&["build", "-v", "--remote-cache", &address]).success();
    for other in ["", "package/another.py"] {
        let Some(second) = Sandbox::new("") else { return };
        write_modules(&second);
        if !other.is_empty() {
            second.write(other, "OTHER = 1\n");
        }
        let output = second.run(&["build", "-v", "--remote-cache", &address]).success();
        if other.is_empty() {
            // Capabilities, one for all results, one for all blobs.
            assert!(requests(&output) <= 5, "{}", output.shown());
        }
        output.says(&["100 from the remote cache"]);
    }
    let Some(third) = Sandbox::new("") else { return };
    write_modules(&third);
    third.write("package/another.py", "OTHER = 1\n");
    let output = third.run(&["build", "-v", "--remote-cache", &address]).success();
    assert!(requests(&output) <= 5, "{}", output.shown());
    output.says(&["101 from the remote cache"]);
}

#[test]
fn results_that_were_exchanged_are_compiled_and_mended() {
    let Some(server) = Server::nginx(None) else { return };
    let address = format!("http://{}", server.authority());
    let Some(first) = Sandbox::new("") else { return };
    write_modules(&first);
    first.build(&["--remote-cache", &address]).success();
    // The file that names all results: in it, two modules get the output of each other.
    let files = fs::read_dir(server.join("files/ac")).unwrap().map(|file| file.unwrap().path());
    let bundle = files.max_by_key(|file| fs::metadata(file).unwrap().len()).unwrap();
    let mut bytes = fs::read(&bundle).unwrap();
    assert!(bytes.len() > 5000, "all results are in it");
    let place = |(_, cache): &(String, Vec<u8>)| {
        let mut blobs = fs::read_dir(server.join("files/cas")).unwrap().map(|file| file.unwrap());
        let blob = blobs.find(|file| fs::read(file.path()).unwrap() == *cache).unwrap();
        let hex = blob.file_name().into_string().unwrap();
        let hash = |place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
        let hash: Vec<u8> = (0..64).step_by(2).map(hash).collect();
        bytes.windows(32).position(|part| part == hash).unwrap()
    };
    let places: Vec<usize> = first.cache_bytes().iter().take(2).map(place).collect();
    for offset in 0..40 {
        bytes.swap(places[0] + offset, places[1] + offset);
    }
    fs::write(&bundle, bytes).unwrap();
    for compiled in [2, 0] {
        let Some(sandbox) = Sandbox::new("") else { return };
        write_modules(&sandbox);
        let output = sandbox.build(&["--remote-cache", &address]).success();
        assert_eq!(count(&output, " compiled"), compiled, "{}", output.shown());
        assert_eq!(count(&output, " restored"), 100 - compiled, "{}", output.shown());
        assert_eq!(sandbox.cache_bytes(), first.cache_bytes());
    }
}
