//! One side of a comparison: a payload and its values, each once.

use crate::canonical::intern::Interner;
use crate::canonical::values::{CodeValue, Kind, ValueId, Values};
use crate::marshal::{CodeField, DecodeError, DecodeErrorKind, NodeId, Tree, tag};

pub(super) struct Operand<'t> {
    pub(super) tree: &'t Tree<'t>,
    interner: Interner<'t>,
    pub(super) root: ValueId,
    /// The first node of each value.
    nodes: Vec<NodeId>,
}

impl<'t> Operand<'t> {
    pub(super) fn new(tree: &'t Tree<'t>) -> Result<Operand<'t>, DecodeError> {
        if tree.node(tree.root()).kind() != tag::CODE {
            return Err(DecodeErrorKind::NotCode.into());
        }
        let mut interner = Interner::new(tree);
        let root = interner.intern_tree()?;
        let mut nodes = vec![NodeId(0); interner.values().count()];
        // A value's first node is the lowest, and no reference.
        for (node, id) in interner.ids().iter().enumerate().rev() {
            if let Some(place) = nodes.get_mut(*id as usize) {
                *place = NodeId(node as u32);
            }
        }
        Ok(Operand { tree, interner, root, nodes })
    }

    pub(super) fn values(&self) -> &Values<'t> {
        self.interner.values()
    }

    /// A node that has this value.
    pub(super) fn node(&self, id: ValueId) -> NodeId {
        self.nodes.get(id as usize).copied().unwrap_or(NodeId(0))
    }

    /// The value of a node.
    pub(super) fn id(&self, node: NodeId) -> ValueId {
        self.interner.ids().get(node.0 as usize).copied().unwrap_or(0)
    }

    pub(super) fn code(&self, id: ValueId) -> Option<&CodeValue> {
        let value = self.values().get(id);
        if value.kind != Kind::Code {
            return None;
        }
        self.values().codes.get(value.start as usize)
    }

    /// The value of a field of a code object.
    pub(super) fn field(&self, code: ValueId, field: CodeField) -> Option<ValueId> {
        let index = self.values().layout.fields.iter().position(|other| *other == field)?;
        self.code(code)?.children.get(index).copied()
    }

    pub(super) fn recorded_path(&self) -> Option<ValueId> {
        self.field(self.root, CodeField::Filename)
    }
}
