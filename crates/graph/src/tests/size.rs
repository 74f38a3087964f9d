//! Sources that are large or deep on purpose: time and memory grow with what is in them, not with its
//! square. A quadratic step would take minutes here.

use crate::tests::Workspace;
use crate::{Kinds, NodeKind, Which};

/// Issue 4: ten thousand imports in one file, found or not, and as many names out of one module.
#[test]
fn ten_thousand_imports_in_one_file() {
    let mut text = String::from("//- /main.py\n");
    for number in 0..10_000 {
        text.push_str(&format!(
            "import a{number}, missing{number}.b\nfrom names import n{number}\n"
        ));
    }
    text.push_str("//- /names.py\n");
    for number in 0..10_000 {
        text.push_str(&format!("import a{number} as b{number}\n"));
    }
    for number in 0..10_000 {
        text.push_str(&format!("//- /a{number}.py\n"));
    }
    let graph = Workspace::new(&text).graph();
    let main = graph.find("main")[0];
    assert_eq!(graph.imports(main).count(), 30_000);
    let unbound = graph.imports(main).filter(|(_, edge)| edge.kinds.any(Kinds::UNBOUND)).count();
    assert_eq!(unbound, 10_000);
    assert_eq!(graph.closure(&[main], Which::Eager).len(), 20_002);
}

/// A path holds 4,096 bytes, so there can be a thousand packages in each other.
#[test]
fn a_thousand_packages_deep() {
    let mut text = String::new();
    let mut folder = String::new();
    for depth in 1..=1_000 {
        folder.push_str("/p");
        text.push_str(&format!("//- {folder}/__init__.py\nfrom . import p, x\nfrom .p import y\n"));
        if depth == 1_000 {
            text.push_str(&format!("//- {folder}/x.py\nfrom {} import z\n", ".".repeat(1_000)));
        }
    }
    let last = format!("{}.x", vec!["p"; 1_000].join("."));
    text.push_str(&format!("//- /main.py\nimport {last}\nimport {last}.q\n"));
    let graph = Workspace::new(&text).graph();
    let main = graph.find("main");
    let end = graph.find(&last);
    assert_eq!(
        graph
            .closure(&main, Which::Eager)
            .iter()
            .filter(|id| graph.node(**id).is_some_and(|node| node.file.is_some()))
            .count(),
        1_002
    );
    assert_eq!(graph.why(&main, &end, Which::Eager).map(|chain| chain.len()), Some(1));
}

/// Names that no path could hold, ten thousand of them.
#[test]
fn hostile_depths() {
    let long = vec!["a"; 2_000].join(".");
    let mut text = String::from("//- /main.py\n");
    for number in 0..2_000 {
        text.push_str(&format!("import m{number}.{long}\nimport pkg.m{number}.{long}\n"));
    }
    text.push_str(&format!("import {long}.{long}\n//- /pkg/__init__.py\n"));
    let graph = Workspace::new(&text).graph();
    let missing = |node: &crate::Node| matches!(node.kind, NodeKind::Unresolved(_));
    assert_eq!(graph.nodes().filter(|(_, node)| missing(node)).count(), 4_001);
}

/// Each module takes all of the next, the last all of the first; each package of a chain gets its names
/// by `from . import` from the one before.
#[test]
fn star_cycles_and_chains() {
    let mut text = String::new();
    let count = 3_000;
    for number in 0..count {
        let next = (number + 1) % count;
        text.push_str(&format!(
            "//- /p/m{number}.py\nfrom .m{next} import *\nfrom . import m{next}, n{number}\n"
        ));
    }
    text.push_str("//- /p/__init__.py\nfrom .m0 import *\n__all__ = [");
    for number in 0..count {
        text.push_str(&format!("'m{number}', "));
    }
    text.push_str("]\n//- /main.py\nfrom p import *\nfrom p import m0\n");
    let graph = Workspace::new(&text).graph();
    let main = graph.find("main");
    assert_eq!(graph.imports(main[0]).count(), count + 2);
    assert_eq!(graph.closure(&main, Which::Eager).len(), count + 2);
    let cycles = graph.cycles(Which::Eager);
    assert_eq!((cycles.len(), cycles[0].modules.len()), (1, count + 1));
}
