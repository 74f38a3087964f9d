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
    /// A way round: with `--by module` through an import without which it would be none.
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
    let graph = open.graph();
    let mut found = Vec::new();
    let mut known: BTreeSet<Vec<NodeId>> = BTreeSet::new();
    for closed_by in LEVELS.into_iter().filter(|level| *level <= which) {
        let groups = Groups::new(open, by, closed_by);
        let cycles = match &groups {
            Some(groups) => groups.graph.cycles(Which::All),
            None => graph.cycles(closed_by),
        };
        let mut place = vec![u32::MAX; groups.as_ref().map_or(graph, |groups| &groups.graph).len()];
        for (number, cycle) in (0_u32..).zip(&cycles) {
            for node in &cycle.modules {
                if let Some(place) = place.get_mut(node.number() as usize) {
                    *place = number;
                }
            }
        }
        for cycle in cycles {
            if !known.insert(cycle.modules.clone()) {
                continue;
            }
            found.push(match &groups {
                Some(groups) => of_groups(closed_by, groups, &cycle),
                None => of_modules(closed_by, open, cycle, &place),
            });
        }
    }
    found
}

fn of_groups(closed_by: Which, groups: &Groups, cycle: &Cycle) -> Found {
    let link = |from: NodeId, to: NodeId| Link {
        from: groups.name(from).to_owned(),
        to: groups.name(to).to_owned(),
        imports: groups.imports(from, to),
    };
    let example = cycle.example.iter().filter_map(|id| groups.graph.edge(*id));
    Found {
        closed_by,
        names: cycle.modules.iter().map(|id| groups.name(*id).to_owned()).collect(),
        example: example.map(|edge| link(edge.from, edge.to)).collect(),
        cut: cycle.cut.iter().map(|cut| link(cut.from, cut.to)).collect(),
    }
}

fn of_modules(closed_by: Which, open: &OpenGraph, cycle: Cycle, place: &[u32]) -> Found {
    let graph = open.graph();
    let link = |from: NodeId, to: NodeId, imports: Vec<EdgeId>| {
        let level_of = |id: &EdgeId| graph.edge(*id).map(|edge| level(edge.kinds));
        let mut imports = imports;
        imports.sort_by_key(|id| (level_of(id), *id));
        Link { from: open.name(from), to: open.name(to), imports }
    };
    let example = needed(closed_by, graph, &cycle, place).unwrap_or_else(|| {
        let edge = |id: &EdgeId| graph.edge(*id).map(|edge| (edge.from, edge.to, vec![*id]));
        cycle.example.iter().filter_map(edge).collect()
    });
    let cut = cycle.cut.into_iter().map(|Cut { from, to, imports }| link(from, to, imports));
    Found {
        closed_by,
        names: cycle.modules.iter().map(|id| open.name(*id)).collect(),
        example: example.into_iter().map(|(from, to, ids)| link(from, to, ids)).collect(),
        cut: cut.collect(),
    }
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
