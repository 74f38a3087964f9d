//! Names that imports have bound so far, for the few modules whose names mean something to the
//! scanner: `TYPE_CHECKING as TC`, `import sys as _sys`, `import_module as load`. Binding is by text
//! order: scopes and reassignments are not followed.

use crate::extraction::{Function, What};

/// Names bound so far.
#[derive(Debug, Default)]
pub(crate) struct Known<'source> {
    /// Names of `typing.TYPE_CHECKING` other than its own.
    pub(crate) type_checking: Vec<&'source [u8]>,
    /// Names of the module `sys` other than its own.
    sys: Vec<&'source [u8]>,
    /// Names of `sys.version_info` and `sys.platform`, with which of them it is.
    sys_attributes: Vec<(&'source [u8], &'static str)>,
    /// Names of modules that have a function that imports.
    modules: Vec<(&'source [u8], Function)>,
    /// Names of functions that import.
    functions: Vec<(&'source [u8], Function)>,
}

/// So many names of one kind are followed in one source.
const MOST: usize = 16;

impl<'source> Known<'source> {
    /// Takes note of an import; `bound` is the name that it binds, all of `a.b` if there is no `as`.
    /// The result is the name of a function to look for from here on.
    pub(crate) fn note(
        &mut self,
        what: &What<'source>,
        mut bound: &'source [u8],
    ) -> Option<(&'source [u8], Function)> {
        match what {
            What::Module { module } => match bound_module(module, &mut bound) {
                "sys" => add(&mut self.sys, bound),
                "importlib" => add(&mut self.modules, (bound, Function::ImportModule)),
                "builtins" => add(&mut self.modules, (bound, Function::DunderImport)),
                "pytest" => add(&mut self.modules, (bound, Function::ImportOrSkip)),
                "runpy" => {
                    add(&mut self.modules, (bound, Function::RunModule));
                    return Some((b"run_module", Function::RunModule));
                }
                _ => {}
            },
            What::Name { level: 0, module, name } => {
                let function = match (&**module, &**name) {
                    (_, "TYPE_CHECKING") => {
                        add(&mut self.type_checking, bound);
                        return None;
                    }
                    ("sys", "version_info") => {
                        add(&mut self.sys_attributes, (bound, "version_info"));
                        return None;
                    }
                    ("sys", "platform") => {
                        add(&mut self.sys_attributes, (bound, "platform"));
                        return None;
                    }
                    ("importlib", "import_module") => Function::ImportModule,
                    ("builtins", "__import__") => Function::DunderImport,
                    ("runpy", "run_module") => Function::RunModule,
                    ("pytest", "importorskip") => Function::ImportOrSkip,
                    _ => return None,
                };
                add(&mut self.functions, (bound, function));
                let found_anyway =
                    matches!(bound, b"import_module" | b"__import__" | b"importorskip");
                return (!found_anyway).then_some((bound, function));
            }
            _ => {}
        }
        None
    }

    /// Whether `base.function` imports.
    pub(crate) fn is_module(&self, base: &[u8], function: Function) -> bool {
        self.modules.contains(&(base, function))
    }

    /// Whether the bare `name` imports.
    pub(crate) fn is_function(&self, name: &[u8], function: Function) -> bool {
        self.functions.contains(&(name, function))
    }

    /// What follows `sys.` in a dotted name, whatever `sys` or its attribute is called here.
    pub(crate) fn sys_attribute<'text>(&self, dotted: &'text str) -> Option<&'text str>
    where
        'source: 'text,
    {
        let (first, rest) = dotted.split_once('.').unwrap_or((dotted, ""));
        if first == "sys" || (!rest.is_empty() && self.sys.contains(&first.as_bytes())) {
            return (!rest.is_empty()).then_some(rest);
        }
        let (_, attribute) =
            self.sys_attributes.iter().find(|(name, _)| *name == first.as_bytes())?;
        match (*attribute, rest) {
            ("version_info", "") => Some("version_info"),
            ("version_info", "major") => Some("version_info.major"),
            ("version_info", "minor") => Some("version_info.minor"),
            ("platform", "") => Some("platform"),
            ("platform", "startswith") => Some("platform.startswith"),
            _ => None,
        }
    }
}

/// `import a.b` binds `a` to `a`, `import a.b as c` binds `c` to `a.b`.
fn bound_module<'text>(module: &'text str, bound: &mut &[u8]) -> &'text str {
    if module.as_bytes() != *bound {
        return module;
    }
    let root = module.split('.').next().unwrap_or(module);
    *bound = &bound[..root.len()];
    root
}

fn add<T: PartialEq>(names: &mut Vec<T>, name: T) {
    if names.len() < MOST && !names.contains(&name) {
        names.push(name);
    }
}
