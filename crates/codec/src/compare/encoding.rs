//! What the writers of two payloads of equal value chose differently. Both are walked at once, as
//! they are written; elements of sets are paired by value, so that their order is one difference and
//! not a cascade of them. Two payloads in which nothing is found to differ are the same bytes.

use std::collections::BTreeSet;

use super::EncodingDifference;
use super::values::Operand;
use crate::canonical::values::ValueId;
use crate::marshal::{CodeField, NodeId, tag};

/// All differences, sorted. `partners`: for each value of the left, the equal one of the right plus
/// one.
pub(super) fn differences(
    sides: [&Operand<'_>; 2],
    partners: &[ValueId],
) -> Vec<EncodingDifference> {
    let [left, right] = sides;
    if left.tree.payload() == right.tree.payload() {
        return Vec::new();
    }
    let mut walk = Walk {
        left,
        right,
        partners,
        met: [vec![0; left.tree.nodes.len()], vec![0; right.tree.nodes.len()]],
        classes: (0..(left.tree.nodes.len() + right.tree.nodes.len()) as u32).collect(),
        several: BTreeSet::new(),
        pairs: Vec::new(),
        found: BTreeSet::new(),
    };
    walk.run();
    walk.flags();
    if walk.found.is_empty() {
        // A flag on a reference, which means nothing and which CPython never writes.
        walk.found.insert(EncodingDifference::ReferenceFlags);
    }
    walk.found.into_iter().collect()
}

struct Walk<'a> {
    left: &'a Operand<'a>,
    right: &'a Operand<'a>,
    partners: &'a [ValueId],
    /// For each node of a side, the first that it was paired with, plus one.
    met: [Vec<u32>; 2],
    /// Union-find over the nodes of the left and then those of the right: nodes that are known to
    /// stand for each other, directly or by others, are not looked into again.
    classes: Vec<u32>,
    /// Nodes that were paired with more than one: side and node.
    several: BTreeSet<(bool, NodeId)>,
    pairs: Vec<(NodeId, NodeId)>,
    found: BTreeSet<EncodingDifference>,
}

/// Two nodes to pair.
struct Step {
    left: NodeId,
    right: NodeId,
    /// They are recorded paths, which are compared apart.
    path: bool,
}

impl Walk<'_> {
    fn run(&mut self) {
        let (left, right) = (self.left.tree.root(), self.right.tree.root());
        let mut open = vec![Step { left, right, path: false }];
        let paths = [self.left, self.right].map(Operand::recorded_path);
        let differ = match paths {
            [Some(left), Some(right)] => self.partner(left) != Some(right),
            _ => false,
        };
        if differ {
            self.found.insert(EncodingDifference::RecordedPath);
        }
        while let Some(step) = open.pop() {
            let (l, r) = (self.left.tree, self.right.tree);
            let (left, right) = (l.resolve(step.left), r.resolve(step.right));
            if is_singleton(l.node(left).kind()) {
                // Unflagged ones are one node wherever they stand; a flag gives them no slot.
                if l.node(left).tag != r.node(right).tag {
                    self.found.insert(EncodingDifference::ReferenceFlags);
                }
                continue;
            }
            self.meet(left, right);
            if !self.unite(left, right) {
                continue;
            }
            self.pairs.push((left, right));
            self.kinds(left, right, step.path && differ);
            self.children(left, right, &mut open);
        }
    }

    /// The value of the right that equals one of the left.
    fn partner(&self, left: ValueId) -> Option<ValueId> {
        self.partners.get(left as usize).and_then(|partner| partner.checked_sub(1))
    }

    /// Notes which objects stand for which.
    fn meet(&mut self, left: NodeId, right: NodeId) {
        let [lefts, rights] = &mut self.met;
        for (all, own, other, side) in [(lefts, left, right, false), (rights, right, left, true)] {
            match all.get_mut(own.0 as usize) {
                Some(first) if *first == 0 => *first = other.0 + 1,
                Some(first) if *first != other.0 + 1 => {
                    self.several.insert((side, own));
                    self.several.insert((!side, other));
                    self.several.insert((!side, NodeId(*first - 1)));
                    self.found.insert(EncodingDifference::Sharing);
                }
                _ => {}
            }
        }
    }

    fn class(&mut self, of: u32) -> u32 {
        let mut class = of;
        while let Some(parent) = self.classes.get(class as usize).copied()
            && parent != class
        {
            let above = self.classes.get(parent as usize).copied().unwrap_or(parent);
            if let Some(place) = self.classes.get_mut(class as usize) {
                *place = above;
            }
            class = parent;
        }
        class
    }

    /// Whether that the two stand for each other is news.
    fn unite(&mut self, left: NodeId, right: NodeId) -> bool {
        let offset = self.left.tree.nodes.len() as u32;
        let (a, b) = (self.class(left.0), self.class(right.0 + offset));
        if let Some(place) = self.classes.get_mut(a as usize) {
            *place = b;
        }
        a != b
    }

    fn kinds(&mut self, left: NodeId, right: NodeId, path: bool) {
        let (l, r) = (self.left.tree, self.right.tree);
        let (a, b) = (l.node(left), r.node(right));
        let (kind_a, interned_a) = plain(a.kind());
        let (kind_b, interned_b) = plain(b.kind());
        if interned_a != interned_b {
            self.found.insert(EncodingDifference::Interning);
        }
        let decimal = matches!(kind_a, tag::FLOAT_TEXT | tag::COMPLEX_TEXT);
        if !path && (kind_a != kind_b || decimal && l.content(a) != r.content(b)) {
            self.found.insert(EncodingDifference::TypeCodes);
        }
    }

    fn children(&mut self, left: NodeId, right: NodeId, open: &mut Vec<Step>) {
        let (l, r) = (self.left.tree, self.right.tree);
        let (a, b) = (l.node(left), r.node(right));
        match a.kind() {
            tag::CODE => {
                let (lefts, rights) = (fields(l, a.start), fields(r, b.start));
                let own = self.left.field(self.left.id(left), CodeField::Filename)
                    == self.left.recorded_path();
                let layout = l.layout();
                for ((left, right), field) in lefts.iter().zip(rights).zip(layout.fields) {
                    let path = own && *field == CodeField::Filename;
                    open.push(Step { left: *left, right: *right, path });
                }
            }
            tag::FROZENSET => {
                let mut lefts: Vec<(ValueId, NodeId)> = Vec::new();
                for node in l.children_of(a) {
                    lefts.push((self.partner(self.left.id(*node)).unwrap_or_default(), *node));
                }
                let rights = r.children_of(b).iter().map(|node| (self.right.id(*node), *node));
                let mut rights: Vec<(ValueId, NodeId)> = rights.collect();
                let same = lefts.iter().map(|(id, _)| id).eq(rights.iter().map(|(id, _)| id));
                if !same {
                    self.found.insert(EncodingDifference::SetOrder);
                    lefts.sort_unstable();
                    rights.sort_unstable();
                }
                for ((_, left), (_, right)) in lefts.into_iter().zip(rights) {
                    open.push(Step { left, right, path: false });
                }
            }
            tag::TUPLE | tag::SMALL_TUPLE | tag::SLICE | tag::FROZENDICT => {
                for (left, right) in l.children_of(a).iter().zip(r.children_of(b)) {
                    open.push(Step { left: *left, right: *right, path: false });
                }
            }
            _ => {}
        }
    }

    /// Flags differ by themselves only between objects that stand for each other alone.
    fn flags(&mut self) {
        for (left, right) in &self.pairs {
            let (a, b) = (self.left.tree.node(*left), self.right.tree.node(*right));
            let alone =
                !self.several.contains(&(false, *left)) && !self.several.contains(&(true, *right));
            if alone && (a.tag ^ b.tag) & tag::FLAG_REF != 0 {
                self.found.insert(EncodingDifference::ReferenceFlags);
                return;
            }
        }
    }
}

fn is_singleton(kind: u8) -> bool {
    matches!(kind, tag::NONE | tag::FALSE | tag::TRUE | tag::ELLIPSIS | tag::STOP_ITERATION)
}

fn fields<'t>(tree: &'t crate::Tree<'_>, row: u32) -> &'t [NodeId] {
    let Some(row) = tree.codes.get(row as usize) else { return &[] };
    let first = row.first_child as usize;
    tree.children.get(first..first + tree.layout().fields.len()).unwrap_or_default()
}

/// A type code without its interning, and whether it has one.
fn plain(kind: u8) -> (u8, bool) {
    match kind {
        tag::SHORT_ASCII_INTERNED => (tag::SHORT_ASCII, true),
        tag::ASCII_INTERNED => (tag::ASCII, true),
        tag::INTERNED => (tag::UNICODE, true),
        other => (other, false),
    }
}
