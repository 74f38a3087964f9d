//! `bytekiln inspect`: what is in a `.pyc`.

mod human;
mod json;
mod source;
mod subject;

use std::num::NonZeroUsize;
use std::path::Path;

use bytekiln_artifact::{Artifact, EntryKind};
use bytekiln_proof::ListOptions;
use serde_json::json;

use super::opened::{self, Opened};
use super::parallel;
use crate::arguments::{Global, InspectArguments, PlanFormat};
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;
use crate::settings::start_folder;
use subject::Subject;

/// Runs the command.
pub(crate) fn run(
    arguments: &InspectArguments,
    global: &Global,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<ExitStatus, CommandFailure> {
    let start = start_folder(global, environment)?;
    let jobs = arguments.jobs.unwrap_or_else(bytekiln_executor::available_parallelism);
    let mut inspection = Inspection {
        arguments,
        terminal,
        jobs,
        status: ExitStatus::Success,
        rows: Vec::new(),
        code_found: false,
    };
    for typed in &arguments.files {
        match opened::open(&start.join(typed), jobs) {
            Ok(opened) => {
                if let Err(message) = inspection.opened(typed, opened) {
                    inspection.error(&message);
                }
            }
            Err(failure) => {
                for message in &failure.messages {
                    inspection.error(message);
                }
                inspection.status = failure.status;
            }
        }
    }
    if !arguments.code.is_empty() && !inspection.code_found && !inspection.failed() {
        let names: Vec<String> = arguments.code.iter().map(|name| format!("`{name}`")).collect();
        inspection.error(&format!("there is no code object {}", names.join(" or ")));
        terminal.help("names are shown without --code");
    }
    if arguments.format == PlanFormat::Json {
        let file = json!({"schema": "bytekiln-inspect/2", "files": inspection.rows});
        terminal.data(&format!("{file:#}\n"));
    }
    Ok(inspection.status)
}

struct Inspection<'a> {
    arguments: &'a InspectArguments,
    terminal: &'a Terminal,
    jobs: NonZeroUsize,
    status: ExitStatus,
    rows: Vec<serde_json::Value>,
    code_found: bool,
}

impl Inspection<'_> {
    fn failed(&self) -> bool {
        self.status != ExitStatus::Success
    }

    fn error(&mut self, message: &str) {
        self.terminal.error(message);
        if !self.failed() {
            self.status = ExitStatus::Failure;
        }
    }

    /// What one path that was typed leads to.
    fn opened(&mut self, typed: &Path, opened: Opened) -> Result<(), String> {
        let shown = typed.display().to_string();
        match opened {
            Opened::File(path) => self.single(Subject::of_file(shown, &path)?),
            Opened::Member(artifact, index) => {
                self.single(Subject::of_member(shown, &artifact, index)?)
            }
            Opened::Tree(artifact, inside) => {
                let caches = |artifact: &Artifact| -> Vec<usize> {
                    let entries = artifact.entries().iter().enumerate();
                    let inside = |path| bytekiln_action::RepoPath::strip_prefix(path, &inside);
                    entries
                        .filter(|(_, entry)| entry.kind != EntryKind::Directory)
                        .filter(|(_, entry)| entry.path.as_bytes().ends_with(b".pyc"))
                        .filter(|(_, entry)| inside(&entry.path).is_some())
                        .map(|(index, _)| index)
                        .collect()
                };
                for problem in artifact.problems() {
                    self.terminal.warning(format!("{problem} in `{shown}`"));
                }
                self.tree(&shown, &artifact, &caches(&artifact))
            }
        }
    }

    fn list_options(&self) -> ListOptions {
        let InspectArguments { dis, lines, all, .. } = *self.arguments;
        ListOptions { instructions: dis || lines || all, tables: true, ..ListOptions::default() }
    }

    /// A `.pyc` in full.
    fn single(&mut self, subject: Subject) -> Result<(), String> {
        let mut listing = bytekiln_proof::list(&subject.bytes, &self.list_options())
            .map_err(|error| format!("`{}` is no valid cache: {error}", subject.shown))?;
        let wanted = &self.arguments.code;
        let total = listing.code_objects.len();
        // Constants and parents name code objects by their number, which therefore stays.
        let mut numbered: Vec<_> = listing.code_objects.drain(..).enumerate().collect();
        if !wanted.is_empty() {
            numbered
                .retain(|(_, code)| wanted.contains(&code.qualname) || wanted.contains(&code.name));
        }
        if numbered.is_empty() {
            return Ok(());
        }
        self.code_found = true;
        match self.arguments.format {
            PlanFormat::Human => {
                let text =
                    human::file(&subject, &listing, &numbered, self.arguments, self.terminal);
                self.terminal.data(&text);
            }
            PlanFormat::Json => {
                self.rows.push(json::file(&subject, &listing, &numbered, total, self.arguments));
            }
        }
        Ok(())
    }

    /// Each `.pyc` of a folder or an archive.
    fn tree(&mut self, place: &str, artifact: &Artifact, caches: &[usize]) -> Result<(), String> {
        if caches.is_empty() {
            self.terminal.warning(format!("there is no .pyc in `{place}`"));
            return Ok(());
        }
        let shown = |index: &usize| match artifact.entries().get(*index) {
            Some(entry) => entry.path.to_string(),
            None => String::new(),
        };
        if self.arguments.all || !self.arguments.code.is_empty() {
            for index in caches {
                let member = format!("{}/{}", place.trim_end_matches('/'), shown(index));
                let read = Subject::of_member(member, artifact, *index);
                if let Err(message) = read.and_then(|subject| self.single(subject)) {
                    self.error(&message);
                }
            }
            return Ok(());
        }
        self.terminal.start_bar("Inspecting", caches.len());
        let terminal = self.terminal;
        let rows = parallel::map(caches, self.jobs, |index| {
            let row = Subject::of_member(shown(index), artifact, *index).map(|mut subject| {
                let row = subject.row();
                subject.bytes = Vec::new();
                (subject, row)
            });
            terminal.advance_bar(|| shown(index));
            row
        });
        self.terminal.finish_bar();
        let mut good = Vec::new();
        for row in rows {
            match row {
                Ok((subject, Ok(row))) => good.push((subject, row)),
                Ok((subject, Err(error))) => {
                    self.error(&format!("`{}` is no valid cache: {error}", subject.shown));
                }
                Err(message) => self.error(&message),
            }
        }
        match self.arguments.format {
            PlanFormat::Human => {
                self.terminal.data(&human::table(&good, self.terminal));
                let count = |test: &dyn Fn(&(Subject, subject::Row)) -> bool| {
                    good.iter().filter(|row| test(row)).count()
                };
                let canonical = count(&|(_, row)| row.canonical);
                let stale = count(&|(_, row)| row.source.is_stale());
                self.terminal.status(
                    "Inspected",
                    format!(
                        "{} caches in `{place}`: {canonical} canonical, {stale} stale",
                        good.len()
                    ),
                );
            }
            PlanFormat::Json => {
                self.rows.extend(good.iter().map(|(subject, row)| json::row(subject, row)));
            }
        }
        Ok(())
    }
}
