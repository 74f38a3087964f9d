//! Records as bytes: a magic, a version, then variable-length numbers. Broken bytes are an error, and
//! mean that the source is to be read again. Knows nothing of files.

use std::borrow::Cow;
use std::fmt;

use bytekiln_syntax::{Operator, Platform, Subject, Test, Version};

use super::{All, Bound, Condition, Form, ImportProblem, ImportRecord, ModuleImports, NONE};
use crate::kinds::Kinds;

const MAGIC: &[u8; 4] = b"BKim";
/// Raised whenever the layout, or what extraction finds in a source, changes.
const VERSION: u8 = 2;

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

impl ModuleImports {
    /// The record as bytes; equal records give equal bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode_into(&mut bytes);
        bytes
    }

    /// As [`ModuleImports::encode`], appended.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        let mut out = Writer(bytes);
        out.0.reserve(64 + self.strings.text.len() + self.len() * 10);
        out.0.extend_from_slice(MAGIC);
        out.0.push(VERSION);
        out.list(&self.strings.ends, |out, end| out.number(*end));
        out.0.extend_from_slice(self.strings.text.as_bytes());
        out.list(&self.conditions, |out, set| out.list(set, Writer::condition));
        out.list(&self.imports, Writer::import);
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

    /// What [`ModuleImports::encode`] gave.
    ///
    /// # Errors
    /// If the bytes are no such record.
    pub fn decode(bytes: &[u8]) -> Result<ModuleImports, DecodeError> {
        decode(&mut Reader(bytes)).ok_or(DecodeError)
    }
}

fn decode(input: &mut Reader<'_>) -> Option<ModuleImports> {
    if input.take(4)? != MAGIC || input.byte()? != VERSION {
        return None;
    }
    let mut record = ModuleImports::default();
    record.strings.ends = input.list(Reader::number)?;
    let length = record.strings.ends.last().map_or(0, |end| *end as usize);
    record.strings.text = std::str::from_utf8(input.take(length)?).ok()?.to_owned();
    let mut start = 0;
    for end in &record.strings.ends {
        record.strings.text.get(start as usize..*end as usize)?;
        start = *end;
    }
    record.conditions = input.list(|input| input.list(Reader::condition))?;
    record.imports = input.list(Reader::import)?;
    record.lazy_modules = input.list(Reader::number)?;
    record.bound = input.option(|input| {
        input.list(|input| {
            Some(Bound { name: input.number()?, import: input.id()?, order: input.number()? })
        })
    })?;
    record.all = input.option(|input| {
        let complete = input.flag()?;
        Some(All { complete, names: input.list(Reader::number)? })
    })?;
    record.extends_path = input.flag()?;
    record.problems = input.list(|input| {
        Some(ImportProblem { line: input.number()?, message: input.text()?.to_owned() })
    })?;
    record.finish();
    let strings = record.strings.ends.len() as u64;
    let known = |id: u32| id == NONE || u64::from(id) < strings;
    let sound = record.imports.iter().all(|import| {
        known(import.module)
            && known(import.name)
            && import.condition as usize <= record.conditions.len()
    });
    (sound && input.0.is_empty()).then_some(record)
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

    fn import(&mut self, import: &ImportRecord) {
        self.0.push(import.form as u8 | import.extra << 4);
        self.number(u32::from(import.kinds.bits()));
        self.number(import.level);
        self.id(import.module);
        self.id(import.name);
        self.number(import.line);
        self.number(import.column);
        self.number(import.condition);
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

    fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()? as usize;
        if count > self.0.len() {
            return None; // each item takes a byte at least; no room for a lie
        }
        let mut items = Vec::with_capacity(count.min(1 << 16));
        for _ in 0..count {
            items.push(read(self)?);
        }
        items.shrink_to_fit();
        Some(items)
    }

    #[expect(clippy::option_option, reason = "an absent item is no error")]
    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn import(&mut self) -> Option<ImportRecord> {
        let first = self.byte()?;
        Some(ImportRecord {
            form: *Form::ALL.get(usize::from(first & 15))?,
            extra: first >> 4,
            kinds: Kinds::from_bits(u16::try_from(self.number()?).ok()?),
            level: self.number()?,
            module: self.id()?,
            name: self.id()?,
            line: self.number()?,
            column: self.number()?,
            condition: self.number()?,
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
