//! What is wrong with a graph, for people: imports that find nothing, names with two meanings, cycles.
//! Knows nothing of how the graph came to be.

use std::collections::BTreeMap;
use std::io;

use bytekiln_graph::{AmbiguityKind, Kinds, NodeKind, Reason};

use super::document::{EdgeRow, ModuleRow};
use super::human::{NAMED, Page, plain};
use super::picture::counted;
use crate::report::terminal::Tone;

impl Page<'_> {
    /// Imports that fail when they run, those together that one remedy may help.
    pub(super) fn unresolved(&mut self) -> io::Result<()> {
        let harmless =
            Kinds::OPTIONAL.with(Kinds::FALLBACK).with(Kinds::NEVER).with(Kinds::TYPE_CHECKING);
        let mut found: BTreeMap<(Reason, &str), (u32, EdgeRow)> = BTreeMap::new();
        let mut all = 0_u32;
        let mut caught = 0_u32;
        for edge in self.written() {
            let Some(module) = self.document.modules.get(edge.to as usize) else { continue };
            let NodeKind::Unresolved(reason) = module.kind else { continue };
            if edge.kinds.any(harmless) {
                caught += 1;
            } else if reason != Reason::Computed {
                all += 1;
                let top = module.name.split('.').next().unwrap_or(module.name);
                let name = if reason == Reason::NotFound { top } else { module.name };
                found.entry((reason, name)).or_insert((0, edge)).0 += 1;
            }
        }
        if all == 0 {
            return Ok(());
        }
        let names = counted(u32::try_from(found.len()).unwrap_or(u32::MAX), "name");
        let mut what = format!("{names}, in {}", counted(all, "import"));
        if caught > 0 {
            let are = if caught == 1 { "is" } else { "are" };
            let caught = plain(caught);
            what += &format!(" ({caught} more {are} in `try`, for type checkers, or never run)");
        }
        self.line(Tone::Warning, "Unresolved", &what)?;
        let mut rows: Vec<_> = found.iter().collect();
        rows.sort_by_key(|(_, (count, edge))| (std::cmp::Reverse(*count), edge.from, edge.line));
        for ((reason, name), (count, edge)) in rows.iter().take(NAMED) {
            let place = self.document.place(edge);
            let times =
                if *count == 1 { String::new() } else { format!(", and {} more", count - 1) };
            self.more(&format!("`{name}`: {} ({place}{times})", why_missing(*reason)))?;
        }
        if rows.len() > NAMED {
            self.more(&format!("and {} more names", rows.len() - NAMED))?;
        }
        let reasons: Vec<Reason> = found.keys().map(|(reason, _)| *reason).collect();
        for remedy in remedies(&reasons) {
            self.help(remedy)?;
        }
        Ok(())
    }

    pub(super) fn ambiguous(&mut self) -> io::Result<()> {
        let lines: Vec<String> = self
            .document
            .ambiguities
            .iter()
            .take(NAMED)
            .filter_map(|one| {
                let chosen = self.document.modules.get(one.chosen as usize)?;
                let hidden = self.document.modules.get(one.hidden as usize)?;
                let path = |module| self.document.path(module).unwrap_or_else(|| whence(module));
                let (taken, not) = (path(chosen), path(hidden));
                Some(match one.kind {
                    AmbiguityKind::SameFolder => {
                        format!("`{}` is `{taken}`, and not `{not}` beside it", chosen.name)
                    }
                    AmbiguityKind::Shadowed => {
                        format!("`{}` is `{taken}`, which hides `{not}`", chosen.name)
                    }
                    AmbiguityKind::NameAndModule => format!(
                        "`{}` is a name that its package binds, and the module `{not}`",
                        hidden.name
                    ),
                })
            })
            .collect();
        let count = u32::try_from(self.document.ambiguities.len()).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok(());
        }
        self.line(
            Tone::Warning,
            "Ambiguous",
            &format!("{} with two meanings", counted(count, "name")),
        )?;
        for line in &lines {
            self.more(line)?;
        }
        match self.document.ambiguities.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => self.more(&format!("and {more} more")),
        }
    }

    pub(super) fn cycles(&mut self) -> io::Result<()> {
        let cycles = self.document.cycles.get();
        let Some(largest) = cycles.first() else { return Ok(()) };
        let count = u32::try_from(cycles.len()).unwrap_or(u32::MAX);
        let modules = counted(u32::try_from(largest.len()).unwrap_or(u32::MAX), "module");
        let what = if count == 1 {
            format!("1 of imports that run at import, of {modules}")
        } else {
            format!("{} of imports that run at import, the largest of {modules}", plain(count))
        };
        self.line(Tone::Warning, "Cycles", &what)?;
        self.help("`bytekiln cycles` shows each, and which imports to move")
    }
}

/// Whence a module without a file is.
fn whence(module: &ModuleRow<'_>) -> String {
    match module.kind {
        NodeKind::StandardLibrary => format!("{} of the standard library", module.name),
        NodeKind::External => format!("{} of a distribution", module.name),
        NodeKind::Namespace => format!("the namespace package {}", module.name),
        _ => module.name.to_owned(),
    }
}

fn why_missing(reason: Reason) -> &'static str {
    match reason {
        Reason::NotFound => "nothing of this name is on sys.path",
        Reason::NoSubmodule => "the package has no such module",
        Reason::NotAPackage => "what it should be in is no package",
        Reason::BeyondTopLevel => "more dots than packages around it",
        Reason::NoPackage => "a relative import in a module that is in no package",
        Reason::Computed => "the name is computed",
    }
}

fn remedies(reasons: &[Reason]) -> Vec<&'static str> {
    let mut remedies = Vec::new();
    if reasons.contains(&Reason::NotFound) {
        remedies.push(
            "install what is missing, name the environment with --venv, or list what a build makes as \
             `generated` in the manifest's [graph]",
        );
    }
    if reasons.iter().any(|reason| matches!(reason, Reason::NoSubmodule | Reason::NotAPackage)) {
        remedies.push("a module may have been moved or removed: the import fails when it runs");
    }
    if reasons.iter().any(|reason| matches!(reason, Reason::BeyondTopLevel | Reason::NoPackage)) {
        remedies.push("relative imports work only below a package: is an import root missing?");
    }
    remedies
}
