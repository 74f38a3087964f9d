//! Contracts: who may import whom, and the imports that break them. Knows nothing of manifests.

use crate::graph::{EdgeId, Graph, Node};
use crate::kinds::{Kinds, Which};

/// A rule about imports. Only what a module imports itself counts, not what that imports in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contract {
    /// Each layer may import those after it, never one before it. Several selectors in one layer may
    /// import each other.
    Layers {
        /// As users know it.
        name: String,
        /// The highest first.
        layers: Vec<Vec<Selector>>,
    },
    /// Some modules must not import others.
    Forbidden {
        /// As users know it.
        name: String,
        /// Who.
        from: Vec<Selector>,
        /// Whom.
        to: Vec<Selector>,
        /// Unless it is one of these.
        except: Vec<Selector>,
    },
    /// None of these may import another.
    Independent {
        /// As users know it.
        name: String,
        /// Each on its own.
        groups: Vec<Selector>,
    },
}

/// Chooses modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// All of an owner, by its name.
    Owner(String),
    /// A module and all below it, by its dotted name.
    Module(String),
}

/// An import that breaks a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which contract, by its place in the list.
    pub contract: usize,
    /// The import.
    pub import: EdgeId,
}

impl Selector {
    fn has(&self, graph: &Graph, node: &Node) -> bool {
        match self {
            Selector::Owner(name) => {
                let owner = node.owner.and_then(|owner| graph.owners.get(owner as usize));
                owner.is_some_and(|owner| owner.name == *name)
            }
            Selector::Module(module) => node
                .name
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        }
    }

    /// The longer, the closer: `a.b` decides over `a`.
    fn weight(&self) -> usize {
        match self {
            Selector::Owner(_) => 0,
            Selector::Module(module) => module.len(),
        }
    }
}

impl Contract {
    /// As users know it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Contract::Layers { name, .. }
            | Contract::Forbidden { name, .. }
            | Contract::Independent { name, .. } => name,
        }
    }
}

impl Graph {
    /// Every import that breaks a contract, by contract, module and line.
    #[must_use]
    pub fn violations(&self, contracts: &[Contract], which: Which) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (number, contract) in contracts.iter().enumerate() {
            let broken: Box<dyn Fn(usize, usize) -> bool> = match contract {
                Contract::Layers { layers, .. } => {
                    let place = self.places(layers);
                    Box::new(move |from, to| match (place.get(from), place.get(to)) {
                        (Some(Some(from)), Some(Some(to))) => from > to,
                        _ => false,
                    })
                }
                Contract::Independent { groups, .. } => {
                    let groups: Vec<_> = groups.iter().map(|group| vec![group.clone()]).collect();
                    let place = self.places(&groups);
                    Box::new(move |from, to| match (place.get(from), place.get(to)) {
                        (Some(Some(from)), Some(Some(to))) => from != to,
                        _ => false,
                    })
                }
                Contract::Forbidden { from, to, except, .. } => {
                    let place = |list: &Vec<Selector>| self.places(std::slice::from_ref(list));
                    let (from, to, except) = (place(from), place(to), place(except));
                    let has =
                        |list: &[Option<usize>], at: usize| matches!(list.get(at), Some(Some(_)));
                    Box::new(move |a, b| has(&from, a) && has(&to, b) && !has(&except, b))
                }
            };
            for at in 0..self.edge_count() {
                let id = EdgeId(u32::try_from(at).unwrap_or(u32::MAX));
                let Some(edge) = self.edge(id) else { continue };
                if which.follows(edge.kinds)
                    && !edge.kinds.any(Kinds::PACKAGE)
                    && broken(edge.from.0 as usize, edge.to.0 as usize)
                {
                    violations.push(Violation { contract: number, import: id });
                }
            }
        }
        violations
    }

    /// For each node the group that it is in: by the closest selector, of equals the first.
    fn places(&self, groups: &[Vec<Selector>]) -> Vec<Option<usize>> {
        let place = |node: &Node| {
            let mut best: Option<(usize, usize)> = None;
            for (number, group) in groups.iter().enumerate() {
                for selector in group.iter().filter(|selector| selector.has(self, node)) {
                    if best.is_none_or(|(weight, _)| selector.weight() > weight) {
                        best = Some((selector.weight(), number));
                    }
                }
            }
            best.map(|(_, number)| number)
        };
        self.nodes.iter().map(place).collect()
    }
}
