//! Each class on a made-up program.

use std::path::Path;

use serde_json::json;

use super::{Class, compare};
use crate::truth::facts::{Facts, Recording};

/// A graph of modules with files `/NAME.py`, with edges from, to, line and label.
fn facts(
    nodes: &[(&str, &str)],
    edges: &[(usize, usize, u64, &str)],
    eager: &[&str],
    runtime: &[&str],
) -> Facts {
    let modules: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(id, (kind, name))| {
            let imports: Vec<_> = edges
                .iter()
                .filter(|edge| edge.0 == id)
                .map(|(_, to, line, word)| json!({"to": to, "line": line, "kinds": [word]}))
                .collect();
            let path = (*kind == "module").then(|| format!("{name}.py"));
            json!({"name": name, "kind": kind, "tree": 0, "path": path, "imports": imports})
        })
        .collect();
    let text = json!({"trees": ["."], "modules": modules}).to_string();
    let mut facts = Facts::read(&text, Path::new("/")).unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    (facts.eager, facts.runtime, facts.all) = (names(eager), names(runtime), names(runtime));
    facts
}

/// A graph where `/main.py` imports `seen` at line 1, and in a function `late` at line 2; and what
/// ran: one search for `name`, from `/main.py`.
#[track_caller]
fn check(event: serde_json::Value, file: Option<&str>, expect: Option<Class>) {
    let facts = facts(
        &[("module", "main"), ("module", "seen"), ("module", "late"), ("unresolved", "made")],
        &[(0, 1, 1, ""), (0, 2, 2, "function"), (0, 3, 3, ""), (0, 2, 4, "type-checking")],
        &["main", "seen"],
        &["main", "seen", "late"],
    );
    let name = event["name"].clone();
    let name = name.as_str().unwrap();
    let recording = json!({
        "before": ["sys"], "built_in": ["sys"], "status": 0,
        "modules": {"__main__": "/main.py", "sys": null, "seen": "/seen.py", name: file},
        "events": [
            {"name": "seen", "file": "/main.py", "line": 1, "function": "<module>", "how": "statement"},
            event,
        ],
    });
    let recording = Recording::read(&recording.to_string()).unwrap();
    let verdict = compare(&facts, &recording, "/main.py");
    let classes: Vec<Class> = verdict.misses.iter().map(|miss| miss.class).collect();
    assert_eq!(classes, Vec::from_iter(expect));
    assert_eq!(verdict.hits, verdict.loaded - classes.len());
}

#[test]
fn classes() {
    let event = |name: &str, line: u64, function: &str, how: &str| json!({"name": name, "file": "/main.py", "line": line, "function": function, "how": how});
    let late = Some("/late.py");
    check(event("seen", 1, "<module>", "statement"), Some("/seen.py"), None);
    check(event("late", 2, "start", "statement"), late, Some(Class::Function));
    check(event("late", 2, "__getattr__", "statement"), late, Some(Class::LazyLoader));
    check(event("late", 4, "<module>", "statement"), late, Some(Class::Visible));
    check(event("late", 9, "<module>", "statement"), late, Some(Class::NoEdge));
    check(event("late", 9, "start", "import_module"), late, Some(Class::Call));
    check(event("late", 9, "start", "call"), late, Some(Class::Native));
    check(event("late", 9, "start", "extension"), late, Some(Class::Extension));
    check(event("made", 3, "<module>", "statement"), None, Some(Class::Made));
    check(event("made", 3, "<module>", "statement"), late, Some(Class::Made));
    let elsewhere =
        json!({"name": "late", "file": "<string>", "line": 1, "function": "f", "how": "statement"});
    check(elsewhere, late, Some(Class::Executed));
}

/// What a missed module imports is missed for the same reason.
#[test]
fn roots() {
    let facts = facts(
        &[("module", "main"), ("module", "a"), ("module", "b")],
        &[(0, 1, 2, "function"), (1, 2, 1, "")],
        &["main"],
        &["main", "a", "b"],
    );
    let recording = json!({
        "before": [], "built_in": [], "status": 0,
        "modules": {"__main__": "/main.py", "a": "/a.py", "b": "/b.py"},
        "events": [
            {"name": "a", "file": "/main.py", "line": 2, "function": "f", "how": "statement"},
            {"name": "b", "file": "/a.py", "line": 1, "function": "<module>", "how": "statement"},
        ],
    });
    let recording = Recording::read(&recording.to_string()).unwrap();
    let verdict = compare(&facts, &recording, "/main.py");
    let misses: Vec<_> =
        verdict.misses.iter().map(|miss| (miss.name.as_str(), miss.class, miss.indirect)).collect();
    assert_eq!(misses, [("a", Class::Function, false), ("b", Class::Function, true)]);
    assert_eq!((verdict.loaded, verdict.hits, verdict.runtime_hits), (2, 0, 2));
    assert_eq!((verdict.statements, verdict.unseen.len()), (2, 0));
}
