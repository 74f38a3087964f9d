//! `[[artifact]]`: every key that is read, in manifests and from arguments.

use bytekiln_project::{ArtifactRule, Workspace, artifact_from_arguments};
use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use crate::load;

/// Two members and these lines.
pub(crate) fn fixture(manifest: &str) -> String {
    format!(
        "//- /libs/a/a.py\n//- /libs/b/b.py\n//- /bytekiln.toml\n[workspace]\nmembers = ['libs/*']\n{manifest}"
    )
}

fn loaded(manifest: &str) -> Workspace {
    let tree = Tree::new(&fixture(manifest));
    load(&tree, "").unwrap_or_else(|error| panic!("{error}"))
}

/// The fields of an artifact, one a line.
fn fields(rule: &ArtifactRule) -> Vec<String> {
    let text = format!("{rule:?}");
    let mut fields = vec![String::new()];
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        let line = fields.last_mut().unwrap();
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth -= 1,
            b',' if depth == 1 => {
                fields.push(String::new());
                continue;
            }
            _ => {}
        }
        line.push(text.as_bytes()[at] as char);
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

/// What is read, without what an artifact without keys says too.
fn check(manifest: &str, expected: Expect) {
    let plain = loaded("[[artifact]]\nname = 'x'\nkind = 'tree'\n");
    let plain = fields(&plain.artifacts[0]);
    let mut text = String::new();
    for rule in loaded(manifest).artifacts {
        let own = fields(&rule).into_iter().filter(|field| !plain.contains(field));
        text.push_str(&format!("{}\n", own.collect::<Vec<_>>().join("\n    ")));
    }
    expected.assert_eq(&text);
}

#[test]
fn defaults() {
    let workspace = loaded("[[artifact]]\nname = 'x'\nkind = 'tree'\n");
    expect![[r#"
        ArtifactRule { name: "x"
        kind: Tree
        out: None
        target: ArtifactTarget { profile: "release", interpreters: [], levels: [], mode: UncheckedHash }
        members: []
        dependencies: []
        exclude: []
        sourceless: Nothing
        keep_source: []
        bytecode: true
        layout: Pycache
        arrangement: Flat
        root: "."
        selection: SelectionRule { entry: [], imports: Runtime, budget: None, reachable_only: false }
        main: None
        shebang: None
        compression: None
        compression_level: None
        owner: (0, 0)
        tag: None
        wheel: None
        build_tag: None
        site: None
        standard_library: false
        embed_source: false
        provenance: false
        written: {"kind": "\"tree\"", "name": "\"x\""}
        place: "bytekiln.toml:3" }"#]].assert_eq(&fields(&workspace.artifacts[0]).join("\n"));
}

#[test]
fn every_key() {
    check(
        "[profile.image]
[[artifact]]
name = 'tree'
kind = 'tree'
out = 'build/tree'
profile = 'image'
python = ['3.11', '3.14']
optimize = [0, 2]
mode = 'checked-hash'
members = ['a']
dependencies = ['.venv', 'deps']
exclude = ['**/tests/**']
layout = 'prefix'
prefix = 'var/cache'
deploy-root = '/srv'
arrangement = 'workspace'
root = 'app'
entry = ['a']
imports = 'lazy'
reachable-only = true
budget = '25MB'
provenance = true
[[artifact]]
name = 'app'
kind = 'zipapp'
main = 'a:main.run'
shebang = '#!/usr/bin/env python3.14'
compression = 'none'
compression-level = 9
sourceless = ['member:b', 'a/**']
keep-source = ['a/x.py']
[[artifact]]
name = 'image'
kind = 'layer'
compression = 'zstd'
owner = '1000:100'
tag = 'shop:1'
sourceless = true
[[artifact]]
name = 'wheels'
kind = 'wheel'
wheel = 'dist/*.whl'
build-tag = '1bytekiln'
bytecode = false
[[artifact]]
name = 'venv'
kind = 'site'
site = '.venv'
standard-library = true
[[artifact]]
name = 'blob'
kind = 'rust-blob'
embed-source = true
",
        expect![[r##"
            ArtifactRule { name: "tree"
                out: Some("build/tree")
                target: ArtifactTarget { profile: "image", interpreters: [Version { numbers: [3, 11], free_threaded: false }, Version { numbers: [3, 14], free_threaded: false }], levels: [Zero, Two], mode: CheckedHash }
                members: ["a"]
                dependencies: [".venv", "deps"]
                exclude: ["**/tests/**"]
                layout: Prefix { folder: "var/cache", deploy_root: "/srv" }
                arrangement: Workspace
                root: "app"
                selection: SelectionRule { entry: ["a"], imports: WithLazy, budget: Some(25000000), reachable_only: true }
                provenance: true
                written: {"arrangement": "\"workspace\"", "budget": "\"25MB\"", "dependencies": "[\".venv\", \"deps\"]", "deploy-root": "\"/srv\"", "entry": "[\"a\"]", "exclude": "[\"**/tests/**\"]", "imports": "\"lazy\"", "kind": "\"tree\"", "layout": "\"prefix\"", "members": "[\"a\"]", "mode": "\"checked-hash\"", "name": "\"tree\"", "optimize": "[0, 2]", "out": "\"build/tree\"", "prefix": "\"var/cache\"", "profile": "\"image\"", "provenance": "true", "python": "[\"3.11\", \"3.14\"]", "reachable-only": "true", "root": "\"app\""}
                place: "bytekiln.toml:4" }
            ArtifactRule { name: "app"
                kind: Zipapp
                sourceless: Some([Member("b"), Glob("a/**")])
                keep_source: ["a/x.py"]
                layout: Legacy
                main: Some("a:main.run")
                shebang: Some("/usr/bin/env python3.14")
                compression: Some(None)
                compression_level: Some(9)
                written: {"compression": "\"none\"", "compression-level": "9", "keep-source": "[\"a/x.py\"]", "kind": "\"zipapp\"", "main": "\"a:main.run\"", "name": "\"app\"", "shebang": "\"#!/usr/bin/env python3.14\"", "sourceless": "[\"member:b\", \"a/**\"]"}
                place: "bytekiln.toml:25" }
            ArtifactRule { name: "image"
                kind: Layer
                sourceless: Everything
                compression: Some(Zstd)
                owner: (1000, 100)
                tag: Some("shop:1")
                written: {"compression": "\"zstd\"", "kind": "\"layer\"", "name": "\"image\"", "owner": "\"1000:100\"", "sourceless": "true", "tag": "\"shop:1\""}
                place: "bytekiln.toml:34" }
            ArtifactRule { name: "wheels"
                kind: Wheel
                target: ArtifactTarget { profile: "release", interpreters: [], levels: [], mode: CheckedHash }
                bytecode: false
                wheel: Some("dist/*.whl")
                build_tag: Some("1bytekiln")
                written: {"build-tag": "\"1bytekiln\"", "bytecode": "false", "kind": "\"wheel\"", "name": "\"wheels\"", "wheel": "\"dist/*.whl\""}
                place: "bytekiln.toml:41" }
            ArtifactRule { name: "venv"
                kind: Site
                target: ArtifactTarget { profile: "release", interpreters: [], levels: [], mode: CheckedHash }
                site: Some(".venv")
                standard_library: true
                written: {"kind": "\"site\"", "name": "\"venv\"", "site": "\".venv\"", "standard-library": "true"}
                place: "bytekiln.toml:47" }
            ArtifactRule { name: "blob"
                kind: RustBlob
                embed_source: true
                written: {"embed-source": "true", "kind": "\"rust-blob\"", "name": "\"blob\""}
                place: "bytekiln.toml:52" }
        "##]],
    );
}

#[test]
fn words_that_look_like_numbers() {
    let workspace = loaded("");
    let arguments = ["optimize=1", "budget=1000", "tag=1.0", "root=2024", "owner=1:2"];
    let rule = artifact_from_arguments("layer", &arguments.map(str::to_owned), &workspace);
    let rule = rule.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rule.tag.as_deref(), Some("1.0"));
    assert_eq!(rule.root.to_string(), "2024");
    assert_eq!(rule.selection.budget, Some(1000));
    assert_eq!(rule.target.levels.len(), 1);
}

#[test]
fn from_arguments() {
    let workspace = loaded("");
    let check = |arguments: &[&str], expected: Expect| {
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let read = artifact_from_arguments("zipapp", &arguments, &workspace);
        expected.assert_eq(&match read {
            Ok(rule) => format!(
                "{:?} {:?} {:?} {:?} {:?} {}",
                rule.members,
                rule.main,
                rule.target.interpreters,
                rule.target.levels,
                rule.selection.budget,
                rule.place
            ),
            Err(error) => error.to_string(),
        });
    };
    check(
        &["members=a", "main=a:b", "python=3.10", "optimize=2", "budget=25MB"],
        expect![[
            r#"["a"] Some("a:b") [Version { numbers: [3, 10], free_threaded: false }] [Two] Some(25000000) --set:1"#
        ]],
    );
    check(
        &["members=['a', 'b']", "python=['3.14', 'python3']"],
        expect![[
            r#"["a", "b"] None [Version { numbers: [3, 14], free_threaded: false }, Command("python3")] [] None --set:1"#
        ]],
    );
    check(
        &["members"],
        expect![[r#"
        `members` is no `KEY=VALUE`
         --> --set"#]],
    );
    check(
        &["kind=tree"],
        expect![[r#"
        the kind of what is described is said once
         --> --set
          = help: remove `kind=` from what is set"#]],
    );
    check(
        &["members=c", "main=nothing"],
        expect![[r#"
        bad `artifact.main`: `nothing` is no entry point
         --> --set:5:8
          |
        5 | main = "nothing"
          |        ^^^^^^^^^
          = help: write `package.module:function`

        an artifact speaks of a member `c`, which is not there
         --> --set:4:12
          |
        4 | members = ["c"]
          |            ^^^
          = help: the members are: a, b"#]],
    );
    check(
        &["a b=1"],
        expect![[r#"
            unknown key `a b` in `artifact`
             --> --set:4:1
              |
            4 | "a b" = "1"
              | ^^^^^
              = help: known here are `name`, `kind`, `profile`, `python`, `optimize`, `mode`, `prefix`, `deploy-root`, `layout`, `members`, `out`, `dependencies`, `exclude`, `sourceless`, `keep-source`, `bytecode`, `arrangement`, `root`, `imports`, `budget`, `entry`, `reachable-only`, `main`, `shebang`, `compression`, `compression-level`, `owner`, `tag`, `wheel`, `build-tag`, `site`, `standard-library`, `embed-source` and `provenance`"#]],
    );
    check(
        &["=1"],
        expect![[r#"
            unknown key `` in `artifact`
             --> --set:4:1
              |
            4 | "" = "1"
              | ^^
              = help: known here are `name`, `kind`, `profile`, `python`, `optimize`, `mode`, `prefix`, `deploy-root`, `layout`, `members`, `out`, `dependencies`, `exclude`, `sourceless`, `keep-source`, `bytecode`, `arrangement`, `root`, `imports`, `budget`, `entry`, `reachable-only`, `main`, `shebang`, `compression`, `compression-level`, `owner`, `tag`, `wheel`, `build-tag`, `site`, `standard-library`, `embed-source` and `provenance`"#]],
    );
    check(
        &["main=[1"],
        expect![[r#"
        bad `artifact.main`: `[1` is no entry point
         --> --set:4:8
          |
        4 | main = "[1"
          |        ^^^^
          = help: write `package.module:function`"#]],
    );
    check(
        &["budget={a=1}"],
        expect![[r#"
        `artifact.budget` must be a string, not an inline table
         --> --set:4:10
          |
        4 | budget = {a=1}
          |          ^^^^^"#]],
    );
}
