//! Finds cycles, of the fewest imports first: a cycle of eager imports is not told again because lazy
//! ones close it too. Knows nothing of how they are shown.

use std::collections::BTreeSet;

use bytekiln_graph::{Cut, Cycle, Edge, EdgeId, Graph, NodeId, Which};

use super::groups::Groups;
use crate::arguments::CyclesBy;
use crate::commands::chains::shortest;
use crate::commands::edges::{LEVELS, is_package, level};
use crate::imports::OpenGraph;

/// A cycle.
pub(super) struct Found {
    /// The fewest imports that close it.
    pub(super) closed_by: Which,
    /// Names of modules, packages or members, in order.
    pub(super) names: Vec<String>,
    /// A way round, through an import without which it would be none.
    pub(super) example: Vec<Link>,
    /// Imports whose removal leaves no cycle.
    pub(super) cut: Vec<Link>,
}

/// From one to the next.
pub(super) struct Link {
    pub(super) from: String,
    pub(super) to: String,
    /// At least one: those that run soonest first.
    pub(super) imports: Vec<EdgeId>,
}

pub(super) fn find(open: &OpenGraph, by: CyclesBy, which: Which) -> Vec<Found> {
    let groups = Groups::new(open.graph(), by);
    let view = View { open, groups: groups.as_ref() };
    let graph = view.graph();
    let mut found = Vec::new();
    let mut known: BTreeSet<Vec<NodeId>> = BTreeSet::new();
    for closed_by in LEVELS.into_iter().filter(|level| *level <= which) {
        let cycles = graph.cycles(closed_by);
        let mut place = vec![u32::MAX; graph.len()];
        for (number, cycle) in (0_u32..).zip(&cycles) {
            for node in &cycle.modules {
                if let Some(place) = place.get_mut(node.number() as usize) {
                    *place = number;
                }
            }
        }
        for cycle in cycles {
            if known.insert(cycle.modules.clone()) {
                found.push(view.found(closed_by, cycle, &place));
            }
        }
    }
    found
}

/// Modules, or groups of them.
struct View<'a> {
    open: &'a OpenGraph,
    groups: Option<&'a Groups>,
}

impl View<'_> {
    fn graph(&self) -> &Graph {
        self.groups.map_or(self.open.graph(), |groups| &groups.graph)
    }

    fn name(&self, id: NodeId) -> String {
        match self.groups {
            Some(groups) => {
                groups.graph.node(id).map_or(String::new(), |node| node.name.to_string())
            }
            None => self.open.name(id),
        }
    }

    /// The link with all of these imports, as modules have them.
    fn link(&self, from: NodeId, to: NodeId, mut imports: Vec<EdgeId>) -> Link {
        let graph = self.graph();
        imports.sort_by_key(|id| (graph.edge(*id).map(|edge| level(edge.kinds)), *id));
        if let Some(groups) = self.groups {
            imports = imports.into_iter().filter_map(|id| groups.import(id)).collect();
        }
        Link { from: self.name(from), to: self.name(to), imports }
    }

    fn found(&self, closed_by: Which, cycle: Cycle, place: &[u32]) -> Found {
        let graph = self.graph();
        let example = needed(closed_by, graph, &cycle, place).unwrap_or_else(|| {
            let edge = |id: &EdgeId| graph.edge(*id).map(|edge| (edge.from, edge.to, vec![*id]));
            cycle.example.iter().filter_map(edge).collect()
        });
        let example = example.into_iter().map(|(from, to, ids)| match self.groups {
            // One import says little of two members.
            Some(_) => self.link(from, to, between(graph, from, to, closed_by)),
            None => self.link(from, to, ids),
        });
        let cut = cycle.cut.into_iter();
        Found {
            closed_by,
            names: cycle.modules.iter().map(|id| self.name(*id)).collect(),
            example: example.collect(),
            cut: cut.map(|Cut { from, to, imports }| self.link(from, to, imports)).collect(),
        }
    }
}

/// All imports of one by the other.
fn between(graph: &Graph, from: NodeId, to: NodeId, which: Which) -> Vec<EdgeId> {
    let wanted =
        |edge: &Edge| edge.to == to && which.follows(edge.kinds) && !is_package(edge.kinds);
    graph.imports(from).filter(|(_, edge)| wanted(edge)).map(|(id, _)| id).collect()
}

type Steps = Vec<(NodeId, NodeId, Vec<EdgeId>)>;

/// A way round through the first import that no narrower choice follows; none for eager cycles, of which
/// every way round is one.
fn needed(closed_by: Which, graph: &Graph, cycle: &Cycle, place: &[u32]) -> Option<Steps> {
    let place = |id: NodeId| place.get(id.number() as usize).copied();
    let inside = |edge: &Edge| {
        closed_by.follows(edge.kinds)
            && !is_package(edge.kinds)
            && edge.from != edge.to
            && place(edge.from) == place(edge.to)
    };
    let late = |edge: &Edge| inside(edge) && level(edge.kinds) == closed_by;
    if closed_by == Which::Eager {
        return None;
    }
    let imports = cycle.modules.iter().flat_map(|id| graph.imports(*id));
    let (first, edge) = imports.into_iter().find(|(_, edge)| late(edge))?;
    let way = shortest(graph, &[edge.to], &[edge.from], inside, 1)?.chains.into_iter().next()?;
    let mut steps = vec![(edge.from, edge.to, vec![first])];
    steps.extend(way.into_iter().map(|step| (step.from, step.to, step.imports)));
    Some(steps)
}
