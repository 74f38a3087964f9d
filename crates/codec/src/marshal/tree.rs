//! A decoded payload: nodes in an arena, each numbered after its children, their contents borrowed
//! from the payload. Keeps what the writer chose (type codes, flags, references), so that encoding
//! gives the same bytes.

use bytekiln_python::Release;

use super::code::{CodeLayout, CodeObject, CodeRow};
use super::number::{self, Integer};
use super::tag;

/// A node of a [`Tree`]; larger than those of its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

/// One object, or reference to one, as it stood in the payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// The type byte, flag included.
    pub(crate) tag: u8,
    /// Of depth 0: it is a text, or a reference to one. Deeper: all its children are.
    pub(super) all_text: bool,
    /// Containers nested below, references followed.
    pub(super) depth: u16,
    /// Leaves: offset of the content in the payload. Containers: index of the first child.
    /// Code: index into the table of code objects. References: the node referred to.
    pub(crate) start: u32,
    /// Leaves: length of the content. Containers: number of children. References: the slot.
    pub(crate) length: u32,
}

impl Node {
    /// The type byte without its flag.
    pub(crate) fn kind(&self) -> u8 {
        self.tag & !tag::FLAG_REF
    }

    pub(super) fn is_tuple_of_text(&self) -> bool {
        matches!(self.kind(), tag::TUPLE | tag::SMALL_TUPLE) && self.all_text
    }
}

/// A decoded payload.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    pub(super) release: Release,
    pub(super) payload: &'a [u8],
    pub(crate) nodes: Vec<Node>,
    pub(crate) children: Vec<NodeId>,
    pub(crate) codes: Vec<CodeRow>,
    pub(super) root: NodeId,
}

/// An object of a [`Tree`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Object<'t> {
    /// `None`.
    None,
    /// `False`.
    False,
    /// `True`.
    True,
    /// `...`.
    Ellipsis,
    /// The class `StopIteration`.
    StopIteration,
    /// An `int`.
    Integer(Integer),
    /// A `float`.
    Float(f64),
    /// A `complex`: real, imaginary.
    Complex(f64, f64),
    /// A `bytes`.
    Bytes(&'t [u8]),
    /// A `str`.
    Text {
        /// Its bytes, in the encoding that the next field says.
        bytes: &'t [u8],
        /// Latin-1 (the types that marshal calls ASCII) rather than UTF-8 with lone surrogates.
        latin1: bool,
        /// Whether the loader is to intern it.
        interned: bool,
    },
    /// A `tuple`.
    Tuple(&'t [NodeId]),
    /// A `frozenset`, in the order of the payload.
    Frozenset(&'t [NodeId]),
    /// A `slice`: start, stop, step.
    Slice(&'t [NodeId]),
    /// A `frozendict`: key, value, key, value.
    Frozendict(&'t [NodeId]),
    /// A code object.
    Code(CodeObject<'t>),
    /// The object of this node once more.
    Reference(NodeId),
}

impl<'a> Tree<'a> {
    /// The outermost object.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The release whose layout of code objects was read.
    pub fn release(&self) -> Release {
        self.release
    }

    /// The object at a node.
    pub fn get(&self, id: NodeId) -> Object<'_> {
        self.object_of(self.node(id))
    }

    pub(crate) fn object_of(&self, node: &Node) -> Object<'_> {
        let content = || self.content(node);
        match node.kind() {
            tag::FALSE => Object::False,
            tag::TRUE => Object::True,
            tag::ELLIPSIS => Object::Ellipsis,
            tag::STOP_ITERATION => Object::StopIteration,
            kind @ (tag::INT | tag::INT64 | tag::LONG) => {
                Object::Integer(number::integer(kind, content()))
            }
            tag::FLOAT => Object::Float(number::float_of_bytes(content())),
            tag::FLOAT_TEXT => Object::Float(
                content().get(1..).and_then(number::float_of_text).unwrap_or_default(),
            ),
            tag::COMPLEX => {
                let (real, imaginary) = content().split_at_checked(8).unwrap_or_default();
                Object::Complex(number::float_of_bytes(real), number::float_of_bytes(imaginary))
            }
            tag::COMPLEX_TEXT => {
                let (real, imaginary) = number::complex_of_text(content()).unwrap_or_default();
                Object::Complex(real, imaginary)
            }
            tag::BYTES => Object::Bytes(content()),
            kind if tag::is_text(kind) => Object::Text {
                bytes: content(),
                latin1: !matches!(kind, tag::UNICODE | tag::INTERNED),
                interned: matches!(
                    kind,
                    tag::SHORT_ASCII_INTERNED | tag::ASCII_INTERNED | tag::INTERNED
                ),
            },
            tag::TUPLE | tag::SMALL_TUPLE => Object::Tuple(self.children_of(node)),
            tag::FROZENSET => Object::Frozenset(self.children_of(node)),
            tag::SLICE => Object::Slice(self.children_of(node)),
            tag::FROZENDICT => Object::Frozendict(self.children_of(node)),
            tag::CODE => Object::Code(CodeObject { tree: self, row: node.start }),
            tag::REF => Object::Reference(NodeId(node.start)),
            // The decoder makes no other nodes.
            _ => Object::None,
        }
    }

    /// The node itself, or the one it refers to. No reference refers to a reference.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        let node = self.node(id);
        if node.kind() == tag::REF { NodeId(node.start) } else { id }
    }

    pub(crate) fn payload(&self) -> &'a [u8] {
        self.payload
    }

    pub(crate) fn layout(&self) -> CodeLayout {
        CodeLayout::of(self.release)
    }

    /// The node of an id; that of `None`, which every tree begins with, for an id of another tree.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        const NONE: Node = Node { tag: tag::NONE, all_text: false, depth: 0, start: 0, length: 0 };
        self.nodes.get(id.0 as usize).unwrap_or(&NONE)
    }

    pub(super) fn code_row(&self, row: u32) -> Option<&CodeRow> {
        self.codes.get(row as usize)
    }

    pub(crate) fn content(&self, node: &Node) -> &'a [u8] {
        let start = node.start as usize;
        self.payload.get(start..start + node.length as usize).unwrap_or_default()
    }

    pub(crate) fn children_of(&self, node: &Node) -> &[NodeId] {
        let start = node.start as usize;
        self.children.get(start..start + node.length as usize).unwrap_or_default()
    }
}
