//! Strings in the main loop: short ones by masks, long ones by searching for their end, formatted
//! ones through their replacement fields, where calls may import. Knows nothing of statements.

use super::candidates::Kind;
use super::lexis::{
    End, Prefix, after_escape, formatted_end, is_name_byte, is_triple, newline_from, plain_end,
    prefix,
};
use super::masks::WIDTH;
use super::{Scanner, span};
use crate::extraction::StringConstant;
use crate::problem::ProblemKind;

/// Kinds of strings one of which reached the end of the source without being terminated. Further
/// ones are not searched for their end, so that a source is read once, not once a quote.
#[derive(Debug, Default)]
pub(super) struct Runaway {
    triple_single: bool,
    triple_double: bool,
    formatted: bool,
}

impl Scanner<'_> {
    /// After the string whose first quote is here.
    pub(super) fn string(&mut self, quote: usize) -> usize {
        let prefix = prefix(self.source, quote);
        let end = if prefix.formatted && !self.runaway.formatted {
            self.formatted(quote, prefix)
        } else if is_triple(self.source, quote) {
            if *self.runaway_triple(quote) {
                return quote + 3;
            }
            plain_end(self.source, quote)
        } else {
            self.short(quote)
        };
        match end {
            End::At(end) => {
                if self.options.strings.is_some() {
                    self.constant(quote, end, prefix);
                }
                end
            }
            End::Unterminated { resume } => {
                self.problem(quote, ProblemKind::UnterminatedString);
                let newline = newline_from(self.source, quote, true);
                if resume <= newline {
                    return resume;
                }
                if prefix.formatted {
                    self.runaway.formatted = true;
                } else {
                    *self.runaway_triple(quote) = true;
                }
                newline
            }
            End::TooDeep => {
                self.problem(quote, ProblemKind::TooDeep);
                self.runaway.formatted = true;
                newline_from(self.source, quote, true)
            }
        }
    }

    fn runaway_triple(&mut self, quote: usize) -> &mut bool {
        if self.source[quote] == b'"' {
            &mut self.runaway.triple_double
        } else {
            &mut self.runaway.triple_single
        }
    }

    /// A string in single quotes, by masks.
    fn short(&mut self, quote: usize) -> End {
        let kind = self.source[quote];
        let mut position = quote + 1;
        while position < self.source.len() {
            let block = position / WIDTH;
            if block != self.block {
                self.load(block);
            }
            let stops = self.masks.event & (u64::MAX << (position % WIDTH));
            if stops == 0 {
                position = (block + 1) * WIDTH;
                continue;
            }
            position = block * WIDTH + stops.trailing_zeros() as usize;
            match self.source[position] {
                b'\\' => position = after_escape(self.source, position),
                byte if byte == kind => return End::At(position + 1),
                b'\n' | b'\r' => return End::Unterminated { resume: position },
                _ => position += 1, // a quote of the other kind, or `#`
            }
        }
        End::Unterminated { resume: self.source.len() }
    }

    /// A string with replacement fields; calls in them are found.
    fn formatted(&mut self, quote: usize, prefix: Prefix) -> End {
        let mut code = Vec::new();
        let first = self.candidate.start;
        let end = formatted_end(self.source, quote, prefix.raw, &mut |start, end| {
            if end > first {
                code.push((start, end));
            }
        });
        let End::At(_) = end else { return end };
        for (start, end) in code {
            self.pass(start);
            while self.candidate.start < end {
                let candidate = self.candidate;
                if let Kind::Call(function) = candidate.kind {
                    self.call(candidate, function);
                }
                self.pass(candidate.end);
            }
        }
        end
    }

    fn constant(&mut self, quote: usize, end: usize, prefix: Prefix) {
        let width = if is_triple(self.source, quote) && end >= quote + 6 { 3 } else { 1 };
        let source = self.source;
        let Some(text) = source.get(quote + width..end - width) else { return };
        let looks_dotted = || {
            let mut dots = 0;
            let parts_are_names = text.split(|&byte| byte == b'.').all(|part| {
                dots += 1;
                part.iter().all(|&byte| is_name_byte(byte))
                    && part.first().is_some_and(|byte| !byte.is_ascii_digit())
            });
            parts_are_names && self.options.strings.is_some_and(|least| dots > least)
        };
        if prefix.formatted || prefix.bytes || !looks_dotted() {
            return;
        }
        if let Ok(text) = std::str::from_utf8(text) {
            let guard = self.guard(false);
            let line = self.lines.line(quote);
            let span = span(quote, end);
            self.extraction.strings.push(StringConstant { text, line, span, guard });
        }
    }
}
