//! Chains as JSON: the schema of `docs/deps.md`.

use serde_json::{Value, json};

use super::Answer;
use crate::commands::chains::Step;
use crate::commands::edges::{import_json, level_word, module_json};
use crate::commands::written::Written;

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-why/1";

pub(super) fn render(answer: &Answer<'_>) -> String {
    let mut written = Written::new(answer.open);
    let mut chains: Vec<Value> = Vec::new();
    for chain in answer.found.iter().flat_map(|found| &found.chains) {
        chains.push(chain.iter().map(|step| step_json(answer, step, &mut written)).collect());
    }
    let found = answer.found.as_ref();
    let value = json!({
        "schema": SCHEMA,
        "from": answer.arguments.from,
        "to": answer.arguments.to,
        "imports": level_word(answer.which),
        "found": found.is_some(),
        "total": found.map_or(0, |found| found.total),
        "length": found.and_then(|found| found.chains.first()).map(Vec::len),
        "needs": found.map(|_| level_word(answer.level())),
        "eager_length": answer.eager,
        "wider": answer.wider.map(|(which, length)| json!({
            "imports": level_word(which),
            "length": length,
        })),
        "reverse_length": answer.reverse,
        "chains": chains,
    });
    format!("{value:#}\n")
}

fn step_json(answer: &Answer<'_>, step: &Step, written: &mut Written<'_>) -> Value {
    let mut imports = Vec::new();
    for id in &step.imports {
        let mut import = import_json(answer.open, *id);
        if let Some(object) = import.as_object_mut() {
            object.insert("statement".to_owned(), written.statement(*id).into());
        }
        imports.push(import);
    }
    json!({
        "from": module_json(answer.open, step.from),
        "to": module_json(answer.open, step.to),
        "imports": imports,
    })
}
