//! Calls of functions that import: `importlib.import_module("a")`, `__import__("a")` and the like.
//! A call is recognised by its name and by what the source has imported. Knows nothing of values.

use super::candidates::Candidate;
use super::lexis::{at, before_blanks, name_start};
use super::{Cursor, Scanner, span};
use crate::extraction::{Argument, Function, Import, Package, Span, What};
use crate::guard::Guard;

impl<'source> Scanner<'source> {
    /// Takes a call whose name is at the candidate, if it is one that imports.
    pub(super) fn call(&mut self, candidate: Candidate, function: Function) {
        let source = self.source;
        let mut cursor = Cursor::new(source, candidate.end);
        cursor.blanks();
        if !cursor.eat(b'(') {
            return;
        }
        let Some(start) = self.callee(candidate, function) else { return };
        cursor.brackets = 1;
        let place = self.lambdas.place(source, self.logical.start, candidate.start);
        let mut guard = self.guard(place.header);
        if place.lambda {
            guard = Some(self.extraction.guards.push(Guard::Function, guard));
        }
        let (argument, name) = self.argument(cursor, function);
        let line = self.lines.line(start);
        let column = self.lines.column(start);
        self.extraction.imports.push(Import {
            what: What::Call { function, argument },
            alias: None,
            line,
            column,
            statement: span(start, candidate.end),
            name,
            lazy: false,
            guard,
        });
    }

    /// Where the expression that is called starts; `None` if it is something else of that name.
    fn callee(&self, candidate: Candidate, function: Function) -> Option<usize> {
        let source = self.source;
        let floor = self.logical.start;
        let before = before_blanks(source, candidate.start, floor);
        if before > floor && source[before - 1] == b'.' {
            let end = before_blanks(source, before - 1, floor);
            let start = name_start(source, end, floor);
            let is_root = start == floor || source[start - 1] != b'.';
            let base = &source[start..end];
            let own_name = function.name().as_bytes() == &source[candidate.start..candidate.end];
            let imports = is_root && own_name && self.known.is_module(base, function);
            return imports.then_some(start);
        }
        let word = &source[name_start(source, before, floor)..before];
        if matches!(word, b"def" | b"class") {
            return None;
        }
        let name = &source[candidate.start..candidate.end];
        let is_builtin = function == Function::DunderImport && name == b"__import__";
        (is_builtin || self.known.is_function(name, function)).then_some(candidate.start)
    }

    /// The first argument, and what says how to read it. The cursor stands after the bracket.
    fn argument(
        &self,
        mut cursor: Cursor<'source>,
        function: Function,
    ) -> (Argument<'source>, Span) {
        cursor.blanks();
        let mut named = cursor;
        let keyword: &[u8] = match function {
            Function::RunModule => b"mod_name",
            Function::ImportOrSkip => b"modname",
            Function::ImportModule | Function::DunderImport => b"name",
        };
        if named.eat_word(keyword) && assignment(&mut named) {
            cursor = named;
        }
        let start = cursor.position;
        let unknown = |at: usize| (Argument::Unknown, span(at, at));
        let Some(bytes) = cursor.constant() else { return unknown(start) };
        let name = span(start, cursor.position);
        cursor.blanks();
        let more = cursor.eat(b',');
        cursor.blanks();
        if !more && cursor.peek() != b')' {
            return unknown(start);
        }
        let (text, _) = self.encoding.text(bytes);
        let package = match function {
            _ if cursor.peek() == b')' => Package::None,
            Function::ImportModule => self.package(cursor),
            Function::DunderImport => dunder_package(cursor),
            Function::RunModule | Function::ImportOrSkip => Package::None,
        };
        (Argument::Constant { name: text, package }, name)
    }

    /// The second argument of `import_module`.
    fn package(&self, mut cursor: Cursor<'source>) -> Package<'source> {
        let mut named = cursor;
        if named.eat_word(b"package") && assignment(&mut named) {
            cursor = named;
        }
        let package = if cursor.eat_word(b"__package__") {
            Package::OwnPackage
        } else if cursor.eat_word(b"__name__") {
            Package::OwnName
        } else if cursor.eat_word(b"None") {
            Package::None
        } else if let Some(bytes) = cursor.constant() {
            Package::Constant(self.encoding.text(bytes).0)
        } else {
            return Package::Unknown;
        };
        cursor.blanks();
        if matches!(cursor.peek(), b')' | b',') { package } else { Package::Unknown }
    }
}

/// `=` of a keyword argument, and the blanks around it.
fn assignment(cursor: &mut Cursor<'_>) -> bool {
    cursor.blanks();
    let is_assignment = cursor.peek() == b'=' && at(cursor.source, cursor.position + 1) != b'=';
    cursor.position += usize::from(is_assignment);
    cursor.blanks();
    is_assignment
}

/// `__import__(name, globals, locals, fromlist, level)`: relative only if a level is given, as a
/// fifth argument or by name.
fn dunder_package(mut cursor: Cursor<'_>) -> Package<'static> {
    const FARTHEST: usize = 512;
    let limit = cursor.position + FARTHEST;
    let (mut commas, mut open) = (0, 0_u32);
    while cursor.position < limit && cursor.position < cursor.source.len() {
        match cursor.peek() {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' if open == 0 => return Package::None,
            b')' | b']' | b'}' => open -= 1,
            b',' if open == 0 => commas += 1,
            b'l' if open == 0 => {
                let is_level = cursor.name() == b"level" && assignment(&mut cursor);
                if is_level {
                    return level(cursor);
                }
                continue;
            }
            b'\'' | b'"' => {
                if cursor.constant().is_none() {
                    return Package::Unknown;
                }
                continue;
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                cursor.name();
                continue;
            }
            _ => {}
        }
        cursor.position += 1;
        cursor.blanks();
        if commas == 3 && open == 0 && cursor.peek() != b')' {
            return level(cursor);
        }
    }
    Package::Unknown
}

fn level(mut cursor: Cursor<'_>) -> Package<'static> {
    let is_absolute = cursor.number() == Some(0);
    cursor.blanks();
    if is_absolute && matches!(cursor.peek(), b')' | b',') {
        Package::None
    } else {
        Package::Unknown
    }
}
