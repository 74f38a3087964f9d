//! What is a module, and whose.

use expect_test::{Expect, expect};

use super::{Tree, member, path, problems, render};

fn check(tree: &Tree, expected: &Expect) {
    expected.assert_eq(&render(&tree.load().graph));
}

#[test]
fn stubs_extensions_and_folders_of_data() {
    let tree = Tree::new(
        "
        //- /mine/pkg/__init__.py
        import pkg.fast, pkg.typed
        import pkg.data
        //- /mine/pkg/fast.cpython-314-x86_64-linux-gnu.so
        //- /mine/pkg/libx-1.so
        //- /mine/pkg/typed.py
        //- /mine/pkg/typed.pyi
        //- /mine/pkg/data/table.csv
        //- /mine/pkg/unused/table.csv
        //- /mine/pkg/two.v1.py
        ",
    );
    check(
        &tree,
        &expect![[r#"
        package pkg tree → pkg.fast@0:1 → pkg.typed@0:1 → pkg.data:2
        namespace pkg.data tree
        extension pkg.fast tree
        unimportable pkg/two.v1.py tree
        module pkg.typed tree
        stub pkg.typed tree
        namespace pkg.data -
    "#]],
    );
}

#[test]
fn an_extension_imports_what_the_source_beside_it_imports() {
    let tree = Tree::new(
        "
        //- /mine/pkg/__init__.py
        from . import fast, alone, top
        //- /mine/pkg/fast.cpython-314-x86_64-linux-gnu.so
        //- /mine/pkg/fast.py
        import json
        from .other import thing
        //- /mine/pkg/alone.so
        //- /mine/pkg/alone.pyi
        import json
        //- /mine/pkg/other.py
        thing = 1
        //- /mine/pkg/top/__init__.so
        //- /mine/pkg/top/__init__.py
        from . import below
        //- /mine/pkg/top/below.py
        ",
    );
    check(
        &tree,
        &expect![[r#"
        package pkg tree → pkg.alone@0:1 → pkg.fast@0:1 → pkg.top@0:1
        stub pkg.alone tree → json:1
        extension pkg.alone tree
        extension pkg.fast tree → json:1 → pkg.other@0:2
        module pkg.fast tree → json:1 → pkg.other@0:2
        module pkg.other tree
        module pkg.top tree → pkg@0:1
        package pkg.top tree → pkg.top.below@0:1
        module pkg.top.below tree
        standard-library json -
    "#]],
    );
}

#[test]
fn scripts_see_their_own_folder_first_and_modules_in_packages_do_not() {
    let tree = Tree::with(
        "
        //- /mine/pyproject.toml
        //- /mine/pkg/__init__.py
        //- /mine/pkg/typing.py
        //- /mine/pkg/module.py
        import typing
        //- /mine/tools/typing.py
        //- /mine/tools/run-it.py
        import typing
        //- /mine/tools/__main__.py
        import typing
        //- /mine/tools/plain.py
        import typing
        ",
        vec![member("app", "", &[""])],
    );
    check(
        &tree,
        &expect![[r#"
        package pkg app
        module pkg.module app → typing:1
        module pkg.typing app
        module tools.__main__ app → tools.typing@0:1
        module tools.plain app → typing:1
        module tools.run-it app → tools.typing@0:1
        module tools.typing app
        namespace tools -
        standard-library typing -
    "#]],
    );
}

#[test]
fn a_tree_of_programs_comes_before_the_standard_library_and_a_project_after() {
    let sources = "
        //- /mine/typing.py
        //- /mine/main.py
        import typing
        ";
    let shadowed = render(&Tree::new(sources).load().graph);
    assert!(shadowed.contains("module main tree → typing@0:1"), "{shadowed}");
    let tree = Tree::new(&format!("{sources}//- /mine/pyproject.toml\n"));
    let installed = render(&tree.load().graph);
    assert!(installed.contains("module main tree → typing:1"), "{installed}");
}

#[test]
fn members_see_each_other_after_themselves() {
    let tree = Tree::with(
        "
        //- /mine/a/src/a/__init__.py
        import shared, b
        //- /mine/a/src/shared.py
        //- /mine/b/src/b/__init__.py
        import shared, a
        //- /mine/b/src/shared.py
        ",
        vec![member("a", "a", &["a/src"]), member("b", "b", &["b/src"])],
    );
    check(
        &tree,
        &expect![[r#"
        package a a → shared@0:1 → b@0:1
        module shared a
        package b b → a@0:1 → shared@0:1
        module shared b
    "#]],
    );
}

#[test]
fn deleted_files_are_found_if_they_are_gone_and_in_scope() {
    let mut tree = Tree::new(
        "
        //- /mine/a.py
        import gone, there
        //- /mine/there.py
        ",
    );
    tree.deleted = vec![path("gone.py"), path("there.py"), path("gone.py")];
    check(
        &tree,
        &expect![[r#"
        module a tree → gone@0:1 → there@0:1
        deleted gone tree
        module there tree
    "#]],
    );
    // And such a graph is not kept.
    tree.age();
    assert!(!tree.load().kept);
    assert!(!tree.load().kept);
}

#[test]
fn generated_modules_are_known() {
    let mut tree = Tree::new(
        "
        //- /mine/a.py
        import built.version, proto.x
        ",
    );
    tree.workspace.graph.generated = vec!["built.version".to_owned(), "proto.*".to_owned()];
    check(
        &tree,
        &expect![[r#"
        module a tree → built.version:1 → proto.x:1
        generated built.version -
        generated proto.x -
    "#]],
    );
}

#[test]
fn problems_are_told_and_the_rest_is_kept() {
    let tree = Tree::new(
        "
        //- /mine/broken.py
        import a
        x = '''
        import b
        //- /mine/a.py
        //- /mine/b.py
        //- /mine/pkg.py
        //- /mine/pkg/__init__.py
        //- /mine/Case.py
        //- /mine/case.py
        ",
    );
    super::write(&tree.workspace.root.join("latin.py"), "");
    let latin = b"# coding: latin-1\nimport a # \xe9\n";
    std::fs::write(tree.workspace.root.join("latin.py"), latin).unwrap();
    std::fs::write(tree.workspace.root.join("wide.py"), b"\xff\xfei\0m\0").unwrap();
    let loaded = tree.load();
    expect![[r#"
        Case.py: its name differs from `case.py` in case only
        broken.py: line 2: string is not terminated
        pkg.py: one module has two sources: this file and `pkg/__init__.py`
        wide.py: line 1: not a text in an encoding that contains ASCII
    "#]]
    .assert_eq(&problems(&loaded));
    expect![[r#"
        module Case tree
        module a tree
        module b tree
        module broken tree → a@0:1 → b@0:3
        module case tree
        module latin tree → a@0:2
        module pkg tree
        package pkg tree
        module wide tree
    "#]]
    .assert_eq(&render(&loaded.graph));
}

#[test]
fn lazy_statements_are_told_where_the_target_does_not_know_them() {
    let mut tree = Tree::new(
        "
        //- /mine/a.py
        import b
        lazy import b
        //- /mine/b.py
        lazy = 1
        ",
    );
    let loaded = tree.load();
    expect![[r#"
        a.py: line 2: `lazy` before an import is a syntax error in Python 3.14
    "#]]
    .assert_eq(&problems(&loaded));
    tree.release = 15;
    assert_eq!(problems(&tree.load()), "");
}

#[test]
fn ignored_files_links_and_excluded_files_are_as_the_build_has_them() {
    let mut tree = Tree::new(
        "
        //- /mine/.gitignore
        ignored.py
        //- /mine/ignored.py
        //- /mine/a.py
        //- /mine/excluded/b.py
        //- /beside/far.py
        //- /mine/.hidden/c.py
        ",
    );
    tree.workspace.members[0].exclude = vec!["excluded".to_owned()];
    let root = &tree.workspace.root;
    std::os::unix::fs::symlink("a.py", root.join("link.py")).unwrap();
    std::os::unix::fs::symlink("../beside/far.py", root.join("far.py")).unwrap();
    check(
        &tree,
        &expect![[r#"
        module a tree
        module link tree
    "#]],
    );
}
