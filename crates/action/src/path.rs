//! Paths inside a tree, as bytes with `/`, independent of the machine; and the path that goes
//! into code objects. Knows nothing of the file system that a path may be found in.

use std::sync::Arc;

/// Longer paths are put together elsewhere.
const SHORT: usize = 192;

/// A relative path below some root: components joined by `/`, never empty components, `.` or
/// `..`. Bytes, because a Unix file name need not be UTF-8; ordered bytewise. Clones share them: a large
/// tree has each path in several lists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RepoPath(Arc<[u8]>);

impl RepoPath {
    /// Takes bytes as they are if they form such a path; `None` for absolute paths, `.`/`..`
    /// components, empty components or NUL bytes. The empty path is the root itself.
    pub fn new(bytes: &[u8]) -> Option<RepoPath> {
        if bytes.is_empty() {
            return Some(RepoPath::default());
        }
        let fine = bytes.split(|byte| *byte == b'/').all(|component| {
            !component.is_empty()
                && component != b"."
                && component != b".."
                && !component.contains(&0)
        });
        fine.then(|| RepoPath(bytes.into()))
    }

    /// The bytes, `/`-separated.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether this is the root itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This path with one more component (or several, joined by `/`). The name must itself be
    /// fit for [`RepoPath::new`]; an empty one gives the path back.
    pub fn join(&self, name: &[u8]) -> RepoPath {
        if self.is_root() {
            return RepoPath(name.into());
        }
        if name.is_empty() {
            return self.clone();
        }
        let (slash, length) = (self.0.len(), self.0.len() + 1 + name.len());
        // Put together in place where it is short, as it is, so that it is allocated once.
        let mut room = [b'/'; SHORT];
        if let Some(bytes) = room.get_mut(..length) {
            let (folder, rest) = bytes.split_at_mut(slash);
            folder.copy_from_slice(&self.0);
            if let Some((_, rest)) = rest.split_first_mut() {
                rest.copy_from_slice(name);
            }
            return RepoPath(Arc::from(&*bytes));
        }
        RepoPath([&*self.0, name].join(&b'/').into())
    }

    /// The folder that holds it; the root for a path of one component, `None` for the root.
    pub fn parent(&self) -> Option<RepoPath> {
        if self.is_root() {
            return None;
        }
        let slash = self.0.iter().rposition(|byte| *byte == b'/');
        Some(RepoPath(self.0.get(..slash.unwrap_or(0)).unwrap_or_default().into()))
    }

    /// The bytes of the folder that holds it, none for a path of one component.
    pub fn parent_bytes(&self) -> &[u8] {
        let slash = self.0.iter().rposition(|byte| *byte == b'/');
        slash.and_then(|slash| self.0.get(..slash)).unwrap_or_default()
    }

    /// The last component.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// The last component without its last suffix (`a/mod.v1.py` → `mod.v1`).
    pub fn stem(&self) -> &[u8] {
        let name = self.file_name();
        match name.iter().rposition(|byte| *byte == b'.') {
            Some(0) | None => name,
            Some(dot) => name.get(..dot).unwrap_or(name),
        }
    }

    /// What follows `base/`, if this path is below (or is) `base`.
    pub fn strip_prefix(&self, base: &RepoPath) -> Option<RepoPath> {
        if base.is_root() {
            return Some(self.clone());
        }
        let rest = self.0.strip_prefix(base.as_bytes())?;
        match rest {
            [] => Some(RepoPath::default()),
            [b'/', below @ ..] => Some(RepoPath(below.into())),
            _ => None,
        }
    }
}

impl std::fmt::Display for RepoPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        write_escaped(&self.0, f)
    }
}

impl std::fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The path recorded in `co_filename`: UTF-8 where each undecodable byte 0xNN of a file name is
/// the lone surrogate U+DCNN (PEP 383), which is how CPython and marshal spell it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordedPath(Box<[u8]>);

impl RecordedPath {
    /// From the bytes of a file system path, decoded as PEP 383 says.
    pub fn from_file_system(bytes: &[u8]) -> RecordedPath {
        let mut out = Vec::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            out.extend_from_slice(chunk.valid().as_bytes());
            for byte in chunk.invalid() {
                // U+DC00 + byte, three bytes of generalised UTF-8; byte is at least 0x80 here.
                out.extend_from_slice(&[0xed, 0xb0 | (byte >> 6), 0x80 | (byte & 0x3f)]);
            }
        }
        RecordedPath(out.into())
    }

    /// The bytes as marshal stores them (`surrogatepass`).
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes what [`RecordedPath::as_bytes`] gave.
    pub fn from_marshal_bytes(bytes: &[u8]) -> RecordedPath {
        RecordedPath(bytes.into())
    }
}

impl std::fmt::Display for RecordedPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_escaped(&self.0, f)
    }
}

impl std::fmt::Debug for RecordedPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Text stays text; control characters, undecodable bytes and the backslash become `\xNN`, so
/// that a name cannot break a line, reach the terminal raw, or be taken for another.
fn write_escaped(bytes: &[u8], f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    use std::fmt::Write;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || character == '\\' {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    write!(f, "\\x{byte:02x}")?;
                }
            } else {
                f.write_char(character)?;
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

/// The inverse of the escaping in `Display`; `None` where an escape is broken.
pub(crate) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(rest.get(..at)?.as_bytes());
        let escape = rest.get(at..at + 4)?;
        out.push(u8::from_str_radix(escape.strip_prefix("\\x")?, 16).ok()?);
        rest = rest.get(at + 4..)?;
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

impl RepoPath {
    /// Reads what `Display` wrote (`.` is the root). `None` if it is not such a path.
    pub fn parse_display(text: &str) -> Option<RepoPath> {
        if text == "." { Some(RepoPath::default()) } else { RepoPath::new(&unescape(text)?) }
    }
}

impl RecordedPath {
    /// Reads what `Display` wrote.
    pub fn parse_display(text: &str) -> Option<RecordedPath> {
        unescape(text).map(|bytes| RecordedPath(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clean_relative_paths() {
        for bad in [&b"/a"[..], b"a//b", b"a/", b".", b"..", b"a/../b", b"a\0b"] {
            assert_eq!(RepoPath::new(bad), None, "{bad:?}");
        }
        let path = RepoPath::new(b"pkg/sub/mod.v1.py").unwrap();
        assert_eq!(path.stem(), b"mod.v1");
        assert_eq!(path.parent(), RepoPath::new(b"pkg/sub"));
        assert_eq!(
            path.strip_prefix(&RepoPath::new(b"pkg").unwrap()),
            RepoPath::new(b"sub/mod.v1.py")
        );
        assert_eq!(path.strip_prefix(&RepoPath::new(b"pk").unwrap()), None);
        assert_eq!(RepoPath::default().join(b"a").join(b"b").to_string(), "a/b");
    }

    #[test]
    fn display_is_lossless_and_one_line() {
        for name in
            [&b"caf\xe9.py"[..], b"new\nline.py", b"back\\slash", "gr\u{f6}\u{df}e".as_bytes()]
        {
            let path = RepoPath::new(name).unwrap();
            assert!(!path.to_string().contains('\n'));
            assert_eq!(RepoPath::parse_display(&path.to_string()), Some(path));
        }
    }

    #[test]
    fn undecodable_bytes_are_surrogates() {
        // CPython 3.11: os.fsdecode(b"\xe9").encode("utf-8", "surrogatepass") == b"\xed\xb3\xa9"
        assert_eq!(RecordedPath::from_file_system(b"\xe9").as_bytes(), b"\xed\xb3\xa9");
    }
}
