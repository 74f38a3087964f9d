//! The smallest parts of Python's lexis: names, blanks, newlines, strings with all their prefixes,
//! formatted strings with replacement fields in them (PEP 498, 701, 750). Works on bytes, byte by
//! byte; the fast paths are in `scanner`. Knows nothing of statements.

use memchr::{memchr, memchr2};

/// How deep formatted strings may nest, as in CPython (`MAXFSTRINGLEVEL`).
const DEEPEST: u32 = 150;

/// Bytes that may be part of a name: one look in a table, since most bytes that are read one by one
/// are asked this.
static NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Whether a byte may be part of a name. All bytes above 127 may.
#[inline]
pub(crate) fn is_name_byte(byte: u8) -> bool {
    NAME_BYTES[usize::from(byte)]
}

/// The byte at an offset, 0 after the end.
#[inline]
pub(crate) fn at(source: &[u8], offset: usize) -> u8 {
    source.get(offset).copied().unwrap_or(0)
}

/// After the newline that starts here.
#[inline]
pub(crate) fn after_newline(source: &[u8], offset: usize) -> usize {
    offset + 1 + usize::from(source[offset] == b'\r' && at(source, offset + 1) == b'\n')
}

/// The newline at or after an offset, or the end.
#[inline]
pub(crate) fn newline_from(source: &[u8], offset: usize, carriage_returns: bool) -> usize {
    let rest = &source[offset..];
    let found = if carriage_returns { memchr2(b'\n', b'\r', rest) } else { memchr(b'\n', rest) };
    found.map_or(source.len(), |index| offset + index)
}

/// After the name that starts here.
#[inline]
pub(crate) fn name_end(source: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some(&byte) = source.get(end)
        && is_name_byte(byte)
    {
        end += 1;
    }
    end
}

/// The start of the name that ends here.
pub(crate) fn name_start(source: &[u8], end: usize, floor: usize) -> usize {
    let mut start = end;
    while start > floor && is_name_byte(source[start - 1]) {
        start -= 1;
    }
    start
}

/// Before the blanks, and joined lines, that end here.
pub(crate) fn before_blanks(source: &[u8], end: usize, floor: usize) -> usize {
    let mut end = end;
    while end > floor {
        match source[end - 1] {
            b' ' | b'\t' | b'\x0c' => end -= 1,
            b'\n' | b'\r' => {
                let crlf = source[end - 1] == b'\n' && end >= 2 && source[end - 2] == b'\r';
                let newline = end - 1 - usize::from(crlf);
                if newline > floor && source[newline - 1] == b'\\' {
                    end = newline - 1;
                } else {
                    break;
                }
            }
            _ => break,
        }
    }
    end
}

/// What stands before the quotes of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Prefix {
    pub(crate) length: usize,
    /// `f` or `t`.
    pub(crate) formatted: bool,
    pub(crate) bytes: bool,
    pub(crate) raw: bool,
}

/// Reads the prefix before a quote.
#[inline]
pub(crate) fn prefix(source: &[u8], quote: usize) -> Prefix {
    let mut prefix = Prefix::default();
    for length in 1..=quote.min(3) {
        match source[quote - length] | 0x20 {
            b'f' | b't' => prefix.formatted = true,
            b'b' => prefix.bytes = true,
            b'r' => prefix.raw = true,
            b'u' => {}
            _ => break,
        }
        prefix.length = length;
    }
    if prefix.length == 0 {
        return prefix;
    }
    let before = quote - prefix.length;
    if prefix.length == 3 || (before > 0 && is_name_byte(source[before - 1])) {
        return Prefix::default(); // the end of a name, which only an invalid source has here
    }
    prefix
}

/// Where a string ended, or where to go on if it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    At(usize),
    Unterminated { resume: usize },
    TooDeep,
}

/// Whether the quotes at an offset are three.
#[inline]
pub(crate) fn is_triple(source: &[u8], quote: usize) -> bool {
    let kind = source[quote];
    at(source, quote + 1) == kind && at(source, quote + 2) == kind
}

/// The end of a string without replacement fields, from its first quote.
pub(crate) fn plain_end(source: &[u8], quote: usize) -> End {
    let kind = source[quote];
    if is_triple(source, quote) {
        return triple_end(source, quote);
    }
    let mut position = quote + 1;
    while position < source.len() {
        match source[position] {
            b'\\' => position = after_escape(source, position),
            b'\n' | b'\r' => return End::Unterminated { resume: position },
            byte if byte == kind => return End::At(position + 1),
            _ => position += 1,
        }
    }
    End::Unterminated { resume: source.len() }
}

/// After a backslash and what it escapes.
#[inline]
pub(crate) fn after_escape(source: &[u8], backslash: usize) -> usize {
    match source.get(backslash + 1) {
        Some(b'\n' | b'\r') => after_newline(source, backslash + 1),
        Some(_) => backslash + 2,
        None => source.len(),
    }
}

/// After a backslash in code: it joins lines, or should not be there.
pub(crate) fn after_escape_in_code(source: &[u8], backslash: usize) -> usize {
    match at(source, backslash + 1) {
        b'\n' | b'\r' => after_newline(source, backslash + 1),
        _ => backslash + 1,
    }
}

fn triple_end(source: &[u8], quote: usize) -> End {
    let kind = source[quote];
    let mut position = quote + 3;
    while let Some(found) = memchr2(kind, b'\\', source.get(position..).unwrap_or(&[])) {
        let here = position + found;
        if source[here] == b'\\' {
            position = after_escape(source, here);
        } else if is_triple(source, here) {
            return End::At(here + 3);
        } else {
            position = here + 1;
        }
    }
    End::Unterminated { resume: source.len() }
}

/// The end of a string with replacement fields, from its first quote. `code` is called with each
/// run of code in them (start, end), in order.
pub(crate) fn formatted_end(
    source: &[u8],
    quote: usize,
    raw: bool,
    code: &mut impl FnMut(usize, usize),
) -> End {
    Formatted { source, code }.string(quote, raw, 0)
}

struct Formatted<'source, 'code, F> {
    source: &'source [u8],
    code: &'code mut F,
}

/// The string around a field.
#[derive(Clone, Copy)]
struct Around {
    kind: u8,
    triple: bool,
    raw: bool,
}

impl<F: FnMut(usize, usize)> Formatted<'_, '_, F> {
    fn string(&mut self, quote: usize, raw: bool, nesting: u32) -> End {
        if nesting >= DEEPEST {
            return End::TooDeep;
        }
        let around =
            Around { kind: self.source[quote], triple: is_triple(self.source, quote), raw };
        let mut position = quote + if around.triple { 3 } else { 1 };
        if !around.triple && at(self.source, position) == around.kind {
            return End::At(position + 1);
        }
        while position < self.source.len() {
            let byte = self.source[position];
            match byte {
                b'{' if at(self.source, position + 1) == b'{' => position += 2,
                b'{' => match self.field(position + 1, around, nesting) {
                    End::At(end) => position = end,
                    other => return other,
                },
                b'\\' => position = self.after_backslash(position, raw),
                b'\n' | b'\r' if !around.triple => {
                    return End::Unterminated { resume: position };
                }
                _ if byte == around.kind && self.terminates(position, around) => {
                    return End::At(position + if around.triple { 3 } else { 1 });
                }
                _ => position += 1,
            }
        }
        End::Unterminated { resume: self.source.len() }
    }

    fn terminates(&self, position: usize, around: Around) -> bool {
        !around.triple || is_triple(self.source, position)
    }

    /// A brace after a backslash opens a field, unless it belongs to `\N{name}`.
    fn after_backslash(&self, backslash: usize, raw: bool) -> usize {
        match at(self.source, backslash + 1) {
            b'{' => backslash + 1,
            b'N' if !raw && at(self.source, backslash + 2) == b'{' => {
                let name = &self.source[backslash + 3..];
                let length = name
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || b" -".contains(byte))
                    .count();
                backslash + 3 + length + usize::from(name.get(length) == Some(&b'}'))
            }
            _ => after_escape(self.source, backslash),
        }
    }

    /// From after `{` to after its `}`.
    fn field(&mut self, start: usize, around: Around, nesting: u32) -> End {
        if nesting >= DEEPEST {
            return End::TooDeep;
        }
        let source = self.source;
        let (mut position, mut run, mut brackets) = (start, start, 0_u32);
        while position < source.len() {
            match source[position] {
                b'\'' | b'"' => {
                    (self.code)(run, position);
                    let prefix = prefix(source, position);
                    let end = if prefix.formatted {
                        self.string(position, prefix.raw, nesting + 1)
                    } else {
                        plain_end(source, position)
                    };
                    match end {
                        End::At(end) => (position, run) = (end, end),
                        other => return other,
                    }
                    continue;
                }
                b'(' | b'[' | b'{' => brackets += 1,
                b'}' if brackets == 0 => {
                    (self.code)(run, position);
                    return End::At(position + 1);
                }
                b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
                b':' if brackets == 0 => {
                    (self.code)(run, position);
                    return self.format(position + 1, around, nesting);
                }
                b'#' => {
                    (self.code)(run, position);
                    position = newline_from(source, position, true);
                    run = position;
                    continue;
                }
                _ => {}
            }
            position += 1;
        }
        End::Unterminated { resume: source.len() }
    }

    /// The format after `:`, to after the `}` of its field.
    fn format(&mut self, start: usize, around: Around, nesting: u32) -> End {
        let mut position = start;
        while position < self.source.len() {
            let byte = self.source[position];
            match byte {
                b'}' => return End::At(position + 1),
                b'{' => match self.field(position + 1, around, nesting + 1) {
                    End::At(end) => position = end,
                    other => return other,
                },
                b'\\' => position = self.after_backslash(position, around.raw),
                b'\n' | b'\r' if !around.triple => {
                    return End::Unterminated { resume: position };
                }
                _ if byte == around.kind && self.terminates(position, around) => {
                    return End::Unterminated {
                        resume: position + if around.triple { 3 } else { 1 },
                    };
                }
                _ => position += 1,
            }
        }
        End::Unterminated { resume: self.source.len() }
    }
}

/// The end of any string, from its first quote.
pub(crate) fn string_end(source: &[u8], quote: usize) -> End {
    let prefix = prefix(source, quote);
    if prefix.formatted {
        formatted_end(source, quote, prefix.raw, &mut |_, _| {})
    } else {
        plain_end(source, quote)
    }
}
