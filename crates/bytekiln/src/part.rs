//! A part of the workspace, chosen by the import graph: the closure of entries, or what changes affect.
//! A plan is made for everything and then cut down to the part, so that whatever lies outside is
//! neither touched nor forgotten.

use std::collections::{BTreeMap, BTreeSet};

use bytekiln_action::RepoPath;
use bytekiln_graph::{NodeKind, Which};
use bytekiln_planner::{Inputs, Plan, Problem, RemovalReason, Skipped, Slot};
use bytekiln_python::Release;

use crate::arguments::{GraphSelection, ImportsChoice, PartArguments, UnknownChoice};
use crate::commands::affected::{Asked, touched};
use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::imports::{OpenGraph, open_in};
use crate::report::tally::plural;
use crate::report::terminal::Terminal;
use crate::settings::Settings;

/// Sources that a command is about.
#[derive(Debug, Default)]
pub struct Part {
    /// Those that are there.
    sources: BTreeSet<RepoPath>,
    /// Those that are gone, whose outputs are to go.
    gone: BTreeSet<RepoPath>,
    /// What was met while the graph was made.
    problems: Vec<Problem>,
    /// What they are, for people.
    description: String,
}

impl Part {
    /// What arguments say; none if they do not choose. The graph is made for each release that is
    /// compiled for, and the part is that of all of them.
    pub(crate) fn choose(
        arguments: &PartArguments,
        settings: &Settings,
        releases: &[Release],
        environment: &Environment,
        terminal: &Terminal,
    ) -> Result<Option<Part>, CommandFailure> {
        if arguments.entry.is_empty() && !arguments.affected {
            return Ok(None);
        }
        let choice = Choice { arguments, settings, environment, terminal };
        let mut part = Part::default();
        for release in releases {
            if arguments.affected {
                choice.affected(*release, &mut part)?;
            } else {
                choice.closure(*release, &mut part)?;
            }
        }
        part.problems.sort();
        part.problems.dedup();
        Ok(Some(part))
    }

    /// `12 sources that …`.
    pub fn description(&self) -> String {
        let count = self.sources.len();
        format!("{count} {} {}", plural(count, "source", "sources"), self.description)
    }

    /// What was met while the graph was made.
    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many sources × targets of a workspace in which all is fresh.
    pub(crate) fn fresh(&self, targets: u32) -> usize {
        self.sources.len() * targets as usize
    }

    /// Whether a problem concerns the part: its files, folders around them, or no file at all.
    pub(crate) fn concerns(&self, problem: &Problem) -> bool {
        let Some(path) = &problem.path else { return true };
        path.is_root()
            || self.sources.contains(path)
            || self.gone.contains(path)
            || self.sources.iter().any(|source| source.strip_prefix(path).is_some())
    }

    /// Cuts a plan down.
    pub(crate) fn restrict(&self, plan: &mut Plan, inputs: &Inputs) {
        plan.steps.retain(|step| self.sources.contains(&step.source));
        let mut sources: Vec<&RepoPath> =
            inputs.sources.iter().map(|source| &source.path).collect();
        sources.sort();
        plan.fresh.retain(|fresh| {
            let source = sources.get(fresh.source as usize);
            source.is_some_and(|source| self.sources.contains(*source))
        });
        let mut records: Vec<(&Slot, &RepoPath)> =
            inputs.records.iter().map(|record| (&record.slot, &record.source)).collect();
        records.sort_unstable();
        plan.removals.retain(|removal| match &removal.reason {
            RemovalReason::SourceGone { source } => self.gone.contains(source),
            RemovalReason::TargetGone { .. } => {
                let slot = Slot::Output(removal.output.clone());
                let at = records.binary_search_by(|(other, _)| (*other).cmp(&slot));
                let record = at.ok().and_then(|at| records.get(at));
                record.is_some_and(|(_, source)| self.sources.contains(*source))
            }
            // Nobody knows for sure what their source was.
            RemovalReason::Orphan => false,
        });
        plan.orphans.clear();
        plan.skipped.retain(|skipped| match skipped {
            Skipped::Script { path, .. } => self.sources.contains(path),
            _ => false,
        });
        plan.problems.retain(|problem| self.concerns(problem));
        plan.problems.extend(self.problems.iter().cloned());
        plan.problems.sort();
        plan.problems.dedup();
    }
}

/// How the part is chosen.
struct Choice<'a> {
    arguments: &'a PartArguments,
    settings: &'a Settings,
    environment: &'a Environment,
    terminal: &'a Terminal,
}

impl Choice<'_> {
    fn open(&self, release: Release, deleted: &[RepoPath]) -> Result<OpenGraph, CommandFailure> {
        let selection =
            GraphSelection { imports: self.arguments.imports, ..self.selection(release) };
        let start = self.settings.start.clone();
        let workspace = self.settings.workspace.clone();
        open_in(workspace, start, &selection, deleted, self.environment, self.terminal)
    }

    fn selection(&self, release: Release) -> GraphSelection {
        selection(self.settings, release)
    }

    /// Entries and all that they import.
    fn closure(&self, release: Release, part: &mut Part) -> Result<(), CommandFailure> {
        let open = self.open(release, &[])?;
        let mut nodes = Vec::new();
        for entry in &self.arguments.entry {
            nodes.extend(open.select(module_of(entry))?);
        }
        let which = open.imports.unwrap_or(Which::Eager);
        for id in open.graph().closure(&nodes, which) {
            let Some(node) = open.graph().node(id) else { continue };
            let is_source =
                matches!(node.kind, NodeKind::Module | NodeKind::Package | NodeKind::Unimportable);
            if let (true, Some((0, path))) = (is_source, &node.file) {
                part.sources.insert(path.clone());
            }
        }
        part.problems.extend(open.loaded.problems);
        let entries: Vec<String> =
            self.arguments.entry.iter().map(|entry| format!("`{entry}`")).collect();
        let how = match self.arguments.imports.unwrap_or(ImportsChoice::Eager) {
            ImportsChoice::Eager => "eagerly",
            ImportsChoice::Lazy => "eagerly or lazily",
            ImportsChoice::Runtime => "at run time",
            ImportsChoice::All => "in any way",
        };
        let verb = plural(entries.len(), "is or imports", "are or import");
        part.description = format!("that {} {verb} {how}", entries.join(", "));
        Ok(())
    }

    /// What changes affect.
    fn affected(&self, release: Release, part: &mut Part) -> Result<(), CommandFailure> {
        let asked = Asked {
            since: self.arguments.since.as_deref(),
            files: &[],
            files_from: None,
            unknown: UnknownChoice::Ignore,
        };
        let root = &self.settings.workspace.root;
        let changed = asked.changed(root, root, self.environment)?;
        let open = self.open(release, &changed.deleted())?;
        let touched = touched(&asked, changed, open, self.terminal)?;
        part.sources.extend(touched.sources());
        part.gone.extend(touched.gone());
        let revision = self.arguments.since.as_deref().unwrap_or_default();
        part.description = format!("affected by what changed since `{revision}`");
        part.problems.extend(touched.open.loaded.problems);
        Ok(())
    }
}

/// The graph that a build is about: of one release, with the state where the build has it. On which
/// platform outputs will be used, and what will be installed there, is not known, so neither decides.
pub(crate) fn selection(settings: &Settings, release: Release) -> GraphSelection {
    GraphSelection {
        python: Some(format!("3.{}", release.minor())),
        no_venv: true,
        python_platform: Some("all".to_owned()),
        state_dir: Some(settings.state_dir.clone()),
        jobs: Some(settings.jobs),
        ..GraphSelection::default()
    }
}

/// Places of sources in a list that begins with those that most others import.
pub(crate) fn ranks(
    settings: &Settings,
    release: Release,
    environment: &Environment,
    terminal: &Terminal,
) -> Result<BTreeMap<RepoPath, u32>, CommandFailure> {
    let (workspace, start) = (settings.workspace.clone(), settings.start.clone());
    let selection = selection(settings, release);
    let open = open_in(workspace, start, &selection, &[], environment, terminal)?;
    let graph = open.graph();
    let most = (0_u32..).zip(graph.most_imported(Which::Runtime));
    let ranks = most.filter_map(|(rank, (id, _))| match &graph.node(id)?.file {
        Some((0, path)) => Some((path.clone(), rank)),
        _ => None,
    });
    Ok(ranks.collect())
}

/// `app.main` of `app.main:run`, as entry points are written.
pub(crate) fn module_of(entry: &str) -> &str {
    match entry.split_once(':') {
        Some(("member" | "dist", _)) | None => entry,
        Some((module, _)) => module,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_points() {
        assert_eq!(module_of("app.main"), "app.main");
        assert_eq!(module_of("app.main:run"), "app.main");
        assert_eq!(module_of("member:app"), "member:app");
        assert_eq!(module_of("src/app/main.py"), "src/app/main.py");
    }
}
