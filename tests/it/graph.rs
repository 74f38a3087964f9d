//! `graph`: every fact in JSON, forms that their readers can read, and bad input.

use serde_json::Value;

use crate::sandbox::{Output, Sandbox};

/// Two members of a uv workspace, with every kind of import and of module.
pub(crate) const SHOP: &str = r#"
    //- /pyproject.toml
    [project]
    name = "shop-workspace"
    version = "0"
    [tool.uv.workspace]
    members = ["packages/*"]
    //- /packages/app/pyproject.toml
    [project]
    name = "app"
    version = "1"
    dependencies = ["lib"]
    //- /packages/app/src/app/__init__.py
    //- /packages/app/src/app/main.py
    import json
    from typing import TYPE_CHECKING
    lazy import lib.slow
    from . import views
    from lib.names import *
    from lib.names import NAME
    import lib.tool, app.data.table, lib.fast
    if TYPE_CHECKING:
        import lib.kinds
    try:
        import orjson
    except ImportError:
        orjson = None
    import missing_thing.part
    def go():
        import importlib
        importlib.import_module("lib.plugin")
    if __name__ == "__main__":
        import lib.plugin
    //- /packages/app/src/app/views.py
    from .main import go
    from .gone import nothing
    //- /packages/app/src/app/data/table.py
    from ..views import go
    //- /packages/lib/pyproject.toml
    [project]
    name = "lib"
    version = "1"
    //- /packages/lib/src/lib/__init__.py
    //- /packages/lib/src/lib/names.py
    NAME = 1
    //- /packages/lib/src/lib/slow.py
    //- /packages/lib/src/lib/kinds.py
    //- /packages/lib/src/lib/plugin.py
    //- /packages/lib/src/lib/fast.py
    //- /packages/lib/src/lib/fast.pyi
    import lib.kinds
    //- /packages/lib/src/lib/tool.py
    //- /packages/lib/src/lib/tool/__init__.py
"#;

fn graph(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut all = vec!["graph", "--python", "3.15", "--no-venv"];
    all.extend_from_slice(arguments);
    sandbox.run(&all)
}

/// The JSON form, checked against its schema.
fn json(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut all = vec!["--format", "json"];
    all.extend_from_slice(arguments);
    let output = graph(sandbox, &all).success();
    let value: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", output.shown()));
    let schema: Value = serde_json::from_str(include_str!("../../docs/graph.schema.json")).unwrap();
    validate(&schema, &schema, &value, "$");
    value
}

/// The part of JSON Schema that the file uses; beyond it, what is written must be documented.
fn validate(root: &Value, schema: &Value, value: &Value, place: &str) {
    for key in schema.as_object().unwrap().keys() {
        let known = [
            "$schema",
            "$id",
            "$ref",
            "$defs",
            "title",
            "description",
            "type",
            "required",
            "properties",
            "items",
            "enum",
            "const",
            "minimum",
            "minItems",
            "uniqueItems",
            "pattern",
        ];
        assert!(known.contains(&key.as_str()), "`{key}` of the schema is not checked");
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(schema.get("type").is_none() && schema.get("properties").is_none(), "{place}");
        return validate(root, root.pointer(pointer).unwrap(), value, place);
    }
    let kinds = match &schema["type"] {
        Value::Null => Vec::new(),
        Value::String(kind) => vec![kind.as_str()],
        other => other.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.is_empty() || kinds.contains(&kind), "{place} is of type {kind}");
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{place}: {value} is no documented word");
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{place}");
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_i64(), value.as_i64()) {
        assert!(number >= least, "{place}");
    }
    if let Some(object) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(object.contains_key(name.as_str().unwrap()), "{place} lacks {name}");
        }
        for (name, field) in object {
            let described = schema["properties"].get(name);
            let described = described.unwrap_or_else(|| panic!("{place}.{name} is not documented"));
            validate(root, described, field, &format!("{place}.{name}"));
        }
    }
    if let Some(list) = value.as_array() {
        assert!(list.len() as u64 >= schema["minItems"].as_u64().unwrap_or(0), "{place}");
        for (index, element) in list.iter().enumerate() {
            validate(root, &schema["items"], element, &format!("{place}[{index}]"));
        }
    }
}

fn name(graph: &Value, id: &Value) -> String {
    let module = &graph["modules"][usize::try_from(id.as_u64().unwrap()).unwrap()];
    assert_eq!(module["id"], *id);
    module["name"].as_str().unwrap().to_owned()
}

/// `importer:line -> imported [kinds]`, without own packages.
fn imports(graph: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for module in graph["modules"].as_array().unwrap() {
        for import in module["imports"].as_array().unwrap() {
            let words: Vec<_> = import["kinds"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap())
                .collect();
            if !words.contains(&"package") {
                let from = module["name"].as_str().unwrap();
                let (line, to) = (&import["line"], name(graph, &import["to"]));
                lines.push(
                    format!("{from}:{line} -> {to} {}", words.join(" ")).trim_end().to_owned(),
                );
            }
        }
    }
    lines
}

/// `name kind reason path`.
fn modules(graph: &Value) -> Vec<String> {
    let modules = graph["modules"].as_array().unwrap();
    let text = |module: &Value, key: &str| module[key].as_str().unwrap_or("-").to_owned();
    let keys = ["name", "kind", "reason", "path"];
    modules.iter().map(|module| keys.map(|key| text(module, key)).join(" ")).collect()
}

#[test]
fn every_fact_is_in_json() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let graph = json(&sandbox, &[]);
    assert_eq!(
        imports(&graph),
        [
            "app.data.table:1 -> app.views name relative",
            "app.main:1 -> json",
            "app.main:2 -> typing name",
            "app.main:3 -> lib.slow lazy",
            "app.main:4 -> app.views relative",
            "app.main:5 -> lib.names star",
            "app.main:6 -> lib.names name",
            "app.main:7 -> app.data.table",
            "app.main:7 -> lib.fast",
            "app.main:7 -> lib.tool",
            "app.main:9 -> lib.kinds type-checking",
            "app.main:11 -> orjson optional",
            "app.main:14 -> missing_thing.part",
            "app.main:16 -> importlib function",
            "app.main:17 -> lib.plugin function dynamic",
            "app.main:19 -> lib.plugin main",
            "app.views:1 -> app.main name relative",
            "app.views:2 -> app.gone relative",
            "lib.fast:1 -> lib.kinds type-checking",
        ]
    );
    let modules = modules(&graph);
    for expected in [
        "app package - packages/app/src/app/__init__.py",
        "lib.fast stub - packages/lib/src/lib/fast.pyi",
        "lib.fast module - packages/lib/src/lib/fast.py",
        "app.data namespace - -",
        "json standard-library - -",
        "orjson unresolved not-found -",
        "missing_thing.part unresolved not-found -",
        "app.gone unresolved no-submodule -",
    ] {
        assert!(modules.contains(&expected.to_owned()), "no `{expected}` in {modules:#?}");
    }
    assert_eq!(graph["target"]["python"], "3.15");
    let cycle = graph["cycles"][0]["modules"].as_array().unwrap();
    let cycle: Vec<_> = cycle.iter().map(|id| name(&graph, id)).collect();
    assert_eq!(cycle, ["app.data.table", "app.main", "app.views"]);
    let ambiguity = &graph["ambiguities"][0];
    assert_eq!(ambiguity["kind"], "same-folder");
    assert_eq!(ambiguity["name"], "lib.tool");
    assert_ne!(ambiguity["chosen"], ambiguity["hidden"]);
    let column = |line: usize| {
        let main = graph["modules"].as_array().unwrap().iter().find(|m| m["name"] == "app.main");
        let imports = main.unwrap()["imports"].as_array().unwrap();
        imports.iter().filter(|i| i["line"] == line).map(|i| i["column"].as_u64().unwrap()).max()
    };
    assert_eq!(column(9), Some(5), "columns count from 1");
}

#[test]
fn output_does_not_depend_on_threads_and_order() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let one = graph(&sandbox, &["--format", "json", "--jobs", "1"]).success().stdout;
    assert_eq!(graph(&sandbox, &["--format", "json", "--jobs", "8"]).success().stdout, one);
    // The same tree, made in another order, elsewhere.
    let mut files = bytekiln_test_support::fixture::parse(SHOP);
    files.reverse();
    let Some(other) = Sandbox::new("") else { return };
    for file in files {
        other.write(&file.path, file.content);
    }
    assert_eq!(graph(&other, &["--format", "json"]).success().stdout, one);
}

#[test]
fn parts() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let names = |arguments: &[&str]| {
        let graph = json(&sandbox, arguments);
        let modules = graph["modules"].as_array().unwrap().iter();
        modules.map(|module| module["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&["--to", "lib.slow", "--internal"]),
        ["app.data.table", "app.main", "app.views", "lib.slow"]
    );
    assert_eq!(names(&["--to", "lib.slow", "--imports", "eager"]), ["lib.slow"]);
    assert_eq!(
        names(&["--from", "app.main", "--to", "lib.names", "--internal"]),
        ["app.data.table", "app.main", "app.views", "lib.names"]
    );
    let around = names(&["--around", "packages/app/src/app/data/table.py"]);
    assert_eq!(around, ["app.data.table", "app.main", "app.views"]);
    assert_eq!(names(&["--from", "lib.*", "--distance", "0"]).len(), 9);
    let focus = json(&sandbox, &["--from", "member:lib"]);
    assert_eq!(focus["focus"][0]["text"], "member:lib");
    assert_eq!(focus["focus"][0]["modules"].as_array().unwrap().len(), 9);
}

#[test]
fn groups() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let graph = json(&sandbox, &["--by", "member"]);
    let groups = graph["groups"].as_array().unwrap();
    let names: Vec<_> = groups.iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["app", "lib", "namespace packages", "standard library", "unresolved"]);
    let to_lib = groups[0]["imports"].as_array().unwrap();
    let to_lib = to_lib.iter().find(|import| import["to"] == 1).unwrap();
    assert_eq!(to_lib["count"], 8);
    assert_eq!(to_lib["which"], "eager");
    assert_eq!(to_lib["first"]["line"], 3);
    let counted: u64 = groups.iter().map(|group| group["modules"].as_u64().unwrap()).sum();
    assert_eq!(counted, graph["modules"].as_array().unwrap().len() as u64);
}

#[test]
fn people_are_taught() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let output = graph(&sandbox, &[]).success();
    for part in [
        "     Modules 13 files for Python 3.15: 9 modules, 3 packages, 1 stub\n",
        "     Imports 19: 13 at import, 1 lazy, 3 in functions or under `__main__`, 2 for type checkers\n",
        "             of these 1 in `try`, 1 dynamic, 1 of `*`\n",
        "             app                 4       14            0\n",
        "  Unresolved 2 names, in 2 imports (1 more is in `try`",
        "`missing_thing`: nothing of this name is on sys.path (packages/app/src/app/main.py:14)\n",
        "`app.gone`: the package has no such module (packages/app/src/app/views.py:2)\n",
        "`lib.tool` is `packages/lib/src/lib/tool/__init__.py`, and not `packages/lib/src/lib/tool.py`",
        "      Cycles 1 of imports that run at import, of 3 modules\n",
    ] {
        assert!(output.stdout.contains(part), "no `{part}` in\n{}", output.shown());
    }
}

#[test]
fn drawings() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    let dot = graph(&sandbox, &["--format", "dot"]).success().stdout;
    assert!(dot.starts_with("digraph \"work\" {\n") && dot.ends_with("}\n"), "{dot}");
    assert_eq!(dot.matches("  subgraph cluster_").count(), 2);
    assert!(dot.contains("[style=dashed]") && dot.contains("[style=dotted"), "{dot}");
    let mermaid = graph(&sandbox, &["--format", "mermaid", "--by", "member"]).success().stdout;
    assert!(mermaid.starts_with("flowchart LR\n  n0[\"app\"]\n"), "{mermaid}");
    assert!(mermaid.contains("  n0 -->|8| n1\n"), "{mermaid}");
    let page = graph(&sandbox, &["--format", "html", "-o", "graph.html"]).success();
    assert_eq!(page.stdout, "");
    assert!(sandbox.read("graph.html").starts_with(b"<!"));
    let map = graph(&sandbox, &["--format", "json-map"]).success().stdout;
    let map: Value = serde_json::from_str(&map).unwrap();
    let views = map["packages/app/src/app/views.py"].as_array().unwrap();
    assert_eq!(views, &["packages/app/src/app/main.py"]);
}

/// GitHub draws no flowchart of more than 500 arrows, and nobody reads one.
#[test]
fn large_graphs_are_grouped() {
    let Some(sandbox) = Sandbox::new("") else { return };
    sandbox.write("bytekiln.toml", "[workspace]\n");
    for package in 0..9 {
        sandbox.write(&format!("p{package}/__init__.py"), "");
        for module in 0..60 {
            let imports: String =
                (0..9).map(|other| format!("import p{other}.m{}\n", (module + 1) % 60)).collect();
            sandbox.write(&format!("p{package}/m{module}.py"), imports);
        }
    }
    let output = graph(&sandbox, &["--format", "mermaid"]).success();
    let output = output.says(&["549 modules are drawn as 9 nodes, by package", "--by", "--around"]);
    assert_eq!(output.stdout.matches("-->").count(), 72, "{}", output.shown());
    let output = graph(&sandbox, &["--format", "mermaid", "--by", "module"]).success();
    output.says(&["4860 arrows", "GitHub draws at most 500"]);
    let output = graph(&sandbox, &["--format", "dot"]).success();
    assert_eq!(output.stdout.matches(" -> ").count(), 72, "{}", output.shown());
}

#[test]
fn bad_sources() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    sandbox.write("packages/lib/src/lib/broken.py", "import lib.slow\ndef f(:\nimport lib.kinds\n");
    sandbox.write("packages/lib/src/lib/latin.py", b"# coding: latin-1\nimport lib.slow # \xe4\n");
    let many: String = (0..10_000).map(|number| format!("import lib.n{number}\n")).collect();
    sandbox.write("packages/lib/src/lib/many.py", many);
    sandbox.write("packages/lib/src/lib/quote\"\n.py", "import lib.slow\n");
    let output = graph(&sandbox, &["--format", "dot", "--to", "lib.slow"]).success();
    assert!(output.stdout.contains("quote\\\"\\\\x0a.py"), "{}", output.shown());
    let output = graph(&sandbox, &["--format", "json"]).success();
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    let lines = imports(&value);
    for expected in
        ["lib.broken:1 -> lib.slow", "lib.broken:3 -> lib.kinds", "lib.latin:2 -> lib.slow"]
    {
        assert!(lines.contains(&expected.to_owned()), "no `{expected}`");
    }
    assert_eq!(lines.iter().filter(|line| line.starts_with("lib.many:")).count(), 10_000);
    let problem = value["problems"].as_array().unwrap().iter();
    let problem = problem.filter(|problem| problem["path"] == "packages/lib/src/lib/broken.py");
    assert_eq!(problem.count(), 1, "the broken file is reported");
}

#[test]
fn wrong_arguments() {
    let Some(sandbox) = Sandbox::new(SHOP) else { return };
    for (arguments, says) in [
        (&["--from", "app.mian"][..], "did you mean `app.main`?"),
        (&["--from", "member:ap"], "did you mean `member:app`?"),
        (&["--from", "member:zzzzzz"], "there are `app`, `lib`, `shop-workspace`"),
        (&["--from", "dist:requests"], "there is no distribution `requests`"),
        (&["--from", "json.tool"], "--follow all"),
        (&["--from", "packages/app/pyproject.toml"], "holds no module of this workspace"),
        (&["--format", "png"], "json-map"),
        (&["--depth", "0"], "0"),
    ] {
        graph(&sandbox, arguments).code(2).says(&[says]);
    }
    graph(&sandbox, &["-o", "no/such/folder.json"]).code(1).says(&["no/such/folder.json"]);
    assert!(!sandbox.path("no").exists());
}
