//! Import statements, read from the keyword `import` both ways. Also `__lazy_modules__` (PEP 810).
//! Knows nothing of how the keyword was found.

use std::borrow::Cow;

use super::cursor::{Dotted, offset};
use super::lexis::{before_blanks, name_start};
use super::{Cursor, Logical, Scanner, span};
use crate::extraction::{Import, LazyModules, Span, What};
use crate::guard::GuardId;
use crate::problem::ProblemKind;

/// How an import statement starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lead {
    /// Offset of its first keyword.
    start: usize,
    /// After the keyword `from`, if there is one.
    from: Option<usize>,
    lazy: bool,
}

/// What the names of a statement share.
#[derive(Debug, Clone, Copy)]
struct Shared {
    line: u32,
    column: u32,
    start: u32,
    lazy: bool,
    guard: Option<GuardId>,
}

impl<'source> Scanner<'source> {
    /// Reads the statement whose `import` is here: the result is where to go on.
    pub(super) fn import_statement(&mut self, keyword: usize) -> usize {
        let after = keyword + b"import".len();
        let Some(lead) = lead(self.source, keyword, self.logical.start) else {
            self.problem(keyword, ProblemKind::MalformedImport);
            return after;
        };
        if self.depth != 0 {
            self.restart_line(lead.start);
        }
        let guard = self.guard(false);
        let shared = Shared {
            line: self.lines.line(lead.start),
            column: self.lines.column(lead.start),
            start: offset(lead.start),
            lazy: lead.lazy,
            guard,
        };
        let first = self.extraction.imports.len();
        let mut cursor = Cursor::new(self.source, after);
        let read = match lead.from {
            None => self.modules(&mut cursor, shared),
            Some(module) => self.names_of(module, keyword, &mut cursor, shared),
        };
        let end = cursor.position;
        if read.is_none() || !self.ends(cursor) {
            self.problem(keyword, ProblemKind::MalformedImport);
        }
        for import in &mut self.extraction.imports[first..] {
            import.statement.end = offset(end);
        }
        end
    }

    /// An import cannot stand in brackets: those before it were not closed.
    fn restart_line(&mut self, start: usize) {
        self.end_brackets();
        let saved = self.position;
        let newline = memchr::memrchr2(b'\n', b'\r', &self.source[..start]);
        self.position = newline.map_or(self.encoding.start, |newline| newline + 1);
        let (start, column) = self.indentation();
        self.position = saved;
        self.logical = Logical { start, column, opener: false };
    }

    fn ends(&self, mut cursor: Cursor<'_>) -> bool {
        cursor.blanks();
        cursor.position >= self.source.len() || matches!(cursor.peek(), b'\n' | b'\r' | b';' | b'#')
    }

    /// `a.b as c, d`.
    fn modules(&mut self, cursor: &mut Cursor<'source>, shared: Shared) -> Option<()> {
        loop {
            cursor.blanks();
            let dotted = cursor.dotted()?;
            let (alias, bound) = self.alias(cursor, dotted.span)?;
            let what = What::Module { module: self.text(dotted) };
            self.push(what, alias, bound, dotted.span, cursor.position, shared);
            let mut ahead = *cursor;
            ahead.blanks();
            if !ahead.eat(b',') {
                return Some(());
            }
            *cursor = ahead;
        }
    }

    /// `..a import b as c, d`, from after `from`.
    fn names_of(
        &mut self,
        module: usize,
        keyword: usize,
        cursor: &mut Cursor<'source>,
        shared: Shared,
    ) -> Option<()> {
        let mut head = Cursor::new(self.source, module);
        let mut level = 0;
        loop {
            head.blanks();
            if !head.eat(b'.') {
                break;
            }
            level += 1;
        }
        let module = if head.position == keyword {
            Cow::Borrowed("")
        } else {
            let dotted = head.dotted()?;
            head.blanks();
            self.text(dotted)
        };
        if head.position != keyword || (level == 0 && module.is_empty()) {
            return None;
        }
        cursor.blanks();
        if cursor.eat(b'*') {
            let star = span(cursor.position - 1, cursor.position);
            self.push(What::Star { level, module }, None, star, star, cursor.position, shared);
            return Some(());
        }
        if cursor.eat(b'(') {
            cursor.brackets = 1;
            cursor.blanks();
        }
        loop {
            let start = cursor.position;
            cursor.name();
            let name = span(start, cursor.position);
            if name.start == name.end {
                return None;
            }
            let (alias, bound) = self.alias(cursor, name)?;
            let text = self.text(Dotted { span: name, blanks: false });
            let what = What::Name { level, module: module.clone(), name: text };
            self.push(what, alias, bound, name, cursor.position, shared);
            let mut ahead = *cursor;
            ahead.blanks();
            let comma = ahead.eat(b',');
            if comma {
                ahead.blanks();
            }
            if cursor.brackets > 0 && ahead.eat(b')') {
                ahead.brackets = 0;
                *cursor = ahead;
                return Some(());
            }
            if !comma {
                return (cursor.brackets == 0).then_some(());
            }
            *cursor = ahead;
        }
    }

    /// `as name`, and where the name that is bound stands.
    fn alias(
        &mut self,
        cursor: &mut Cursor<'source>,
        name: Span,
    ) -> Option<(Option<Cow<'source, str>>, Span)> {
        let mut ahead = *cursor;
        ahead.blanks();
        if !ahead.eat_word(b"as") {
            return Some((None, name));
        }
        ahead.blanks();
        let start = ahead.position;
        ahead.name();
        *cursor = ahead;
        let alias = span(start, ahead.position);
        (alias.start < alias.end)
            .then(|| (Some(self.text(Dotted { span: alias, blanks: false })), alias))
    }

    fn push(
        &mut self,
        what: What<'source>,
        alias: Option<Cow<'source, str>>,
        bound: Span,
        name: Span,
        end: usize,
        shared: Shared,
    ) {
        let bound = super::bytes(self.source, bound);
        if let Some((function, kind)) = self.known.note(&what, bound) {
            self.candidates.follow(function, kind, end);
        }
        self.extraction.imports.push(Import {
            what,
            alias,
            line: shared.line,
            column: shared.column,
            statement: Span { start: shared.start, end: offset(end) },
            name,
            lazy: shared.lazy,
            guard: shared.guard,
        });
    }

    /// Text of a name; one that cannot be decoded is a problem.
    pub(super) fn text(&mut self, name: Dotted) -> Cow<'source, str> {
        let (text, exact) = name.text(self.source, &self.encoding);
        if !exact {
            self.problem(name.span.start as usize, ProblemKind::UndecodableName);
        }
        text
    }

    /// `__lazy_modules__ = [...]`, if the line starts with it and it is a global.
    pub(super) fn lazy_modules(&mut self) {
        let mut cursor = Cursor::new(self.source, self.logical.start);
        if !cursor.eat_word(b"__lazy_modules__") {
            return;
        }
        self.blocks.leave(self.logical.column);
        if !self.blocks.is_module_level() {
            return;
        }
        cursor.blanks();
        let adds = cursor.eat_all(b"+=");
        let end = cursor.position;
        let mut list = LazyModules {
            modules: Vec::new(),
            complete: false,
            statement: span(self.logical.start, end),
        };
        let assigns = adds || (cursor.eat(b'=') && cursor.peek() != b'=');
        if assigns {
            list.complete = self.read_modules(&mut cursor, &mut list.modules).is_some();
        }
        if adds && let Some(before) = self.extraction.lazy_modules.take() {
            list.complete &= before.complete;
            list.modules.extend(before.modules);
        }
        list.modules.sort_unstable();
        list.modules.dedup();
        self.extraction.lazy_modules = Some(list);
    }

    /// A list, tuple or set of string constants.
    fn read_modules(
        &self,
        cursor: &mut Cursor<'source>,
        modules: &mut Vec<Cow<'source, str>>,
    ) -> Option<()> {
        cursor.blanks();
        let close = match cursor.peek() {
            b'[' => b']',
            b'(' => b')',
            b'{' => b'}',
            _ => return None,
        };
        cursor.position += 1;
        cursor.brackets = 1;
        loop {
            cursor.blanks();
            if cursor.eat(close) {
                break;
            }
            modules.push(self.encoding.text(cursor.constant()?).0);
            cursor.blanks();
            if !cursor.eat(b',') {
                cursor.eat(close).then_some(())?;
                break;
            }
        }
        cursor.brackets = 0;
        self.ends(*cursor).then_some(())
    }
}

/// Reads backwards from `import` to the start of its statement, not before `floor`.
fn lead(source: &[u8], keyword: usize, floor: usize) -> Option<Lead> {
    let starts_here = |position: usize| {
        position <= floor || matches!(source[position - 1], b'\n' | b'\r' | b';' | b':')
    };
    let mut end = before_blanks(source, keyword, floor);
    if starts_here(end) {
        return Some(Lead { start: keyword, from: None, lazy: false });
    }
    // A name must follow a dot or `from`: `from` itself is the only word before a name.
    let mut may_be_module = true;
    let mut is_first = true;
    while end > floor {
        if source[end - 1] == b'.' {
            end = before_blanks(source, end - 1, floor);
            may_be_module = true;
            is_first = false;
            continue;
        }
        let start = name_start(source, end, floor);
        match &source[start..end] {
            b"" | b"import" => return None,
            b"from" => {
                let before = before_blanks(source, start, floor);
                if starts_here(before) {
                    return Some(Lead { start, from: Some(end), lazy: false });
                }
                let lazy = name_start(source, before, floor);
                let is_lazy = &source[lazy..before] == b"lazy"
                    && starts_here(before_blanks(source, lazy, floor));
                return is_lazy.then_some(Lead { start: lazy, from: Some(end), lazy: true });
            }
            b"lazy" if is_first && starts_here(before_blanks(source, start, floor)) => {
                return Some(Lead { start, from: None, lazy: true });
            }
            _ if may_be_module => end = before_blanks(source, start, floor),
            _ => return None,
        }
        may_be_module = false;
        is_first = false;
    }
    None
}
