//! Why bytes are no payload.

/// A payload that is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// How many bytes of the payload were read when it was noticed; `None` for faults of the
    /// whole object.
    pub offset: Option<usize>,
}

/// What can be wrong with a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The payload ends before the object does, or a count exceeds what is left.
    Truncated,
    /// Bytes after the object.
    TrailingBytes,
    /// Longer than [`Limits::payload_bytes`](crate::Limits::payload_bytes).
    PayloadTooLong,
    /// Deeper than [`Limits::depth`](crate::Limits::depth).
    TooDeep,
    /// A type byte that the release does not know.
    UnknownType(u8),
    /// A list, set or dict: no compiler puts one into a code object, and self-references in them
    /// crash CPython 3.8 to 3.15 (gh-148653).
    Mutable(u8),
    /// A NULL where an object is due.
    Null,
    /// A negative length.
    NegativeLength,
    /// A reference to a slot that does not exist, is not finished yet, or (frozendict,
    /// gh-155315) is never filled by CPython.
    BadReference(u32),
    /// An integer with a digit above 2^15 - 1, or a leading zero digit.
    BadInteger,
    /// Decimal text that is no float.
    BadFloat,
    /// A string that is not UTF-8 (lone surrogates are allowed).
    BadText,
    /// A field of a code object has the wrong type or an impossible value; names the field.
    BadCode(CodeFault),
    /// The payload is an object, but no code object.
    NotCode,
    /// A set or frozendict in which elements are equal (`1` and `1.0`): what it is would depend on
    /// their order.
    EqualElements,
    /// A code object in a set or as a key: no compiler makes these, and their equality is deep.
    CodeInSet,
    /// Ordering the elements of sets would take more than linear time.
    SetTooComplex,
    /// The recorded path given is not UTF-8 (lone surrogates are allowed).
    BadRecordedPath,
}

/// Which field of a code object is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeFault {
    /// A field that must be of another type; its name in CPython.
    Type(&'static str),
    /// A number out of its range; its name in CPython.
    Range(&'static str),
    /// `co_code` has an odd length.
    OddCode,
    /// `co_localspluskinds` and `co_localsplusnames` differ in length.
    KindsLength,
    /// More parameters than local variables.
    TooFewLocals,
}

impl DecodeError {
    pub(crate) fn at(kind: DecodeErrorKind, offset: usize) -> DecodeError {
        DecodeError { kind, offset: Some(offset) }
    }
}

impl From<DecodeErrorKind> for DecodeError {
    fn from(kind: DecodeErrorKind) -> DecodeError {
        DecodeError { kind, offset: None }
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.kind)?;
        match self.offset {
            Some(offset) => write!(f, " at byte {offset} of the marshal payload"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DecodeError {}

impl std::fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DecodeErrorKind::Truncated => "payload ends too early",
            DecodeErrorKind::TrailingBytes => "bytes after the object",
            DecodeErrorKind::PayloadTooLong => "payload too long",
            DecodeErrorKind::TooDeep => "objects nested too deeply",
            DecodeErrorKind::UnknownType(tag) => return write!(f, "unknown type byte {tag:#04x}"),
            DecodeErrorKind::Mutable(tag) => {
                return write!(f, "mutable object (type `{}`)", char::from(*tag));
            }
            DecodeErrorKind::Null => "NULL object",
            DecodeErrorKind::NegativeLength => "negative length",
            DecodeErrorKind::BadReference(slot) => {
                return write!(f, "reference to slot {slot}, which holds no object");
            }
            DecodeErrorKind::BadInteger => "malformed integer",
            DecodeErrorKind::BadFloat => "malformed float",
            DecodeErrorKind::BadText => "string that is not UTF-8",
            DecodeErrorKind::BadCode(fault) => return write!(f, "code object with {fault}"),
            DecodeErrorKind::NotCode => "not a code object",
            DecodeErrorKind::EqualElements => "set with equal elements",
            DecodeErrorKind::CodeInSet => "code object in a set",
            DecodeErrorKind::SetTooComplex => "set too complex to order",
            DecodeErrorKind::BadRecordedPath => "recorded path that is not UTF-8",
        })
    }
}

impl std::fmt::Display for CodeFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CodeFault::Type(field) => write!(f, "a `{field}` of the wrong type"),
            CodeFault::Range(field) => write!(f, "a `{field}` out of range"),
            CodeFault::OddCode => f.write_str("a `co_code` of odd length"),
            CodeFault::KindsLength => {
                f.write_str("`co_localspluskinds` not as long as `co_localsplusnames`")
            }
            CodeFault::TooFewLocals => f.write_str("more parameters than local variables"),
        }
    }
}
