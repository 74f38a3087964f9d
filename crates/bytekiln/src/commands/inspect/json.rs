//! `inspect` for machines: the schema of docs/inspect.md.

use bytekiln_bytecode::Location;
use bytekiln_codec::{Header, Limits, Validation};
use bytekiln_proof::{CodeListing, Listing, is_canonical};
use serde_json::{Value, json};

use super::human::{Numbered, hexadecimal, mode_name};
use super::source::SourceState;
use super::subject::{Row, Subject};
use crate::arguments::InspectArguments;

/// A `.pyc` in full.
pub(super) fn file(
    subject: &Subject,
    listing: &Listing,
    code_objects: &[Numbered],
    total: usize,
    arguments: &InspectArguments,
) -> Value {
    let canonical = is_canonical(&subject.bytes, &Limits::default()).unwrap_or(false);
    let mut value = head(subject, &listing.header, canonical, &subject.state);
    let all: Vec<Value> =
        code_objects.iter().map(|(index, code)| code_object(*index, code, arguments)).collect();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("code_object_count".to_owned(), json!(total));
        fields.insert("complete".to_owned(), json!(listing.complete));
        fields.insert("code_objects".to_owned(), json!(all));
    }
    value
}

/// A `.pyc` of many.
pub(super) fn row(subject: &Subject, row: &Row) -> Value {
    head(subject, &row.header, row.canonical, &row.source)
}

fn head(subject: &Subject, header: &Header, canonical: bool, state: &SourceState) -> Value {
    let mut validation = match header.validation {
        Validation::Timestamp { mtime, size, .. } => json!({"mtime": mtime, "size": size}),
        Validation::Hash { source_hash, .. } => json!({"source_hash": hexadecimal(source_hash)}),
    };
    if let Some(fields) = validation.as_object_mut() {
        fields.insert("mode".to_owned(), json!(mode_name(header)));
    }
    let matches = match state {
        SourceState::Matches => Some(true),
        SourceState::Differs(_) => Some(false),
        SourceState::Missing | SourceState::NotCompared(_) => None,
    };
    json!({
        "path": subject.shown,
        "bytes": subject.size,
        "release": header.release().map(|release| release.to_string()),
        "magic": header.magic,
        "optimization_level": subject.level.map(|level| level.as_u8()),
        "validation": validation,
        "canonical": canonical,
        "source": {
            "path": subject.source,
            "state": state.word(),
            "matches": matches,
            "detail": state.detail(),
        },
    })
}

fn code_object(index: usize, code: &CodeListing, arguments: &InspectArguments) -> Value {
    let numbers = &code.numbers;
    let constants: Vec<Value> = code
        .constants
        .iter()
        .map(|constant| json!({"repr": constant.text, "code_object": constant.code_object}))
        .collect();
    let variables: Vec<Value> = code
        .variables
        .iter()
        .map(|variable| json!({"name": variable.name, "kinds": variable.kinds}))
        .collect();
    let mut value = json!({
        "index": index,
        "parent": code.parent,
        "name": code.name,
        "qualname": code.qualname,
        "filename": code.filename,
        "firstlineno": numbers.firstlineno,
        "argcount": numbers.argcount,
        "posonlyargcount": numbers.posonlyargcount,
        "kwonlyargcount": numbers.kwonlyargcount,
        "stacksize": numbers.stacksize,
        "flags": numbers.flags,
        "flag_names": code.flags,
        "code_bytes": code.code_bytes,
        "names": code.names,
        "variables": variables,
        "constants": constants,
    });
    let Some(fields) = value.as_object_mut() else { return value };
    let InspectArguments { dis, lines, all, .. } = *arguments;
    if dis || all {
        fields.insert("instructions".to_owned(), json!(instructions(code, lines || all)));
    }
    if lines || all {
        let locations = code.locations.as_ref().ok();
        let locations = locations.map(|all| all.iter().map(location).collect::<Vec<Value>>());
        fields.insert("locations".to_owned(), json!(locations));
    }
    if dis || lines || all {
        let handlers = code.handlers.as_ref().ok().map(|all| {
            let row = |row: &bytekiln_bytecode::Handler| {
                json!({
                    "start": row.start,
                    "end": row.end,
                    "target": row.target,
                    "depth": row.depth,
                    "push_lasti": row.push_lasti,
                })
            };
            all.iter().map(row).collect::<Vec<Value>>()
        });
        fields.insert("handlers".to_owned(), json!(handlers));
    }
    value
}

fn instructions(code: &CodeListing, columns: bool) -> Vec<Value> {
    let row = |found: &bytekiln_proof::InstructionListing| {
        let mut value = json!({
            "offset": found.offset,
            "opcode": found.opcode,
            "name": found.name,
            "argument": found.argument,
            "meaning": found.meaning,
            "line": found.location.and_then(|location| location.line),
            "jump_target": found.is_jump_target,
            "handler": found.is_handler,
        });
        if columns && let (Some(fields), Some(found)) = (value.as_object_mut(), &found.location) {
            fields.insert("end_line".to_owned(), json!(found.end_line));
            fields.insert("column".to_owned(), json!(found.column));
            fields.insert("end_column".to_owned(), json!(found.end_column));
        }
        value
    };
    code.instructions.iter().map(row).collect()
}

fn location(location: &Location) -> Value {
    json!({
        "start": location.start,
        "end": location.end,
        "line": location.line,
        "end_line": location.end_line,
        "column": location.column,
        "end_column": location.end_column,
    })
}
