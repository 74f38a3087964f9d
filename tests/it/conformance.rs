//! One set of sources through every way there is to compile: identical bytes from all of them. Those through
//! Bazel are in `bazel_remote`, those through the rules of Buck2 in `buck2`; they use the same sources, and
//! compare with the same `build`.

use std::collections::BTreeMap;

use bytekiln::precompile::Precompile;
use bytekiln_test_support::servers::Server;
use serde_json::Value;

use crate::ninja::tool;
use crate::sandbox::Sandbox;
use crate::worker_process::{Protocol, Request, WorkerProcess};

pub(crate) const MANIFEST: &str = "
//- /bytekiln.toml
[workspace]
members = [\"lib\"]
[profile.dev]
optimize = [0]
mode = \"checked-hash\"
[profile.release]
optimize = [2]
mode = \"unchecked-hash\"
layout = \"pycache\"
//- /lib/pyproject.toml
[project]
name = \"lib\"
";

/// Level and mode, and the profile of the manifest that says the same.
pub(crate) const CONFIGURATIONS: [(&str, &str, &str); 2] =
    [("0", "checked-hash", "dev"), ("2", "unchecked-hash", "release")];

/// Sources whose bytes depend on history, on sets, on encodings, on levels.
pub(crate) fn sources() -> Vec<(String, Vec<u8>)> {
    let mut sources: Vec<(String, Vec<u8>)> = vec![
        ("pkg/__init__.py".into(), b"'''doc'''\nfrom .sets import *\n".to_vec()),
        ("pkg/empty.py".into(), Vec::new()),
        ("pkg/sets.py".into(), b"def f(x):\n    'doc'\n    assert x\n    return x in {'b', 'a', 'c', 'aa', 'bb'}\n".to_vec()),
        ("pkg/latin.py".into(), b"# coding: latin-1\nV = '\xe9\xe8'\n".to_vec()),
        ("pkg/bom.py".into(), b"\xef\xbb\xbfV = '\xc3\xa9'\r\nW = 1.5e300 * 10\r\n".to_vec()),
        ("pkg/deep/__init__.py".into(), b"class A:\n    class B:\n        def g(self, *, k=(1, (2, 'three'))): return lambda: (k, -0.0, 0.0, 1j)\n".to_vec()),
    ];
    for number in 0..30 {
        let text = format!(
            "NAME_{number} = ('shared', 'text {}', {number}, frozenset({{'x', 'y'}}))\ndef shared(a, b={number}):\n    return {{a: b, 'shared': NAME_{number}}}\n",
            number % 7
        );
        sources.push((format!("pkg/m{number}.py"), text.into_bytes()));
    }
    sources
}

pub(crate) type Bytes = BTreeMap<String, Vec<u8>>;

/// What is below a tree, by the names in it.
pub(crate) fn tree(sandbox: &Sandbox, folder: &str) -> Bytes {
    let prefix = format!("{folder}/");
    let inside = sandbox.cache_bytes().into_iter();
    inside
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?.to_owned(), bytes)))
        .collect()
}

#[track_caller]
pub(crate) fn same(way: &str, expected: &Bytes, found: &Bytes) {
    let names = |bytes: &Bytes| bytes.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(expected), names(found), "{way}");
    for (name, bytes) in expected {
        assert_eq!(bytes, &found[name], "{way}: {name}");
    }
}

#[test]
fn identical_bytes_from_every_way() {
    let Some(sandbox) = Sandbox::new(MANIFEST) else { return };
    let python = sandbox.beside("bin/python3").display().to_string();
    let sources = sources();
    for (path, content) in &sources {
        sandbox.write(&format!("lib/{path}"), content);
    }
    let who = sandbox.run(&["compile", "--python", &python, "--print-identity"]).success();
    let who: Value = serde_json::from_str(&who.stdout).unwrap();
    let text = |key: &str| who[key].as_str().unwrap().to_owned();
    let servers: Vec<(Server, &str)> = [(Server::nginx(None), "http"), (Server::casd(), "grpc")]
        .into_iter()
        .filter_map(|(server, scheme)| Some((server?, scheme)))
        .collect();
    let server = Server::executor();
    let executor = server.as_ref().map(|server| format!("grpc://{}", server.authority()));
    for (level, mode, profile) in CONFIGURATIONS {
        let options = ["--optimize", level, "--invalidation-mode", mode];
        let build_and_said = |more: &[&str]| {
            let mut arguments = vec!["build", "--python", &python];
            arguments.extend(options);
            arguments.extend(more);
            for path in sandbox.caches().iter().filter(|path| path.starts_with("lib/")) {
                sandbox.remove(path);
            }
            let output = sandbox.run(&arguments).success();
            (tree(&sandbox, "lib"), output.stderr)
        };
        let build = |more: &[&str]| build_and_said(more).0;
        let expected = build(&["--no-cache"]);
        assert_eq!(expected.len(), sources.len());
        same("build, one compiler", &expected, &build(&["--no-cache", "--jobs", "1"]));
        same("build, into the cache", &expected, &build(&[]));
        let cached = build(&[]);
        same("build, from the cache", &expected, &cached);
        for (server, scheme) in &servers {
            let address = format!("{scheme}://{}", server.authority());
            // Two users, each with a cache of their own.
            for (user, from) in
                [("first", " compiled in "), ("second", " from the remote cache in ")]
            {
                let cache = sandbox.beside(&format!("{user}-{scheme}-{level}"));
                let cache = cache.display().to_string();
                let shared = ["--remote-cache", &address, "--cache-dir", &cache];
                let (bytes, said) = build_and_said(&shared);
                assert!(said.contains(&format!("{}{from}", sources.len())), "{said}");
                same(&format!("build, {scheme}, {user}"), &expected, &bytes);
            }
        }

        let empty = || {
            for path in sandbox.caches().iter().filter(|path| path.starts_with("lib/")) {
                sandbox.remove(path);
            }
        };
        empty();
        // As `cargo xtask precompile` of examples/mixed-rust.
        let library = Precompile::in_folder(sandbox.root()).profile(profile);
        let outcome =
            library.python(&python).without_cache().force().plan().unwrap().execute(&|_| {});
        assert_eq!(outcome.unwrap().tally.compiled, sources.len());
        same("xtask", &expected, &tree(&sandbox, "lib"));

        empty();
        let mut plan = vec!["plan", "--format", "ninja", "--python", &python];
        plan.extend(options);
        sandbox.write("build.ninja", sandbox.run(&plan).success().stdout);
        if let Some(output) = tool(&sandbox, "ninja", &[]) {
            output.success();
            same("ninja", &expected, &tree(&sandbox, "lib"));
        }

        if let Some(address) = &executor {
            let (executed, said) = build_and_said(&["--no-cache", "--remote-executor", address]);
            let done = format!("{} compiled by the remote executor", sources.len());
            assert!(said.contains(&done), "{said}");
            same("build, remote-executed", &expected, &executed);
        }

        let entries: Vec<String> =
            sources.iter().map(|(path, _)| format!("lib/{path}=lib/{path}")).collect();
        let common = |folder: &str| {
            let mut arguments = vec!["--python".to_owned(), python.clone(), "--out-dir".to_owned()];
            arguments.push(folder.to_owned());
            arguments.extend(options.map(str::to_owned));
            arguments.extend(["--expect-python".to_owned(), text("python")]);
            arguments.extend(["--expect-compiler".to_owned(), text("compiler")]);
            arguments
        };
        let mut once = vec!["compile".to_owned()];
        once.extend(common("once"));
        once.extend(entries.iter().cloned());
        sandbox.run(&once.iter().map(String::as_str).collect::<Vec<_>>()).success();
        same("compile", &expected, &tree(&sandbox, "once/lib"));

        for protocol in [Protocol::Json, Protocol::Proto] {
            let one_by_one = format!("single{protocol:?}{level}");
            let mut worker = WorkerProcess::start(&sandbox, protocol, &[]);
            // Backwards: what a worker did before must not show.
            for entry in entries.iter().rev() {
                let mut arguments = common(&one_by_one);
                arguments.push(entry.clone());
                let response = worker.ask(&Request { arguments, ..Request::default() });
                assert_eq!((response.exit_code, response.output.as_str()), (0, ""));
            }
            same(&one_by_one, &expected, &tree(&sandbox, &format!("{one_by_one}/lib")));

            let multiplex = format!("multiplex{protocol:?}{level}");
            for (id, entry) in (1..).zip(&entries) {
                let mut arguments = common(&multiplex);
                arguments.push(entry.clone());
                assert!(worker.send(&Request { id, arguments, ..Request::default() }));
            }
            for _ in &entries {
                let response = worker.receive().unwrap();
                assert_eq!((response.exit_code, response.output.as_str()), (0, ""));
            }
            same(&multiplex, &expected, &tree(&sandbox, &format!("{multiplex}/lib")));
            assert_eq!(worker.finish().0.code(), Some(0));
        }
        std::fs::remove_dir_all(sandbox.path("once")).unwrap();
    }
}
