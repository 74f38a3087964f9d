//! Chains of imports to what must not be reached: for contracts that forbid more than an import of
//! their own. Knows nothing of manifests.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytekiln_graph::{Contract, EdgeId, NodeId, Selector, Which};
use bytekiln_project::{ContractRule, selector_text};

use super::Broken;
use super::matching::{closest, has};
use crate::imports::OpenGraph;

/// What was found.
pub(super) struct Chains {
    pub(super) broken: Vec<Broken>,
    /// Imports on the way that are let pass.
    pub(super) ignored: usize,
}

/// For each selector that is forbidden a shortest chain to it, if there is one besides the imports in
/// `direct`, which break the contract themselves.
pub(super) fn chains(
    open: &OpenGraph,
    rule: &ContractRule,
    which: Which,
    direct: &BTreeSet<EdgeId>,
    used: &mut [bool],
) -> Chains {
    let mut all = Chains { broken: Vec::new(), ignored: 0 };
    for check in &rule.checks {
        let Contract::Forbidden { from, to, except, .. } = check else { continue };
        let mut search = Search { open, rule, came_by: BTreeMap::new(), passed: BTreeSet::new() };
        let reached = search.run(which, (from, to, except), direct, used);
        all.ignored += search.passed.len();
        for (selector, last) in reached {
            let mut chain = search.chain(last);
            chain.reverse();
            let mut chain = chain.into_iter();
            let Some(import) = chain.next() else { continue };
            let graph = open.graph();
            let node = graph.edge(import).and_then(|edge| graph.node(edge.from));
            let who = node.and_then(|node| closest(graph, from, node));
            let reason = format!(
                "`{}` must not import `{}`, not even indirectly",
                who.map(selector_text).unwrap_or_default(),
                selector_text(selector)
            );
            all.broken.push(Broken { import, then: chain.collect(), reason });
        }
    }
    all
}

struct Search<'a> {
    open: &'a OpenGraph,
    rule: &'a ContractRule,
    /// The import by which a module was reached first; none for those to begin with.
    came_by: BTreeMap<NodeId, Option<EdgeId>>,
    passed: BTreeSet<EdgeId>,
}

impl Search<'_> {
    /// The selectors that were reached, each with the last import of a shortest chain.
    fn run<'a>(
        &mut self,
        which: Which,
        (from, to, except): (&[Selector], &'a [Selector], &[Selector]),
        direct: &BTreeSet<EdgeId>,
        used: &mut [bool],
    ) -> Vec<(&'a Selector, EdgeId)> {
        let graph = self.open.graph();
        let any = |selectors: &[Selector], node| selectors.iter().any(|one| has(graph, one, node));
        let starts = graph.nodes().filter(|(_, node)| any(from, node)).map(|(id, _)| id);
        let mut queue: VecDeque<NodeId> = starts.collect();
        self.came_by.extend(queue.iter().map(|id| (*id, None)));
        let mut reached: Vec<(&Selector, EdgeId)> = Vec::new();
        while let Some(id) = queue.pop_front() {
            let Some(importer) = graph.node(id) else { continue };
            for (import, edge) in graph.imports(id) {
                let Some(node) = graph.node(edge.to) else { continue };
                if !which.follows(edge.kinds) || direct.contains(&import) {
                    continue;
                }
                let mut ignored = self.rule.ignored.iter();
                let pass = ignored
                    .position(|one| has(graph, &one.from, importer) && has(graph, &one.to, node));
                if let Some(used) = pass.and_then(|pass| used.get_mut(pass)) {
                    *used = true;
                    self.passed.insert(import);
                    continue;
                }
                match closest(graph, to, node) {
                    Some(selector) if !any(except, node) => {
                        // From those themselves only what is direct counts, and has been told.
                        let is_new = !reached.iter().any(|(known, _)| *known == selector);
                        if is_new && self.came_by.get(&id).is_some_and(Option::is_some) {
                            reached.push((selector, import));
                        }
                    }
                    _ => {
                        if let Entry::Vacant(new) = self.came_by.entry(edge.to) {
                            new.insert(Some(import));
                            queue.push_back(edge.to);
                        }
                    }
                }
            }
        }
        reached
    }

    /// The imports that end with this one, the last first.
    fn chain(&self, last: EdgeId) -> Vec<EdgeId> {
        let mut chain = vec![last];
        let mut at = self.open.graph().edge(last).map(|edge| edge.from);
        while let Some(import) = at.and_then(|id| *self.came_by.get(&id)?) {
            chain.push(import);
            at = self.open.graph().edge(import).map(|edge| edge.from);
        }
        chain
    }
}
