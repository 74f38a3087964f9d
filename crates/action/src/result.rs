//! What came out of an action: an output or a rejection, and what the compiler said. Both are
//! functions of the key alone, so both may be cached.

use crate::Digest;

/// A place in a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in characters of the decoded line; `None` where the compiler gave none.
    pub column: Option<u32>,
}

/// How serious a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiagnosticKind {
    /// The file does not compile.
    Error,
    /// The compiler warned (`SyntaxWarning`, `DeprecationWarning`).
    Warning,
}

/// One message of the compiler about one source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// Error or warning.
    pub kind: DiagnosticKind,
    /// The Python class: `SyntaxError`, `IndentationError`, `ValueError`, `SyntaxWarning`, …
    pub category: String,
    /// Its message, as Python words it.
    pub message: String,
    /// Where, if known.
    pub start: Option<Position>,
    /// Where it ends (exclusive column), if known (3.10 and later).
    pub end: Option<Position>,
    /// The source line at `start`, without its line end.
    pub line_text: Option<String>,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It compiled; the blob is the whole canonical `.pyc`.
    Compiled {
        /// The output.
        output: Digest,
    },
    /// It compiled, and only the digest was kept: enough to compare with, nothing to restore from.
    Digested {
        /// The output, of which no store has a blob.
        output: Digest,
    },
    /// The compiler refuses this source, and always will under this key.
    Rejected {
        /// Why.
        error: Diagnostic,
    },
}

/// The value that belongs to an [`crate::ActionDigest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionResult {
    /// Output or rejection.
    pub outcome: Outcome,
    /// Warnings, in the order of the compiler, each once.
    pub warnings: Vec<Diagnostic>,
    /// Microseconds that the compiler took when this was made; 0 if unknown. Not part of any
    /// comparison: two honest results may differ in it.
    pub compile_micros: u64,
}
