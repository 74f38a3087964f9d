//! What profiles say once they have inherited, and the rest of a manifest's values.

use bytekiln_project::{InterpreterSpec, PrefixMap};
use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use crate::{load, redacted};

fn check(fixture: &str, expected: Expect) {
    use std::fmt::Write;
    let tree = Tree::new(fixture);
    let workspace = load(&tree, "").unwrap_or_else(|error| panic!("{error}"));
    let mut text = String::new();
    for (name, profile) in &workspace.profiles {
        let levels: Vec<String> = profile.levels.iter().map(ToString::to_string).collect();
        writeln!(text, "{name}: {} [{}] {:?}", profile.mode, levels.join(" "), profile.layout)
            .unwrap();
        writeln!(
            text,
            "  {:?}, ranges {}, deny {}, orphans {:?}, link {}",
            profile.recorded_path,
            profile.debug_ranges,
            profile.deny_warnings,
            profile.orphans,
            profile.link,
        )
        .unwrap();
        if !profile.interpreters.is_empty() {
            writeln!(text, "  {:?}", profile.interpreters).unwrap();
        }
        for map in &profile.path_prefix_map {
            writeln!(text, "  {:?} -> {:?}", map.from, map.to).unwrap();
        }
    }
    for rule in &workspace.allowances {
        writeln!(
            text,
            "{} may fail until {}: {} ({})",
            rule.glob, rule.expires, rule.reason, rule.place
        )
        .unwrap();
    }
    writeln!(text, "{:?}", workspace.cache).unwrap();
    expected.assert_eq(&redacted(&tree, &text));
}

#[test]
fn built_in() {
    check(
        "//- /bytekiln.toml\n",
        expect![[r#"
        dev: checked-hash [0] Pycache
          Workspace, ranges true, deny false, orphans Report, link true
        release: unchecked-hash [0] Prefix { out: ".bytekiln/release", deploy_root: None }
          Workspace, ranges true, deny false, orphans Report, link true
        CacheSettings { dir: None, max_bytes: None, remote: None, remote_read_only: false }
    "#]],
    );
}

#[test]
fn inheriting() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        python = ['3.11', '3.14t']
        [profile.dev]
        deny-warnings = true
        path-prefix-map = ['src/=', '=/app/']
        [profile.release]
        deploy-root = '/app'
        optimize = [2, 0, 2]
        [profile.image]
        inherits = 'release'
        layout = 'sourceless'
        optimize = 2
        python = 'python3.13'
        recorded-path = 'import-root'
        [profile.next-image]
        inherits = 'image'
        out = '/srv/{profile}/pyc'
        path-prefix-map = { 'a' = 'b' }
        [profile.plain]
        debug-ranges = false
        orphans = 'remove'
        link = false
        ",
        expect![[r#"
            dev: checked-hash [0] Pycache
              Workspace, ranges true, deny true, orphans Report, link true
              [Version { numbers: [3, 11], free_threaded: false }, Version { numbers: [3, 14], free_threaded: true }]
              "src" -> ""
              "" -> "/app"
            image: unchecked-hash [2] Sourceless { out: ".bytekiln/image" }
              ImportRoot, ranges true, deny true, orphans Report, link true
              [Command("python3.13")]
              "src" -> ""
              "" -> "/app"
            next-image: unchecked-hash [2] Sourceless { out: "/srv/next-image/pyc" }
              ImportRoot, ranges true, deny true, orphans Report, link true
              [Command("python3.13")]
              "a" -> "b"
            plain: checked-hash [0] Pycache
              Workspace, ranges false, deny true, orphans Remove, link false
              [Version { numbers: [3, 11], free_threaded: false }, Version { numbers: [3, 14], free_threaded: true }]
              "src" -> ""
              "" -> "/app"
            release: unchecked-hash [0 2] Prefix { out: ".bytekiln/release", deploy_root: Some("/app") }
              Workspace, ranges true, deny true, orphans Report, link true
              [Version { numbers: [3, 11], free_threaded: false }, Version { numbers: [3, 14], free_threaded: true }]
              "src" -> ""
              "" -> "/app"
            CacheSettings { dir: None, max_bytes: None, remote: None, remote_read_only: false }
        "#]],
    );
}

#[test]
fn other_values() {
    check(
        "
        //- /bytekiln.toml
        allow-failure = [
            { path = 'a.py', reason = 'one', expires = 2030-01-01 },
        ]
        [cache]
        dir = '.cache'
        max-size = '2 GiB'
        ",
        expect![[r#"
            dev: checked-hash [0] Pycache
              Workspace, ranges true, deny false, orphans Report, link true
            release: unchecked-hash [0] Prefix { out: ".bytekiln/release", deploy_root: None }
              Workspace, ranges true, deny false, orphans Report, link true
            a.py may fail until 2030-01-01: one (bytekiln.toml:2)
            CacheSettings { dir: Some(".cache"), max_bytes: Some(2147483648), remote: None, remote_read_only: false }
        "#]],
    );
    check(
        "
        //- /pyproject.toml
        [tool.bytekiln.cache]
        max-size = 1000
        [[tool.bytekiln.allow-failure]]
        path = 'vendor/**'
        reason = 'two'
        expires = 2030-12-31
        ",
        expect![[r#"
            dev: checked-hash [0] Pycache
              Workspace, ranges true, deny false, orphans Report, link true
            release: unchecked-hash [0] Prefix { out: ".bytekiln/release", deploy_root: None }
              Workspace, ranges true, deny false, orphans Report, link true
            vendor/** may fail until 2030-12-31: two (pyproject.toml:3)
            CacheSettings { dir: None, max_bytes: Some(1000), remote: None, remote_read_only: false }
        "#]],
    );
}

#[test]
fn interpreters_and_maps_from_a_command_line() {
    let check = |text: &str, expected: Expect| {
        let parsed = InterpreterSpec::parse(text);
        expected.assert_eq(&parsed.map_or_else(|error| error, |spec| format!("{spec:?}")));
    };
    check("3.14", expect!["Version { numbers: [3, 14], free_threaded: false }"]);
    check("3.13.1t", expect!["Version { numbers: [3, 13, 1], free_threaded: true }"]);
    check("./venv/bin/python", expect![[r#"Path("./venv/bin/python")"#]]);
    check("pypy3.10", expect![[r#"Command("pypy3.10")"#]]);
    check("3", expect!["`3` does not say which minor version, e.g. `3.14`"]);
    check("3.14.0rc1", expect!["`3.14.0rc1` is not a version such as `3.14`, `3.13.1` or `3.13t`"]);
    check("3.1.2.3", expect!["`3.1.2.3` has more than three numbers"]);
    check(" 3.14", expect!["` 3.14` is empty or has blanks around it"]);
    assert_eq!(
        PrefixMap::parse("/a/b/=/=c"),
        Ok(PrefixMap { from: "/a/b".into(), to: "/=c".into() })
    );
    assert!(PrefixMap::parse("ab").is_err());
}
