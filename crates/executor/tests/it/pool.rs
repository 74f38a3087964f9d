//! Interpreters that are kept between executions.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use bytekiln_action::{CompileFlags, Toolchain};
use bytekiln_executor::{Compiler, InterpreterPool, JobEnd, Options, PoolLimits};
use bytekiln_test_support::{Scratch, pythons};
use expect_test::expect;

use crate::project::{Project, compiler, ends, options, patient_interpreters, run};

const FLAGS: CompileFlags = CompileFlags { debug_ranges: true };
const LIMITS: PoolLimits = PoolLimits { idle: 2, requests: 1000, bytes: 1 << 20 };

fn pool(limits: PoolLimits) -> InterpreterPool {
    InterpreterPool::new(patient_interpreters(), limits)
}

/// An interpreter behind a script that writes a line into `starts` whenever it is started.
fn counted(folder: &Scratch) -> Option<PathBuf> {
    let python = pythons::any_or_skip()?;
    let path = folder.join("python");
    let starts = folder.join("starts");
    let text = format!(
        "#!/bin/sh\necho $$ >> '{}'\nexec '{}' \"$@\"\n",
        starts.display(),
        python.path.display()
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Some(path)
}

fn starts(folder: &Scratch) -> usize {
    std::fs::read_to_string(folder.join("starts")).unwrap_or_default().lines().count()
}

#[test]
fn one_start_for_the_identity_and_many_executions() {
    let folder = Scratch::new();
    let Some(executable) = counted(&folder) else { return };
    let pool = pool(LIMITS);
    let compiler = pool.introduce(&executable, FLAGS).unwrap();
    let project = Project::new(&[("a.py", "a = 1\n"), ("bad.py", "a =\n")]);
    let one = Options { jobs: std::num::NonZeroUsize::MIN, ..options() };
    for _ in 0..5 {
        let (report, _) = run(&project.work(&compiler), &pool, None, &one);
        assert!(matches!(report.ends[0], JobEnd::Compiled { .. }));
        assert!(matches!(report.ends[1], JobEnd::Rejected { .. }));
        assert_eq!(pool.idle(), 1);
    }
    assert_eq!(starts(&folder), 1);
    pool.forget(&executable);
    assert_eq!(pool.idle(), 0);
}

#[test]
fn an_interpreter_that_has_worked_enough_is_replaced() {
    let folder = Scratch::new();
    let Some(executable) = counted(&folder) else { return };
    let pool = pool(PoolLimits { requests: 2, ..LIMITS });
    let compiler = pool.introduce(&executable, FLAGS).unwrap();
    let project = Project::new(&[("a.py", "a = 1\n")]);
    for _ in 0..6 {
        let (report, _) = run(&project.work(&compiler), &pool, None, &options());
        assert!(matches!(report.ends[0], JobEnd::Compiled { .. }));
    }
    assert_eq!(starts(&folder), 3);
}

/// One that is another than it was is never used.
#[test]
fn only_what_fits_is_reused() {
    let folder = Scratch::new();
    let Some(executable) = counted(&folder) else { return };
    let pool = pool(LIMITS);
    let known = pool.introduce(&executable, FLAGS).unwrap();
    let another = Compiler {
        toolchain: Arc::new(Toolchain {
            build: "another".to_owned(),
            ..(*known.toolchain).clone()
        }),
        executable: executable.clone(),
    };
    let project = Project::new(&[("a.py", "a = 1\n")]);
    let work = project.work(&another);
    let (report, _) = run(&work, &pool, None, &options());
    let said = ends(&work, &report);
    assert!(said.contains("and the plan was made for"), "{said}");
    assert_eq!(pool.idle(), 1, "the one that was introduced");
}

/// What was killed while it waited costs one retry, not the job.
#[test]
fn an_interpreter_that_died_waiting_is_replaced() {
    let folder = Scratch::new();
    let Some(executable) = counted(&folder) else { return };
    let pool = pool(LIMITS);
    let known = pool.introduce(&executable, FLAGS).unwrap();
    let pid = std::fs::read_to_string(folder.join("starts")).unwrap();
    let kill = std::process::Command::new("kill").args(["-9", pid.trim()]).status().unwrap();
    assert!(kill.success());
    let project = Project::new(&[("a.py", "a = 1\n")]);
    let (report, events) = run(&project.work(&known), &pool, None, &options());
    assert!(matches!(report.ends[0], JobEnd::Compiled { .. }), "{events:?}");
    assert!(events.iter().any(|event| event.contains("WorkerLost")), "{events:?}");
    assert_eq!((starts(&folder), pool.idle()), (2, 1));
}

#[test]
fn what_is_no_interpreter_is_an_error() {
    let pool = pool(LIMITS);
    let error = pool.introduce(std::path::Path::new("/absent/python"), FLAGS).unwrap_err();
    expect!["could not start `/absent/python`: No such file or directory (os error 2)"]
        .assert_eq(&error.message);
    let error = pool.introduce(std::path::Path::new("/bin/true"), FLAGS).unwrap_err();
    assert!(error.message.starts_with("`/bin/true` cannot be used: it "), "{error}");
    let Some(python) = pythons::any_or_skip() else { return };
    assert_eq!(
        pool.introduce(&python.path, FLAGS).unwrap().toolchain,
        compiler(&python.path).toolchain
    );
}
