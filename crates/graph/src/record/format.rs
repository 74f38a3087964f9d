//! Records as bytes: a magic, a version, then variable-length numbers. Broken bytes are an error, and
//! mean that the source is to be read again. Knows nothing of files.

use std::borrow::Cow;
use std::fmt;

use bytekiln_syntax::{Operator, Platform, Subject, Test, Version};

use super::{All, Bound, Condition, Form, ImportProblem, ImportRecord, NONE, Record};
use crate::kinds::Kinds;

const MAGIC: &[u8; 4] = b"BKim";
/// Raised whenever the layout, or what extraction finds in a source, changes.
const VERSION: u8 = 3;

const OPERATORS: [Operator; 9] = [
    Operator::Less,
    Operator::LessEqual,
    Operator::Equal,
    Operator::NotEqual,
    Operator::GreaterEqual,
    Operator::Greater,
    Operator::In,
    Operator::NotIn,
    Operator::StartsWith,
];
const PLATFORMS: [Platform; 6] = [
    Platform::SysPlatform,
    Platform::OsName,
    Platform::System,
    Platform::Machine,
    Platform::ImplementationName,
    Platform::PythonImplementation,
];

/// Bytes that are no record or graph, or one of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError;

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not what this version wrote of imports")
    }
}

impl std::error::Error for DecodeError {}

/// What the first byte of an import says beside its [`Form`] and [`ImportRecord::extra`]: which numbers, mostly
/// none, are more than zero and follow.
const EXTRA: u32 = 3;
const KINDS: u8 = 1 << 5;
const LEVEL: u8 = 1 << 6;
const CONDITION: u8 = 1 << 7;

impl Record {
    /// Appends all as bytes; equal records give equal bytes.
    pub(super) fn encode_into(&self, bytes: &mut Vec<u8>) {
        let mut out = Writer(bytes);
        out.0.reserve(64 + self.strings.text.len() + self.imports.len() * 10);
        out.0.extend_from_slice(MAGIC);
        out.0.push(VERSION);
        let mut start = 0;
        out.list(&self.strings.ends, |out, end| {
            out.number(end.wrapping_sub(start));
            start = *end;
        });
        out.0.extend_from_slice(self.strings.text.as_bytes());
        out.list(&self.conditions, |out, set| out.list(set, Writer::condition));
        let mut line = 0;
        out.list(&self.imports, |out, import| out.import(import, &mut line));
        out.list(&self.lazy_modules, |out, id| out.number(*id));
        out.option(self.bound.as_ref(), |out, bound| {
            out.list(bound, |out, bound| {
                out.number(bound.name);
                out.id(bound.import);
                out.number(bound.order);
            });
        });
        out.option(self.all.as_ref(), |out, all| {
            out.0.push(u8::from(all.complete));
            out.list(&all.names, |out, id| out.number(*id));
        });
        out.0.push(u8::from(self.extends_path));
        out.list(&self.problems, |out, problem| {
            out.number(problem.line);
            out.text(&problem.message);
        });
    }

    /// Becomes what gave these bytes; whatever it was, its room is used again.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.clear();
        self.take(&mut Reader(bytes)).ok_or(DecodeError)?;
        self.finish();
        Ok(())
    }

    fn take(&mut self, input: &mut Reader<'_>) -> Option<()> {
        if input.take(4)? != MAGIC || input.byte()? != VERSION {
            return None;
        }
        let mut end = 0_u32;
        input.list_into(&mut self.strings.ends, |input| {
            end = end.checked_add(input.number()?)?;
            Some(end)
        })?;
        let text = std::str::from_utf8(input.take(end as usize)?).ok()?;
        if !self.strings.ends.iter().all(|end| text.is_char_boundary(*end as usize)) {
            return None;
        }
        self.strings.text.push_str(text);
        input.list_into(&mut self.conditions, |input| input.list(Reader::condition))?;
        let strings = u32::try_from(self.strings.ends.len()).ok()?;
        let conditions = u32::try_from(self.conditions.len()).ok()?;
        let known = |id: u32| id == NONE || id < strings;
        let mut line = 0;
        input.list_into(&mut self.imports, |input| {
            let import = input.import(&mut line)?;
            let sound =
                known(import.module) && known(import.name) && import.condition <= conditions;
            sound.then_some(import)
        })?;
        input.list_into(&mut self.lazy_modules, Reader::number)?;
        self.bound = input.option(|input| {
            input.list(|input| {
                Some(Bound { name: input.number()?, import: input.id()?, order: input.number()? })
            })
        })?;
        self.all = input.option(|input| {
            let complete = input.flag()?;
            Some(All { complete, names: input.list(Reader::number)? })
        })?;
        self.extends_path = input.flag()?;
        input.list_into(&mut self.problems, |input| {
            Some(ImportProblem { line: input.number()?, message: input.text()?.to_owned() })
        })?;
        input.0.is_empty().then_some(())
    }
}

struct Writer<'out>(&'out mut Vec<u8>);

impl Writer<'_> {
    fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Like a number, with [`NONE`] as the shortest.
    fn id(&mut self, id: u32) {
        self.number(id.wrapping_add(1));
    }

    fn text(&mut self, text: &str) {
        self.number(u32::try_from(text.len()).unwrap_or(0));
        if u32::try_from(text.len()).is_ok() {
            self.0.extend_from_slice(text.as_bytes());
        }
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        // Lists come from a source below 4 GiB, of which each item takes at least a byte.
        self.number(u32::try_from(items.len()).unwrap_or(u32::MAX));
        for item in items {
            write(self, item);
        }
    }

    fn option<T>(&mut self, item: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.0.push(u8::from(item.is_some()));
        if let Some(item) = item {
            write(self, item);
        }
    }

    /// `line` is that of the import before: most are near.
    fn import(&mut self, import: &ImportRecord, line: &mut u32) {
        let first = self.0.len();
        self.0.push(import.form as u8 | import.extra << EXTRA);
        for (flag, number) in [
            (KINDS, u32::from(import.kinds.bits())),
            (LEVEL, import.level),
            (CONDITION, import.condition),
        ] {
            if number > 0 {
                self.number(number);
                if let Some(first) = self.0.get_mut(first) {
                    *first |= flag;
                }
            }
        }
        self.id(import.module);
        self.id(import.name);
        self.number(import.line.wrapping_sub(*line));
        self.number(import.column);
        *line = import.line;
    }

    fn condition(&mut self, condition: &Condition) {
        self.0.push(u8::from(condition.holds));
        match &condition.test {
            Test::TypeChecking => self.0.push(0),
            Test::Main => self.0.push(1),
            Test::Always => self.0.push(2),
            Test::Other => self.0.push(3),
            Test::Version(version) => {
                self.0.push(4);
                let (subject, number) = match version.subject {
                    Subject::Whole => (0, 0),
                    Subject::First(count) => (1, count),
                    Subject::Component(index) => (2, index),
                };
                self.0.push(subject);
                self.number(number);
                self.0.push(position(&OPERATORS, version.operator));
                self.list(&version.numbers, |out, number| out.number(*number));
            }
            Test::Platform { subject, operator, values } => {
                self.0.push(5);
                self.0.push(position(&PLATFORMS, *subject));
                self.0.push(position(&OPERATORS, *operator));
                self.list(values, |out, value| out.text(value));
            }
        }
    }
}

fn position<T: PartialEq>(all: &[T], item: T) -> u8 {
    all.iter().position(|other| *other == item).and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

struct Reader<'bytes>(&'bytes [u8]);

impl<'bytes> Reader<'bytes> {
    fn take(&mut self, count: usize) -> Option<&'bytes [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(number).ok();
            }
        }
        None
    }

    fn id(&mut self) -> Option<u32> {
        self.number().map(|number| number.wrapping_sub(1))
    }

    fn text(&mut self) -> Option<&'bytes str> {
        let length = self.number()? as usize;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn list<T>(&mut self, read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        self.list_into(&mut items, read)?;
        items.shrink_to_fit();
        Some(items)
    }

    /// As [`Reader::list`], appended.
    fn list_into<T>(
        &mut self,
        items: &mut Vec<T>,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<()> {
        let count = self.number()? as usize;
        if count > self.0.len() {
            return None; // each item takes a byte at least; no room for a lie
        }
        items.reserve(count.min(1 << 16));
        for _ in 0..count {
            items.push(read(self)?);
        }
        Some(())
    }

    #[expect(clippy::option_option, reason = "an absent item is no error")]
    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn import(&mut self, line: &mut u32) -> Option<ImportRecord> {
        let first = self.byte()?;
        let mut number = |flag| if first & flag == 0 { Some(0) } else { self.number() };
        let kinds = Kinds::from_bits(u16::try_from(number(KINDS)?).ok()?);
        let (level, condition) = (number(LEVEL)?, number(CONDITION)?);
        let (module, name) = (self.id()?, self.id()?);
        *line = line.wrapping_add(self.number()?);
        Some(ImportRecord {
            form: *Form::ALL.get(usize::from(first & 7))?,
            extra: first >> EXTRA & 3,
            kinds,
            level,
            module,
            name,
            line: *line,
            column: self.number()?,
            condition,
        })
    }

    fn condition(&mut self) -> Option<Condition> {
        let holds = self.flag()?;
        let test = match self.byte()? {
            0 => Test::TypeChecking,
            1 => Test::Main,
            2 => Test::Always,
            3 => Test::Other,
            4 => {
                let (subject, number) = (self.byte()?, self.number()?);
                let subject = match subject {
                    0 => Subject::Whole,
                    1 => Subject::First(number),
                    2 => Subject::Component(number),
                    _ => return None,
                };
                let operator = *OPERATORS.get(usize::from(self.byte()?))?;
                let numbers = self.list(Reader::number)?;
                Test::Version(Version { subject, operator, numbers })
            }
            5 => {
                let subject = *PLATFORMS.get(usize::from(self.byte()?))?;
                let operator = *OPERATORS.get(usize::from(self.byte()?))?;
                let values = self.list(|input| Some(Cow::Owned(input.text()?.to_owned())))?;
                Test::Platform { subject, operator, values }
            }
            _ => return None,
        };
        Some(Condition { holds, test })
    }
}
