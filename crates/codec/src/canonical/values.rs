//! The values of a payload, each once: equal immutable values have one id, so that equality is
//! equality of ids, however deep. Ids of children are smaller than those of their parents.

use super::mix;
use crate::marshal::{CODE_FIELDS_MAX, CodeLayout, CodeNumbers, Integer, number, tag};

/// Index of a value in [`Values`].
pub(crate) type ValueId = u32;

/// What a value is. Kinds keep values apart that Python calls equal: `1`, `1.0` and `True`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    None,
    False,
    True,
    Ellipsis,
    StopIteration,
    /// Fits 32 bits; content as of type `i`.
    Int,
    /// Does not; content as of type `l`.
    Long,
    Float,
    Complex,
    Bytes,
    /// Content in UTF-8 with lone surrogates.
    Text,
    Tuple,
    Frozenset,
    Slice,
    Frozendict,
    /// `start` is an index into the code objects.
    Code,
}

impl Kind {
    pub(crate) fn has_children(self) -> bool {
        matches!(self, Kind::Tuple | Kind::Frozenset | Kind::Slice | Kind::Frozendict | Kind::Code)
    }

    pub(crate) fn is_singleton(self) -> bool {
        matches!(self, Kind::None | Kind::False | Kind::True | Kind::Ellipsis | Kind::StopIteration)
    }
}

/// The singletons, at the ids 0 to 4.
pub(crate) const SINGLETONS: [Kind; 5] =
    [Kind::None, Kind::False, Kind::True, Kind::Ellipsis, Kind::StopIteration];

/// Text in which all characters are ASCII.
pub(crate) const MARK_ASCII: u8 = 1;
/// Text that is interned by what it consists of.
pub(crate) const MARK_WORD: u8 = 2;
/// Text that is interned because it is a name somewhere.
pub(crate) const MARK_NAME: u8 = 4;
/// Tuple all of whose elements bear [`MARK_NAME`].
pub(crate) const MARK_NAMES: u8 = 8;
/// A code object, or a container of one.
pub(crate) const MARK_CODE: u8 = 16;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) marks: u8,
    /// Leaves: offset of the content, in the payload or, beyond its end, in `converted`.
    /// Containers: index of the first child.
    pub(crate) start: u32,
    /// Leaves: length of the content. Containers: number of children.
    pub(crate) length: u32,
}

pub(crate) struct CodeValue {
    pub(crate) numbers: CodeNumbers,
    pub(crate) children: [ValueId; CODE_FIELDS_MAX],
}

pub(crate) struct Values<'a> {
    payload: &'a [u8],
    /// Contents that are not in the payload as they are needed.
    converted: Vec<u8>,
    pub(crate) layout: CodeLayout,
    values: Vec<Value>,
    children: Vec<ValueId>,
    pub(crate) codes: Vec<CodeValue>,
    table: Table,
    seed: u64,
}

impl<'a> Values<'a> {
    /// For at most `count` values to come.
    pub(crate) fn new(payload: &'a [u8], layout: CodeLayout, count: usize) -> Values<'a> {
        let mut values = Vec::with_capacity(count / 2 + SINGLETONS.len());
        for kind in SINGLETONS {
            values.push(Value { kind, marks: 0, start: 0, length: 0 });
        }
        Values {
            payload,
            converted: Vec::new(),
            layout,
            values,
            children: Vec::with_capacity(count / 2),
            codes: Vec::new(),
            table: Table::new(count + SINGLETONS.len()),
            seed: mix::seed(payload),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.values.len()
    }

    #[inline]
    pub(crate) fn get(&self, id: ValueId) -> Value {
        const NONE: Value = Value { kind: Kind::None, marks: 0, start: 0, length: 0 };
        self.values.get(id as usize).copied().unwrap_or(NONE)
    }

    /// Content of a leaf.
    #[inline]
    pub(crate) fn content(&self, value: Value) -> &[u8] {
        let (start, length) = (value.start as usize, value.length as usize);
        let (bytes, start) = match start.checked_sub(self.payload.len()) {
            Some(start) => (self.converted.as_slice(), start),
            None => (self.payload, start),
        };
        bytes.get(start..start + length).unwrap_or_default()
    }

    /// Children of a container.
    #[inline]
    pub(crate) fn children(&self, value: Value) -> &[ValueId] {
        let start = value.start as usize;
        if value.kind == Kind::Code {
            let code = self.codes.get(start).map(|code| code.children.as_slice());
            return code.and_then(|all| all.get(..self.layout.fields.len())).unwrap_or_default();
        }
        self.children.get(start..start + value.length as usize).unwrap_or_default()
    }

    /// The integer that a value of kind `Int` or `Long` is.
    pub(crate) fn integer(&self, value: Value) -> Integer {
        let tag = if value.kind == Kind::Int { tag::INT } else { tag::LONG };
        number::integer(tag, self.content(value))
    }

    /// Real and imaginary part of a value of kind `Float` or `Complex`.
    pub(crate) fn floats(&self, value: Value) -> [f64; 2] {
        let (real, imaginary) = self.content(value).split_at_checked(8).unwrap_or_default();
        [number::float_of_bytes(real), number::float_of_bytes(imaginary)]
    }

    pub(crate) fn mark(&mut self, id: ValueId, mark: u8) {
        if let Some(value) = self.values.get_mut(id as usize) {
            value.marks |= mark;
        }
    }

    /// The leaf of this content, which stands in the payload at `start`.
    #[inline]
    pub(crate) fn leaf(&mut self, kind: Kind, start: u32, length: u32) -> (ValueId, bool) {
        let value = Value { kind, marks: 0, start, length };
        let content = self.content(value);
        let hash = mix::bytes(self.seed ^ kind as u64, content);
        let found = self.table.find(hash, |id| {
            let other = self.get(id);
            other.kind == kind && other.length == length && self.content(other) == content
        });
        match found {
            Ok(id) => (id, false),
            Err(free) => (self.add(value, Some((free, hash))), true),
        }
    }

    /// The leaf of a content that does not stand in the payload.
    pub(crate) fn converted_leaf(&mut self, kind: Kind, content: &[u8]) -> (ValueId, bool) {
        let before = self.converted.len();
        let start = (self.payload.len() + before) as u32;
        self.converted.extend_from_slice(content);
        let (id, new) = self.leaf(kind, start, content.len() as u32);
        if !new {
            self.converted.truncate(before);
        }
        (id, new)
    }

    /// A leaf that equals no other, itself included: NaN.
    pub(crate) fn distinct_leaf(&mut self, kind: Kind, start: u32, length: u32) -> ValueId {
        self.add(Value { kind, marks: 0, start, length }, None)
    }

    /// As [`Values::distinct_leaf`], for a content that does not stand in the payload.
    pub(crate) fn distinct_converted_leaf(&mut self, kind: Kind, content: &[u8]) -> ValueId {
        let start = (self.payload.len() + self.converted.len()) as u32;
        self.converted.extend_from_slice(content);
        self.distinct_leaf(kind, start, content.len() as u32)
    }

    /// The container of these children, in this order.
    pub(crate) fn container(&mut self, kind: Kind, children: &[ValueId]) -> ValueId {
        let hash = mix::ids(self.seed ^ kind as u64, children);
        let found = self.table.find(hash, |id| {
            let other = self.get(id);
            other.kind == kind && self.children(other) == children
        });
        match found {
            Ok(id) => id,
            Err(free) => {
                let code = children.iter().any(|child| self.get(*child).marks & MARK_CODE != 0);
                let value = Value {
                    kind,
                    marks: if code { MARK_CODE } else { 0 },
                    start: self.children.len() as u32,
                    length: children.len() as u32,
                };
                self.children.extend_from_slice(children);
                self.add(value, Some((free, hash)))
            }
        }
    }

    /// A code object, which equals no other.
    pub(crate) fn code(&mut self, code: CodeValue) -> ValueId {
        let start = self.codes.len() as u32;
        self.codes.push(code);
        self.add(Value { kind: Kind::Code, marks: MARK_CODE, start, length: 0 }, None)
    }

    fn add(&mut self, value: Value, place: Option<(usize, u64)>) -> ValueId {
        let id = self.values.len() as ValueId;
        self.values.push(value);
        if let Some((free, hash)) = place {
            self.table.fill(free, hash, id);
        }
        id
    }
}

/// Open addressing with linear probing; large enough from the start, so it never grows.
pub(super) struct Table {
    /// The upper half of the hash and the id plus one; zero is free.
    places: Vec<(u32, u32)>,
    mask: usize,
}

impl Table {
    pub(super) fn new(count: usize) -> Table {
        let size = (count + count / 2).next_power_of_two().max(16);
        Table { places: vec![(0, 0); size], mask: size - 1 }
    }

    /// The id that satisfies `equals`, or a free place for it.
    #[inline]
    pub(super) fn find(
        &self,
        hash: u64,
        equals: impl Fn(ValueId) -> bool,
    ) -> Result<ValueId, usize> {
        let upper = (hash >> 32) as u32;
        let mut index = hash as usize & self.mask;
        loop {
            let (seen, id) = self.places.get(index).copied().unwrap_or_default();
            if id == 0 {
                return Err(index);
            }
            if seen == upper && equals(id - 1) {
                return Ok(id - 1);
            }
            index = (index + 1) & self.mask;
        }
    }

    pub(super) fn fill(&mut self, index: usize, hash: u64, id: ValueId) {
        if let Some(place) = self.places.get_mut(index) {
            *place = ((hash >> 32) as u32, id + 1);
        }
    }
}
