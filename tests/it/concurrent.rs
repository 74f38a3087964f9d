//! Two builds at once, and builds that are interrupted.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;

/// A workspace with so many modules of some size.
fn many(count: usize) -> Option<Sandbox> {
    let sandbox = Sandbox::new("//- /package/__init__.py\n")?;
    let function = "def function(a, b=2, *c, d, **e):\n    return [x + a for x in c if x > b]\n";
    for index in 0..count {
        let text = format!("NUMBER = {index}\n{}", function.repeat(40));
        sandbox.write(&format!("package/module_{index:03}.py"), text);
    }
    Some(sandbox)
}

#[test]
fn two_builds_of_one_tree_do_not_disturb_each_other() {
    let Some(sandbox) = many(60) else { return };
    let start = || {
        let mut command = sandbox.command(&["build", "--jobs", "2"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let builds = [start(), start(), start()];
    for build in builds {
        let output = build.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
    }
    assert_eq!(sandbox.caches().len(), 61);
    sandbox.run(&["check"]).success();
    sandbox.imports_from_caches(&[], &["package.module_000", "package.module_059"]);
}

#[test]
fn an_interrupted_build_is_finished_by_the_next() {
    let Some(sandbox) = many(300) else { return };
    let mut command = sandbox.command(&["build", "--jobs", "1"]);
    let mut build = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while sandbox.caches().len() < 3 && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = build.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let status = build.wait().unwrap();
    let written = sandbox.caches().len();
    assert_eq!(status.code(), Some(130), "{status}, {written} outputs written");
    assert!(written < 301, "it was interrupted before its end");
    let tree = sandbox.root();
    let left: Vec<_> = std::fs::read_dir(tree.join("package/__pycache__"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".pyc"))
        .collect();
    assert_eq!(left, [""; 0], "no temporary files are left");
    sandbox.run(&["build"]).success();
    assert_eq!(sandbox.caches().len(), 301);
    sandbox.run(&["check"]).success();
}
