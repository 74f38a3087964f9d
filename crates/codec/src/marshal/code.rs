//! What a code object consists of, per release, and what CPython checks before it believes one
//! (`PyCode_NewWithPosOnlyArgs`, from 3.11 `_PyCode_Validate`).

use std::collections::BTreeMap;

use bytekiln_python::Release;

use super::error::{CodeFault, DecodeError, DecodeErrorKind};
use super::reader::Reader;
use super::tag;
use super::tree::{NodeId, Object, Tree};

/// A field of a code object that is an object itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeField {
    /// `co_code`, bytes.
    Code,
    /// `co_consts`, a tuple.
    Consts,
    /// `co_names`, a tuple of strings.
    Names,
    /// `co_varnames`, a tuple of strings; up to 3.10.
    Varnames,
    /// `co_freevars`, a tuple of strings; up to 3.10.
    Freevars,
    /// `co_cellvars`, a tuple of strings; up to 3.10.
    Cellvars,
    /// `co_localsplusnames`, a tuple of strings; from 3.11.
    LocalsPlusNames,
    /// `co_localspluskinds`, a byte per name; from 3.11.
    LocalsPlusKinds,
    /// `co_filename`, a string.
    Filename,
    /// `co_name`, a string.
    Name,
    /// `co_qualname`, a string; from 3.11.
    Qualname,
    /// `co_linetable`, bytes (`co_lnotab` up to 3.9).
    LineTable,
    /// `co_exceptiontable`, bytes; from 3.11.
    ExceptionTable,
}

use CodeField::{
    Cellvars, Code, Consts, ExceptionTable, Filename, Freevars, LineTable, LocalsPlusKinds,
    LocalsPlusNames, Name, Names, Qualname, Varnames,
};

/// `co_firstlineno` stands after this many fields, in every release.
pub(crate) const CODE_FIELDS_BEFORE_LINE: usize = 8;
/// The most fields that a release has.
pub(crate) const CODE_FIELDS_MAX: usize = 10;

const UP_TO_3_10: [CodeField; 9] =
    [Code, Consts, Names, Varnames, Freevars, Cellvars, Filename, Name, LineTable];
const FROM_3_11: [CodeField; CODE_FIELDS_MAX] = [
    Code,
    Consts,
    Names,
    LocalsPlusNames,
    LocalsPlusKinds,
    Filename,
    Name,
    Qualname,
    LineTable,
    ExceptionTable,
];

/// Which fields a release writes, in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CodeLayout {
    pub(crate) fields: &'static [CodeField],
    /// Whether `co_nlocals` is among the numbers.
    pub(crate) has_nlocals: bool,
}

impl CodeLayout {
    pub(crate) fn of(release: Release) -> CodeLayout {
        if release.minor() < 11 {
            CodeLayout { fields: &UP_TO_3_10, has_nlocals: true }
        } else {
            CodeLayout { fields: &FROM_3_11, has_nlocals: false }
        }
    }
}

impl CodeField {
    /// Its attribute in CPython.
    pub fn name(self) -> &'static str {
        match self {
            Code => "co_code",
            Consts => "co_consts",
            Names => "co_names",
            Varnames => "co_varnames",
            Freevars => "co_freevars",
            Cellvars => "co_cellvars",
            LocalsPlusNames => "co_localsplusnames",
            LocalsPlusKinds => "co_localspluskinds",
            Filename => "co_filename",
            Name => "co_name",
            Qualname => "co_qualname",
            LineTable => "co_linetable",
            ExceptionTable => "co_exceptiontable",
        }
    }

    /// Whether it is a tuple of names, all of which CPython interns.
    pub(crate) fn is_names(self) -> bool {
        matches!(self, Names | Varnames | Freevars | Cellvars | LocalsPlusNames)
    }
}

/// The numbers of a code object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CodeNumbers {
    /// `co_argcount`.
    pub argcount: i32,
    /// `co_posonlyargcount`.
    pub posonlyargcount: i32,
    /// `co_kwonlyargcount`.
    pub kwonlyargcount: i32,
    /// `co_nlocals`; up to 3.10, later it follows from `co_localspluskinds`.
    pub nlocals: Option<i32>,
    /// `co_stacksize`.
    pub stacksize: i32,
    /// `co_flags`.
    pub flags: i32,
    /// `co_firstlineno`.
    pub firstlineno: i32,
}

/// Row of the table of code objects: the numbers, and where in the table of children the fields
/// begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CodeRow {
    pub(crate) numbers: CodeNumbers,
    pub(crate) first_child: u32,
}

impl CodeNumbers {
    /// Reads what stands before the fields; `firstlineno` follows later.
    pub(super) fn read(reader: &mut Reader<'_>, layout: CodeLayout) -> Result<Self, DecodeError> {
        Ok(CodeNumbers {
            argcount: reader.i32()?,
            posonlyargcount: reader.i32()?,
            kwonlyargcount: reader.i32()?,
            nlocals: if layout.has_nlocals { Some(reader.i32()?) } else { None },
            stacksize: reader.i32()?,
            flags: reader.i32()?,
            firstlineno: 0,
        })
    }

    /// The inverse of [`CodeNumbers::read`].
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        let CodeNumbers { argcount, posonlyargcount, kwonlyargcount, .. } = *self;
        for number in [argcount, posonlyargcount, kwonlyargcount] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        if let Some(nlocals) = self.nlocals {
            out.extend_from_slice(&nlocals.to_le_bytes());
        }
        out.extend_from_slice(&self.stacksize.to_le_bytes());
        out.extend_from_slice(&self.flags.to_le_bytes());
    }
}

/// A code object in a [`Tree`].
#[derive(Debug, Clone, Copy)]
pub struct CodeObject<'t> {
    pub(super) tree: &'t Tree<'t>,
    pub(super) row: u32,
}

impl<'t> CodeObject<'t> {
    /// The numbers.
    pub fn numbers(&self) -> CodeNumbers {
        self.tree.code_row(self.row).map(|row| row.numbers).unwrap_or_default()
    }

    /// The object in `field`, references followed; `None` if the release has no such field.
    pub fn field(&self, field: CodeField) -> Option<NodeId> {
        let layout = self.tree.layout();
        let index = layout.fields.iter().position(|candidate| *candidate == field)?;
        let row = self.tree.code_row(self.row)?;
        let first = row.first_child as usize;
        Some(self.tree.resolve(*self.tree.children.get(first + index)?))
    }

    /// The bytes of a field that is a string or bytes; empty for any other.
    pub fn bytes(&self, field: CodeField) -> &'t [u8] {
        match self.field(field).map(|id| self.tree.get(id)) {
            Some(Object::Bytes(bytes) | Object::Text { bytes, .. }) => bytes,
            _ => &[],
        }
    }

    /// The elements of a field that is a tuple; empty for any other.
    pub fn elements(&self, field: CodeField) -> &'t [NodeId] {
        match self.field(field).map(|id| self.tree.get(id)) {
            Some(Object::Tuple(elements)) => elements,
            _ => &[],
        }
    }
}

const CO_VARARGS: i32 = 0x04;
const CO_VARKEYWORDS: i32 = 0x08;
/// `CO_FAST_LOCAL` in `co_localspluskinds`.
const KIND_LOCAL: u8 = 0x20;

/// Counting so many kinds costs less than remembering how many of them are locals.
const FEW_KINDS: u32 = 256;

/// Checks finished code objects.
#[derive(Debug, Default)]
pub(super) struct CodeChecker {
    /// How many locals each long `co_localspluskinds` has: code objects may share it.
    locals: BTreeMap<NodeId, usize>,
}

impl CodeChecker {
    /// Checks the types and the ranges of a code object that was read up to `offset`.
    pub(super) fn check(
        &mut self,
        tree: &Tree<'_>,
        row: &CodeRow,
        offset: usize,
    ) -> Result<(), DecodeError> {
        let checked = self
            .check_fields(tree, row.first_child as usize)
            .and_then(|locals| check_numbers(&row.numbers, locals));
        checked.map_err(|fault| DecodeError::at(DecodeErrorKind::BadCode(fault), offset))
    }

    /// Checks what the fields are; how many local variables there are.
    fn check_fields(&mut self, tree: &Tree<'_>, first: usize) -> Result<usize, CodeFault> {
        let layout = tree.layout();
        let mut locals = 0;
        let mut names = 0;
        for (index, field) in layout.fields.iter().enumerate() {
            let Some(child) = tree.children.get(first + index) else {
                return Err(CodeFault::Type(field.name()));
            };
            let id = tree.resolve(*child);
            let node = tree.node(id);
            let fits = match field {
                Code | LocalsPlusKinds | LineTable | ExceptionTable => node.kind() == tag::BYTES,
                Filename | Name | Qualname => tag::is_text(node.kind()),
                Consts => matches!(node.kind(), tag::TUPLE | tag::SMALL_TUPLE),
                Names | Varnames | Freevars | Cellvars | LocalsPlusNames => node.is_tuple_of_text(),
            };
            if !fits {
                return Err(CodeFault::Type(field.name()));
            }
            match field {
                Code if !node.length.is_multiple_of(2) => return Err(CodeFault::OddCode),
                Varnames => locals = node.length as usize,
                LocalsPlusNames => names = node.length,
                LocalsPlusKinds if node.length != names => return Err(CodeFault::KindsLength),
                LocalsPlusKinds => {
                    let count = || {
                        tree.content(node).iter().filter(|kind| **kind & KIND_LOCAL != 0).count()
                    };
                    locals = match node.length {
                        ..=FEW_KINDS => count(),
                        _ => *self.locals.entry(id).or_insert_with(count),
                    };
                }
                _ => {}
            }
        }
        Ok(locals)
    }
}

fn check_numbers(numbers: &CodeNumbers, locals: usize) -> Result<(), CodeFault> {
    let CodeNumbers { argcount, posonlyargcount, kwonlyargcount, .. } = *numbers;
    for (number, name) in [
        (argcount, "co_argcount"),
        (posonlyargcount, "co_posonlyargcount"),
        (kwonlyargcount, "co_kwonlyargcount"),
        (numbers.nlocals.unwrap_or(0), "co_nlocals"),
        (numbers.stacksize, "co_stacksize"),
        (numbers.flags, "co_flags"),
    ] {
        if number < 0 {
            return Err(CodeFault::Range(name));
        }
    }
    if posonlyargcount > argcount {
        return Err(CodeFault::Range("co_posonlyargcount"));
    }
    let starred = [CO_VARARGS, CO_VARKEYWORDS].map(|bit| i64::from(numbers.flags & bit != 0));
    let parameters = i64::from(argcount) + i64::from(kwonlyargcount) + starred[0] + starred[1];
    if parameters > locals as i64 {
        return Err(CodeFault::TooFewLocals);
    }
    // A frame holds locals and stack as pointers, and CPython computes its size in an `int`
    // (gh-158648).
    let frame = (locals as i64 + i64::from(numbers.stacksize) + 64) * 8;
    if frame > i64::from(i32::MAX) {
        return Err(CodeFault::Range("co_stacksize"));
    }
    Ok(())
}
