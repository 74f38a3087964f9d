//! Verdicts as Markdown. Knows nothing of how they came to be.

use std::fmt;
use std::path::Path;

use super::compare::{Class, Miss, Verdict};
use super::programs::Program;

/// The table, and below it what was missed.
pub(crate) struct Report<'a> {
    pub(crate) verdicts: &'a [(&'a Program, Verdict)],
    /// Cut off in front of paths.
    pub(crate) base: &'a Path,
    /// Also each miss.
    pub(crate) verbose: bool,
}

/// What the graph should have seen.
pub(crate) fn faults(verdict: &Verdict) -> usize {
    let is_fault = |miss: &&Miss| matches!(miss.class, Class::Visible | Class::NoEdge);
    verdict.misses.iter().filter(is_fault).count() + verdict.unseen.len()
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| program | loaded | predicted | recall | precision | recall of the statically visible | \
             recall with functions | and strings |\n|---|---|---|---|---|---|---|---|"
        )?;
        for (program, verdict) in self.verdicts {
            let visible = verdict.hits
                + verdict.misses.iter().filter(|miss| miss.class == Class::Visible).count();
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                program.name,
                verdict.loaded,
                verdict.predicted,
                share(verdict.hits, verdict.loaded),
                share(verdict.hits, verdict.predicted),
                share(verdict.hits, visible),
                share(verdict.runtime_hits, verdict.loaded),
                share(verdict.all_hits, verdict.loaded),
            )?;
        }
        self.classes(f)?;
        self.details(f)
    }
}

impl Report<'_> {
    fn classes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n| program | missed |")?;
        for class in Class::ALL {
            write!(f, " {} |", class.word())?;
        }
        writeln!(f, "\n|---|---|{}", "---|".repeat(Class::ALL.len()))?;
        let of = |verdict: &Verdict, class: Class| {
            verdict.misses.iter().filter(|miss| miss.class == class).count()
        };
        for (program, verdict) in self.verdicts {
            write!(f, "| {} | {} |", program.name, verdict.misses.len())?;
            for class in Class::ALL {
                write!(f, " {} |", of(verdict, class))?;
            }
            writeln!(f)?;
        }
        let missed: usize = self.verdicts.iter().map(|(_, verdict)| verdict.misses.len()).sum();
        write!(f, "| all | {missed} |")?;
        for class in Class::ALL {
            let sum: usize = self.verdicts.iter().map(|(_, verdict)| of(verdict, class)).sum();
            write!(f, " {sum} |")?;
        }
        writeln!(f)?;
        let statements: usize = self.verdicts.iter().map(|(_, verdict)| verdict.statements).sum();
        let unseen: usize = self.verdicts.iter().map(|(_, verdict)| verdict.unseen.len()).sum();
        let sure: usize = self.verdicts.iter().map(|(_, verdict)| verdict.sure_extras.len()).sum();
        writeln!(
            f,
            "\nImport statements that loaded a module: {statements}; without an edge at their line: \
             {unseen}.\nPredicted over edges without any condition, and not loaded: {sure}.\n"
        )
    }

    fn details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = format!("{}/", self.base.display());
        for (program, verdict) in self.verdicts {
            for unseen in &verdict.unseen {
                let place = unseen.place.replace(&base, "");
                writeln!(f, "- {}: no edge to `{}` at {place}", program.name, unseen.name)?;
            }
            for extra in &verdict.sure_extras {
                writeln!(f, "- {}: `{extra}` was not loaded", program.name)?;
            }
            for miss in &verdict.misses {
                let is_fault = matches!(miss.class, Class::Visible | Class::NoEdge);
                if self.verbose || is_fault {
                    let place = miss.place.replace(&base, "");
                    let indirect = if miss.indirect { ", indirectly" } else { "" };
                    let (name, class) = (&miss.name, miss.class.word());
                    writeln!(f, "- {}: `{name}` missed: {class}{indirect}; {place}", program.name)?;
                }
            }
        }
        Ok(())
    }
}

/// Per cent, rounded down: 100 is all.
fn share(part: usize, whole: usize) -> String {
    match (part * 1000).checked_div(whole) {
        Some(tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
        None => "–".to_owned(),
    }
}
