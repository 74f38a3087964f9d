//! What was found as a tree: each module is shown in full once, where it is nearest to the root, so that
//! a tree is as long as there are imports and no deeper than it has to be.

use std::collections::VecDeque;

use bytekiln_graph::{Direction, Edge, EdgeId, NodeId, Which};

use super::Question;
use super::answer::edges;
use crate::commands::edges::{Origin, how, is_package, level, mark, origin};
use crate::report::terminal::{Terminal, Tone};

/// Deeper than this nobody can follow, and lines get longer than a terminal is wide.
const DEEPEST: usize = 64;

struct Child {
    module: NodeId,
    notes: Vec<String>,
    /// Shown in full here.
    opened: bool,
    /// Shown in full elsewhere, and there is something to show.
    elsewhere: bool,
}

pub(super) fn render(question: &Question<'_>, terminal: &Terminal) -> String {
    let parents = parents(question);
    let mut out = String::new();
    for root in &question.of {
        out.push_str(&question.open.name(*root));
        out.push('\n');
        let mut open = vec![children(question, &parents, *root)];
        let mut prefix = String::new();
        while let Some(level) = open.last_mut() {
            let Some(child) = level.pop() else {
                open.pop();
                // Each level is one sign and three spaces or dashes: four characters.
                let kept = prefix.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
                prefix.truncate(kept);
                continue;
            };
            let last = level.is_empty();
            let below =
                if child.opened { children(question, &parents, child.module) } else { Vec::new() };
            out.push_str(&prefix);
            out.push_str(if last { "└── " } else { "├── " });
            push(&mut out, question, &child, &below, open.len(), terminal);
            if !below.is_empty() && open.len() < DEEPEST {
                prefix.push_str(if last { "    " } else { "│   " });
                open.push(below);
            }
        }
    }
    out
}

fn push(
    out: &mut String,
    question: &Question<'_>,
    child: &Child,
    below: &[Child],
    depth: usize,
    terminal: &Terminal,
) {
    let name = question.open.name(child.module);
    let unresolved = origin(question.open, child.module) == Origin::Unresolved;
    out.push_str(&if unresolved { terminal.paint_data(Tone::Warning, &name) } else { name });
    if !child.notes.is_empty() {
        out.push_str(" [");
        out.push_str(&child.notes.join(", "));
        out.push(']');
    }
    if child.elsewhere {
        out.push_str(" (*)");
    } else if !below.is_empty() && depth >= DEEPEST {
        out.push_str(" …");
    }
    out.push('\n');
}

/// For each module the one below which it is shown in full: itself for roots, none for what is not
/// reached or too far away.
fn parents(question: &Question<'_>) -> Vec<Option<(NodeId, u32)>> {
    let mut parents: Vec<Option<(NodeId, u32)>> = vec![None; question.open.graph().len()];
    let mut queue = VecDeque::new();
    for root in &question.of {
        if let Some(place) = parents.get_mut(root.number() as usize) {
            *place = Some((*root, 0));
        }
        queue.push_back((*root, 0));
    }
    while let Some((node, distance)) = queue.pop_front() {
        if question.depth.is_some_and(|depth| distance >= depth) {
            continue;
        }
        for (next, _) in neighbours(question, node) {
            if let Some(place @ None) = parents.get_mut(next.number() as usize) {
                *place = Some((node, distance + 1));
                queue.push_back((next, distance + 1));
            }
        }
    }
    parents
}

/// The module at the other end of an edge, if it is a neighbour.
fn neighbour(question: &Question<'_>, node: NodeId, edge: &Edge) -> Option<NodeId> {
    let other = match question.direction {
        Direction::Dependencies => edge.to,
        Direction::Dependents => edge.from,
    };
    let counts = question.which.follows(edge.kinds) && !is_package(edge.kinds) && other != node;
    (counts && question.wants(other)).then_some(other)
}

/// Modules one import away, by id, each with the import of it that runs soonest.
fn neighbours(question: &Question<'_>, node: NodeId) -> Vec<(NodeId, EdgeId)> {
    let found = edges(question.open.graph(), node, question.direction);
    let mut found: Vec<(NodeId, Which, EdgeId)> = found
        .filter_map(|(id, edge)| Some((neighbour(question, node, &edge)?, level(edge.kinds), id)))
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|(other, _, _)| *other);
    found.into_iter().map(|(other, _, id)| (other, id)).collect()
}

fn has_neighbours(question: &Question<'_>, node: NodeId) -> bool {
    edges(question.open.graph(), node, question.direction)
        .any(|(_, edge)| neighbour(question, node, &edge).is_some())
}

/// In reverse order, so that they can be taken from the end.
fn children(
    question: &Question<'_>,
    parents: &[Option<(NodeId, u32)>],
    node: NodeId,
) -> Vec<Child> {
    let place = |id: NodeId| parents.get(id.number() as usize).copied().flatten();
    let Some((_, distance)) = place(node) else { return Vec::new() };
    if question.depth.is_some_and(|depth| distance >= depth) {
        return Vec::new();
    }
    let child = |(module, id): (NodeId, EdgeId)| {
        let mut notes = Vec::new();
        if let Some(edge) = question.open.graph().edge(id) {
            notes.push(format!("line {}", edge.line));
            notes.extend(how(edge.kinds).into_iter().map(str::to_owned));
        }
        notes.extend(mark(question.open, module));
        let opened = place(module).is_some_and(|(parent, at)| at > 0 && parent == node);
        let elsewhere = !opened && place(module).is_some() && has_neighbours(question, module);
        Child { module, notes, opened, elsewhere }
    };
    let mut children: Vec<Child> = neighbours(question, node).into_iter().map(child).collect();
    children.reverse();
    children
}
