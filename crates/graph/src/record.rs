//! What one source says about its imports, as values: made of an extraction, written as bytes at once, and
//! read from them when it is resolved. Knows nothing of where modules lie.

mod compact;
mod format;
mod module;
mod names;
#[cfg(test)]
mod tests;

pub use compact::Recorder;
pub use format::DecodeError;
pub use module::ModuleImports;

use std::ops::Range;

use bytekiln_syntax::Test;

use crate::kinds::Kinds;

/// No string, or no import.
pub(crate) const NONE: u32 = u32::MAX;

/// The imports of one source. 28 bytes an import, and each distinct name once: too much to hold of every
/// source, which [`ModuleImports`] does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) strings: Strings,
    pub(crate) imports: Vec<ImportRecord>,
    /// Sets of conditions that a target may decide; [`ImportRecord::condition`] counts from 1.
    pub(crate) conditions: Vec<Vec<Condition>>,
    /// Names in `__lazy_modules__`, sorted by their text.
    pub(crate) lazy_modules: Vec<u32>,
    /// Names that the module binds, sorted by their text; none if nobody looked.
    pub(crate) bound: Option<Vec<Bound>>,
    pub(crate) all: Option<All>,
    /// Any name may be in the module. Derived from the rest once, since it is asked for every name that
    /// somebody imports.
    pub(crate) answers_for_any: bool,
    /// Looks for more folders of its package (`pkgutil.extend_path`).
    pub(crate) extends_path: bool,
    pub(crate) problems: Vec<ImportProblem>,
}

/// Something that could have hidden an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportProblem {
    /// Line, from 1.
    pub line: u32,
    /// What it is, as a lower-case fragment.
    pub message: String,
}

/// Strings one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Strings {
    pub(crate) text: String,
    pub(crate) ends: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Module,
    Name,
    Star,
    ImportModule,
    DunderImport,
    RunModule,
    ImportOrSkip,
    Text,
}

impl Form {
    pub(crate) const ALL: [Form; 8] = [
        Form::Module,
        Form::Name,
        Form::Star,
        Form::ImportModule,
        Form::DunderImport,
        Form::RunModule,
        Form::ImportOrSkip,
        Form::Text,
    ];
}

/// Extra facts of an import that are decided in resolution only.
pub(crate) const LISTABLE: u8 = 1;
pub(crate) const UNDECIDED: u8 = 2;

/// How [`ImportRecord::level`] of a call says what its name is relative to.
pub(crate) mod relative_to {
    pub(crate) const NOTHING: u32 = 0;
    pub(crate) const CONSTANT: u32 = 1;
    pub(crate) const OWN_PACKAGE: u32 = 2;
    pub(crate) const OWN_NAME: u32 = 3;
    pub(crate) const UNKNOWN: u32 = 4;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImportRecord {
    pub(crate) form: Form,
    /// [`LISTABLE`]: at the top level after `__lazy_modules__`. [`UNDECIDED`]: under a condition that
    /// no target decides.
    pub(crate) extra: u8,
    pub(crate) kinds: Kinds,
    /// Leading dots; of a call, one of [`relative_to`].
    pub(crate) level: u32,
    /// The module, or the argument of a call; [`NONE`] if that is computed.
    pub(crate) module: u32,
    /// The name in `from module import name`, or the package of a call.
    pub(crate) name: u32,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) condition: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) holds: bool,
    pub(crate) test: Test<'static>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) name: u32,
    /// Which import binds it, or [`NONE`].
    pub(crate) import: u32,
    /// How many imports begin before the name is bound, that import included: an import whose number
    /// is below still does not see it.
    pub(crate) order: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct All {
    pub(crate) names: Vec<u32>,
    pub(crate) complete: bool,
}

impl Strings {
    /// Adds one, and gives its number.
    fn push(&mut self, text: &str) -> u32 {
        self.text.push_str(text);
        // A source is below 4 GiB, and each name stands in it, so this cannot overflow.
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let id = u32::try_from(self.ends.len()).unwrap_or(NONE);
        self.ends.push(end);
        id
    }

    pub(crate) fn get(&self, id: u32) -> &str {
        self.text.get(self.range(id)).unwrap_or_default()
    }

    /// The same as bytes, which order alike and need no look at their ends: for searches.
    pub(crate) fn bytes(&self, id: u32) -> &[u8] {
        self.text.as_bytes().get(self.range(id)).unwrap_or_default()
    }

    fn range(&self, id: u32) -> Range<usize> {
        let Some(end) = self.ends.get(id as usize) else { return 0..0 };
        let start = (id as usize).checked_sub(1).and_then(|before| self.ends.get(before));
        start.map_or(0, |start| *start as usize)..*end as usize
    }
}

impl Record {
    /// Forgets all but the room that it took.
    fn clear(&mut self) {
        self.strings.text.clear();
        self.strings.ends.clear();
        self.imports.clear();
        self.conditions.clear();
        self.lazy_modules.clear();
        self.problems.clear();
        (self.bound, self.all) = (None, None);
        (self.answers_for_any, self.extends_path) = (false, false);
    }

    pub(crate) fn text(&self, id: u32) -> &str {
        self.strings.get(id)
    }

    /// What binds a name at the top level: an empty slice if nothing does.
    pub(crate) fn bindings(&self, name: &str) -> &[Bound] {
        let Some(bound) = &self.bound else { return &[] };
        let (name, text) = (name.as_bytes(), |entry: &Bound| self.strings.bytes(entry.name));
        let start = bound.partition_point(|entry| text(entry) < name);
        let rest = bound.get(start..).unwrap_or_default();
        // Mostly none or one.
        let length = rest.iter().take_while(|entry| text(entry) == name).count();
        rest.get(..length).unwrap_or_default()
    }

    /// Whether a name can be in the module, as far as its top level tells.
    pub(crate) fn may_bind(&self, name: &str) -> bool {
        self.bound.is_none()
            || self.answers_for_any
            || (name.starts_with("__") && name.ends_with("__"))
            || !self.bindings(name).is_empty()
    }

    /// Sets what is derived from the rest.
    fn finish(&mut self) {
        self.answers_for_any = self.bound.is_none()
            || !self.bindings("__getattr__").is_empty()
            || !self.problems.is_empty()
            || self.imports.iter().any(|import| import.form == Form::Star);
    }

    pub(crate) fn lists_as_lazy(&self, module: &str) -> bool {
        self.lazy_modules.binary_search_by(|id| self.text(*id).cmp(module)).is_ok()
    }
}
