//! A record as it is held: as bytes, or as values where they are asked for again and again. A large workspace
//! has a hundred thousand; as values they would take twice the room, in many pieces. Knows nothing of how the
//! bytes are laid out.

use std::borrow::Cow;

use bytekiln_syntax::Extraction;

use super::{DecodeError, ImportProblem, Record, Recorder};
use crate::kinds::Kinds;

/// The imports of one source. Equal ones were made of sources that say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleImports {
    body: Body,
    problems: Box<[ImportProblem]>,
    count: u32,
    lazy_statement: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    Bytes(Box<[u8]>),
    /// Somebody looked for the names that the module binds: each `from package import name` asks for them.
    Values(Box<Record>),
}

impl ModuleImports {
    /// What an extraction says, without its source.
    #[must_use]
    pub fn new(extraction: &Extraction<'_>) -> ModuleImports {
        Recorder::default().record(extraction).0
    }

    /// What has these bytes.
    pub(super) fn of(record: &Record, bytes: &[u8]) -> ModuleImports {
        let has_names = record.bound.is_some() || record.all.is_some();
        let mut lazy = record.imports.iter().filter(|import| import.kinds.any(Kinds::LAZY));
        ModuleImports {
            body: if has_names {
                Body::Values(Box::new(record.clone()))
            } else {
                Body::Bytes(bytes.into())
            },
            problems: record.problems.as_slice().into(),
            count: u32::try_from(record.imports.len()).unwrap_or(u32::MAX),
            lazy_statement: lazy.next().map(|import| import.line),
        }
    }

    /// What had these bytes.
    ///
    /// # Errors
    /// If they are no such record.
    pub fn decode(bytes: &[u8]) -> Result<ModuleImports, DecodeError> {
        let mut record = Record::default();
        record.decode(bytes)?;
        Ok(ModuleImports::of(&record, bytes))
    }

    /// The whole, to be kept.
    #[must_use]
    pub fn encode(&self) -> Cow<'_, [u8]> {
        match &self.body {
            Body::Bytes(bytes) => Cow::Borrowed(bytes),
            Body::Values(record) => {
                let mut bytes = Vec::new();
                record.encode_into(&mut bytes);
                Cow::Owned(bytes)
            }
        }
    }

    /// How many imports there are, strings included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether nothing is imported.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What could have hidden an import.
    #[must_use]
    pub fn problems(&self) -> &[ImportProblem] {
        &self.problems
    }

    /// Line of the first import that says `lazy` (PEP 810): a syntax error before 3.15.
    #[must_use]
    pub fn lazy_statement(&self) -> Option<u32> {
        self.lazy_statement
    }

    /// The values, if the names that the module binds were looked for.
    pub(crate) fn names(&self) -> Option<&Record> {
        match &self.body {
            Body::Values(record) => Some(record),
            Body::Bytes(_) => None,
        }
    }

    /// The values, if need be in the room of others.
    pub(crate) fn values<'r>(&'r self, room: &'r mut Record) -> &'r Record {
        match &self.body {
            Body::Values(record) => record,
            Body::Bytes(bytes) => {
                if room.decode(bytes).is_err() {
                    // They were made here, or have been read once.
                    room.clear();
                }
                room
            }
        }
    }

    /// Whether a name can be in the module, as far as its top level tells.
    pub(crate) fn may_bind(&self, name: &str) -> bool {
        self.names().is_none_or(|record| record.may_bind(name))
    }

    /// Looks for more folders of its package (`pkgutil.extend_path`).
    pub(crate) fn extends_path(&self) -> bool {
        self.names().is_some_and(|record| record.extends_path)
    }
}
