//! First manifests: what they say, and that they load to what was found.

use bytekiln_project::{InitialTarget, initial_manifest};
use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use crate::{load, redacted};

fn check(target: InitialTarget, fixture: &str, expected: Expect) {
    let tree = Tree::new(fixture);
    let before = load(&tree, "");
    let text = match initial_manifest(tree.root(), target) {
        Err(error) => error.to_string(),
        Ok(initial) => {
            let before = before.unwrap();
            assert_eq!(initial.members, before.members.len());
            initial.write().unwrap();
            let after = load(&tree, "").unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(after.manifest.as_deref(), Some(initial.path.as_path()));
            let paths = |members: &[bytekiln_project::Member]| -> Vec<String> {
                members.iter().map(|member| format!("{} {}", member.name, member.path)).collect()
            };
            assert_eq!(paths(&after.members), paths(&before.members));
            assert_eq!(after.profiles, before.profiles);
            initial.text
        }
    };
    expected.assert_eq(&redacted(&tree, &text));
}

#[test]
fn of_projects() {
    check(
        InitialTarget::Bytekiln,
        "
        //- /.git/HEAD
        //- /a/pyproject.toml
        [project]
        //- /b [x]/pyproject.toml
        [project]
        ",
        expect![[r##"
            # Bytekiln: what is compiled, by which interpreters, and where the results go.
            # What is commented out shows the default.

            [workspace]
            # Folders compiled and named together; globs too, such as "libs/*". Without this list
            # they are searched for.
            members = [
                ".",  # what lies outside of the projects
                "a",
                "b [[]x[]]",
            ]
            # Folders that belong to no member; globs, relative to this file.
            # exclude = []
            # Interpreters by version, path or command, for every profile that names none.
            # python = ["3.14"]

            # Globs for the files of every member, relative to the member's folder.
            # [files]
            # include = []
            # exclude = ["**/testdata/**"]

            # While you work: caches beside the sources, checked by content at import.
            [profile.dev]
            # mode = "checked-hash"
            # optimize = [0]
            # layout = "pycache"

            # To ship: trusted without a look at the source, in a tree for PYTHONPYCACHEPREFIX.
            [profile.release]
            # mode = "unchecked-hash"
            # optimize = [0]
            # layout = "prefix"
            # out = ".bytekiln/{profile}"
            # Where the workspace will be when the program runs, if not here.
            # deploy-root = "/app"

            # Files that may fail to compile, each with a reason and a last day.
            # [[allow-failure]]
            # path = "vendor/py2/**"
            # reason = "kept for reference"
            # expires = 2030-12-31

            # What the import graph is to know beyond the sources.
            # [graph]
            # Modules that come to be at build time.
            # generated = ["app.version"]
            # Data files, and the modules that a change of them affects.
            # data = { "app/templates/**" = ["app.views"] }

            # Who may import whom, for `bytekiln layers`: each of these only those after it.
            # [[graph.contract]]
            # name = "layers of the application"
            # layers = ["app.web", "app.shop | app.mail", "app.core"]
        "##]],
    );
}

#[test]
fn of_a_tree() {
    check(
        InitialTarget::Bytekiln,
        "//- /.git/HEAD\n//- /a.py\n",
        expect![[r##"
            # Bytekiln: what is compiled, by which interpreters, and where the results go.
            # What is commented out shows the default.

            [workspace]
            # No project was found below, so the whole tree is one member; list folders here
            # (globs too, such as "libs/*") to have several.
            # members = ["."]
            # Folders that belong to no member; globs, relative to this file.
            # exclude = []
            # Interpreters by version, path or command, for every profile that names none.
            # python = ["3.14"]

            # Globs for the files of every member, relative to the member's folder.
            # [files]
            # include = []
            # exclude = ["**/testdata/**"]

            # While you work: caches beside the sources, checked by content at import.
            [profile.dev]
            # mode = "checked-hash"
            # optimize = [0]
            # layout = "pycache"

            # To ship: trusted without a look at the source, in a tree for PYTHONPYCACHEPREFIX.
            [profile.release]
            # mode = "unchecked-hash"
            # optimize = [0]
            # layout = "prefix"
            # out = ".bytekiln/{profile}"
            # Where the workspace will be when the program runs, if not here.
            # deploy-root = "/app"

            # Files that may fail to compile, each with a reason and a last day.
            # [[allow-failure]]
            # path = "vendor/py2/**"
            # reason = "kept for reference"
            # expires = 2030-12-31

            # What the import graph is to know beyond the sources.
            # [graph]
            # Modules that come to be at build time.
            # generated = ["app.version"]
            # Data files, and the modules that a change of them affects.
            # data = { "app/templates/**" = ["app.views"] }

            # Who may import whom, for `bytekiln layers`: each of these only those after it.
            # [[graph.contract]]
            # name = "layers of the application"
            # layers = ["app.web", "app.shop | app.mail", "app.core"]
        "##]],
    );
}

#[test]
fn in_pyproject() {
    check(
        InitialTarget::Pyproject,
        "
        //- /pyproject.toml
        [project]
        name = 'top'
        [tool.uv.workspace]
        members = ['lib']
        //- /lib/pyproject.toml
        [project]
        name = 'lib'
        ",
        expect![[r#"
            [project]
            name = 'top'
            [tool.uv.workspace]
            members = ['lib']

            # Bytekiln: what is compiled, by which interpreters, and where the results go.
            # What is commented out shows the default.

            [tool.bytekiln.workspace]
            # Members are those of `[tool.uv.workspace]`; a list here takes its place.
            # members = []
            # Folders that belong to no member; globs, relative to this file.
            # exclude = []
            # Interpreters by version, path or command, for every profile that names none.
            # python = ["3.14"]

            # Globs for the files of every member, relative to the member's folder.
            # [tool.bytekiln.files]
            # include = []
            # exclude = ["**/testdata/**"]

            # While you work: caches beside the sources, checked by content at import.
            [tool.bytekiln.profile.dev]
            # mode = "checked-hash"
            # optimize = [0]
            # layout = "pycache"

            # To ship: trusted without a look at the source, in a tree for PYTHONPYCACHEPREFIX.
            [tool.bytekiln.profile.release]
            # mode = "unchecked-hash"
            # optimize = [0]
            # layout = "prefix"
            # out = ".bytekiln/{profile}"
            # Where the workspace will be when the program runs, if not here.
            # deploy-root = "/app"

            # Files that may fail to compile, each with a reason and a last day.
            # [[tool.bytekiln.allow-failure]]
            # path = "vendor/py2/**"
            # reason = "kept for reference"
            # expires = 2030-12-31

            # What the import graph is to know beyond the sources.
            # [tool.bytekiln.graph]
            # Modules that come to be at build time.
            # generated = ["app.version"]
            # Data files, and the modules that a change of them affects.
            # data = { "app/templates/**" = ["app.views"] }

            # Who may import whom, for `bytekiln layers`: each of these only those after it.
            # [[tool.bytekiln.graph.contract]]
            # name = "layers of the application"
            # layers = ["app.web", "app.shop | app.mail", "app.core"]
        "#]],
    );
    check(
        InitialTarget::Pyproject,
        "//- /.git/HEAD\n//- /a.py\n",
        expect![[r#"
        no such file to add to
         --> /ROOT/pyproject.toml
          = help: without one, `bytekiln init` makes a `bytekiln.toml`"#]],
    );
}

#[test]
fn not_twice() {
    let fixture = "//- /pyproject.toml\n[tool.bytekiln]\n";
    check(
        InitialTarget::Bytekiln,
        fixture,
        expect![[r#"
        there is a manifest already: `pyproject.toml`
         --> /ROOT/pyproject.toml
          = help: edit it, or use `bytekiln add`"#]],
    );
}

/// What the text shows as commented out is right too.
#[test]
fn comments_are_settings() {
    let tree = Tree::new("//- /.git/HEAD\n//- /a.py\n");
    let initial = initial_manifest(tree.root(), InitialTarget::Bytekiln).unwrap();
    let uncommented: String = initial
        .text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.contains(" = ") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    tree.write("bytekiln.toml", uncommented);
    let workspace = load(&tree, "").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(workspace.allowances.len(), 1);
    assert_eq!(workspace.members.len(), 1);
}
