//! Reasons for which two import graphs of the same sources differ. Knows nothing of how they were made.

use std::collections::{BTreeMap, BTreeSet};

/// Importer and imported.
pub(super) type Edges = BTreeSet<(String, String)>;

/// Our edges, with line and labels of each import.
pub(super) type Own = super::Labels;

/// Why an edge is in one graph only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// Ours: `from package import *` loads the modules that `__all__` of the package names.
    StarLoadsSubmodules,
    /// Ours: a call with a constant.
    Call,
    /// Ours: an import that finds nothing runs the packages on the way.
    PackageOfFailed,
    /// Theirs: the package of an imported module; our edge to it starts at that module.
    PackageOfSubmodule,
}

impl Reason {
    /// Who has the edge.
    pub(super) fn side(self) -> &'static str {
        match self {
            Reason::PackageOfSubmodule => "only theirs",
            _ => "only ours",
        }
    }

    /// For tables.
    pub(super) fn why(self) -> &'static str {
        match self {
            Reason::StarLoadsSubmodules => {
                "`from package import *` loads the submodules that `__all__` names"
            }
            Reason::Call => "`import_module` with a constant",
            Reason::PackageOfFailed => "a failing import runs the packages on the way",
            Reason::PackageOfSubmodule => {
                "`from package import module` is also an edge to `package`; ours leads from \
                 `package.module` to `package`"
            }
        }
    }
}

/// What differs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    pub(super) explained: BTreeMap<Reason, usize>,
    /// Edges of either that no reason fits.
    pub(super) unexplained: Vec<(String, String)>,
}

impl Differences {
    pub(super) fn between(own: &Own, theirs: &Edges) -> Differences {
        let mut differences = Differences::default();
        for (edge, labels) in own.iter().filter(|(edge, _)| !theirs.contains(*edge)) {
            differences.add(edge, only_ours(own, edge, labels));
        }
        for edge in theirs.iter().filter(|edge| !own.contains_key(*edge)) {
            differences.add(edge, only_theirs(own, edge));
        }
        differences
    }

    fn add(&mut self, edge: &(String, String), reason: Option<Reason>) {
        match reason {
            Some(reason) => *self.explained.entry(reason).or_default() += 1,
            None => self.unexplained.push(edge.clone()),
        }
    }
}

/// All statements behind the edge must have the reason.
fn only_ours(
    own: &Own,
    edge: &(String, String),
    labels: &BTreeSet<(u64, String)>,
) -> Option<Reason> {
    let all = |word: &str| labels.iter().all(|(_, words)| words.split(' ').any(|own| own == word));
    let (from, to) = edge;
    if all("dynamic") {
        return Some(Reason::Call);
    }
    if all("package") {
        return Some(Reason::PackageOfFailed);
    }
    let (package, _) = to.rsplit_once('.')?;
    let star = own.get(&(from.clone(), package.to_owned()));
    let lines: BTreeSet<u64> = star.into_iter().flatten().map(|(line, _)| *line).collect();
    let from_star = labels.iter().all(|(line, _)| lines.contains(line));
    (all("star") && from_star).then_some(Reason::StarLoadsSubmodules)
}

fn only_theirs(own: &Own, edge: &(String, String)) -> Option<Reason> {
    let (from, package) = edge;
    let prefix = format!("{package}.");
    let mut below = own.range((from.clone(), prefix.clone())..);
    let is_below = below
        .next()
        .is_some_and(|((importer, to), _)| importer == from && to.starts_with(prefix.as_str()));
    is_below.then_some(Reason::PackageOfSubmodule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        own: &[(&str, &str, u64, &str)],
        theirs: &[(&str, &str)],
        expect: &[Reason],
        open: usize,
    ) {
        let mut edges = Own::new();
        for (from, to, line, words) in own {
            let labels = edges.entry(((*from).to_owned(), (*to).to_owned())).or_default();
            labels.insert((*line, (*words).to_owned()));
        }
        let theirs: Edges =
            theirs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
        let found = Differences::between(&edges, &theirs);
        assert_eq!(found.explained.keys().copied().collect::<Vec<_>>(), expect);
        assert_eq!(found.unexplained.len(), open, "{found:?}");
    }

    #[test]
    fn reasons() {
        check(&[("a", "b", 1, "")], &[("a", "b")], &[], 0);
        check(&[("a", "b", 1, "")], &[], &[], 1);
        check(&[], &[("a", "b")], &[], 1);
        check(&[("a", "b", 1, "function dynamic")], &[], &[Reason::Call], 0);
        // One of two statements is plain.
        check(&[("a", "b", 1, "dynamic"), ("a", "b", 2, "")], &[], &[], 1);
        check(&[("a", "b", 1, "package")], &[], &[Reason::PackageOfFailed], 0);
        let star = [("a", "p", 1, "star"), ("a", "p.m", 1, "star")];
        check(&star, &[("a", "p")], &[Reason::StarLoadsSubmodules], 0);
        check(&[("a", "p", 2, "star"), ("a", "p.m", 1, "star")], &[("a", "p")], &[], 1);
        let module = [("a", "p.m", 1, "")];
        check(&module, &[("a", "p.m"), ("a", "p")], &[Reason::PackageOfSubmodule], 0);
        check(&module, &[("a", "p.m"), ("b", "p"), ("a", "q")], &[], 2);
    }
}
