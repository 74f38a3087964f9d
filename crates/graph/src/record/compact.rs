//! From an extraction, which borrows the source, to a record. Knows nothing of bytes on disk.

use std::borrow::Cow;
use std::collections::HashMap;

use bytekiln_syntax::{
    Argument, BindingKind, Extraction, Function, Guard, GuardId, Import, Package, Test, What,
};

use super::{
    All, Bound, Condition, Form, ImportProblem, ImportRecord, LISTABLE, ModuleImports, NONE,
    UNDECIDED, relative_to,
};
use crate::kinds::Kinds;

/// So many conditions around an import are kept, the innermost. Dropping others errs on the side of
/// an import that may run, and keeps ten thousand `elif` from needing fifty million.
const CONDITIONS: usize = 32;

impl ModuleImports {
    /// What an extraction says, without its source.
    #[must_use]
    pub fn new(extraction: &Extraction<'_>) -> ModuleImports {
        let mut builder = Builder { record: ModuleImports::default(), ids: HashMap::new() };
        let mut conditions = HashMap::new();
        builder.record.imports.reserve_exact(extraction.imports.len() + extraction.strings.len());
        for import in &extraction.imports {
            let record = builder.import(extraction, import, &mut conditions);
            builder.record.imports.push(record);
        }
        for string in &extraction.strings {
            let (kinds, extra, condition) =
                builder.guard(extraction, string.guard, &mut conditions);
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
            let ids = list.modules.iter().map(|name| builder.intern(name)).collect();
            builder.record.lazy_modules = ids;
        }
        builder.names(extraction);
        builder.record.problems = extraction
            .problems
            .iter()
            .map(|problem| ImportProblem { line: problem.line, message: problem.kind.to_string() })
            .collect();
        builder.record.finish();
        builder.record
    }
}

struct Builder<'source> {
    record: ModuleImports,
    ids: HashMap<Cow<'source, str>, u32>,
}

impl Builder<'_> {
    fn intern(&mut self, text: &str) -> u32 {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let strings = &mut self.record.strings;
        strings.text.push_str(text);
        // A source is below 4 GiB, and each name stands in it, so this cannot overflow.
        let end = u32::try_from(strings.text.len()).unwrap_or(u32::MAX);
        let id = u32::try_from(strings.ends.len()).unwrap_or(NONE);
        strings.ends.push(end);
        self.ids.insert(Cow::Owned(text.to_owned()), id);
        id
    }

    fn import(
        &mut self,
        extraction: &Extraction<'_>,
        import: &Import<'_>,
        conditions: &mut HashMap<GuardId, (u8, u32)>,
    ) -> ImportRecord {
        let (mut kinds, mut extra, condition) = self.guard(extraction, import.guard, conditions);
        let (form, level, module, name) = match &import.what {
            What::Module { module } => (Form::Module, 0, self.intern(module), NONE),
            What::Name { level, module, name } => {
                (Form::Name, *level, self.intern(module), self.intern(name))
            }
            What::Star { level, module } => {
                kinds = kinds.with(Kinds::STAR);
                (Form::Star, *level, self.intern(module), NONE)
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
            && extraction.lazy_modules.as_ref().is_some_and(|list| {
                list.statement.end <= import.statement.start
                    && extraction.facts(import).may_be_lazy()
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

    fn call(&mut self, function: Function, argument: &Argument<'_>) -> (Form, u32, u32, u32) {
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

    fn guard(
        &mut self,
        extraction: &Extraction<'_>,
        guard: Option<GuardId>,
        conditions: &mut HashMap<GuardId, (u8, u32)>,
    ) -> (Kinds, u8, u32) {
        let facts = extraction.guards.facts(guard);
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
        let Some(id) = guard.filter(|_| facts.conditional) else { return (kinds, 0, 0) };
        let (extra, condition) = *conditions
            .entry(id)
            .or_insert_with(|| reduce(extraction, id, &mut self.record.conditions));
        (kinds, extra, condition)
    }

    fn names(&mut self, extraction: &Extraction<'_>) {
        let Some(names) = &extraction.names else { return };
        let mut imports = HashMap::new();
        for (index, import) in extraction.imports.iter().enumerate() {
            let bound = match (&import.alias, &import.what) {
                (Some(alias), _) => &**alias,
                (None, What::Module { module }) => module.split('.').next().unwrap_or_default(),
                (None, What::Name { name, .. }) => &**name,
                (None, What::Star { .. } | What::Call { .. }) => continue,
            };
            let index = u32::try_from(index).unwrap_or(NONE);
            imports.insert((import.statement.start, bound), index);
        }
        let mut bound: Vec<Bound> = Vec::with_capacity(names.bound.len());
        for binding in &names.bound {
            let import = match binding.kind {
                BindingKind::Import => imports.get(&(binding.offset, &*binding.name)).copied(),
                BindingKind::Function | BindingKind::Class | BindingKind::Assignment => None,
            };
            let before = |other: &Import<'_>| other.statement.start < binding.offset;
            let order = match import {
                Some(import) => import.saturating_add(1),
                None => u32::try_from(extraction.imports.partition_point(before)).unwrap_or(NONE),
            };
            let name = self.intern(&binding.name);
            bound.push(Bound { name, import: import.unwrap_or(NONE), order });
        }
        let strings = &self.record.strings;
        bound.sort_by(|a, b| {
            strings.get(a.name).cmp(strings.get(b.name)).then(a.order.cmp(&b.order))
        });
        bound.dedup();
        self.record.bound = Some(bound);
        self.record.extends_path = names.extends_path;
        self.record.all = names.all.as_ref().map(|all| All {
            names: all.names.iter().map(|name| self.intern(name)).collect(),
            complete: all.complete,
        });
    }
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
