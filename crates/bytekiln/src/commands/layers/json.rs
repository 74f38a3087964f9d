//! The outcome as JSON: the schema of `docs/layers.md`.

use bytekiln_graph::EdgeId;
use serde_json::{Value, json};

use super::{Broken, Checked, Outcome};
use crate::commands::edges::{import_json, level_word, module_json};
use crate::imports::OpenGraph;
use crate::schema::ProblemRow;

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-layers/1";

/// All of it, one document.
pub(super) fn render(outcome: &Outcome<'_>) -> String {
    let open = outcome.open;
    let contracts: Vec<Value> = outcome.contracts.iter().map(|one| contract(open, one)).collect();
    let problems = open.loaded.problems.iter().chain(&outcome.warnings);
    let value = json!({
        "schema": SCHEMA,
        "python": format!("3.{}", open.target.release.minor()),
        "kept": outcome.broken_imports() == 0,
        "contracts": contracts,
        "problems": problems.map(ProblemRow::new).collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn contract(open: &OpenGraph, checked: &Checked) -> Value {
    let violations: Vec<Value> =
        checked.broken.iter().map(|broken| violation(open, broken)).collect();
    json!({
        "name": checked.name,
        "form": checked.form.word(),
        "place": checked.place,
        "imports": level_word(checked.imports),
        "kept": checked.broken.is_empty(),
        "ignored": checked.ignored,
        "violations": violations,
    })
}

fn violation(open: &OpenGraph, broken: &Broken) -> Value {
    let Some(edge) = open.graph().edge(broken.import) else { return Value::Null };
    json!({
        "importer": module_json(open, edge.from),
        "imported": module_json(open, edge.to),
        "import": import_json(open, broken.import),
        "then": broken.then.iter().map(|import| step(open, *import)).collect::<Vec<_>>(),
        "reason": broken.reason,
    })
}

fn step(open: &OpenGraph, import: EdgeId) -> Value {
    let edge = open.graph().edge(import);
    json!({
        "imported": edge.map(|edge| module_json(open, edge.to)),
        "import": import_json(open, import),
    })
}
