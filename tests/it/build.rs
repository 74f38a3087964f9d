//! What a build does and does not do, and that CPython takes what it makes.

use crate::sandbox::Sandbox;

pub(crate) const CALCULATOR: &str = "
    //- /calculator.py
    from mathematics.arithmetic.add import add
    print(add(2, 3))
    //- /mathematics/__init__.py
    //- /mathematics/arithmetic/__init__.py
    //- /mathematics/arithmetic/add.py
    def add(left, right):
        return left + right
    //- /mathematics/geometry/__init__.py
    //- /mathematics/geometry/shapes.py
    class Circle:
        \"\"\"Round.\"\"\"
        def __init__(self, radius):
            assert radius >= 0
            self.radius = radius
    ";

const SOURCES: [&str; 6] = [
    "calculator.py",
    "mathematics/__init__.py",
    "mathematics/arithmetic/__init__.py",
    "mathematics/arithmetic/add.py",
    "mathematics/geometry/__init__.py",
    "mathematics/geometry/shapes.py",
];

const MODULES: [&str; 5] = [
    "mathematics",
    "mathematics.arithmetic",
    "mathematics.arithmetic.add",
    "mathematics.geometry",
    "mathematics.geometry.shapes",
];

#[test]
fn cpython_imports_what_is_built() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let output = sandbox.build(&[]).success();
    assert_eq!(output.results(), SOURCES.map(|source| format!("{source} compiled")));
    let tag = sandbox.tag();
    assert_eq!(
        sandbox.caches(),
        [
            format!("__pycache__/calculator.{tag}.pyc"),
            format!("mathematics/__pycache__/__init__.{tag}.pyc"),
            format!("mathematics/arithmetic/__pycache__/__init__.{tag}.pyc"),
            format!("mathematics/arithmetic/__pycache__/add.{tag}.pyc"),
            format!("mathematics/geometry/__pycache__/__init__.{tag}.pyc"),
            format!("mathematics/geometry/__pycache__/shapes.{tag}.pyc"),
        ]
    );
    for (path, bytes) in sandbox.cache_bytes() {
        assert_eq!(bytes[4..8], [3, 0, 0, 0], "{path} is not checked-hash");
    }
    let before = sandbox.cache_bytes();
    sandbox.imports_from_caches(&[], &MODULES);
    sandbox.imports_from_caches(&["--check-hash-based-pycs", "always"], &MODULES);
    assert_eq!(sandbox.cache_bytes(), before);
    assert_eq!(sandbox.python(&["calculator.py"]).success().stdout, "5\n");
}

#[test]
fn the_second_build_does_nothing_and_starts_nothing() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let log = sandbox.beside("started");
    sandbox.script_python(&format!("echo started >> '{}'\nexec REAL \"$@\"", log.display()));
    sandbox.build(&["--python", "python3"]).success();
    assert!(log.exists(), "the first build starts an interpreter");
    std::fs::remove_file(&log).unwrap();
    let before = sandbox.cache_bytes();
    let output = sandbox.build(&["--python", "python3"]).success();
    assert_eq!(output.results(), [""; 0]);
    assert!(!log.exists(), "a no-op starts no interpreter");
    assert_eq!(sandbox.cache_bytes(), before);
}

#[test]
fn a_touched_file_costs_nothing() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&[]).success();
    for (age, source) in SOURCES.iter().enumerate() {
        sandbox.touch(source, 1000 + age as u64);
    }
    assert_eq!(sandbox.build(&[]).success().results(), [""; 0]);
    sandbox.imports_from_caches(&[], &MODULES);
}

#[test]
fn an_edit_compiles_one_file() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&[]).success();
    sandbox.write("mathematics/arithmetic/add.py", "def add(left, right):\n    return 42\n");
    let output = sandbox.build(&[]).success();
    assert_eq!(output.results(), ["mathematics/arithmetic/add.py compiled"]);
    sandbox.imports_from_caches(&[], &MODULES);
    assert_eq!(sandbox.python(&["calculator.py"]).success().stdout, "42\n");
}

#[test]
fn an_edit_of_the_same_size_and_time_is_seen() {
    let Some(sandbox) = Sandbox::new("//- /m.py\nx = 1\n") else { return };
    for value in 2..8 {
        sandbox.build(&[]).success();
        sandbox.write("m.py", format!("x = {value}\n"));
        let output = sandbox.build(&[]).success();
        assert_eq!(output.results(), ["m.py compiled"]);
        let printed = sandbox.python(&["-c", "import m; print(m.x)"]).success().stdout;
        assert_eq!(printed, format!("{value}\n"));
    }
}

#[test]
fn a_removed_source_takes_its_cache_along() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&[]).success();
    sandbox.remove("mathematics/geometry/shapes.py");
    sandbox.build(&[]).success();
    assert_eq!(sandbox.caches().len(), 5);
    assert!(sandbox.caches().iter().all(|path| !path.contains("shapes")));
}

#[test]
fn a_removed_or_damaged_cache_comes_back() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&[]).success();
    let before = sandbox.cache_bytes();
    let caches = sandbox.caches();
    let (first, second) = (&caches[0], &caches[1]);
    sandbox.remove(first);
    // Replaced, not written in place: the file may be a link into the cache.
    sandbox.remove(second);
    sandbox.write(second, "not a cache");
    assert_eq!(sandbox.build(&[]).success().results().len(), 2);
    assert_eq!(sandbox.cache_bytes(), before);
}

/// cpython#117204: compileall leaves a matching timestamp cache when a hash mode is asked for.
#[test]
fn a_timestamp_cache_does_not_stand_in_the_way() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.python(&["-m", "compileall", "-q", "."]).success();
    assert!(sandbox.cache_bytes().iter().all(|(_, bytes)| bytes[4..8] == [0; 4]));
    sandbox.build(&[]).success();
    assert_eq!(sandbox.caches().len(), 6);
    assert!(sandbox.cache_bytes().iter().all(|(_, bytes)| bytes[4..8] == [3, 0, 0, 0]));
}

#[test]
fn tracebacks_show_true_paths() {
    let fixture = "
        //- /package/__init__.py
        //- /package/boom.py
        def boom():
            raise ValueError('boom')
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    sandbox.build(&[]).success();
    let code = "import sys; sys.path.insert(0, '.'); from package.boom import boom; boom()";
    let output = sandbox.python(&["-c", code]).code(1);
    let expected =
        format!("File \"{}\", line 2, in boom", sandbox.path("package/boom.py").display());
    assert!(
        output.stderr.contains(&expected)
            || output.stderr.contains("File \"./package/boom.py\", line 2"),
        "{}",
        output.shown()
    );
    assert!(output.stderr.contains("raise ValueError('boom')"), "{}", output.shown());
}

#[test]
fn scripts_are_checked_and_not_written() {
    let fixture = "
        //- /my-tool.py
        print('never imported')
        //- /module.py
        x = 1
        //- /tool
        #!/usr/bin/env python3
        print('also checked'
        ";
    let Some(sandbox) = Sandbox::new(fixture) else { return };
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(sandbox.path("tool"), executable).unwrap();
    let output = sandbox.build(&[]).code(1);
    assert_eq!(
        output.results(),
        ["module.py compiled", "my-tool.py compiled", "tool rejected"],
        "{}",
        output.shown()
    );
    assert_eq!(sandbox.caches(), [format!("__pycache__/module.{}.pyc", sandbox.tag())]);
}

#[test]
fn nothing_is_written_outside() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.build(&[]).success();
    let listed = std::fs::read_dir(sandbox.beside("home")).unwrap().count();
    assert_eq!(listed, 0, "the home folder is left alone when XDG_CACHE_HOME is set");
}
