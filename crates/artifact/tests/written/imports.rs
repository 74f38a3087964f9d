//! Every CPython imports from the zips that are written, as they are, and runs them; `unzip` finds
//! no fault with them.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use bytekiln_artifact::{
    Item, Links, PendingFile, ZipCompression, ZipFolders, ZipOptions, lay_out, write_zip,
};
use bytekiln_test_support::pythons::{self, Python};

use crate::contents::{file, zip_options};

fn items() -> Vec<Item> {
    // Larger than a block of deflate, so that its header is mended and its blocks are joined.
    let table = crate::contents::noise(1 << 20);
    let table = format!("TABLE = '{}'\n", String::from_utf8(table).unwrap());
    vec![
        file("__main__.py", b"import pkg.a, sys\nprint('ran', pkg.a.NAME, sys.argv[1:])\n"),
        file("pkg/__init__.py", b""),
        file("pkg/a.py", b"NAME = 'a'\n"),
        file("pkg/data.txt", b"data"),
        file("table.py", table.as_bytes()),
        file("caf\u{e9}.py", b"NAME = 'coffee'\n"),
        file("space/inner/mod.py", b"NAME = 'namespace'\n"),
    ]
}

const PROGRAM: &str = r#"
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
def name(module):
    try:
        return importlib.import_module(module).NAME
    except ImportError as error:
        return type(error).__name__
import pkg.a, table
assert type(pkg.__loader__).__name__ == "zipimporter", pkg.__loader__
assert len(table.TABLE) == 1 << 20
assert pkgutil.get_data("pkg", "data.txt") == b"data"
print(pkg.a.NAME, name("caf\u00e9"), name("space.inner.mod"))
"#;

fn run(python: &Python, arguments: &[&str], zip: &Path) -> String {
    let mut command = Command::new(&python.path);
    let output = command.arg("-I").args(arguments).arg(zip).arg("argument").output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{}: {error}", python.name());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn write(path: &Path, options: &ZipOptions) {
    let entries = lay_out(items(), Links::Relative).unwrap();
    let pending = PendingFile::create(path).unwrap();
    write_zip(pending.output(), &entries, options).unwrap();
    pending.make_executable().unwrap();
    pending.publish().unwrap();
}

/// Compression, bytes before, folders; all that a zip may be.
fn variants() -> Vec<(&'static str, ZipOptions)> {
    let preamble = Some(b"#!/usr/bin/env python3\n".to_vec());
    let stored = ZipOptions { compression: ZipCompression::Stored, ..zip_options() };
    vec![
        ("deflated", zip_options()),
        ("deflated, with a first line", ZipOptions { preamble: preamble.clone(), ..zip_options() }),
        ("stored, with a first line", ZipOptions { preamble, ..stored.clone() }),
        ("stored, no folders", ZipOptions { folders: ZipFolders::Empty, ..stored }),
    ]
}

#[test]
fn every_python_imports_and_runs() {
    if pythons::all().is_empty() {
        return pythons::skip("needs a CPython");
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in variants() {
        let path = folder.path().join("app.pyz");
        write(&path, &options);
        for python in pythons::all() {
            let told = run(python, &["-c", PROGRAM], &path);
            // What folders have entries for: older ones see no package in a folder without.
            let sees_all = options.folders == ZipFolders::All || python.version >= (3, 14);
            let namespace = if sees_all { "namespace" } else { "ModuleNotFoundError" };
            assert_eq!(told, format!("a coffee {namespace}"), "{name}, {}", python.name());
            assert_eq!(run(python, &[], &path), "ran a ['argument']", "{name}, {}", python.name());
        }
    }
}

#[test]
fn unzip_finds_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in variants() {
        let path = folder.path().join("app.pyz");
        write(&path, &options);
        match Command::new("unzip").arg("-tq").arg(&path).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return pythons::skip("needs `unzip`");
            }
            output => {
                let output = output.unwrap();
                let told = String::from_utf8_lossy(&output.stdout);
                let faults = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && faults.is_empty(), "{name}: {told}{faults}");
            }
        }
    }
}
