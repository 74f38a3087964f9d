//! `-X importtime` of CPython 3.8 to 3.15: lines in the order in which imports ended, indented by their
//! depth, back to the tree of who imported whom first. Total: whatever stands in the text gives a tree,
//! and what was wrong with it is counted. Knows nothing of several runs.
//!
//! An import is written when it has ended, after all that it imported. So a line of depth *d* takes the
//! lines of depth *d* + 1 before it as its children. An import that never ended (the process was killed,
//! left, or still hangs) has no line; what it had imported is gathered under a nameless one.

use crate::collector::{TRACE, find};

/// Deeper than any recursion limit lets imports nest.
const DEEPEST: usize = 4096;
/// Longer names are no names.
const LONGEST_NAME: usize = 1024;

/// One import, as it first happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Dotted name; empty for an import that never ended.
    pub name: String,
    /// In the module itself, in microseconds.
    pub self_time: u64,
    /// With all that it was the first to import, in microseconds.
    pub cumulative: u64,
    /// Who was being imported then: an index into [`Trace::imports`], smaller than that of this one.
    pub parent: Option<usize>,
    /// How many there are above it.
    pub depth: usize,
}

/// The imports of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Importers before what they import, else in the order in which they ended.
    pub imports: Vec<Import>,
    /// Lines that begin like one of an import and are none.
    pub damaged: usize,
    /// Imports that take less time than what they imported: threads imported at the same time, or
    /// several processes wrote, and who imported whom may be wrong there.
    pub overlapping: usize,
    /// Imports that had not ended.
    pub unfinished: usize,
    /// Further interpreters that wrote to the same place; their imports are not among these.
    pub others: usize,
}

impl Trace {
    /// Reads what [`crate::Collector`] kept. Never fails.
    #[must_use]
    pub fn parse(text: &[u8]) -> Trace {
        let mut builder = Builder::default();
        let mut headers = 0_usize;
        for line in text.split(|byte| *byte == b'\n') {
            let Some(at) = find(line, TRACE) else { continue };
            let rest = line.get(at.saturating_add(TRACE.len())..).unwrap_or_default();
            match parse_line(rest) {
                Line::Import(_) if headers > 1 => {}
                Line::Import(one) => builder.add(one),
                Line::Header => headers = headers.saturating_add(1),
                Line::Repeated => {}
                Line::Damaged => builder.damaged = builder.damaged.saturating_add(1),
            }
        }
        builder.finish(headers.saturating_sub(1))
    }
}

struct Ended {
    name: String,
    self_time: i64,
    cumulative: i64,
    depth: usize,
}

enum Line {
    Header,
    Import(Ended),
    /// Of a module that had been imported before (`-X importtime=2`, 3.14 and later).
    Repeated,
    Damaged,
}

fn parse_line(rest: &[u8]) -> Line {
    let Ok(text) = std::str::from_utf8(rest) else { return Line::Damaged };
    let mut columns = text.splitn(3, '|');
    let (Some(own), Some(cumulative), Some(name)) =
        (columns.next(), columns.next(), columns.next())
    else {
        return Line::Damaged;
    };
    match (own.trim(), cumulative.trim()) {
        ("self [us]", "cumulative") => return Line::Header,
        ("cached", "cached") => return Line::Repeated,
        _ => {}
    }
    let numbers = (own.trim().parse::<i64>(), cumulative.trim().parse::<i64>());
    let (Ok(self_time), Ok(cumulative)) = numbers else { return Line::Damaged };
    // One blank belongs to the column, two to each level.
    let name = name.strip_prefix(' ').unwrap_or(name).trim_end_matches('\r');
    let short = name.trim_start_matches(' ');
    let depth = name.len().saturating_sub(short.len()) / 2;
    let is_name = !short.is_empty()
        && short.len() <= LONGEST_NAME
        && depth <= DEEPEST
        && !short.chars().any(char::is_control);
    if !is_name {
        return Line::Damaged;
    }
    Line::Import(Ended { name: short.to_owned(), self_time, cumulative, depth })
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    self_time: u64,
    cumulative: u64,
    children: Vec<usize>,
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    /// By depth: what has ended and awaits its importer.
    waiting: Vec<Vec<usize>>,
    damaged: usize,
    overlapping: usize,
}

impl Builder {
    fn add(&mut self, ended: Ended) {
        let Ended { name, self_time, cumulative, depth } = ended;
        // Deeper ones whose own importer has no line belong here as well.
        let below = self.waiting.len().min(depth.saturating_add(1));
        let mut children: Vec<usize> =
            self.waiting.split_off(below).into_iter().flatten().collect();
        children.sort_unstable();
        let sum: u64 = children
            .iter()
            .filter_map(|at| self.nodes.get(*at))
            .fold(0, |sum, node| sum.saturating_add(node.cumulative));
        let whole = u64::try_from(cumulative).unwrap_or(0);
        // Each number is rounded by itself.
        let slack = (children.len() as u64).saturating_add(1);
        if self_time < 0 || cumulative < 0 || sum > whole.saturating_add(slack) {
            self.overlapping = self.overlapping.saturating_add(1);
        }
        let self_time = u64::try_from(self_time).unwrap_or(0);
        self.wait(depth, Node { name, self_time, cumulative: whole, children });
    }

    fn wait(&mut self, depth: usize, node: Node) {
        let at = self.nodes.len();
        self.nodes.push(node);
        if self.waiting.len() <= depth {
            self.waiting.resize_with(depth.saturating_add(1), Vec::new);
        }
        if let Some(level) = self.waiting.get_mut(depth) {
            level.push(at);
        }
    }

    fn finish(mut self, others: usize) -> Trace {
        let mut unfinished = 0;
        while self.waiting.len() > 1 {
            let children = self.waiting.pop().unwrap_or_default();
            if children.is_empty() {
                continue;
            }
            unfinished += 1;
            let times = children.iter().filter_map(|at| self.nodes.get(*at));
            let cumulative = times.fold(0, |sum: u64, node| sum.saturating_add(node.cumulative));
            let depth = self.waiting.len().saturating_sub(1);
            self.wait(depth, Node { name: String::new(), self_time: 0, cumulative, children });
        }
        let roots = self.waiting.pop().unwrap_or_default();
        let imports = flatten(&mut self.nodes, roots);
        let (damaged, overlapping) = (self.damaged, self.overlapping);
        Trace { imports, damaged, overlapping, unfinished, others }
    }
}

/// Importers first, without recursion.
fn flatten(nodes: &mut [Node], roots: Vec<usize>) -> Vec<Import> {
    let mut imports = Vec::with_capacity(nodes.len());
    let mut open: Vec<(usize, Option<usize>, usize)> =
        roots.into_iter().rev().map(|root| (root, None, 0)).collect();
    while let Some((at, parent, depth)) = open.pop() {
        let Some(node) = nodes.get_mut(at) else { continue };
        let place = imports.len();
        let children = std::mem::take(&mut node.children);
        imports.push(Import {
            name: std::mem::take(&mut node.name),
            self_time: node.self_time,
            cumulative: node.cumulative,
            parent,
            depth,
        });
        let below = depth.saturating_add(1);
        open.extend(children.into_iter().rev().map(|child| (child, Some(place), below)));
    }
    imports
}

#[cfg(test)]
mod tests;
