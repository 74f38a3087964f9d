//! `graph`: who imports whom, in many forms made from one value.

mod assemble;
mod cyclic;
pub(crate) mod document;
mod dot;
mod faults;
mod focus;
mod group;
mod human;
mod json;
mod mermaid;
mod page;
mod picture;
mod rows;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use document::GraphDocument;

use crate::arguments::{Global, GraphArguments, GraphFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::imports::{self, OpenGraph};
use crate::report::terminal::Terminal;

/// Opens the graph and shows it.
pub(super) fn run(
    arguments: &GraphArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let mut open = imports::open(&arguments.selection, &[], global, environment, terminal)?;
    show(&open, arguments, terminal)?;
    open.loaded.finish();
    // The process ends: giving back every name of a large graph would take as long as searching it.
    std::mem::forget(open);
    Ok(ExitStatus::Success)
}

/// Takes the part that was asked for, and writes it.
fn show(
    open: &OpenGraph,
    arguments: &GraphArguments,
    terminal: &Terminal,
) -> Result<(), CommandFailure> {
    let mut document = assemble::assemble(open, arguments, terminal)?;
    let text = match arguments.format {
        GraphFormat::Dot => {
            fit(&mut document, arguments, terminal, dot::BOXES, dot::ARROWS);
            None
        }
        GraphFormat::Mermaid => Some(mermaid(&mut document, arguments, terminal)),
        _ => None,
    };
    let to_terminal = arguments.output.is_none();
    let mut write = |out: &mut dyn Write| match arguments.format {
        GraphFormat::Human => human::render(&document, terminal, to_terminal, out),
        GraphFormat::Json => json::render(&document, out),
        GraphFormat::JsonMap => json::render_map(&document, out),
        GraphFormat::Dot => dot::render(&document, out),
        GraphFormat::Mermaid => out.write_all(text.as_deref().unwrap_or_default().as_bytes()),
        GraphFormat::Html => page::render(&document, out),
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
    Ok(())
}

/// Groups modules where there are too many to be drawn and nothing else was asked for, and says so.
fn fit(
    document: &mut GraphDocument<'_>,
    arguments: &GraphArguments,
    terminal: &Terminal,
    boxes: usize,
    arrows: usize,
) {
    if arguments.by.is_some() || !group::group_to_fit(document, boxes, arrows) {
        return;
    }
    let modules =
        picture::counted(u32::try_from(document.modules.len()).unwrap_or(u32::MAX), "module");
    let groups = picture::counted(u32::try_from(document.groups.len()).unwrap_or(u32::MAX), "node");
    let by = document.by;
    terminal.warning(format!("{modules} are drawn as {groups}, by {by}: more cannot be read"));
    terminal.help("say what is one node with --by, or take a part with --from, --to or --around");
}

/// A flowchart that GitHub draws, if there is any.
fn mermaid(
    document: &mut GraphDocument<'_>,
    arguments: &GraphArguments,
    terminal: &Terminal,
) -> String {
    let mut boxes = mermaid::BOXES;
    fit(document, arguments, terminal, boxes, mermaid::ARROWS);
    let mut text = mermaid::render(document);
    while text.len() > mermaid::CHARACTERS && arguments.by.is_none() && boxes > 1 {
        boxes /= 2;
        fit(document, arguments, terminal, boxes, mermaid::ARROWS);
        text = mermaid::render(document);
    }
    let arrows = match document.groups.len() {
        0 => picture::Picture::new(document).arrows.len(),
        _ => document.group_edges.len(),
    };
    if text.len() > mermaid::CHARACTERS || arrows > mermaid::ARROWS {
        terminal.warning(format!(
            "{arrows} arrows in {} characters: GitHub draws at most {} in {}",
            text.len(),
            mermaid::ARROWS,
            mermaid::CHARACTERS
        ));
        terminal.help("take larger nodes with --by, or a part with --from, --to or --around");
    }
    text
}

fn to_file(path: &Path, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, File::create(path)?);
    write(&mut out)?;
    out.flush()
}
