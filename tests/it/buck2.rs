//! `integrations/buck2` as far as it can be checked without a Buck2: its rules are loaded and called with stubs
//! of Buck2's interface (`buck2/stubs.py`; Python's grammar has all of Starlark that is used there), their
//! actions are run, and their names are shared with the rules that are tested in a real Bazel. Buck2's own
//! implementation of Starlark checks and loads them too.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::conformance::{CONFIGURATIONS, MANIFEST, same, sources, tree};
use crate::pack_clients::tool_or_skip;
use crate::sandbox::{Output, Sandbox, command_path, finish};

const STUBS: &str = include_str!("buck2/stubs.py");

fn integration(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("integrations");
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn it_shares_its_names_with_bazel() {
    assert_eq!(integration("buck2/names.bzl"), integration("bazel/private/names.bzl"));
}

/// Calls the rules in `rules/defs.bzl` for the sources below `lib`.
fn call(sandbox: &Sandbox, sources: &[&str], level: &str, mode: &str) -> Output {
    sandbox.write("stubs.py", STUBS);
    let python = sandbox.interpreter();
    let asked = json!({
        "bytekiln": command_path().display().to_string(),
        "python": python.path.display().to_string(),
        "version": python.name(),
        "package": "lib",
        "srcs": sources,
        "optimize": level.parse::<u8>().unwrap(),
        "invalidation_mode": mode,
    });
    let _ = fs::remove_dir_all(sandbox.path("buck-out"));
    sandbox.python(&["stubs.py", "rules/defs.bzl", &asked.to_string()])
}

fn write_rules(sandbox: &Sandbox) {
    for name in ["defs.bzl", "names.bzl"] {
        sandbox.write(&format!("rules/{name}"), integration(&format!("buck2/{name}")));
    }
}

/// What of Buck2 is there when a file is loaded, as far as the rules use it.
const PRELUDE: &str = "
def _any(*args, **kwargs):
    return None

def rule(impl, attrs, doc = '', is_toolchain_rule = False):
    return _any

def provider(fields):
    return _any

def provider_field(type):
    return type

attrs = struct(
    enum = _any, exec_dep = _any, int = _any, list = _any, option = _any, source = _any,
    string = _any, toolchain_dep = _any,
)
cmd_args = _any
DefaultInfo = _any
RunInfo = _any
";

/// By Buck2's own implementation of the language: syntax, lints, and every name that is used.
#[test]
fn starlark_loads_it() {
    let Some(starlark) = tool_or_skip("starlark") else { return };
    let Some(sandbox) = Sandbox::new("") else { return };
    let (rules, names) = (integration("buck2/defs.bzl"), integration("buck2/names.bzl"));
    // Outside of Buck2, the label is a path.
    sandbox.write(":names.bzl", &names);
    sandbox.write("names.bzl", &names);
    sandbox.write("prelude.bzl", PRELUDE);
    let run = |arguments: &[&str]| {
        finish(Command::new(&starlark).args(arguments).current_dir(sandbox.path(".")))
    };
    let check = ["--check", "defs.bzl", "names.bzl"];
    let load = ["--prelude", "prelude.bzl", "--", "defs.bzl"];
    sandbox.write("defs.bzl", &rules);
    let output = run(&check).success();
    assert!(output.stdout.contains(" 0 errors, 0 warnings"), "{}", output.shown());
    run(&load).success();
    // It sees what Python would not, and what checking alone does not.
    sandbox.write("defs.bzl", format!("{rules}\nwhile True:\n    pass\n"));
    let refused = run(&check).code(1);
    assert!(refused.shown().contains("reserved keyword `while`"), "{}", refused.shown());
    sandbox.write("defs.bzl", format!("{rules}\nx = attrs_of_nobody\n"));
    let refused = run(&load).code(1);
    assert!(refused.shown().contains("`attrs_of_nobody` not found"), "{}", refused.shown());
}

#[test]
fn the_actions_of_its_rules_write_the_bytes_of_build() {
    let Some(sandbox) = Sandbox::new(MANIFEST) else { return };
    write_rules(&sandbox);
    let sources = sources();
    for (path, content) in &sources {
        sandbox.write(&format!("lib/{path}"), content);
    }
    let names: Vec<&str> = sources.iter().map(|(path, _)| path.as_str()).collect();
    for (level, mode, _) in CONFIGURATIONS {
        let python = sandbox.interpreter().path.display().to_string();
        let options = ["--optimize", level, "--invalidation-mode", mode, "--python", &python];
        sandbox.run(&[&["build", "--no-cache", "--force"][..], &options].concat()).success();
        let said = call(&sandbox, &names, level, mode).success();
        let said: Value = serde_json::from_str(&said.stdout).unwrap();
        let made = said["tree"].as_str().unwrap();
        let root = sandbox.root().canonicalize().unwrap();
        let below = Path::new(made).strip_prefix(&root).unwrap().join("lib");
        let expected = tree(&sandbox, "lib");
        same("Buck2", &expected, &tree(&sandbox, below.to_str().unwrap()));

        // The manifest has a row for each, with the target that the source is of.
        let rows = fs::read_to_string(said["manifest"].as_str().unwrap()).unwrap();
        let rows: Value = serde_json::from_str(&rows).unwrap();
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), expected.len());
        for row in rows {
            let name = row[0].as_str().unwrap().strip_prefix("lib/").unwrap();
            assert_eq!(fs::read(row[1].as_str().unwrap()).unwrap(), expected[name], "{name}");
            assert_eq!(row[2], "root//lib:pyc");
        }
        for path in expected.keys() {
            sandbox.remove(&format!("lib/{path}"));
        }
    }
}

/// What the stubs are for: names and keywords that Buck2 would not know, and outputs that nobody makes.
#[test]
fn faults_of_its_rules_would_be_seen() {
    let Some(sandbox) = Sandbox::new("//- /lib/a.py\nA = 1\n") else { return };
    for (from, to, why) in [
        ("category =", "kind =", "unexpected keyword argument 'kind'"),
        ("tree.as_output()", "tree", "nobody makes"),
        ("manifest.as_output(),", "\"nowhere.json\",", "declared, and made by no action"),
        ("\"--out-manifest\"", "\"--out-list\"", "--out-list"),
        ("attrs.enum(", "attrs.choice(", "'choice'"),
        ("cache_tag(ctx", "tag_of(ctx", "'tag_of' is not defined"),
        ("identity = identity,", "", "cache_tag"),
        ("ctx.attrs.srcs", "sorted(ctx.attrs.srcs)", "'sorted' is not defined"),
    ] {
        write_rules(&sandbox);
        assert!(call(&sandbox, &["a.py"], "0", "checked-hash").status.success());
        let rules = integration("buck2/defs.bzl");
        assert!(rules.contains(from), "{from}");
        sandbox.write("rules/defs.bzl", rules.replacen(from, to, 1));
        let output = call(&sandbox, &["a.py"], "0", "checked-hash").code(1);
        output.says(&[why]);
    }
}

#[test]
fn names_are_those_of_python() {
    let Some(sandbox) = Sandbox::new("") else { return };
    let names = integration("buck2/names.bzl");
    sandbox.write("names.py", format!("{names}\ndef fail(why): raise ValueError(why)\n"));
    let code = "import sys; sys.path.insert(0, '.')\n\
        from importlib.util import cache_from_source\n\
        import names\n\
        tag = names.cache_tag('%d.%d' % sys.version_info[:2])\n\
        assert tag == sys.implementation.cache_tag, tag\n\
        for path in ['m.py', 'pkg/m.py', 'a/b/__init__.py', 'a.b/m.x.py']:\n\
        \x20   for level in ['', 1, 2]:\n\
        \x20       ours = names.cache_path(path, tag, str(level or 0))\n\
        \x20       assert ours == cache_from_source(path, optimization=level), ours\n";
    sandbox.python(&["-c", code]).success();
}
