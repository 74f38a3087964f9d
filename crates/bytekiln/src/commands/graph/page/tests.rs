//! The page against the document that it was made of, names that try to break out, its size; and its
//! scripts in Node.js, where that is installed.

use std::process::{Command, Stdio};

use bytekiln_action::RepoPath;
use bytekiln_graph::{Kinds, NodeKind, OwnerKind, Reason};
use expect_test::expect;
use serde_json::Value;

use super::*;
use crate::commands::graph::cyclic::Cycles;
use crate::commands::graph::document::{EdgeRow, ModuleRow, OwnerRow, any_node};
use crate::commands::graph::rows::EdgeRows;

/// Dotted name and path.
type Name = (String, RepoPath);

/// From, to, line.
type Import = (u32, u32, u32, Kinds);

fn document<'a>(
    owners: &[(&'a str, OwnerKind)],
    modules: Vec<ModuleRow<'a>>,
    edges: &[Import],
) -> GraphDocument<'a> {
    GraphDocument {
        python: "3.14".to_owned(),
        platform: None,
        follow: "workspace",
        imports: "all",
        by: "module",
        focus: Vec::new(),
        title: "shop".to_owned(),
        trees: vec![".".to_owned(), ".venv/lib".to_owned()],
        owners: owners.iter().map(|&(name, kind)| OwnerRow { name, kind }).collect(),
        modules,
        edges: EdgeRows::Picked(
            edges
                .iter()
                .map(|&(from, to, line, kinds)| EdgeRow { from, to, line, column: 1, kinds })
                .collect(),
        ),
        groups: Vec::new(),
        group_edges: Vec::new(),
        cycles: Cycles::default(),
        ambiguities: Vec::new(),
        problems: &[],
    }
}

fn module<'a>(
    name: &'a str,
    kind: NodeKind,
    owner: Option<u32>,
    file: Option<(u32, &'a RepoPath)>,
) -> ModuleRow<'a> {
    ModuleRow { node: any_node(), name, kind, owner, file, group: None }
}

fn page(document: &GraphDocument<'_>) -> String {
    let mut out = Vec::new();
    render(document, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn data_text(page: &str) -> &str {
    let (_, rest) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    rest.split_once("</script>").unwrap().0
}

#[test]
fn the_data_are_the_document() {
    let path = |text: &str| RepoPath::new(text.as_bytes()).unwrap();
    let paths = [
        path("src/shop/__init__.py"),
        path("src/shop/cart.py"),
        path("tools/do-it.py"),
        path("six.py"),
    ];
    let member = ("shop", OwnerKind::Member);
    let modules = vec![
        module("shop", NodeKind::Package, Some(0), Some((0, &paths[0]))),
        module("shop.cart", NodeKind::Module, Some(0), Some((0, &paths[1]))),
        module("tools/do-it.py", NodeKind::Unimportable, Some(0), Some((0, &paths[2]))),
        module("six", NodeKind::Module, Some(1), Some((1, &paths[3]))),
        module("shop.lost", NodeKind::Unresolved(Reason::NoSubmodule), None, None),
    ];
    let lazy = Kinds::LAZY.with(Kinds::STAR);
    let edges =
        [(1, 0, 0, Kinds::PACKAGE), (1, 3, 4, lazy), (1, 4, 7, Kinds::NONE), (2, 3, 1, lazy)];
    let document = document(&[member, ("six", OwnerKind::Distribution)], modules, &edges);
    let page = page(&document);
    let data: Value = serde_json::from_str(data_text(&page)).unwrap();
    let lines: Vec<String> = data
        .as_object()
        .unwrap()
        .iter()
        .filter(|(key, _)| *key != "version")
        .map(|(key, value)| format!("{key}: {value}\n"))
        .collect();
    expect![[r#"
        ambiguities: []
        edges: [[],[0,0,0,3,4,1,4,7,2],[3,1,1],[],[]]
        folders: ["src/shop","tools",".venv/lib"]
        kinds: ["package","module","unimportable","unresolved: no-submodule"]
        labels: [["package"],["lazy","star"],[]]
        nodes: [[0,0,0,"shop",0,1],[1,0,1,"cart",0,0],[2,0,0,"tools/do-it.py",1,"do-it.py"],[1,1,0,"six",2,0],[3,-1,1,"lost",-1,0]]
        owners: [["shop","member"],["six","distribution"]]
        prefixes: ["","shop"]
        scope: "all imports"
        target: "Python 3.14"
        title: "shop"
    "#]].assert_eq(&lines.concat());
    assert_eq!(page, self::page(&document));
}

#[test]
fn names_stay_names() {
    let hostile = [
        "a</script><script>alert(1)</script>",
        "<!--<script>/\"'&amp;\\",
        "{{data}}.{{scripts}}",
        "new\nline\u{1b}[0m",
        "\u{2028}.\u{202e}",
        "</SCRIPT >]]>",
    ];
    let modules: Vec<ModuleRow<'_>> =
        hostile.iter().map(|name| module(name, NodeKind::External, Some(0), None)).collect();
    let mut document = document(&[("</script><b>{{data}}", OwnerKind::Member)], modules, &[]);
    document.title = "</title><script>{{data}}".to_owned();
    let page = page(&document);
    // One for the data, one for the code.
    assert_eq!(page.to_lowercase().matches("</script").count(), 2);
    assert_eq!(page.matches("<title>").count(), page.matches("</title>").count());
    assert!(!page.contains("<!--") && !page.contains('\u{2028}'));
    let data: Value = serde_json::from_str(data_text(&page)).unwrap();
    assert_eq!(data["title"], document.title);
    for (number, name) in hostile.iter().enumerate() {
        let (prefix, leaf) =
            (&data["nodes"][number][2], data["nodes"][number][3].as_str().unwrap());
        let prefix = data["prefixes"][prefix.as_u64().unwrap() as usize].as_str().unwrap();
        let whole = if prefix.is_empty() { leaf.to_owned() } else { format!("{prefix}.{leaf}") };
        assert_eq!(whole, *name);
    }
}

#[test]
fn a_page_needs_nothing_else() {
    let page = page(&document(&[], Vec::new(), &[]));
    for sign in [
        "http:",
        "https:",
        "src=",
        "url(",
        "import(",
        "XMLHttp",
        "fetch(",
        "innerHTML",
        "{{s",
        "{{d",
        "{{t",
        "eval(",
    ] {
        assert!(!page.contains(sign), "{sign}");
    }
    assert!(page.contains("default-src 'none'"));
}

/// Modules `member_M.package_P.module_N`, each importing those of numbers that a fixed rule gives.
fn large(modules: u32, imports: u32) -> (Vec<Name>, Vec<Import>) {
    let names = (0..modules).map(|number| {
        let (member, package) = (number / 250, number / 25);
        let name = format!("member_{member}.package_{package}.module_{number}");
        let path = format!("libs/member-{member}/src/{}.py", name.replace('.', "/"));
        (name, RepoPath::new(path.as_bytes()).unwrap())
    });
    let edges = (0..modules).flat_map(|from| {
        (0..imports).map(move |number| {
            // Mostly near and downwards, some far, a few back.
            let step = (number * number * 37 + from * 13)
                % if number % 4 == 0 { modules } else { modules.min(60) };
            let to = if number == 7 { from + step } else { from + modules - step } % modules;
            let kinds = if number % 3 == 0 { Kinds::FUNCTION } else { Kinds::NONE };
            (from, to, number + 1, kinds)
        })
    });
    (names.collect(), edges.collect())
}

fn large_page(modules: u32, imports: u32) -> String {
    let (names, edges) = large(modules, imports);
    let owners: Vec<String> =
        (0..=modules / 250).map(|member| format!("member-{member}")).collect();
    let owners: Vec<(&str, OwnerKind)> =
        owners.iter().map(|name| (name.as_str(), OwnerKind::Member)).collect();
    let any = any_node();
    let rows = (0_u32..).zip(&names).map(|(number, (name, path))| ModuleRow {
        node: any,
        name,
        kind: NodeKind::Module,
        owner: Some(number / 250),
        file: Some((0, path)),
        group: None,
    });
    page(&document(&owners, rows.collect(), &edges))
}

#[test]
fn a_large_page_is_bounded() {
    let page = large_page(10_000, 10);
    // Modules 50 bytes, imports 20.
    assert!(page.len() < 10_000 * 50 + 100_000 * 20 + 200_000, "{}", page.len());
}

/// Node.js is nothing that the tool or its checks install: without it, the test says so.
#[test]
fn boxes_stand_apart_and_arrows_imply_the_rest() {
    let scripts = SCRIPTS.get(..4).unwrap().concat() + include_str!("layout_test.js");
    let found = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        println!("skipped: there is no `node` to run the page's scripts");
        return;
    }
    for (modules, imports) in [(0, 0), (3, 2), (50, 3), (1_000, 6)] {
        let page = large_page(modules, imports);
        let mut child = Command::new("node")
            .args(["-e", &scripts])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(data_text(&page).as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let (out, error) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(out, "held\n", "{modules} modules: {error}");
    }
}
