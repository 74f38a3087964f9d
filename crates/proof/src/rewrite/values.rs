//! Whether two payloads hold the same values, told from their lossless trees alone: side by side,
//! object by object. It shares nothing with the canonicalizer, on which it is a check. Knows
//! nothing of headers.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytekiln_codec::{CodeField, CodeObject, NodeId, Object, Tree};

/// Where two payloads are not the same, or cannot be told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueFault {
    /// Two objects of different value, or of different type.
    Value,
    /// Numbers of a code object.
    Numbers,
    /// This field of a code object.
    Field(&'static str),
    /// A file name was replaced that should not have been, or the other way round.
    FileName,
    /// One code object on the one side is two on the other.
    Identity,
    /// The payload is made so that telling would take too long.
    TooCostly,
}

impl std::fmt::Display for ValueFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ValueFault::Value => f.write_str("a constant differs"),
            ValueFault::Numbers => f.write_str("numbers of a code object differ"),
            ValueFault::Field(name) => write!(f, "`{name}` differs"),
            ValueFault::FileName => f.write_str("a file name differs"),
            ValueFault::Identity => f.write_str("a code object is there twice"),
            ValueFault::TooCostly => f.write_str("it would take too long to tell"),
        }
    }
}

const FIELDS: [CodeField; 13] = [
    CodeField::Code,
    CodeField::Consts,
    CodeField::Names,
    CodeField::Varnames,
    CodeField::Freevars,
    CodeField::Cellvars,
    CodeField::LocalsPlusNames,
    CodeField::LocalsPlusKinds,
    CodeField::Filename,
    CodeField::Name,
    CodeField::Qualname,
    CodeField::LineTable,
    CodeField::ExceptionTable,
];

/// Checks that `new` holds what `old` holds, except that code objects whose file name was
/// `paths[0]`, and only those, have `paths[1]`. `length` is that of the old payload.
pub(super) fn check_same(
    old: &Tree<'_>,
    new: &Tree<'_>,
    paths: [&[u8]; 2],
    length: usize,
) -> Result<(), ValueFault> {
    if old.release() != new.release() {
        return Err(ValueFault::Value);
    }
    let mut walk = Walk {
        trees: [old, new],
        paths,
        partners: BTreeMap::new(),
        code_partners: BTreeMap::new(),
        todo: vec![(old.root(), new.root())],
        budget: (16 << 20) + length.saturating_mul(16),
    };
    while let Some((left, right)) = walk.todo.pop() {
        walk.pair(left, right)?;
    }
    Ok(())
}

struct Walk<'a, 't> {
    trees: [&'a Tree<'t>; 2],
    paths: [&'a [u8]; 2],
    /// Containers on the left and what they were compared with, so that what is shared is walked
    /// once.
    partners: BTreeMap<NodeId, NodeId>,
    /// Code objects on the right and their partners on the left.
    code_partners: BTreeMap<NodeId, NodeId>,
    todo: Vec<(NodeId, NodeId)>,
    /// Steps and bytes that are left; files have a hundredth of it.
    budget: usize,
}

impl Walk<'_, '_> {
    fn spend(&mut self, cost: usize) -> Result<(), ValueFault> {
        self.budget = self.budget.checked_sub(cost).ok_or(ValueFault::TooCostly)?;
        Ok(())
    }

    fn pair(&mut self, left: NodeId, right: NodeId) -> Result<(), ValueFault> {
        let [old, new] = self.trees;
        let (left, right) = (old.resolve(left), new.resolve(right));
        let (a, b) = (old.get(left), new.get(right));
        match (&a, &b) {
            (Object::Code(a), Object::Code(b)) => {
                if self.partners.get(&left).is_some_and(|partner| *partner != right)
                    || self.code_partners.insert(right, left).is_some_and(|other| other != left)
                {
                    return Err(ValueFault::Identity);
                }
                if self.partners.insert(left, right).is_some() {
                    return Ok(());
                }
                self.code(*a, *b)
            }
            (Object::Tuple(a), Object::Tuple(b))
            | (Object::Slice(a), Object::Slice(b))
            | (Object::Frozendict(a), Object::Frozendict(b)) => {
                self.spend(a.len())?;
                if a.len() != b.len() {
                    return Err(ValueFault::Value);
                }
                if !a.is_empty() && self.partners.insert(left, right) == Some(right) {
                    return Ok(());
                }
                self.todo.extend(a.iter().copied().zip(b.iter().copied()));
                Ok(())
            }
            (Object::Frozenset(a), Object::Frozenset(b)) => {
                if self.keys(old, a)? == self.keys(new, b)? {
                    Ok(())
                } else {
                    Err(ValueFault::Value)
                }
            }
            _ if same_leaf(&a, &b) => Ok(()),
            _ => Err(ValueFault::Value),
        }
    }

    fn code(&mut self, a: CodeObject<'_>, b: CodeObject<'_>) -> Result<(), ValueFault> {
        if a.numbers() != b.numbers() {
            return Err(ValueFault::Numbers);
        }
        let [old, new] = self.trees;
        for field in FIELDS {
            let (Some(left), Some(right)) = (a.field(field), b.field(field)) else {
                // Both or none: the release is the same.
                continue;
            };
            if field == CodeField::Consts {
                self.todo.push((left, right));
                continue;
            }
            let (a, b) = (old.get(left), new.get(right));
            if field == CodeField::Filename {
                self.file_name(&a, &b)?;
                continue;
            }
            let same = match (&a, &b) {
                (Object::Tuple(a), Object::Tuple(b)) => {
                    a.len() == b.len()
                        && a.iter().zip(b.iter()).all(|(a, b)| {
                            same_leaf(&old.get(old.resolve(*a)), &new.get(new.resolve(*b)))
                        })
                }
                _ => same_leaf(&a, &b),
            };
            if !same {
                return Err(ValueFault::Field(field.name()));
            }
        }
        Ok(())
    }

    fn file_name(&self, a: &Object<'_>, b: &Object<'_>) -> Result<(), ValueFault> {
        let (a, b) = (utf8(a), utf8(b));
        let was_module = *a == *self.paths[0];
        let is_module = *b == *self.paths[1];
        let kept = a == b;
        // A foreign name that is the new path by chance would be taken for the module's from then
        // on.
        if was_module == is_module && (was_module || kept) {
            Ok(())
        } else {
            Err(ValueFault::FileName)
        }
    }

    /// The elements of a frozenset as bytes that are the same for the same values, sorted.
    fn keys(&mut self, tree: &Tree<'_>, elements: &[NodeId]) -> Result<Vec<Vec<u8>>, ValueFault> {
        let mut keys = Vec::with_capacity(elements.len());
        for element in elements {
            let mut key = Vec::new();
            self.push_key(tree, *element, &mut key)?;
            keys.push(key);
        }
        keys.sort_unstable();
        Ok(keys)
    }

    /// Recursion is as deep as the constant, which the decoder bounds.
    fn push_key(
        &mut self,
        tree: &Tree<'_>,
        id: NodeId,
        key: &mut Vec<u8>,
    ) -> Result<(), ValueFault> {
        let object = tree.get(tree.resolve(id));
        let before = key.len();
        match &object {
            Object::None => key.push(b'N'),
            Object::False => key.push(b'F'),
            Object::True => key.push(b'T'),
            Object::Ellipsis => key.push(b'.'),
            Object::StopIteration => key.push(b'S'),
            Object::Integer(integer) => {
                key.push(if integer.negative { b'-' } else { b'+' });
                let digits: Vec<u8> =
                    integer.digits.iter().flat_map(|digit| digit.to_le_bytes()).collect();
                push_bytes(&digits, key);
            }
            Object::Float(number) => {
                key.push(b'f');
                key.extend_from_slice(&number.to_bits().to_le_bytes());
            }
            Object::Complex(real, imaginary) => {
                key.push(b'c');
                key.extend_from_slice(&real.to_bits().to_le_bytes());
                key.extend_from_slice(&imaginary.to_bits().to_le_bytes());
            }
            Object::Bytes(bytes) => {
                key.push(b'b');
                push_bytes(bytes, key);
            }
            Object::Text { .. } => {
                key.push(b's');
                push_bytes(&utf8(&object), key);
            }
            Object::Tuple(children) | Object::Slice(children) | Object::Frozendict(children) => {
                key.push(match object {
                    Object::Tuple(_) => b'(',
                    Object::Slice(_) => b':',
                    _ => b'{',
                });
                push_length(children.len(), key);
                for child in *children {
                    self.push_key(tree, *child, key)?;
                }
            }
            Object::Frozenset(children) => {
                key.push(b'<');
                push_length(children.len(), key);
                for child in self.keys(tree, children)? {
                    push_bytes(&child, key);
                }
            }
            // No compiler puts these into sets, and the canonical form refuses them.
            _ => return Err(ValueFault::Value),
        }
        self.spend(key.len() - before)
    }
}

fn push_length(length: usize, key: &mut Vec<u8>) {
    key.extend_from_slice(&(length as u64).to_le_bytes());
}

fn push_bytes(bytes: &[u8], key: &mut Vec<u8>) {
    push_length(bytes.len(), key);
    key.extend_from_slice(bytes);
}

/// Equal in type and to the bit; containers are never leaves.
fn same_leaf(a: &Object<'_>, b: &Object<'_>) -> bool {
    match (a, b) {
        (Object::None, Object::None)
        | (Object::False, Object::False)
        | (Object::True, Object::True)
        | (Object::Ellipsis, Object::Ellipsis)
        | (Object::StopIteration, Object::StopIteration) => true,
        (Object::Integer(a), Object::Integer(b)) => a == b,
        (Object::Float(a), Object::Float(b)) => a.to_bits() == b.to_bits(),
        (Object::Complex(a, c), Object::Complex(b, d)) => {
            (a.to_bits(), c.to_bits()) == (b.to_bits(), d.to_bits())
        }
        (Object::Bytes(a), Object::Bytes(b)) => a == b,
        (Object::Text { .. }, Object::Text { .. }) => utf8(a) == utf8(b),
        _ => false,
    }
}

/// The characters of a string in UTF-8 with lone surrogates; empty for other objects.
pub(super) fn utf8<'t>(object: &Object<'t>) -> Cow<'t, [u8]> {
    match object {
        Object::Text { bytes, latin1: true, .. } if !bytes.is_ascii() => {
            Cow::Owned(bytes.iter().copied().map(char::from).collect::<String>().into_bytes())
        }
        Object::Text { bytes, .. } => Cow::Borrowed(bytes),
        _ => Cow::Borrowed(&[]),
    }
}
