//! `RECORD` files (PyPA, "Recording installed projects"): which files a distribution has, their
//! SHA-256 and sizes. Keeps order, quoting, line endings and all it does not understand byte for
//! byte. Knows nothing of the files themselves.

use std::collections::BTreeMap;
use std::ops::Range;

use bytekiln_action::Digest;

/// A parsed `RECORD`.
#[derive(Debug, Clone)]
pub struct Record {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    changes: BTreeMap<usize, Digest>,
}

/// One row, as fields of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    path: Vec<u8>,
    hash: Range<usize>,
    size: Range<usize>,
}

/// A field is opened by a quote that is never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordError {
    /// Line on which it is opened, from 1.
    pub line: usize,
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: a quote is never closed", self.line)
    }
}

impl std::error::Error for RecordError {}

impl Record {
    /// Reads a `RECORD`. Rows with too few or too many fields are kept as they are.
    pub fn parse(bytes: Vec<u8>) -> Result<Record, RecordError> {
        let mut rows = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (row, next) = parse_row(&bytes, at)?;
            rows.extend(row);
            at = next;
        }
        Ok(Record { bytes, rows, changes: BTreeMap::new() })
    }

    /// The paths of the rows, unquoted, in the order of the file. They are relative to the folder
    /// that holds the `.dist-info`, and may lead out of it by `..`.
    pub fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.iter().map(|row| row.path.as_slice())
    }

    /// The first row of this path.
    pub fn find(&self, path: &[u8]) -> Option<usize> {
        self.rows.iter().position(|row| row.path == path)
    }

    /// Whether the row's hash and size are those of these bytes; `None` if it has no hash, or one
    /// that is not SHA-256.
    pub fn matches(&self, row: usize, digest: &Digest) -> Option<bool> {
        let row = self.rows.get(row)?;
        let stored = self.field(&row.hash).strip_prefix(b"sha256=")?;
        // Some writers pad, against the specification.
        let stored = stored.strip_suffix(b"=").unwrap_or(stored);
        let size = self.field(&row.size);
        let size_is_right = size.is_empty() || size == digest.size.to_string().as_bytes();
        Some(stored == base64_url(&digest.hash).as_bytes() && size_is_right)
    }

    /// Whether the row has a hash at all: rows of caches often have none, and stay so.
    pub fn has_hash(&self, row: usize) -> bool {
        self.rows.get(row).is_some_and(|row| !self.field(&row.hash).is_empty())
    }

    /// Sets hash and size of a row. A row without a hash stays without.
    pub fn update(&mut self, row: usize, digest: Digest) {
        if self.has_hash(row) {
            self.changes.insert(row, digest);
        }
    }

    /// Whether a row was updated.
    pub fn is_changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The file, with what was updated.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for (row, digest) in &self.changes {
            let Some(row) = self.rows.get(*row) else { continue };
            edits.push((row.hash.clone(), format!("sha256={}", base64_url(&digest.hash))));
            if !row.size.is_empty() {
                edits.push((row.size.clone(), digest.size.to_string()));
            }
        }
        let mut out = Vec::with_capacity(self.bytes.len() + edits.len() * 8);
        let mut copied = 0;
        for (range, text) in edits {
            out.extend_from_slice(self.bytes.get(copied..range.start).unwrap_or_default());
            out.extend_from_slice(text.as_bytes());
            copied = range.end;
        }
        out.extend_from_slice(self.bytes.get(copied..).unwrap_or_default());
        out
    }

    fn field(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }
}

/// Where the content of a field is, without its quotes, and where the field ends.
struct Field {
    content: Range<usize>,
    quoted: bool,
    end: usize,
}

/// Reads the row at `at`; gives where the next one begins. Blank lines are no rows.
fn parse_row(bytes: &[u8], at: usize) -> Result<(Option<Row>, usize), RecordError> {
    let first = parse_field(bytes, at)?;
    let path = bytes.get(first.content.clone()).unwrap_or_default();
    let path = if first.quoted { unquote(path) } else { path.to_vec() };
    let mut ends = [first.end..first.end, first.end..first.end];
    let mut end = first.end;
    let mut fields = 0;
    while bytes.get(end) == Some(&b',') {
        let field = parse_field(bytes, end + 1)?;
        if let Some(slot) = ends.get_mut(fields) {
            *slot = field.content;
        }
        fields += 1;
        end = field.end;
    }
    // A field ends before a comma, the end of its line or the end of the file.
    let next = match (bytes.get(end), bytes.get(end + 1)) {
        (Some(b'\r'), Some(b'\n')) => end + 2,
        (Some(_), _) => end + 1,
        (None, _) => end,
    };
    let [hash, size] = ends;
    let row = (fields >= 2 && !path.is_empty()).then_some(Row { path, hash, size });
    Ok((row, next))
}

fn parse_field(bytes: &[u8], start: usize) -> Result<Field, RecordError> {
    let rest = bytes.get(start..).unwrap_or_default();
    let stops = |byte: &u8| matches!(byte, b',' | b'\n' | b'\r');
    if rest.first() != Some(&b'"') {
        let end = start + rest.iter().position(stops).unwrap_or(rest.len());
        return Ok(Field { content: start..end, quoted: false, end });
    }
    let mut at = start + 1;
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'"'), Some(b'"')) => at += 2,
            (Some(b'"'), _) => break,
            (Some(_), _) => at += 1,
            (None, _) => {
                let before = bytes.get(..start).unwrap_or_default();
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                return Err(RecordError { line });
            }
        }
    }
    let after = bytes.get(at + 1..).unwrap_or_default();
    let end = at + 1 + after.iter().position(stops).unwrap_or(after.len());
    Ok(Field { content: start + 1..at, quoted: true, end })
}

fn unquote(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut after_quote = false;
    for byte in content {
        let doubled = *byte == b'"' && after_quote;
        after_quote = *byte == b'"' && !doubled;
        if !doubled {
            out.push(*byte);
        }
    }
    out
}

/// Base64 with `-` and `_`, without padding (RFC 4648, section 5).
fn base64_url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=group.len() {
            let index = (bits >> (18 - 6 * digit)) & 63;
            out.push(char::from(DIGITS[index as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests;
