//! `plan --format ninja`, run by a real ninja, and a Makefile, run by a real make.

use std::process::Command;

use bytekiln_test_support::pythons;

use crate::sandbox::{Output, Sandbox, command_path, finish};

const TREE: &str = "
//- /bytekiln.toml
[workspace]
members = [\"lib\"]
[profile.dev]
optimize = [0, 2]
//- /lib/pyproject.toml
[project]
name = \"lib\"
//- /lib/pkg/__init__.py
import pkg.sub
//- /lib/pkg/sub.py
def f(x):
    '''doc'''
    return x in {'a', 'b'}
//- /lib/it's $dir: x/mod.py
VALUE = 1
//- /lib/my-script.py
print('a script')
";

/// Runs a build tool of the system in the workspace; `None`, said aloud, where it is missing.
pub(crate) fn tool(sandbox: &Sandbox, name: &str, arguments: &[&str]) -> Option<Output> {
    let path = ["/usr/bin", "/usr/local/bin", "/bin"].map(|folder| format!("{folder}/{name}"));
    let Some(path) = path.iter().find(|path| std::path::Path::new(path).is_file()) else {
        pythons::skip(&format!("needs {name}"));
        return None;
    };
    let mut command = Command::new(path);
    command.current_dir(sandbox.root()).env_clear().env("PATH", "/usr/bin:/bin");
    Some(finish(command.args(arguments)))
}

#[test]
fn ninja_makes_the_bytes_of_build() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    sandbox.run(&["build", "--no-cache"]).success();
    let expected = sandbox.cache_bytes();
    assert_eq!(expected.len(), 6);
    for (path, _) in &expected {
        sandbox.remove(path);
    }
    sandbox.write("build.ninja", sandbox.run(&["plan", "--format", "ninja"]).success().stdout);
    let Some(first) = tool(&sandbox, "ninja", &["-v"]) else { return };
    let first = first.success();
    assert!(first.stdout.contains("[6/6]"), "{}", first.shown());
    assert_eq!(sandbox.cache_bytes(), expected);
    let ninja = |arguments: &[&str]| tool(&sandbox, "ninja", arguments).unwrap();
    assert!(ninja(&[]).success().stdout.contains("no work to do"));

    // One file is edited: its two levels, and nothing else.
    sandbox.write("lib/pkg/sub.py", "X = 2\n");
    let edited = ninja(&["-d", "explain"]).success();
    assert!(edited.stdout.contains("[2/2]"), "{}", edited.shown());
    assert!(ninja(&[]).success().stdout.contains("no work to do"));
    // Touched and the same: compiled once more, and `restat` sees that nothing came of it.
    sandbox.touch("lib/pkg/sub.py", 0);
    ninja(&[]).success();
    assert!(ninja(&[]).success().stdout.contains("no work to do"));

    sandbox.write("lib/pkg/sub.py", "X = = 2\n");
    let failed = ninja(&["-k", "0"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.stdout.contains("--> lib/pkg/sub.py:1:5"), "{}", failed.shown());
}

#[test]
fn a_plan_for_ninja_is_of_everything_and_says_what_it_leaves_out() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let before = sandbox.run(&["plan", "--format", "ninja"]).success().stdout;
    sandbox.run(&["build"]).success();
    assert_eq!(sandbox.run(&["plan", "--format", "ninja"]).success().stdout, before);
    assert!(before.contains("# not compiled: lib/my-script.py: a script"), "{before}");
    sandbox.write("lib/pkg/a=b/__init__.py", "");
    let refused = sandbox.run(&["plan", "--format", "ninja"]);
    refused.code(2).says(&["a path has a `=`", "= help: leave it out"]);
}

/// As in docs/ninja.md.
#[test]
fn make_with_depfiles() {
    let Some(sandbox) = Sandbox::new(TREE) else { return };
    let python = sandbox.interpreter().path.display().to_string();
    let tag = sandbox.tag();
    sandbox.write(
        "Makefile",
        format!(
            "BYTEKILN = {}\nPYTHON = {python}\nSOURCES = $(shell find lib/pkg -name '*.py')\n\
             OUTPUTS = $(foreach s,$(SOURCES),$(dir $s)__pycache__/$(basename $(notdir $s)).{tag}.pyc)\n\n\
             all: $(OUTPUTS)\n\n\
             define rule\n$(dir $1)__pycache__/$(basename $(notdir $1)).{tag}.pyc: $1\n\t\
             $(BYTEKILN) compile --python $(PYTHON) --touch --depfile $$@.d $1=$1=$$@\nendef\n\
             $(foreach s,$(SOURCES),$(eval $(call rule,$s)))\n\
             -include $(OUTPUTS:=.d)\n",
            command_path().display()
        ),
    );
    let Some(made) = tool(&sandbox, "make", &[]) else { return };
    made.success();
    let made = sandbox.cache_bytes();
    assert_eq!(made.len(), 2);
    sandbox.run(&["build", "--no-cache", "--optimize", "0"]).success();
    for (path, bytes) in made {
        assert_eq!(sandbox.read(&path), bytes, "{path}");
    }
    let again = tool(&sandbox, "make", &[]).unwrap().success();
    assert!(again.stdout.contains("Nothing to be done"), "{}", again.shown());
}
