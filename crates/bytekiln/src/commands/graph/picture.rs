//! What is drawn: boxes, frames around them, and one arrow from box to box, however many imports it
//! stands for. Knows nothing of the languages that it is written in.

use std::collections::BTreeMap;

use bytekiln_graph::{Kinds, NodeKind, OwnerKind, Which};

use super::document::{GraphDocument, ModuleRow, least};

/// A drawing.
pub(super) struct Picture {
    pub(super) boxes: Vec<Box>,
    pub(super) frames: Vec<Frame>,
    pub(super) arrows: Vec<Arrow>,
}

/// A module or a group.
pub(super) struct Box {
    pub(super) label: String,
    /// Where it is, or what it is.
    pub(super) tip: String,
    pub(super) look: Look,
}

/// How a box looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// A module of the workspace.
    Module,
    /// More than one.
    Package,
    /// Installed, or of the standard library.
    Outside,
    /// Not found.
    Missing,
}

/// The boxes of one member or distribution, or of the standard library.
pub(super) struct Frame {
    pub(super) label: String,
    pub(super) boxes: Vec<u32>,
}

/// Imports of one box by another.
pub(super) struct Arrow {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) count: u32,
    /// The least `--imports` that takes one of them.
    pub(super) which: Which,
    /// Closes a cycle of eager imports.
    pub(super) cyclic: bool,
}

impl Picture {
    /// Draws groups if there are any, else modules.
    pub(super) fn new(document: &GraphDocument<'_>) -> Picture {
        if document.groups.is_empty() {
            return Picture::of_modules(document);
        }
        let boxes = document.groups.iter().map(|group| {
            let look = match group.kind {
                "package" | "member" => Look::Package,
                "unresolved" => Look::Missing,
                _ => Look::Outside,
            };
            let tip = format!("{} ({})", group.kind, counted(group.modules, "module"));
            Box { label: group.name.clone(), tip, look }
        });
        let owners = document.groups.iter().map(|group| group.owner);
        let frames = if document.by == "package" { frames(document, owners) } else { Vec::new() };
        let arrows = document.group_edges.iter().map(|edge| Arrow {
            from: edge.from,
            to: edge.to,
            count: edge.count,
            which: edge.which,
            cyclic: false,
        });
        Picture { boxes: boxes.collect(), frames, arrows: arrows.collect() }
    }

    fn of_modules(document: &GraphDocument<'_>) -> Picture {
        let mut cycle_of: Vec<Option<usize>> = vec![None; document.modules.len()];
        for (number, cycle) in document.cycles.get().iter().enumerate() {
            for module in cycle {
                if let Some(place) = cycle_of.get_mut(*module as usize) {
                    *place = Some(number);
                }
            }
        }
        let cycle = |module: u32| cycle_of.get(module as usize).copied().flatten();
        let mut arrows: BTreeMap<(u32, u32), Arrow> = BTreeMap::new();
        for edge in document.edges.iter() {
            if edge.kinds.any(Kinds::PACKAGE) || edge.from == edge.to {
                continue;
            }
            let (from, to) = (edge.from, edge.to);
            let new = Arrow { from, to, count: 0, which: Which::All, cyclic: false };
            let arrow = arrows.entry((from, to)).or_insert(new);
            arrow.count += 1;
            arrow.which = arrow.which.min(least(edge.kinds));
            let same = cycle(from).is_some() && cycle(from) == cycle(to);
            arrow.cyclic = arrow.which == Which::Eager && same;
        }
        let boxes = document.modules.iter().map(|module| Box {
            label: if module.name.is_empty() { "(computed)" } else { module.name }.to_owned(),
            tip: document.path(module).unwrap_or_else(|| module.kind.word().to_owned()),
            look: look(document, module),
        });
        let boxes = boxes.collect();
        let frames = frames(document, document.modules.iter().map(|module| module.owner));
        Picture { boxes, frames, arrows: arrows.into_values().collect() }
    }
}

fn look(document: &GraphDocument<'_>, module: &ModuleRow<'_>) -> Look {
    match module.kind {
        NodeKind::Unresolved(_) | NodeKind::Deleted => Look::Missing,
        NodeKind::StandardLibrary | NodeKind::External | NodeKind::Generated => Look::Outside,
        NodeKind::Package | NodeKind::Namespace => match document.owner_kind(module) {
            Some(OwnerKind::Member) | None => Look::Package,
            Some(OwnerKind::Distribution | OwnerKind::StandardLibrary) => Look::Outside,
        },
        _ => match document.owner_kind(module) {
            Some(OwnerKind::Member) | None => Look::Module,
            Some(OwnerKind::Distribution | OwnerKind::StandardLibrary) => Look::Outside,
        },
    }
}

fn frames(document: &GraphDocument<'_>, owners: impl Iterator<Item = Option<u32>>) -> Vec<Frame> {
    let mut frames: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (number, owner) in (0_u32..).zip(owners) {
        if let Some(owner) = owner {
            frames.entry(owner).or_default().push(number);
        }
    }
    let frame = |(owner, boxes): (u32, Vec<u32>)| {
        let owner = document.owners.get(owner as usize)?;
        // A frame around the one box of a distribution says nothing new.
        let alone = owner.kind != OwnerKind::Member && boxes.len() == 1;
        (!alone).then(|| Frame { label: owner.name.to_owned(), boxes })
    };
    frames.into_iter().filter_map(frame).collect()
}

/// `1 module`, `2 modules`, `86,000 modules`.
pub(super) fn counted(count: u32, what: &str) -> String {
    let digits = count.to_string();
    let mut number = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            number.push(',');
        }
        number.push(digit);
    }
    format!("{number} {what}{}", if count == 1 { "" } else { "s" })
}
