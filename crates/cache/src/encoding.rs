//! An action result as bytes, for files and wires. Compact, versioned, and read with suspicion:
//! bytes that are not exactly one result of a known version are `None`. Knows no files.
//!
//! Version 1, integers little-endian:
//!
//! ```text
//! u8  version = 1
//! u8  outcome: 0 compiled → 32 bytes SHA-256, u64 size; 1 rejected → one diagnostic;
//!     2 digested, the blob was not kept → 32 bytes SHA-256, u64 size
//! u32 number of warnings, then as many diagnostics
//! u64 microseconds of compilation
//! diagnostic: u8 kind (0 error, 1 warning), u8 flags, string category, string message,
//!             [start: u32 line, [u32 column]], [end: u32 line, [u32 column]], [string line]
//!   flags: 1 start, 2 start has a column, 4 end, 8 end has a column, 16 line text
//! string: u32 length, UTF-8
//! ```
//!
//! Old reader, new data: another version is `None`, which is a miss; the action runs again and
//! its result is kept beside the other one.

use bytekiln_action::{ActionResult, Diagnostic, DiagnosticKind, Digest, Outcome, Position};

const VERSION: u8 = 1;

const START: u8 = 1;
const START_COLUMN: u8 = 2;
const END: u8 = 4;
const END_COLUMN: u8 = 8;
const LINE_TEXT: u8 = 16;

/// The bytes of a result; equal results give equal bytes.
pub fn encode_result(result: &ActionResult) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.push(VERSION);
    match &result.outcome {
        Outcome::Compiled { output } => {
            out.push(0);
            put_digest(&mut out, output);
        }
        Outcome::Digested { output } => {
            out.push(2);
            put_digest(&mut out, output);
        }
        Outcome::Rejected { error } => {
            out.push(1);
            put_diagnostic(&mut out, error);
        }
    }
    put_length(&mut out, result.warnings.len());
    for warning in &result.warnings {
        put_diagnostic(&mut out, warning);
    }
    out.extend_from_slice(&result.compile_micros.to_le_bytes());
    out
}

/// Reads what [`encode_result`] gave; `None` for anything else.
pub fn decode_result(bytes: &[u8]) -> Option<ActionResult> {
    let mut input = Input(bytes);
    if input.byte()? != VERSION {
        return None;
    }
    let outcome = match input.byte()? {
        0 => Outcome::Compiled { output: input.digest()? },
        1 => Outcome::Rejected { error: input.diagnostic()? },
        2 => Outcome::Digested { output: input.digest()? },
        _ => return None,
    };
    let mut warnings = Vec::new(); // no capacity: the number is not to be trusted
    for _ in 0..input.word()? {
        warnings.push(input.diagnostic()?);
    }
    let compile_micros = input.long()?;
    input.0.is_empty().then_some(ActionResult { outcome, warnings, compile_micros })
}

fn put_digest(out: &mut Vec<u8>, digest: &Digest) {
    out.extend_from_slice(&digest.hash);
    out.extend_from_slice(&digest.size.to_le_bytes());
}

/// A length beyond `u32` cannot be written; it comes out as a number that `decode_result`
/// refuses, because the bytes that follow are more than it says.
fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_diagnostic(out: &mut Vec<u8>, diagnostic: &Diagnostic) {
    out.push(match diagnostic.kind {
        DiagnosticKind::Error => 0,
        DiagnosticKind::Warning => 1,
    });
    let place = |position: Option<Position>, there: u8, column: u8| match position {
        None => 0,
        Some(Position { column: None, .. }) => there,
        Some(_) => there | column,
    };
    out.push(
        place(diagnostic.start, START, START_COLUMN)
            | place(diagnostic.end, END, END_COLUMN)
            | if diagnostic.line_text.is_some() { LINE_TEXT } else { 0 },
    );
    put_string(out, &diagnostic.category);
    put_string(out, &diagnostic.message);
    for position in [diagnostic.start, diagnostic.end].into_iter().flatten() {
        out.extend_from_slice(&position.line.to_le_bytes());
        if let Some(column) = position.column {
            out.extend_from_slice(&column.to_le_bytes());
        }
    }
    if let Some(line) = &diagnostic.line_text {
        put_string(out, line);
    }
}

/// What is still to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn digest(&mut self) -> Option<Digest> {
        Some(Digest { hash: self.array()?, size: self.long()? })
    }

    fn string(&mut self) -> Option<String> {
        let length = usize::try_from(self.word()?).ok()?;
        String::from_utf8(self.bytes(length)?.to_vec()).ok()
    }

    fn position(&mut self, flags: u8, there: u8, column: u8) -> Option<Option<Position>> {
        if flags & there == 0 {
            return (flags & column == 0).then_some(None); // one spelling for each value
        }
        let line = self.word()?;
        let column = if flags & column == 0 { None } else { Some(self.word()?) };
        Some(Some(Position { line, column }))
    }

    fn diagnostic(&mut self) -> Option<Diagnostic> {
        let kind = match self.byte()? {
            0 => DiagnosticKind::Error,
            1 => DiagnosticKind::Warning,
            _ => return None,
        };
        let flags = self.byte()?;
        if flags & !(START | START_COLUMN | END | END_COLUMN | LINE_TEXT) != 0 {
            return None;
        }
        Some(Diagnostic {
            kind,
            category: self.string()?,
            message: self.string()?,
            start: self.position(flags, START, START_COLUMN)?,
            end: self.position(flags, END, END_COLUMN)?,
            line_text: if flags & LINE_TEXT == 0 { None } else { Some(self.string()?) },
        })
    }
}

#[cfg(test)]
mod tests;
