//! The rules of `integrations/bazel` with a cache and an executor on another machine, and the sources of
//! the conformance test through every way that Bazel has.

use std::collections::BTreeMap;
use std::fs;

use bytekiln_test_support::pythons;

use crate::bazel_workspace::Bazel;
use crate::conformance::{Bytes, CONFIGURATIONS, MANIFEST, same, sources};
use crate::reapi::Reapi;
use crate::sandbox::full_size;

/// What `bytekiln build` writes for what lies in a folder of the workspace; it is removed again.
fn build(bazel: &Bazel, member: &str, level: &str, mode: &str) -> Bytes {
    let sandbox = &bazel.sandbox;
    let folder = bazel.path("").display().to_string();
    let python = bazel.python();
    sandbox
        .run(&[
            "-C",
            &folder,
            "build",
            "--no-cache",
            "--python",
            &python,
            "--optimize",
            level,
            "--invalidation-mode",
            mode,
        ])
        .success();
    let below = format!("own/main/{member}/");
    let mut bytes = Bytes::new();
    for (path, content) in sandbox.cache_bytes() {
        if path.starts_with(&below) {
            sandbox.remove(&path);
            bytes.insert(path["own/main/".len()..].to_owned(), content);
        }
    }
    bytes
}

/// A kind of process, and how many of it.
type Count<'a> = (&'a str, usize);

/// Expects how many processes of a kind there were.
#[track_caller]
fn ran(way: &str, counts: &BTreeMap<String, usize>, expected: &[Count<'_>]) {
    for kind in ["worker", "remote", "remote cache hit", "linux-sandbox", "processwrapper-sandbox"]
    {
        let wanted = expected.iter().find(|(name, _)| *name == kind).map_or(0, |(_, count)| *count);
        let seen = counts.get(kind).copied().unwrap_or(0);
        assert_eq!(seen, wanted, "{way}: {kind} in {counts:?}");
    }
}

const WAYS: &str = r#"
py_library(
    name = "lib",
    srcs = glob(["lib/**/*.py"]),
)

py_precompile(
    name = "lib_pyc",
    invalidation_mode = "checked-hash",
    deps = [":lib"],
)

py_precompiled_layer(
    name = "layer",
    invalidation_mode = "checked-hash",
    deps = [":lib"],
)

py_precompile(
    name = "lib_pyc_o2",
    srcs = glob(["lib/**/*.py"]),
    grain = "library",
    invalidation_mode = "unchecked-hash",
    optimize = "2",
)
"#;

#[test]
fn identical_bytes_from_workers_sandboxes_and_executors() {
    let Some(reapi) = Reapi::start(None) else { return };
    let Some(mut bazel) = Bazel::workspace(WAYS) else { return };
    for file in bytekiln_test_support::fixture::parse(MANIFEST) {
        bazel.write(&file.path, file.content);
    }
    let sources = sources();
    for (path, content) in &sources {
        bazel.write(&format!("lib/{path}"), content);
    }
    let mut expected = Bytes::new();
    for (level, mode, _) in CONFIGURATIONS {
        expected.extend(build(&bazel, "lib", level, mode));
    }
    assert_eq!(expected.len(), 2 * sources.len());

    // One for each file, one for all of them, and the layer, which is no work for workers.
    let compiled = sources.len() + 1;
    let actions = compiled + 1;
    let address = format!("--remote_executor={}", reapi.address());
    // Who compiles is asked here, and nowhere else.
    let elsewhere =
        [address.as_str(), "--spawn_strategy=remote", "--strategy=BytekilnIdentity=sandboxed"];
    let ways: [(&str, &[&str], &[Count<'_>]); 3] = [
        ("Bazel, workers", &[], &[("worker", compiled), ("linux-sandbox", 2)]),
        (
            "Bazel, linux-sandbox",
            &["--strategy=BytekilnCompile=linux-sandbox"],
            &[("linux-sandbox", actions + 1)],
        ),
        ("Bazel, remote execution", &elsewhere, &[("remote", actions), ("linux-sandbox", 1)]),
    ];
    let mut layer = None;
    for (way, options, counts) in ways {
        bazel.clean();
        let mut all = vec!["//:all"];
        all.extend_from_slice(options);
        ran(way, &bazel.build(&all), counts);
        same(way, &expected, &bazel.caches());
        let made = bazel.built("layer.tar.gz");
        assert!(made == *layer.get_or_insert_with(|| made.clone()), "{way}: another layer");
    }

    // What was executed is cached there.
    bazel.clean();
    let mut all = vec!["//:all"];
    all.extend_from_slice(&elsewhere);
    let counts = bazel.build(&all);
    ran("executed before", &counts, &[("remote cache hit", actions), ("linux-sandbox", 1)]);
    same("executed before", &expected, &bazel.caches());

    // An interpreter that is part of the build: nothing at all is done here.
    write_interpreter(&bazel);
    bazel.clean();
    let inside = [
        "//:lib_pyc",
        "//:lib_pyc_o2",
        "//:layer",
        "--extra_toolchains=//inside:bytekiln",
        address.as_str(),
        "--spawn_strategy=remote",
    ];
    // And who compiles, which is asked there. The layer is of the same bytes as before.
    let counts = [("remote", compiled + 1), ("remote cache hit", 1)];
    ran("an interpreter of the build", &bazel.build(&inside), &counts);
    same("an interpreter of the build", &expected, &bazel.caches());
    bazel.clean();
    let hits = [("remote cache hit", actions + 1)];
    ran("an interpreter of the build, again", &bazel.build(&inside), &hits);

    bazel.edit("lib/pkg/sets.py", "assert x", "assert x, 'why'");
    all[0] = "//:lib_pyc";
    let counts = [("remote", 1), ("remote cache hit", sources.len() - 1), ("linux-sandbox", 1)];
    ran("an edit", &bazel.build(&all), &counts);

    another_interpreter_is_refused(&mut bazel);
}

/// A package `inside` with an interpreter.
fn write_interpreter(bazel: &Bazel) {
    bazel.sandbox.copy_interpreter(&bazel.path("inside"));
    let version = bazel.sandbox.interpreter().name();
    bazel.write(
        "inside/BUILD.bazel",
        format!(
            "load(\"@bytekiln//:defs.bzl\", \"bytekiln_toolchain\")\n\
             bytekiln_toolchain(\n    name = \"bytekiln\",\n    bytekiln = \"//:tools/bytekiln\",\n    \
             python = \"bin/python3\",\n    python_files = glob([\"lib/**\"]),\n    \
             python_version = \"{version}\",\n)\n"
        ),
    );
}

/// An executor where the interpreter's path leads to another one would write bytecode that nobody can load.
fn another_interpreter_is_refused(bazel: &mut Bazel) {
    let here = bazel.sandbox.interpreter().clone();
    let Some(other) = pythons::all().iter().find(|other| other.version != here.version) else {
        return pythons::skip("needs two interpreters");
    };
    let place = fs::canonicalize(&here.path).unwrap();
    let other_place = fs::canonicalize(&other.path).unwrap();
    let Some(reapi) = Reapi::start(Some((&place, &other_place))) else { return };
    let address = format!("--remote_executor={}", reapi.address());
    bazel.clean();
    let arguments = [
        "//:lib_pyc_o2",
        &address,
        "--spawn_strategy=remote",
        "--strategy=BytekilnIdentity=sandboxed",
    ];
    let output = bazel.try_build(&arguments).code(1);
    let found = format!("is CPython {}.", other.name());
    output.says(&["BytekilnCompile", "(Exit 3)", &found, "was expected"]);
    assert!(bazel.caches().is_empty());
}

const LIBRARY: &str = r#"
py_library(
    name = "library",
    srcs = glob(["library/**/*.py"]),
)

py_precompile(
    name = "library_pyc",
    deps = [":library"],
)

py_precompiled_zip(
    name = "zip",
    deps = [":library"],
)

py_precompiled_layer(
    name = "layer",
    deps = [":library"],
)
"#;

/// 1,000 files at full size.
#[test]
fn a_library_is_compiled_once_for_all_who_share_a_cache() {
    let Some(reapi) = Reapi::start(None) else { return };
    let Some(mut bazel) = Bazel::workspace(LIBRARY) else { return };
    let count = if full_size() { 1000 } else { 60 };
    for number in 0..count {
        let name = format!("library/part{}/module{number}.py", number % 7);
        bazel.write(&name, format!("def f{number}(x):\n    return {{x, {number}, 'text'}}\n"));
    }
    bazel.write("bytekiln.toml", "[workspace]\nmembers = [\"library\"]\n");
    let expected = build(&bazel, "library", "0", "checked-hash");
    assert_eq!(expected.len(), count);

    let cache = format!("--remote_cache={}", reapi.address());
    // Not `//...`: the links of one output base are folders to the other.
    let groups = "--output_groups=+digest,+diff_id";
    let everything = ["//:all", groups, &cache];
    let archives = 2;
    let counts = bazel.build(&everything);
    // Who compiles and the archives are no work for workers.
    ran("cold", &counts, &[("worker", count), ("linux-sandbox", 1 + archives)]);
    same("cold", &expected, &bazel.caches());
    let made = |bazel: &Bazel| {
        ["zip.zip", "layer.tar.gz", "layer.digest", "layer.diffid"].map(|name| bazel.built(name))
    };
    let archived = made(&bazel);

    // Only who compiles is asked again: that is neither cached nor taken from a cache.
    let hits = [("remote cache hit", count + archives), ("linux-sandbox", 1)];
    bazel.clean();
    ran("cleaned", &bazel.build(&everything), &hits);
    same("cleaned", &expected, &bazel.caches());

    // Another checkout's output base: the same bytes without the cache, and all of them from it.
    bazel.use_base("second");
    let counts = bazel.build(&["//:all", groups]);
    ran("elsewhere", &counts, &[("worker", count), ("linux-sandbox", 1 + archives)]);
    same("elsewhere", &expected, &bazel.caches());
    assert!(made(&bazel) == archived, "archives differ between output bases");
    bazel.clean();
    ran("elsewhere, cleaned", &bazel.build(&everything), &hits);
    same("elsewhere, cleaned", &expected, &bazel.caches());
    assert!(made(&bazel) == archived);

    // One file is edited: one is compiled.
    bazel.edit("library/part3/module3.py", "text", "other text");
    let counts = bazel.build(&["//:library_pyc", &cache]);
    ran("an edit", &counts, &[("worker", 1)]);
    let differ =
        bazel.caches().into_iter().filter(|(name, bytes)| expected.get(name) != Some(bytes));
    let tag = bazel.sandbox.tag();
    let names: Vec<String> = differ.map(|(name, _)| name).collect();
    assert_eq!(names, [format!("library/part3/__pycache__/module3.{tag}.pyc")]);
}
