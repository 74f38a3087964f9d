//! What `pack` made, given to those that are to use it: CPython, umoci and skopeo, the finder of blobs, and
//! our own `verify` and `doctor`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytekiln_test_support::pythons::{self, Python};

use crate::pack::SHOP;
use crate::sandbox::{Output, Sandbox, finish};

/// What the shop says.
const SAYS: &str = "total 3 a ['x']\n";

/// Imports of the shop, all of them in it.
const IMPORTS: &str = "import money, shop, shop.names, shop.late, shop.cli";

/// A tool of `PATH`, or nothing after it was said that it is missing.
pub(crate) fn tool_or_skip(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        pythons::skip(&format!("needs {name}"));
    }
    found
}

/// Every interpreter that is there, at least one.
fn each_interpreter(test: impl Fn(&Python)) {
    let _ = pythons::any_or_skip();
    for python in pythons::all() {
        test(python);
    }
}

impl Sandbox {
    /// Runs the interpreter outside of the workspace, as a program would be: caches may be written, and
    /// nothing else is imported.
    fn outside(&self, environment: &[(&str, &Path)], arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.interpreter().path);
        command.current_dir("/").env_clear().env("LC_ALL", "C.UTF-8").args(arguments);
        command.envs(environment.iter().copied());
        finish(&mut command)
    }
}

impl Output {
    /// Modules of a folder whose caches CPython matched, as `-v` says; it wrote none.
    #[track_caller]
    fn matched(&self, folder: &Path) -> Vec<String> {
        let inside = folder.to_string_lossy().into_owned() + "/";
        assert!(!self.stderr.contains("# wrote"), "{}", self.shown());
        assert!(!self.stderr.contains("could not create"), "{}", self.shown());
        let lines = self.stderr.lines().filter(|line| line.contains(" matches "));
        let mut found: Vec<String> =
            lines.filter_map(|line| Some(line.split_once(&inside)?.1.to_owned())).collect();
        found.iter_mut().for_each(|line| *line = line.split(' ').next().unwrap().to_owned());
        found.sort();
        found
    }
}

fn read_only(folder: &Path, mode: &str) {
    finish(Command::new("chmod").args(["-R", mode]).arg(folder)).success();
}

fn check_tree(python: &Python) {
    let sandbox = Sandbox::with_python(SHOP, python);
    sandbox.pack_kind("tree", &["optimize=[0, 1]"], &[]).success();
    let tree = sandbox.path("dist/tree");
    read_only(&tree, "a-w");
    let before = sandbox.listed(&["dist"]);
    for options in [&["-v"][..], &["-v", "-O"]] {
        let mut arguments = options.to_vec();
        arguments.extend(["-c", IMPORTS]);
        let output = sandbox.outside(&[("PYTHONPATH", &tree)], &arguments).success();
        assert_eq!(output.matched(&tree).len(), 5, "{}", output.shown());
    }
    assert_eq!(sandbox.listed(&["dist"]), before);
    read_only(&tree, "u+w");
    // Unchecked caches: as if the source were not there.
    sandbox.write("dist/tree/shop/names.py", "FIRST = 'changed'\n");
    let run = ["-c", "from shop.cli import main; main()", "x"];
    assert_eq!(sandbox.outside(&[("PYTHONPATH", &tree)], &run).success().stdout, SAYS);
}

#[test]
fn every_cpython_loads_a_tree() {
    each_interpreter(check_tree);
}

fn check_zips(python: &Python) {
    let sandbox = Sandbox::with_python(SHOP, python);
    for (kind, keys) in [
        ("zip", &[][..]),
        ("zip", &["compression=none"]),
        ("zip", &["sourceless=true", "optimize=2"]),
        ("zipapp", &["main=shop.cli:main"]),
        ("zipapp", &["main=shop.cli:main", "sourceless=true"]),
        ("zipapp", &["main=shop.cli:main", "compression=none", "bytecode=false"]),
    ] {
        sandbox.pack_kind(kind, keys, &["--out", "made"]).success();
        let made = sandbox.path("made");
        let made_name = made.to_string_lossy();
        if kind == "zipapp" {
            let output = sandbox.outside(&[], &[&made_name, "x"]).success();
            assert_eq!(output.stdout, SAYS, "{keys:?}");
        }
        let code =
            "from shop.cli import main; main(); import shop.names; print(shop.names.__file__)";
        let options: &[&str] = if keys.contains(&"optimize=2") { &["-OO"] } else { &[] };
        let arguments = [options, &["-c", code, "x"]].concat();
        let output = sandbox.outside(&[("PYTHONPATH", &made)], &arguments).success();
        let suffix = if keys.contains(&"bytecode=false") { "py" } else { "pyc" };
        assert_eq!(output.stdout, format!("{SAYS}{made_name}/shop/names.{suffix}\n"), "{keys:?}");
    }
}

#[test]
fn every_cpython_runs_a_zip() {
    each_interpreter(check_zips);
}

#[test]
fn a_program_starts_by_itself() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let shebang = format!("shebang={}", sandbox.interpreter().path.display());
    sandbox.pack_kind("zipapp", &["main=shop.cli:main", &shebang], &[]).success();
    let output = finish(Command::new(sandbox.path("dist/zipapp.pyz")).arg("x").current_dir("/"));
    assert_eq!(output.success().stdout, SAYS);
    // Without one, whatever `python3` is.
    sandbox.pack_kind("zipapp", &["main=shop.cli:main"], &[]).success();
    assert!(sandbox.read("dist/zipapp.pyz").starts_with(b"#!/usr/bin/env python3\nPK\x03\x04"));
    // Its exit status is the function's.
    sandbox.write(
        "apps/shop/src/shop/fail.py",
        "class Fail:\n    @staticmethod\n    def run(): return 7\n",
    );
    sandbox.pack_kind("zipapp", &["main=shop.fail:Fail.run"], &["--out", "fail.pyz"]).success();
    let fail = sandbox.path("fail.pyz");
    sandbox.outside(&[], &[&fail.to_string_lossy()]).code(7);
}

#[test]
fn a_main_of_ones_own() {
    let Some(sandbox) = Sandbox::new("//- /__main__.py\nprint('own', __name__)\n//- /x.py\n")
    else {
        return;
    };
    sandbox.pack_kind("zipapp", &[], &[]).success();
    let made = sandbox.path("dist/zipapp.pyz");
    let output = sandbox.outside(&[], &[&made.to_string_lossy()]).success();
    assert_eq!(output.stdout, "own __main__\n");
}

#[test]
fn trees_without_sources_run() {
    each_interpreter(|python| {
        let sandbox = Sandbox::with_python(SHOP, python);
        sandbox.pack_kind("tree", &["sourceless=true"], &[]).success();
        let tree = sandbox.path("dist/tree");
        assert!(!sandbox.listed(&["dist"]).contains("cli.py "));
        let run = ["-c", "from shop.cli import main; main()", "x"];
        let output = sandbox.outside(&[("PYTHONPATH", &tree)], &run).success();
        assert_eq!(output.stdout, SAYS);
    });
}

#[test]
fn a_prefix_is_found_where_the_tree_will_lie() {
    each_interpreter(|python| {
        let sandbox = Sandbox::with_python(SHOP, python);
        let deployed = sandbox.beside("srv/shop");
        let root = format!("deploy-root={}", deployed.display());
        let keys = ["layout=prefix", &root, "prefix=var/cache", "root=app"];
        sandbox.pack_kind("tree", &keys, &[]).success();
        fs::create_dir(sandbox.beside("srv")).unwrap();
        fs::rename(sandbox.path("dist/tree"), &deployed).unwrap();
        read_only(&deployed, "a-w");
        let (app, cache) = (deployed.join("app"), deployed.join("var/cache"));
        let output = sandbox.outside(
            &[("PYTHONPATH", &app), ("PYTHONPYCACHEPREFIX", &cache)],
            &["-v", "-c", IMPORTS],
        );
        let output = output.success();
        assert_eq!(output.matched(&app).len(), 5, "{}", output.shown());
        read_only(&deployed, "u+w");
    });
}

#[test]
fn each_member_in_its_own_folder() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let keys = ["arrangement=workspace", "dependencies=deps", "root=srv"];
    sandbox.pack_kind("tree", &keys, &[]).success();
    let tree = sandbox.path("dist/tree/srv");
    let path = ["apps/shop/src", "libs/money/src", "site-packages"]
        .map(|folder| tree.join(folder).to_string_lossy().into_owned());
    let code = format!("{IMPORTS}, lib");
    let joined = PathBuf::from(path.join(":"));
    let output = sandbox.outside(&[("PYTHONPATH", &joined)], &["-v", "-c", &code]).success();
    assert_eq!(output.matched(&tree).len(), 6, "{}", output.shown());
}

#[test]
fn what_a_package_loads_by_name_is_compiled() {
    let fixture = "
        //- /app/__init__.py
        //- /app/migrations/__init__.py
        //- /app/migrations/0001_initial.py
        X = 1
        //- /0002_alone.py
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    let code = "import importlib, app; \
                print(importlib.import_module('app.migrations.0001_initial').X)";
    for kind in ["tree", "zip"] {
        let output = sandbox.pack_kind(kind, &[], &["--out", kind, "--format", "json"]).success();
        assert_eq!(output.packed()["artifacts"][0]["files"]["caches"], 3);
        let made = sandbox.path(kind);
        let output = sandbox.outside(&[("PYTHONPATH", &made)], &["-v", "-c", code]).success();
        assert_eq!(output.stdout, "1\n");
        if kind == "tree" {
            assert_eq!(output.matched(&made).len(), 3, "{}", output.shown());
        }
    }
}

#[test]
fn a_budget_buys_the_dearest_modules() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let packed = |keys: &[&str]| {
        let mut all = vec!["entry=shop.cli"];
        all.extend_from_slice(keys);
        let output = sandbox.pack_kind("tree", &all, &["--format", "json"]).success();
        output.packed()["artifacts"][0].clone()
    };
    let all = packed(&["imports=eager"]);
    assert_eq!(all["files"]["caches"], 4, "the closure, without what is imported late");
    assert_eq!(packed(&[])["files"]["caches"], 5);
    assert_eq!(all["files"]["sources"], 7, "sources stay");
    let bytes = all["files"]["cache_bytes"].as_u64().unwrap();
    let some = packed(&[&format!("budget={}", bytes - 1)]);
    let selection = &some["selection"];
    assert_eq!(selection["of_modules"], 4);
    assert_eq!(selection["modules"], some["files"]["caches"]);
    assert_eq!(selection["of_bytes"], bytes);
    assert_eq!(selection["bytes"], some["files"]["cache_bytes"]);
    assert!(selection["bytes"].as_u64().unwrap() < bytes);
    assert!(selection["cost"].as_u64().unwrap() < selection["of_cost"].as_u64().unwrap());
    let none = packed(&["budget=0"]);
    assert_eq!(none["files"]["caches"], 0);
    let only = packed(&["reachable-only=true"]);
    assert_eq!(only["files"]["sources"], 5);
    assert!(!sandbox.path("dist/tree/shop/never.py").exists());
    let output = sandbox.outside(
        &[("PYTHONPATH", &sandbox.path("dist/tree"))],
        &["-c", "from shop.cli import main; main()", "x"],
    );
    assert_eq!(output.success().stdout, SAYS);
}

#[test]
fn our_own_commands_agree() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    sandbox.pack_kind("tree", &["dependencies=deps"], &[]).success();
    sandbox.pack_kind("zip", &["dependencies=deps"], &[]).success();
    sandbox.pack_kind("layer", &["dependencies=deps"], &[]).success();
    sandbox.pack_kind("tree", &["sourceless=true"], &["--out", "dist/bare"]).success();
    let layer = fs::read_dir(sandbox.path("dist/layer/blobs/sha256")).unwrap().flatten();
    let layer = layer.max_by_key(|entry| entry.metadata().unwrap().len()).unwrap().path();
    for path in ["dist/tree", "dist/zip.zip", &*layer.to_string_lossy()] {
        let output = sandbox.run(&["verify", "--format", "json", path]).success();
        let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(report["proved"], 7, "{}", output.shown());
        sandbox.run(&["doctor", path]).success();
    }
    sandbox.run(&["doctor", "dist/bare"]).success();
}

#[test]
fn real_tools_unpack_a_layer_to_the_tree() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let (Some(umoci), Some(skopeo)) = (tool_or_skip("umoci"), tool_or_skip("skopeo")) else {
        return;
    };
    let common = ["dependencies=deps", "optimize=[0, 2]"];
    sandbox.pack_kind("tree", &common, &["--out", "tree/shop"]).success();
    let expected = sandbox.listed(&["tree/shop"]);
    for compression in ["gzip", "zstd", "none"] {
        let compression = format!("compression={compression}");
        let keys = [&common[..], &["root=srv/shop", "tag=v1", &compression]].concat();
        let output = sandbox.pack_kind("layer", &keys, &["--out", "image"]).success();
        let output_layer = output.stderr.lines().find(|line| line.contains("layer     sha256:"));
        let layer = output_layer.unwrap().rsplit(':').next().unwrap().to_owned();
        assert!(sandbox.path("image/blobs/sha256").join(&layer).is_file());
        if compression.ends_with("zstd") {
            // Not every umoci reads it; skopeo does.
            let mut copy = Command::new(&skopeo);
            copy.current_dir(sandbox.root()).args(["copy", "--quiet", "--insecure-policy"]);
            copy.args(["--dest-decompress", "oci:image:v1", "dir:plain"]);
            finish(&mut copy).success();
            let unpack = "import os, sys, tarfile; os.chdir('plain')\n\
                          name = max(os.listdir('.'), key=os.path.getsize)\n\
                          tarfile.open(name, 'r:').extractall('../unpacked')";
            sandbox.python(&["-c", unpack]).success();
        } else {
            let mut unpack = Command::new(&umoci);
            unpack.current_dir(sandbox.root()).args(["raw", "unpack", "--rootless"]);
            finish(unpack.args(["--image", "image:v1", "unpacked"])).success();
        }
        assert_eq!(sandbox.listed(&["unpacked/srv/shop"]), expected, "{compression}");
        fs::remove_dir_all(sandbox.path("unpacked")).unwrap();
        let mut inspect = Command::new(&skopeo);
        inspect.current_dir(sandbox.root()).args(["inspect", "--raw", "oci:image:v1"]);
        let raw = finish(&mut inspect).success().stdout;
        let manifest: serde_json::Value = serde_json::from_str(&raw).unwrap();
        assert_eq!(manifest["layers"][0]["digest"], format!("sha256:{layer}"));
    }
}

#[test]
fn a_blob_is_imported_from() {
    let finder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/blob/finder");
    each_interpreter(|python| {
        let sandbox = Sandbox::with_python(SHOP, python);
        let keys = ["dependencies=deps", "embed-source=true"];
        sandbox.pack_kind("rust-blob", &keys, &[]).success();
        let code = "
import sys, bytekiln_blob
bytekiln_blob.install(sys.argv.pop(1))
from shop.cli import main
main()
import inspect, lib, pkgutil, shop.names
assert 'def unused' in inspect.getsource(shop.names.unused)
assert pkgutil.get_data('shop', 'data/greeting.txt') == b'hello\\n'
assert 'shop.never' in [one.name for one in pkgutil.iter_modules(shop.__path__, 'shop.')]
";
        let blob = sandbox.path("dist/rust-blob.pyblob");
        let output = sandbox
            .outside(&[("PYTHONPATH", &finder)], &["-B", "-c", code, &blob.to_string_lossy(), "x"]);
        assert_eq!(output.success().stdout, SAYS);
    });
}

#[test]
fn one_package_of_two_members_is_one_package_everywhere() {
    let fixture = "
        //- /a/pyproject.toml
        //- /a/src/ns/__init__.py
        //- /a/src/ns/one.py
        x = 1
        //- /b/pyproject.toml
        //- /b/src/ns/__init__.py
        //- /b/src/ns/two.py
        x = 2
        //- /bytekiln.toml
        workspace.members = ['a', 'b']
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    for kind in ["tree", "zip", "layer", "rust-blob"] {
        let output = sandbox.pack_kind(kind, &[], &["--format", "json"]).success();
        // A blob brings the module that imports from it.
        let expected = if kind == "rust-blob" { 4 } else { 3 };
        assert_eq!(output.packed()["artifacts"][0]["files"]["caches"], expected, "{kind}");
    }
    sandbox.write("b/src/ns/__init__.py", "other = 1\n");
    for kind in ["tree", "zip", "layer", "rust-blob"] {
        sandbox
            .pack_kind(kind, &[], &["--out", "clash"])
            .refused(1, &["a/src/ns/__init__.py", "b/src/ns/__init__.py", "= help: leave one out"]);
        assert!(!sandbox.path("clash").exists());
    }
}
