//! Reads what a line binds at the top level of a module, for [`Names`]. Knows nothing of values.

use super::blocks::Opener;
use super::cursor::{Dotted, offset};
use super::lexis::{End, at, is_name_byte, name_start, string_end};
use super::{Cursor, Scanner, span};
use crate::extraction::{Span, What};
use crate::names::{All, Binding, BindingKind};

impl<'source> Scanner<'source> {
    /// Takes the names that the logical line binds; its block, if it opens one, is open already.
    pub(super) fn bind(&mut self, opener: Option<Opener>) {
        if !self.blocks.is_module_level_around(opener.is_some()) {
            return;
        }
        let mut cursor = Cursor::new(self.source, self.logical.start);
        match opener {
            Some(Opener::Function | Opener::Class) => {
                cursor.eat_word(b"async");
                cursor.blanks();
                let is_class = cursor.name() == b"class";
                cursor.blanks();
                let start = cursor.position;
                cursor.name();
                let kind = if is_class { BindingKind::Class } else { BindingKind::Function };
                self.bound(span(start, cursor.position), kind);
            }
            Some(Opener::Loop) => {
                cursor.eat_word(b"async");
                cursor.blanks();
                let mut names = std::mem::take(&mut self.targets);
                if cursor.eat_word(b"for")
                    && let Some(Stop::In) = targets(&mut cursor, &mut names)
                {
                    self.bound_all(&names);
                }
                self.targets = names;
            }
            Some(Opener::With) => {
                let names = after_as(cursor);
                self.bound_all(&names);
            }
            // `match = 1` opens nothing.
            None | Some(Opener::Match | Opener::Case) => self.assignment(cursor),
            Some(_) => {}
        }
    }

    /// Adds what imports bind, once their guards are known.
    pub(super) fn bind_imports(&mut self) {
        let Some(names) = &mut self.extraction.names else { return };
        names.bound.reserve(self.extraction.imports.len());
        for import in &self.extraction.imports {
            let facts = self.extraction.guards.facts(import.guard);
            let name = match (&import.what, &import.alias) {
                _ if facts.function || facts.class || facts.type_checking || facts.never => {
                    continue;
                }
                (What::Star { .. } | What::Call { .. }, _) => continue,
                (_, Some(alias)) => alias.clone(),
                (What::Name { name, .. }, None) => name.clone(),
                (What::Module { module }, None) => {
                    let root = module.split('.').next().unwrap_or(module);
                    root.to_owned().into()
                }
            };
            let kind = BindingKind::Import;
            names.bound.push(Binding { name, kind, offset: import.statement.start });
        }
        names.bound.sort_by_key(|binding| binding.offset);
    }

    fn bound(&mut self, name: Span, kind: BindingKind) {
        if name.start < name.end {
            let name = self.text(Dotted { span: name, blanks: false });
            let offset = offset(self.logical.start);
            if let Some(names) = &mut self.extraction.names {
                names.bound.push(Binding { name, kind, offset });
            }
        }
    }

    fn bound_all(&mut self, names: &[Span]) {
        for name in names {
            self.bound(*name, BindingKind::Assignment);
        }
    }

    fn assignment(&mut self, mut cursor: Cursor<'source>) {
        let start = cursor;
        if cursor.eat_word(b"__all__") {
            self.dunder_all(cursor);
        } else if extends_path(cursor)
            && let Some(names) = &mut self.extraction.names
        {
            names.extends_path = true;
        }
        cursor = start;
        if cursor.eat_word(b"type") {
            cursor.blanks();
            let name = cursor.position;
            cursor.name();
            let name = span(name, cursor.position);
            cursor.blanks();
            if name.start < name.end && matches!(cursor.peek(), b'=' | b'[') {
                self.bound(name, BindingKind::Assignment);
                return;
            }
        }
        cursor = start;
        let mut names = std::mem::take(&mut self.targets);
        while let Some(stop) = targets(&mut cursor, &mut names) {
            match stop {
                Stop::Assigned => self.bound_all(&names),
                Stop::Annotated => {
                    if names.len() == 1 && is_assigned(cursor) {
                        self.bound_all(&names);
                    }
                    break;
                }
                Stop::In => break,
            }
        }
        self.targets = names;
    }

    /// `= […]`, `+= […]`, `.extend([…])` and `.append("…")`, after the name.
    fn dunder_all(&mut self, mut cursor: Cursor<'source>) {
        cursor.blanks();
        let method = cursor.eat_all(b".extend(") || cursor.eat_all(b".append(");
        let adds = method || cursor.eat_all(b"+=");
        if !adds && cursor.eat(b':') {
            while cursor.position < self.source.len() && !b"=\n\r".contains(&cursor.peek()) {
                cursor.position += 1;
            }
        }
        let assigns = adds || (cursor.eat(b'=') && cursor.peek() != b'=');
        if !assigns {
            return;
        }
        let Some(names) = &mut self.extraction.names else { return };
        let mut all = All { names: Vec::new(), complete: true };
        if adds {
            all = names.all.take().unwrap_or_default();
        }
        if method {
            cursor.brackets += 1;
        }
        cursor.blanks();
        let close = match cursor.peek() {
            b'[' => b']',
            b'(' => b')',
            _ => 0,
        };
        if close != 0 {
            cursor.position += 1;
            cursor.brackets += 1;
            cursor.blanks();
        }
        while let Some(name) = cursor.constant() {
            all.names.push(self.encoding.text(name).0);
            cursor.blanks();
            if !cursor.eat(b',') {
                break;
            }
            cursor.blanks();
        }
        if close != 0 {
            all.complete &= cursor.eat(close);
            cursor.brackets -= 1;
            cursor.blanks();
        }
        if method {
            all.complete &= cursor.eat(b')');
            cursor.brackets -= 1;
            cursor.blanks();
        }
        let ended = cursor.position >= self.source.len();
        all.complete &= ended || matches!(cursor.peek(), b'\n' | b'\r' | b';' | b'#');
        names.all = Some(all);
    }
}

/// Whether a line is one of those that make a package of several folders: `__path__ =
/// extend_path(…)`, `declare_namespace(…)`, each by whatever name of its module, also
/// `__import__("pkgutil")`.
fn extends_path(mut cursor: Cursor<'_>) -> bool {
    if !matches!(cursor.peek(), b'_' | b'd' | b'p') {
        return false;
    }
    if !cursor.eat_word(b"__path__") {
        return called(cursor) == Some(b"declare_namespace");
    }
    cursor.blanks();
    if cursor.eat(b':') {
        while cursor.position < cursor.source.len() && !b"=\n\r".contains(&cursor.peek()) {
            cursor.position += 1;
        }
    }
    let assigns = cursor.eat(b'=');
    cursor.blanks();
    assigns && called(cursor) == Some(b"extend_path")
}

/// The last name of a function that is called here.
fn called(mut cursor: Cursor<'_>) -> Option<&[u8]> {
    if cursor.eat_word(b"__import__") {
        cursor.blanks();
        cursor.eat(b'(').then_some(())?;
        cursor.brackets += 1;
        cursor.blanks();
        cursor.constant()?;
        cursor.blanks();
        cursor.eat(b')').then_some(())?;
        cursor.brackets -= 1;
        cursor.blanks();
        cursor.eat(b'.').then_some(())?;
        cursor.blanks();
    }
    let start = cursor.position;
    cursor.dotted()?;
    let last = name_start(cursor.source, cursor.position, start);
    let name = cursor.source.get(last..cursor.position)?;
    cursor.blanks();
    (cursor.peek() == b'(').then_some(name)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// After `=`.
    Assigned,
    /// After `:`.
    Annotated,
    /// After `in`.
    In,
}

/// Reads the names in a list of targets, and what follows it. `None` if this is none, or if not only
/// names are in it.
fn targets(cursor: &mut Cursor<'_>, names: &mut Vec<Span>) -> Option<Stop> {
    names.clear();
    let mut expects = true;
    loop {
        cursor.blanks();
        let byte = cursor.peek();
        if expects && is_name_byte(byte) && !byte.is_ascii_digit() {
            let start = cursor.position;
            cursor.name();
            names.push(span(start, cursor.position));
            expects = false;
            continue;
        }
        match byte {
            b',' => expects = true,
            b'*' if expects => {}
            b'(' | b'[' if expects => cursor.brackets += 1,
            b')' | b']' if cursor.brackets > 0 => {
                cursor.brackets -= 1;
                expects = false;
            }
            b'=' if cursor.brackets == 0 && at(cursor.source, cursor.position + 1) != b'=' => {
                cursor.position += 1;
                return Some(Stop::Assigned);
            }
            b':' if cursor.brackets == 0 && at(cursor.source, cursor.position + 1) != b'=' => {
                cursor.position += 1;
                return Some(Stop::Annotated);
            }
            b'i' if cursor.brackets == 0 && cursor.eat_word(b"in") => {
                return Some(Stop::In);
            }
            _ => return None,
        }
        cursor.position += 1;
    }
}

/// Names after `as` in the first line of a `with`, to its colon.
fn after_as(mut cursor: Cursor<'_>) -> Vec<Span> {
    let mut names = Vec::new();
    while cursor.position < cursor.source.len() {
        cursor.blanks();
        match cursor.peek() {
            b'(' | b'[' | b'{' => cursor.brackets += 1,
            b')' | b']' | b'}' => cursor.brackets = cursor.brackets.saturating_sub(1),
            b':' | b'\n' | b'\r' if cursor.brackets == 0 => break,
            b'\'' | b'"' => match string_end(cursor.source, cursor.position) {
                End::At(end) => {
                    cursor.position = end;
                    continue;
                }
                End::Unterminated { .. } | End::TooDeep => break,
            },
            byte if is_name_byte(byte) => {
                if cursor.name() == b"as" {
                    cursor.blanks();
                    let start = cursor.position;
                    cursor.name();
                    names.push(span(start, cursor.position));
                }
                continue;
            }
            _ => {}
        }
        cursor.position += 1;
    }
    names
}

/// Whether a value follows an annotation.
fn is_assigned(mut cursor: Cursor<'_>) -> bool {
    while cursor.position < cursor.source.len() {
        cursor.blanks();
        match cursor.peek() {
            b'(' | b'[' | b'{' => cursor.brackets += 1,
            b')' | b']' | b'}' => cursor.brackets = cursor.brackets.saturating_sub(1),
            b'=' if cursor.brackets == 0 => return true,
            b'\n' | b'\r' | b'#' | b';' => return false,
            b'\'' | b'"' => match string_end(cursor.source, cursor.position) {
                End::At(end) => {
                    cursor.position = end;
                    continue;
                }
                End::Unterminated { .. } | End::TooDeep => return false,
            },
            _ => {}
        }
        cursor.position += 1;
    }
    false
}
