//! Interpreters, levels, modes and layouts.

use bytekiln_test_support::pythons;

use crate::build::CALCULATOR;
use crate::sandbox::Sandbox;

#[test]
fn every_interpreter_imports_its_caches() {
    if pythons::any_or_skip().is_none() {
        return;
    }
    for minor in [8, 9, 10, 11, 12, 13, 14, 15] {
        let Some(python) = pythons::all().iter().find(|python| python.version == (3, minor)) else {
            // Required are those that the continuous integration installs.
            if matches!(minor, 11 | 13 | 14 | 15) {
                pythons::skip(&format!("needs CPython 3.{minor}"));
            }
            continue;
        };
        let sandbox = Sandbox::with_python(CALCULATOR, python);
        sandbox.build(&["--python", &python.name()]).success();
        assert_eq!(sandbox.caches().len(), 6, "{}", python.name());
        assert!(sandbox.caches().iter().all(|path| path.contains(&sandbox.tag())));
        sandbox.imports_from_caches(&[], &["mathematics.arithmetic.add"]);
    }
}

#[test]
fn interpreters_and_levels_multiply() {
    let (Some(first), Some(second)) = (pythons::find_or_skip(3, 11), pythons::find_or_skip(3, 13))
    else {
        return;
    };
    let sandbox = Sandbox::with_python(CALCULATOR, first);
    let targets = ["--python", "3.11", "--python", "3.13", "--optimize", "0,1,2"];
    sandbox.build(&targets).success();
    assert_eq!(sandbox.caches().len(), 6 * 2 * 3);
    assert_eq!(sandbox.build(&targets).success().results(), [""; 0]);
    let other = Sandbox::with_python(CALCULATOR, second);
    other.build(&targets).success();
    assert_eq!(other.cache_bytes(), sandbox.cache_bytes(), "whoever is `python3`");
}

#[test]
fn levels_drop_what_they_should() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&["--optimize", "0,1,2"]).success();
    let code = "import sys; sys.path.insert(0, '.')
from mathematics.geometry.shapes import Circle
print(Circle.__doc__)
Circle(-1)";
    let module = ["mathematics.geometry.shapes"];
    let checked = sandbox.python(&["-c", code]).code(1);
    assert!(checked.stdout == "Round.\n" && checked.stderr.contains("AssertionError"));
    assert_eq!(sandbox.python(&["-O", "-c", code]).success().stdout, "Round.\n");
    assert_eq!(sandbox.python(&["-OO", "-c", code]).success().stdout, "None\n");
    sandbox.imports_from_caches(&["-O"], &module);
    sandbox.imports_from_caches(&["-OO"], &module);
}

#[test]
fn modes_follow_the_request() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    for (mode, flags) in [("checked-hash", 3), ("unchecked-hash", 1), ("checked-hash", 3)] {
        sandbox.build(&["--invalidation-mode", mode]).success();
        for (path, bytes) in sandbox.cache_bytes() {
            assert_eq!(bytes[4..8], [flags, 0, 0, 0], "{path} {mode}");
        }
    }
}

/// An unchecked cache stays in use when its source changes; that is why `dev` is checked.
#[test]
fn release_outputs_are_found_through_the_prefix() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.run(&["build", "--release"]).success();
    let caches = sandbox.caches();
    assert_eq!(caches.len(), 6, "{caches:?}");
    assert!(caches.iter().all(|path| !path.contains("__pycache__")), "{caches:?}");
    assert!(sandbox.cache_bytes().iter().all(|(_, bytes)| bytes[4..8] == [1, 0, 0, 0]));
    // The tree repeats the absolute path of the workspace below its root.
    let root = sandbox.root().to_string_lossy().trim_start_matches('/').to_owned();
    let first = &caches[0];
    let prefix = first.split(&root).next().unwrap();
    assert!(prefix.len() < first.len(), "{first} does not repeat {root}");
    let option = format!("pycache_prefix={}", sandbox.path(prefix).display());
    sandbox.imports_from_caches(&["-X", &option], &["mathematics.arithmetic.add"]);
}
