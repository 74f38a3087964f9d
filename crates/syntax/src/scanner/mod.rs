//! The scanner: from the first byte to the last `import`, line by logical line. It knows strings,
//! brackets, blocks and little else of the grammar; what is between does not matter to imports. It
//! knows nothing of expressions, so it is no judge of syntax: a problem is reported only where it
//! could have hidden an import.
//!
//! Why not a parser: `ruff_python_parser` 0.0.10, which builds the whole tree, took 10 to
//! 15 times as long on django and sympy (2,418 files, 32 MB, one core of a busy machine, each pair
//! in one run: 60 to 64 against 662 to 914 MB/s). This needs five instructions a byte there: much
//! of a source stands after its last import, and is only searched for the word. A
//! scanner also goes on after a syntax error, and reads every encoding that contains ASCII as it
//! is. What a parser would know better is kept honest by `tests/oracle`: it agrees with CPython's
//! own `ast` on every import, its position and the blocks around it, of the standard libraries,
//! django, sympy and ansible.

mod bindings;
mod blocks;
mod call;
mod candidates;
mod condition;
mod cursor;
mod known;
mod lambda;
mod lexis;
mod lines;
mod masks;
mod statement;
mod strings;
#[cfg(test)]
mod tests;

use blocks::{Blocks, Context, Opener};
use candidates::{Candidate, Candidates, Kind};
use cursor::offset;
use known::Known;
use lambda::Lambdas;
use lexis::{after_newline, at, newline_from};
use lines::Lines;
use masks::{Masks, WIDTH, masks};

pub(crate) use cursor::{Cursor, bytes, span};

use crate::encoding::{Encoding, detect};
use crate::extraction::{Extraction, Options, Span};
use crate::guard::GuardId;
use crate::names::Names;
use crate::problem::{Problem, ProblemKind};

/// Imports and names that most sources have no more of.
const FEW: usize = 16;

/// The imports of a source.
#[must_use]
pub fn imports(source: &[u8]) -> Extraction<'_> {
    extract(source, &Options::default())
}

/// The imports of a source, and what else is asked for. Takes time linear in the size of the source,
/// and memory linear in what is found.
#[must_use]
pub fn extract<'source>(source: &'source [u8], options: &Options) -> Extraction<'source> {
    let mut extraction = Extraction::default();
    let whole = |kind| Problem { line: 1, offset: 0, kind };
    if u32::try_from(source.len()).is_err() {
        extraction.problems.push(whole(ProblemKind::TooLarge));
        return extraction;
    }
    let Some((encoding, unsupported)) = detect(source) else {
        extraction.problems.push(whole(ProblemKind::NotText));
        return extraction;
    };
    extraction.problems.extend(unsupported.map(whole));
    extraction.imports.reserve(FEW);
    extraction.names = options.names.then(Names::default);
    if let Some(names) = &mut extraction.names {
        names.bound.reserve(FEW);
    }
    let mut scanner = Scanner::new(source, encoding, *options, extraction);
    scanner.run();
    scanner.finish()
}

/// The logical line that is being read.
#[derive(Debug, Clone, Copy, Default)]
struct Logical {
    /// Offset of its first byte that is no blank.
    start: usize,
    /// Its indentation, a tab reaching to the next multiple of eight.
    column: u32,
    /// Whether it opens a block whose body may follow in the same line.
    opener: bool,
}

struct Scanner<'source> {
    source: &'source [u8],
    options: Options,
    /// Whether lines after the last `import` matter.
    whole: bool,
    encoding: Encoding,
    lines: Lines<'source>,
    position: usize,
    /// The block of [`WIDTH`] bytes that `masks` is of.
    block: usize,
    masks: Masks,
    /// Nothing is wanted of a line, nor of those after it that are in the same block of the first column.
    skips: bool,
    /// Brackets that are open.
    depth: i64,
    logical: Logical,
    blocks: Blocks,
    candidates: Candidates<'source>,
    candidate: Candidate,
    known: Known<'source>,
    lambdas: Lambdas,
    runaway: strings::Runaway,
    /// Room for the targets of an assignment.
    targets: Vec<Span>,
    extraction: Extraction<'source>,
}

impl<'source> Scanner<'source> {
    fn new(
        source: &'source [u8],
        encoding: Encoding,
        options: Options,
        extraction: Extraction<'source>,
    ) -> Self {
        let mut candidates = Candidates::new(source, encoding.start);
        let candidate = candidates.next(encoding.start, false);
        Scanner {
            source,
            options,
            whole: options.names || options.strings.is_some(),
            lines: Lines::new(source, &encoding, candidate.start < source.len()),
            position: encoding.start,
            encoding,
            block: usize::MAX,
            masks: Masks::default(),
            skips: false,
            depth: 0,
            logical: Logical::default(),
            blocks: Blocks::default(),
            candidates,
            candidate,
            known: Known::default(),
            lambdas: Lambdas::default(),
            runaway: strings::Runaway::default(),
            targets: Vec::new(),
            extraction,
        }
    }

    fn run(&mut self) {
        while self.position < self.source.len() {
            let after_last = self.candidate.start == usize::MAX && !self.whole;
            if after_last && !self.blocks.awaits_handlers() {
                break;
            }
            if self.start_line(after_last) {
                self.finish_line();
            }
        }
    }

    fn finish(mut self) -> Extraction<'source> {
        self.extraction.guards.finish();
        self.bind_imports();
        self.extraction
    }

    /// Reads indentation and keyword of a logical line. False if it is blank and behind us.
    #[inline]
    fn start_line(&mut self, after_last: bool) -> bool {
        let (start, column) = self.indentation();
        let byte = at(self.source, start);
        match byte {
            b'\n' | b'\r' => {
                self.position = after_newline(self.source, start);
                return false;
            }
            b'#' => {
                let newline = newline_from(self.source, start, self.lines.carriage_returns);
                self.position = newline;
                self.pass(newline);
                if newline < self.source.len() {
                    self.position = after_newline(self.source, newline);
                }
                return false;
            }
            _ => {}
        }
        self.position = start;
        self.logical = Logical { start, column, opener: false };
        let last_import_passed = self.candidate.start == usize::MAX;
        if last_import_passed && self.options.strings.is_none() && self.blocks.binds_nothing(column)
        {
            self.skips = self.blocks.begins_in_first_column() && !self.lines.form_feeds();
            return true;
        }
        self.skips = false;
        let opener = if matches!(byte, b'a'..=b'f' | b'i' | b'm' | b't' | b'w') {
            Opener::of(self.source, start)
        } else {
            None
        };
        if let Some(opener) = opener {
            let context =
                Context { source: self.source, known: &self.known, encoding: &self.encoding };
            let guards = &mut self.extraction.guards;
            self.logical.opener = self.blocks.open(opener, column, start, &context, guards);
        } else if after_last || self.whole {
            self.blocks.leave(column);
        }
        if byte == b'_' {
            self.lazy_modules();
        }
        if self.options.names {
            self.bind(opener);
        }
        true
    }

    /// The first byte of the line that is no blank, and its column.
    #[inline]
    fn indentation(&self) -> (usize, u32) {
        let mut position = self.position;
        while let Some(chunk) = self.source.get(position..).and_then(<[u8]>::first_chunk::<8>) {
            let other = u64::from_le_bytes(*chunk) ^ u64::from_le_bytes([b' '; 8]);
            let spaces = (other.trailing_zeros() / 8) as usize;
            position += spaces;
            if spaces < 8 {
                break;
            }
        }
        let mut column = offset(position - self.position);
        loop {
            match at(self.source, position) {
                b' ' => column = column.saturating_add(1),
                b'\t' => column = (column | 7).saturating_add(1),
                b'\x0c' => column = 0,
                _ => return (position, column),
            }
            position += 1;
        }
    }

    /// Reads to the end of the logical line; of lines of which nothing is wanted ([`Scanner::skips`]), to the
    /// end of all of them.
    fn finish_line(&mut self) {
        let mut position = self.position;
        // Where the line that is read starts, if it is not the one that `logical` is of.
        let mut skipped = None;
        while position < self.source.len() {
            let block = position / WIDTH;
            if block != self.block {
                self.load(block);
            }
            let from = u64::MAX << (position % WIDTH);
            let events = self.masks.event & from;
            let first = events & events.wrapping_neg();
            let end = block * WIDTH + events.trailing_zeros() as usize;
            if self.candidate.start < end {
                let start = self.candidate.start;
                self.count_brackets(from & !(u64::MAX << (start % WIDTH)));
                position = self.found(start);
                continue;
            }
            if events == 0 {
                self.count_brackets(from);
                position = (block + 1) * WIDTH;
                continue;
            }
            self.count_brackets(from & first.wrapping_sub(1));
            position = end;
            match self.source[position] {
                b'\n' | b'\r' => {
                    position = after_newline(self.source, position);
                    if self.depth == 0 {
                        // A line that does not start in the first column is in the same block, and one that
                        // has nothing but a comment says nothing.
                        if self.skips && matches!(at(self.source, position), b' ' | b'\n' | b'#') {
                            skipped = Some(position);
                            continue;
                        }
                    } else if let Some(start) = skipped.take() {
                        self.arrive(start);
                    }
                    if self.depth <= 0 || self.resynchronise(position) {
                        self.end_brackets();
                        self.position = position;
                        return;
                    }
                }
                b'#' => {
                    position = newline_from(self.source, position, self.lines.carriage_returns);
                    self.pass(position);
                }
                b'\\' => position = lexis::after_escape_in_code(self.source, position),
                _ => {
                    position = self.string(position);
                    self.pass(position);
                }
            }
        }
        if self.depth != 0 {
            if let Some(start) = skipped {
                self.arrive(start);
            }
            self.depth = self.depth.min(-1); // not closed, so not balanced
        }
        self.end_brackets();
        self.position = self.source.len();
    }

    /// Takes note of a logical line that was not read as one: something is wrong with it.
    #[cold]
    fn arrive(&mut self, start: usize) {
        self.position = start;
        let (start, column) = self.indentation();
        self.logical = Logical { start, column, opener: false };
    }

    fn load(&mut self, block: usize) {
        let rest = &self.source[block * WIDTH..];
        self.masks = if let Some(whole) = rest.first_chunk::<WIDTH>() {
            masks(whole)
        } else {
            let mut padded = [0; WIDTH];
            padded[..rest.len()].copy_from_slice(rest);
            masks(&padded)
        };
        self.block = block;
    }

    #[inline]
    fn count_brackets(&mut self, range: u64) {
        let (mut open, mut close) = (self.masks.open & range, self.masks.close & range);
        // Bit by bit: there are few, and not every processor has an instruction that counts them.
        while open != 0 {
            open &= open - 1;
            self.depth += 1;
        }
        while close != 0 {
            close &= close - 1;
            self.depth -= 1;
        }
    }

    #[inline]
    fn end_brackets(&mut self) {
        if self.depth != 0 {
            self.problem(self.logical.start, ProblemKind::UnbalancedBrackets);
            self.depth = 0;
        }
    }

    /// Whether the line that starts here cannot stand in brackets, although some are open.
    fn resynchronise(&self, position: usize) -> bool {
        let blanks = self.source[position..]
            .iter()
            .take(self.logical.column as usize + 1)
            .take_while(|&&byte| byte == b' ' || byte == b'\t')
            .count();
        let start = position + blanks;
        at(self.source, start).is_ascii_lowercase()
            && blanks <= self.logical.column as usize
            && blocks::cannot_be_in_brackets(self.source, start)
    }

    /// A candidate in code: the result is where to go on.
    fn found(&mut self, start: usize) -> usize {
        let candidate = self.candidate;
        let position = match candidate.kind {
            Kind::Keyword => self.import_statement(start),
            Kind::Call(function) => {
                self.call(candidate, function);
                candidate.end
            }
        };
        self.pass(position);
        position
    }

    /// Forgets the candidates before an offset.
    #[inline]
    fn pass(&mut self, position: usize) {
        if self.candidate.start < position {
            self.candidate = self.candidates.next(position, true);
        }
    }

    /// The guard of what stands here; with `header`, in the first line of a block before its colon.
    fn guard(&mut self, header: bool) -> Option<GuardId> {
        if !self.logical.opener {
            self.blocks.leave(self.logical.column);
        }
        let context = Context { source: self.source, known: &self.known, encoding: &self.encoding };
        let header = header && self.logical.opener;
        self.blocks.guard(header, &context, &mut self.extraction.guards)
    }

    fn problem(&mut self, position: usize, kind: ProblemKind) {
        let line = self.lines.line(position);
        self.extraction.problems.push(Problem { line, offset: offset(position), kind });
    }
}
