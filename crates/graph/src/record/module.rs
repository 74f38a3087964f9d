//! A record as it is held and kept: as bytes, with what is asked of it again and again beside them. A large
//! workspace has a hundred thousand; as values they would take twice the room, in many pieces. Knows nothing
//! of how the bytes are laid out.

use bytekiln_syntax::Extraction;

use super::{DecodeError, ImportProblem, Record, Recorder};
use crate::kinds::Kinds;

/// The imports of one source. Equal ones were made of sources that say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleImports {
    bytes: Box<[u8]>,
    /// All of it, if somebody looked for the names that the module binds: each `from package import name`
    /// asks for them.
    names: Option<Box<Record>>,
    problems: Box<[ImportProblem]>,
    count: u32,
    lazy_statement: Option<u32>,
}

impl ModuleImports {
    /// What an extraction says, without its source.
    #[must_use]
    pub fn new(extraction: &Extraction<'_>) -> ModuleImports {
        Recorder::default().record(extraction)
    }

    /// What has these bytes.
    pub(super) fn of(record: &Record, bytes: &[u8]) -> ModuleImports {
        let has_names = record.bound.is_some() || record.all.is_some();
        let mut lazy = record.imports.iter().filter(|import| import.kinds.any(Kinds::LAZY));
        ModuleImports {
            bytes: bytes.into(),
            names: has_names.then(|| Box::new(record.clone())),
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
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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

    /// All of it, if the names that the module binds were looked for.
    pub(crate) fn names(&self) -> Option<&Record> {
        self.names.as_deref()
    }

    /// Whether a name can be in the module, as far as its top level tells.
    pub(crate) fn may_bind(&self, name: &str) -> bool {
        self.names().is_none_or(|record| record.may_bind(name))
    }

    /// Looks for more folders of its package (`pkgutil.extend_path`).
    pub(crate) fn extends_path(&self) -> bool {
        self.names().is_some_and(|record| record.extends_path)
    }

    /// The values, in the room of others.
    pub(crate) fn read(&self, record: &mut Record) {
        if record.decode(&self.bytes).is_err() {
            // They were made here, or have been read once.
            record.clear();
        }
    }
}
