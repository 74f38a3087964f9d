//! `graph`: who imports whom, in many forms made from one value.

mod assemble;
pub(crate) mod document;
mod focus;
mod group;
mod human;
mod json;
mod page;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use document::GraphDocument;

use crate::arguments::{Global, GraphArguments, GraphFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::imports;
use crate::report::terminal::Terminal;

/// Opens the graph, takes the part that was asked for, and shows it.
pub(super) fn run(
    arguments: &GraphArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let open = imports::open(&arguments.selection, &[], global, environment, terminal)?;
    let document = assemble::assemble(&open, arguments)?;
    let mut write = |out: &mut dyn Write| match arguments.format {
        GraphFormat::Human => human::render(&document, terminal, out),
        GraphFormat::Json | GraphFormat::JsonMap => json::render(&document, out),
        GraphFormat::Html | GraphFormat::Dot | GraphFormat::Mermaid => page::render(&document, out),
    };
    match &arguments.output {
        None => terminal.stream(&mut write).map_err(|error| {
            CommandFailure::failure(format!("standard output cannot be written: {error}"))
        })?,
        Some(path) => {
            let path = open.start.join(path);
            to_file(&path, &mut write).map_err(|error| {
                CommandFailure::failure(format!("`{}` cannot be written: {error}", path.display()))
            })?;
        }
    }
    Ok(ExitStatus::Success)
}

fn to_file(path: &Path, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, File::create(path)?);
    write(&mut out)?;
    out.flush()
}
