//! Type bytes (`Python/marshal.c`). The top bit, [`FLAG_REF`], gives an object a reference slot.

pub(crate) const FLAG_REF: u8 = 0x80;

pub(crate) const NULL: u8 = b'0';
pub(crate) const NONE: u8 = b'N';
pub(crate) const FALSE: u8 = b'F';
pub(crate) const TRUE: u8 = b'T';
pub(crate) const ELLIPSIS: u8 = b'.';
pub(crate) const STOP_ITERATION: u8 = b'S';
pub(crate) const INT: u8 = b'i';
/// 64 bits; written by no supported release, read by them.
pub(crate) const INT64: u8 = b'I';
pub(crate) const LONG: u8 = b'l';
/// Decimal text; marshal versions 0 and 1.
pub(crate) const FLOAT_TEXT: u8 = b'f';
pub(crate) const FLOAT: u8 = b'g';
/// Decimal text; marshal versions 0 and 1.
pub(crate) const COMPLEX_TEXT: u8 = b'x';
pub(crate) const COMPLEX: u8 = b'y';
pub(crate) const BYTES: u8 = b's';
pub(crate) const SHORT_ASCII: u8 = b'z';
pub(crate) const SHORT_ASCII_INTERNED: u8 = b'Z';
pub(crate) const ASCII: u8 = b'a';
pub(crate) const ASCII_INTERNED: u8 = b'A';
pub(crate) const UNICODE: u8 = b'u';
pub(crate) const INTERNED: u8 = b't';
pub(crate) const SMALL_TUPLE: u8 = b')';
pub(crate) const TUPLE: u8 = b'(';
pub(crate) const LIST: u8 = b'[';
pub(crate) const SET: u8 = b'<';
pub(crate) const FROZENSET: u8 = b'>';
pub(crate) const DICT: u8 = b'{';
/// Marshal version 6 (3.15).
pub(crate) const FROZENDICT: u8 = b'}';
pub(crate) const REF: u8 = b'r';
pub(crate) const CODE: u8 = b'c';
/// Marshal version 5 (3.14).
pub(crate) const SLICE: u8 = b':';

/// First marshal version with [`SLICE`].
pub(crate) const SLICE_SINCE: u8 = 5;
/// First marshal version with [`FROZENDICT`].
pub(crate) const FROZENDICT_SINCE: u8 = 6;

/// Whether a type byte without its flag is one of the six string types.
pub(crate) fn is_text(tag: u8) -> bool {
    matches!(tag, SHORT_ASCII | SHORT_ASCII_INTERNED | ASCII | ASCII_INTERNED | UNICODE | INTERNED)
}
