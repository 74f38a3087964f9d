//! The imports of a graph, in the order of importers: one list for each part that was resolved, where the thread
//! that resolved it has put it: to copy them into one would be work for one thread while all others wait.
//! Knows nothing of nodes.

use std::ops::Range;

use super::Edge;

/// Edges, numbered from 0. Those of one importer are next to each other in one list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edges {
    lists: Vec<Vec<Edge>>,
    /// The number of the first edge of each list.
    starts: Vec<u32>,
    count: u32,
}

impl Edges {
    /// Appends a list.
    pub(super) fn push(&mut self, list: Vec<Edge>) {
        let Ok(more) = u32::try_from(list.len()) else { return };
        if more == 0 {
            return;
        }
        self.starts.push(self.count);
        self.count = self.count.saturating_add(more);
        self.lists.push(list);
    }

    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    fn list(&self, at: u32) -> Option<(u32, &[Edge])> {
        let list = self.starts.partition_point(|start| *start <= at).checked_sub(1)?;
        Some((*self.starts.get(list)?, self.lists.get(list)?))
    }

    pub(super) fn get(&self, at: u32) -> Option<Edge> {
        let (start, list) = self.list(at)?;
        list.get(at.checked_sub(start)? as usize).copied()
    }

    /// Those of one importer, whose numbers these are.
    pub(crate) fn of(&self, numbers: Range<u32>) -> &[Edge] {
        let found = || {
            let (start, list) = self.list(numbers.start)?;
            let from = numbers.start.checked_sub(start)? as usize;
            list.get(from..from.checked_add(numbers.len())?)
        };
        found().unwrap_or_default()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Edge> {
        self.lists.iter().flatten()
    }

    /// All of them, list by list.
    pub(super) fn lists(&self) -> impl Iterator<Item = &[Edge]> {
        self.lists.iter().map(Vec::as_slice)
    }
}

impl FromIterator<Edge> for Edges {
    fn from_iter<I: IntoIterator<Item = Edge>>(edges: I) -> Edges {
        let mut all = Edges::default();
        all.push(edges.into_iter().collect());
        all
    }
}

impl PartialEq for Edges {
    fn eq(&self, other: &Edges) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Edges {}

#[cfg(test)]
mod tests {
    use super::super::NodeId;
    use super::*;
    use crate::kinds::Kinds;

    fn edges(numbers: Range<u32>) -> Vec<Edge> {
        let edge = |line| Edge {
            from: NodeId(line / 3),
            to: NodeId(0),
            line,
            column: 0,
            kinds: Kinds::NONE,
        };
        numbers.map(edge).collect()
    }

    #[test]
    fn lists_are_numbered_as_one() {
        let whole: Edges = edges(0..12).into_iter().collect();
        let mut parts = Edges::default();
        for part in [0..0, 0..3, 3..3, 3..9, 9..12] {
            parts.push(edges(part));
        }
        assert_eq!(parts, whole);
        assert_eq!(parts.len(), 12);
        for number in 0..12 {
            assert_eq!(parts.get(number).map(|edge| edge.line), Some(number));
            assert_eq!(parts.get(number), whole.get(number));
        }
        assert_eq!(parts.get(12), None);
        assert_eq!(parts.of(3..6), whole.of(3..6));
        assert_eq!(parts.of(6..9).len(), 3);
        assert_eq!(parts.of(9..9), []);
        assert_eq!(parts.of(12..12), []);
        assert_eq!(Edges::default().of(0..0), []);
    }
}
