//! [`Tree`] to [`Values`]: what the writer chose (type codes, flags, references, order of sets) is
//! dropped, what it meant is kept.

use super::NanPolicy;
use super::equality::check_distinct;
use super::order::SetOrder;
use super::values::{
    CodeValue, Kind, MARK_ASCII, MARK_CODE, MARK_NAME, MARK_NAMES, MARK_WORD, ValueId, Values,
};
use crate::marshal::{
    CODE_FIELDS_MAX, CodeField, DecodeError, DecodeErrorKind, Node, Object, Tree, number, tag, text,
};

pub(crate) struct Interner<'t> {
    tree: &'t Tree<'t>,
    values: Values<'t>,
    /// The value of each node.
    ids: Vec<ValueId>,
    order: SetOrder,
    nans: NanPolicy,
    scratch: Vec<ValueId>,
    bytes: Vec<u8>,
}

impl<'t> Interner<'t> {
    pub(crate) fn new(tree: &'t Tree<'t>) -> Interner<'t> {
        Interner {
            tree,
            // One more for the recorded path.
            values: Values::new(tree.payload(), tree.layout(), tree.nodes.len() + 1),
            ids: Vec::with_capacity(tree.nodes.len()),
            order: SetOrder::new(tree.payload().len()),
            nans: NanPolicy::Kept,
            scratch: Vec::new(),
            bytes: Vec::new(),
        }
    }

    pub(crate) fn with_nans(self, nans: NanPolicy) -> Interner<'t> {
        Interner { nans, ..self }
    }

    pub(crate) fn values(&self) -> &Values<'t> {
        &self.values
    }

    /// The value of each node, once all are interned.
    pub(crate) fn ids(&self) -> &[ValueId] {
        &self.ids
    }

    /// Interns all nodes, children before parents as they are numbered; the value of the root.
    pub(crate) fn intern_tree(&mut self) -> Result<ValueId, DecodeError> {
        let tree = self.tree;
        for node in &tree.nodes {
            let id = self.node(node)?;
            self.ids.push(id);
        }
        Ok(self.ids.get(tree.root().0 as usize).copied().unwrap_or(0))
    }

    #[inline]
    fn node(&mut self, node: &Node) -> Result<ValueId, DecodeError> {
        let Node { start, length, .. } = *node;
        Ok(match node.kind() {
            tag::NONE => 0,
            tag::FALSE => 1,
            tag::TRUE => 2,
            tag::ELLIPSIS => 3,
            tag::STOP_ITERATION => 4,
            tag::REF => self.ids.get(start as usize).copied().unwrap_or(0),
            tag::INT => self.values.leaf(Kind::Int, start, length).0,
            tag::INT64 | tag::LONG => self.integer(node),
            tag::FLOAT | tag::COMPLEX => self.float(node),
            tag::FLOAT_TEXT | tag::COMPLEX_TEXT => self.decimal(node),
            tag::BYTES => self.values.leaf(Kind::Bytes, start, length).0,
            tag::SMALL_TUPLE | tag::TUPLE => self.container(Kind::Tuple, node)?,
            tag::SLICE => self.container(Kind::Slice, node)?,
            tag::FROZENSET => self.container(Kind::Frozenset, node)?,
            tag::FROZENDICT => self.container(Kind::Frozendict, node)?,
            tag::CODE => self.code(node),
            _ => self.text(node),
        })
    }

    fn text(&mut self, node: &Node) -> ValueId {
        let content = self.tree.content(node);
        let ascii = content.is_ascii();
        let utf8 = matches!(node.kind(), tag::UNICODE | tag::INTERNED);
        let (id, new) = if ascii || utf8 {
            self.values.leaf(Kind::Text, node.start, node.length)
        } else {
            self.bytes.clear();
            text::push_latin1(content, &mut self.bytes);
            self.values.converted_leaf(Kind::Text, &self.bytes)
        };
        if new {
            self.mark_text(id, content);
        }
        id
    }

    fn mark_text(&mut self, id: ValueId, content: &[u8]) {
        let ascii = if content.is_ascii() { MARK_ASCII } else { 0 };
        let word = if text::is_word(content) { MARK_WORD } else { 0 };
        self.values.mark(id, ascii | word);
    }

    fn integer(&mut self, node: &Node) -> ValueId {
        let integer = number::integer(node.kind(), self.tree.content(node));
        if let Some(small) = integer.to_i64().and_then(|value| i32::try_from(value).ok()) {
            return self.values.converted_leaf(Kind::Int, &small.to_le_bytes()).0;
        }
        if node.kind() == tag::LONG {
            return self.values.leaf(Kind::Long, node.start, node.length).0;
        }
        self.bytes.clear();
        integer.push_long(&mut self.bytes);
        self.values.converted_leaf(Kind::Long, &self.bytes).0
    }

    fn float(&mut self, node: &Node) -> ValueId {
        let Node { start, length, .. } = *node;
        let kind = if length == 8 { Kind::Float } else { Kind::Complex };
        let content = self.tree.content(node);
        if !is_nan(content) {
            return self.values.leaf(kind, start, length).0;
        }
        match self.nans {
            NanPolicy::Kept => self.values.distinct_leaf(kind, start, length),
            NanPolicy::Positive => self.positive(kind, content),
        }
    }

    fn decimal(&mut self, node: &Node) -> ValueId {
        let mut content = [0; 16];
        let (real, imaginary) = content.split_at_mut(8);
        let (kind, length) = match self.tree.object_of(node) {
            Object::Complex(re, im) => {
                real.copy_from_slice(&re.to_le_bytes());
                imaginary.copy_from_slice(&im.to_le_bytes());
                (Kind::Complex, 16)
            }
            Object::Float(re) => {
                real.copy_from_slice(&re.to_le_bytes());
                (Kind::Float, 8)
            }
            _ => return 0,
        };
        let content = &content[..length];
        if !is_nan(content) {
            return self.values.converted_leaf(kind, content).0;
        }
        match self.nans {
            NanPolicy::Kept => self.values.distinct_converted_leaf(kind, content),
            NanPolicy::Positive => self.positive(kind, content),
        }
    }

    /// A float or a complex number of this content, its NaNs without sign and payload.
    fn positive(&mut self, kind: Kind, content: &[u8]) -> ValueId {
        self.bytes.clear();
        for part in content.as_chunks::<8>().0 {
            let number = f64::from_le_bytes(*part);
            let bits = if number.is_nan() { POSITIVE_NAN } else { number.to_bits() };
            self.bytes.extend_from_slice(&bits.to_le_bytes());
        }
        self.values.distinct_converted_leaf(kind, &self.bytes)
    }

    fn container(&mut self, kind: Kind, node: &Node) -> Result<ValueId, DecodeError> {
        let mut children = std::mem::take(&mut self.scratch);
        children.clear();
        let ids = &self.ids;
        children.extend(
            self.tree
                .children_of(node)
                .iter()
                .map(|child| ids.get(child.0 as usize).copied().unwrap_or(0)),
        );
        match kind {
            Kind::Frozenset => {
                self.check_keys(&children)?;
                self.order.sort(&self.values, &mut children)?;
            }
            Kind::Frozendict => {
                let keys: Vec<ValueId> = children.iter().copied().step_by(2).collect();
                self.check_keys(&keys)?;
            }
            _ => {}
        }
        let id = self.values.container(kind, &children);
        self.scratch = children;
        Ok(id)
    }

    /// Elements of a set, or keys: hashable, and all different to Python.
    fn check_keys(&mut self, keys: &[ValueId]) -> Result<(), DecodeErrorKind> {
        if keys.iter().any(|key| self.values.get(*key).marks & MARK_CODE != 0) {
            return Err(DecodeErrorKind::CodeInSet);
        }
        check_distinct(&self.values, keys, &mut self.order.budget)
    }

    fn code(&mut self, node: &Node) -> ValueId {
        let tree = self.tree;
        let Some(row) = tree.codes.get(node.start as usize) else { return 0 };
        let mut children = [0; CODE_FIELDS_MAX];
        let fields = tree.children.get(row.first_child as usize..).unwrap_or_default();
        for ((child, node), field) in children.iter_mut().zip(fields).zip(tree.layout().fields) {
            *child = self.ids.get(node.0 as usize).copied().unwrap_or(0);
            match field {
                field if field.is_names() => self.mark_names(*child),
                // Before 3.13 CPython interned neither when it made a code object.
                CodeField::Name | CodeField::Qualname if tree.release().minor() >= 13 => {
                    self.values.mark(*child, MARK_NAME);
                }
                _ => {}
            }
        }
        self.values.code(CodeValue { numbers: row.numbers, children })
    }

    /// Marks the elements of a tuple of names, once: code objects may share it.
    fn mark_names(&mut self, tuple: ValueId) {
        let value = self.values.get(tuple);
        if value.marks & MARK_NAMES != 0 {
            return;
        }
        self.values.mark(tuple, MARK_NAMES);
        let mut names = std::mem::take(&mut self.scratch);
        names.clear();
        names.extend_from_slice(self.values.children(value));
        for name in &names {
            self.values.mark(*name, MARK_NAME);
        }
        self.scratch = names;
    }

    /// Gives `path` to the code object `root` and to all that have its file name.
    pub(crate) fn replace_filename(&mut self, root: ValueId, path: &[u8]) {
        let layout = self.tree.layout();
        let Some(place) = layout.fields.iter().position(|field| *field == CodeField::Filename)
        else {
            return;
        };
        let root = self.values.get(root).start as usize;
        let Some(old) = self.values.codes.get(root).and_then(|code| code.children.get(place))
        else {
            return;
        };
        let old = *old;
        let (id, new) = self.values.converted_leaf(Kind::Text, path);
        if new {
            self.mark_text(id, path);
        }
        for code in &mut self.values.codes {
            if let Some(filename) = code.children.get_mut(place).filter(|name| **name == old) {
                *filename = id;
            }
        }
    }
}

/// The quiet NaN without sign and payload.
const POSITIVE_NAN: u64 = 0x7ff8_0000_0000_0000;

/// Whether the content of a float or a complex number has a NaN in it.
fn is_nan(content: &[u8]) -> bool {
    content.as_chunks::<8>().0.iter().any(|part| f64::from_le_bytes(*part).is_nan())
}
