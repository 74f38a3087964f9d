//! What is affected, as JSON: the schema of `docs/affected.md`.

use bytekiln_graph::{AffectedModule, EdgeId};
use bytekiln_project::ChangeStatus;
use serde_json::{Value, json};

use super::touched::Role;
use super::{Answer, Member};
use crate::arguments::UnknownChoice;
use crate::commands::edges::level_word;
use crate::schema::{ProblemRow, path_text};

/// Name and version of the schema.
const SCHEMA: &str = "bytekiln-affected/1";

/// All of it, one document.
pub(super) fn render(answer: &Answer<'_>) -> String {
    let touched = answer.touched;
    let since =
        touched.base.as_ref().map(|base| json!({"revision": answer.arguments.since, "base": base}));
    let hide = answer.arguments.unknown == UnknownChoice::Ignore;
    let rows = touched.rows.iter().filter(|row| !(hide && row.role == Role::Unknown));
    let changes: Vec<Value> = rows
        .map(|row| {
            let status = match row.file.status {
                ChangeStatus::Added => "added",
                ChangeStatus::Modified => "modified",
                ChangeStatus::Deleted => "deleted",
            };
            json!({
                "path": row.shown,
                "status": status,
                "role": row.role.word(),
                "modules": row.modules.len(),
            })
        })
        .collect();
    let modules: Vec<Value> = answer.modules.iter().map(|one| module(answer, *one)).collect();
    let members: Vec<Value> = answer.members.iter().map(|one| member(answer, one)).collect();
    let problems: Vec<ProblemRow> =
        touched.open.loaded.problems.iter().map(ProblemRow::new).collect();
    let mut value = json!({
        "schema": SCHEMA,
        "python": format!("3.{}", touched.open.target.release.minor()),
        "imports": level_word(touched.which),
        "since": since,
        "changes": changes,
        "modules": modules,
        "members": members,
        "problems": problems,
    });
    if let (Some(artifacts), Some(object)) = (&answer.artifacts, value.as_object_mut()) {
        let workspace = &touched.open.workspace.root;
        let rows: Vec<Value> = artifacts
            .iter()
            .map(|artifact| {
                let root = (artifact.root != *workspace).then(|| path_text(&artifact.root));
                json!({
                    "root": root,
                    "path": artifact.path.to_string(),
                    "source": artifact.source.to_string(),
                    "deleted": artifact.is_gone,
                })
            })
            .collect();
        object.insert("artifacts".to_owned(), rows.into());
    }
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    format!("{text}\n")
}

fn module(answer: &Answer<'_>, one: AffectedModule) -> Value {
    let (touched, open) = (answer.touched, &answer.touched.open);
    let mut value = json!({
        "name": open.name(one.module),
        "file": open.path(one.module),
        "member": open.owner(one.module),
        "deleted": touched.is_gone(one.module),
        "changed": touched.changed.contains(&one.module),
        "distance": one.distance,
        "through": one.through.map(|edge| step(answer, edge)),
    });
    if let (true, Some(object)) = (answer.arguments.why, value.as_object_mut()) {
        let chain = touched.affected.why(open.graph(), one.module);
        let chain: Vec<Value> = chain.into_iter().map(|edge| step(answer, edge)).collect();
        object.insert("why".to_owned(), chain.into());
    }
    value
}

/// An import on the way to the change.
fn step(answer: &Answer<'_>, id: EdgeId) -> Value {
    let open = &answer.touched.open;
    let Some(edge) = open.graph().edge(id) else { return Value::Null };
    json!({
        "from": open.name(edge.from),
        "to": open.name(edge.to),
        "file": open.path(edge.from),
        "line": (edge.line > 0).then_some(edge.line),
        "kinds": edge.kinds.words().collect::<Vec<_>>(),
    })
}

fn member(answer: &Answer<'_>, member: &Member) -> Value {
    json!({
        "name": member.name,
        "path": member.folder.to_string(),
        "affected": member.affected,
        "changed": member.changed,
        "modules": member.all,
        "nearest": answer.touched.open.name(member.nearest.module),
        "distance": member.nearest.distance,
    })
}
