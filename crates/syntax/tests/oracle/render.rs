//! Prints an extraction as `facts.py` prints a syntax tree.

use std::fmt::Write as _;

use bytekiln_syntax::{
    Argument, Catches, Extraction, Function, Guard, Import, Platform, Subject, Test, What, imports,
};

/// One line an import.
pub(crate) fn facts(source: &[u8]) -> String {
    let extraction = imports(source);
    let mut text = String::new();
    for import in &extraction.imports {
        let _ = writeln!(text, "{}", line(&extraction, import));
    }
    text
}

fn line(extraction: &Extraction<'_>, import: &Import<'_>) -> String {
    let what = match &import.what {
        What::Module { module } => format!("import {module}"),
        What::Name { level, module, name } => {
            format!("from {}{module} import {name}", ".".repeat(*level as usize))
        }
        What::Star { level, module } => {
            format!("from {}{module} import *", ".".repeat(*level as usize))
        }
        What::Call { function, argument } => {
            let function = match function {
                Function::ImportModule => "import_module",
                Function::DunderImport => "__import__",
                Function::RunModule => "run_module",
                Function::ImportOrSkip => "importorskip",
            };
            match argument {
                Argument::Constant { name, .. } => format!("call {function} {name}"),
                Argument::Unknown => format!("call {function} ?"),
            }
        }
    };
    let alias = import.alias.as_ref().map(|alias| format!(" as {alias}")).unwrap_or_default();
    let lazy = if import.lazy { " lazy" } else { "" };
    let mut chain: Vec<String> = extraction.guards.chain(import.guard).map(guard).collect();
    chain.reverse();
    format!("{}:{}{lazy} {what}{alias} [{}]", import.line, import.column, chain.join("/"))
}

fn guard(guard: &Guard<'_>) -> String {
    match guard {
        Guard::Function => "function".to_owned(),
        Guard::Class => "class".to_owned(),
        Guard::If { test: tested, holds } => {
            format!("{} {}", if *holds { "if" } else { "not" }, test(tested))
        }
        Guard::Loop => "loop".to_owned(),
        Guard::With => "with".to_owned(),
        Guard::Match => "match".to_owned(),
        Guard::Try(caught) => format!("try{}", catches(*caught)),
        Guard::Handler(caught) => format!("except{}", catches(*caught)),
        Guard::TryElse => "try-else".to_owned(),
        Guard::Finally => "finally".to_owned(),
    }
}

fn catches(catches: Catches) -> String {
    let import_error = if catches.import_error { "I" } else { "" };
    format!("{import_error}{}", if catches.everything { "E" } else { "" })
}

fn test(test: &Test<'_>) -> String {
    match test {
        Test::TypeChecking => "TYPE_CHECKING".to_owned(),
        Test::Main => "main".to_owned(),
        Test::Always => "true".to_owned(),
        Test::Other => "other".to_owned(),
        Test::Version(version) => {
            let subject = match version.subject {
                Subject::Whole => "whole".to_owned(),
                Subject::First(count) => format!("first {count}"),
                Subject::Component(index) => format!("component {index}"),
            };
            let numbers: Vec<String> = version.numbers.iter().map(ToString::to_string).collect();
            format!("version {subject} {} {}", version.operator.symbol(), numbers.join("."))
        }
        Test::Platform { subject, operator, values } => {
            let subject = match subject {
                Platform::SysPlatform => "sys.platform",
                Platform::OsName => "os.name",
                Platform::System => "platform.system",
                Platform::Machine => "platform.machine",
                Platform::ImplementationName => "sys.implementation.name",
                Platform::PythonImplementation => "platform.python_implementation",
            };
            format!("platform {subject} {} {}", operator.symbol(), values.join(","))
        }
    }
}
