//! Whether two payloads mean the same code object, where they first differ if not, and what the
//! writers chose differently if so. Equality is that of the canonical form. Knows nothing of
//! headers, instructions, or how a difference is told.

mod encoding;
mod names;
mod values;
mod walk;

use std::collections::BTreeSet;

use bytekiln_python::Release;

use crate::marshal::{CodeField, DecodeError, NodeId, Tree};
use values::Operand;
use walk::Walk;

/// What to compare, and how much to list.
#[derive(Debug, Clone, Copy)]
pub struct CompareOptions {
    /// Whether `co_filename` of the module is compared. If not, it is left out, and so is that of
    /// each code object which has the module's.
    pub recorded_paths: bool,
    /// The most divergences that are listed; they are counted beyond that.
    pub listed: usize,
}

impl Default for CompareOptions {
    fn default() -> CompareOptions {
        CompareOptions { recorded_paths: true, listed: 16 }
    }
}

/// The one or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first argument.
    Left,
    /// The second.
    Right,
}

/// Why two payloads cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompareError {
    /// They were decoded as different releases.
    Releases(Release, Release),
    /// One has no canonical form: it is no code object, or has sets that no compiler makes.
    Payload(Side, DecodeError),
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeComparison {
    /// Where the values differ: constants, names and signatures first, then instructions, then their
    /// places in the source; among these, a code object before those in its constants. At most
    /// [`CompareOptions::listed`]. Empty if and only if the canonical forms are equal (up to
    /// recorded paths, if these are left out).
    pub divergences: Vec<Divergence>,
    /// How many there are; at least so many if `complete` is false.
    pub total: usize,
    /// In which fields and numbers all of them lie, by their names in CPython.
    pub fields: BTreeSet<&'static str>,
    /// Pairs of code objects with a divergence of their own.
    pub differing_code_objects: usize,
    /// Whether the search was carried to its end. Payloads made for it would take too long.
    pub complete: bool,
    /// If the values are equal: what differs in how they are written, sorted. Empty if and only if
    /// the payloads are the same bytes.
    pub encoding: Vec<EncodingDifference>,
}

/// A difference in value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// From the module, which is not in it, to the code object in which it is.
    pub path: Vec<CodeStep>,
    /// That code object, on the left and on the right.
    pub code: [NodeId; 2],
    /// What of it.
    pub place: Place,
    /// What is there on the left.
    pub left: Found,
    /// What is there on the right.
    pub right: Found,
    /// Both are of equal bits and still differ: one occurs in two places of one payload where the
    /// other has two objects. Only code objects and NaNs have an identity that counts.
    pub identity: bool,
}

/// From a code object to one in its constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeStep {
    /// Index in `co_consts`, on the left and on the right.
    pub constant: [u32; 2],
    /// The code object there, on the left and on the right.
    pub code: [NodeId; 2],
}

/// A place in a code object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A number; its name in CPython.
    Number(&'static str),
    /// A field that is an object, or a part of it.
    Field {
        /// The field.
        field: CodeField,
        /// The index in the tuple that the field is, in the tuple (or slice) found there, and so
        /// on. Of a frozendict, keys have even indices and values odd ones. Never into a frozenset.
        elements: Vec<u32>,
    },
}

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A number.
    Number(i32),
    /// An object.
    Object(NodeId),
    /// Nothing: the tuple is shorter than the other.
    Nothing,
}

/// What two payloads of one value may differ in. CPython writes either, depending on what else
/// lives in the process (`docs/canonical-form.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EncodingDifference {
    /// Which objects have `FLAG_REF`.
    ReferenceFlags,
    /// What is one object in the one, and copies in the other.
    Sharing,
    /// Which strings are marked to be interned.
    Interning,
    /// The order of the elements of a frozenset.
    SetOrder,
    /// Type codes: a short form or a long one, ASCII or UTF-8.
    TypeCodes,
    /// `co_filename` of the module, and of the code objects that have the same.
    RecordedPath,
}

/// Compares two payloads of one release, in time linear in their lengths.
pub fn compare(
    left: &Tree<'_>,
    right: &Tree<'_>,
    options: &CompareOptions,
) -> Result<TreeComparison, CompareError> {
    if left.release() != right.release() {
        return Err(CompareError::Releases(left.release(), right.release()));
    }
    let left = Operand::new(left).map_err(|error| CompareError::Payload(Side::Left, error))?;
    let right = Operand::new(right).map_err(|error| CompareError::Payload(Side::Right, error))?;
    let mut walk = Walk::new([&left, &right], options);
    walk.run();
    let encoding = if walk.total == 0 {
        encoding::differences([&left, &right], walk.partners_of_left())
    } else {
        Vec::new()
    };
    Ok(TreeComparison {
        divergences: walk.take_found(),
        total: walk.total,
        fields: walk.fields,
        differing_code_objects: walk.differing_code_objects,
        complete: walk.complete,
        encoding,
    })
}

impl Place {
    /// Name in CPython of the number or field.
    pub fn field_name(&self) -> &'static str {
        match self {
            Place::Number(name) => name,
            Place::Field { field, .. } => field.name(),
        }
    }
}

impl std::fmt::Display for CompareError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CompareError::Releases(left, right) => {
                write!(f, "payloads of different releases, {left} and {right}")
            }
            CompareError::Payload(Side::Left, error) => write!(f, "left payload: {error}"),
            CompareError::Payload(Side::Right, error) => write!(f, "right payload: {error}"),
        }
    }
}

impl std::error::Error for CompareError {}

impl EncodingDifference {
    /// In words, for a list.
    pub fn as_str(self) -> &'static str {
        match self {
            EncodingDifference::ReferenceFlags => "reference flags",
            EncodingDifference::Sharing => "sharing",
            EncodingDifference::Interning => "interning",
            EncodingDifference::SetOrder => "set order",
            EncodingDifference::TypeCodes => "type codes",
            EncodingDifference::RecordedPath => "recorded path",
        }
    }
}

impl std::fmt::Display for EncodingDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
