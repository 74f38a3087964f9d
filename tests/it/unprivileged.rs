//! What a user without rights meets: files that cannot be read, folders that cannot be written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::build::CALCULATOR;
use crate::sandbox::{Sandbox, finish};

#[test]
fn an_unreadable_file_is_named_and_the_rest_is_built() {
    let fixture = "
        //- /good.py
        x = 1
        //- /secret.py
        x = 1
        ";
    let Some(sandbox) = Sandbox::unprivileged(fixture) else { return };
    let secret = sandbox.path("secret.py");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    for _ in 0..2 {
        sandbox.run(&["build"]).code(1).says(&["secret.py", "ermission denied"]);
    }
    assert_eq!(sandbox.caches(), [format!("__pycache__/good.{}.pyc", sandbox.tag())]);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    sandbox.run(&["build"]).success();
    assert_eq!(sandbox.caches().len(), 2);
}

fn permit(sandbox: &Sandbox, mode: &str) {
    finish(Command::new("chmod").args(["-R", mode]).arg(sandbox.root())).success();
}

#[test]
fn a_read_only_tree_is_imported_from() {
    let Some(sandbox) = Sandbox::unprivileged(CALCULATOR) else { return };
    sandbox.run(&["build"]).success();
    let before = sandbox.cache_bytes();
    permit(&sandbox, "a-w");
    sandbox.imports_from_caches(&[], &["mathematics.arithmetic.add"]);
    permit(&sandbox, "u+w");
    assert_eq!(sandbox.cache_bytes(), before);
}

#[test]
fn a_read_only_tree_is_one_clear_error() {
    let Some(sandbox) = Sandbox::unprivileged(CALCULATOR) else { return };
    permit(&sandbox, "a-w");
    let output = sandbox.run(&["build"]);
    permit(&sandbox, "u+w");
    assert!(matches!(output.status.code(), Some(1 | 3)), "{}", output.shown());
    output.says(&["error"]);
    assert_eq!(sandbox.caches(), [""; 0]);
    sandbox.run(&["build"]).success();
    assert_eq!(sandbox.caches().len(), 6);
}

#[test]
fn another_user_gets_the_same_bytes() {
    let Some(theirs) = Sandbox::unprivileged(CALCULATOR) else { return };
    theirs.run(&["build"]).success();
    let ours = Sandbox::with_python(CALCULATOR, theirs.interpreter());
    ours.run(&["build", "--python", "python3"]).success();
    assert_eq!(ours.cache_bytes(), theirs.cache_bytes());
}
