//! Cycles as JSON: the schema of `docs/deps.md`.

use serde_json::{Map, Value, json};

use super::Answer;
use super::find::{Found, Link};
use crate::arguments::CyclesBy;
use crate::commands::edges::{LEVELS, import_json, level_word};

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-cycles/1";

pub(super) fn render(answer: &Answer<'_>) -> String {
    let by = match answer.arguments.by {
        CyclesBy::Module => "module",
        CyclesBy::Package => "package",
        CyclesBy::Member => "member",
    };
    let mut counts: Map<String, Value> = Map::new();
    for level in LEVELS {
        let count = answer.cycles.iter().filter(|cycle| cycle.closed_by == level).count();
        counts.insert(level_word(level).to_owned(), count.into());
    }
    let cycles: Vec<Value> = answer.cycles.iter().map(|one| cycle(answer, one)).collect();
    let value = json!({
        "schema": SCHEMA,
        "by": by,
        "imports": level_word(answer.which),
        "counts": counts,
        "success": !answer.arguments.deny || answer.refused() == 0,
        "cycles": cycles,
    });
    format!("{value:#}\n")
}

fn cycle(answer: &Answer<'_>, cycle: &Found) -> Value {
    let links = |links: &[Link]| -> Vec<Value> {
        let link = |link: &Link| {
            let imports = link.imports.iter().map(|id| import_json(answer.open, *id));
            json!({"from": link.from, "to": link.to, "imports": imports.collect::<Vec<_>>()})
        };
        links.iter().map(link).collect()
    };
    json!({
        "closed_by": level_word(cycle.closed_by),
        "size": cycle.names.len(),
        "members": cycle.names,
        "example": links(&cycle.example),
        "cut": links(&cycle.cut),
    })
}
