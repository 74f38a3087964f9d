//! What a name in a package's `__init__` is bound to, where there is also a module of that name. Knows
//! nothing of where modules lie.

use crate::record::{Form, Record};

/// What binds a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    /// Nothing: the import system looks for a module.
    Nothing,
    /// The package's own module of that name.
    OwnModule,
    /// Something out of the package's own module of that name, as in `from .name import name`.
    FromOwnModule,
    /// Anything else.
    Another,
}

/// What the `__init__` of the package `module` binds a name to; with `before`, only what it has bound
/// when it gets to its import of that number.
pub(super) fn binding(record: &Record, module: &str, name: &str, before: Option<u32>) -> Binding {
    let mut found = Binding::Nothing;
    for bound in record.bindings(name) {
        if before.is_some_and(|before| bound.order > before) {
            break;
        }
        let kind = of_import(record, bound.import, module, name);
        if kind == Binding::OwnModule {
            return kind;
        }
        if found != Binding::FromOwnModule {
            found = kind;
        }
    }
    found
}

fn of_import(record: &Record, import: u32, module: &str, name: &str) -> Binding {
    let Some(import) = record.imports.get(import as usize) else { return Binding::Another };
    let written = record.text(import.module);
    let below = written.strip_prefix(module).and_then(|rest| rest.strip_prefix('.'));
    match (import.form, import.level) {
        (Form::Module, _) if below == Some(name) => Binding::OwnModule,
        (Form::Name, 0) if written == module && record.text(import.name) == name => {
            Binding::OwnModule
        }
        (Form::Name, 1) if written.is_empty() && record.text(import.name) == name => {
            Binding::OwnModule
        }
        (Form::Name, 0) if below == Some(name) => Binding::FromOwnModule,
        (Form::Name, 1) if written == name => Binding::FromOwnModule,
        _ => Binding::Another,
    }
}
