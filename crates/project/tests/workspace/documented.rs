//! `docs/manifest.md` is right: its example loads, and it names every key that is read. So does
//! `docs/pack.md` for artifacts.

use bytekiln_test_support::fixture::Tree;

use crate::load;

const REFERENCE: &str = include_str!("../../../../docs/manifest.md");
const ARTIFACTS: &str = include_str!("../../../../docs/pack.md");

#[test]
fn the_example_loads() {
    let example = REFERENCE.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let tree = Tree::new("//- /libs/a/a.py\n//- /libs/attic/b.py\n//- /apps/web/source/w.py\n");
    tree.write("bytekiln.toml", example);
    let workspace = load(&tree, "").unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = workspace.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["web", "a"]);
    assert!(workspace.problems.is_empty());
    assert!(workspace.profiles.contains_key("image"));
}

/// An unknown key far from all others makes the reader list what it knows.
#[test]
fn every_key_is_named() {
    let tree = Tree::new("//- /web/w.py\n");
    let mut known = 0;
    for table in [
        "",
        "[workspace]",
        "[files]",
        "[member.web]",
        "[profile.x]",
        "[cache]",
        "[graph]",
        "[startup.x]\nentry = 'a'\nbudget = '1s'",
    ] {
        tree.write("bytekiln.toml", format!("{table}\nzzzzzzzzzz = 1\n"));
        let error = load(&tree, "").unwrap_err();
        let hint = error.problems().first().and_then(|problem| problem.hint.clone()).unwrap();
        assert!(hint.starts_with("known here are "), "{hint}");
        for key in hint.split('`').skip(1).step_by(2) {
            known += 1;
            let described = format!("| `{key}` |");
            let shared = format!("`{key}`, `exclude` |");
            let table = [format!("`[{key}]`"), format!("`[{key}.NAME]`"), format!("`[[{key}]]`")];
            assert!(
                REFERENCE.contains(&described)
                    || REFERENCE.contains(&shared)
                    || table.iter().any(|heading| REFERENCE.contains(heading)),
                "`{key}` of `{table:?}` is not described"
            );
        }
    }
    assert!(known > 25, "{known}");
}

/// Each key of an artifact has a row, and each kind a heading.
#[test]
fn every_key_of_artifacts_is_named() {
    let tree = Tree::new("//- /web/w.py\n");
    let artifact = "[[artifact]]\nname = \"web\"\nkind = \"tree\"\nzzzzzzzzzz = 1\n";
    tree.write("bytekiln.toml", artifact);
    let error = load(&tree, "").unwrap_err();
    let hint = error.problems().first().and_then(|problem| problem.hint.clone()).unwrap();
    assert!(hint.starts_with("known here are "), "{hint}");
    let keys: Vec<&str> = hint.split('`').skip(1).step_by(2).collect();
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys {
        assert!(ARTIFACTS.contains(&format!("\n| `{key}` |")), "`{key}` is not described");
    }
    for (kind, _) in bytekiln_project::ArtifactKind::ALL {
        assert!(ARTIFACTS.contains(&format!("\n### `{kind}`: ")), "`{kind}` is not described");
    }
}
