//! Two measurements of one program: which modules came and went, and which take more or less time than
//! the spreads of both explain. Knows nothing of where measurements are kept.

use std::collections::{BTreeMap, BTreeSet};

use crate::Summary;

/// A module of a measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Dotted name.
    pub name: String,
    /// In the module itself, in microseconds.
    pub own: Summary,
}

/// A module that is in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Dotted name.
    pub name: String,
    /// Before.
    pub old: Summary,
    /// After.
    pub new: Summary,
}

/// What changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Loaded by the new one only, dearest first.
    pub added: Vec<Measured>,
    /// Loaded by the old one only, dearest first.
    pub removed: Vec<Measured>,
    /// Apart by more than their spreads and by at least the amount asked for, largest change first.
    pub changed: Vec<Change>,
}

/// Compares; changes of less than `least` microseconds do not count.
#[must_use]
pub fn compare(old: &[Measured], new: &[Measured], least: u64) -> Difference {
    let by_name = |all: &[Measured]| -> BTreeMap<String, Summary> {
        all.iter().map(|one| (one.name.clone(), one.own)).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut difference = Difference::default();
    for name in names {
        let measured = |own: &Summary| Measured { name: name.clone(), own: *own };
        match (before.get(name), after.get(name)) {
            (Some(own), None) => difference.removed.push(measured(own)),
            (None, Some(own)) => difference.added.push(measured(own)),
            (Some(old), Some(new)) => {
                if old.median.abs_diff(new.median) >= least && old.is_apart(new) {
                    let change = Change { name: name.clone(), old: *old, new: *new };
                    difference.changed.push(change);
                }
            }
            (None, None) => {}
        }
    }
    difference.added.sort_by_key(|one| std::cmp::Reverse(one.own.median));
    difference.removed.sort_by_key(|one| std::cmp::Reverse(one.own.median));
    let amount = |change: &Change| change.old.median.abs_diff(change.new.median);
    difference.changed.sort_by_key(|change| std::cmp::Reverse(amount(change)));
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences() {
        let one = |name: &str, values: &[u64]| Measured {
            name: name.to_owned(),
            own: Summary::of(values).unwrap(),
        };
        let old =
            [one("gone", &[5]), one("same", &[100, 200]), one("slow", &[100]), one("tiny", &[1])];
        let new =
            [one("same", &[150, 300]), one("slow", &[900]), one("new", &[7]), one("tiny", &[2])];
        let found = compare(&old, &new, 10);
        assert_eq!(found.added, [one("new", &[7])]);
        assert_eq!(found.removed, [one("gone", &[5])]);
        let names: Vec<&str> = found.changed.iter().map(|change| &*change.name).collect();
        assert_eq!(names, ["slow"]);
    }
}
