//! Lines and columns of offsets, counted only for what was found. Knows nothing of logical lines.

use memchr::{memchr, memchr_iter, memrchr, memrchr2};

use super::cursor::offset;
use crate::encoding::{Encoding, High};

#[derive(Debug)]
pub(super) struct Lines<'source> {
    source: &'source [u8],
    /// Whether the source has carriage returns: alone or with a line feed, they end lines too.
    pub(super) carriage_returns: bool,
    /// Whether there are form feeds, which set the column to the first; none if nobody asked.
    form_feeds: Option<bool>,
    start: usize,
    utf8: bool,
    counted: usize,
    line: u32,
    /// An offset and its column.
    column: (usize, u32),
}

impl<'source> Lines<'source> {
    /// `used` is false if nothing will be asked, and spares a look at the source.
    pub(super) fn new(source: &'source [u8], encoding: &Encoding, used: bool) -> Self {
        let carriage_returns = !used || memchr(b'\r', source).is_some();
        let utf8 = encoding.high == High::Utf8;
        let start = encoding.start;
        Lines {
            source,
            carriage_returns,
            form_feeds: None,
            start,
            utf8,
            counted: 0,
            line: 1,
            column: (start, 1),
        }
    }

    pub(super) fn form_feeds(&mut self) -> bool {
        *self.form_feeds.get_or_insert_with(|| memchr(b'\x0c', self.source).is_some())
    }

    /// Line of an offset, from 1. Cheap if offsets are near each other.
    pub(super) fn line(&mut self, position: usize) -> u32 {
        let position = position.min(self.source.len());
        self.line = if position < self.counted {
            self.line.saturating_sub(self.newlines(position, self.counted))
        } else {
            self.line.saturating_add(self.newlines(self.counted, position))
        };
        self.counted = position;
        self.line
    }

    fn newlines(&self, start: usize, end: usize) -> u32 {
        let between = &self.source[start..end];
        let mut newlines = memchr_iter(b'\n', between).count();
        if self.carriage_returns {
            newlines += memchr_iter(b'\r', between)
                .filter(|index| self.source.get(start + index + 1) != Some(&b'\n'))
                .count();
        }
        offset(newlines)
    }

    /// Column of an offset in characters, from 1. Cheap if offsets increase.
    pub(super) fn column(&mut self, position: usize) -> u32 {
        let (from, column) = self.column;
        let from = if position < from { self.start.min(position) } else { from };
        let column = if from == self.column.0 { column } else { 1 };
        let between = &self.source[from..position];
        let newline = if self.carriage_returns {
            memrchr2(b'\n', b'\r', between)
        } else {
            memrchr(b'\n', between)
        };
        let (rest, column) =
            newline.map_or((between, column), |newline| (&between[newline + 1..], 1));
        let characters = if self.utf8 {
            rest.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
        } else {
            rest.len()
        };
        self.column = (position, column.saturating_add(offset(characters)));
        self.column.1
    }
}
