//! Cases that users reported to other tools about several roots, members and lazy imports, each with its
//! issue.

use expect_test::expect;

use super::check;
use super::fixture::{Workspace, list, nodes, show};
use crate::{Change, Kinds, NodeKind, Reason, Which};

/// astral-sh/ruff#20701, tach-org/tach#564: roots that are no `src` of the project, below each other or
/// beside it.
#[test]
fn ruff_20701_tach_564_custom_roots() {
    check(
        "
        owner app member = app/python/lib, app/python, tools, std
        //- /app/python/main.py
        import engine.core, helper
        from vendored import thing
        //- /app/python/lib/engine/__init__.py
        //- /app/python/lib/engine/core.py
        import main
        //- /app/python/lib/vendored.py
        thing = 1
        //- /tools/helper.py
        ",
        expect![[r#"
            app/python/lib/engine/core.py:1 -> app/python/main.py
            app/python/main.py:1 -> app/python/lib/engine/core.py
            app/python/main.py:1 -> tools/helper.py
            app/python/main.py:2 -> app/python/lib/vendored.py [name]
        "#]],
    );
}

/// astral-sh/ruff#28541, pypa/build#1021: what is imported at start is told apart from what lazy imports
/// bring later, and before 3.15 a `__lazy_modules__` changes nothing.
#[test]
fn ruff_28541_lazy_and_eager_closures() {
    let text = "
        python 15
        //- /app/__init__.py
        //- /app/cli.py
        __lazy_modules__ = ['app.slow', 'json']
        import app.fast
        from app import slow
        lazy import app.rare
        lazy from app.rare import thing
        import json
        def f():
            import app.inner
        //- /app/fast.py
        //- /app/slow.py
        import app.below
        //- /app/rare.py
        //- /app/inner.py
        //- /app/below.py
        ";
    let closure = |text: &str, which| {
        let graph = Workspace::new(text).graph();
        list(&graph, &graph.closure(&nodes(&graph, "app.cli"), which))
    };
    expect![[r#"
        app/__init__.py
        app/below.py
        app/cli.py
        app/fast.py
        app/slow.py
    "#]]
    .assert_eq(&closure(text, Which::Eager));
    expect![[r#"
        app/__init__.py
        app/below.py
        app/cli.py
        app/fast.py
        app/rare.py
        app/slow.py
        standard-library json
    "#]]
    .assert_eq(&closure(text, Which::WithLazy));
    assert!(closure(text, Which::Runtime).contains("app/inner.py"));
    let before = text.replace("python 15", "python 14");
    expect![[r#"
        app/__init__.py
        app/below.py
        app/cli.py
        app/fast.py
        app/slow.py
        standard-library json
    "#]]
    .assert_eq(&closure(&before, Which::Eager));
}

/// pantsbuild/pants#18388: a file belongs to the nearest root around it, whatever roots are around that.
#[test]
fn pants_18388_nearest_root() {
    check(
        "
        owner all member = ., services/billing, std
        //- /services/billing/billing/__init__.py
        //- /services/billing/billing/api.py
        from . import models
        from billing import models as again
        //- /services/billing/billing/models.py
        //- /main.py
        import billing.api, services.billing.billing.models
        ",
        expect![[r#"
            main.py:1 -> services/billing/billing/api.py
            main.py:1 -> services/billing/billing/models.py
            services/billing/billing/api.py:1 -> services/billing/billing/models.py [relative]
            services/billing/billing/api.py:2 -> services/billing/billing/models.py
        "#]],
    );
}

/// astral-sh/uv#6356, #11955, #9626, C2SM/icon4py#1291: which members a change touches, how far, and why;
/// a member that is imported by type checkers only is touched for those who ask for all.
#[test]
fn uv_6356_affected_members() {
    let graph = Workspace::new(
        "
        owner core member = core, std
        owner api member = api, core, std
        owner web member = web, api, std
        owner docs member = docs, core, std
        //- /core/core.py
        //- /api/api.py
        def f(): import core
        //- /web/web.py
        import api
        //- /docs/docs.py
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            import core
        ",
    )
    .graph();
    let change = Change {
        tree: 0,
        path: bytekiln_action::RepoPath::new(b"core/core.py").unwrap(),
        modules: Vec::new(),
    };
    let shown = |which| {
        let affected = graph.affected(std::slice::from_ref(&change), which);
        let mut text = String::new();
        for (owner, nearest) in &affected.owners {
            let steps: Vec<String> = affected
                .why(&graph, *nearest)
                .into_iter()
                .filter_map(|id| graph.edge(id))
                .map(|edge| format!("{}:{}", show(&graph, edge.from), edge.line))
                .collect();
            let name = &graph.owners()[*owner as usize].name;
            let steps = if steps.is_empty() { "changed".to_owned() } else { steps.join(", ") };
            text.push_str(&format!("{name}: {steps}\n"));
        }
        text
    };
    expect![[r#"
        core: changed
        api: api/api.py:1
        web: web/web.py:1, api/api.py:1
    "#]]
    .assert_eq(&shown(Which::Runtime));
    expect![[r#"
        core: changed
        api: api/api.py:1
        web: web/web.py:1, api/api.py:1
        docs: docs/docs.py:3
    "#]]
    .assert_eq(&shown(Which::All));
}

/// astral-sh/ruff#24757: what others read is stable; a change here is a change of the schema.
#[test]
fn ruff_24757_words_of_the_schema() {
    let kinds: Vec<&str> = (0..14).flat_map(|bit| Kinds::from_bits(1 << bit).words()).collect();
    expect!["lazy function conditional optional fallback type-checking main never dynamic string star package name unbound"]
    .assert_eq(&kinds.join(" "));
    let nodes = [
        NodeKind::Module,
        NodeKind::Package,
        NodeKind::Unimportable,
        NodeKind::Stub,
        NodeKind::Extension,
        NodeKind::Deleted,
        NodeKind::Namespace,
        NodeKind::StandardLibrary,
        NodeKind::External,
        NodeKind::Generated,
        NodeKind::Unresolved(Reason::NotFound),
    ];
    expect!["module package unimportable stub extension deleted namespace standard-library external generated unresolved"]
    .assert_eq(&nodes.map(NodeKind::word).join(" "));
    let reasons = [
        Reason::NotFound,
        Reason::NoSubmodule,
        Reason::NotAPackage,
        Reason::BeyondTopLevel,
        Reason::NoPackage,
        Reason::Computed,
    ];
    expect!["not-found no-submodule not-a-package beyond-top-level no-package computed"]
        .assert_eq(&reasons.map(Reason::word).join(" "));
}

/// What `Eager` follows: imports that a test decides at run time, and both sides of a `try`, are; what
/// the target decides against, type checkers, `if False` and scripts are not.
#[test]
fn eager_follows_what_may_run() {
    let graph = Workspace::new(
        "
        //- /app.py
        import sys, os
        from typing import TYPE_CHECKING
        if os.environ.get('X'):
            import maybe
        else:
            import otherwise
        try:
            import fast
        except ImportError:
            import slow
        if sys.version_info >= (3, 12):
            import new
        else:
            import old
        if sys.platform == 'win32':
            import windows
        elif sys.platform == 'linux' or hasattr(os, 'fork'):
            import unix
        else:
            import nowhere
        if TYPE_CHECKING:
            import types_only
        elif TYPE_CHECKING or os.name:
            import either
        if not TYPE_CHECKING:
            import at_run_time
        if False:
            import never
        if __name__ == '__main__':
            import script
        //- /maybe.py
        //- /otherwise.py
        //- /fast.py
        //- /slow.py
        //- /new.py
        //- /old.py
        //- /windows.py
        //- /unix.py
        //- /nowhere.py
        //- /types_only.py
        //- /either.py
        //- /at_run_time.py
        //- /never.py
        //- /script.py
        ",
    )
    .graph();
    expect![[r#"
        app.py
        at_run_time.py
        either.py
        fast.py
        maybe.py
        new.py
        otherwise.py
        slow.py
        unix.py
        standard-library os
        standard-library sys
        standard-library typing
    "#]]
    .assert_eq(&list(&graph, &graph.closure(&nodes(&graph, "app"), Which::Eager)));
}
