//! Where `import` is spelled: every import contains the word, so what lies between is of interest
//! only for strings, brackets and blocks, and what follows the last one for nothing. Knows nothing
//! of whether a place is code.

use memchr::memmem::Finder;

use super::lexis::{at, is_name_byte};
use crate::extraction::Function;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The keyword.
    Keyword,
    /// The name of a function that imports.
    Call(Function),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// `usize::MAX` if there is none any more.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: Kind,
}

const NONE: Candidate = Candidate { start: usize::MAX, end: usize::MAX, kind: Kind::Keyword };

pub(super) struct Candidates<'source> {
    source: &'source [u8],
    /// Where the text starts.
    first: usize,
    finder: Finder<'static>,
    spelled: Candidate,
    /// Functions that are called something else here.
    aliases: Vec<(Finder<'source>, Function, Candidate)>,
}

impl<'source> Candidates<'source> {
    pub(super) fn new(source: &'source [u8], first: usize) -> Self {
        let finder = Finder::new("import");
        Candidates { source, first, finder, spelled: NONE, aliases: Vec::new() }
    }

    /// The first one at or after an offset. Offsets must not decrease.
    pub(super) fn next(&mut self, from: usize, started: bool) -> Candidate {
        if !started || self.spelled.start < from {
            self.spelled = self.next_spelled(from);
        }
        let mut first = self.spelled;
        for (finder, function, candidate) in &mut self.aliases {
            if candidate.start < from {
                *candidate = next_alias(self.source, finder, *function, from);
            }
            if candidate.start < first.start {
                first = *candidate;
            }
        }
        first
    }

    /// From here on, also this name.
    pub(super) fn follow(&mut self, name: &'source [u8], function: Function, from: usize) {
        let known = self.aliases.iter().any(|(finder, _, _)| finder.needle() == name);
        if !known && self.aliases.len() < 16 {
            let finder = Finder::new(name);
            let candidate = next_alias(self.source, &finder, function, from);
            self.aliases.push((finder, function, candidate));
        }
    }

    fn next_spelled(&self, from: usize) -> Candidate {
        let source = self.source;
        let mut position = from;
        while let Some(found) = self.finder.find(source.get(position..).unwrap_or(&[])) {
            let start = position + found;
            let end = start + b"import".len();
            let after = at(source, end);
            let opens = start == self.first || !is_name_byte(source[start - 1]);
            if opens && !is_name_byte(after) {
                return Candidate { start, end, kind: Kind::Keyword };
            }
            let longer = |rest: &[u8]| {
                source[end..].starts_with(rest) && !is_name_byte(at(source, end + rest.len()))
            };
            if after == b'_' {
                if opens && longer(b"_module") {
                    let kind = Kind::Call(Function::ImportModule);
                    return Candidate { start, end: end + b"_module".len(), kind };
                }
                if longer(b"__") && source[..start].ends_with(b"__") {
                    let first = start - 2;
                    if first >= from && (first == self.first || !is_name_byte(source[first - 1])) {
                        let kind = Kind::Call(Function::DunderImport);
                        return Candidate { start: first, end: end + 2, kind };
                    }
                }
            } else if opens && longer(b"orskip") {
                let kind = Kind::Call(Function::ImportOrSkip);
                return Candidate { start, end: end + b"orskip".len(), kind };
            }
            position = end;
        }
        NONE
    }
}

fn next_alias(source: &[u8], finder: &Finder<'_>, function: Function, from: usize) -> Candidate {
    let mut position = from;
    while let Some(found) = finder.find(source.get(position..).unwrap_or(&[])) {
        let start = position + found;
        let end = start + finder.needle().len();
        if (start == 0 || !is_name_byte(source[start - 1])) && !is_name_byte(at(source, end)) {
            return Candidate { start, end, kind: Kind::Call(function) };
        }
        position = end;
    }
    NONE
}
