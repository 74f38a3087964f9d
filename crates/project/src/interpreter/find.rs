//! Where interpreters are looked for, in which order. The environment is an argument.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytekiln_action::Toolchain;

use super::identities::Identities;
use super::probe::{LIMIT, outcome};
use super::shims::selected;
use super::{Interpreter, InterpreterError, InterpreterFault};
use crate::InterpreterSpec;
use crate::index::Watch;
use crate::path::{normalize, show};

/// What the environment says of places for interpreters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPath {
    /// `PATH`.
    pub path_variable: Option<OsString>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `PYENV_ROOT`; without it `~/.pyenv`.
    pub pyenv_root: Option<PathBuf>,
    /// Further folders with interpreters, looked in before all others.
    pub folders: Vec<PathBuf>,
    /// `uv`'s executable, if it may be asked: `uv python find`.
    pub uv: Option<PathBuf>,
}

impl SearchPath {
    /// Folders of `PATH`, absolute ones only. pyenv's shims are replaced by what they would start
    /// in `root`; the files that decide it are put with the evidence. Other managers' shims are
    /// left out: what they start depends on the folder they are started in.
    fn path_folders(&self, root: &Path, evidence: &mut Vec<Watch>) -> Vec<PathBuf> {
        let Some(path) = &self.path_variable else { return Vec::new() };
        let shims = self.pyenv().map(|pyenv| pyenv.join("shims"));
        let mut folders = Vec::new();
        for folder in std::env::split_paths(path).filter(|folder| folder.is_absolute()) {
            if let Some(pyenv) = self.pyenv().filter(|_| shims.as_ref() == Some(&folder)) {
                let (bins, looked_at) = selected(&pyenv, root);
                folders.extend(bins);
                evidence.extend(looked_at.into_iter().map(Watch::take));
            } else if folder.file_name() != Some(OsStr::new("shims")) {
                folders.push(folder);
            }
        }
        folders
    }

    pub(super) fn pyenv(&self) -> Option<PathBuf> {
        self.pyenv_root
            .clone()
            .or_else(|| self.home.as_ref().map(|home| home.join(".pyenv")))
            .filter(|root| root.is_absolute())
    }
}

/// Finds each of `specs`, or with none of them the workspace's own: `.venv`, else what
/// `.python-version` names, else `python3` on `PATH`. Interpreters of equal identity come once.
/// Identities are kept in `state_dir`.
///
/// # Errors
/// The first that cannot be found or used. Interpreters whose outputs would collide are for
/// [`crate::load`] to refuse, which knows the layout.
pub fn find_interpreters(
    specs: &[InterpreterSpec],
    search: &SearchPath,
    root: &Path,
    state_dir: &Path,
) -> Result<Vec<Interpreter>, InterpreterError> {
    find_with(specs, search, root, Identities::read(state_dir))
}

/// As [`find_interpreters`], where identities are kept nowhere: each interpreter is started.
///
/// # Errors
/// The first that cannot be found or used.
pub fn find_interpreters_unkept(
    specs: &[InterpreterSpec],
    search: &SearchPath,
    root: &Path,
) -> Result<Vec<Interpreter>, InterpreterError> {
    find_with(specs, search, root, Identities::unkept())
}

fn find_with(
    specs: &[InterpreterSpec],
    search: &SearchPath,
    root: &Path,
    identities: Identities,
) -> Result<Vec<Interpreter>, InterpreterError> {
    let mut finder = Finder { search, root, identities };
    let mut found: Vec<Interpreter> = Vec::new();
    let mut add = |interpreter: Interpreter| match found
        .iter_mut()
        .find(|known| known.toolchain == interpreter.toolchain)
    {
        Some(known) => known.evidence.extend(interpreter.evidence),
        None => found.push(interpreter),
    };
    let result = if specs.is_empty() {
        finder.default().map(&mut add)
    } else {
        specs.iter().try_for_each(|spec| finder.find(spec).map(&mut add))
    };
    finder.identities.write();
    result.map(|()| found)
}

pub(super) struct Finder<'a> {
    pub(super) search: &'a SearchPath,
    pub(super) root: &'a Path,
    pub(super) identities: Identities,
}

/// One search: what it looked at.
#[derive(Default)]
struct Search {
    looked_in: Vec<PathBuf>,
    seen: Vec<(PathBuf, String)>,
    evidence: Vec<Watch>,
}

impl Search {
    /// Whether the file is there; either way the answer becomes evidence.
    fn is_there(&mut self, path: &Path) -> bool {
        let watch = Watch::take(path.to_owned());
        let there = watch.stamp.is_some_and(|stamp| !stamp.is_folder());
        self.evidence.push(watch);
        there
    }
}

impl Finder<'_> {
    fn find(&mut self, spec: &InterpreterSpec) -> Result<Interpreter, InterpreterError> {
        match spec {
            InterpreterSpec::Path(path) => {
                let executable = normalize(self.root, path);
                self.named(&show(path), executable, Vec::new())
            }
            InterpreterSpec::Command(command) => self.command(command, Search::default()),
            InterpreterSpec::Version { numbers, free_threaded } => {
                self.version(numbers, *free_threaded, Search::default())
            }
        }
    }

    fn default(&mut self) -> Result<Interpreter, InterpreterError> {
        let mut search = Search::default();
        let environment = self.root.join(".venv/bin/python");
        if search.is_there(&environment) {
            return self.named(".venv", environment, search.evidence);
        }
        let file = self.root.join(".python-version");
        if search.is_there(&file) {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let mut lines = text.lines().map(str::trim);
            let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
            let first = first.unwrap_or_default();
            let Some((numbers, free_threaded)) = parse_version(first) else {
                return Err(InterpreterError::VersionFile { path: file, text: first.to_owned() });
            };
            return self.version(&numbers, free_threaded, search);
        }
        self.command("python3", search)
    }

    /// The one executable that was named: any fault is an error.
    fn named(
        &mut self,
        wanted: &str,
        executable: PathBuf,
        mut evidence: Vec<Watch>,
    ) -> Result<Interpreter, InterpreterError> {
        match self.ask(&executable) {
            Ok((toolchain, files)) => {
                evidence.extend(files);
                Ok(Interpreter { executable, toolchain, evidence })
            }
            Err(fault) => {
                Err(InterpreterError::Unusable { wanted: wanted.to_owned(), executable, fault })
            }
        }
    }

    pub(super) fn ask(
        &mut self,
        executable: &Path,
    ) -> Result<(Arc<Toolchain>, Vec<Watch>), InterpreterFault> {
        let metadata = std::fs::metadata(executable).map_err(|_| InterpreterFault::Missing)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if !metadata.is_file() || mode & 0o111 == 0 {
            return Err(InterpreterFault::NotExecutable);
        }
        self.identities.of(executable)
    }

    fn command(
        &mut self,
        command: &str,
        mut search: Search,
    ) -> Result<Interpreter, InterpreterError> {
        for folder in self.folders(&mut search.evidence) {
            let executable = folder.join(command);
            search.looked_in.push(folder);
            if search.is_there(&executable) {
                return self.named(command, executable, search.evidence);
            }
        }
        Err(not_found(command.to_owned(), search))
    }

    pub(super) fn folders(&self, evidence: &mut Vec<Watch>) -> Vec<PathBuf> {
        let mut folders = self.search.folders.clone();
        folders.extend(self.search.path_folders(self.root, evidence));
        folders.extend([PathBuf::from("/usr/local/bin"), PathBuf::from("/usr/bin")]);
        let mut distinct: Vec<PathBuf> = Vec::new();
        for folder in folders {
            if !distinct.contains(&folder) {
                distinct.push(folder);
            }
        }
        distinct
    }

    /// The first interpreter of this version: in the given folders and on `PATH` by its own name
    /// (`python3.13`) or as `python3` or `python`, then pyenv's newest, then uv's.
    fn version(
        &mut self,
        numbers: &[u16],
        free_threaded: bool,
        mut search: Search,
    ) -> Result<Interpreter, InterpreterError> {
        let text = version_text(numbers, free_threaded);
        let short: Vec<String> = numbers.iter().take(2).map(u16::to_string).collect();
        let suffix = if free_threaded { "t" } else { "" };
        let names = [
            format!("python{}{suffix}", short.join(".")),
            "python3".to_owned(),
            "python".to_owned(),
        ];
        let folders = self.folders(&mut search.evidence);
        for name in &names {
            for folder in &folders {
                let executable = folder.join(name);
                if let Some(found) = self.candidate(executable, numbers, free_threaded, &mut search)
                {
                    return Ok(found);
                }
            }
        }
        search.looked_in.extend(folders);
        if let Some(pyenv) = self.search.pyenv() {
            let versions = pyenv.join("versions");
            search.evidence.push(Watch::take(versions.clone()));
            for folder in pyenv_folders(&versions, numbers) {
                let executable = folder.join("bin").join("python");
                if let Some(found) = self.candidate(executable, numbers, free_threaded, &mut search)
                {
                    return Ok(found);
                }
            }
            search.looked_in.push(versions);
        }
        if let Some(uv) = self.search.uv.clone() {
            let found = uv_python(&uv, &text, self.search);
            search.looked_in.push(uv);
            if let Some(executable) = found
                && let Some(found) = self.candidate(executable, numbers, free_threaded, &mut search)
            {
                return Ok(found);
            }
        }
        Err(not_found(text, search))
    }

    /// The executable, if it is there and of this version.
    fn candidate(
        &mut self,
        executable: PathBuf,
        numbers: &[u16],
        free_threaded: bool,
        search: &mut Search,
    ) -> Option<Interpreter> {
        if !search.is_there(&executable) {
            return None;
        }
        match self.ask(&executable) {
            Ok((toolchain, files)) => {
                if is_version(&toolchain, numbers, free_threaded) {
                    let mut evidence = std::mem::take(&mut search.evidence);
                    evidence.extend(files);
                    return Some(Interpreter { executable, toolchain, evidence });
                }
                search.seen.push((executable, toolchain.label()));
            }
            Err(fault) => search.seen.push((executable, fault.to_string())),
        }
        None
    }
}

fn not_found(wanted: String, search: Search) -> InterpreterError {
    let Search { looked_in, mut seen, .. } = search;
    seen.dedup_by(|a, b| a.1 == b.1);
    InterpreterError::NotFound { wanted, looked_in, seen }
}

fn version_text(numbers: &[u16], free_threaded: bool) -> String {
    let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
    format!("{}{}", numbers.join("."), if free_threaded { "t" } else { "" })
}

fn is_version(toolchain: &Toolchain, numbers: &[u16], free_threaded: bool) -> bool {
    // A pre-release's version (`3.15.0rc1`) has letters in its last number and is no `3.15.0`.
    let own: Vec<Option<u16>> =
        toolchain.version.split('.').map(|part| part.parse().ok()).collect();
    toolchain.free_threaded == free_threaded
        && numbers.iter().enumerate().all(|(at, number)| own.get(at) == Some(&Some(*number)))
}

/// `3.13`, `3.13.1t`, also as pyenv and uv write them: `cpython-3.13`, `cpython@3.13`.
pub(super) fn parse_version(text: &str) -> Option<(Vec<u16>, bool)> {
    let text =
        text.strip_prefix("cpython").map_or(text, |rest| rest.trim_start_matches(['-', '@']));
    let (text, free_threaded) = match text.strip_suffix('t') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let numbers: Option<Vec<u16>> = text.split('.').map(|part| part.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| (2..=3).contains(&numbers.len()))?;
    Some((numbers, free_threaded))
}

/// pyenv's installations of this version, the newest first.
pub(super) fn pyenv_folders(versions: &Path, numbers: &[u16]) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(versions) else { return Vec::new() };
    let mut folders: Vec<(Vec<u16>, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name();
            let (own, _) = parse_version(name.to_str()?)?;
            own.starts_with(numbers).then(|| (own, entry.path()))
        })
        .collect();
    folders.sort();
    folders.into_iter().rev().map(|(_, path)| path).collect()
}

/// What `uv python find` says; uv finds its own installations and downloads nothing.
pub(super) fn uv_python(uv: &Path, version: &str, search: &SearchPath) -> Option<PathBuf> {
    let mut command = Command::new(uv);
    command.args(["python", "find", "--offline", "--no-project", version]);
    command.env_clear().current_dir("/").stdin(Stdio::null());
    if let Some(home) = &search.home {
        command.env("HOME", home);
    }
    if let Some(path) = &search.path_variable {
        command.env("PATH", path);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    // A uv that fails or hangs has found nothing.
    let (status, printed, _) = outcome(command.spawn().ok()?, LIMIT).ok()?;
    let line = printed.split(|byte| *byte == b'\n').next().filter(|_| status.success())?;
    let path = crate::path::from_bytes(line.trim_ascii());
    path.is_absolute().then_some(path)
}
