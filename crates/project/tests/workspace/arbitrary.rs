//! Manifests of any content: an answer, never a panic.

use bytekiln_project::{add_member, load_workspace, remove_member};
use bytekiln_test_support::fixture::Tree;
use proptest::prelude::*;

/// Lines that are TOML more often than not, of keys and values that mean something.
fn line() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "members",
        "exclude",
        "python",
        "include",
        "mode",
        "optimize",
        "layout",
        "out",
        "inherits",
        "deploy-root",
        "recorded-path",
        "path-prefix-map",
        "orphans",
        "path",
        "reason",
        "expires",
        "dir",
        "max-size",
        "remote",
        "remote-read-only",
        "import-roots",
        "name",
        "link",
        "workspace",
        "profile.a",
        "member.'x'",
        "\"q\\u0301\"",
        "a.b",
        "generated",
        "data",
        "strings",
        "contract",
        "layers",
        "from",
        "forbid",
        "independent",
        "ignore",
        "imports",
        "indirect",
    ]);
    let value = prop::sample::select(vec![
        "['a', '*']",
        "'dev'",
        "'a'",
        "[0, 1]",
        "[]",
        "{}",
        "true",
        "1",
        "-9223372036854775808",
        "1.5",
        "2030-01-01",
        "['..', '/', '[', '']",
        "{ a = 'b' }",
        "'\u{e9}\u{301}'",
        "\"\\t\"",
        "[[1], {}]",
        "'sourceless'",
        "'3.14'",
        "'{profile}'",
        "['a | b', ['c', 'member:x'], 'd.*']",
        "['a -> b', '->', 'member:a -> b']",
        "{ '**' = ['a'], '/' = 'b.c', x = 1 }",
        "[{ name = 'a', independent = ['a', 'b'] }, {}]",
        "'eager'",
        "nonsense",
        "\"unclosed",
    ]);
    let table = prop::sample::select(vec![
        "[workspace]",
        "[files]",
        "[profile.a]",
        "[profile.dev]",
        "[profile.release]",
        "[member.x]",
        "[[allow-failure]]",
        "[cache]",
        "[graph]",
        "[[graph.contract]]",
        "[[workspace]]",
        "[a.b]",
        "[",
    ]);
    prop_oneof![
        6 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
        3 => table.prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_manifest_has_an_answer(lines in prop::collection::vec(line(), 0..12)) {
        let tree = Tree::new("//- /a/x.py\n");
        let text = lines.join("\n");
        tree.write("bytekiln.toml", &text);
        match load_workspace(tree.root(), Some(tree.root())) {
            Ok(workspace) => {
                prop_assert!(workspace.profiles.contains_key("dev"));
                prop_assert!(workspace.profiles.contains_key("release"));
                // What an edit writes can be loaded again.
                for change in [add_member, remove_member] {
                    if change(&workspace, "a".as_ref()).is_ok() {
                        let again = load_workspace(tree.root(), Some(tree.root()));
                        prop_assert!(again.is_ok(), "{}", again.unwrap_err());
                    }
                }
            }
            Err(error) => {
                prop_assert!(!error.problems().is_empty());
                for problem in error.problems() {
                    let Some(place) = &problem.place else { continue };
                    let line = text.split('\n').nth(place.line - 1);
                    prop_assert!(line.is_some(), "{problem}");
                    prop_assert!(place.column <= place.line_text.chars().count() + 1, "{problem}");
                }
            }
        }
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let tree = Tree::new("//- /a/x.py\n");
        tree.write("bytekiln.toml", bytes);
        if let Err(error) = load_workspace(tree.root(), Some(tree.root())) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
