//! An artifact that arguments describe: `KEY=VALUE`, read as the same keys of `[[artifact]]`. Knows nothing
//! of what the keys mean.

use std::path::Path;
use std::str::FromStr as _;

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

use super::document::ManifestFile;
use super::problem::{LocatedProblem, WorkspaceError};
use super::schema::read_settings;
use crate::model::{ArtifactRule, Workspace};
use crate::workspace::unknown_names;

/// What messages call the place of arguments.
const PLACE: &str = "--set";

/// Keys that hold lists, for which one plain word is a list of one.
const LISTS: &[&str] =
    &["members", "dependencies", "exclude", "keep-source", "entry", "sourceless", "python"];

/// Keys that hold numbers.
const NUMBERS: &[&str] = &["optimize", "budget", "compression-level"];

/// Reads an artifact from its kind and `KEY=VALUE` arguments. A value is TOML, or else a plain string:
/// `main=shop.cli:main`, `members=["shop", "money"]`, `members=shop`, `budget=25MB`, `bytecode=false`.
///
/// # Errors
/// What would be wrong with such a table in a manifest.
pub fn artifact_from_arguments(
    kind: &str,
    arguments: &[String],
    workspace: &Workspace,
) -> Result<ArtifactRule, WorkspaceError> {
    let mut table = Table::new();
    table.insert("name", toml_edit::value(kind));
    table.insert("kind", toml_edit::value(kind));
    for argument in arguments {
        let Some((key, text)) = argument.split_once('=') else {
            let message = format!("`{argument}` is no `KEY=VALUE`");
            return Err(WorkspaceError::of(PLACE, message, None));
        };
        if key.trim() == "kind" {
            let message = "the kind of what is described is said once".to_owned();
            let hint = "remove `kind=` from what is set".to_owned();
            return Err(WorkspaceError::of(PLACE, message, Some(hint)));
        }
        let value = Value::from_str(text.trim()).unwrap_or_else(|_| Value::from(text));
        // `python=3.10` is a version, and no number.
        let value = match value {
            Value::Array(_) | Value::Boolean(_) => value,
            Value::String(_) if LISTS.contains(&key.trim()) => Array::from_iter([value]).into(),
            _ if LISTS.contains(&key.trim()) => Array::from_iter([text.trim()]).into(),
            // So is `tag=1.0`.
            Value::Integer(_) | Value::Float(_) | Value::Datetime(_)
                if !NUMBERS.contains(&key.trim()) =>
            {
                Value::from(text.trim())
            }
            _ => value,
        };
        table.insert(key.trim(), Item::Value(value));
    }
    let mut tables = ArrayOfTables::new();
    tables.push(table);
    let mut document = DocumentMut::new();
    document.insert("artifact", Item::ArrayOfTables(tables));
    let file = ManifestFile::parse(Path::new(PLACE), document.to_string())?;
    let (settings, mut problems): (_, Vec<LocatedProblem>) =
        read_settings(&file, file.document.as_table(), false);
    problems.extend(unknown_names(&settings, &file, &workspace.members, &workspace.profiles));
    match (WorkspaceError::from_all(problems), settings.artifacts.into_iter().next()) {
        (None, Some(rule)) => Ok(rule),
        (Some(error), _) => Err(error),
        (None, None) => Err(WorkspaceError::of(PLACE, "no artifact is described".to_owned(), None)),
    }
}
