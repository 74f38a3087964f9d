//! Reads the test of an `if`, as far as it can be decided for a target: a list of tests that must
//! all hold, or fail, for the block to run. What it does not know is [`Test::Other`]. Also what a
//! handler catches. Knows nothing of blocks.

use super::cursor::{Cursor, bytes};
use super::known::Known;
use super::lexis::{End, at, is_name_byte, string_end};
use crate::encoding::Encoding;
use crate::guard::Catches;
use crate::test::{Operator, Platform, Subject, Test, Version};

/// A test and whether it must hold or fail.
pub(crate) type Literal<'source> = (Test<'source>, bool);

/// Parentheses and operators nest so deep before the whole is [`Test::Other`].
const DEEPEST: u32 = 12;

/// What must be true for the block after this test (`holds`), or the `else` of it, to run. The
/// cursor stands after the `if`.
pub(crate) fn literals<'source>(
    cursor: Cursor<'source>,
    holds: bool,
    known: &Known<'source>,
    encoding: &Encoding,
) -> Vec<Literal<'source>> {
    let mut reader = Reader { cursor, known, encoding };
    let tree = reader.any(0).filter(|_| reader.cursor.peek() == b':');
    let mut literals = Vec::new();
    tree.unwrap_or(Tree::Leaf(Test::Other, true)).flatten(holds, &mut literals);
    literals.dedup();
    literals
}

/// What an `except` catches. The cursor stands after the keyword.
pub(crate) fn catches(mut cursor: Cursor<'_>) -> Catches {
    let mut catches = Catches::default();
    cursor.blanks();
    cursor.eat(b'*');
    cursor.blanks();
    catches.everything = cursor.peek() == b':';
    loop {
        match cursor.peek() {
            b':' | b';' => return catches,
            b'(' => {
                cursor.brackets += 1;
                cursor.position += 1;
            }
            byte if is_name_byte(byte) => match cursor.name() {
                b"ImportError" | b"ModuleNotFoundError" => catches.import_error = true,
                b"Exception" | b"BaseException" => catches.everything = true,
                b"as" => return catches,
                _ => {}
            },
            b'\n' | b'\r' if cursor.brackets == 0 => return catches,
            _ if cursor.position >= cursor.source.len() => return catches,
            _ => cursor.position += 1,
        }
        cursor.blanks();
    }
}

enum Tree<'source> {
    Leaf(Test<'source>, bool),
    All(Vec<Tree<'source>>),
    Any(Vec<Tree<'source>>),
    Not(Box<Tree<'source>>),
}

impl<'source> Tree<'source> {
    fn flatten(self, holds: bool, literals: &mut Vec<Literal<'source>>) {
        match (self, holds) {
            (Tree::Leaf(test, polarity), _) => literals.push((test, holds == polarity)),
            (Tree::Not(inner), _) => inner.flatten(!holds, literals),
            (Tree::All(parts), true) | (Tree::Any(parts), false) => {
                for part in parts {
                    part.flatten(holds, literals);
                }
            }
            (Tree::All(_), false) | (Tree::Any(_), true) => literals.push((Test::Other, holds)),
        }
    }
}

struct Reader<'source, 'known> {
    cursor: Cursor<'source>,
    known: &'known Known<'source>,
    encoding: &'known Encoding,
}

impl<'source> Reader<'source, '_> {
    fn any(&mut self, depth: u32) -> Option<Tree<'source>> {
        self.series(depth, b"or", Tree::Any, Self::all)
    }

    fn all(&mut self, depth: u32) -> Option<Tree<'source>> {
        self.series(depth, b"and", Tree::All, Self::not)
    }

    fn series(
        &mut self,
        depth: u32,
        word: &[u8],
        join: impl Fn(Vec<Tree<'source>>) -> Tree<'source>,
        part: impl Fn(&mut Self, u32) -> Option<Tree<'source>>,
    ) -> Option<Tree<'source>> {
        let first = part(self, depth)?;
        let mut parts = vec![first];
        loop {
            self.cursor.blanks();
            if !self.cursor.eat_word(word) {
                break;
            }
            parts.push(part(self, depth)?);
        }
        if parts.len() == 1 { parts.pop() } else { Some(join(parts)) }
    }

    fn not(&mut self, depth: u32) -> Option<Tree<'source>> {
        if depth > DEEPEST {
            return None;
        }
        self.cursor.blanks();
        if self.cursor.eat_word(b"not") {
            return Some(Tree::Not(Box::new(self.not(depth + 1)?)));
        }
        self.operand(depth)
    }

    fn operand(&mut self, depth: u32) -> Option<Tree<'source>> {
        let start = self.cursor;
        if self.cursor.eat(b'(') {
            self.cursor.brackets += 1;
            if let Some(tree) = self.any(depth + 1)
                && self.cursor.eat(b')')
            {
                self.cursor.brackets -= 1;
                if self.ends() {
                    return Some(tree);
                }
            }
            self.cursor = start;
        } else {
            if let Some((test, polarity)) = self.leaf()
                && self.ends()
            {
                return Some(Tree::Leaf(test, polarity));
            }
            self.cursor = start;
        }
        self.skip_operand()?;
        Some(Tree::Leaf(Test::Other, true))
    }

    /// Whether an operand of `and`, `or`, `not` ends here.
    fn ends(&mut self) -> bool {
        self.cursor.blanks();
        let here = self.cursor;
        let mut ahead = self.cursor;
        match here.peek() {
            b':' => at(here.source, here.position + 1) != b'=',
            b')' => here.brackets > 0,
            _ => ahead.eat_word(b"and") || ahead.eat_word(b"or"),
        }
    }

    /// Skips to the end of an operand. `None` if the test is a conditional expression, a lambda, a
    /// tuple, or not closed.
    fn skip_operand(&mut self) -> Option<()> {
        let mut open = 0_u32;
        loop {
            self.cursor.brackets += open;
            self.cursor.blanks();
            self.cursor.brackets -= open;
            if open == 0 && self.ends() {
                return Some(());
            }
            let Cursor { source, position, .. } = self.cursor;
            match self.cursor.peek() {
                b'(' | b'[' | b'{' => open += 1,
                b')' | b']' | b'}' => open = open.checked_sub(1)?,
                b'\'' | b'"' => match string_end(source, position) {
                    End::At(end) => {
                        self.cursor.position = end;
                        continue;
                    }
                    End::Unterminated { .. } | End::TooDeep => return None,
                },
                b',' | b';' if open == 0 => return None,
                b':' if open == 0 && at(source, position + 1) != b'=' => return None,
                b'\n' | b'\r' => return None,
                byte if is_name_byte(byte) => {
                    let word = self.cursor.name();
                    if open == 0 && matches!(word, b"if" | b"else" | b"lambda" | b"for") {
                        return None;
                    }
                    continue;
                }
                _ if position >= source.len() => return None,
                _ => {}
            }
            self.cursor.position += 1;
        }
    }

    /// A test that we know, and whether it is that test or its opposite.
    fn leaf(&mut self) -> Option<Literal<'source>> {
        let byte = self.cursor.peek();
        if byte.is_ascii_digit() {
            return Some((Test::Always, self.cursor.number()? != 0));
        }
        if byte == b'"' || byte == b'\'' {
            let is_main = self.cursor.constant()? == b"__main__";
            self.cursor.blanks();
            let equal = self.operator()?;
            self.cursor.blanks();
            return (is_main && self.cursor.eat_word(b"__name__"))
                .then_some(())
                .and_then(|()| main_test(equal));
        }
        let path = self.cursor.dotted()?;
        let text = path.text(self.cursor.source, self.encoding).0;
        let (base, last) = text.rsplit_once('.').unwrap_or(("", &text));
        match last {
            "True" if base.is_empty() => return Some((Test::Always, true)),
            "False" if base.is_empty() => return Some((Test::Always, false)),
            "TYPE_CHECKING" => return Some((Test::TypeChecking, true)),
            "PY2" | "PY3" if base == "six" => {
                let operator = if last == "PY3" { Operator::GreaterEqual } else { Operator::Less };
                let version = Version { subject: Subject::Whole, operator, numbers: vec![3] };
                return Some((Test::Version(version), true));
            }
            "__name__" if base.is_empty() => return self.main(),
            _ => {}
        }
        let bytes = bytes(self.cursor.source, path.span);
        if base.is_empty() && self.known.type_checking.contains(&bytes) {
            return Some((Test::TypeChecking, true));
        }
        if let Some(attribute) = self.known.sys_attribute(&text) {
            return match attribute {
                "version_info" => self.version(Subject::Whole),
                "version_info.major" => self.version(Subject::Component(0)),
                "version_info.minor" => self.version(Subject::Component(1)),
                "platform" => self.platform(Platform::SysPlatform),
                "platform.startswith" => self.starts_with(Platform::SysPlatform),
                "implementation.name" => self.platform(Platform::ImplementationName),
                _ => None,
            };
        }
        let subject = match &*text {
            "os.name" => return self.platform(Platform::OsName),
            "platform.system" => Platform::System,
            "platform.machine" => Platform::Machine,
            "platform.python_implementation" => Platform::PythonImplementation,
            _ => return None,
        };
        let called = self.cursor.eat(b'(') && self.cursor.eat(b')');
        if called { self.platform(subject) } else { None }
    }

    fn main(&mut self) -> Option<Literal<'source>> {
        self.cursor.blanks();
        let operator = self.operator()?;
        self.cursor.blanks();
        (self.cursor.constant()? == b"__main__").then_some(()).and_then(|()| main_test(operator))
    }

    fn version(&mut self, mut subject: Subject) -> Option<Literal<'source>> {
        self.cursor.blanks();
        if subject == Subject::Whole && self.cursor.eat(b'[') {
            self.cursor.blanks();
            let is_slice = self.cursor.eat(b':');
            self.cursor.blanks();
            let number = self.cursor.number()?;
            subject = if is_slice { Subject::First(number) } else { Subject::Component(number) };
            self.cursor.blanks();
            if !self.cursor.eat(b']') {
                return None;
            }
            self.cursor.blanks();
        }
        let operator = self.operator()?;
        if matches!(operator, Operator::In | Operator::NotIn) {
            return None;
        }
        self.cursor.blanks();
        let mut numbers = Vec::new();
        if matches!(subject, Subject::Component(_)) {
            numbers.push(self.cursor.number()?);
        } else {
            self.items(|reader| {
                numbers.push(reader.cursor.number()?);
                Some(())
            })?;
        }
        Some((Test::Version(Version { subject, operator, numbers }), true))
    }

    fn platform(&mut self, subject: Platform) -> Option<Literal<'source>> {
        self.cursor.blanks();
        let operator = self.operator()?;
        self.cursor.blanks();
        let values = match operator {
            Operator::Equal | Operator::NotEqual => vec![self.text()?],
            Operator::In | Operator::NotIn => self.texts()?,
            _ => return None,
        };
        Some((Test::Platform { subject, operator, values }, true))
    }

    fn starts_with(&mut self, subject: Platform) -> Option<Literal<'source>> {
        if !self.cursor.eat(b'(') {
            return None;
        }
        self.cursor.brackets += 1;
        self.cursor.blanks();
        let values = if self.cursor.peek() == b'(' { self.texts()? } else { vec![self.text()?] };
        self.cursor.blanks();
        self.cursor.brackets -= 1;
        let operator = Operator::StartsWith;
        self.cursor.eat(b')').then_some((Test::Platform { subject, operator, values }, true))
    }

    fn text(&mut self) -> Option<std::borrow::Cow<'source, str>> {
        Some(self.encoding.text(self.cursor.constant()?).0)
    }

    fn texts(&mut self) -> Option<Vec<std::borrow::Cow<'source, str>>> {
        let mut texts = Vec::new();
        self.items(|reader| {
            texts.push(reader.text()?);
            Some(())
        })?;
        Some(texts)
    }

    /// The items of a tuple, list or set display.
    fn items(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        let close = match self.cursor.peek() {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            _ => return None,
        };
        let is_tuple = close == b')';
        let (mut count, mut commas) = (0, 0);
        self.cursor.position += 1;
        self.cursor.brackets += 1;
        self.cursor.blanks();
        while !self.cursor.eat(close) {
            item(self)?;
            count += 1;
            self.cursor.blanks();
            if self.cursor.eat(b',') {
                commas += 1;
                self.cursor.blanks();
            } else if self.cursor.peek() != close {
                return None;
            }
        }
        self.cursor.brackets -= 1;
        // `("a")` is no tuple.
        (!is_tuple || count != 1 || commas == 1).then_some(())
    }

    fn operator(&mut self) -> Option<Operator> {
        let cursor = &mut self.cursor;
        Some(if cursor.eat_all(b"==") {
            Operator::Equal
        } else if cursor.eat_all(b"!=") {
            Operator::NotEqual
        } else if cursor.eat_all(b">=") {
            Operator::GreaterEqual
        } else if cursor.eat_all(b"<=") {
            Operator::LessEqual
        } else if cursor.eat(b'>') {
            Operator::Greater
        } else if cursor.eat(b'<') {
            Operator::Less
        } else if cursor.eat_word(b"in") {
            Operator::In
        } else if cursor.eat_word(b"not") {
            cursor.blanks();
            return cursor.eat_word(b"in").then_some(Operator::NotIn);
        } else {
            return None;
        })
    }
}

fn main_test<'source>(operator: Operator) -> Option<Literal<'source>> {
    match operator {
        Operator::Equal => Some((Test::Main, true)),
        Operator::NotEqual => Some((Test::Main, false)),
        _ => None,
    }
}
