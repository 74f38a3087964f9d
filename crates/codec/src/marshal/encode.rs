//! [`Tree`] to payload, byte for byte as it was decoded.

use super::code::CODE_FIELDS_BEFORE_LINE;
use super::tag;
use super::tree::{NodeId, Tree};

enum Step {
    Object(NodeId),
    FirstLine(i32),
    EndOfDict,
}

/// Writes a tree with the type codes, flags and references that it was read with.
pub fn encode(tree: &Tree<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(tree.payload().len());
    let mut steps = vec![Step::Object(tree.root())];
    while let Some(step) = steps.pop() {
        match step {
            Step::Object(id) => object(tree, id, &mut out, &mut steps),
            Step::FirstLine(line) => out.extend_from_slice(&line.to_le_bytes()),
            Step::EndOfDict => out.push(tag::NULL),
        }
    }
    out
}

/// Writes what stands before the children of a node, and puts these on the stack.
fn object(tree: &Tree<'_>, id: NodeId, out: &mut Vec<u8>, steps: &mut Vec<Step>) {
    let node = tree.node(id);
    out.push(node.tag);
    let push_length = |out: &mut Vec<u8>| out.extend_from_slice(&node.length.to_le_bytes());
    match node.kind() {
        tag::REF => return push_length(out),
        tag::SHORT_ASCII | tag::SHORT_ASCII_INTERNED | tag::SMALL_TUPLE => {
            out.push(node.length as u8);
        }
        tag::BYTES
        | tag::ASCII
        | tag::ASCII_INTERNED
        | tag::UNICODE
        | tag::INTERNED
        | tag::TUPLE
        | tag::FROZENSET => push_length(out),
        tag::CODE => return code(tree, node.start, out, steps),
        _ => {}
    }
    match node.kind() {
        tag::SMALL_TUPLE | tag::TUPLE | tag::FROZENSET | tag::SLICE => {}
        tag::FROZENDICT => steps.push(Step::EndOfDict),
        _ => return out.extend_from_slice(tree.content(node)),
    }
    steps.extend(tree.children_of(node).iter().rev().map(|child| Step::Object(*child)));
}

fn code(tree: &Tree<'_>, row: u32, out: &mut Vec<u8>, steps: &mut Vec<Step>) {
    let Some(row) = tree.code_row(row) else { return };
    row.numbers.push(out);
    let first = row.first_child as usize;
    let fields = tree.children.get(first..first + tree.layout().fields.len()).unwrap_or_default();
    let (before, after) = fields.split_at_checked(CODE_FIELDS_BEFORE_LINE).unwrap_or_default();
    steps.extend(after.iter().rev().map(|child| Step::Object(*child)));
    steps.push(Step::FirstLine(row.numbers.firstlineno));
    steps.extend(before.iter().rev().map(|child| Step::Object(*child)));
}
