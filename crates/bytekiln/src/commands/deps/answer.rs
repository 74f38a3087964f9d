//! What is reached from some modules: how far away, by which import, and whether eager imports reach
//! it. One search for each kind of imports, each linear. Knows nothing of how it is shown.

use std::collections::{BTreeMap, VecDeque};

use bytekiln_graph::{Direction, Edge, EdgeId, Graph, NodeId, OwnerKind, Which};

use super::Question;
use crate::arguments::DepsBy;
use crate::commands::edges::{LEVELS, is_package, level};

/// What was found.
pub(super) struct Answer {
    /// In order of ids.
    pub(super) rows: Vec<Row>,
    /// With `--by member` or `--by distribution`, by name.
    pub(super) owners: Vec<OwnerRow>,
    /// Whether more than one import away was looked.
    pub(super) far: bool,
}

/// A module that was reached.
pub(super) struct Row {
    pub(super) module: NodeId,
    /// The fewest imports that reach it.
    pub(super) level: Which,
    /// How many imports away.
    pub(super) distance: u32,
    /// The import by which it was reached: its own, or one of it.
    pub(super) by: EdgeId,
    /// One import away: all of them, those that run soonest first.
    pub(super) imports: Vec<EdgeId>,
}

/// Whom reached modules belong to.
pub(super) struct OwnerRow {
    /// An index into [`Graph::owners`].
    pub(super) owner: u32,
    /// How many modules of it were reached.
    pub(super) modules: usize,
    /// As of the nearest of them, those reached by the fewest imports first.
    pub(super) level: Which,
    pub(super) distance: u32,
    pub(super) by: EdgeId,
}

impl Answer {
    pub(super) fn find(question: &Question<'_>) -> Answer {
        let graph = question.open.graph();
        let mut inside = vec![false; graph.len()];
        for node in &question.of {
            if let Some(place) = inside.get_mut(node.number() as usize) {
                *place = true;
            }
        }
        let mut direct = imports(question, &inside);
        let far = question.depth != Some(1);
        let mut rows: Vec<Row> = Vec::new();
        if far {
            for (module, reached) in reach(question, &inside) {
                let imports = direct.remove(&module).unwrap_or_default();
                let Reached { level, distance, by } = reached;
                rows.push(Row { module, level, distance, by, imports });
            }
        } else {
            for (module, imports) in direct {
                let first = imports.first().and_then(|id| Some((*id, graph.edge(*id)?)));
                let Some((by, edge)) = first else { continue };
                rows.push(Row { module, level: level(edge.kinds), distance: 1, by, imports });
            }
        }
        rows.retain(|row| question.wants(row.module));
        let owners = owners(question, &rows);
        Answer { rows, owners, far }
    }
}

/// The other end of an edge.
fn other(edge: &Edge, direction: Direction) -> NodeId {
    match direction {
        Direction::Dependencies => edge.to,
        Direction::Dependents => edge.from,
    }
}

/// Imports that a module makes, or that are made of it.
pub(super) fn edges(
    graph: &Graph,
    node: NodeId,
    direction: Direction,
) -> Box<dyn Iterator<Item = (EdgeId, Edge)> + '_> {
    match direction {
        Direction::Dependencies => Box::new(graph.imports(node)),
        Direction::Dependents => Box::new(graph.importers(node)),
    }
}

/// Imports as they are written, by the module at their other end.
fn imports(question: &Question<'_>, inside: &[bool]) -> BTreeMap<NodeId, Vec<EdgeId>> {
    let graph = question.open.graph();
    let mut found: BTreeMap<NodeId, Vec<(Which, EdgeId)>> = BTreeMap::new();
    for node in &question.of {
        for (id, edge) in edges(graph, *node, question.direction) {
            let other = other(&edge, question.direction);
            let outside = inside.get(other.number() as usize) == Some(&false);
            if outside && question.which.follows(edge.kinds) && !is_package(edge.kinds) {
                found.entry(other).or_default().push((level(edge.kinds), id));
            }
        }
    }
    let sorted = |(module, mut imports): (NodeId, Vec<(Which, EdgeId)>)| {
        imports.sort_unstable();
        (module, imports.into_iter().map(|(_, id)| id).collect())
    };
    found.into_iter().map(sorted).collect()
}

#[derive(Clone, Copy)]
struct Reached {
    level: Which,
    distance: u32,
    by: EdgeId,
}

/// All that is reached, in order of ids.
fn reach(question: &Question<'_>, inside: &[bool]) -> Vec<(NodeId, Reached)> {
    let graph = question.open.graph();
    let mut reached: Vec<Option<Reached>> = vec![None; graph.len()];
    for level in LEVELS.into_iter().filter(|level| *level <= question.which) {
        let mut seen = inside.to_vec();
        let mut queue: VecDeque<(NodeId, u32)> =
            question.of.iter().map(|node| (*node, 0)).collect();
        while let Some((node, distance)) = queue.pop_front() {
            if question.depth.is_some_and(|depth| distance >= depth) {
                continue;
            }
            for (by, edge) in edges(graph, node, question.direction) {
                let next = other(&edge, question.direction);
                if level.follows(edge.kinds)
                    && let Some(seen @ false) = seen.get_mut(next.number() as usize)
                {
                    *seen = true;
                    let distance = distance + 1;
                    queue.push_back((next, distance));
                    if let Some(place @ None) = reached.get_mut(next.number() as usize) {
                        *place = Some(Reached { level, distance, by });
                    }
                }
            }
        }
    }
    let nodes = graph.nodes().map(|(id, _)| id);
    nodes.zip(reached).filter_map(|(id, reached)| Some((id, reached?))).collect()
}

/// Owners of the modules that were reached, but for those of the modules asked about.
fn owners(question: &Question<'_>, rows: &[Row]) -> Vec<OwnerRow> {
    let kind = match question.arguments.by {
        DepsBy::Module => return Vec::new(),
        DepsBy::Member => OwnerKind::Member,
        DepsBy::Distribution => OwnerKind::Distribution,
    };
    let graph = question.open.graph();
    let own = graph.owners_of(&question.of);
    let mut found: BTreeMap<u32, OwnerRow> = BTreeMap::new();
    for row in rows {
        let Some(owner) = graph.node(row.module).and_then(|node| node.owner) else { continue };
        if own.contains(&owner) {
            continue;
        }
        let Row { level, distance, by, .. } = *row;
        let entry =
            found.entry(owner).or_insert(OwnerRow { owner, modules: 0, level, distance, by });
        entry.modules += 1;
        if (level, distance) < (entry.level, entry.distance) {
            (entry.level, entry.distance, entry.by) = (level, distance, by);
        }
    }
    let of_kind = |row: &OwnerRow| {
        graph.owners().get(row.owner as usize).is_some_and(|owner| owner.kind == kind)
    };
    let mut owners: Vec<OwnerRow> = found.into_values().filter(of_kind).collect();
    let name = |row: &OwnerRow| graph.owners().get(row.owner as usize).map(|owner| &owner.name);
    owners.sort_by(|a, b| name(a).cmp(&name(b)).then(a.owner.cmp(&b.owner)));
    owners
}
