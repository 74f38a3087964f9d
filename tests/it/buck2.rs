//! `integrations/buck2` as far as it can be checked without a Buck2: it parses (Python's grammar has all of
//! Starlark that is used there), and shares its names with the rules that are tested in a real Bazel.

use std::fs;
use std::path::Path;

use crate::sandbox::Sandbox;

#[test]
fn it_parses_and_shares_its_names() {
    let Some(sandbox) = Sandbox::new("") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("integrations");
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    assert_eq!(read("buck2/names.bzl"), read("bazel/private/names.bzl"));
    for path in ["buck2/defs.bzl", "buck2/names.bzl"] {
        sandbox.write("rules.py", read(path));
        sandbox.python(&["-c", "import ast; ast.parse(open('rules.py').read())"]).success();
    }
    // The options that the rules pass are options that there are.
    let help = sandbox.run(&["compile", "--help"]).success().stdout;
    let rules = read("buck2/defs.bzl");
    let options = rules.split('"').filter(|text| text.starts_with("--"));
    let mut count = 0;
    for option in options {
        let name = option.split('=').next().unwrap();
        assert!(help.contains(name), "{name}");
        count += 1;
    }
    assert!(count >= 9, "{count}");
}

#[test]
fn names_are_those_of_python() {
    let Some(sandbox) = Sandbox::new("") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("integrations");
    let names = fs::read_to_string(root.join("buck2/names.bzl")).unwrap();
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
