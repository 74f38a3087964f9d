//! From an extraction, which borrows the source, to a record. Knows nothing of bytes on disk.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use bytekiln_syntax::{
    Argument, BindingKind, Extraction, Facts, Function, Guard, GuardId, Import, Package, Test, What,
};
use foldhash::fast::RandomState;

use super::names::Names;
use super::{
    All, Bound, Condition, Form, ImportProblem, ImportRecord, LISTABLE, ModuleImports, NONE,
    Record, UNDECIDED, relative_to,
};
use crate::kinds::Kinds;

/// So many conditions around an import are kept, the innermost. Dropping others errs on the side of
/// an import that may run, and keeps ten thousand `elif` from needing fifty million.
const CONDITIONS: usize = 32;

/// Makes records, one after the other, with room that it keeps.
#[derive(Debug, Default)]
pub struct Recorder {
    names: Names,
    record: Record,
    bytes: Vec<u8>,
}

impl Recorder {
    /// What an extraction says, without its source, and the same as bytes.
    #[must_use]
    pub fn record(&mut self, extraction: &Extraction<'_>) -> (ModuleImports, &[u8]) {
        let mut builder = Builder::new(extraction, &mut self.names, &mut self.record);
        for import in &extraction.imports {
            let record = builder.import(import);
            builder.record.imports.push(record);
        }
        for string in &extraction.strings {
            let (kinds, extra, condition) = builder.guard(string.guard);
            let module = builder.intern(string.text);
            builder.record.imports.push(ImportRecord {
                form: Form::Text,
                extra,
                kinds: kinds.with(Kinds::STRING),
                level: 0,
                module,
                name: NONE,
                line: string.line,
                column: 0,
                condition,
            });
        }
        if let Some(list) = &extraction.lazy_modules {
            for name in &list.modules {
                let id = builder.intern(name);
                builder.record.lazy_modules.push(id);
            }
        }
        builder.names();
        let problems = extraction.problems.iter();
        self.record.problems.extend(problems.map(|problem| ImportProblem {
            line: problem.line,
            message: problem.kind.to_string(),
        }));
        self.record.finish();
        self.bytes.clear();
        self.record.encode_into(&mut self.bytes);
        (ModuleImports::of(&self.record, &self.bytes), &self.bytes)
    }
}

/// What guards say of what stands in them: kinds, [`ImportRecord::extra`], and a set of conditions.
type Guarded = (Kinds, u8, u32);

struct Builder<'r, 'e, 'source> {
    extraction: &'e Extraction<'source>,
    record: &'r mut Record,
    ids: &'r mut Names,
    /// What was interned last as a module: the names of one statement share it.
    module: Option<(&'e str, u32)>,
    conditions: HashMap<GuardId, (u8, u32), RandomState>,
    /// The guard that was read last: most imports stand in that of the one before.
    guarded: (Option<GuardId>, Guarded),
}

impl<'r, 'e, 'source> Builder<'r, 'e, 'source> {
    fn new(
        extraction: &'e Extraction<'source>,
        ids: &'r mut Names,
        record: &'r mut Record,
    ) -> Self {
        let imports = extraction.imports.len() + extraction.strings.len();
        let names = imports + extraction.names.as_ref().map_or(0, |names| names.bound.len()) / 2;
        record.clear();
        ids.clear(names);
        let none = kinds_of(extraction.guards.facts(None));
        Builder {
            extraction,
            record,
            ids,
            module: None,
            conditions: HashMap::default(),
            guarded: (None, (none, 0, 0)),
        }
    }

    fn intern(&mut self, text: &'e str) -> u32 {
        self.ids.intern(text, &mut self.record.strings)
    }

    fn intern_module(&mut self, text: &'e str) -> u32 {
        match self.module {
            Some((last, id)) if last == text => id,
            _ => {
                let id = self.intern(text);
                self.module = Some((text, id));
                id
            }
        }
    }

    fn import(&mut self, import: &'e Import<'source>) -> ImportRecord {
        let (mut kinds, mut extra, condition) = self.guard(import.guard);
        let (form, level, module, name) = match &import.what {
            What::Module { module } => (Form::Module, 0, self.intern_module(module), NONE),
            What::Name { level, module, name } => {
                (Form::Name, *level, self.intern_module(module), self.intern(name))
            }
            What::Star { level, module } => {
                kinds = kinds.with(Kinds::STAR);
                (Form::Star, *level, self.intern_module(module), NONE)
            }
            What::Call { function, argument } => {
                kinds = kinds.with(Kinds::DYNAMIC);
                self.call(*function, argument)
            }
        };
        if import.lazy {
            kinds = kinds.with(Kinds::LAZY);
        }
        let listable = matches!(form, Form::Module | Form::Name)
            && self.extraction.lazy_modules.as_ref().is_some_and(|list| {
                list.statement.end <= import.statement.start
                    && self.extraction.facts(import).may_be_lazy()
            });
        if listable {
            extra |= LISTABLE;
        }
        ImportRecord {
            form,
            extra,
            kinds,
            level,
            module,
            name,
            line: import.line,
            column: import.column,
            condition,
        }
    }

    fn call(
        &mut self,
        function: Function,
        argument: &'e Argument<'source>,
    ) -> (Form, u32, u32, u32) {
        let form = match function {
            Function::ImportModule => Form::ImportModule,
            Function::DunderImport => Form::DunderImport,
            Function::RunModule => Form::RunModule,
            Function::ImportOrSkip => Form::ImportOrSkip,
        };
        let Argument::Constant { name, package } = argument else {
            return (form, relative_to::UNKNOWN, NONE, NONE);
        };
        let module = self.intern(name);
        let (level, package) = match package {
            Package::None => (relative_to::NOTHING, NONE),
            Package::Constant(package) => (relative_to::CONSTANT, self.intern(package)),
            Package::OwnPackage => (relative_to::OWN_PACKAGE, NONE),
            Package::OwnName => (relative_to::OWN_NAME, NONE),
            Package::Unknown => (relative_to::UNKNOWN, NONE),
        };
        (form, level, module, package)
    }

    fn guard(&mut self, guard: Option<GuardId>) -> Guarded {
        if self.guarded.0 != guard {
            let facts = self.extraction.guards.facts(guard);
            let (extra, condition) = match guard.filter(|_| facts.conditional) {
                Some(id) => {
                    let (extraction, sets) = (self.extraction, &mut self.record.conditions);
                    *self.conditions.entry(id).or_insert_with(|| reduce(extraction, id, sets))
                }
                None => (0, 0),
            };
            self.guarded = (guard, (kinds_of(facts), extra, condition));
        }
        self.guarded.1
    }

    /// The name that an import binds; that of its module or name is interned already.
    fn bound_by(&mut self, at: usize) -> Option<u32> {
        let import = self.extraction.imports.get(at)?;
        let record = self.record.imports.get(at)?;
        Some(match (&import.alias, &import.what) {
            (Some(alias), _) => self.intern(alias),
            (None, What::Module { module }) => match module.split_once('.') {
                Some((root, _)) => self.intern(root),
                None => record.module,
            },
            (None, What::Name { .. }) => record.name,
            (None, What::Star { .. } | What::Call { .. }) => return None,
        })
    }

    fn names(&mut self) {
        let extraction = self.extraction;
        let Some(names) = &extraction.names else { return };
        let mut bound: Vec<(Bound, u64)> = Vec::with_capacity(names.bound.len());
        // Bindings and imports are both in the order of the source, so they are walked together.
        let mut statement = Statement::default();
        let mut before = 0;
        for binding in &names.bound {
            while extraction
                .imports
                .get(before)
                .is_some_and(|import| import.statement.start < binding.offset)
            {
                before += 1;
            }
            let (name, import) = match binding.kind {
                BindingKind::Import => {
                    statement.enter(self, before, binding.offset);
                    statement.bound(self, &binding.name)
                }
                BindingKind::Function | BindingKind::Class | BindingKind::Assignment => {
                    (self.intern(&binding.name), NONE)
                }
            };
            let order = match import {
                NONE => u32::try_from(before).unwrap_or(NONE),
                import => import.saturating_add(1),
            };
            bound.push((Bound { name, import, order }, prefix(binding.name.as_bytes())));
        }
        let strings = &self.record.strings;
        // Stable: an import comes before what is bound after it.
        bound.sort_by(|(a, start), (b, other)| {
            let by_name = || {
                if a.name == b.name {
                    return Ordering::Equal;
                }
                strings.get(a.name).cmp(strings.get(b.name))
            };
            start.cmp(other).then_with(by_name).then(a.order.cmp(&b.order))
        });
        bound.dedup_by_key(|(bound, _)| *bound);
        self.record.bound = Some(bound.iter().map(|(bound, _)| *bound).collect());
        self.record.extends_path = names.extends_path;
        self.record.all = names.all.as_ref().map(|all| All {
            names: all.names.iter().map(|name| self.intern(name)).collect(),
            complete: all.complete,
        });
    }
}

/// The import statement whose bindings are read.
#[derive(Default)]
struct Statement {
    start: Option<u32>,
    /// Its first import.
    first: usize,
    /// Names that it binds, in their order, of which `read` are read.
    names: Vec<u32>,
    read: usize,
    /// The last import so far that binds a name, by the number of the name.
    last: Vec<u32>,
}

impl Statement {
    fn enter(&mut self, builder: &mut Builder<'_, '_, '_>, first: usize, start: u32) {
        if self.start == Some(start) {
            return;
        }
        (self.start, self.first, self.read) = (Some(start), first, 0);
        self.names.clear();
        let imports = builder.extraction.imports.iter().enumerate().skip(first);
        for (at, _) in imports.take_while(|(_, import)| import.statement.start == start) {
            let Some(name) = builder.bound_by(at) else { continue };
            self.names.push(name);
            if self.last.len() <= name as usize {
                self.last.resize(builder.record.strings.ends.len(), NONE);
            }
            if let Some(last) = self.last.get_mut(name as usize) {
                *last = u32::try_from(at).unwrap_or(NONE);
            }
        }
    }

    /// The number of a name that it binds, and the last of its imports that does.
    fn bound<'e>(&mut self, builder: &mut Builder<'_, 'e, '_>, name: &'e str) -> (u32, u32) {
        let next = self.names.get(self.read).copied();
        let name = match next.filter(|id| builder.record.strings.get(*id) == name) {
            Some(id) => {
                self.read += 1;
                id
            }
            None => builder.intern(name),
        };
        let last =
            self.last.get(name as usize).copied().filter(|last| *last as usize >= self.first);
        (name, last.unwrap_or(NONE))
    }
}

/// The first bytes of a name: most names differ in them, and they order as one number.
fn prefix(name: &[u8]) -> u64 {
    if let Some(whole) = name.first_chunk::<8>() {
        return u64::from_be_bytes(*whole);
    }
    let start = name.iter().fold(0, |start, byte| start << 8 | u64::from(*byte));
    start << (64 - 8 * name.len().max(1))
}

fn kinds_of(facts: Facts) -> Kinds {
    let mut kinds = Kinds::NONE;
    for (fact, kind) in [
        (facts.function, Kinds::FUNCTION),
        (facts.conditional, Kinds::CONDITIONAL),
        (facts.optional, Kinds::OPTIONAL),
        (facts.fallback, Kinds::FALLBACK),
        (facts.type_checking, Kinds::TYPE_CHECKING),
        (facts.main, Kinds::MAIN),
        (facts.never, Kinds::NEVER),
    ] {
        if fact {
            kinds = kinds.with(kind);
        }
    }
    kinds
}

/// The conditions around a guard that a target may decide, and whether there are others.
fn reduce(extraction: &Extraction<'_>, id: GuardId, sets: &mut Vec<Vec<Condition>>) -> (u8, u32) {
    let mut extra = 0;
    let mut set = Vec::new();
    for guard in extraction.guards.chain(Some(id)) {
        match guard {
            Guard::If { test: test @ (Test::Version(_) | Test::Platform { .. }), holds } => {
                if set.len() < CONDITIONS {
                    set.push(Condition { holds: *holds, test: owned(test) });
                } else {
                    extra |= UNDECIDED;
                }
            }
            Guard::If { test: Test::Other, .. }
            | Guard::Loop
            | Guard::Match
            | Guard::Handler(_)
            | Guard::TryElse => extra |= UNDECIDED,
            Guard::If { .. }
            | Guard::Function
            | Guard::Class
            | Guard::With
            | Guard::Try(_)
            | Guard::Finally => {}
        }
    }
    if set.is_empty() {
        return (extra, 0);
    }
    sets.push(set);
    (extra, u32::try_from(sets.len()).unwrap_or(0))
}

fn owned(test: &Test<'_>) -> Test<'static> {
    match test {
        Test::TypeChecking => Test::TypeChecking,
        Test::Main => Test::Main,
        Test::Always => Test::Always,
        Test::Version(version) => Test::Version(version.clone()),
        Test::Platform { subject, operator, values } => Test::Platform {
            subject: *subject,
            operator: *operator,
            values: values.iter().map(|value| Cow::Owned(value.clone().into_owned())).collect(),
        },
        Test::Other => Test::Other,
    }
}
