//! The encoding that a source declares (PEP 263), as far as it matters to a reader of bytes: almost
//! all contain ASCII unchanged, so only names with other characters need it. Knows nothing of
//! Python's grammar.

use std::borrow::Cow;

use crate::problem::ProblemKind;

/// How bytes above 127 are to be read, and where the text starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// After a byte order mark.
    pub(crate) start: usize,
    pub(crate) high: High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum High {
    Utf8,
    Latin1,
    /// Some other character set: names in it are not decoded.
    Foreign,
}

impl Encoding {
    /// Text of a name, and whether it was decoded without loss.
    pub(crate) fn text<'source>(&self, bytes: &'source [u8]) -> (Cow<'source, str>, bool) {
        match (std::str::from_utf8(bytes), self.high) {
            (Ok(text), High::Utf8) => (Cow::Borrowed(text), true),
            (Ok(text), _) if text.is_ascii() => (Cow::Borrowed(text), true),
            (_, High::Latin1) => (bytes.iter().map(|&byte| char::from(byte)).collect(), true),
            _ => (String::from_utf8_lossy(bytes), false),
        }
    }
}

/// Reads byte order mark and declaration. `None` if this is no text that contains ASCII.
pub(crate) fn detect(source: &[u8]) -> Option<(Encoding, Option<ProblemKind>)> {
    let start = if source.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let head = &source[..source.len().min(4)];
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") || head.contains(&0) {
        return None;
    }
    let mut encoding = Encoding { start, high: High::Utf8 };
    let Some(name) = declared(&source[start..]) else { return Some((encoding, None)) };
    let name = String::from_utf8_lossy(name).to_ascii_lowercase().replace('_', "-");
    encoding.high = match name.as_str() {
        "utf-8" | "utf8" | "u8" | "utf" | "utf-8-sig" | "ascii" | "us-ascii" => High::Utf8,
        name if name.starts_with("utf-8-") => High::Utf8,
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" | "latin" => High::Latin1,
        name if ["latin-1-", "iso-8859-1-", "iso-latin-1"]
            .iter()
            .any(|prefix| name.starts_with(prefix)) =>
        {
            High::Latin1
        }
        _ => High::Foreign,
    };
    let problem = (encoding.high == High::Foreign && !contains_ascii(&name))
        .then_some(ProblemKind::UnsupportedEncoding(name));
    Some((encoding, problem))
}

/// Whether an ASCII byte always is that character: not in double-byte sets whose second byte may be
/// one, nor in stateful ones.
fn contains_ascii(name: &str) -> bool {
    const NOT: [&str; 17] = [
        "utf-7", "utf7", "utf-16", "utf16", "utf-32", "utf32", "shift", "sjis", "s-jis", "cp932",
        "ms932", "big5", "cp950", "gb", "hz", "iso-2022", "iso2022",
    ];
    const NOT_WHOLE: [&str; 6] = ["cp936", "936", "932", "950", "johab", "mbcs"];
    !(NOT.iter().any(|prefix| name.starts_with(prefix)) || NOT_WHOLE.contains(&name))
        || name == "gb2312"
        || name.starts_with("gb2312-")
}

/// The name in a `coding` comment in the first two lines, the first of them blank or a comment.
fn declared(source: &[u8]) -> Option<&[u8]> {
    let mut lines = source.splitn(3, |&byte| byte == b'\n');
    for _ in 0..2 {
        let line = lines.next()?;
        let line = line.trim_ascii_start();
        match line.first() {
            None => {}
            Some(b'#') => {
                if let Some(name) = name_in(line) {
                    return Some(name);
                }
            }
            Some(_) => return None,
        }
    }
    None
}

fn name_in(comment: &[u8]) -> Option<&[u8]> {
    let mut rest = &comment[..comment.len().min(1000)];
    while let Some(found) = memchr::memmem::find(rest, b"coding") {
        rest = &rest[found + b"coding".len()..];
        if let [b':' | b'=', value @ ..] = rest {
            let value = value.trim_ascii_start();
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            let length = value.iter().take_while(|byte| is_name(byte)).count();
            if length > 0 {
                return Some(&value[..length]);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &[u8], high: High, unsupported: bool) {
        let (encoding, problem) = detect(source).expect("text");
        assert_eq!((encoding.high, problem.is_some()), (high, unsupported));
    }

    #[test]
    fn declarations() {
        check(b"import a", High::Utf8, false);
        check(b"# -*- coding: latin-1 -*-\n", High::Latin1, false);
        check(b"#!/usr/bin/python\n# vim: set fileencoding=koi8-r :\n", High::Foreign, false);
        check(b"\n# coding: shift_jis", High::Foreign, true);
        check(b"# coding: utf-7", High::Foreign, true);
        check(b"x\n# coding: utf-7", High::Utf8, false);
        check(b"\n\n# coding: utf-7", High::Utf8, false);
        check(b"\xef\xbb\xbf# coding: utf-8", High::Utf8, false);
        check(b"# coding: gb2312", High::Foreign, false);
        assert_eq!(detect(b"\xff\xfei\0"), None);
        assert_eq!(detect(b"i\0m\0"), None);
    }
}
