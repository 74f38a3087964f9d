//! What there is to verify: opens what was named on the command line, and pairs each `.pyc` with its
//! source as the import system would. Knows nothing of what is in a `.pyc`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;
use bytekiln_artifact::{
    Artifact, Container, EntryKind, EntryProblem, EntryProblemKind, LocatedKind, OpenOptions,
    locate,
};
use bytekiln_codec::Limits;
use bytekiln_python::{OptimizationLevel, parse_cache_file_name};

use super::verdict::{NameSays, Place, Subject};
use crate::failure::CommandFailure;

/// Everything that was named, opened.
pub(super) struct Inventory {
    /// As typed.
    pub arguments: Vec<Argument>,
    /// Every `.pyc`, in the order of arguments and paths.
    pub subjects: Vec<Subject>,
    /// What was left out, for the user to know.
    pub warnings: Vec<String>,
    artifacts: Vec<Artifact>,
    options: OpenOptions,
}

/// One path of the command line.
pub(super) struct Argument {
    /// As typed.
    pub typed: PathBuf,
    /// From the root of the file system.
    pub absolute: PathBuf,
    /// A `.pyc` that was named itself: its subject has the whole name.
    pub is_file: bool,
}

/// Which entries are meant.
#[derive(Default)]
struct Part {
    /// Only those below this path.
    inside: RepoPath,
    /// And not below this one.
    without: Option<RepoPath>,
}

impl Part {
    fn has(&self, path: &RepoPath) -> bool {
        let left_out = |without: &RepoPath| path.strip_prefix(without).is_some();
        path.strip_prefix(&self.inside).is_some() && !self.without.as_ref().is_some_and(left_out)
    }
}

impl Inventory {
    /// Opens all of `paths`, as seen from `start`. Folders have a second place for their caches,
    /// below `pycache_prefix`.
    pub(super) fn take(
        paths: &[PathBuf],
        pycache_prefix: Option<&Path>,
        start: &Path,
        jobs: NonZeroUsize,
    ) -> Result<Inventory, CommandFailure> {
        let mut inventory = Inventory {
            arguments: Vec::new(),
            subjects: Vec::new(),
            warnings: Vec::new(),
            artifacts: Vec::new(),
            options: OpenOptions::new(jobs),
        };
        for typed in paths {
            let absolute = start.join(typed);
            let located = locate(&absolute).map_err(|error| {
                CommandFailure::artifact(&error).hint("name folders, archives or .pyc files")
            })?;
            let is_file = located.kind == LocatedKind::File
                && absolute.extension() == Some(OsStr::new("pyc"));
            let argument = inventory.arguments.len();
            inventory.arguments.push(Argument {
                typed: typed.clone(),
                absolute: absolute.clone(),
                is_file,
            });
            if is_file {
                inventory.subjects.extend(lone_file(argument, typed, &absolute));
                continue;
            }
            let sources = inventory.open(&located.path)?;
            let part = Part { inside: located.inside, without: None };
            let folder = located.kind == LocatedKind::Directory;
            let Some(prefix) = pycache_prefix.filter(|_| folder) else {
                inventory.list(argument, sources, sources, &part);
                continue;
            };
            let real = std::fs::canonicalize(&absolute).unwrap_or(absolute);
            let prefix = start.join(prefix);
            let prefix = std::fs::canonicalize(&prefix).unwrap_or(prefix);
            let nested = prefix.strip_prefix(&real).ok();
            let without = nested.and_then(|path| RepoPath::new(path.as_os_str().as_bytes()));
            inventory.list(argument, sources, sources, &Part { without, ..part });
            let caches = prefix.join(real.strip_prefix("/").unwrap_or(&real));
            // If it is not there, nothing of this folder was ever imported.
            if caches.is_dir() {
                let caches = inventory.open(&caches)?;
                inventory.list(argument, caches, sources, &Part::default());
            }
        }
        Ok(inventory)
    }

    fn open(&mut self, path: &Path) -> Result<usize, CommandFailure> {
        let artifact = Artifact::open(path, &self.options).map_err(|error| {
            CommandFailure::artifact(&error).hint(
                "nothing in it could be verified; folders, zips, wheels, tars and tar.gz are read",
            )
        })?;
        self.artifacts.push(artifact);
        Ok(self.artifacts.len() - 1)
    }

    /// Lists the caches of one artifact whose sources are in another, or in itself.
    fn list(&mut self, argument: usize, caches: usize, sources: usize, part: &Part) {
        let (Some(holder), Some(source_holder)) =
            (self.artifacts.get(caches), self.artifacts.get(sources))
        else {
            return;
        };
        let apart = caches != sources;
        let mut subjects = Vec::new();
        for (entry, listed) in holder.entries().iter().enumerate() {
            let path = &listed.path;
            let is_cache =
                path.as_bytes().ends_with(b".pyc") && listed.kind != EntryKind::Directory;
            if !is_cache || !part.has(path) {
                continue;
            }
            let is_there = |path: &RepoPath| {
                let found = source_holder.find(path)?;
                let kind = &source_holder.entries().get(found)?.kind;
                (*kind != EntryKind::Directory).then_some(found)
            };
            let (name, source) = pair(path, apart, |path| is_there(path).is_some());
            let place = is_there(&source).map(|entry| place(source_holder, sources, entry));
            let too_large = listed.size > u64::from(Limits::DEFAULT.payload_bytes) + 16;
            let trouble = too_large.then(|| format!("it is too large: {} bytes", listed.size));
            subjects.push(Subject {
                argument,
                path: path.clone(),
                source: (source, place),
                place: self::place(holder, caches, entry),
                name,
                trouble,
            });
        }
        let of_part = |name: &[u8]| RepoPath::new(name).is_none_or(|path| part.has(&path));
        let mut problems = Vec::new();
        for problem in holder.problems().iter().filter(|problem| of_part(&problem.name)) {
            let leads_outside = problem.kind == EntryProblemKind::LinkLeadsOutside
                && holder.container() == Container::Directory;
            let target = holder.path().join(OsStr::from_bytes(&problem.name));
            if !leads_outside {
                problems.push(problem);
            } else if target.is_dir() {
                let target = target.display();
                let text = format!("`{target}` leads elsewhere, and was not looked at");
                self.warnings.push(text);
            }
        }
        trouble(&mut subjects, argument, &problems);
        self.subjects.append(&mut subjects);
    }

    /// The bytes of a place.
    pub(super) fn read(&self, place: &Place) -> Result<Vec<u8>, String> {
        match place {
            Place::Member { artifact, entry } => match self.artifacts.get(*artifact) {
                Some(artifact) => artifact.read(*entry).map_err(|error| error.to_string()),
                None => Err("it is nowhere".to_owned()),
            },
            Place::File(path) => read_file(path, self.options.max_file_bytes)
                .map_err(|error| format!("could not read `{}`: {error}", path.display())),
        }
    }
}

/// Where an entry is. Links of a folder to files elsewhere are followed, as imports do: so are
/// trees made that share files with a store.
fn place(artifact: &Artifact, index: usize, entry: usize) -> Place {
    let path = artifact.entries().get(entry).map(|entry| entry.path.as_bytes());
    match path {
        Some(path)
            if artifact.container() == Container::Directory
                && artifact.resolve(entry).is_none() =>
        {
            Place::File(artifact.path().join(OsStr::from_bytes(path)))
        }
        Some(_) | None => Place::Member { artifact: index, entry },
    }
}

/// The bytes of a regular file: a link may lead to anything.
fn read_file(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let refused = |why| std::io::Error::new(std::io::ErrorKind::InvalidInput, why);
    // Before it is opened: a pipe would wait for a writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(refused("it is no file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(refused("it is too large"));
    }
    Ok(bytes)
}

/// What the reader of an artifact refused or found twice is never passed over: CPython may read
/// another one of two entries than we do.
fn trouble(subjects: &mut Vec<Subject>, argument: usize, problems: &[&EntryProblem]) {
    if problems.is_empty() {
        return;
    }
    let mut by_path: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (index, subject) in subjects.iter().enumerate() {
        by_path.entry(subject.path.as_bytes()).or_default().push(index);
        by_path.entry(subject.source.0.as_bytes()).or_default().push(index);
    }
    let mut troubled: Vec<(usize, String)> = Vec::new();
    let mut unlisted: BTreeMap<RepoPath, String> = BTreeMap::new();
    for problem in problems {
        if let Some(indices) = by_path.get(problem.name.as_slice()) {
            troubled.extend(indices.iter().map(|index| (*index, problem.to_string())));
        } else if problem.name.ends_with(b".pyc")
            // Whatever is in a folder that cannot be listed.
            || matches!(problem.kind, EntryProblemKind::Unreadable(_))
        {
            unlisted.insert(without_dots(&problem.name), problem.to_string());
        }
    }
    for (index, what) in troubled {
        if let Some(subject) = subjects.get_mut(index) {
            subject.trouble = Some(what);
        }
    }
    subjects.extend(unlisted.into_iter().map(|(path, what)| Subject {
        argument,
        source: (path.clone(), None),
        path,
        place: Place::File(PathBuf::new()),
        name: NameSays::Nothing,
        trouble: Some(what),
    }));
}

/// A name that need not be a path, as one.
fn without_dots(name: &[u8]) -> RepoPath {
    let parts = name.split(|byte| *byte == b'/');
    let parts: Vec<&[u8]> =
        parts.filter(|part| !matches!(*part, b"" | b"." | b"..") && !part.contains(&0)).collect();
    RepoPath::new(&parts.join(&b'/')).unwrap_or_default()
}

/// A file that was named itself.
fn lone_file(argument: usize, typed: &Path, absolute: &Path) -> Option<Subject> {
    let name = absolute.file_name()?.as_bytes();
    let folder = absolute.parent()?;
    let (base, below) = if folder.file_name() == Some(OsStr::new("__pycache__")) {
        (folder.parent()?, RepoPath::new(b"__pycache__")?.join(name))
    } else {
        (folder, RepoPath::new(name)?)
    };
    let at = |path: &RepoPath| base.join(OsStr::from_bytes(path.as_bytes()));
    let (name, source) = pair(&below, false, |path| at(path).is_file());
    let place = Some(at(&source)).filter(|source| source.is_file()).map(Place::File);
    Some(Subject {
        argument,
        path: without_dots(typed.as_os_str().as_bytes()),
        place: Place::File(absolute.to_owned()),
        source: (source, place),
        name,
        trouble: None,
    })
}

/// What a cache's name says, and where its source must be. `flat`: the tree has caches only, in
/// the folders of their sources (PEP 304's successor, `sys.pycache_prefix`).
fn pair(path: &RepoPath, flat: bool, is_there: impl Fn(&RepoPath) -> bool) -> (NameSays, RepoPath) {
    let folder = path.parent().unwrap_or_default();
    let name = path.file_name();
    let with_suffix = |stem: &[u8]| [stem, b".py"].concat();
    if flat || folder.file_name() == b"__pycache__" {
        let base = if flat { folder } else { folder.parent().unwrap_or_default() };
        if let Some((stem, says)) = tagged(name) {
            return (says, base.join(&with_suffix(stem)));
        }
        return (NameSays::Nothing, base.join(&with_suffix(path.stem())));
    }
    let source = folder.join(&with_suffix(path.stem()));
    if !is_there(&source)
        && let Some((stem, says)) = tagged(name)
    {
        let other = folder.join(&with_suffix(stem));
        if is_there(&other) {
            return (says, other);
        }
    }
    (NameSays::Nothing, source)
}

/// As [`parse_cache_file_name`], and with the tags of other implementations (`pypy310`) and levels
/// beyond 2: `python -OOO` writes `.opt-3`, and compiles as with `-OO`.
fn tagged(name: &[u8]) -> Option<(&[u8], NameSays)> {
    let base = name.strip_suffix(b".pyc")?;
    let last_part = |base: &[u8]| base.iter().rposition(|byte| *byte == b'.');
    let after = |base: &'_ [u8], dot: usize| base.get(dot + 1..).unwrap_or_default().to_vec();
    let beyond = last_part(base).filter(|dot| {
        let optimization = after(base, *dot);
        let level = optimization.strip_prefix(b"opt-").unwrap_or_default();
        !level.is_empty() && level.iter().all(u8::is_ascii_digit) && !matches!(level, b"1" | b"2")
    });
    let tagged = |tag: &str, level| NameSays::Tagged { tag: tag.to_owned(), level };
    if beyond.is_none()
        && let Some((stem, tag, level)) = parse_cache_file_name(name)
    {
        return Some((stem, tagged(tag, level)));
    }
    let (base, level) = match beyond {
        Some(dot) if base.ends_with(b".opt-0") => (base.get(..dot)?, OptimizationLevel::Zero),
        Some(dot) => (base.get(..dot)?, OptimizationLevel::Two),
        None => (base, OptimizationLevel::Zero),
    };
    let dot = last_part(base)?;
    let (stem, tag) = (base.get(..dot)?, std::str::from_utf8(base.get(dot + 1..)?).ok()?);
    let is_tag = tag.ends_with(|last: char| last.is_ascii_alphanumeric())
        && tag.contains(|character: char| character.is_ascii_digit())
        && tag.starts_with(|first: char| first.is_ascii_lowercase());
    (!stem.is_empty() && is_tag).then(|| (stem, tagged(tag, level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, flat: bool, there: &[&str], expect: &str) {
        let path = RepoPath::new(path.as_bytes()).unwrap_or_default();
        let is_there = |path: &RepoPath| there.contains(&path.to_string().as_str());
        let (says, source) = pair(&path, flat, is_there);
        let says = match says {
            NameSays::Tagged { tag, level } => format!("{tag} {level}"),
            NameSays::Nothing => "any".to_owned(),
        };
        assert_eq!(format!("{source} {says}"), expect);
    }

    #[test]
    fn caches_are_paired_with_their_sources() {
        check("a/__pycache__/m.cpython-311.pyc", false, &[], "a/m.py cpython-311 0");
        check("__pycache__/m.v1.cpython-311.opt-2.pyc", false, &[], "m.v1.py cpython-311 2");
        check("a/__pycache__/m.pypy310.pyc", false, &[], "a/m.py pypy310 0");
        check("a/__pycache__/m.cpython-38.opt-3.pyc", false, &[], "a/m.py cpython-38 2");
        check("a/__pycache__/m.pyc", false, &[], "a/m.py any");
        check("a/m.pyc", false, &[], "a/m.py any");
        check("a/m.cpython-311.opt-1.pyc", false, &["a/m.py"], "a/m.py cpython-311 1");
        check("a/m.cpython-311.pyc", false, &["a/m.cpython-311.py"], "a/m.cpython-311.py any");
        check("a/m.cpython-311.pyc", true, &[], "a/m.py cpython-311 0");
    }
}
