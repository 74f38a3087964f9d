//! `python -vv` of CPython 3.8 to 3.15: which modules were really loaded, from which file, and whether a
//! cache was taken, or why not. Knows nothing of how long anything took.
//!
//! `# code object from …` is written when a module's code is there, `import 'name' # <loader>` when the
//! module has run. In between come the same lines of what it imports; so the file of a module is the
//! nearest one before, not yet taken, whose path ends as the module's name does.
//!
//! `zipimport` says neither; with a second `-v` it says `# trying …` of each member that it looks at for
//! a module, in the order of preference, and the last one is what it took. Of a module that it compiles
//! because the hash in its cache is another, it does not say why; whoever knows the zip can tell.
//!
//! Threads that import at the same time write into each other's lines, so a line may hold several remarks.
//! What further interpreters write to the same place (`multiprocessing` hands `-v` on) cannot be told from
//! what the first one goes on to write; where a second one begins, reading ends.

use std::collections::{BTreeMap, BTreeSet};

/// Where the code of a module came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// From a `.pyc` that was found valid, or that has no source beside it.
    Cache,
    /// Compiled: there was no cache, or none was looked for.
    Compiled,
    /// Compiled, because the cache was of another time, size, hash or release.
    Stale,
    /// From a zip, and nothing more was said.
    Zip,
    /// An extension module.
    Extension,
    /// Compiled into the interpreter, in C.
    BuiltIn,
    /// Compiled into the interpreter, from Python (3.11 and later: `os`, `abc`, `codecs`, …).
    Frozen,
    /// A folder without `__init__`.
    Namespace,
    /// By a loader of the program's own.
    Other,
}

impl Origin {
    /// All of them.
    pub const ALL: [Origin; 9] = [
        Origin::Cache,
        Origin::Compiled,
        Origin::Stale,
        Origin::Zip,
        Origin::Extension,
        Origin::BuiltIn,
        Origin::Frozen,
        Origin::Namespace,
        Origin::Other,
    ];

    /// A word for JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Origin::Cache => "cache",
            Origin::Compiled => "compiled",
            Origin::Stale => "stale",
            Origin::Zip => "zip",
            Origin::Extension => "extension",
            Origin::BuiltIn => "built-in",
            Origin::Frozen => "frozen",
            Origin::Namespace => "namespace",
            Origin::Other => "other",
        }
    }
}

/// A module that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Where from.
    pub origin: Origin,
    /// Its source, or what else it was loaded from, as the interpreter writes it: an absolute path,
    /// or one relative to the folder that the program was started in. None of what is in no file.
    /// Of a module in a zip the member that was taken, `.py` or `.pyc`, behind the path of the zip.
    pub file: Option<String>,
    /// It is in a zip.
    pub zipped: bool,
}

impl Loaded {
    fn nowhere(origin: Origin) -> Loaded {
        Loaded { origin, file: None, zipped: false }
    }

    fn zipped(origin: Origin, file: Option<String>) -> Loaded {
        Loaded { origin, file, zipped: true }
    }
}

/// What was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verbose {
    /// By dotted name: modules that were loaded to their end.
    pub modules: BTreeMap<String, Loaded>,
    /// Sources and caches whose code was made or read for no module of `modules`: what `-m` runs, and
    /// modules that raised an exception. With [`Origin::Cache`], [`Origin::Compiled`] or
    /// [`Origin::Stale`].
    pub others: Vec<Loaded>,
}

impl Verbose {
    /// Reads what [`crate::Collector`] kept. Never fails.
    #[must_use]
    pub fn parse(text: &[u8]) -> Verbose {
        let mut reader = Reader::default();
        for line in text.split(|byte| *byte == b'\n') {
            // Names and paths that are no UTF-8 are written with escapes.
            let line = String::from_utf8_lossy(line);
            let line = line.trim_end();
            if line == FIRST && reader.modules.contains_key(FIRST_MODULE) {
                break;
            }
            pieces(line).into_iter().for_each(|piece| reader.line(piece));
        }
        reader.finish()
    }

    /// How many modules there are of an origin.
    #[must_use]
    pub fn count(&self, origin: Origin) -> usize {
        self.modules.values().filter(|module| module.origin == origin).count()
    }

    /// How many modules there are in zips.
    #[must_use]
    pub fn zipped(&self) -> usize {
        self.modules.values().filter(|module| module.zipped).count()
    }
}

/// What each interpreter says before all else, and the module that it is about.
const FIRST: &str = "import _frozen_importlib # frozen";
const FIRST_MODULE: &str = "_frozen_importlib";

/// How remarks that matter here begin.
const BEGINNINGS: [&str; 8] = [
    "# code object from ",
    "# trying ",
    "# extension module ",
    "# bytecode is stale for ",
    "# bad magic number in ",
    "# /",
    "# cleanup[",
    "import '",
];

/// The remarks of a line, which threads may have written into one.
fn pieces(line: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = BEGINNINGS
        .into_iter()
        .flat_map(|beginning| line.match_indices(beginning).map(|(at, _)| at))
        .chain([0])
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([line.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| line.get(*start..end)).collect()
}

/// Code that is there, and belongs to no module yet.
struct Code {
    /// What it was read from.
    file: String,
    cached: bool,
}

#[derive(Default)]
struct Reader {
    modules: BTreeMap<String, Loaded>,
    code: Vec<Code>,
    /// Cache → source, as `matches` said.
    matched: BTreeMap<String, String>,
    stale: BTreeSet<String>,
    extensions: BTreeMap<String, String>,
    /// Sources and caches that were looked for, and when last.
    tried: BTreeMap<String, usize>,
    tries: usize,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("# ") {
            self.remark(rest);
        } else if let Some(rest) = line.strip_prefix("import ") {
            self.import(rest);
        }
    }

    fn remark(&mut self, rest: &str) {
        if let Some(file) = rest.strip_prefix("trying ") {
            if file.ends_with(".py") || file.ends_with(".pyc") {
                self.tries = self.tries.saturating_add(1);
                self.tried.insert(file.to_owned(), self.tries);
            }
        } else if let Some(file) = rest.strip_prefix("code object from ") {
            let quoted = unquoted(file);
            let code =
                Code { cached: quoted.is_some(), file: quoted.unwrap_or_else(|| file.to_owned()) };
            self.code.push(code);
        } else if let Some((cache, source)) = rest.split_once(" matches ") {
            self.matched.insert(cache.to_owned(), source.to_owned());
        } else if let Some(rest) = rest.strip_prefix("bytecode is stale for ") {
            self.stale.extend(unquoted(rest));
        } else if let Some(rest) = rest.strip_prefix("bad magic number in ") {
            let name = rest.split_once("': ").map_or(rest, |(name, _)| name);
            self.stale.insert(name.trim_matches('\'').to_owned());
        } else if let Some((name, file)) =
            rest.strip_prefix("extension module ").and_then(|rest| rest.split_once(" loaded from "))
            && let (Some(name), Some(file)) = (unquoted(name), unquoted(file))
        {
            self.extensions.insert(name, file);
        }
    }

    fn import(&mut self, rest: &str) {
        let Some((name, how)) = rest.split_once(" # ") else { return };
        let quoted = unquoted(name);
        let name = quoted.clone().unwrap_or_else(|| name.to_owned());
        if name.is_empty() || name.contains(|letter: char| letter.is_control()) {
            return;
        }
        let loaded = match quoted {
            // Of the first modules of all, and up to 3.9 of those in zips.
            None if how == "frozen" => Loaded::nowhere(Origin::Frozen),
            None if how == "builtin" => Loaded::nowhere(Origin::BuiltIn),
            None => match how.strip_prefix("loaded from Zip ") {
                Some(file) => self.member(&name, file.to_owned()),
                None => return,
            },
            Some(_) => self.loaded(&name, how),
        };
        self.modules.insert(name, loaded);
    }

    fn loaded(&mut self, name: &str, loader: &str) -> Loaded {
        let is = |kind: &str| loader.contains(kind);
        if is("BuiltinImporter") {
            return Loaded::nowhere(Origin::BuiltIn);
        }
        if is("FrozenImporter") {
            return Loaded::nowhere(Origin::Frozen);
        }
        if is("ExtensionFileLoader") {
            let file = self.extensions.remove(name);
            return Loaded { origin: Origin::Extension, file, zipped: false };
        }
        if is("zipimporter") {
            return self.in_zip(name, loader);
        }
        if is("NamespaceLoader") {
            return Loaded::nowhere(Origin::Namespace);
        }
        let at = self.code.iter().rposition(|code| belongs(self.source(code), name));
        let Some(at) = at else { return Loaded::nowhere(Origin::Other) };
        let code = self.code.remove(at);
        self.told(&code, Some(name))
    }

    fn source<'a>(&'a self, code: &'a Code) -> &'a str {
        self.matched.get(&code.file).map_or(code.file.as_str(), String::as_str)
    }

    fn told(&self, code: &Code, name: Option<&str>) -> Loaded {
        let origin = match (code.cached, name.is_some_and(|name| self.stale.contains(name))) {
            (true, _) => Origin::Cache,
            (false, true) => Origin::Stale,
            (false, false) => Origin::Compiled,
        };
        Loaded { origin, file: Some(self.source(code).to_owned()), zipped: false }
    }

    /// What was tried last of all that may hold a module of this name in a folder of a zip.
    fn in_zip(&self, name: &str, loader: &str) -> Loaded {
        let Some(folder) = zip_path(loader) else { return Loaded::zipped(Origin::Zip, None) };
        let last = name.rsplit('.').next().unwrap_or(name);
        let candidates = ["/__init__.pyc", "/__init__.py", ".pyc", ".py"]
            .map(|ending| format!("{folder}/{last}{ending}"));
        let latest = candidates
            .into_iter()
            .filter_map(|file| Some((*self.tried.get(&file)?, file)))
            .max_by_key(|(when, _)| *when);
        match latest {
            Some((_, file)) => self.member(name, file),
            None => Loaded::zipped(Origin::Zip, Some(folder)),
        }
    }

    /// A module whose code was taken from this member of a zip.
    fn member(&self, name: &str, file: String) -> Loaded {
        let origin = match (file.ends_with(".pyc"), self.stale.contains(name)) {
            (true, _) => Origin::Cache,
            (false, true) => Origin::Stale,
            (false, false) => Origin::Compiled,
        };
        Loaded::zipped(origin, Some(file))
    }

    fn finish(self) -> Verbose {
        let others = self.code.iter().map(|code| self.told(code, None)).collect();
        Verbose { modules: self.modules, others }
    }
}

/// Whether a path ends as the name of a module does: `…/a/b.py`, `…/a/b/__init__.py`, and the same with
/// `.pyc`, also in `__pycache__` with a tag. Of the name only the last part is looked at: packages may
/// look for their modules anywhere.
fn belongs(path: &str, name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let mut parts = path.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    if stem != "__init__" || last == "__init__" {
        return stem == last;
    }
    let folder = parts.find(|part| *part != "__pycache__").unwrap_or_default();
    folder == last
}

/// `'text'` or `"text"` of Python's `repr`.
fn unquoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut out = String::with_capacity(inside.len());
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next()? {
                other @ ('\\' | '\'' | '"') => out.push(other),
                other => out.extend(['\\', other]),
            },
            other => out.push(other),
        }
    }
    Some(out)
}

/// `<zipimporter object "/x/app.pyz/">`.
fn zip_path(loader: &str) -> Option<String> {
    let (_, rest) = loader.split_once('"')?;
    Some(rest.split('"').next()?.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests;
