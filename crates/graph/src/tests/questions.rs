//! Questions to a graph.

use bytekiln_action::RepoPath;
use expect_test::{Expect, expect};

use super::fixture::{Workspace, chain, list, nodes, show};
use crate::{Change, Contract, Direction, Graph, Selector, Which};

const SHOP: &str = "
    python 15
    owner core member = core, std
    owner shop member = shop, core, std
    owner site distribution = site, std
    //- /core/core/__init__.py
    from . import settings
    //- /core/core/settings.py
    lazy import json
    //- /core/core/models.py
    import typing
    //- /shop/shop/__init__.py
    //- /shop/shop/cart.py
    from core.models import Model
    //- /shop/shop/views.py
    from shop.cart import Cart
    def page():
        import html
    if TYPE_CHECKING:
        import shop.admin
    //- /shop/shop/admin.py
    import core
    ";

#[track_caller]
fn closure(graph: &Graph, name: &str, which: Which, expected: Expect) {
    expected.assert_eq(&list(graph, &graph.closure(&nodes(graph, name), which)));
}

#[test]
fn closures() {
    let graph = Workspace::new(SHOP).graph();
    closure(
        &graph,
        "shop.views",
        Which::Eager,
        expect![[r#"
        core/core/__init__.py
        core/core/models.py
        core/core/settings.py
        shop/shop/__init__.py
        shop/shop/cart.py
        shop/shop/views.py
        standard-library typing
    "#]],
    );
    closure(
        &graph,
        "core.settings",
        Which::Eager,
        expect![[r#"
        core/core/__init__.py
        core/core/settings.py
    "#]],
    );
    closure(
        &graph,
        "core.settings",
        Which::WithLazy,
        expect![[r#"
        core/core/__init__.py
        core/core/settings.py
        standard-library json
    "#]],
    );
    closure(
        &graph,
        "shop.cart",
        Which::All,
        expect![[r#"
        core/core/__init__.py
        core/core/models.py
        core/core/settings.py
        shop/shop/__init__.py
        shop/shop/cart.py
        standard-library json
        standard-library typing
    "#]],
    );
    let eager = graph.closure(&nodes(&graph, "shop.views"), Which::Eager).len();
    let runtime = graph.closure(&nodes(&graph, "shop.views"), Which::Runtime).len();
    let all = graph.closure(&nodes(&graph, "shop.views"), Which::All).len();
    assert!(eager < runtime && runtime < all);
}

#[test]
fn neighbours_by_module_and_by_member() {
    let graph = Workspace::new(SHOP).graph();
    let cart = nodes(&graph, "shop.cart");
    let by = |direction| list(&graph, &graph.neighbours(cart[0], direction, Which::All));
    expect![[r#"
        core/core/models.py
    "#]]
    .assert_eq(&by(Direction::Dependencies));
    expect![[r#"
        shop/shop/views.py
    "#]]
    .assert_eq(&by(Direction::Dependents));
    let core = graph.nodes_of(0);
    let users = graph.neighbours_of_all(&core, Direction::Dependents, Which::All);
    expect![[r#"
        shop/shop/admin.py
        shop/shop/cart.py
    "#]]
    .assert_eq(&list(&graph, &users));
    assert_eq!(graph.owners_of(&users), [1]);
    let members = graph.owner_imports(Which::All);
    assert_eq!(members.len(), 1);
    let (from, to, count, first) = members[0];
    assert_eq!((from, to, count), (1, 0, 2));
    expect![[r#"
        shop/shop/admin.py:1:1 -> core/core/__init__.py
    "#]]
    .assert_eq(&chain(&graph, &[first]));
}

#[track_caller]
fn affected(graph: &Graph, changes: &[Change], expected: Expect) {
    let found = graph.affected(changes, Which::All);
    let mut text = String::new();
    for module in &found.modules {
        text.push_str(&format!("{} ({})\n", show(graph, module.module), module.distance));
        let why = found.why(graph, module.module);
        assert_eq!(why.len(), module.distance as usize);
        text.extend(chain(graph, &why).lines().map(|line| format!("    {line}\n")));
    }
    for (owner, nearest) in &found.owners {
        let owner = &graph.owners()[*owner as usize].name;
        text.push_str(&format!("member {owner}: {}\n", show(graph, *nearest)));
    }
    for at in &found.unknown {
        text.push_str(&format!("unknown {}\n", changes[*at].path));
    }
    expected.assert_eq(&text);
}

fn change(path: &str) -> Change {
    Change { tree: 0, path: RepoPath::new(path.as_bytes()).unwrap(), modules: Vec::new() }
}

/// astral-sh/uv#6356, #11955, #9626.
#[test]
fn affected_modules_and_members() {
    let graph = Workspace::new(SHOP).graph();
    affected(
        &graph,
        &[change("core/core/models.py"), change("README.md")],
        expect![[r#"
            core/core/models.py (0)
            shop/shop/cart.py (1)
                shop/shop/cart.py:1:1 -> core/core/models.py [name, unbound]
            shop/shop/views.py (2)
                shop/shop/views.py:1:1 -> shop/shop/cart.py [name, unbound]
                shop/shop/cart.py:1:1 -> core/core/models.py [name, unbound]
            member core: core/core/models.py
            member shop: shop/shop/cart.py
            unknown README.md
        "#]],
    );
    affected(
        &graph,
        &[change("core/core/settings.py")],
        expect![[r#"
            core/core/__init__.py (1)
                core/core/__init__.py:1:1 -> core/core/settings.py [relative]
            core/core/models.py (2)
                core/core/models.py:0:0 -> core/core/__init__.py [package]
                core/core/__init__.py:1:1 -> core/core/settings.py [relative]
            core/core/settings.py (0)
            shop/shop/admin.py (2)
                shop/shop/admin.py:1:1 -> core/core/__init__.py
                core/core/__init__.py:1:1 -> core/core/settings.py [relative]
            shop/shop/cart.py (3)
                shop/shop/cart.py:1:1 -> core/core/models.py [name, unbound]
                core/core/models.py:0:0 -> core/core/__init__.py [package]
                core/core/__init__.py:1:1 -> core/core/settings.py [relative]
            shop/shop/views.py (3)
                shop/shop/views.py:5:5 -> shop/shop/admin.py [type-checking]
                shop/shop/admin.py:1:1 -> core/core/__init__.py
                core/core/__init__.py:1:1 -> core/core/settings.py [relative]
            member core: core/core/settings.py
            member shop: shop/shop/admin.py
        "#]],
    );
    let data = Change { modules: nodes(&graph, "shop.admin"), ..change("shop/data.json") };
    affected(
        &graph,
        &[data],
        expect![[r#"
        shop/shop/admin.py (0)
        shop/shop/views.py (1)
            shop/shop/views.py:5:5 -> shop/shop/admin.py [type-checking]
        member shop: shop/shop/admin.py
    "#]],
    );
}

#[test]
fn a_deleted_module_is_missed() {
    let graph = Workspace::new(
        "
        deleted pkg/gone.py
        //- /pkg/__init__.py
        //- /pkg/gone.py
        //- /user.py
        from pkg import gone
        //- /other.py
        import pkg
        ",
    )
    .graph();
    affected(
        &graph,
        &[change("pkg/gone.py")],
        expect![[r#"
        pkg/gone.py (0)
        user.py (1)
            user.py:1:1 -> pkg/gone.py
        member main: pkg/gone.py
    "#]],
    );
}

#[test]
fn contracts() {
    let graph = Workspace::new(
        "
        owner core member = core, std
        owner shop member = shop, core, std
        //- /core/core/__init__.py
        //- /core/core/low.py
        import core.high
        //- /core/core/high.py
        from . import low
        def f():
            import json
        //- /shop/shop.py
        import core.low
        import core.high
        ",
    )
    .graph();
    let module = |name: &str| Selector::Module(name.to_owned());
    let owner = |name: &str| Selector::Owner(name.to_owned());
    let contracts = [
        Contract::Layers {
            name: "layers".to_owned(),
            layers: vec![vec![module("core.high")], vec![module("core.low")]],
        },
        Contract::Forbidden {
            name: "shop takes only the high road".to_owned(),
            from: vec![owner("shop")],
            to: vec![owner("core")],
            except: vec![module("core.high")],
        },
        Contract::Independent {
            name: "apart".to_owned(),
            groups: vec![module("core.high"), module("json")],
        },
    ];
    let shown = |which| {
        let mut text = String::new();
        for violation in graph.violations(&contracts, which) {
            text.push_str(&format!("{}: ", contracts[violation.contract].name()));
            text.push_str(&chain(&graph, &[violation.import]));
        }
        text
    };
    expect![[r#"
        layers: core/core/low.py:1:1 -> core/core/high.py
        shop takes only the high road: shop/shop.py:1:1 -> core/core/low.py
        apart: core/core/high.py:3:5 -> standard-library json [function]
    "#]]
    .assert_eq(&shown(Which::All));
    assert!(!shown(Which::Eager).contains("json"));
}

#[test]
fn fingerprints_follow_imports() {
    let before = Workspace::new(SHOP).graph();
    let after = Workspace::new(&SHOP.replace("import typing", "import typing, re")).graph();
    let changed = |which: Which| -> String {
        let (old, new) = (before.fingerprints(which), after.fingerprints(which));
        let find = |name: &str| before.find(name).first().map(|id| old[id.number() as usize]);
        after
            .nodes()
            .filter(|(id, node)| {
                node.file.is_some() && find(&node.name) != Some(new[id.number() as usize])
            })
            .map(|(id, _)| show(&after, id) + "\n")
            .collect()
    };
    expect![[r#"
        core/core/models.py
        shop/shop/cart.py
        shop/shop/views.py
    "#]]
    .assert_eq(&changed(Which::All));
    let (old, new) = (before.owner_fingerprints(Which::All), after.owner_fingerprints(Which::All));
    assert_eq!(old.len(), 2);
    assert!(old[0].1 != new[0].1 && old[1].1 != new[1].1);
}

#[test]
fn fingerprints_of_cycles_are_those_of_all_in_them() {
    let text = "//- /a.py\nimport b\n//- /b.py\nimport a\n//- /c.py\nimport b\n";
    let graph = Workspace::new(text).graph();
    let digests = graph.fingerprints(Which::Eager);
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[1], digests[2]);
    let other = Workspace::new(&text.replace("import a", "import a  # changed")).graph();
    assert!(digests.iter().zip(other.fingerprints(Which::Eager)).all(|(old, new)| *old != new));
}

#[test]
fn most_imported_first() {
    let graph = Workspace::new(SHOP).graph();
    let text: String = graph
        .most_imported(Which::All)
        .iter()
        .map(|(id, count)| format!("{count} {}\n", show(&graph, *id)))
        .collect();
    expect![[r#"
        1 core/core/__init__.py
        1 core/core/models.py
        1 core/core/settings.py
        1 shop/shop/admin.py
        1 shop/shop/cart.py
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_ring_of_thirty_thousand() {
    let mut text = String::new();
    for number in 0..30_000 {
        text.push_str(&format!("//- /m{number}.py\nimport m{}\n", (number + 1) % 30_000));
    }
    let graph = Workspace::new(&text).graph();
    let (first, last) = (graph.find("m0"), graph.find("m29999"));
    assert_eq!(graph.why(&first, &last, Which::Eager).unwrap().len(), 29_999);
    assert_eq!(graph.closure(&first, Which::Eager).len(), 30_000);
    let cycles = graph.cycles(Which::Eager);
    assert_eq!((cycles.len(), cycles[0].example.len(), cycles[0].cut.len()), (1, 30_000, 1));
    assert_eq!(graph.affected(&[change("m7.py")], Which::Eager).modules.len(), 30_000);
    assert_eq!(graph.fingerprints(Which::Eager).len(), 30_000);
}

#[test]
fn cuts_leave_no_cycle() {
    // Every module imports the one after, and some before.
    let mut text = String::new();
    for number in 0..60 {
        text.push_str(&format!("//- /m{number:02}.py\nimport m{:02}\n", (number + 1) % 60));
        text.push_str(&format!(
            "import m{:02}\nimport m{:02}\n",
            number * 7 % 60,
            number * 13 % 60
        ));
    }
    let graph = Workspace::new(&text).graph();
    let cycles = graph.cycles(Which::Eager);
    assert_eq!(cycles.len(), 1);
    let cut: std::collections::BTreeSet<(u32, u32)> =
        cycles[0].cut.iter().map(|cut| (cut.from.number(), cut.to.number())).collect();
    let mut left: String = String::new();
    for number in 0..60 {
        left.push_str(&format!("//- /m{number:02}.py\n"));
        for other in [(number + 1) % 60, number * 7 % 60, number * 13 % 60] {
            if !cut.contains(&(number, other)) {
                left.push_str(&format!("import m{other:02}\n"));
            }
        }
    }
    assert!(Workspace::new(&left).graph().cycles(Which::Eager).is_empty());
    assert!(cut.len() < 60, "{}", cut.len());
}

#[test]
fn groups_are_a_graph_too() {
    let graph = Workspace::new(SHOP).graph();
    let names = ["shop".to_owned(), "core".to_owned()];
    let group = |name: &str| {
        let head = name.split('.').next();
        names.iter().position(|group| Some(group.as_str()) == head).map_or(u32::MAX, |at| at as u32)
    };
    let group_of: Vec<u32> = graph.nodes().map(|(_, node)| group(&node.name)).collect();
    let (merged, imports) = graph.merged(&names, &group_of);
    let ids: Vec<_> = merged.nodes().map(|(id, _)| id).collect();
    assert_eq!(merged.nodes().map(|(_, node)| &*node.name).collect::<Vec<_>>(), ["shop", "core"]);
    // What is in no group is left out, and so is what a group imports of itself.
    let edges: Vec<_> = ids.iter().flat_map(|id| merged.imports(*id)).collect();
    assert!(edges.iter().any(|(_, edge)| edge.from == ids[0]));
    assert!(edges.iter().all(|(_, edge)| edge.from != edge.to));
    assert_eq!(imports.len(), edges.len());
    for ((_, edge), original) in edges.iter().zip(&imports) {
        let original = graph.edge(*original).unwrap();
        assert_eq!(edge.line, original.line);
        assert_eq!((edge.column, edge.kinds), (original.column, original.kinds));
    }
    let back: usize = ids.iter().map(|id| merged.importers(*id).count()).sum();
    assert_eq!(back, edges.len());
}
