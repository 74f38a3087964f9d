//! The graph for people: what there is, and what is wrong with it. Knows nothing of files and of how
//! the graph came to be.

use std::io::{self, Write};

use bytekiln_graph::{Kinds, NodeKind, OwnerKind, Which};

use super::document::{EdgeRow, GraphDocument, ModuleRow, least};
use super::picture::counted;
use crate::report::terminal::{Terminal, Tone};

/// How many of a kind are named.
pub(super) const NAMED: usize = 10;

pub(super) struct Page<'a> {
    pub(super) document: &'a GraphDocument<'a>,
    terminal: &'a Terminal,
    /// Standard output, which may have colours.
    colors: bool,
    out: &'a mut dyn Write,
}

/// Writes a summary.
pub(super) fn render(
    document: &GraphDocument<'_>,
    terminal: &Terminal,
    colors: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page { document, terminal, colors, out };
    page.modules()?;
    page.imports()?;
    if document.groups.is_empty() {
        page.members()?;
    } else {
        page.groups()?;
    }
    page.most_imported()?;
    page.unresolved()?;
    page.ambiguous()?;
    page.cycles()
}

impl<'a> Page<'a> {
    pub(super) fn line(&mut self, tone: Tone, verb: &str, what: &str) -> io::Result<()> {
        let verb = format!("{verb:>12}");
        let verb = if self.colors { self.terminal.paint_data(tone, &verb) } else { verb };
        writeln!(self.out, "{verb} {what}")
    }

    pub(super) fn more(&mut self, what: &str) -> io::Result<()> {
        writeln!(self.out, "             {what}")
    }

    pub(super) fn help(&mut self, what: &str) -> io::Result<()> {
        let mark = "= help:";
        let mark =
            if self.colors { self.terminal.paint_data(Tone::Note, mark) } else { mark.into() };
        writeln!(self.out, "  {mark} {what}")
    }

    fn is_own(&self, module: &ModuleRow<'_>) -> bool {
        match module.kind {
            NodeKind::Unresolved(_) | NodeKind::StandardLibrary | NodeKind::External => false,
            _ => matches!(self.document.owner_kind(module), Some(OwnerKind::Member)),
        }
    }

    fn modules(&mut self) -> io::Result<()> {
        let mut counts = [0_u32; 7];
        let mut outside = [0_u32; 4];
        for module in &self.document.modules {
            let place = match module.kind {
                NodeKind::Unresolved(_) => outside.get_mut(2),
                NodeKind::Generated => outside.get_mut(3),
                NodeKind::StandardLibrary => outside.get_mut(0),
                NodeKind::External => outside.get_mut(1),
                NodeKind::Namespace if !self.is_own(module) => None,
                _ if !self.is_own(module) => match self.document.owner_kind(module) {
                    Some(OwnerKind::StandardLibrary) => outside.get_mut(0),
                    _ => outside.get_mut(1),
                },
                NodeKind::Module => counts.get_mut(0),
                NodeKind::Package => counts.get_mut(1),
                NodeKind::Unimportable => counts.get_mut(2),
                NodeKind::Stub => counts.get_mut(3),
                NodeKind::Extension => counts.get_mut(4),
                NodeKind::Namespace => counts.get_mut(5),
                NodeKind::Deleted => counts.get_mut(6),
            };
            if let Some(place) = place {
                *place += 1;
            }
        }
        let names = [
            "module",
            "package",
            "script no import can find",
            "stub",
            "extension module",
            "namespace package",
            "deleted module",
        ];
        let own = counts.iter().sum();
        let parts = said(&counts, &names);
        let python = &self.document.python;
        let what = format!("{} for Python {python}", counted(own, "file"));
        let what = if own == 0 { what } else { format!("{what}: {parts}") };
        self.line(Tone::Good, "Modules", &what)?;
        let names = [
            "module of the standard library",
            "installed module",
            "name that is not found",
            "generated module",
        ];
        let parts = said(&outside, &names);
        if !parts.is_empty() {
            self.more(&format!("and {parts}"))?;
        }
        Ok(())
    }

    fn imports(&mut self) -> io::Result<()> {
        let names = [
            "at import",
            "lazy",
            "in functions or under `__main__`",
            "for type checkers",
            "in strings",
            "never",
        ];
        let mut counts = [0_u32; 6];
        let (mut conditional, mut optional, mut dynamic, mut star) = (0_u32, 0, 0, 0);
        for edge in self.written() {
            let place = match least(edge.kinds) {
                Which::Eager => 0,
                Which::WithLazy => 1,
                Which::Runtime => 2,
                Which::All if edge.kinds.any(Kinds::TYPE_CHECKING) => 3,
                Which::All if edge.kinds.any(Kinds::STRING) => 4,
                Which::All => 5,
            };
            if let Some(count) = counts.get_mut(place) {
                *count += 1;
            }
            conditional += u32::from(edge.kinds.any(Kinds::CONDITIONAL));
            optional += u32::from(edge.kinds.any(Kinds::OPTIONAL.with(Kinds::FALLBACK)));
            dynamic += u32::from(edge.kinds.any(Kinds::DYNAMIC));
            star += u32::from(edge.kinds.any(Kinds::STAR));
        }
        let parts: Vec<String> = counts
            .iter()
            .zip(names)
            .filter(|(count, _)| **count > 0)
            .map(|(count, name)| format!("{} {name}", plain(*count)))
            .collect();
        let all = counts.iter().sum::<u32>();
        let colon = if parts.is_empty() { "" } else { ": " };
        self.line(Tone::Good, "Imports", &format!("{}{colon}{}", plain(all), parts.join(", ")))?;
        let facts = [
            (optional, "in `try`"),
            (conditional, "under conditions"),
            (dynamic, "dynamic"),
            (star, "of `*`"),
        ];
        let facts: Vec<String> = facts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", plain(count)))
            .collect();
        if !facts.is_empty() {
            self.more(&format!("of these {}", facts.join(", ")))?;
        }
        Ok(())
    }

    /// Imports that a line says.
    pub(super) fn written(&self) -> impl Iterator<Item = EdgeRow> + use<'a> {
        let document = self.document;
        document.edges.iter().filter(|edge| !edge.kinds.any(Kinds::PACKAGE))
    }

    /// Of each member how many modules, and how many imports of others and by others.
    fn members(&mut self) -> io::Result<()> {
        let owner = |module: u32| self.document.modules.get(module as usize)?.owner;
        let mut rows = vec![(0_u32, 0_u32, 0_u32); self.document.owners.len()];
        for module in &self.document.modules {
            if let Some(row) = module.owner.and_then(|owner| rows.get_mut(owner as usize)) {
                row.0 += 1;
            }
        }
        for edge in self.document.edges.iter().filter(|edge| !edge.kinds.any(Kinds::PACKAGE)) {
            let (from, to) = (owner(edge.from), owner(edge.to));
            if from != to {
                if let Some(row) = from.and_then(|owner| rows.get_mut(owner as usize)) {
                    row.1 += 1;
                }
                if let Some(row) = to.and_then(|owner| rows.get_mut(owner as usize)) {
                    row.2 += 1;
                }
            }
        }
        let table = |kind: OwnerKind| -> Vec<Row> {
            let owners = self.document.owners.iter().zip(&rows);
            let owners = owners.filter(|(owner, row)| owner.kind == kind && row.0 + row.2 > 0);
            let row = |(owner, row): (&super::document::OwnerRow<'_>, &(u32, u32, u32))| {
                (owner.name.to_owned(), *row)
            };
            owners.map(row).collect()
        };
        let members = table(OwnerKind::Member);
        let mut distributions = table(OwnerKind::Distribution);
        distributions.sort_by(|a, b| b.1.2.cmp(&a.1.2).then_with(|| a.0.cmp(&b.0)));
        self.table("Members", members, 40)?;
        self.table("Installed", distributions, NAMED)
    }

    fn groups(&mut self) -> io::Result<()> {
        let mut rows: Vec<Row> = self
            .document
            .groups
            .iter()
            .map(|group| (group.name.clone(), (group.modules, 0, 0)))
            .collect();
        for edge in &self.document.group_edges {
            if let Some((_, row)) = rows.get_mut(edge.from as usize) {
                row.1 += edge.count;
            }
            if let Some((_, row)) = rows.get_mut(edge.to as usize) {
                row.2 += edge.count;
            }
        }
        self.table("Groups", rows, usize::MAX)
    }

    fn table(&mut self, verb: &str, rows: Vec<Row>, limit: usize) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let shown = rows.iter().take(limit);
        let width = shown.clone().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let (width, blank) = (width.max(12), "");
        let head = format!("{blank:width$}  modules  imports  imported by");
        self.line(Tone::Good, verb, &head)?;
        for (name, (modules, imports, imported)) in shown {
            let (modules, imports) = (plain(*modules), plain(*imports));
            let imported = plain(*imported);
            self.more(&format!("{name:width$}  {modules:>7}  {imports:>7}  {imported:>11}"))?;
        }
        match rows.len().saturating_sub(limit) {
            0 => Ok(()),
            more => self.more(&format!("and {more} more")),
        }
    }

    fn most_imported(&mut self) -> io::Result<()> {
        let mut pairs: Vec<(u32, u32)> = self
            .written()
            .filter(|edge| edge.from != edge.to)
            .map(|edge| (edge.to, edge.from))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut counts: Vec<(u32, u32)> = Vec::new();
        for (to, _) in pairs {
            match counts.last_mut() {
                Some((last, count)) if *last == to => *count += 1,
                _ => counts.push((to, 1)),
            }
        }
        let module = |number: u32| self.document.modules.get(number as usize);
        counts.retain(|(number, _)| module(*number).is_some_and(|module| self.is_own(module)));
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let named: Vec<(&str, u32)> = counts
            .iter()
            .take(5)
            .filter(|(_, count)| *count > 1)
            .filter_map(|(number, count)| Some((module(*number)?.name, *count)))
            .collect();
        let width = named.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (index, (name, count)) in named.into_iter().enumerate() {
            let what = format!("{name:width$}  by {}", counted(count, "module"));
            if index == 0 {
                self.line(Tone::Good, "Imported", &what)?;
            } else {
                self.more(&what)?;
            }
        }
        Ok(())
    }
}

type Row = (String, (u32, u32, u32));

pub(super) fn plain(count: u32) -> String {
    counted(count, "").trim_end_matches([' ', 's']).to_owned()
}

fn said(counts: &[u32], names: &[&str]) -> String {
    let parts: Vec<String> = counts
        .iter()
        .zip(names)
        .filter(|(count, _)| **count > 0)
        .map(|(count, name)| match name.split_once(" of ").or_else(|| name.split_once(" that ")) {
            Some((head, _)) => {
                let rest = name.strip_prefix(head).unwrap_or_default();
                let rest = if *count == 1 {
                    rest.to_owned()
                } else {
                    rest.replace("that is ", "that are ")
                };
                format!("{}{rest}", counted(*count, head))
            }
            None => counted(*count, name),
        })
        .collect();
    parts.join(", ")
}
