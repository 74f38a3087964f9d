//! The blocks that are open, from their first lines and indentation, and the guards made of them.
//! A guard is made only when an import stands in its block. Knows nothing of strings and brackets.

use super::condition::{Literal, catches, literals};
use super::cursor::{Cursor, offset};
use super::known::Known;
use super::lexis::{name_end, name_start};
use crate::encoding::Encoding;
use crate::guard::{Guard, GuardId, Guards};

/// The keyword that a line starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opener {
    Function,
    Class,
    If,
    Elif,
    Else,
    Loop,
    With,
    Match,
    Case,
    Try,
    Except,
    Finally,
}

impl Opener {
    /// The keyword of a line, if it may open a block. Of `async` it is the one after it.
    #[inline]
    pub(super) fn of(source: &[u8], start: usize) -> Option<Opener> {
        // Their first two letters rule out most other lines.
        let letters = source.get(start..)?.first_chunk::<2>()?;
        match letters {
            b"as" | b"ca" | b"cl" | b"de" | b"el" | b"ex" | b"fi" | b"fo" | b"if" | b"ma"
            | b"tr" | b"wh" | b"wi" => Opener::word(source, start),
            _ => None,
        }
    }

    fn word(source: &[u8], start: usize) -> Option<Opener> {
        let end = name_end(source, start);
        Some(match &source[start..end] {
            b"if" => Opener::If,
            b"def" => Opener::Function,
            b"for" | b"while" => Opener::Loop,
            b"else" => Opener::Else,
            b"elif" => Opener::Elif,
            b"with" => Opener::With,
            b"try" => Opener::Try,
            b"except" => Opener::Except,
            b"finally" => Opener::Finally,
            b"class" => Opener::Class,
            b"match" => Opener::Match,
            b"case" => Opener::Case,
            b"async" => {
                let mut cursor = Cursor::new(source, end);
                cursor.blanks();
                return match cursor.name() {
                    b"def" => Some(Opener::Function),
                    b"for" => Some(Opener::Loop),
                    b"with" => Some(Opener::With),
                    _ => None,
                };
            }
            _ => return None,
        })
    }
}

/// The clause of a statement that we are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clause {
    Function,
    Class,
    If,
    IfElse,
    Loop,
    With,
    Match,
    Case,
    Try,
    Except,
    TryElse,
    Finally,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    column: u32,
    clause: Clause,
    /// Offset of its keyword.
    keyword: u32,
    /// The last of the earlier clauses of its `if`, an index into `earlier`.
    earlier: Option<u32>,
    /// The guard of the body, once made.
    guard: Option<Option<GuardId>>,
    /// The guard of the `try` that this is a clause of, if something stands in its body.
    try_guard: Option<GuardId>,
}

/// A clause of an `if` before the current one.
#[derive(Debug, Clone, Copy)]
struct Earlier {
    keyword: u32,
    previous: Option<u32>,
    /// The guard that this and all before have failed, once made.
    failed: Option<Option<GuardId>>,
}

/// What reading a header needs.
pub(super) struct Context<'source, 'scanner> {
    pub(super) source: &'source [u8],
    pub(super) known: &'scanner Known<'source>,
    pub(super) encoding: &'scanner Encoding,
}

#[derive(Debug, Default)]
pub(super) struct Blocks {
    stack: Vec<Block>,
    earlier: Vec<Earlier>,
}

impl Blocks {
    /// Leaves all blocks that a statement in this column is not in.
    #[inline]
    pub(super) fn leave(&mut self, column: u32) {
        while self.stack.last().is_some_and(|block| block.column >= column) {
            self.stack.pop();
        }
    }

    /// Whether a `try` is open whose guard is in use: its handlers are still to come.
    pub(super) fn awaits_handlers(&self) -> bool {
        self.stack.iter().any(|block| block.try_guard.is_some())
    }

    /// Whether a line in this column is in the body of a function or class of the top level, and no
    /// import awaits anything there: it need not be read, and blocks in it not be opened.
    #[inline]
    pub(super) fn binds_nothing(&self, column: u32) -> bool {
        self.stack.first().is_some_and(|block| {
            matches!(block.clause, Clause::Function | Clause::Class) && column > block.column
        }) && !self.awaits_handlers()
    }

    /// Whether the outermost block does: whatever is indented is in it.
    #[inline]
    pub(super) fn begins_in_first_column(&self) -> bool {
        self.stack.first().is_some_and(|block| block.column == 0)
    }

    /// Whether no function and no class is open.
    pub(super) fn is_module_level(&self) -> bool {
        self.is_module_level_around(false)
    }

    /// The same without the innermost block.
    pub(super) fn is_module_level_around(&self, innermost: bool) -> bool {
        let around = &self.stack[..self.stack.len().saturating_sub(usize::from(innermost))];
        !around.iter().any(|block| matches!(block.clause, Clause::Function | Clause::Class))
    }

    /// Takes the first line of a block. False if its body cannot start in this line.
    pub(super) fn open(
        &mut self,
        opener: Opener,
        column: u32,
        keyword: usize,
        context: &Context<'_, '_>,
        guards: &mut Guards<'_>,
    ) -> bool {
        let keyword = offset(keyword);
        let clause = match opener {
            Opener::Elif | Opener::Else | Opener::Except | Opener::Finally => {
                self.leave(column.saturating_add(1));
                return self.resume(opener, column, keyword, context, guards);
            }
            Opener::Function => Clause::Function,
            Opener::Class => Clause::Class,
            Opener::If => Clause::If,
            Opener::Loop => Clause::Loop,
            Opener::With => Clause::With,
            Opener::Try => Clause::Try,
            Opener::Match => Clause::Match,
            Opener::Case => Clause::Case,
        };
        self.leave(column);
        if clause == Clause::Case
            && self.stack.last().is_none_or(|block| block.clause != Clause::Match)
        {
            return false;
        }
        self.push(clause, column, keyword);
        clause != Clause::Match
    }

    fn push(&mut self, clause: Clause, column: u32, keyword: u32) {
        if self.stack.is_empty() {
            self.earlier.clear();
        }
        self.stack.push(Block {
            column,
            clause,
            keyword,
            earlier: None,
            guard: None,
            try_guard: None,
        });
    }

    /// A further clause of the statement in this column.
    fn resume(
        &mut self,
        opener: Opener,
        column: u32,
        keyword: u32,
        context: &Context<'_, '_>,
        guards: &mut Guards<'_>,
    ) -> bool {
        let Some(block) = self.stack.last_mut().filter(|block| block.column == column) else {
            // Not valid; its body is conditional at any rate.
            self.push(Clause::Loop, column, keyword);
            return true;
        };
        let previous = block.clause;
        block.clause = match (opener, previous) {
            (Opener::Elif, _) => Clause::If,
            (Opener::Else, Clause::If) => Clause::IfElse,
            (Opener::Else, Clause::Try | Clause::Except) => Clause::TryElse,
            (Opener::Else, _) => Clause::Loop,
            (Opener::Except, _) => Clause::Except,
            (_, _) => Clause::Finally,
        };
        if previous == Clause::If && matches!(opener, Opener::Elif | Opener::Else) {
            let index = offset(self.earlier.len());
            let earlier = Earlier { keyword: block.keyword, previous: block.earlier, failed: None };
            self.earlier.push(earlier);
            block.earlier = Some(index);
        }
        block.keyword = keyword;
        block.guard = None;
        if let (Opener::Except, Some(guard)) = (opener, block.try_guard) {
            guards.add_handler(guard, catches(after_keyword(context.source, keyword)));
        }
        true
    }

    /// The guard of what stands in the innermost block; with `header`, of what stands in its first
    /// line before the colon.
    pub(super) fn guard<'source>(
        &mut self,
        header: bool,
        context: &Context<'source, '_>,
        guards: &mut Guards<'source>,
    ) -> Option<GuardId> {
        let (mut parent, mut first) = (None, 0);
        for (index, block) in self.stack.iter().enumerate().rev() {
            if let Some(guard) = block.guard {
                (parent, first) = (guard, index + 1);
                break;
            }
        }
        let last = self.stack.len();
        for index in first..last {
            let block = self.stack[index];
            let base = match block.earlier {
                Some(earlier) => self.failed(earlier, parent, context, guards),
                None => parent,
            };
            if header && index + 1 == last && block.clause != Clause::Except {
                return base;
            }
            parent = self.body(index, base, context, guards);
            self.stack[index].guard = Some(parent);
        }
        if header && first == last && last > 0 {
            // The body's guard is there already, so are those around it.
            let block = self.stack[last - 1];
            let around = last.checked_sub(2).and_then(|index| self.stack[index].guard).flatten();
            return match block.earlier {
                Some(earlier) => self.failed(earlier, around, context, guards),
                None => around,
            };
        }
        parent
    }

    fn body<'source>(
        &mut self,
        index: usize,
        parent: Option<GuardId>,
        context: &Context<'source, '_>,
        guards: &mut Guards<'source>,
    ) -> Option<GuardId> {
        let block = self.stack[index];
        let header = after_keyword(context.source, block.keyword);
        let guard = match block.clause {
            Clause::Match | Clause::IfElse => return parent,
            Clause::If => {
                let literals = literals(header, true, context.known, context.encoding);
                return push_all(literals, parent, guards);
            }
            Clause::Function => Guard::Function,
            Clause::Class => Guard::Class,
            Clause::Loop => Guard::Loop,
            Clause::With => Guard::With,
            Clause::Case => Guard::Match,
            Clause::Try => Guard::Try(crate::guard::Catches::default()),
            Clause::Except => Guard::Handler(catches(header)),
            Clause::TryElse => Guard::TryElse,
            Clause::Finally => Guard::Finally,
        };
        let id = guards.push(guard, parent);
        if block.clause == Clause::Try {
            self.stack[index].try_guard = Some(id);
        }
        Some(id)
    }

    /// The guard of what runs only if this clause and all before it have failed.
    fn failed<'source>(
        &mut self,
        last: u32,
        parent: Option<GuardId>,
        context: &Context<'source, '_>,
        guards: &mut Guards<'source>,
    ) -> Option<GuardId> {
        let mut pending = Vec::new();
        let (mut next, mut guard) = (Some(last), parent);
        while let Some(index) = next {
            let earlier = self.earlier[index as usize];
            if let Some(failed) = earlier.failed {
                guard = failed;
                break;
            }
            pending.push(index);
            next = earlier.previous;
        }
        for index in pending.into_iter().rev() {
            let header = after_keyword(context.source, self.earlier[index as usize].keyword);
            let literals = literals(header, false, context.known, context.encoding);
            guard = push_all(literals, guard, guards);
            self.earlier[index as usize].failed = Some(guard);
        }
        guard
    }
}

fn push_all<'source>(
    literals: Vec<Literal<'source>>,
    parent: Option<GuardId>,
    guards: &mut Guards<'source>,
) -> Option<GuardId> {
    literals.into_iter().fold(parent, |parent, (test, holds)| {
        let guard = Guard::If { test, holds };
        if guards.chain(parent).next() == Some(&guard) {
            return parent;
        }
        Some(guards.push(guard, parent))
    })
}

fn after_keyword(source: &[u8], keyword: u32) -> Cursor<'_> {
    let mut cursor = Cursor::new(source, name_end(source, keyword as usize));
    cursor.blanks();
    cursor
}

/// Whether a line starts with a statement that cannot stand in brackets: the bracket before it was
/// never closed.
pub(super) fn cannot_be_in_brackets(source: &[u8], start: usize) -> bool {
    let end = name_end(source, start);
    matches!(
        &source[start..end],
        b"def"
            | b"class"
            | b"try"
            | b"while"
            | b"with"
            | b"except"
            | b"finally"
            | b"elif"
            | b"return"
            | b"raise"
            | b"import"
            | b"pass"
            | b"del"
            | b"global"
    ) && name_start(source, start, start.saturating_sub(1)) == start
}
