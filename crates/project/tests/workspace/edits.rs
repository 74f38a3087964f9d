//! `add` and `remove`: what becomes of the manifest, and what is said.

use std::os::unix::fs::PermissionsExt;

use bytekiln_project::{Edit, Workspace, WorkspaceError, add_member, remove_member};
use bytekiln_test_support::fixture::Tree;
use expect_test::{Expect, expect};

use crate::{load, redacted};

type Change = fn(&Workspace, &std::path::Path) -> Result<Edit, WorkspaceError>;

/// Applies one change, and shows what is said and the manifest, which must still load.
fn apply(tree: &Tree, change: Change, path: &str, manifest: &str, expected: Expect) {
    let workspace = load(tree, "").unwrap_or_else(|error| panic!("{error}"));
    let text = match change(&workspace, path.as_ref()) {
        Err(error) => error.to_string(),
        Ok(edit) => {
            let hint = edit.hint.map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
            let after = String::from_utf8(tree.read(manifest)).unwrap();
            format!("{:?}: {}{hint}\n---\n{after}", edit.outcome, edit.message)
        }
    };
    expected.assert_eq(&redacted(tree, &text));
    if let Err(error) = load(tree, "") {
        panic!("does not load any more: {error}");
    }
}

const LISTED: &str = "
    //- /bytekiln.toml
    # The house.
    [workspace] # all of it
    members = [
        # Shared code.
        'libs/*',  # every library

        'apps/web',   # the shop
        # Small ones.
        'tools'  # last, without a comma
    ]   # end
    exclude = ['libs/old', 'libs/older']

    # About tools.
    [member.tools]
    exclude = ['x/**']

    [profile.release]   # to ship
    optimize = [ 0,2 ]
    //- /libs/a/a.py
    //- /libs/old/a.py
    //- /libs/older/a.py
    //- /apps/web/w.py
    //- /apps/new/n.py
    //- /tools/t.py
    ";

#[test]
fn adding_to_a_list() {
    let tree = Tree::new(LISTED);
    apply(
        &tree,
        add_member,
        "apps/new/",
        "bytekiln.toml",
        expect![[r#"
        Added: added `apps/new` to `workspace.members` in `bytekiln.toml`
        ---
        # The house.
        [workspace] # all of it
        members = [
            # Shared code.
            'libs/*',  # every library

            'apps/web',   # the shop
            # Small ones.
            'tools',  # last, without a comma
            "apps/new"
        ]   # end
        exclude = ['libs/old', 'libs/older']

        # About tools.
        [member.tools]
        exclude = ['x/**']

        [profile.release]   # to ship
        optimize = [ 0,2 ]
    "#]],
    );
    apply(
        &tree,
        add_member,
        "apps/new",
        "bytekiln.toml",
        expect![[r#"
        AlreadyMember: `apps/new` is already a member, called `new`
        ---
        # The house.
        [workspace] # all of it
        members = [
            # Shared code.
            'libs/*',  # every library

            'apps/web',   # the shop
            # Small ones.
            'tools',  # last, without a comma
            "apps/new"
        ]   # end
        exclude = ['libs/old', 'libs/older']

        # About tools.
        [member.tools]
        exclude = ['x/**']

        [profile.release]   # to ship
        optimize = [ 0,2 ]
    "#]],
    );
    // Excluded by name, matched by a glob: the exclusion goes.
    apply(
        &tree,
        add_member,
        "libs/old",
        "bytekiln.toml",
        expect![[r#"
        Added: added `libs/old` to `workspace.members` in `bytekiln.toml`
        ---
        # The house.
        [workspace] # all of it
        members = [
            # Shared code.
            'libs/*',  # every library

            'apps/web',   # the shop
            # Small ones.
            'tools',  # last, without a comma
            "apps/new"
        ]   # end
        exclude = ['libs/older']

        # About tools.
        [member.tools]
        exclude = ['x/**']

        [profile.release]   # to ship
        optimize = [ 0,2 ]
    "#]],
    );
    apply(
        &tree,
        add_member,
        "apps/nowhere",
        "bytekiln.toml",
        expect![[r#"
        no such folder
         --> apps/nowhere"#]],
    );
    apply(
        &tree,
        add_member,
        "tools/t.py",
        "bytekiln.toml",
        expect![[r#"
        not a folder
         --> tools/t.py
          = help: members are folders"#]],
    );
    apply(
        &tree,
        add_member,
        "..",
        "bytekiln.toml",
        expect![[r#"
        not below the workspace
         --> ..
          = help: members are folders below it"#]],
    );
}

#[test]
fn removing_from_a_list() {
    let tree = Tree::new(LISTED);
    apply(
        &tree,
        remove_member,
        "tools",
        "bytekiln.toml",
        expect![[r#"
        Removed: removed `tools` from `workspace.members` in `bytekiln.toml`
        help: its settings in `[member.…]` went with it
        ---
        # The house.
        [workspace] # all of it
        members = [
            # Shared code.
            'libs/*',  # every library

            'apps/web'   # the shop
        ]   # end
        exclude = ['libs/old', 'libs/older']

        [profile.release]   # to ship
        optimize = [ 0,2 ]
    "#]],
    );
    apply(
        &tree,
        remove_member,
        "./apps/web",
        "bytekiln.toml",
        expect![[r#"
        Removed: removed `apps/web` from `workspace.members` in `bytekiln.toml`
        ---
        # The house.
        [workspace] # all of it
        members = [
            # Shared code.
            'libs/*'  # every library
        ]   # end
        exclude = ['libs/old', 'libs/older']

        [profile.release]   # to ship
        optimize = [ 0,2 ]
    "#]],
    );
    // Matched by a glob: excluded.
    apply(
        &tree,
        remove_member,
        "libs/a",
        "bytekiln.toml",
        expect![[r#"
        Removed: added `libs/a` to `workspace.exclude` in `bytekiln.toml`
        ---
        # The house.
        [workspace] # all of it
        members = [
            # Shared code.
            'libs/*'  # every library
        ]   # end
        exclude = ['libs/old', 'libs/older', "libs/a"]

        [profile.release]   # to ship
        optimize = [ 0,2 ]
    "#]],
    );
    apply(
        &tree,
        remove_member,
        "libs/a",
        "bytekiln.toml",
        expect![[r#"
        NoSuchMember: no such member `libs/a`
        ---
        # The house.
        [workspace] # all of it
        members = [
            # Shared code.
            'libs/*'  # every library
        ]   # end
        exclude = ['libs/old', 'libs/older', "libs/a"]

        [profile.release]   # to ship
        optimize = [ 0,2 ]
    "#]],
    );
}

#[test]
fn one_line_arrays() {
    let fixture = "
        //- /bytekiln.toml
        workspace = { members = [ 'a', 'b', 'c' ] } # one line
        //- /a/x.py
        //- /b/x.py
        //- /c/x.py
        //- /d/x.py
        ";
    let tree = Tree::new(fixture);
    apply(
        &tree,
        add_member,
        "d",
        "bytekiln.toml",
        expect![[r#"
        Added: added `d` to `workspace.members` in `bytekiln.toml`
        ---
        workspace = { members = [ 'a', 'b', 'c', "d" ] } # one line
    "#]],
    );
    apply(
        &tree,
        remove_member,
        "a",
        "bytekiln.toml",
        expect![[r#"
        Removed: removed `a` from `workspace.members` in `bytekiln.toml`
        ---
        workspace = { members = [ 'b', 'c', "d" ] } # one line
    "#]],
    );
    apply(
        &tree,
        remove_member,
        "d",
        "bytekiln.toml",
        expect![[r#"
        Removed: removed `d` from `workspace.members` in `bytekiln.toml`
        ---
        workspace = { members = [ 'b', 'c' ] } # one line
    "#]],
    );
    apply(
        &tree,
        remove_member,
        "b",
        "bytekiln.toml",
        expect![[r#"
        Removed: removed `b` from `workspace.members` in `bytekiln.toml`
        ---
        workspace = { members = [ 'c' ] } # one line
    "#]],
    );
    apply(
        &tree,
        remove_member,
        "c",
        "bytekiln.toml",
        expect![[r#"
        Removed: removed `c` from `workspace.members` in `bytekiln.toml`
        ---
        workspace = { members = [ ] } # one line
    "#]],
    );
    apply(
        &tree,
        add_member,
        "d",
        "bytekiln.toml",
        expect![[r#"
            Added: added `d` to `workspace.members` in `bytekiln.toml`
            ---
            workspace = { members = [ "d" ] } # one line
        "#]],
    );
}

#[test]
fn without_a_manifest() {
    let tree = Tree::new(
        "
        //- /.git/HEAD
        //- /a/pyproject.toml
        [project]
        name = 'project-a'
        //- /b/x.py
        ",
    );
    apply(
        &tree,
        add_member,
        "b",
        "bytekiln.toml",
        expect![[r#"
            Added: added `b` to `workspace.members` in `bytekiln.toml`
            help: the members found so far are listed too: a list replaces the search
            ---
            [workspace]
            members = [".", "a", "b"]
        "#]],
    );
    let tree = Tree::new("//- /.git/HEAD\n//- /a/x.py\n//- /b/pyproject.toml\n[project]\n");
    apply(
        &tree,
        remove_member,
        "b",
        "bytekiln.toml",
        expect![[r#"
        Removed: added `b` to `workspace.exclude` in `bytekiln.toml`
        ---
        [workspace]
        exclude = ["b"]
    "#]],
    );
    let tree = Tree::new("//- /.git/HEAD\n//- /a.py\n");
    apply(
        &tree,
        remove_member,
        ".",
        "bytekiln.toml",
        expect![[r#"
        the workspace's own folder is a member without being listed
         --> /ROOT/bytekiln.toml
          = help: list the members that you want in `workspace.members`"#]],
    );
    apply(
        &tree,
        remove_member,
        "nothing-like-it",
        "a.py",
        expect![[r#"
        NoSuchMember: no such member `nothing-like-it`
        ---
    "#]],
    );
}

#[test]
fn in_other_manifests() {
    let tree = Tree::new(
        "
        //- /pyproject.toml
        [project]
        name = 'top'   # the name

        [tool.bytekiln]   # nothing yet

        [tool.ruff]
        line-length = 100
        //- /lib/x.py
        ",
    );
    apply(
        &tree,
        add_member,
        "lib",
        "pyproject.toml",
        expect![[r#"
        Added: added `lib` to `workspace.members` in `pyproject.toml`
        help: the members found so far are listed too: a list replaces the search
        ---
        [project]
        name = 'top'   # the name

        [tool.bytekiln]   # nothing yet

        [tool.bytekiln.workspace]
        members = [".", "lib"]

        [tool.ruff]
        line-length = 100
    "#]],
    );
    let tree = Tree::new(
        "
        //- /Cargo.toml
        [workspace]
        members = ['rust']
        metadata.bytekiln.workspace.members = [] # none
        //- /rust/Cargo.toml
        [package]
        name = 'rust'
        //- /rust/src/lib.rs
        //- /lib/x.py
        ",
    );
    apply(
        &tree,
        add_member,
        "lib",
        "Cargo.toml",
        expect![[r#"
        Added: added `lib` to `workspace.members` in `Cargo.toml`
        ---
        [workspace]
        members = ['rust']
        metadata.bytekiln.workspace.members = ["lib"] # none
    "#]],
    );
    apply(
        &tree,
        remove_member,
        "lib",
        "Cargo.toml",
        expect![[r#"
        Removed: removed `lib` from `workspace.members` in `Cargo.toml`
        ---
        [workspace]
        members = ['rust']
        metadata.bytekiln.workspace.members = [] # none
    "#]],
    );
}

#[test]
fn links_and_modes() {
    let tree = Tree::new("//- /config/shared.toml\n# Kept.\n//- /a/x.py\n");
    std::os::unix::fs::symlink("config/shared.toml", tree.path("bytekiln.toml")).unwrap();
    std::os::unix::fs::symlink("a", tree.path("link")).unwrap();
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(tree.path("config/shared.toml"), mode).unwrap();
    apply(
        &tree,
        add_member,
        "a",
        "config/shared.toml",
        expect![[r#"
            Added: added `a` to `workspace.members` in `bytekiln.toml`
            help: the members found so far are listed too: a list replaces the search
            ---
            # Kept.
            [workspace]
            members = [".", "a"]
        "#]],
    );
    apply(
        &tree,
        add_member,
        "link",
        "config/shared.toml",
        expect![[r#"
        a link to `a`
         --> link
          = help: add the folder that it points to"#]],
    );
    assert!(tree.path("bytekiln.toml").is_symlink());
    let mode = std::fs::metadata(tree.path("config/shared.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(tree.files(), ["a/x.py", "bytekiln.toml", "config/shared.toml", "link"]);
}
