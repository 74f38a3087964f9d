//! Judges a prediction by what really ran: which modules were missed and why, which were predicted in
//! vain, and whether each import statement that ran is an edge. Knows nothing of how either was made.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Event, Facts, How, Recording};

/// Why a module that was loaded is not in the predicted closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// A statement at the top of a module that is in the closure: a fault of the graph.
    Visible,
    /// A statement that ran, and that the graph has no edge for: another fault.
    NoEdge,
    /// A visible statement that names what no file is: `six.moves`, made when `six` runs.
    Made,
    /// A statement in a function that ran.
    Function,
    /// A statement in a module's `__getattr__`: lazy loaders.
    LazyLoader,
    /// `import_module` or `__import__`.
    Call,
    /// Code in C that was called: `time.strptime`, unpickling.
    Native,
    /// An extension module, when it was loaded.
    Extension,
    /// A statement in code that is in no file.
    Executed,
    /// Put into `sys.modules` without the import system, or by a finder that hides from ours.
    ByHand,
}

impl Class {
    pub(crate) const ALL: [Class; 10] = [
        Class::Visible,
        Class::NoEdge,
        Class::Made,
        Class::Function,
        Class::LazyLoader,
        Class::Call,
        Class::Native,
        Class::Extension,
        Class::Executed,
        Class::ByHand,
    ];

    /// For tables.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Class::Visible => "statically visible",
            Class::NoEdge => "statement without an edge",
            Class::Made => "a module that a program makes",
            Class::Function => "in a function",
            Class::LazyLoader => "in `__getattr__`",
            Class::Call => "`import_module`, `__import__`",
            Class::Native => "code in C",
            Class::Extension => "by an extension module",
            Class::Executed => "code in no file",
            Class::ByHand => "put into `sys.modules`",
        }
    }
}

/// A module that was missed.
#[derive(Debug, Clone)]
pub(crate) struct Miss {
    pub(crate) name: String,
    /// The reason at the root: what a missed module imports is missed for the same reason.
    pub(crate) class: Class,
    /// Whether an importer that was missed is to blame.
    pub(crate) indirect: bool,
    /// File, line and function of the import.
    pub(crate) place: String,
}

/// A statement that ran without being an edge.
pub(crate) struct Unseen {
    pub(crate) name: String,
    pub(crate) place: String,
}

/// All that came of a program.
pub(crate) struct Verdict {
    /// Modules loaded that were not there before.
    pub(crate) loaded: usize,
    /// Modules in the eager closure that were not there before.
    pub(crate) predicted: usize,
    pub(crate) hits: usize,
    /// Of those loaded, how many the closure over all that can run has.
    pub(crate) runtime_hits: usize,
    /// And with strings that name modules.
    pub(crate) all_hits: usize,
    pub(crate) misses: Vec<Miss>,
    /// Predicted over edges without conditions, and not loaded.
    pub(crate) sure_extras: Vec<String>,
    /// Statements that loaded a module, and how many of them are no edges.
    pub(crate) statements: usize,
    pub(crate) unseen: Vec<Unseen>,
}

/// Compares.
pub(crate) fn compare(facts: &Facts, recording: &Recording, entry: &str) -> Verdict {
    let start = facts.file(entry);
    let own = start.and_then(|node| facts.nodes.get(node)).map(|node| node.name.as_str());
    let counts = |name: &&str| {
        !recording.before.contains(*name) && Some(*name) != own && *name != "__main__"
    };
    let loaded: BTreeSet<&str> =
        recording.modules.keys().map(String::as_str).filter(|name| counts(name)).collect();
    let names = |nodes: &BTreeSet<usize>| -> BTreeSet<&str> {
        facts.names(nodes).into_iter().filter(|name| counts(name)).collect()
    };
    let closure = |names: &'_ BTreeSet<String>| -> BTreeSet<String> {
        names.iter().filter(|name| counts(&name.as_str())).cloned().collect()
    };
    let closures = [closure(&facts.eager), closure(&facts.runtime), closure(&facts.all)];
    let [eager, runtime, all] = closures
        .each_ref()
        .map(|names| -> BTreeSet<&str> { names.iter().map(String::as_str).collect() });
    let judge = Judge::new(facts, recording, &eager);
    let misses = loaded.difference(&eager).map(|name| judge.miss(name)).collect();
    // What lies beside an extension module may be what it is made from, or what stands in for it.
    let is_sure = |from: usize, edge: &super::facts::Edge| {
        is_sure(edge) && facts.nodes.get(from).is_some_and(|node| node.kind != "extension")
    };
    let sure = start.map(|start| facts.closure(start, is_sure)).unwrap_or_default();
    let sure = names(&sure);
    let (statements, unseen) = judge.statements(&loaded);
    Verdict {
        loaded: loaded.len(),
        predicted: eager.len(),
        hits: loaded.intersection(&eager).count(),
        runtime_hits: loaded.intersection(&runtime).count(),
        all_hits: loaded.intersection(&all).count(),
        misses,
        sure_extras: sure.difference(&loaded).map(|name| (*name).to_owned()).collect(),
        statements,
        unseen,
    }
}

/// Whether an import runs whenever its module does.
fn is_sure(edge: &super::facts::Edge) -> bool {
    let unsure = [
        "lazy",
        "function",
        "conditional",
        "optional",
        "fallback",
        "type-checking",
        "main",
        "never",
        "string",
        "dynamic",
    ];
    !unsure.iter().any(|word| edge.is(word))
}

struct Judge<'a> {
    facts: &'a Facts,
    eager: &'a BTreeSet<&'a str>,
    recording: &'a Recording,
    /// The last search for each module: the one that found it.
    found: BTreeMap<&'a str, &'a Event>,
    /// Names by file, of what was loaded.
    names: BTreeMap<&'a str, &'a str>,
}

impl<'a> Judge<'a> {
    fn new(facts: &'a Facts, recording: &'a Recording, eager: &'a BTreeSet<&'a str>) -> Self {
        let names = recording.modules.iter();
        Judge {
            facts,
            eager,
            recording,
            found: recording.events.iter().map(|event| (event.name.as_str(), event)).collect(),
            names: names
                .filter_map(|(name, file)| Some((file.as_deref()?, name.as_str())))
                .collect(),
        }
    }

    fn miss(&self, name: &str) -> Miss {
        let (class, place) = self.direct(name);
        let mut root = Miss { name: name.to_owned(), class, indirect: false, place };
        // Up to the importer that is to blame. Importers are loaded before what they import, but a
        // recording could say anything.
        let mut seen = BTreeSet::from([name]);
        let mut current = name;
        while let Some(importer) = self.importer(current) {
            if self.eager.contains(importer) || !seen.insert(importer) {
                break;
            }
            let is_entry = self.recording.before.contains(importer) || importer == "__main__";
            if is_entry {
                break;
            }
            current = importer;
            root.class = self.direct(importer).0;
            root.indirect = true;
        }
        root
    }

    /// The module whose own code, or whose extension, asked for one: only if it did so when it was
    /// loaded itself.
    fn importer(&self, name: &str) -> Option<&'a str> {
        let event = self.found.get(name)?;
        match event.how {
            How::Extension => event.extension.as_deref(),
            How::Statement | How::Call | How::ImportModule => {
                if event.function.as_deref() != Some("<module>") {
                    return None;
                }
                self.names.get(event.file.as_deref()?).copied()
            }
        }
    }

    fn direct(&self, name: &str) -> (Class, String) {
        let Some(event) = self.found.get(name) else {
            let by = self.recording.modules.get(name).cloned().flatten();
            let is_native = by.as_ref().is_some_and(|file| file.ends_with(".so"));
            let class = if is_native { Class::Extension } else { Class::ByHand };
            return (class, by.unwrap_or_default());
        };
        let function = event.function.as_deref().unwrap_or_default();
        let file = event.file.as_deref().unwrap_or_default();
        let place = format!("{file}:{} in {function}", event.line);
        let class = match event.how {
            How::Extension => Class::Extension,
            How::ImportModule => Class::Call,
            How::Call if self.line(event).contains("import") => Class::Call,
            How::Call => Class::Native,
            How::Statement if self.facts.file(file).is_none() => Class::Executed,
            How::Statement if !self.is_edge(event) => Class::NoEdge,
            How::Statement if function == "<module>" && self.is_made(name) => Class::Made,
            How::Statement if function == "<module>" => Class::Visible,
            How::Statement if function == "__getattr__" => Class::LazyLoader,
            How::Statement => Class::Function,
        };
        (class, place)
    }

    /// Whether a module came from no file, or from that of another name, and is none of the
    /// interpreter's own.
    fn is_made(&self, name: &str) -> bool {
        match self.recording.modules.get(name).and_then(Option::as_deref) {
            None => !self.recording.built_in.contains(name),
            Some(file) => {
                let node = self.facts.file(file).and_then(|node| self.facts.nodes.get(node));
                node.is_some_and(|node| node.name != name)
            }
        }
    }

    fn line(&self, event: &Event) -> String {
        let source = event.file.as_deref().and_then(|file| std::fs::read(file).ok());
        let source = String::from_utf8_lossy(source.as_deref().unwrap_or_default()).into_owned();
        let at = usize::try_from(event.line.saturating_sub(1)).unwrap_or(usize::MAX);
        source.lines().nth(at).unwrap_or_default().to_owned()
    }

    /// Whether an edge stands at the line of a statement to the module that was looked for, or to one
    /// below it.
    fn is_edge(&self, event: &Event) -> bool {
        let Some(node) = event.file.as_deref().and_then(|file| self.facts.file(file)) else {
            return false;
        };
        let edges = self.facts.edges.get(node).into_iter().flatten();
        let mut targets = edges
            .filter(|edge| edge.line == event.line)
            .filter_map(|edge| self.facts.nodes.get(edge.to));
        targets.any(|node| {
            let rest = node.name.strip_prefix(event.name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// Statements that loaded something in a file of the graph, and those that are no edges.
    fn statements(&self, loaded: &BTreeSet<&str>) -> (usize, Vec<Unseen>) {
        let mut count = 0;
        let mut unseen = Vec::new();
        for (name, event) in &self.found {
            let file = event.file.as_deref().unwrap_or_default();
            let known = self.facts.file(file).is_some();
            if event.how != How::Statement || !known || !loaded.contains(name) {
                continue;
            }
            count += 1;
            if !self.is_edge(event) {
                let place = format!("{file}:{}", event.line);
                unseen.push(Unseen { name: (*name).to_owned(), place });
            }
        }
        (count, unseen)
    }
}

#[cfg(test)]
mod tests;
