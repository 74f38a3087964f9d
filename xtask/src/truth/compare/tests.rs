//! Each class on a made-up program.

use serde_json::json;

use super::{Class, compare};
use crate::truth::facts::{Facts, Recording};

/// A graph where `/main.py` imports `seen` at line 1, and in a function `late` at line 2; and what
/// ran: one search for `name`, from `/main.py`.
#[track_caller]
fn check(event: serde_json::Value, file: Option<&str>, expect: Option<Class>) {
    let facts = json!({
        "nodes": [
            ["module", "main", "/main.py"],
            ["module", "seen", "/seen.py"],
            ["module", "late", "/late.py"],
            ["unresolved", "made", null],
        ],
        "edges": [[0, 1, 1, ""], [0, 2, 2, "function"], [0, 3, 3, ""], [0, 2, 4, "type-checking"]],
        "closures": {"eager": [0, 1, 3], "runtime": [0, 1, 2, 3], "all": [0, 1, 2, 3]},
    });
    let name = event["name"].clone();
    let name = name.as_str().unwrap();
    let recording = json!({
        "before": ["sys"], "built_in": ["sys"], "path": [], "standard_library": "/lib", "status": 0,
        "modules": {"__main__": "/main.py", "sys": null, "seen": "/seen.py", name: file},
        "events": [
            {"name": "seen", "file": "/main.py", "line": 1, "function": "<module>", "how": "statement"},
            event,
        ],
    });
    let facts = Facts::read(&facts.to_string()).unwrap();
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
    let facts = json!({
        "nodes": [["module", "main", "/main.py"], ["module", "a", "/a.py"], ["module", "b", "/b.py"]],
        "edges": [[0, 1, 2, "function"], [1, 2, 1, ""]],
        "closures": {"eager": [0], "runtime": [0, 1, 2], "all": [0, 1, 2]},
    });
    let recording = json!({
        "before": [], "built_in": [], "path": [], "standard_library": "/lib", "status": 0,
        "modules": {"__main__": "/main.py", "a": "/a.py", "b": "/b.py"},
        "events": [
            {"name": "a", "file": "/main.py", "line": 2, "function": "f", "how": "statement"},
            {"name": "b", "file": "/a.py", "line": 1, "function": "<module>", "how": "statement"},
        ],
    });
    let facts = Facts::read(&facts.to_string()).unwrap();
    let recording = Recording::read(&recording.to_string()).unwrap();
    let verdict = compare(&facts, &recording, "/main.py");
    let misses: Vec<_> =
        verdict.misses.iter().map(|miss| (miss.name.as_str(), miss.class, miss.indirect)).collect();
    assert_eq!(misses, [("a", Class::Function, false), ("b", Class::Function, true)]);
    assert_eq!((verdict.loaded, verdict.hits, verdict.runtime_hits), (2, 0, 2));
    assert_eq!((verdict.statements, verdict.unseen.len()), (2, 0));
}
