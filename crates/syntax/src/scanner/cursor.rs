//! A cursor for the parts of a source that are read token by token: import statements, arguments
//! of calls, tests. Knows nothing of what the tokens are for.

use std::borrow::Cow;

use super::lexis::{after_newline, at, is_name_byte, name_end, newline_from};
use crate::encoding::Encoding;
use crate::extraction::Span;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'source> {
    pub(crate) source: &'source [u8],
    pub(crate) position: usize,
    /// Open brackets: in them a newline is a blank, and comments may stand.
    pub(crate) brackets: u32,
}

impl<'source> Cursor<'source> {
    pub(crate) fn new(source: &'source [u8], position: usize) -> Self {
        Cursor { source, position, brackets: 0 }
    }

    /// The byte here.
    #[inline]
    pub(crate) fn peek(&self) -> u8 {
        at(self.source, self.position)
    }

    /// Skips blanks, joined lines, and in brackets newlines and comments.
    #[inline]
    pub(crate) fn blanks(&mut self) {
        while let Some(&byte) = self.source.get(self.position) {
            match byte {
                b' ' | b'\t' | b'\x0c' => self.position += 1,
                b'\\' if matches!(at(self.source, self.position + 1), b'\n' | b'\r') => {
                    self.position = after_newline(self.source, self.position + 1);
                }
                b'\n' | b'\r' if self.brackets > 0 => self.position += 1,
                b'#' if self.brackets > 0 => {
                    self.position = newline_from(self.source, self.position, true);
                }
                _ => break,
            }
        }
    }

    /// Takes a byte if it is this one.
    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.peek() == byte && self.position < self.source.len();
        self.position += usize::from(eaten);
        eaten
    }

    /// Takes a text that is no part of a longer name.
    pub(crate) fn eat_word(&mut self, word: &[u8]) -> bool {
        let eaten = self.source[self.position..].starts_with(word)
            && !is_name_byte(at(self.source, self.position + word.len()));
        self.position += if eaten { word.len() } else { 0 };
        eaten
    }

    /// Takes a text.
    pub(crate) fn eat_all(&mut self, text: &[u8]) -> bool {
        let eaten = self.source[self.position..].starts_with(text);
        self.position += if eaten { text.len() } else { 0 };
        eaten
    }

    /// Takes a name, possibly empty.
    #[inline]
    pub(crate) fn name(&mut self) -> &'source [u8] {
        let start = self.position;
        self.position = name_end(self.source, start);
        &self.source[start..self.position]
    }

    /// Takes `a . b . c`: where it stands, and whether there are blanks in it. `None` if there is no
    /// name, or none after a dot.
    #[inline]
    pub(crate) fn dotted(&mut self) -> Option<Dotted> {
        let start = self.position;
        let mut end = name_end(self.source, start);
        let (mut previous, mut blanks) = (start, false);
        loop {
            if end == previous {
                return None;
            }
            self.position = end;
            self.blanks();
            if self.peek() != b'.' {
                self.position = end;
                return Some(Dotted { span: span(start, end), blanks });
            }
            blanks |= self.position != end;
            self.position += 1;
            let dot = self.position;
            self.blanks();
            blanks |= self.position != dot;
            previous = self.position;
            end = name_end(self.source, previous);
        }
    }

    /// Takes a string constant without escapes or concatenation: its text.
    pub(crate) fn constant(&mut self) -> Option<&'source [u8]> {
        let raw = matches!(self.peek(), b'r' | b'R' | b'u' | b'U');
        let quote = self.position + usize::from(raw);
        let kind = at(self.source, quote);
        if kind != b'"' && kind != b'\'' {
            return None;
        }
        let width = if super::lexis::is_triple(self.source, quote) { 3 } else { 1 };
        let super::lexis::End::At(end) = super::lexis::plain_end(self.source, quote) else {
            return None;
        };
        let text = self.source.get(quote + width..end - width)?;
        if text.contains(&b'\\') {
            return None;
        }
        self.position = end;
        Some(text)
    }

    /// Takes a decimal number.
    pub(crate) fn number(&mut self) -> Option<u32> {
        let start = self.position;
        while self.peek().is_ascii_digit() {
            self.position += 1;
        }
        if is_name_byte(self.peek()) {
            return None;
        }
        std::str::from_utf8(&self.source[start..self.position]).ok()?.parse().ok()
    }
}

/// A dotted name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dotted {
    pub(crate) span: Span,
    /// Whether blanks stand around its dots.
    pub(crate) blanks: bool,
}

impl Dotted {
    /// Its text without blanks, and whether it was decoded without loss.
    pub(crate) fn text<'source>(
        self,
        source: &'source [u8],
        encoding: &Encoding,
    ) -> (Cow<'source, str>, bool) {
        let bytes = bytes(source, self.span);
        if !self.blanks {
            return encoding.text(bytes);
        }
        let mut cursor = Cursor { source: bytes, position: 0, brackets: 1 };
        let mut compact = Vec::with_capacity(bytes.len());
        while cursor.position < bytes.len() {
            cursor.blanks();
            if cursor.eat(b'.') {
                compact.push(b'.');
            }
            cursor.blanks();
            let name = cursor.name();
            compact.extend_from_slice(name);
            if name.is_empty() {
                break;
            }
        }
        let (text, exact) = encoding.text(&compact);
        (Cow::Owned(text.into_owned()), exact)
    }
}

/// Sources are at most 4 GiB, so offsets fit.
#[inline]
pub(crate) fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

#[inline]
pub(crate) fn span(start: usize, end: usize) -> Span {
    Span { start: offset(start), end: offset(end) }
}

#[inline]
pub(crate) fn bytes(source: &[u8], span: Span) -> &[u8] {
    source.get(span.start as usize..span.end as usize).unwrap_or(&[])
}
