//! `RECORD` files (PyPA, "Recording installed projects"): which files a distribution has, their
//! SHA-256 and sizes. Builds them, and edits them: order, quoting, line endings and all it does not
//! understand stay byte for byte. Knows nothing of the files themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytekiln_action::Digest;

/// A parsed `RECORD`.
#[derive(Debug, Clone)]
pub struct Record {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    changes: BTreeMap<usize, Digest>,
    removed: BTreeSet<usize>,
    added: BTreeMap<Vec<u8>, Option<Digest>>,
}

/// One row, as fields of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// With the end of its line.
    whole: Range<usize>,
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
        Ok(Record {
            bytes,
            rows,
            changes: BTreeMap::new(),
            removed: BTreeSet::new(),
            added: BTreeMap::new(),
        })
    }

    /// A new `RECORD` for these files: sorted by the bytes of their paths, then its own row, which
    /// has neither hash nor size. `own` is its own path, such as `x-1.dist-info/RECORD`; of two
    /// equal paths the last counts.
    pub fn build<'a>(own: &[u8], files: impl IntoIterator<Item = (&'a [u8], Digest)>) -> Record {
        let files: BTreeMap<&[u8], Digest> = files.into_iter().collect();
        let mut bytes = Vec::with_capacity(files.len() * 96);
        for (path, digest) in files.iter().filter(|(path, _)| **path != own) {
            write_row(&mut bytes, path, Some(digest), b"\n");
        }
        write_row(&mut bytes, own, None, b"\n");
        Record::parse(bytes).unwrap_or_else(|error| {
            unreachable!("what was quoted is read back: {error}");
        })
    }

    /// The paths of the rows of the file, unquoted, in its order; what was added or removed since
    /// does not count. They are relative to the folder that holds the `.dist-info`, and may lead
    /// out of it by `..`.
    pub fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.iter().map(|row| row.path.as_slice())
    }

    /// The first row of this path that is in the file and was not removed.
    pub fn find(&self, path: &[u8]) -> Option<usize> {
        let mut rows = self.rows.iter().enumerate();
        rows.find(|(at, row)| row.path == path && !self.removed.contains(at)).map(|(at, _)| at)
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

    /// Takes a row out.
    pub fn remove(&mut self, row: usize) {
        if row < self.rows.len() {
            self.removed.insert(row);
        }
    }

    /// Adds a row, with hash and size or with neither. Those that are added stand together, sorted
    /// by the bytes of their paths, at the end of the file; before its last row if that has no hash,
    /// as its own has. A path that the file has already must be removed or updated instead.
    pub fn add(&mut self, path: &[u8], digest: Option<Digest>) {
        self.added.insert(path.to_vec(), digest);
    }

    /// Whether a row was updated, added or removed.
    pub fn is_changed(&self) -> bool {
        !(self.changes.is_empty() && self.removed.is_empty() && self.added.is_empty())
    }

    /// The file, with what was changed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            if self.removed.contains(&at) {
                edits.push((row.whole.clone(), Vec::new()));
            } else if let Some(digest) = self.changes.get(&at) {
                let hash = format!("sha256={}", base64_url(&digest.hash));
                edits.push((row.hash.clone(), hash.into_bytes()));
                if !row.size.is_empty() {
                    edits.push((row.size.clone(), digest.size.to_string().into_bytes()));
                }
            }
        }
        // Where rows are added, a removed one ends before.
        let added = self.added_at();
        let place = edits.iter().take_while(|(range, _)| range.start < added).count();
        edits.insert(place, (added..added, Vec::new()));
        let mut out = Vec::with_capacity(self.bytes.len() + self.added.len() * 96);
        let mut copied = 0;
        for (at, (range, text)) in edits.into_iter().enumerate() {
            out.extend_from_slice(self.bytes.get(copied..range.start).unwrap_or_default());
            out.extend_from_slice(&text);
            copied = range.end;
            if at == place {
                self.write_added(&mut out);
            }
        }
        out.extend_from_slice(self.bytes.get(copied..).unwrap_or_default());
        out
    }

    /// Where in the file rows are added.
    fn added_at(&self) -> usize {
        let last = self.rows.last().filter(|row| row.hash.is_empty());
        last.map_or(self.bytes.len(), |row| row.whole.start)
    }

    fn write_added(&self, out: &mut Vec<u8>) {
        let end = self.line_end();
        if !(self.added.is_empty()
            || out.is_empty()
            || out.ends_with(b"\n")
            || out.ends_with(b"\r"))
        {
            out.extend_from_slice(end);
        }
        for (path, digest) in &self.added {
            write_row(out, path, digest.as_ref(), end);
        }
    }

    /// How the file ends its lines.
    fn line_end(&self) -> &'static [u8] {
        let ends = |row: &Row| self.field(&row.whole).ends_with(b"\r\n");
        if self.rows.first().is_some_and(ends) { b"\r\n" } else { b"\n" }
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
    let whole = at..next;
    let row = (fields >= 2 && !path.is_empty()).then_some(Row { whole, path, hash, size });
    Ok((row, next))
}

/// One row as the csv module of CPython writes it: quoted where that must be.
fn write_row(out: &mut Vec<u8>, path: &[u8], digest: Option<&Digest>, end: &[u8]) {
    let special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if path.iter().any(special) {
        out.push(b'"');
        for byte in path {
            out.push(*byte);
            if *byte == b'"' {
                out.push(b'"');
            }
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(path);
    }
    match digest {
        Some(digest) => {
            let hash = base64_url(&digest.hash);
            out.extend_from_slice(format!(",sha256={hash},{}", digest.size).as_bytes());
        }
        None => out.extend_from_slice(b",,"),
    }
    out.extend_from_slice(end);
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
