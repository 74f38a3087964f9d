//! `examples/embedded` is built and run, both ways: with an interpreter that the binary starts, and
//! with one in its process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/make_blob/tree.rs"]
mod tree;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bytekiln_blob::{FINDER, FINDER_MODULE, write};
use bytekiln_test_support::Scratch;
use bytekiln_test_support::pythons::{self, Python};

/// The example's sources, compiled by an interpreter and packed with the finder.
fn pack(python: &Python, scratch: &Scratch) -> PathBuf {
    let folder = scratch.join("program");
    copy(&example().join("python"), &folder);
    std::fs::write(folder.join("bytekiln_blob.py"), FINDER).unwrap();
    let compiled = Command::new(&python.path)
        .args(["-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"])
        .arg(&folder)
        .status();
    assert!(compiled.unwrap().success());
    let program = tree::Tree::read(&folder).unwrap();
    assert!(program.modules.contains_key(FINDER_MODULE));
    let blob = write(&program.entries(), &program.target().unwrap()).unwrap();
    std::fs::write(scratch.join("greeter.blob"), blob).unwrap();
    // Nothing but the binary is left.
    std::fs::remove_dir_all(&folder).unwrap();
    scratch.join("greeter.blob")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() {
            if name != "__pycache__" {
                copy(&entry.path(), &to.join(name));
            }
        } else {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/embedded")
}

/// Cargo, in a folder of the example, which it builds into a folder of this test.
fn cargo(folder: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(example().join(folder));
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedded"));
    command
}

/// Builds a package of the example and gives a copy of its binary, which a later build leaves alone.
fn build(folder: &str, binary: &str, blob: &Path, python: &Python, scratch: &Scratch) -> PathBuf {
    let output = cargo(folder)
        .args(["build", "--quiet", "--locked", "--offline"])
        .env("GREETER_BLOB", blob)
        .env("PYO3_PYTHON", &python.path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("embedded/debug").join(binary);
    std::fs::copy(built, scratch.join(binary)).unwrap();
    std::fs::remove_file(blob).unwrap();
    scratch.join(binary)
}

fn check(command: &mut Command, arguments: &[&str], status: i32, printed: &str, errors: &str) {
    let Output { status: found, stdout, stderr } = command.args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(String::from_utf8_lossy(&stdout), printed, "{said}");
    assert!(said.contains(errors) && said.is_empty() == errors.is_empty(), "{said}");
    assert_eq!(found.code(), Some(status), "{said}");
}

/// Calls the program as its users would. Its text is UTF-8 whatever the locale.
fn check_program(command: impl Fn() -> Command) {
    check(&mut command(), &[], 0, "Hello, world!\n", "");
    let arguments = ["Anna", "Ben", "--in", "Deutsch"];
    check(&mut command(), &arguments, 0, "Guten Tag, Anna!\nGuten Tag, Ben!\n", "");
    check(&mut command(), &["--unknown"], 2, "", "unrecognized arguments: --unknown");
    let line = "  File \"<blob>/greeter/catalogue/sentence.py\", line 5, in greet\n    \
                return \"{}, {}!\".format(greetings[language], name)\n";
    check(&mut command(), &["--in", "Klingon"], 1, "", line);
}

#[test]
fn by_an_interpreter_that_the_binary_starts() {
    let Some(python) = pythons::any_or_skip() else { return };
    let scratch = Scratch::new();
    let binary = build("", "greeter", &pack(python, &scratch), python, &scratch);
    check_program(|| {
        let mut command = Command::new(&binary);
        command.env("GREETER_PYTHON", &python.path).current_dir(scratch.path());
        command
    });

    let mut command = Command::new(&binary);
    command.env("GREETER_PYTHON", "no-such-python");
    check(&mut command, &[], 1, "", "greeter: no-such-python: No such file or directory");
    if let Some(other) = pythons::all().iter().find(|other| other.version != python.version) {
        let mut command = Command::new(&binary);
        command.env("GREETER_PYTHON", &other.path);
        let start =
            format!("this program is bytecode of cpython-{}", python.name().replace('.', ""));
        check(&mut command, &[], 1, "", &start);
        check(&mut command, &[], 1, "", &format!("but this is CPython {}.", other.name()));
    }
}

#[test]
fn by_an_interpreter_in_the_process() {
    // PyO3 needs 3.9.
    let mut fit = pythons::all().iter().filter(|python| python.version >= (3, 9));
    let shared = fit.find_map(|python| Some((python, shared_library(python)?)));
    let Some((python, library)) = shared else {
        return pythons::skip("needs a CPython with a shared libpython");
    };
    if !cargo("in-process").args(["fetch", "--quiet", "--locked"]).status().unwrap().success() {
        return pythons::skip("needs pyo3, which cargo could not fetch");
    }
    let scratch = Scratch::new();
    let blob = pack(python, &scratch);
    let binary = build("in-process", "greeter-in-process", &blob, python, &scratch);
    check_program(|| {
        let mut command = Command::new(&binary);
        command.env("LD_LIBRARY_PATH", &library).current_dir(scratch.path());
        command
    });
}

/// The folder of an interpreter's libpython, if it is there.
fn shared_library(python: &Python) -> Option<PathBuf> {
    const QUESTION: &str = "import os, sysconfig\n\
        folder, name = sysconfig.get_config_vars('LIBDIR', 'LDLIBRARY')\n\
        if sysconfig.get_config_var('Py_ENABLE_SHARED') and os.path.exists(folder + '/' + name):\n    \
            print(folder)";
    let output = Command::new(&python.path).args(["-I", "-c", QUESTION]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    (!folder.is_empty()).then(|| PathBuf::from(folder.trim_end()))
}
