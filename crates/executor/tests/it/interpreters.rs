//! Interpreters that misbehave: small shell scripts in the place of a Python.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytekiln_executor::{Compiler, Options};
use bytekiln_test_support::{Scratch, pythons};
use expect_test::{Expect, expect};

use crate::project::{Project, compiler, ends, imaginary_compiler, interpreters, options, run};

/// An executable with this text.
fn script(folder: &Scratch, text: &str) -> PathBuf {
    let path = folder.join("python3.11");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[track_caller]
fn check_with(compiler: &Compiler, start_timeout: Duration, expect: &Expect) {
    let folder = compiler.executable.parent().unwrap().display().to_string();
    let project = Project::new(&[("a.py", "a = 1\n"), ("b.py", "b = 1\n")]);
    let work = project.work(compiler);
    let timeout = Duration::from_millis(300);
    let options = Options { timeout, ..options() };
    let (report, _) = run(&work, &interpreters(start_timeout), None, &options);
    expect.assert_eq(&ends(&work, &report).replace(&folder, "FOLDER"));
}

#[track_caller]
fn check(text: &str, expect: &Expect) {
    let folder = Scratch::new();
    let executable = script(&folder, text);
    let compiler = Compiler { executable, ..imaginary_compiler() };
    check_with(&compiler, Duration::from_secs(2), expect);
}

#[test]
fn missing_or_not_executable() {
    let folder = Scratch::new();
    let mut compiler = Compiler { executable: folder.join("absent"), ..imaginary_compiler() };
    check_with(
        &compiler,
        Duration::from_secs(2),
        &expect![[r#"
        a.py: CompilerUnusable("could not start `FOLDER/absent`: No such file or directory (os error 2)")
        b.py: CompilerUnusable("could not start `FOLDER/absent`: No such file or directory (os error 2)")
    "#]],
    );
    compiler.executable = script(&folder, "#!/bin/sh\n");
    std::fs::set_permissions(&compiler.executable, std::fs::Permissions::from_mode(0o644)).unwrap();
    check_with(
        &compiler,
        Duration::from_secs(2),
        &expect![[r#"
        a.py: CompilerUnusable("could not start `FOLDER/python3.11`: Permission denied (os error 13)")
        b.py: CompilerUnusable("could not start `FOLDER/python3.11`: Permission denied (os error 13)")
    "#]],
    );
}

#[test]
fn ends_at_once() {
    check(
        "#!/bin/sh\necho 'library not found' >&2\nexit 3\n",
        &expect![[r#"
        a.py: CompilerUnusable("`FOLDER/python3.11` cannot be used: it ended (exit status: 3), and printed: library not found")
        b.py: CompilerUnusable("`FOLDER/python3.11` cannot be used: it ended (exit status: 3), and printed: library not found")
    "#]],
    );
}

#[test]
fn says_nothing() {
    check(
        "#!/bin/sh\nexec sleep 60\n",
        &expect![[r#"
        a.py: CompilerUnusable("`FOLDER/python3.11` cannot be used: it did not answer within 2 s")
        b.py: CompilerUnusable("`FOLDER/python3.11` cannot be used: it did not answer within 2 s")
    "#]],
    );
}

#[test]
fn prints_something_else() {
    check(
        "#!/bin/sh\nyes noise | head -c 200000\nexec sleep 60\n",
        &expect![[r#"
        a.py: CompilerUnusable("`FOLDER/python3.11` cannot be used: it printed something else than a greeting; it printed `noise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nno`")
        b.py: CompilerUnusable("`FOLDER/python3.11` cannot be used: it printed something else than a greeting; it printed `noise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nnoise\\nno`")
    "#]],
    );
}

#[test]
fn is_another_interpreter() {
    let Some(python) = pythons::any_or_skip() else { return };
    let mut planned = compiler(&python.path);
    let found = planned.toolchain.label();
    planned.toolchain = imaginary_compiler().toolchain;
    let mut other = (*planned.toolchain).clone();
    other.version = "3.11.99".to_owned();
    planned.toolchain = other.into();
    let project = Project::new(&[("a.py", "a = 1\n")]);
    let work = project.work(&planned);
    let (report, _) = run(&work, &interpreters(Duration::from_secs(60)), None, &options());
    let said = ends(&work, &report);
    let wanted = format!("it is {found}, and the plan was made for CPython 3.11.99");
    assert!(said.contains(&wanted) && project.made().is_empty(), "{said}");
}

#[test]
fn noise_around_a_real_one_does_no_harm() {
    let Some(python) = pythons::any_or_skip() else { return };
    let folder = Scratch::new();
    let path = python.path.display();
    let wrapper = format!("#!/bin/sh\necho Welcome\necho careful >&2\nexec '{path}' \"$@\"\n");
    let executable = script(&folder, &wrapper);
    let compiler = Compiler { executable, ..compiler(&python.path) };
    check_with(
        &compiler,
        Duration::from_secs(60),
        &expect![[r#"
        a.py: compiled
        b.py: compiled
    "#]],
    );
}

#[test]
fn dies_or_hangs_after_its_greeting() {
    let Some(python) = pythons::any_or_skip() else { return };
    let folder = Scratch::new();
    let path = python.path.display();
    // The greeting is repeated from a recording; what follows is the test's.
    let wrapper =
        |then: &str| format!("#!/bin/sh\n'{path}' \"$@\" </dev/null\necho oops >&2\n{then}\n");
    let executable = script(&folder, &wrapper("exit 7"));
    let compiler = Compiler { executable, ..compiler(&python.path) };
    check_with(
        &compiler,
        Duration::from_secs(60),
        &expect![[r#"
        a.py: WorkerDied("it ended (exit status: 7), and printed: oops")
        b.py: WorkerDied("it ended (exit status: 7), and printed: oops")
    "#]],
    );
    script(&folder, &wrapper("exec sleep 60"));
    let began = Instant::now();
    check_with(
        &compiler,
        Duration::from_secs(60),
        &expect![[r#"
        a.py: TimedOut(300ms)
        b.py: TimedOut(300ms)
    "#]],
    );
    assert!(began.elapsed() < Duration::from_secs(30));
}

/// Descriptors of this process, where the system lists them.
fn descriptors() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

#[test]
fn many_lost_workers_leave_nothing() {
    let Some(python) = pythons::any_or_skip() else { return };
    let folder = Scratch::new();
    let path = python.path.display();
    let executable =
        script(&folder, &format!("#!/bin/sh\n'{path}' \"$@\" </dev/null\nsleep 0 &\nexit 1\n"));
    let compiler = Compiler { executable, ..compiler(&python.path) };
    let files: Vec<(String, String)> =
        (0..8).map(|number| (format!("m{number}.py"), format!("a = {number}\n"))).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    let project = Project::new(&files);
    let work = project.work(&compiler);
    let engine = interpreters(Duration::from_secs(60));
    let (_, events) = run(&work, &engine, None, &options());
    let lost = events.iter().filter(|event| event.starts_with("WorkerLost")).count();
    assert!(lost >= 16, "{events:#?}");
    let children = format!("/proc/self/task/{}/children", std::process::id());
    if let (Some(_), Ok(_)) = (descriptors(), std::fs::read_to_string(children)) {
        // Other tests run beside this one: what may not happen is that each worker leaves some.
        let left = descriptors().unwrap();
        assert!(left < 200, "{left} descriptors");
    }
}
