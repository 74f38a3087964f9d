//! What is wrong with a graph, for people: imports that find nothing, names with two meanings, cycles.
//! Knows nothing of how the graph came to be.

use std::io;

use bytekiln_graph::{AmbiguityKind, Kinds, NodeKind, Reason};

use super::document::{EdgeRow, ModuleRow};
use super::human::{NAMED, Page, plain};
use super::picture::counted;
use crate::report::terminal::Tone;

impl Page<'_> {
    /// Imports that fail when they run, first those that nothing catches.
    pub(super) fn unresolved(&mut self) -> io::Result<()> {
        let harmless =
            Kinds::OPTIONAL.with(Kinds::FALLBACK).with(Kinds::NEVER).with(Kinds::TYPE_CHECKING);
        let mut found: Vec<(&EdgeRow, &str, Reason)> = Vec::new();
        let mut caught = 0_u32;
        for edge in self.written() {
            let Some(module) = self.document.modules.get(edge.to as usize) else { continue };
            if let NodeKind::Unresolved(reason) = module.kind {
                if edge.kinds.any(harmless) {
                    caught += 1;
                } else if reason != Reason::Computed {
                    found.push((edge, module.name, reason));
                }
            }
        }
        let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok(());
        }
        let mut what = format!("{} that nothing is found for", counted(count, "import"));
        if caught > 0 {
            what +=
                &format!(" ({} more are in `try`, for type checkers, or never run)", plain(caught));
        }
        let lines: Vec<String> = found
            .iter()
            .take(NAMED)
            .map(|(edge, name, reason)| {
                let place = self.document.place(edge);
                format!("{place}: `{name}`: {}", why_missing(*reason))
            })
            .collect();
        self.line(Tone::Warning, "Unresolved", &what)?;
        for line in &lines {
            self.more(line)?;
        }
        if found.len() > NAMED {
            self.more(&format!("and {} more", found.len() - NAMED))?;
        }
        let reasons: Vec<Reason> = found.iter().map(|(_, _, reason)| *reason).collect();
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
        let cycles = &self.document.cycles;
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
            "install what is missing into the virtual environment (or name it with --venv), or list \
             what a build makes under `generated` in `[graph]` of the manifest",
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
