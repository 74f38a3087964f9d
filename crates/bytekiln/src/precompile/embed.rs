//! For build scripts: the caches of a package as a table in Rust source, and what cargo has to watch.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::builder::Precompile;
use super::planned::{PlannedStep, Progress};
use crate::failure::CommandFailure;

/// What a build script hands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// Sources of the table: the entry's, as the import graph has them, else all of the selection.
    pub sources: Vec<PathBuf>,
    /// Lines for cargo, to be printed: `cargo::rerun-if-changed=…` for each source, for the folders
    /// that they are in (a new file), and for the manifest.
    pub instructions: String,
    /// How many caches are in the table.
    pub count: usize,
}

/// Compiles, and writes `table`: `pub static NAME: &[(&str, &[u8])]`, sorted by name, with the path of
/// each `.pyc` relative to the workspace and its bytes. The caches are copied beside the table, so that
/// a later build of the workspace cannot change under cargo. For `include!` in the program:
///
/// ```text
/// include!(concat!(env!("OUT_DIR"), "/pycs.rs"));
/// ```
///
/// # Errors
/// The workspace is not usable, a source does not compile (with its diagnostic), or the table cannot
/// be written.
pub fn embed(precompile: Precompile, name: &str, table: &Path) -> Result<Embedded, CommandFailure> {
    let everything = precompile.force();
    let plan = everything.plan()?;
    let root = plan.root().to_owned();
    let steps: Vec<PlannedStep> = plan.steps().to_vec();
    let faults = std::sync::Mutex::new(Vec::new());
    let outcome = plan.execute(&|progress| {
        let fault = match progress {
            Progress::Rejected { diagnostic, allowed: false, .. } => diagnostic,
            Progress::Failed { step, message } => {
                format!("`{}`: {message}", step.source.display())
            }
            _ => return,
        };
        faults.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(fault);
    })?;
    if !outcome.is_success() {
        let mut faults = faults.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        faults.sort();
        faults.extend(outcome.warnings);
        return Err(CommandFailure::failure(faults.join("\n")));
    }
    let folder = table.with_extension("caches");
    let unwritten = |path: &Path, error: std::io::Error| {
        CommandFailure::failure(format!("could not write `{}`: {error}", path.display()))
    };
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(unwritten(&folder, error));
        }
        _ => {}
    }
    std::fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, error))?;
    let mut rows = Vec::new();
    let mut watched = BTreeSet::new();
    for step in &steps {
        watched.insert(step.source.clone());
        watched.extend(step.source.parent().map(Path::to_owned));
        // A source that may fail, and did, has none.
        let Some(output) = step.output.as_ref().filter(|output| output.is_file()) else { continue };
        rows.push((output.strip_prefix(&root).unwrap_or(output).display().to_string(), output));
    }
    rows.sort();
    let mut text = format!(
        "/// Caches of Python modules: path in the workspace, and bytes. Made by bytekiln.\n\
         pub static {name}: &[(&str, &[u8])] = &[\n"
    );
    for (number, (path, output)) in rows.iter().enumerate() {
        let copy = folder.join(format!("{number}.pyc"));
        std::fs::copy(output, &copy).map_err(|error| unwritten(&copy, error))?;
        let copy = copy.display().to_string();
        let _ = writeln!(text, "    ({path:?}, include_bytes!({copy:?})),");
    }
    text.push_str("];\n");
    std::fs::write(table, text).map_err(|error| unwritten(table, error))?;
    for manifest in ["bytekiln.toml", "pyproject.toml", "Cargo.toml"] {
        watched.extend(Some(root.join(manifest)).filter(|path| path.is_file()));
    }
    let mut instructions = String::new();
    for path in &watched {
        let _ = writeln!(instructions, "cargo::rerun-if-changed={}", path.display());
    }
    let sources: BTreeSet<PathBuf> = steps.iter().map(|step| step.source.clone()).collect();
    Ok(Embedded { sources: sources.into_iter().collect(), instructions, count: rows.len() })
}
