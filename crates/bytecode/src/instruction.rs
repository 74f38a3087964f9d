//! The vocabulary: instruction, operand, location, handler. Knows nothing of how they are encoded.

/// One instruction with its `EXTENDED_ARG` prefixes and its inline caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Offset in bytes of its first prefix, or of its opcode if it has none.
    pub start: u32,
    /// Offset in bytes of its opcode.
    pub offset: u32,
    /// Offset in bytes behind it and its inline caches.
    pub end: u32,
    /// The opcode.
    pub opcode: u8,
    /// Its name in CPython; `None` if the release has no such opcode.
    pub name: Option<&'static str>,
    /// The argument, prefixes included; `None` for opcodes without one.
    pub argument: Option<u32>,
    /// What the argument stands for.
    pub operand: Operand,
}

/// What an argument stands for. Indices are into the tuples of the code object; they may be beyond
/// the end of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operand {
    /// There is no argument.
    None,
    /// A plain number.
    Number(u32),
    /// Index into `co_consts`.
    Const(u32),
    /// Index into `co_names`, and what a flag in the argument adds (`NULL|self`, …).
    Name(u32, Option<&'static str>),
    /// Index into the local variables (`co_localsplusnames`, up to 3.10 `co_varnames`).
    Local(u32),
    /// Two of them.
    LocalPair(u32, u32),
    /// Index of a cell or free variable: into `co_localsplusnames`, up to 3.10 into
    /// `co_cellvars + co_freevars`.
    Cell(u32),
    /// A jump to this offset in bytes; `None` if it leads before the beginning or beyond what an
    /// offset can be.
    Jump(Option<u32>),
    /// No jump, but where control came from (`END_ASYNC_FOR` from 3.14): an offset like a jump's.
    Origin(Option<u32>),
    /// The integer itself.
    SmallInt(u32),
    /// What the argument selects: a comparison, an operator, an intrinsic function, …
    Selected(&'static str),
}

/// Where a run of instructions comes from in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// Offset in bytes of the first instruction.
    pub start: u32,
    /// Offset in bytes behind the last one.
    pub end: u32,
    /// First line; `None` for code that stands nowhere.
    pub line: Option<i32>,
    /// Last line; known from 3.11.
    pub end_line: Option<i32>,
    /// First column, from 0, in bytes of UTF-8; from 3.11.
    pub column: Option<u32>,
    /// Column behind the last character.
    pub end_column: Option<u32>,
}

/// A row of the exception table (3.11 and later). Offsets are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handler {
    /// First instruction that is covered.
    pub start: u32,
    /// Behind the last one.
    pub end: u32,
    /// Where control goes.
    pub target: u32,
    /// Depth to which the stack is unwound.
    pub depth: u32,
    /// Whether the offset of the raising instruction is pushed.
    pub push_lasti: bool,
}

/// A table that does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableError {
    /// Offset in the table at which it goes wrong.
    pub offset: usize,
    /// What is wrong.
    pub problem: &'static str,
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {} of the table", self.problem, self.offset)
    }
}

impl std::error::Error for TableError {}
