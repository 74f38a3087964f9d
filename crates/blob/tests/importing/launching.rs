//! Whole programs: `run`, and the bootstrap that a binary gives to an interpreter.

use std::io::Write as _;
use std::process::{Output, Stdio};

use bytekiln_blob::{Blob, bootstrap};
use bytekiln_test_support::Scratch;
use expect_test::{Expect, expect};

use crate::world::{World, agree, all, check};

/// Runs a module as a binary that holds the blob would, 1000 bytes into it.
fn launch(world: &World, blob: &str, module: &str, arguments: &[&str]) -> Output {
    let bytes = std::fs::read(world.path(blob)).unwrap();
    let text = bootstrap(&Blob::parse(&bytes).unwrap()).unwrap();
    let scratch = Scratch::new();
    let binary = scratch.join("binary");
    std::fs::write(&binary, [&[7; 1000], bytes.as_slice(), b"end"].concat()).unwrap();
    let mut child = world
        .command()
        .args(["-c", &text])
        .arg(&binary)
        .args(["1000", &bytes.len().to_string(), module])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Programs that read nothing may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(b"what is piped in");
    child.wait_with_output().unwrap()
}

fn check_launch(module: &str, arguments: &[&str], expected: Expect) {
    let launches = all().iter().flat_map(|world| {
        ["program.blob", "complete.blob"].map(|blob| {
            let output = launch(world, blob, module, arguments);
            let errors = String::from_utf8(output.stderr).unwrap();
            // Where carets stand is the release's.
            let errors: Vec<&str> = errors
                .lines()
                .filter(|line| !line.trim_matches([' ', '^', '~']).is_empty())
                .collect();
            let printed = String::from_utf8(output.stdout).unwrap();
            let status = output.status.code();
            let name = format!("{} with {blob}", world.python.name());
            (name, format!("{printed}{}\n{status:?}\n", errors.join("\n")))
        })
    });
    agree(launches, &expected);
}

#[test]
fn arguments_input_and_status_are_those_of_the_program() {
    check_launch(
        "app.main",
        &["a", "--b"],
        expect![[r#"
        hello from app ['a', '--b'] what is piped in

        Some(3)
    "#]],
    );
}

#[test]
fn a_package_runs_its_main() {
    check_launch(
        "app",
        &["x"],
        expect![[r#"
        __main__ of app ['x']

        Some(0)
    "#]],
    );
}

#[test]
fn an_uncaught_exception_shows_the_program_alone_with_its_lines() {
    check_launch(
        "app.main",
        &["fail"],
        expect![[r#"
        hello from app ['fail'] what is piped in
        Traceback (most recent call last):
          File "<blob>/app/main.py", line 21, in <module>
            fail()
          File "<blob>/app/main.py", line 15, in fail
            deep.divide(0)
          File "<blob>/app/sub/deep.py", line 3, in divide
            return 1 / number
        ZeroDivisionError: division by zero
        Some(1)
    "#]],
    );
}

#[test]
fn a_module_that_is_not_there() {
    for world in all() {
        let output = launch(world, "complete.blob", "app.nothing", &[]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.ends_with("there is no module app.nothing in <blob>\n"), "{errors}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn another_interpreter_is_told_and_unmarshals_nothing() {
    for (world, other) in all().iter().zip(all().iter().skip(1)) {
        for blob in ["program.blob", "complete.blob"] {
            let path = other.path(blob);
            let output = launch(world, path.to_str().unwrap(), "app.main", &[]);
            let errors = String::from_utf8(output.stderr).unwrap();
            assert!(errors.starts_with("this program is bytecode of cpython-3"), "{errors}");
            assert!(errors.ends_with("run it with the former\n"), "{errors}");
            assert_eq!((errors.lines().count(), output.status.code()), (1, Some(1)));
        }
    }
}

#[test]
fn main_is_a_module_like_any_other() {
    check(
        r"
sys.argv[:] = ['-c', 'x']
import io
sys.stdin = io.StringIO('typed')
try:
    bb.run(BLOB, 'app.main')
except SystemExit as stopped:
    print(stopped.code)
main = sys.modules['__main__']
print(main.__name__, main.__spec__.name, main.__package__, main.__file__, sys.argv)
import inspect, pickle
print(inspect.getsource(main.fail), end='')
print(type(pickle.loads(pickle.dumps(main.Greeter()))) is main.Greeter)
",
        expect![[r#"
            hello from app ['x'] typed
            3
            __main__ app.main app <blob>/app/main.py ['<blob>/app/main.py', 'x']
            def fail():
                deep.divide(0)
            True
        "#]],
    );
}

/// The bootstrap holds the finder's text in a raw string.
#[test]
fn the_finder_can_stand_in_a_string() {
    assert!(!bytekiln_blob::FINDER.contains("'''") && bytekiln_blob::FINDER.is_ascii());
}
