//! Recognizes canonical payloads in one pass over the tree, without making values and writing them out
//! again: a third of the work. It may only say yes where the long way says yes; what is rare (sets of
//! other things than text, NaNs, frozendicts) and whatever is wrong it leaves to that.

use super::mix;
use super::values::Table;
use crate::marshal::{CodeField, Node, NodeId, Tree, number, tag, text};

/// Whether this payload is certainly its own canonical form under this path. `false` says nothing.
pub(crate) fn is_canonical(tree: &Tree<'_>, recorded_path: Option<&[u8]>) -> bool {
    let count = tree.nodes.len();
    let pass = Pass {
        tree,
        seed: mix::seed(tree.payload()),
        table: Table::new(tree.nodes.iter().filter(|node| has_place(node)).count()),
        marks: vec![0; count],
        ids: Vec::new(),
        set_bytes: 0,
    };
    pass.run(recorded_path).is_some()
}

/// Of a node: something refers to it.
const REFERRED: u8 = 1;
/// Of a text: it is a name somewhere.
const NAME: u8 = 2;
/// Of a tuple: all its elements bear [`NAME`].
const NAMES: u8 = 4;

/// In a canonical payload each value has one node of its own, so nodes are compared as values are
/// elsewhere. All steps end with `None` where the payload is not recognized.
struct Pass<'t> {
    tree: &'t Tree<'t>,
    seed: u64,
    table: Table,
    marks: Vec<u8>,
    ids: Vec<u32>,
    /// Elements of sets, written out. They may be referred to again and again, and the long way bounds
    /// what that costs.
    set_bytes: usize,
}

impl Pass<'_> {
    fn run(mut self, recorded_path: Option<&[u8]>) -> Option<()> {
        let tree = self.tree;
        let root = tree.node(tree.root());
        if root.kind() != tag::CODE {
            return None;
        }
        for (id, node) in tree.nodes.iter().enumerate() {
            self.node(id as u32, node)?;
        }
        if let Some(path) = recorded_path {
            let place = tree.layout().fields.iter().position(|one| *one == CodeField::Filename)?;
            let name = tree.node(tree.resolve(*self.fields(root)?.get(place)?));
            (tag::is_text(name.kind()) && tree.content(name) == path).then_some(())?;
        }
        for (node, marks) in tree.nodes.iter().zip(&self.marks) {
            let flagged = node.tag & tag::FLAG_REF != 0;
            if flagged != (marks & REFERRED != 0) {
                return None;
            }
            if tag::is_text(node.kind()) {
                let interned = marks & NAME != 0 || text::is_word(tree.content(node));
                (interned == is_interned(node.kind())).then_some(())?;
            }
        }
        Some(())
    }

    fn node(&mut self, id: u32, node: &Node) -> Option<()> {
        let content = || self.tree.content(node);
        match node.kind() {
            tag::NONE | tag::FALSE | tag::TRUE | tag::ELLIPSIS | tag::STOP_ITERATION => {
                (node.tag == node.kind()).then_some(())
            }
            tag::REF => {
                *self.marks.get_mut(node.start as usize)? |= REFERRED;
                (node.tag == tag::REF).then_some(())
            }
            tag::INT | tag::BYTES => self.leaf(id, node),
            tag::LONG => {
                let small = number::integer(tag::LONG, content()).to_i64();
                match small.is_some_and(|small| i32::try_from(small).is_ok()) {
                    true => None,
                    false => self.leaf(id, node),
                }
            }
            tag::FLOAT | tag::COMPLEX => {
                let mut parts = content().as_chunks::<8>().0.iter();
                let nan = parts.any(|part| f64::from_le_bytes(*part).is_nan());
                if nan { None } else { self.leaf(id, node) }
            }
            kind if tag::is_text(kind) => {
                let (short, ascii) = (content().len() < 256, content().is_ascii());
                let fits = match kind {
                    tag::SHORT_ASCII | tag::SHORT_ASCII_INTERNED => ascii,
                    tag::ASCII | tag::ASCII_INTERNED => ascii && !short,
                    _ => !ascii,
                };
                if fits { self.leaf(id, node) } else { None }
            }
            tag::SMALL_TUPLE | tag::SLICE => self.container(id, node),
            tag::TUPLE if node.length >= 256 => self.container(id, node),
            tag::FROZENSET => {
                self.set(node)?;
                self.container(id, node)
            }
            tag::CODE => self.code(node),
            _ => None,
        }
    }

    /// It must be the first of its kind with this content.
    fn leaf(&mut self, id: u32, node: &Node) -> Option<()> {
        let (tree, content) = (self.tree, self.tree.content(node));
        let kind = value_kind(node);
        let (start, length) = (node.start as usize, node.length as usize);
        let hash = mix::bytes_at(self.seed ^ u64::from(kind), tree.payload(), start, length);
        let found = self.table.find(hash, |other| {
            let other = tree.node(NodeId(other));
            value_kind(other) == kind && tree.content(other) == content
        });
        self.table.fill(found.err()?, hash, id);
        Some(())
    }

    /// It must be the first of its kind with these children.
    fn container(&mut self, id: u32, node: &Node) -> Option<()> {
        let tree = self.tree;
        let kind = value_kind(node);
        self.ids.clear();
        self.ids.extend(tree.children_of(node).iter().map(|child| tree.resolve(*child).0));
        let ids = &self.ids;
        let hash = mix::ids(self.seed ^ u64::from(kind), ids);
        let found = self.table.find(hash, |other| {
            let other = tree.node(NodeId(other));
            let others = tree.children_of(other).iter().map(|child| tree.resolve(*child).0);
            value_kind(other) == kind && others.eq(ids.iter().copied())
        });
        self.table.fill(found.err()?, hash, id);
        Some(())
    }

    /// A set of texts in their order; of which none can be there twice, because they ascend.
    fn set(&mut self, node: &Node) -> Option<()> {
        let tree = self.tree;
        let (mut last, mut next) = (Vec::new(), Vec::new());
        for child in tree.children_of(node) {
            let child = tree.node(tree.resolve(*child));
            if !tag::is_text(child.kind()) {
                return None;
            }
            next.clear();
            text_alone(tree.content(child), &mut next);
            self.set_bytes += next.len();
            if next <= last || self.set_bytes > 8 * tree.payload().len() {
                return None;
            }
            std::mem::swap(&mut last, &mut next);
        }
        Some(())
    }

    fn fields(&self, code: &Node) -> Option<&[NodeId]> {
        let row = self.tree.codes.get(code.start as usize)?;
        let first = row.first_child as usize;
        self.tree.children.get(first..first + self.tree.layout().fields.len())
    }

    fn code(&mut self, node: &Node) -> Option<()> {
        let tree = self.tree;
        let row = tree.codes.get(node.start as usize)?;
        let fields = tree.children.get(row.first_child as usize..)?;
        for (child, field) in fields.iter().zip(tree.layout().fields) {
            match field {
                field if field.is_names() => self.names(tree.resolve(*child))?,
                CodeField::Name | CodeField::Qualname if tree.release().minor() >= 13 => {
                    *self.marks.get_mut(tree.resolve(*child).0 as usize)? |= NAME;
                }
                _ => {}
            }
        }
        Some(())
    }

    fn names(&mut self, tuple: NodeId) -> Option<()> {
        let tree = self.tree;
        let marks = self.marks.get_mut(tuple.0 as usize)?;
        if *marks & NAMES == 0 {
            *marks |= NAMES;
            for name in tree.children_of(tree.node(tuple)) {
                *self.marks.get_mut(tree.resolve(*name).0 as usize)? |= NAME;
            }
        }
        Some(())
    }
}

/// Whether a node is looked up among those before it. Most are references.
fn has_place(node: &Node) -> bool {
    node.kind() != tag::REF
}

/// What tells values apart beside their content: all texts are of one kind, and all tuples.
fn value_kind(node: &Node) -> u8 {
    match node.kind() {
        kind if tag::is_text(kind) => tag::UNICODE,
        tag::SMALL_TUPLE => tag::TUPLE,
        kind => kind,
    }
}

fn is_interned(kind: u8) -> bool {
    matches!(kind, tag::SHORT_ASCII_INTERNED | tag::ASCII_INTERNED | tag::INTERNED)
}

/// What a text is by itself, in its canonical encoding.
fn text_alone(content: &[u8], out: &mut Vec<u8>) {
    let pick = |plain, interned| if text::is_word(content) { interned } else { plain };
    match (content.is_ascii(), u8::try_from(content.len())) {
        (true, Ok(length)) => {
            out.extend_from_slice(&[pick(tag::SHORT_ASCII, tag::SHORT_ASCII_INTERNED), length]);
        }
        (ascii, _) => {
            let tag = match ascii {
                true => pick(tag::ASCII, tag::ASCII_INTERNED),
                false => pick(tag::UNICODE, tag::INTERNED),
            };
            out.push(tag);
            out.extend_from_slice(&(content.len() as u32).to_le_bytes());
        }
    }
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use bytekiln_python::Release;

    use super::*;
    use crate::{Limits, marshal};

    /// That what it accepts is right is for `tests/format`; here, that it accepts what it is for.
    #[test]
    fn vectors_are_recognized() {
        let document = include_str!("../../../../docs/canonical-form.md");
        let (mut release, mut path) = (None, "");
        let (mut all, mut recognized) = (0, 0);
        for line in document.lines() {
            let Some((field, value)) = line.split_once(": ") else { continue };
            match field {
                "release" => {
                    let minor = value.strip_prefix("3.").and_then(|minor| minor.parse().ok());
                    release = minor.and_then(Release::from_minor);
                }
                "path" => path = value,
                "out" if !value.starts_with("refused") => {
                    let digits = |place| u8::from_str_radix(&value[place..place + 2], 16).unwrap();
                    let payload: Vec<u8> = (0..value.len()).step_by(2).map(digits).collect();
                    let release = release.unwrap();
                    let tree = marshal::decode(&payload, release, &Limits::default()).unwrap();
                    all += 1;
                    recognized += usize::from(is_canonical(&tree, Some(path.as_bytes())));
                    assert!(!is_canonical(&tree, Some(b"another.py")));
                }
                _ => {}
            }
        }
        // All but those with a set in a set, a frozendict, and NaNs.
        assert_eq!((recognized, all), (7, 12));
    }
}
