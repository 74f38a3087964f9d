//! What each form of import asks for: absolute or relative, a module or a name in one, and when it
//! runs on the target. Knows nothing of how names are found.

use bytekiln_syntax::{Platform, Test};

use super::binding::{Binding, binding};
use super::lookup::{Found, Inside, Lookup};
use super::{AmbiguityKind, Reason, Target};
use crate::graph::{Edge, NodeId};
use crate::index::{Index, IndexedFile};
use crate::kinds::Kinds;
use crate::record::{
    Condition, Form, ImportRecord, LISTABLE, ModuleImports, NONE, Record, UNDECIDED, relative_to,
};
use crate::sources::{FileKind, Sources};

/// The file whose imports are resolved.
struct Importer<'r, 'i, 'a> {
    index: &'i Index<'a>,
    lookup: &'r mut Lookup<'i, 'a>,
    number: u32,
    view: u32,
    record: &'r Record,
    stub: bool,
    /// `__package__`, empty outside packages.
    package: &'r str,
    /// `__name__` when it is imported.
    name: &'r str,
    /// The package of the file itself, if another of its name comes earlier on its `sys.path`: there
    /// relative imports start.
    own: Option<(String, u32)>,
    /// The number of the import.
    at: u32,
    /// What the last `from` named, and what that is: one statement gives many imports.
    last: Option<Last>,
    edges: &'r mut Vec<Edge>,
}

pub(super) fn resolve<'i, 'a>(
    index: &'i Index<'a>,
    lookup: &mut Lookup<'i, 'a>,
    number: u32,
    file: &IndexedFile<'a>,
    name: &str,
    room: &mut Record,
    edges: &mut Vec<Edge>,
) {
    if index.has_extending && file.source.kind != FileKind::Stub {
        package_around(index, lookup, number, file, edges);
    }
    if file.source.kind == FileKind::Deleted {
        return;
    }
    let Some(record) = file.source.imports.filter(|record| !record.is_empty()) else { return };
    let record = record.values(room);
    let (own_package, package, name) = match index.entry(file.entry) {
        Some(entry) if entry.package == number || (entry.stub == number && entry.stub_package) => {
            (file.entry, name, name)
        }
        Some(entry) => {
            (entry.parent, name.rsplit_once('.').map_or("", |(package, _)| package), name)
        }
        None => (NONE, "", ""),
    };
    let mut importer = Importer {
        index,
        lookup,
        number,
        view: file.view,
        record,
        stub: file.source.kind == FileKind::Stub,
        own: None,
        at: 0,
        last: None,
        package,
        name,
        edges,
    };
    importer.own = importer.hidden_package(own_package);
    for (at, import) in (0_u32..).zip(&record.imports) {
        importer.at = at;
        importer.import(import);
    }
}

/// The edges to the package around a file, where packages can have folders in several roots: to the
/// `__init__` that an import of the file's name runs, whether or not there is one beside the file.
fn package_around<'i, 'a>(
    index: &'i Index<'a>,
    lookup: &mut Lookup<'i, 'a>,
    number: u32,
    file: &IndexedFile<'a>,
    edges: &mut Vec<Edge>,
) {
    let Some(own) = index.entry(file.entry).map(|entry| entry.parent) else { return };
    let Some(entry) = index.entry(own).filter(|entry| entry.parent != NONE) else { return };
    let id = lookup.find(file.view, &index.dotted(own));
    let found = lookup.get(id).filter(
        |found| matches!(&found.inside, Inside::Folders(folders) if folders.contains(&own)),
    );
    let namespace = Some(Target::Namespace(own));
    let targets = match found {
        Some(Found { target: Target::Namespace(_), package, .. }) => [namespace, *package],
        Some(found) => [Some(found.target), None],
        None => {
            // Another package of this name hides it.
            let mut around = std::iter::successors(Some(entry), |entry| index.entry(entry.parent));
            let package = around.find(|entry| entry.package != NONE);
            let package = package.map(|entry| Target::File(entry.package));
            [namespace.filter(|_| entry.package == NONE), package]
        }
    };
    for target in targets.into_iter().flatten() {
        edges.push(target.around(number));
    }
}

impl Importer<'_, '_, '_> {
    /// The own package, if looking its name up leads to another one.
    fn hidden_package(&mut self, own: u32) -> Option<(String, u32)> {
        if self.package.is_empty() || !self.record.imports.iter().any(is_relative) {
            return None;
        }
        let id = self.lookup.find(self.view, self.package);
        let is_own = matches!(
            self.lookup.get(id).map(|found| &found.inside),
            Some(Inside::Folders(folders)) if folders.contains(&own)
        );
        if is_own {
            return None;
        }
        let entry = self.index.entry(own)?;
        let target = match (entry.package, entry.stub) {
            (NONE, NONE) => Target::Namespace(own),
            (NONE, stub) => Target::File(stub),
            (package, _) => Target::File(package),
        };
        let inside = Inside::Folders([own].into());
        let id = self.lookup.push(Found { target, stub: None, inside, package: None });
        Some((self.package.to_owned(), id))
    }

    fn import(&mut self, import: &ImportRecord) {
        let mut kinds = decide(import, self.record, self.index.sources);
        if is_relative(import) {
            kinds = kinds.with(Kinds::RELATIVE);
        }
        let module = self.record.text(import.module);
        match import.form {
            Form::Module => {
                let id = self.lookup.find(self.view, module);
                self.edge(import, id, self.lazy(import, kinds, module));
            }
            Form::Name => self.from(import, kinds),
            Form::Star => {
                let mut name = String::new();
                let Some(id) = self.relative(import, kinds, &mut name) else { return };
                self.edge(import, id, kinds);
                self.star(import, id, &name, kinds);
            }
            Form::ImportModule | Form::DunderImport | Form::RunModule | Form::ImportOrSkip => {
                self.call(import, kinds);
            }
            Form::Text => self.string(import, kinds),
        }
    }

    fn lazy(&self, import: &ImportRecord, kinds: Kinds, module: &str) -> Kinds {
        let listed = import.extra & LISTABLE != 0
            && self.index.sources.target.release.minor() >= 15
            && self.record.lists_as_lazy(module);
        if listed { kinds.with(Kinds::LAZY) } else { kinds }
    }

    /// `from ..module`: what it is; its absolute name is written to `name`.
    fn relative(&mut self, import: &ImportRecord, kinds: Kinds, name: &mut String) -> Option<u32> {
        let (level, module) = (import.level, self.record.text(import.module));
        name.clear();
        if level == 0 {
            name.push_str(module);
            return Some(self.lookup.find(self.view, module));
        }
        let written =
            || format!("{}{module}", ".".repeat(usize::try_from(level.min(64)).unwrap_or(64)));
        if self.package.is_empty() {
            let id = self.lookup.missing(&written(), Reason::NoPackage, None);
            self.edge(import, id, kinds);
            return None;
        }
        let mut base = self.package;
        for _ in 1..level {
            let Some(dot) = base.rfind('.') else {
                let id = self.lookup.missing(&written(), Reason::BeyondTopLevel, None);
                self.edge(import, id, kinds);
                return None;
            };
            base = base.get(..dot).unwrap_or_default();
        }
        name.push_str(base);
        if !module.is_empty() {
            name.push('.');
            name.push_str(module);
        }
        Some(self.absolute(name))
    }

    /// Like a lookup, but what is below the own package is looked for there.
    fn absolute(&mut self, name: &str) -> u32 {
        if let Some((package, own)) = &self.own
            && let Some(rest) = name.strip_prefix(package.as_str())
            && (rest.is_empty() || rest.starts_with('.'))
        {
            let (mut id, mut end) = (*own, package.len());
            for part in rest.split('.').skip(1) {
                end += 1 + part.len();
                id = self.lookup.child(id, part, name.get(..end).unwrap_or(name));
            }
            return id;
        }
        self.lookup.find(self.view, name)
    }

    /// `from module import name`.
    fn from(&mut self, import: &ImportRecord, kinds: Kinds) {
        let same = |last: &Last| last.level == import.level && last.module == import.module;
        let last = match self.last.take() {
            Some(last) if same(&last) => last,
            other => {
                let mut name = other.map(|other| other.name).unwrap_or_default();
                let Some(id) = self.relative(import, kinds, &mut name) else { return };
                Last { level: import.level, module: import.module, id, name }
            }
        };
        self.name_in(import, kinds, last.id, &last.name);
        self.last = Some(last);
    }

    fn name_in(&mut self, import: &ImportRecord, kinds: Kinds, id: u32, module: &str) {
        let kinds = self.lazy(import, kinds, module);
        let name = self.record.text(import.name);
        match self.submodule(id, module, name, self.position(import)) {
            Submodule::Is(child) | Submodule::Missing(child) => self.edge(import, child, kinds),
            Submodule::Name => {
                let named = self.named(id, name);
                self.edge(import, id, kinds.with(named));
            }
        }
    }

    /// Whether a name in a module is a module, as `_handle_fromlist` decides it: what the module
    /// binds, else a submodule.
    fn submodule(&mut self, id: u32, module: &str, name: &str, position: u32) -> Submodule {
        let Some(found) = self.lookup.get(id) else { return Submodule::Name };
        let package = match &found.inside {
            Inside::Nothing | Inside::Anything | Inside::Missing(_) => return Submodule::Name,
            Inside::Standard => {
                let dotted = format!("{module}.{name}");
                return match self.index.standard.find(&dotted) {
                    Some(_) => Submodule::Is(self.lookup.find(self.view, &dotted)),
                    None => Submodule::Name,
                };
            }
            Inside::Folders(folders) => {
                if !folders.iter().any(|folder| self.index.child(*folder, name).is_some()) {
                    let is_namespace = matches!(found.target, Target::Namespace(_));
                    if !is_namespace && !self.is_generated(module, name) {
                        return Submodule::Name;
                    }
                }
                found.target
            }
        };
        let child = self.lookup.below(id, name, module);
        let is_missing =
            matches!(self.lookup.get(child).map(|found| &found.inside), Some(Inside::Missing(_)));
        if is_missing {
            return Submodule::Missing(child);
        }
        let Target::File(number) = package else { return Submodule::Is(child) };
        let file = self.index.files.get(number as usize);
        let names = file.and_then(|file| file.source.imports).and_then(ModuleImports::names);
        let Some(record) = names else { return Submodule::Is(child) };
        // A package's own `__init__` does not see what it has yet to bind.
        let before = (number == self.number).then_some(position);
        match binding(record, module, name, before) {
            Binding::Nothing | Binding::OwnModule => return Submodule::Is(child),
            Binding::FromOwnModule => {}
            Binding::Another => {
                if let Some(hidden) = self.lookup.get(child).map(|found| found.target) {
                    self.lookup.ambiguous(id, hidden, AmbiguityKind::NameAndModule);
                }
            }
        }
        Submodule::Name
    }

    /// Whether a name in a module is declared to come to be.
    fn is_generated(&self, module: &str, name: &str) -> bool {
        let generated = &self.index.generated;
        !generated.is_empty() && generated.has(&format!("{module}.{name}"))
    }

    /// The number of an import that runs where it stands; of others, a number after all.
    fn position(&self, import: &ImportRecord) -> u32 {
        if import.kinds.any(Kinds::FUNCTION) { NONE } else { self.at }
    }

    /// What a name is that is no module.
    fn named(&self, id: u32, name: &str) -> Kinds {
        let Some(found) = self.lookup.get(id) else { return Kinds::NONE };
        if matches!(found.inside, Inside::Missing(_) | Inside::Anything) {
            return Kinds::NONE;
        }
        let Target::File(number) = found.target else { return Kinds::NAME };
        let file = self.index.files.get(number as usize);
        match file.and_then(|file| file.source.imports) {
            Some(record) if !record.may_bind(name) => Kinds::NAME.with(Kinds::UNBOUND),
            _ => Kinds::NAME,
        }
    }

    /// `from package import *` imports the modules that its `__all__` names.
    fn star(&mut self, import: &ImportRecord, id: u32, module: &str, kinds: Kinds) {
        let Some(Target::File(number)) = self.lookup.get(id).map(|found| found.target) else {
            return;
        };
        let file = self.index.files.get(number as usize);
        let names = file.and_then(|file| file.source.imports).and_then(ModuleImports::names);
        let Some(record) = names else { return };
        for name in record.all.iter().flat_map(|all| &all.names) {
            if let Submodule::Is(child) =
                self.submodule(id, module, record.text(*name), self.position(import))
            {
                self.edge(import, child, kinds);
            }
        }
    }

    fn call(&mut self, import: &ImportRecord, mut kinds: Kinds) {
        if import.form == Form::ImportOrSkip {
            kinds = kinds.with(Kinds::OPTIONAL);
        }
        let argument = self.record.text(import.module);
        // A level passed to `__import__`, or a package that is computed.
        let unknown = import.level == relative_to::UNKNOWN
            && (argument.starts_with('.') || import.form == Form::DunderImport);
        if import.module == NONE || unknown {
            let id = self.lookup.missing("", Reason::Computed, None);
            return self.edge(import, id, kinds);
        }
        let dots = argument.len() - argument.trim_start_matches('.').len();
        let id = if dots == 0 {
            self.lookup.find(self.view, argument)
        } else {
            let mut base = match import.level {
                relative_to::CONSTANT => self.record.text(import.name),
                relative_to::OWN_PACKAGE => self.package,
                relative_to::OWN_NAME => self.name,
                _ => "",
            };
            for _ in 1..dots {
                base = base.rfind('.').and_then(|dot| base.get(..dot)).unwrap_or_default();
            }
            let rest = argument.get(dots..).unwrap_or_default();
            if base.is_empty() {
                let reason = if import.level == relative_to::NOTHING {
                    Reason::NoPackage
                } else {
                    Reason::BeyondTopLevel
                };
                self.lookup.missing(argument, reason, None)
            } else if rest.is_empty() {
                self.absolute(base)
            } else {
                self.absolute(&format!("{base}.{rest}"))
            }
        };
        self.edge(import, id, kinds);
        if import.form == Form::RunModule
            && let Some(Inside::Folders(_)) = self.lookup.get(id).map(|found| &found.inside)
        {
            let main = self.lookup.child(id, "__main__", &format!("{argument}.__main__"));
            self.edge(import, main, kinds);
        }
    }

    /// A string counts only if it names a module that is there: itself, or the one before its last
    /// names (`app.models.User`), but at least `a.b`.
    fn string(&mut self, import: &ImportRecord, kinds: Kinds) {
        let mut text = self.record.text(import.module);
        while text.contains('.') {
            let id = self.lookup.find(self.view, text);
            if let Some(Target::File(_)) = self.lookup.get(id).map(|found| found.target) {
                return self.edge(import, id, kinds);
            }
            text = text.rfind('.').and_then(|dot| text.get(..dot)).unwrap_or_default();
        }
    }

    fn edge(&mut self, import: &ImportRecord, id: u32, mut kinds: Kinds) {
        let Some(found) = self.lookup.get(id) else { return };
        let (mut target, package) = (found.target, found.package);
        if self.stub {
            kinds = kinds.with(Kinds::TYPE_CHECKING);
            target = found.stub.unwrap_or(target);
        }
        // `import a.b.missing` runs `a` and `a.b` before it fails.
        if let Target::Named(id) = target
            && let Some(parent) = self.lookup.names.get(id as usize).and_then(|name| name.parent)
        {
            self.push(import, parent, kinds.with(Kinds::PACKAGE));
        }
        if let Some(package) = package {
            self.push(import, package, kinds.with(Kinds::PACKAGE));
        }
        self.push(import, target, kinds);
    }

    fn push(&mut self, import: &ImportRecord, target: Target, kinds: Kinds) {
        let (line, column) = (import.line, import.column);
        let edge = Edge { from: NodeId(self.number), to: target.code(), line, column, kinds };
        if self.edges.last() != Some(&edge) {
            self.edges.push(edge);
        }
    }
}

struct Last {
    level: u32,
    module: u32,
    id: u32,
    name: String,
}

enum Submodule {
    Is(u32),
    Missing(u32),
    Name,
}

fn is_relative(import: &ImportRecord) -> bool {
    match import.form {
        Form::Name | Form::Star => import.level > 0,
        Form::ImportModule => import.level != relative_to::NOTHING,
        _ => false,
    }
}

/// The label of an import on the target: conditions that it decides are gone, or rule it out.
fn decide(import: &ImportRecord, record: &Record, sources: &Sources<'_>) -> Kinds {
    let Some(set) =
        (import.condition as usize).checked_sub(1).and_then(|at| record.conditions.get(at))
    else {
        return import.kinds;
    };
    let mut decided = import.extra & UNDECIDED == 0;
    for condition in set {
        match holds(condition, sources) {
            Some(true) => {}
            Some(false) => return import.kinds.with(Kinds::NEVER),
            None => decided = false,
        }
    }
    if decided { import.kinds.without(Kinds::CONDITIONAL) } else { import.kinds }
}

fn holds(condition: &Condition, sources: &Sources<'_>) -> Option<bool> {
    let target = &sources.target;
    let holds = match &condition.test {
        Test::Version(version) => version.holds_for(3, u32::from(target.release.minor()))?,
        Test::Platform { subject, .. } => {
            let platform = &target.platform;
            let constant = match subject {
                Platform::SysPlatform => platform.sys_platform.as_deref()?,
                Platform::OsName => platform.os_name.as_deref()?,
                Platform::System => platform.system.as_deref()?,
                Platform::Machine => platform.machine.as_deref()?,
                Platform::ImplementationName => "cpython",
                Platform::PythonImplementation => "CPython",
            };
            condition.test.holds_on(*subject, constant)?
        }
        _ => return None,
    };
    Some(holds == condition.holds)
}
