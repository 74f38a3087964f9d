//! For which Python a graph is, and what is installed beside the workspace: what is found, in which
//! order, and what is said of what cannot be used. Seen through `deps`.

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::sandbox::{Sandbox, finish};

/// A workspace with an environment of its own, and another one below `other`, of another version.
const TREE: &str = "
    //- /bytekiln.toml
    [workspace]
    members = ['app']
    //- /app/app.py
    import sys
    import six, click.core, tomllib
    if sys.version_info >= (3, 12):
        import new
    if sys.platform == 'win32':
        import winreg
    //- /.venv/pyvenv.cfg
    home = /nowhere/bin
    version = 3.12.1
    //- /.venv/lib/python3.12/site-packages/six.py
    //- /.venv/lib/python3.12/site-packages/six-1.0.dist-info/METADATA
    Name: six
    //- /.venv/lib/python3.12/site-packages/six-1.0.dist-info/RECORD
    six.py,,
    //- /other/pyvenv.cfg
    home = /nowhere/bin
    version_info = 3.10.2
    //- /other/lib/python3.10/site-packages/click/__init__.py
    //- /other/lib/python3.10/site-packages/click/core.py
    //- /other/lib/python3.10/site-packages/click-1.0.dist-info/METADATA
    Name: click
    //- /other/lib/python3.10/site-packages/click-1.0.dist-info/RECORD
    click/__init__.py,,
    click/core.py,,
";

/// What `app` imports, and what is said.
fn check(arguments: &[&str], variable: Option<&str>, status: i32, expected: Expect) {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let mut all = vec!["deps", "app", "--format", "json"];
    all.extend_from_slice(arguments);
    let mut command = sandbox.command(&all);
    if let Some(folder) = variable {
        command.env("VIRTUAL_ENV", sandbox.path(folder));
    }
    let output = finish(&mut command).code(status);
    let mut text = output.stderr.replace(&sandbox.root().display().to_string(), "/ROOT");
    if let Ok(value) = serde_json::from_str::<Value>(&output.stdout) {
        let mut modules: Vec<String> =
            value["modules"].as_array().unwrap().iter().map(module).collect();
        modules.sort();
        text.push_str(&modules.concat());
    }
    expected.assert_eq(&text);
}

fn module(module: &Value) -> String {
    let text = |key: &str| module[key].as_str().unwrap_or("-");
    format!("{} {} {}\n", text("name"), text("origin"), text("owner"))
}

#[test]
fn the_environment_in_the_workspace_decides() {
    check(
        &["--python-platform", "linux"],
        None,
        0,
        expect![[r#"
        click.core unresolved -
        new unresolved -
        six third-party six
        sys stdlib -
        tomllib stdlib -
    "#]],
    );
}

#[test]
fn the_active_environment_comes_first() {
    check(
        &["--python-platform", "win32"],
        Some("other"),
        0,
        expect![[r#"
        click third-party click
        six unresolved -
        sys stdlib -
        tomllib unresolved -
        winreg stdlib -
    "#]],
    );
    check(
        &["--venv", ".venv", "--python-platform", "all"],
        Some("other"),
        0,
        expect![[r#"
        click.core unresolved -
        new unresolved -
        six third-party six
        sys stdlib -
        tomllib stdlib -
        winreg stdlib -
    "#]],
    );
    check(
        &["--no-venv", "--python", "3.11"],
        Some("other"),
        0,
        expect![[r#"
        click.core unresolved -
        six unresolved -
        sys stdlib -
        tomllib stdlib -
    "#]],
    );
}

#[test]
fn another_version_is_a_warning() {
    check(
        &["--python", "3.13"],
        None,
        0,
        expect![[r#"
        warning: the virtual environment `.venv` is of Python 3.12, and the graph is for 3.13
          = help: `--python 3.12`, or another environment with `--venv`
        click.core unresolved -
        new unresolved -
        six third-party six
        sys stdlib -
        tomllib stdlib -
    "#]],
    );
}

#[test]
fn what_is_no_environment_is_an_error() {
    check(
        &["--venv", "app"],
        None,
        2,
        expect![[r#"
        error: `/ROOT/app` is no virtual environment: it has no `pyvenv.cfg`
          = help: name the folder that holds `pyvenv.cfg`, or the prefix of an installation of Python
    "#]],
    );
    check(
        &["--venv", "nowhere"],
        None,
        2,
        expect![[r#"
        error: `/ROOT/nowhere` is no virtual environment: there is no such folder
          = help: name the folder that holds `pyvenv.cfg`, or the prefix of an installation of Python
    "#]],
    );
    check(
        &[],
        Some("app"),
        3,
        expect![[r#"
        error: `VIRTUAL_ENV` names `/ROOT/app`, which is no virtual environment: it has no `pyvenv.cfg`
          = help: name another with `--venv`, or none with `--no-venv`
    "#]],
    );
    check(
        &["--python-platform", "amiga"],
        None,
        2,
        expect![[r#"
        error: --python-platform `amiga`: no such platform
          = help: name `linux`, `darwin` or `win32`, or `all` to decide nothing
    "#]],
    );
}

/// `--follow all` needs the files of the standard library: those of the interpreter here.
#[test]
fn the_standard_library_of_an_interpreter() {
    let Some(sandbox) = Sandbox::new("//- /a.py\nimport json\n") else { return };
    let arguments = ["deps", "a", "--transitive", "--follow", "all", "--format", "json"];
    let output = sandbox.run(&arguments).success();
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    let names: Vec<String> = value["modules"].as_array().unwrap().iter().map(module).collect();
    assert!(names.iter().any(|name| name.starts_with("json.decoder stdlib")), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("re stdlib")), "{names:?}");
}
