//! What was found, as JSON: the schema of `docs/deps.md`.

use bytekiln_graph::{Direction, OwnerKind, Which};
use serde_json::{Map, Value, json};

use super::Question;
use super::answer::{Answer, OwnerRow, Row};
use crate::arguments::DepsBy;
use crate::commands::edges::{LEVELS, import_json, level_word, module_json};

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-deps/1";

pub(super) fn render(question: &Question<'_>, answer: &Answer) -> String {
    let open = question.open;
    let of: Vec<Value> = question.of.iter().map(|id| module_json(open, *id)).collect();
    let direction = match question.direction {
        Direction::Dependencies => "dependencies",
        Direction::Dependents => "dependents",
    };
    let mut value = json!({
        "schema": SCHEMA,
        "direction": direction,
        "of": of,
        "imports": level_word(question.which),
        "depth": question.depth,
        "counts": counts(answer),
    });
    let (key, rows): (&str, Vec<Value>) = match question.arguments.by {
        DepsBy::Module => {
            ("modules", answer.rows.iter().map(|row| module(question, row)).collect())
        }
        DepsBy::Member | DepsBy::Distribution => {
            ("owners", answer.owners.iter().map(|row| owner(question, row)).collect())
        }
    };
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), rows.into());
    }
    format!("{value:#}\n")
}

/// How many modules each choice of `--imports` reaches that the one before does not.
fn counts(answer: &Answer) -> Value {
    let of = |level: Which| answer.rows.iter().filter(|row| row.level == level).count();
    let counts = LEVELS.into_iter().map(|level| (level_word(level).to_owned(), of(level).into()));
    Value::Object(counts.collect::<Map<String, Value>>())
}

fn module(question: &Question<'_>, row: &Row) -> Value {
    let mut value = module_json(question.open, row.module);
    let imports: Vec<Value> =
        row.imports.iter().map(|id| import_json(question.open, *id)).collect();
    if let Some(object) = value.as_object_mut() {
        object.insert("reached".to_owned(), level_word(row.level).into());
        object.insert("distance".to_owned(), row.distance.into());
        object.insert("by".to_owned(), step(question, row.by));
        object.insert("direct".to_owned(), imports.into());
    }
    value
}

fn owner(question: &Question<'_>, row: &OwnerRow) -> Value {
    let owner = question.open.graph().owners().get(row.owner as usize);
    let kind = owner.map(|owner| match owner.kind {
        OwnerKind::Member => "member",
        OwnerKind::Distribution => "distribution",
        OwnerKind::StandardLibrary => "standard-library",
    });
    json!({
        "name": owner.map(|owner| &owner.name),
        "kind": kind,
        "modules": row.modules,
        "reached": level_word(row.level),
        "distance": row.distance,
        "by": step(question, row.by),
    })
}

/// An import with both its ends.
fn step(question: &Question<'_>, id: bytekiln_graph::EdgeId) -> Value {
    let mut value = import_json(question.open, id);
    if let Some(edge) = question.open.graph().edge(id)
        && let Some(object) = value.as_object_mut()
    {
        object.insert("from".to_owned(), question.open.name(edge.from).into());
        object.insert("to".to_owned(), question.open.name(edge.to).into());
    }
    value
}
