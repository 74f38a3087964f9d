//! Which members a tree has, and what they import from.

use bytekiln_project::load_workspace;
use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use crate::{load, summary};

fn check_from(start: &str, fixture: &str, expected: Expect) {
    let tree = Tree::new(fixture);
    check_tree(&tree, start, expected);
}

fn check_tree(tree: &Tree, start: &str, expected: Expect) {
    match load(tree, start) {
        Ok(workspace) => expected.assert_eq(&summary(tree, &workspace)),
        Err(error) => panic!("{error}"),
    }
}

fn check(fixture: &str, expected: Expect) {
    check_from("", fixture, expected);
}

#[test]
fn nothing_but_sources_is_one_tree() {
    check(
        "//- /.git/HEAD\n//- /a.py\n//- /pkg/b.py\n",
        expect![[r#"
        root /ROOT, no settings
        . at . (Tree) imports from .
    "#]],
    );
    check(
        "//- /.git/HEAD\n//- /README\n",
        expect![[r#"
        root /ROOT, no settings
        . at . (Tree) imports from .
    "#]],
    );
}

#[test]
fn a_subfolder_belongs_to_its_repository() {
    check_from(
        "pkg/deep",
        "//- /.git/HEAD\n//- /pkg/deep/b.py\n",
        expect![[r#"
        root /ROOT, no settings
        . at . (Tree) imports from .
    "#]],
    );
}

#[test]
fn a_lone_project() {
    check(
        "
        //- /pyproject.toml
        [project]
        name = 'solo'
        //- /solo/__init__.py
        ",
        expect![[r#"
            root /ROOT, no settings
            solo at . (Pyproject) imports from .
        "#]],
    );
    check(
        "
        //- /pyproject.toml
        [project]
        name = 'solo'
        //- /src/solo/__init__.py
        //- /tests/test_solo.py
        ",
        expect![[r#"
            root /ROOT, no settings
            solo at . (Pyproject) imports from src
        "#]],
    );
    // A package of the name `src` is a package.
    check(
        "
        //- /pyproject.toml
        [project]
        name = 'solo'
        //- /src/__init__.py
        ",
        expect![[r#"
            root /ROOT, no settings
            solo at . (Pyproject) imports from .
        "#]],
    );
    // Settings of tools alone make no project.
    check(
        "
        //- /pyproject.toml
        [tool.ruff]
        line-length = 100
        //- /a.py
        ",
        expect![[r#"
            root /ROOT, no settings
            . at . (Tree) imports from .
        "#]],
    );
}

#[test]
fn listed_by_path_and_glob() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        members = ['libs/*', './apps/web/', 'nothing/*']
        exclude = ['libs/old']
        [files]
        exclude = ['**/generated/**']
        [member.web]
        include = ['web/**']
        import-roots = ['lib', '.']
        [member.'libs/b']
        name = 'bee'
        exclude = ['data/**']
        //- /apps/web/lib/x.py
        //- /apps/other/x.py
        //- /libs/a/pyproject.toml
        [project]
        name = 'project-a'
        //- /libs/a/src/ns/deep/a.py
        //- /libs/b/b.py
        //- /libs/old/c.py
        //- /libs/.hidden/c.py
        //- /libs/__pycache__/x.pyc
        //- /libs/file.py
        //- /libs/own/bytekiln.toml
        ",
        expect![[r#"
            root /ROOT, settings in /ROOT/bytekiln.toml
            web at apps/web (Listed) imports from apps/web/lib, apps/web include web/** exclude **/generated/**
            project-a at libs/a (Listed) imports from libs/a/src exclude **/generated/**
            bee at libs/b (Listed) imports from libs/b exclude **/generated/** data/**
            Warning: libs/own: is a workspace of its own (`libs/own/bytekiln.toml`), not taken for a member
              help: exclude it with `workspace.exclude` to silence this
            Warning: `nothing/*` matches no folder (bytekiln.toml:2:37)
              help: correct the pattern in `workspace.members`, or remove it
        "#]],
    );
}

#[test]
fn a_member_inside_a_member() {
    check(
        "
        //- /bytekiln.toml
        [workspace]
        members = ['.', 'vendor/six']
        exclude = ['third-party', 'vendor/*/gen', '**/attic', 'vendor/seven/x']
        //- /a.py
        //- /vendor/six/six.py
        ",
        expect![[r#"
            root /ROOT, settings in /ROOT/bytekiln.toml
            . at . (Listed) imports from . exclude third-party/** vendor/*/gen/** **/attic/** vendor/seven/x/**
            six at vendor/six (Listed) imports from vendor/six exclude gen/** **/attic/**
        "#]],
    );
}

#[test]
fn uv_workspace() {
    let fixture = "
        //- /pyproject.toml
        [project]
        name = 'top'
        [tool.uv.workspace]
        members = ['packages/*']
        exclude = ['packages/seeds']
        //- /packages/bird/pyproject.toml
        [project]
        name = 'bird'
        //- /packages/bird/src/bird/__init__.py
        //- /packages/seeds/pyproject.toml
        [project]
        name = 'seeds'
        //- /packages/notes/readme.md
        //- /elsewhere/pyproject.toml
        [project]
        name = 'elsewhere'
        //- /elsewhere/lib/x.py
        ";
    check_from(
        "packages/bird/src",
        fixture,
        expect![[r#"
        root /ROOT, no settings
        top at . (UvWorkspace) imports from . exclude packages/seeds/**
        bird at packages/bird (UvWorkspace) imports from packages/bird/src
        Warning: packages/notes: matched by `tool.uv.workspace.members`, but has no `pyproject.toml`
          help: uv refuses it; exclude it, or give it one
    "#]],
    );
    // Not listed by the workspace above, hence on its own, as for uv.
    check_from(
        "elsewhere/lib",
        fixture,
        expect![[r#"
        root /ROOT/elsewhere, no settings
        elsewhere at . (Pyproject) imports from .
    "#]],
    );
    check_from(
        "packages/seeds",
        fixture,
        expect![[r#"
        root /ROOT/packages/seeds, no settings
        seeds at . (Pyproject) imports from .
    "#]],
    );
}

#[test]
fn projects_are_searched() {
    check(
        "
        //- /.git/HEAD
        //- /.gitignore
        build/
        /local
        //- /pyproject.toml
        [tool.ruff]
        //- /a/pyproject.toml
        [project]
        name = 'a'
        //- /a/tests/data/pyproject.toml
        [project]
        name = 'test-data'
        //- /deep/er/b/pyproject.toml
        [tool.poetry]
        name = 'b'
        packages = [{ include = 'b', from = 'python' }]
        //- /deep/er/b/python/b/__init__.py
        //- /deep/.gitignore
        !build/
        //- /deep/build/pyproject.toml
        [build-system]
        //- /build/x/pyproject.toml
        [project]
        //- /local/pyproject.toml
        [project]
        //- /.venv/pyproject.toml
        [project]
        //- /env/pyvenv.cfg
        //- /env/lib/pyproject.toml
        [project]
        //- /node_modules/m/pyproject.toml
        [project]
        //- /broken/pyproject.toml
        [project
        //- /nested/bytekiln.toml
        //- /nested/inner/pyproject.toml
        [project]
        //- /package/__init__.py
        //- /package/templates/new/pyproject.toml
        [project]
        ",
        expect![[r#"
            root /ROOT, no settings
            . at . (Tree) imports from . exclude nested/**
            a at a (Pyproject) imports from a
            build at deep/build (Pyproject) imports from deep/build
            b at deep/er/b (Pyproject) imports from deep/er/b/python
            Warning: broken: not taken for a member: `pyproject.toml` line 1: unclosed table, expected `]`
              help: repair it, or exclude the folder with `workspace.exclude`
        "#]],
    );
}

#[test]
fn names_that_clash_get_their_path() {
    check(
        "
        //- /bytekiln.toml
        //- /a/pyproject.toml
        [project]
        name = 'same'
        //- /b/pyproject.toml
        [project]
        name = 'same'
        //- /c/tool/pyproject.toml
        [build-system]
        ",
        expect![[r#"
            root /ROOT, settings in /ROOT/bytekiln.toml
            . at . (Tree) imports from .
            same@a at a (Pyproject) imports from a
            same@b at b (Pyproject) imports from b
            tool at c/tool (Pyproject) imports from c/tool
        "#]],
    );
}

#[test]
fn a_nested_workspace_is_cut_out() {
    check(
        "
        //- /bytekiln.toml
        //- /a.py
        //- /inner[1]/pyproject.toml
        [tool.bytekiln]
        //- /inner[1]/b.py
        ",
        expect![[r#"
            root /ROOT, settings in /ROOT/bytekiln.toml
            . at . (Tree) imports from . exclude inner[[]1[]]/**
        "#]],
    );
}

#[test]
fn import_roots_of_build_back_ends() {
    check(
        "
        //- /.git/HEAD
        //- /find/pyproject.toml
        [build-system]
        [tool.setuptools.packages.find]
        where = ['lib', 'missing']
        //- /find/lib/m/__init__.py
        //- /hatch/pyproject.toml
        [build-system]
        [tool.hatch.build.targets.wheel]
        packages = ['source/hatched']
        //- /hatch/source/hatched/__init__.py
        //- /hatch-sources/pyproject.toml
        [build-system]
        [tool.hatch.build.targets.wheel.sources]
        'code' = ''
        'other' = 'renamed'
        //- /hatch-sources/code/m/__init__.py
        //- /maturin/pyproject.toml
        [build-system]
        [tool.maturin]
        python-source = 'python'
        //- /maturin/python/m/__init__.py
        //- /maturin/src/lib.rs
        //- /out/pyproject.toml
        [build-system]
        [tool.maturin]
        python-source = '../maturin/python'
        //- /package-dir/pyproject.toml
        [build-system]
        [tool.setuptools.package-dir]
        '' = 'lib'
        'named.deep' = 'other/named/deep'
        //- /package-dir/lib/m/__init__.py
        //- /package-dir/other/named/deep/__init__.py
        //- /pdm/pyproject.toml
        [build-system]
        [tool.pdm.build]
        package-dir = 'source'
        //- /pdm/source/m/__init__.py
        //- /rust/pyproject.toml
        [build-system]
        //- /rust/src/lib.rs
        //- /rust/rusty/__init__.py
        //- /uv/pyproject.toml
        [build-system]
        build-backend = 'uv_build'
        [tool.uv.build-backend]
        module-root = ''
        //- /uv/src/x.py
        ",
        expect![[r#"
            root /ROOT, no settings
            . at . (Tree) imports from .
            find at find (Pyproject) imports from find/lib
            hatch at hatch (Pyproject) imports from hatch/source
            hatch-sources at hatch-sources (Pyproject) imports from hatch-sources/code
            maturin at maturin (Pyproject) imports from maturin/python
            out at out (Pyproject) imports from out
            package-dir at package-dir (Pyproject) imports from package-dir/lib, package-dir/other
            pdm at pdm (Pyproject) imports from pdm/source
            rust at rust (Pyproject) imports from rust
            uv at uv (Pyproject) imports from uv
            Warning: find: `tool.setuptools.packages.find.where` names `missing`, which is not a folder
            Warning: out: `tool.maturin.python-source` names `../maturin/python`, outside of its project
              help: name the member's `import-roots` instead
        "#]],
    );
}

#[test]
fn settings_in_pyproject() {
    check_from(
        "lib/deep",
        "
        //- /pyproject.toml
        [project]
        name = 'root-project'
        [tool.bytekiln.workspace]
        members = ['lib']
        //- /lib/deep/a.py
        ",
        expect![[r#"
            root /ROOT, settings in /ROOT/pyproject.toml
            lib at lib (Listed) imports from lib
        "#]],
    );
}

const MIXED: &str = "
    //- /Cargo.toml
    [workspace]
    members = ['crates/*']
    //- /crates/plain/Cargo.toml
    [package]
    name = 'plain'
    //- /crates/plain/src/lib.rs
    //- /crates/py/Cargo.toml
    [package]
    name = 'words-py'
    [package.metadata.bytekiln]
    python-root = 'python'
    exclude = ['data/**']
    //- /crates/py/src/lib.rs
    //- /crates/py/python/words/__init__.py
    ";

#[test]
fn crates_with_python() {
    // From the package's own folder: its cargo workspace.
    check_from(
        "crates/py",
        MIXED,
        expect![[r#"
            root /ROOT, no settings
            . at . (Tree) imports from .
            words-py at crates/py/python (CargoPackage) imports from crates/py/python exclude data/**
        "#]],
    );
    // Named outright.
    let tree = Tree::new(MIXED);
    let manifest = tree.path("Cargo.toml");
    let workspace = load_workspace(tree.root(), Some(&manifest)).unwrap();
    expect![[r#"
        root /ROOT, no settings
        . at . (Tree) imports from .
        words-py at crates/py/python (CargoPackage) imports from crates/py/python exclude data/**
    "#]]
    .assert_eq(&summary(&tree, &workspace));
    // Found by the search of another manifest's workspace.
    tree.write("bytekiln.toml", "");
    check_tree(
        &tree,
        "crates/plain",
        expect![[r#"
            root /ROOT, settings in /ROOT/bytekiln.toml
            . at . (Tree) imports from .
            words-py at crates/py/python (CargoPackage) imports from crates/py/python exclude data/**
        "#]],
    );
    // maturin's own settings say the same: one member.
    tree.write(
        "crates/py/pyproject.toml",
        "[project]\nname = 'words'\n[tool.maturin]\npython-source = 'python'\n",
    );
    check_tree(
        &tree,
        "",
        expect![[r#"
            root /ROOT, settings in /ROOT/bytekiln.toml
            . at . (Tree) imports from .
            words at crates/py (Pyproject) imports from crates/py/python exclude python/data/**
        "#]],
    );
}

#[test]
fn settings_in_cargo_toml() {
    check_from(
        "crates/py",
        "
        //- /Cargo.toml
        [workspace]
        members = ['crates/*']
        [workspace.metadata.bytekiln.files]
        exclude = ['**/fixtures/**']
        //- /crates/py/Cargo.toml
        [package]
        name = 'words-py'
        metadata.bytekiln = { python-root = '../../python', name = 'words' }
        //- /crates/py/src/lib.rs
        //- /python/words/__init__.py
        ",
        expect![[r#"
            root /ROOT, settings in /ROOT/Cargo.toml
            . at . (Tree) imports from . exclude **/fixtures/**
            words at python (CargoPackage) imports from python exclude **/fixtures/**
        "#]],
    );
    // One package is its own workspace, settings and all.
    check_from(
        "python",
        "
        //- /Cargo.toml
        [package]
        name = 'single'
        [package.metadata.bytekiln]
        python-root = 'python'
        [package.metadata.bytekiln.workspace]
        python = '3.14'
        //- /src/lib.rs
        //- /python/single/__init__.py
        ",
        expect![[r#"
            root /ROOT, settings in /ROOT/Cargo.toml
            . at . (Tree) imports from .
            single at python (CargoPackage) imports from python
        "#]],
    );
}

#[test]
fn links_are_not_followed() {
    let tree = Tree::new(
        "
        //- /bytekiln.toml
        [workspace]
        members = ['libs/*']
        //- /libs/a/a.py
        ",
    );
    std::os::unix::fs::symlink(tree.path("libs/a"), tree.path("libs/b")).unwrap();
    check_tree(
        &tree,
        "",
        expect![[r#"
        root /ROOT, settings in /ROOT/bytekiln.toml
        a at libs/a (Listed) imports from libs/a
        Warning: libs/b: is a link, not taken for a member
          help: list the folder that it points to
    "#]],
    );
}

#[test]
fn a_named_folder_needs_no_manifest() {
    let tree = Tree::new("//- /bytekiln.toml\n//- /sub/pkg/a.py\n");
    let workspace = load_workspace(tree.root(), Some("sub".as_ref())).unwrap();
    expect![[r#"
        root /ROOT/sub, no settings
        . at . (Tree) imports from .
    "#]]
    .assert_eq(&summary(&tree, &workspace));
}

#[test]
fn the_examples_load_from_a_relative_path() {
    // Tests run in the package's folder.
    let check = |start: &str, manifest: Option<&str>, expected: Expect| {
        let workspace = load_workspace(start.as_ref(), manifest.map(AsRef::as_ref));
        let workspace = workspace.unwrap_or_else(|error| panic!("{error}"));
        let names: Vec<String> =
            workspace.members.iter().map(|one| format!("{} at {}", one.name, one.path)).collect();
        expected.assert_eq(&names.join(", "));
        assert!(workspace.problems.is_empty(), "{:?}", workspace.problems);
    };
    check(
        "../../examples/monorepo/libs/ledger/src",
        None,
        expect!["shop at apps/shop, ledger at libs/ledger, money at libs/money, tools at tools"],
    );
    check("../..", Some("examples/mixed-rust"), expect![". at ., words at crates/words-py"]);
    check(
        "../..",
        Some("examples/mixed-rust/Cargo.toml"),
        expect![". at ., words at crates/words-py"],
    );
    check("../../examples", Some("calculator"), expect![". at ."]);
}
