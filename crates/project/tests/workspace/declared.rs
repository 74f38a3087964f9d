//! What members declare to depend on, as each tool writes it.

use bytekiln_project::declared_dependencies;
use bytekiln_test_support::fixture::Tree;
use expect_test::expect;

use crate::{load, redacted};

#[test]
fn in_every_form() {
    let tree = Tree::new(
        "
        //- /a/pyproject.toml
        [project]
        name = 'A.b_c'
        dependencies = ['Foo_Bar[x]>=1; python_version > \"3\"', ' baz @ file:///x', '']
        optional-dependencies.y = ['opt~=1']
        [dependency-groups]
        dev = ['pytest<9', { include-group = 'lint' }]
        lint = ['ruff']
        [tool.uv]
        dev-dependencies = ['old.style']
        //- /b/pyproject.toml
        [tool.poetry]
        name = 'b'
        [tool.poetry.dependencies]
        python = '^3.12'
        a-b-c = { path = '../a' }
        [tool.poetry.group.test.dependencies]
        Hypothesis = '*'
        //- /c/pyproject.toml
        [project]
        name = 'c'
        dynamic = ['version', 'dependencies']
        //- /d/pyproject.toml
        [project]
        dependencies = 'none'
        //- /e/m.py
        ",
    );
    let shown = || {
        let workspace = load(&tree, "").unwrap();
        let mut text = String::new();
        for (member, declared) in
            workspace.members.iter().zip(declared_dependencies(&workspace).unwrap())
        {
            let declared = declared.map(|one| (one.file.to_string(), one.name, one.dependencies));
            text.push_str(&format!("{}: {declared:?}\n", member.name));
        }
        text
    };
    expect![[r#"
        .: None
        A.b_c: Some(("a/pyproject.toml", "a-b-c", Some({"baz", "foo-bar", "old-style", "opt", "pytest", "ruff"})))
        b: Some(("b/pyproject.toml", "b", Some({"a-b-c", "hypothesis", "python"})))
        c: Some(("c/pyproject.toml", "c", None))
        d: None
    "#]].assert_eq(&shown());
    let workspace = load(&tree, "").unwrap();
    tree.write("a/pyproject.toml", "[project");
    let error = declared_dependencies(&workspace).unwrap_err();
    expect![[r#"
        unclosed table, expected `]`
         --> /ROOT/a/pyproject.toml:1:9
          |
        1 | [project
          |         ^"#]]
    .assert_eq(&redacted(&tree, &error.to_string()));
}
