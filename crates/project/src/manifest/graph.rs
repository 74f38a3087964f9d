//! `[graph]`: what the import graph is to know beyond the sources, and the contracts. Knows nothing of
//! which members and modules there are.

use bytekiln_graph::{Contract, Selector, Which};
use toml_edit::{Item, Value};

use super::document::Located;
use super::reader::{Fault, TableReader};
use super::schema::Settings;
use super::value::{file_glob, list};
use crate::model::{ContractRule, DataRule, GraphSettings, IgnoredImports, PlacedSelector};

/// What makes a contract: it has exactly one of these.
const KINDS: [&str; 3] = ["layers", "forbid", "independent"];

/// Names of members that contracts speak of go to the settings too, to be looked up once members are
/// known.
pub(super) fn read_graph(mut reader: TableReader<'_>, settings: &mut Settings) {
    let generated = reader.strings("generated", generated_name).map(|names| names.value);
    let mut graph = GraphSettings {
        generated: generated.unwrap_or_default().into_iter().map(|name| name.value).collect(),
        data: read_data(&mut reader),
        contracts: Vec::new(),
        strings: reader.boolean("strings").is_some_and(|strings| strings.value),
    };
    for rule in reader.tables("contract") {
        let Located { value: reader, span } = rule;
        let findings = reader.findings();
        let mut contract = ContractReader { reader, members: Vec::new(), selectors: Vec::new() };
        let read = contract.read(&span);
        settings.contract_members.append(&mut contract.members);
        contract.reader.finish(&[]);
        let Some((name, rule)) = read else { continue };
        if graph.contracts.iter().any(|known| known.name == rule.name) {
            findings.report(name, format!("two contracts are called `{}`", rule.name), None);
        }
        graph.contracts.push(rule);
    }
    reader.finish(&[]);
    settings.graph = graph;
}

/// `data = { "templates/**" = "app.views" }`: a module, or a list of them.
fn read_data(reader: &mut TableReader<'_>) -> Vec<DataRule> {
    let Some(raw) = reader.raw("data") else { return Vec::new() };
    let (findings, name) = (reader.findings(), reader.name_of("data"));
    let Some(table) = raw.value.as_table_like() else {
        let message = format!("`{name}` must be a table of globs and modules");
        let hint = "write `\"app/templates/**\" = [\"app.views\"]` into it".to_owned();
        findings.report(raw.span, message, Some(hint));
        return Vec::new();
    };
    let mut rules = Vec::new();
    for (glob, item) in table.iter() {
        let key_span = table.key(glob).and_then(toml_edit::Key::span).unwrap_or(raw.span.clone());
        let span = item.span().unwrap_or_else(|| key_span.clone());
        let fault = |fault: Fault| (format!("bad `{name}`: {}", fault.message), fault.hint);
        if let Err((message, hint)) = file_glob(glob).map_err(fault) {
            findings.report(key_span, message, hint);
        }
        match modules(item) {
            Ok(modules) => rules.push(DataRule { glob: glob.to_owned(), modules }),
            Err(bad) => {
                let (message, hint) = fault(bad);
                findings.report(span, message, hint);
            }
        }
    }
    rules
}

fn modules(item: &Item) -> Result<Vec<String>, Fault> {
    let wanted = || Fault::new("a module or a list of modules is wanted");
    if let Some(text) = item.as_str() {
        return module_name(text).map(|name| vec![name]);
    }
    let array = item.as_array().ok_or_else(wanted)?;
    array.iter().map(|one| module_name(one.as_str().ok_or_else(wanted)?)).collect()
}

struct ContractReader<'a> {
    reader: TableReader<'a>,
    members: Vec<Located<String>>,
    selectors: Vec<PlacedSelector>,
}

impl ContractReader<'_> {
    /// The rule and the place of its name; none if it is not whole, which has been reported.
    fn read(
        &mut self,
        span: &std::ops::Range<usize>,
    ) -> Option<(std::ops::Range<usize>, ContractRule)> {
        let name = self.reader.parsed("name", |text| match text.trim() {
            "" => Err(Fault::new("an empty name")),
            name => Ok(name.to_owned()),
        });
        let report = |reader: &TableReader<'_>, message: &str, hint: &str| {
            let hint = Some(hint.to_owned());
            reader.findings().report(span.clone(), message.to_owned(), hint);
        };
        if !self.reader.has("name") {
            let message = "a contract has no `name`";
            report(&self.reader, message, "add `name = \"…\"`, as it is to be called in messages");
        }
        let imports = self.reader.choice(
            "imports",
            &[
                ("eager", Which::Eager),
                ("lazy", Which::WithLazy),
                ("runtime", Which::Runtime),
                ("all", Which::All),
            ],
        );
        let layers = self.layers();
        let independent = self.list("independent");
        let (from, forbid) = (self.list("from"), self.list("forbid"));
        let except = self.list("except");
        let ignored = self.ignored();
        let indirect = self.reader.boolean("indirect");
        let present: Vec<&str> = KINDS.into_iter().filter(|kind| self.reader.has(kind)).collect();
        let [kind] = present.as_slice() else {
            let message = match present.as_slice() {
                [] => format!("a contract has none of {}", list(&KINDS)),
                several => format!("a contract has {}", list(several)),
            };
            report(&self.reader, &message, "each has one of them");
            return None;
        };
        for key in ["from", "except", "indirect"] {
            if *kind != "forbid" && self.reader.has(key) {
                let message = format!("`{key}` goes with `forbid`, and not with `{kind}`");
                self.reader.findings().report(self.reader.key_span(key), message, None);
            }
        }
        let name = name?;
        let called = || name.value.clone();
        let checks = match *kind {
            "layers" => {
                let layers = layers?;
                if layers.len() < 2 {
                    report(&self.reader, "one layer is no order", "name two or more");
                }
                self.layer_checks(&name.value, layers)
            }
            "independent" => {
                let groups = independent?;
                if groups.len() < 2 {
                    report(&self.reader, "one alone is independent", "name two or more");
                }
                vec![Contract::Independent { name: called(), groups }]
            }
            _ => {
                if !self.reader.has("from") {
                    let hint = "add `from = [\"…\"]`, or `from = [\"member:…\"]`";
                    report(&self.reader, "a contract has `forbid` and no `from`", hint);
                }
                let (name, except) = (called(), except.unwrap_or_default());
                vec![Contract::Forbidden { name, from: from?, to: forbid?, except }]
            }
        };
        let rule = ContractRule {
            name: called(),
            checks,
            imports: imports.map_or(Which::Runtime, |imports| imports.value),
            indirect: indirect.is_some_and(|indirect| indirect.value),
            ignored,
            selectors: std::mem::take(&mut self.selectors),
            place: self.reader.findings().line_name(span.clone()),
        };
        Some((name.span, rule))
    }

    fn note(&mut self, selector: &Selector, span: &std::ops::Range<usize>) {
        if let Selector::Owner(member) = selector {
            self.members.push(Located { value: member.clone(), span: span.clone() });
        }
        let place = self.reader.findings().line_name(span.clone());
        self.selectors.push(PlacedSelector { selector: selector.clone(), place });
    }

    fn list(&mut self, key: &'static str) -> Option<Vec<Selector>> {
        let read = self.reader.strings(key, selector)?;
        for one in &read.value {
            self.note(&one.value, &one.span);
        }
        Some(read.value.into_iter().map(|one| one.value).collect())
    }

    /// `["web", "core | shared", ["a", "b"], "base"]`: those with a bar between them must not import
    /// each other, those of one list may.
    fn layers(&mut self) -> Option<Vec<Layer>> {
        let read = self.reader.array("layers", "strings and lists of strings", |element| {
            let text = |value: &Value| -> Result<Selector, Fault> {
                selector(value.as_str().ok_or_else(|| Fault::new("a string is wanted"))?)
            };
            if let Some(array) = element.as_array() {
                let selectors = array.iter().map(text).collect::<Result<_, _>>()?;
                return Ok(Layer { selectors, apart: false });
            }
            let whole = element.as_str();
            let whole = whole.ok_or_else(|| Fault::new("a string or a list is wanted"))?;
            let selectors =
                whole.split('|').map(|one| selector(one.trim())).collect::<Result<_, _>>()?;
            Ok(Layer { selectors, apart: true })
        })?;
        for layer in &read.value {
            for selector in &layer.value.selectors {
                self.note(selector, &layer.span);
            }
        }
        for (number, layer) in read.value.iter().enumerate() {
            let before = read.value.get(..number).unwrap_or_default();
            let mut known = before.iter().flat_map(|layer| &layer.value.selectors);
            let twice = layer.value.selectors.iter().find(|one| known.any(|known| known == *one));
            if let Some(twice) = twice {
                let message = format!("`{}` is in two layers", selector_text(twice));
                self.reader.findings().report(layer.span.clone(), message, None);
            }
        }
        Some(read.value.into_iter().map(|layer| layer.value).collect())
    }

    fn layer_checks(&self, name: &str, layers: Vec<Layer>) -> Vec<Contract> {
        let mut checks = Vec::new();
        for layer in layers.iter().filter(|layer| layer.apart && layer.selectors.len() > 1) {
            let groups = layer.selectors.clone();
            checks.push(Contract::Independent { name: name.to_owned(), groups });
        }
        let layers = layers.into_iter().map(|layer| layer.selectors).collect();
        checks.insert(0, Contract::Layers { name: name.to_owned(), layers });
        checks
    }

    /// `ignore = ["app.web -> app.db"]`.
    fn ignored(&mut self) -> Vec<IgnoredImports> {
        let read = self.reader.strings("ignore", |text| {
            let (from, to) = text.split_once("->").ok_or_else(|| {
                Fault::new(format!("`{text}` is no import"))
                    .hint("write `\"importer -> imported\"`")
            })?;
            Ok((selector(from.trim())?, selector(to.trim())?))
        });
        let mut ignored = Vec::new();
        for one in read.map(|read| read.value).unwrap_or_default() {
            let (from, to) = one.value;
            for selector in [&from, &to] {
                if let Selector::Owner(member) = selector {
                    self.members.push(Located { value: member.clone(), span: one.span.clone() });
                }
            }
            let place = self.reader.findings().line_name(one.span);
            ignored.push(IgnoredImports { from, to, place });
        }
        ignored
    }
}

/// One layer.
struct Layer {
    selectors: Vec<Selector>,
    /// They must not import each other.
    apart: bool,
}

/// `member:NAME`, or a module and all below it.
fn selector(text: &str) -> Result<Selector, Fault> {
    match text.strip_prefix("member:") {
        Some("") => Err(Fault::new("`member:` names no member")),
        Some(name) => Ok(Selector::Owner(name.to_owned())),
        None => module_name(text).map(Selector::Module).map_err(|fault| match text {
            text if text.ends_with(".*") => {
                fault.hint("a name without `.*` means all below it too")
            }
            _ => fault.hint("modules are named as imports do, members as `member:NAME`"),
        }),
    }
}

/// A member or modules as a manifest names them: `member:NAME`, or a dotted name.
#[must_use]
pub fn selector_text(selector: &Selector) -> String {
    match selector {
        Selector::Owner(name) => format!("member:{name}"),
        Selector::Module(name) => name.clone(),
    }
}

/// `a.b.c`.
fn module_name(text: &str) -> Result<String, Fault> {
    let identifier = |part: &str| {
        let mut letters = part.chars();
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        letters.next().is_some_and(|first| is_word(first) && !first.is_numeric())
            && letters.all(is_word)
    };
    if text.split('.').all(identifier) {
        return Ok(text.to_owned());
    }
    Err(Fault::new(format!("`{text}` is no name of a module")))
}

/// `a.b`, or `a.b.*` for it and all below.
fn generated_name(text: &str) -> Result<String, Fault> {
    module_name(text.strip_suffix(".*").unwrap_or(text))
        .map(|_| text.to_owned())
        .map_err(|fault| fault.hint("write `a.b`, or `a.b.*` for it and all below"))
}
