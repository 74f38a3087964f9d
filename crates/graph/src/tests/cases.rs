//! Cases that users reported to other tools, each with its issue.

use expect_test::expect;

use super::check;
use super::fixture::{Workspace, chain, list, nodes};
use crate::{Direction, Which};

/// astral-sh/ruff#15195: edges with line and kind, not paths alone.
#[test]
fn ruff_15195_detailed_edges() {
    check(
        "
        //- /a.py
        from . import b
        import b
        def f():
            from b import x
        //- /b.py
        ",
        expect![[r#"
            a.py:1 -> unresolved . (no-package) [relative]
            a.py:2 -> b.py
            a.py:4 -> b.py [function, name, unbound]
        "#]],
    );
}

/// astral-sh/ruff#21426: what is not installed is told, not dropped.
#[test]
fn ruff_21426_missing_third_party() {
    check(
        "
        //- /a.py
        import pandas as pd
        import pandas.io.sql
        ",
        expect![[r#"
            a.py:1 -> unresolved pandas (not-found)
            a.py:2 -> unresolved pandas.io.sql (not-found)
        "#]],
    );
}

/// astral-sh/ruff#28276, bazel-contrib/rules_python#3097: a sibling in a package never hides the
/// standard library, one in a root does if that root comes first.
#[test]
fn ruff_28276_sibling_typing() {
    check(
        "
        owner first member = first, std
        owner last member = std, last
        script first/tools/run.py
        //- /first/pkg/__init__.py
        //- /first/pkg/typing.py
        //- /first/pkg/user.py
        import typing
        from . import typing as own
        //- /first/logging.py
        //- /first/main.py
        import logging, typing
        //- /first/tools/typing.py
        //- /first/tools/run.py
        import typing
        //- /last/typing.py
        //- /last/main.py
        import typing
        ",
        expect![[r#"
            first/main.py:1 -> first/logging.py
            first/main.py:1 -> standard-library typing
            first/pkg/user.py:1 -> standard-library typing
            first/pkg/user.py:2 -> first/pkg/typing.py [relative]
            first/tools/run.py:1 -> first/tools/typing.py
            last/main.py:1 -> standard-library typing
            Shadowed: first/logging.py, not standard-library logging
            Shadowed: first/tools/typing.py, not standard-library typing
            Shadowed: standard-library typing, not last/typing.py
        "#]],
    );
}

/// astral-sh/ruff#24183: members of one monorepo with modules of one name.
#[test]
fn ruff_24183_members_see_their_own() {
    check(
        "
        owner api member = api/src, shared/src, std
        owner web member = web/src, shared/src, std
        owner shared member = shared/src, std
        //- /api/src/config.py
        //- /api/src/main.py
        import config
        from shared import db
        import web
        //- /web/src/config.py
        //- /web/src/main.py
        import config
        //- /web/src/web/__init__.py
        //- /shared/src/shared/__init__.py
        //- /shared/src/shared/db.py
        import config
        ",
        expect![[r#"
            api/src/main.py:1 -> api/src/config.py
            api/src/main.py:2 -> shared/src/shared/db.py
            api/src/main.py:3 -> unresolved web (not-found)
            shared/src/shared/db.py:1 -> unresolved config (not-found)
            web/src/main.py:1 -> web/src/config.py
        "#]],
    );
}

/// bazel-contrib/rules_python#2203: relative imports.
#[test]
fn rules_python_2203_relative() {
    check(
        "
        //- /pkg/__init__.py
        //- /pkg/a/__init__.py
        //- /pkg/a/x.py
        from .y import z
        from ..b import w
        from . import y
        //- /pkg/a/y.py
        //- /pkg/b/__init__.py
        //- /pkg/b/w.py
        ",
        expect![[r#"
            pkg/a/x.py:1 -> pkg/a/y.py [name, unbound, relative]
            pkg/a/x.py:2 -> pkg/b/w.py [relative]
            pkg/a/x.py:3 -> pkg/a/y.py [relative]
        "#]],
    );
}

/// pantsbuild/pants#19521: ambiguity is told once, for what is imported, with both candidates; and
/// each importer takes what its own path has first.
#[test]
fn pants_19521_ambiguity() {
    check(
        "
        owner one member = one, two, std
        owner two member = two, one, std
        //- /one/lib.py
        //- /one/unused.py
        //- /one/a.py
        import lib
        //- /one/b.py
        import lib
        //- /two/lib.py
        //- /two/unused.py
        //- /two/c.py
        import lib
        ",
        expect![[r#"
            one/a.py:1 -> one/lib.py
            one/b.py:1 -> one/lib.py
            two/c.py:1 -> two/lib.py
            Shadowed: one/lib.py, not two/lib.py
            Shadowed: two/lib.py, not one/lib.py
        "#]],
    );
}

/// astral-sh/ruff#13431: cycles.
#[test]
fn ruff_13431_cycles() {
    let graph = Workspace::new(
        "
        //- /pkg/__init__.py
        from .a import x
        //- /pkg/a.py
        from . import b
        from . import b as again
        //- /pkg/b.py
        from .c import y
        //- /pkg/c.py
        from .a import x
        def f():
            import lonely
        //- /lonely.py
        import pkg.c
        ",
    )
    .graph();
    let shown = |which| {
        let mut text = String::new();
        for cycle in graph.cycles(which) {
            text.push_str(&format!("{} modules\n", cycle.modules.len()));
            text.push_str(&chain(&graph, &cycle.example));
            for cut in &cycle.cut {
                text.push_str("cut ");
                text.push_str(&chain(&graph, &cut.imports));
            }
        }
        text
    };
    expect![[r#"
        3 modules
        pkg/a.py:1:1 -> pkg/b.py [relative]
        pkg/b.py:1:1 -> pkg/c.py [name, unbound, relative]
        pkg/c.py:1:1 -> pkg/a.py [name, unbound, relative]
        cut pkg/c.py:1:1 -> pkg/a.py [name, unbound, relative]
    "#]]
    .assert_eq(&shown(Which::Eager));
    expect![[r#"
        4 modules
        lonely.py:1:1 -> pkg/c.py
        pkg/c.py:3:5 -> lonely.py [function]
        cut pkg/c.py:3:5 -> lonely.py [function]
        cut pkg/c.py:1:1 -> pkg/a.py [name, unbound, relative]
    "#]]
    .assert_eq(&shown(Which::All));
}

/// astral-sh/uv#6356, #11955: which members a change touches is in `questions`; here who depends on
/// one, pantsbuild/pants#11459: from, to, and why.
#[test]
fn pants_11459_why() {
    let graph = Workspace::new(
        "
        //- /app/__init__.py
        //- /app/main.py
        import app.middle
        //- /app/middle.py
        def f():
            from app import end
        //- /app/end.py
        ",
    )
    .graph();
    let (main, end) = (nodes(&graph, "app.main"), nodes(&graph, "app.end"));
    assert_eq!(graph.why(&main, &end, Which::Eager), None);
    let way = graph.why(&main, &end, Which::Runtime).unwrap();
    expect![[r#"
        app/main.py:1:1 -> app/middle.py
        app/middle.py:2:5 -> app/end.py [function]
    "#]]
    .assert_eq(&chain(&graph, &way));
    let all = graph.reach(&end, Direction::Dependents, Which::All);
    expect![[r#"
        app/end.py
        app/main.py
        app/middle.py
    "#]]
    .assert_eq(&list(&graph, &all));
}
