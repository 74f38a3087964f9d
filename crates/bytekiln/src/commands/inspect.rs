//! `bytekiln inspect`: what is in a `.pyc`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytekiln_codec::{CanonicalOptions, canonicalize};
use bytekiln_codec::{
    CodeSummary, HEADER_LENGTH, Header, HeaderError, Limits, SourceHash, Summary, SummaryError,
    Validation, source_hash, summary,
};
use bytekiln_python::{InvalidationMode, Release, parse_cache_file_name};
use serde_json::{Value, json};

use crate::arguments::{InspectArguments, PlanFormat};
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::{Terminal, Tone};
use crate::schema::path_text;

struct Inspected {
    path: PathBuf,
    bytes: usize,
    summary: Summary,
    source: Option<(PathBuf, SourceState)>,
    canonical: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SourceState {
    Matches,
    Differs,
    NotCompared,
}

/// Runs the command.
pub(crate) fn run(
    arguments: &InspectArguments,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let mut status = ExitStatus::Success;
    let mut rows = Vec::new();
    for path in &arguments.files {
        match inspect(path) {
            Ok(inspected) => match arguments.format {
                PlanFormat::Human => terminal.data(&text(&inspected, terminal)),
                PlanFormat::Json => rows.push(row(&inspected)),
            },
            Err(message) => {
                terminal.error(format!("`{}`: {message}", path.display()));
                status = ExitStatus::Failure;
            }
        }
    }
    if arguments.format == PlanFormat::Json {
        let file = json!({"schema": "bytekiln-inspect/1", "files": rows});
        terminal.data(&format!("{file:#}\n"));
    }
    Ok(status)
}

fn inspect(path: &Path) -> Result<Inspected, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("could not be read: {error}"))?;
    let summary = summary(&bytes, &Limits::default()).map_err(|error| summary_error(&error))?;
    let source = source_of(path).map(|source| {
        let state = match (&summary.header.validation, std::fs::read(&source)) {
            (Validation::Hash { source_hash: recorded, .. }, Ok(text)) => {
                if source_hash(summary.release, &text) == *recorded {
                    SourceState::Matches
                } else {
                    SourceState::Differs
                }
            }
            (Validation::Timestamp { .. }, _) | (_, Err(_)) => SourceState::NotCompared,
        };
        (source, state)
    });
    let canonical = is_canonical(&bytes, &summary);
    Ok(Inspected { path: path.to_owned(), bytes: bytes.len(), summary, source, canonical })
}

fn is_canonical(bytes: &[u8], summary: &Summary) -> bool {
    let Some(payload) = bytes.get(HEADER_LENGTH..) else { return false };
    let Some(module) = summary.code_objects.first() else { return false };
    let options = CanonicalOptions {
        release: summary.release,
        recorded_path: module.filename.as_bytes(),
        limits: Limits::default(),
    };
    canonicalize(payload, &options).is_ok_and(|canonical| canonical == payload)
}

/// The source that CPython would look for, if it is there.
fn source_of(path: &Path) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let name = path.file_name()?.as_bytes();
    let folder = path.parent()?;
    let (folder, stem) = if folder.file_name().is_some_and(|name| name == "__pycache__") {
        (folder.parent()?, parse_cache_file_name(name)?.0)
    } else {
        (folder, name.strip_suffix(b".pyc")?)
    };
    let mut source = stem.to_vec();
    source.extend_from_slice(b".py");
    let source = folder.join(std::ffi::OsStr::from_bytes(&source));
    source.is_file().then_some(source)
}

fn summary_error(error: &SummaryError) -> String {
    match error {
        SummaryError::Header(HeaderError::Truncated(_)) => {
            "is too short to be a .pyc (16 bytes of header are wanted)".to_owned()
        }
        SummaryError::Header(error) => format!("is no .pyc: {error}"),
        SummaryError::UnknownMagic(magic) => format!(
            "has magic number {magic}, which belongs to no final CPython from {} to {}",
            Release::OLDEST,
            Release::NEWEST
        ),
        SummaryError::Payload(error) => format!("is damaged: {error}"),
        SummaryError::NotCode => "holds no code object".to_owned(),
        _ => format!("{error:?}"),
    }
}

fn mode(header: &Header) -> String {
    match header.validation {
        Validation::Timestamp { mtime, size, .. } => {
            format!("timestamp (source of {size} bytes, modified at {mtime})")
        }
        Validation::Hash { mode, source_hash } => {
            let when = match mode {
                InvalidationMode::CheckedHash => "the importer hashes the source and compares",
                InvalidationMode::UncheckedHash => "the importer does not look at the source",
            };
            format!("{mode} {} ({when})", hex(source_hash))
        }
    }
}

fn hex(hash: SourceHash) -> String {
    hash.0.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn text(inspected: &Inspected, terminal: &Terminal) -> String {
    let Inspected { path, bytes, summary, source, canonical } = inspected;
    let mut out = format!("{}\n", terminal.paint(Tone::Good, &path.display().to_string()));
    let mut field = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<10} {value}");
    };
    field("size", format!("{bytes} bytes"));
    field(
        "release",
        format!("CPython {} (magic number {})", summary.release, summary.header.magic),
    );
    field("mode", mode(&summary.header));
    match source {
        Some((source, SourceState::Matches)) => {
            field("source", format!("{} matches", source.display()));
        }
        Some((source, SourceState::Differs)) => {
            field("source", format!("{} DIFFERS: this cache is of another text", source.display()));
        }
        Some((source, SourceState::NotCompared)) => {
            field("source", format!("{} (not compared)", source.display()));
        }
        None => field("source", "not beside it".to_owned()),
    }
    field("canonical", if *canonical { "yes".to_owned() } else { "no".to_owned() });
    for (index, code) in summary.code_objects.iter().enumerate() {
        code_text(index, code, &mut out);
    }
    out
}

fn code_text(index: usize, code: &CodeSummary, out: &mut String) {
    let name = code.qualname.as_ref().unwrap_or(&code.name);
    let numbers = &code.numbers;
    let _ = writeln!(out, "  code {index}: {name}, {}:{}", code.filename, numbers.firstlineno);
    let _ = writeln!(
        out,
        "    arguments {} (positional-only {}, keyword-only {}), stack {}, flags 0x{:x}, {} bytes",
        numbers.argcount,
        numbers.posonlyargcount,
        numbers.kwonlyargcount,
        numbers.stacksize,
        numbers.flags,
        code.code_bytes
    );
    for (what, values) in
        [("names", &code.names), ("locals", &code.locals), ("constants", &code.consts)]
    {
        if !values.is_empty() {
            let _ = writeln!(out, "    {what}: {}", values.join(", "));
        }
    }
}

fn row(inspected: &Inspected) -> Value {
    let Inspected { path, bytes, summary, source, canonical } = inspected;
    let validation = match summary.header.validation {
        Validation::Timestamp { mtime, size, .. } => {
            json!({"mode": "timestamp", "mtime": mtime, "size": size})
        }
        Validation::Hash { mode, source_hash } => {
            json!({"mode": mode.as_str(), "source_hash": hex(source_hash)})
        }
    };
    let source = source.as_ref().map(|(source, state)| {
        let matches = match state {
            SourceState::Matches => Some(true),
            SourceState::Differs => Some(false),
            SourceState::NotCompared => None,
        };
        json!({"path": source.display().to_string(), "matches": matches})
    });
    let code: Vec<Value> = summary
        .code_objects
        .iter()
        .map(|code| {
            json!({
                "parent": code.parent,
                "name": code.name,
                "qualname": code.qualname,
                "filename": code.filename,
                "firstlineno": code.numbers.firstlineno,
                "argcount": code.numbers.argcount,
                "posonlyargcount": code.numbers.posonlyargcount,
                "kwonlyargcount": code.numbers.kwonlyargcount,
                "stacksize": code.numbers.stacksize,
                "flags": code.numbers.flags,
                "code_bytes": code.code_bytes,
                "names": code.names,
                "locals": code.locals,
                "consts": code.consts,
            })
        })
        .collect();
    json!({
        "path": if path.is_absolute() { path_text(path) } else { path.display().to_string() },
        "bytes": bytes,
        "release": summary.release.to_string(),
        "magic": summary.header.magic,
        "validation": validation,
        "source": source,
        "canonical": canonical,
        "code_objects": code,
    })
}
