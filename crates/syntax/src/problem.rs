//! What kept a part of a source from being read. Knows nothing of how problems are shown.

use std::fmt;

/// Something that could have hidden an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: u32,
    /// Offset of the byte where it starts.
    pub offset: u32,
    /// What it is.
    pub kind: ProblemKind,
}

/// Kinds of [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// A string that its line, or the file, ends.
    UnterminatedString,
    /// A bracket that is not closed before the next statement, or closed twice.
    UnbalancedBrackets,
    /// An `import` that does not go on as the grammar wants.
    MalformedImport,
    /// A name that is not text in the encoding of the source.
    UndecodableName,
    /// An encoding in which ASCII bytes are not always ASCII characters; it was read as if they were.
    UnsupportedEncoding(String),
    /// UTF-16, UTF-32 or no text at all: nothing was read.
    NotText,
    /// Over 4 GiB: nothing was read.
    TooLarge,
    /// Formatted strings in formatted strings, deeper than CPython allows.
    TooDeep,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProblemKind::UnterminatedString => f.write_str("string is not terminated"),
            ProblemKind::UnbalancedBrackets => f.write_str("brackets do not match"),
            ProblemKind::MalformedImport => f.write_str("malformed import statement"),
            ProblemKind::UndecodableName => {
                f.write_str("imported name is not text in the encoding of the file")
            }
            ProblemKind::UnsupportedEncoding(name) => {
                write!(f, "encoding `{name}` does not contain ASCII unchanged")
            }
            ProblemKind::NotText => f.write_str("not a text in an encoding that contains ASCII"),
            ProblemKind::TooLarge => f.write_str("source is larger than 4 GiB"),
            ProblemKind::TooDeep => f.write_str("formatted strings are nested too deeply"),
        }
    }
}
