//! Traces of several runs, each in several ways, put into one tree: a row for each import, and for each
//! way what it took. Knows nothing of what the ways are.

use std::collections::BTreeMap;

use crate::{Summary, Trace};

/// One tree of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Importers before what they import.
    pub rows: Vec<Row>,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Dotted name; empty for an import that never ended.
    pub name: String,
    /// The same name may be imported more than once, where the first time failed: 0 for the first.
    pub occurrence: usize,
    /// Who was being imported then: an index into [`Profile::rows`].
    pub parent: Option<usize>,
    /// How many there are above it.
    pub depth: usize,
    /// By way: what it took; none where it was in no run.
    pub times: Vec<Option<Times>>,
}

/// What an import took, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// In the module itself.
    pub own: Summary,
    /// With what it imported.
    pub cumulative: Summary,
    /// In how many runs it was.
    pub runs: usize,
}

#[derive(Default)]
struct Node {
    name: String,
    occurrence: usize,
    children: Vec<usize>,
    /// By way: self and cumulative of each run.
    values: Vec<(Vec<u64>, Vec<u64>)>,
}

impl Profile {
    /// Puts them together: by way, then by run. The tree is that of the first run of the first way; what
    /// only others have is added where they have it.
    #[must_use]
    pub fn new(ways: &[Vec<Trace>]) -> Profile {
        let mut nodes: Vec<Node> = Vec::new();
        let mut roots: Vec<usize> = Vec::new();
        let mut known: BTreeMap<(String, usize), usize> = BTreeMap::new();
        for (way, trace) in
            ways.iter().enumerate().flat_map(|(way, runs)| runs.iter().map(move |run| (way, run)))
        {
            let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
            let mut places: Vec<usize> = Vec::with_capacity(trace.imports.len());
            for import in &trace.imports {
                let count = seen.entry(&import.name).or_default();
                let key = (import.name.clone(), *count);
                *count = count.saturating_add(1);
                let fresh = nodes.len();
                let at = *known.entry(key).or_insert(fresh);
                if at == fresh {
                    nodes.push(Node {
                        name: import.name.clone(),
                        occurrence: count.saturating_sub(1),
                        children: Vec::new(),
                        values: vec![(Vec::new(), Vec::new()); ways.len()],
                    });
                    let parent = import.parent.and_then(|parent| places.get(parent)).copied();
                    match parent.and_then(|parent| nodes.get_mut(parent)) {
                        Some(parent) => parent.children.push(at),
                        None => roots.push(at),
                    }
                }
                places.push(at);
                if let Some((own, all)) =
                    nodes.get_mut(at).and_then(|node| node.values.get_mut(way))
                {
                    own.push(import.self_time);
                    all.push(import.cumulative);
                }
            }
        }
        Profile { rows: flatten(&nodes, roots) }
    }

    /// The chain of imports by which a row came in: the outermost first, the row itself last.
    #[must_use]
    pub fn chain(&self, row: usize) -> Vec<usize> {
        let mut chain = vec![row];
        let mut at = row;
        while let Some(parent) = self.rows.get(at).and_then(|row| row.parent) {
            chain.push(parent);
            at = parent;
        }
        chain.reverse();
        chain
    }
}

fn flatten(nodes: &[Node], roots: Vec<usize>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(nodes.len());
    let mut open: Vec<(usize, Option<usize>, usize)> =
        roots.into_iter().rev().map(|root| (root, None, 0)).collect();
    while let Some((at, parent, depth)) = open.pop() {
        let Some(node) = nodes.get(at) else { continue };
        let place = rows.len();
        let times = |(own, all): &(Vec<u64>, Vec<u64>)| {
            Some(Times { own: Summary::of(own)?, cumulative: Summary::of(all)?, runs: own.len() })
        };
        rows.push(Row {
            name: node.name.clone(),
            occurrence: node.occurrence,
            parent,
            depth,
            times: node.values.iter().map(times).collect(),
        });
        let below = depth.saturating_add(1);
        open.extend(node.children.iter().rev().map(|child| (*child, Some(place), below)));
    }
    rows
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn trace(lines: &str) -> Trace {
        let line = |line: &str| format!("import time: {line}\n");
        Trace::parse(lines.lines().map(line).collect::<String>().as_bytes())
    }

    #[test]
    fn runs_come_together() {
        let ways = [
            vec![trace("5 | 5 |   b\n1 | 6 | a"), trace("7 | 7 |   b\n2 | 9 | a\n1 | 1 | late")],
            vec![trace("1 | 1 |   b\n3 | 3 |   only\n1 | 5 | a\n4 | 4 | b")],
        ];
        let profile = Profile::new(&ways);
        let mut out = String::new();
        for row in &profile.rows {
            out.push_str(&format!("{}{}#{}", "  ".repeat(row.depth), row.name, row.occurrence));
            for times in &row.times {
                match times {
                    None => out.push_str(" -"),
                    Some(Times { own, cumulative, runs }) => out.push_str(&format!(
                        " {}..{}/{} x{runs}",
                        own.least, own.most, cumulative.median
                    )),
                }
            }
            out.push('\n');
        }
        expect![[r#"
            a#0 1..2/7 x2 1..1/5 x1
              b#0 5..7/6 x2 1..1/1 x1
              only#0 - 3..3/3 x1
            late#0 1..1/1 x1 -
            b#1 - 4..4/4 x1
        "#]]
        .assert_eq(&out);
        assert_eq!(profile.chain(2), [0, 2]);
        assert_eq!(profile.chain(3), [3]);
        assert_eq!(Profile::new(&[]).rows, []);
    }
}
