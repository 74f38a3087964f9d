//! `plan`, `check`, `explain`, and the way from a saved plan to a build.

use serde_json::Value;

use crate::build::CALCULATOR;
use crate::sandbox::Sandbox;

#[test]
fn check_fails_while_there_is_work() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    sandbox.run(&["check"]).code(1);
    assert_eq!(sandbox.caches(), [""; 0], "`check` writes nothing");
    sandbox.run(&["build"]).success();
    sandbox.run(&["check"]).success();
    sandbox.write("calculator.py", "print('other')\n");
    sandbox.run(&["check"]).code(1);
    sandbox.run(&["build"]).success();
    sandbox.remove("mathematics/geometry/shapes.py");
    sandbox.run(&["check"]).code(1);
}

fn plan(sandbox: &Sandbox) -> Value {
    let output = sandbox.run(&["plan", "--format", "json"]).success();
    serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", output.shown()))
}

#[test]
fn a_plan_is_data() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let first = plan(&sandbox);
    assert_eq!(first["schema"], "bytekiln-plan/1");
    assert_eq!(first["steps"].as_array().map(Vec::len), Some(6));
    assert_eq!(first["steps"][0]["source"], "calculator.py");
    assert_eq!(first["steps"][0]["reasons"][0]["kind"], "new");
    assert_eq!(sandbox.caches(), [""; 0], "`plan` writes nothing");
    assert_eq!(plan(&sandbox), first, "planning is repeatable");
    sandbox.run(&["build"]).success();
    let fresh = plan(&sandbox);
    assert_eq!(fresh["steps"].as_array().map(Vec::len), Some(0));
    assert_eq!(fresh["fresh"], 6);
    sandbox.write("calculator.py", "print('other')\n");
    let dirty = plan(&sandbox);
    assert_eq!(dirty["steps"][0]["reasons"][0]["kind"], "source-changed");
}

#[test]
fn a_saved_plan_is_carried_out() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let saved = sandbox.run(&["plan", "--format", "json"]).success().stdout;
    let file = sandbox.beside("plan.json");
    std::fs::write(&file, saved).unwrap();
    let file = file.to_string_lossy().into_owned();
    let output = sandbox.build(&["--plan", &file]).success();
    assert_eq!(output.results().len(), 6);
    assert_eq!(sandbox.caches().len(), 6);
    sandbox.run(&["check"]).success();
}

#[test]
fn a_saved_plan_refuses_a_source_that_changed() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let saved = sandbox.run(&["plan", "--format", "json"]).success().stdout;
    let file = sandbox.beside("plan.json");
    std::fs::write(&file, saved).unwrap();
    sandbox.write("calculator.py", "print('changed after planning')\n");
    let output = sandbox.build(&["--plan", &file.to_string_lossy()]).code(1);
    assert!(output.results().contains(&"calculator.py failed".to_owned()), "{}", output.shown());
    assert_eq!(sandbox.caches().len(), 5, "the others are built");
}

#[test]
fn explain_says_why_and_prints_the_key() {
    let Some(sandbox) = Sandbox::new(CALCULATOR) else { return };
    let file = "mathematics/arithmetic/add.py";
    let before = sandbox.run(&["explain", file]).success();
    sandbox.run(&["build"]).success();
    let after = sandbox.run(&["explain", file]).success();
    assert_ne!(before.stdout, after.stdout);
    assert!(after.stdout.contains(file), "{}", after.shown());
    assert!(after.stdout.to_lowercase().contains("fresh"), "{}", after.shown());
    sandbox.run(&["explain", "no/such/file.py"]).code(1);
}

#[test]
fn verbose_builds_say_why() {
    let Some(sandbox) = Sandbox::new("//- /m.py\nx = 1\n") else { return };
    sandbox.run(&["build", "-v"]).success().says(&["m.py"]);
    sandbox.write("m.py", "x = 2\n");
    sandbox.run(&["build", "-v"]).success().says(&["m.py", "changed"]);
    let quiet = sandbox.run(&["build", "-q"]).success();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}
