//! `importtime` of programs in zips, and of trees and zips that it makes of programs: every release, held
//! against what the interpreter says.

use bytekiln_test_support::pythons;
use serde_json::{Value, json};

use crate::importtime::{import, measured_runs};
use crate::sandbox::{Output, Sandbox};

/// One run in each of some ways.
fn in_ways(sandbox: &Sandbox, ways: &str, program: &[&str]) -> (Output, Value) {
    measured_runs(sandbox, "1", &[&["--variant", ways], program].concat())
}

/// `doctor` and the interpreter agree about everything.
#[track_caller]
fn agreed(document: &Value, name: &str) {
    for way in document["variants"].as_array().unwrap() {
        assert_eq!(way["doctor"]["differ"], json!([]), "{name}: {way:#}");
        assert!(way["doctor"]["agree"].as_u64().unwrap() > 4, "{name}: {way:#}");
    }
}

/// Modules of a zip, each with another cache or none: valid, of another source by hash or by time, none,
/// and nothing but one.
const ZIPPED: &str = "
//- /source/__main__.py
import package.cached
import package.hashed
import timed
import plain
import lonely
//- /source/package/__init__.py
//- /source/package/cached.py
//- /source/package/hashed.py
//- /source/timed.py
//- /source/plain.py
//- /source/lonely.py
//- /make.py
import os, py_compile, zipfile
Mode = py_compile.PycInvalidationMode
modes = {'cached': Mode.UNCHECKED_HASH, 'hashed': Mode.CHECKED_HASH, 'timed': Mode.TIMESTAMP,
         'lonely': Mode.UNCHECKED_HASH}
with zipfile.ZipFile('app.pyz', 'w') as archive:
    for folder, _, names in os.walk('source'):
        for name in names:
            path = os.path.join(folder, name)
            inside = os.path.relpath(path, 'source')
            stem = name[:-3]
            if stem in modes:
                py_compile.compile(path, 'out.pyc', invalidation_mode=modes[stem], doraise=True)
                archive.write('out.pyc', inside + 'c')
            if stem in ('hashed', 'timed'):
                with open(path, 'a') as file:
                    file.write('changed = True')
            if stem != 'lonely':
                archive.write(path, inside)
";

#[test]
fn modules_in_zips_of_every_release() {
    for python in pythons::all() {
        let sandbox = Sandbox::with_python(ZIPPED, python);
        sandbox.python(&["make.py"]).success();
        let name = python.name();
        let ways = "as-is,tree-unchecked,zip-none,zip-checked";
        let (output, document) = in_ways(&sandbox, ways, &["app.pyz"]);
        let output = output.success();
        assert!(!output.stderr.contains("warning"), "{name}: {}", output.shown());
        for (module, as_it_is) in [
            ("package", "compiled"),
            ("package.cached", "cache"),
            ("package.hashed", "stale"),
            ("timed", "stale"),
            ("plain", "compiled"),
        ] {
            let expected = json!([as_it_is, "cache", "compiled", "cache"]);
            let found = import(&document, module);
            assert_eq!(found["origins"], expected, "{name}: {found:#}");
            assert!(found["file"].as_str().unwrap().contains("/app.pyz/"), "{name}: {found:#}");
        }
        // It has no source that could be compiled: in all ways it is what it was.
        assert_eq!(import(&document, "lonely")["origins"], json!(vec!["cache"; 4]), "{name}");
        let zipped = |way: usize| document["variants"][way]["zipped"].as_u64().unwrap();
        // What `site` loads from its own packages may come along.
        assert_eq!((zipped(0), zipped(1)), (6, 0), "{name}");
        assert!(zipped(2) >= 6 && zipped(2) == zipped(3), "{name}");
        // Statements are read in zips too.
        let place = &import(&document, "timed")["places"][0];
        assert_eq!((&place["importer"], &place["line"]), (&json!("__main__"), &json!(3)), "{name}");
        agreed(&document, &name);
    }
}

/// A program of folders, which reads a file beside a module of no package.
const PROGRAM: &str = "
//- /run.py
import helper
import shop.main
//- /helper.py
//- /data.txt
hello
//- /shop/__init__.py
//- /shop/main.py
from portions.first import one
//- /portions/first/__init__.py
one = 1
//- /reads.py
import pathlib, helper
print((pathlib.Path(helper.__file__).parent / 'data.txt').read_text())
";

const PLACES: &str = "none,tree-checked,tree-unchecked,zip-none,zip-checked,zip-unchecked";

#[test]
fn programs_in_trees_and_zips() {
    for python in pythons::all().iter().filter(|python| python.version >= (3, 11)) {
        let sandbox = Sandbox::with_python(PROGRAM, python);
        let name = python.name();
        for program in [&["run.py"] as &[&str], &["-m", "run"], &["-c", "import helper, shop.main"]]
        {
            let (output, document) = in_ways(&sandbox, PLACES, program);
            let output = output.success();
            assert!(!output.stderr.contains("warning"), "{name}: {}", output.shown());
            for module in ["helper", "shop", "shop.main", "portions.first"] {
                let expected = ["compiled", "cache", "cache", "compiled", "cache", "cache"];
                let found = import(&document, module);
                assert_eq!(found["origins"], json!(expected), "{name} {program:?} {found:#}");
                // Not where it was while it was measured.
                let file = found["file"].as_str().unwrap();
                assert!(!file.contains("bytekiln-importtime"), "{name}: {file}");
            }
            for way in document["variants"].as_array().unwrap() {
                let is_zip = way["id"].as_str().unwrap().starts_with("zip");
                let zipped = way["zipped"].as_u64().unwrap();
                assert_eq!(zipped >= 4, is_zip, "{name}: {way:#}");
                assert!(is_zip || zipped == 0, "{name}: {way:#}");
                let compiled = way["id"].as_str().unwrap().ends_with("none");
                assert_eq!(way["origins"]["compiled"].is_null(), !compiled, "{name}: {way:#}");
            }
            agreed(&document, &name);
        }
        assert_eq!(sandbox.caches(), [""; 0], "nothing is written beside the sources");
    }
}

/// A tree has what lies beside a module; a zip has no files for `open`, and then there is nothing to measure.
#[test]
fn programs_that_zips_do_not_bear() {
    let Some(sandbox) = Sandbox::new(PROGRAM) else { return };
    let (output, document) = in_ways(&sandbox, "none,tree-checked,zip-checked", &["reads.py"]);
    let output = output.success();
    output.says(&["warning: zip, checked: left out, since there the program ended with status 1"]);
    let ways = document["variants"].as_array().unwrap();
    let ways: Vec<&str> = ways.iter().map(|way| way["id"].as_str().unwrap()).collect();
    assert_eq!(ways, ["none", "tree-checked"]);
    assert_eq!(import(&document, "helper")["origins"], json!(["compiled", "cache"]));
    let alone = ["importtime", "--python", "python3", "--variant", "zip-checked", "reads.py"];
    sandbox.run(&alone).code(1).says(&["error: there is nothing to measure: zip, checked"]);
}

#[test]
fn places_that_cannot_be() {
    let Some(sandbox) = Sandbox::new(PROGRAM) else { return };
    let start = ["importtime", "--python", "python3", "--variant", "zip-none", "--python-option"];
    let isolated = [&start as &[&str], &["-I", "run.py"]].concat();
    sandbox
        .run(&isolated)
        .code(2)
        .says(&["error: --variant zip-none", "PYTHONPATH, which -I ignores"]);
    let Some(old) = pythons::all().iter().find(|python| python.version < (3, 11)) else {
        return pythons::skip("no Python before 3.11 is there");
    };
    let sandbox = Sandbox::with_python(PROGRAM, old);
    let old = ["importtime", "--python", "python3", "--variant", "tree-checked", "run.py"];
    sandbox.run(&old).code(2).says(&["tree-checked needs Python 3.11 or later", "__main__.py"]);
}
