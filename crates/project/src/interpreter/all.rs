//! All interpreters of some releases, for who has to find out which of them made a file. Never looks
//! beside the files in question: what lies there is not to be started.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bytekiln_python::Release;

use super::find::{Finder, SearchPath, parse_version, pyenv_folders, uv_python};
use super::identities::Identities;
use super::{Interpreter, InterpreterFault};

/// What was found, and where was looked.
#[derive(Debug, Default)]
pub struct Survey {
    /// Usable ones, each identity once, in the order in which a search would prefer them.
    pub found: Vec<Interpreter>,
    /// Folders.
    pub looked_in: Vec<PathBuf>,
    /// Interpreters that cannot be used, and why.
    pub unusable: Vec<(PathBuf, InterpreterFault)>,
}

/// Finds every interpreter of these releases: in the given folders and on `PATH` by its own name
/// (`python3.13`, `python3.13t`) or as `python3` or `python`, of pyenv and of uv, the newest first.
/// Patch releases and builds of one release are different interpreters. Identities are kept in
/// `state_dir`, if there is one, so that a second search starts none of them.
pub fn find_all_interpreters(
    releases: &[Release],
    search: &SearchPath,
    root: &Path,
    state_dir: Option<&Path>,
) -> Survey {
    let identities = state_dir.map_or_else(Identities::unkept, Identities::read);
    let mut finder = Finder { search, root, identities };
    let mut survey = Survey::default();
    if releases.is_empty() {
        return survey;
    }
    let mut asked = BTreeSet::new();
    // Nobody waits for a change of what was looked at.
    let folders = finder.folders(&mut Vec::new());
    let mut names: Vec<String> = Vec::new();
    for release in releases {
        names.extend([format!("python{release}"), format!("python{release}t")]);
    }
    names.extend(["python3".to_owned(), "python".to_owned()]);
    let mut candidates: Vec<PathBuf> = Vec::new();
    for name in &names {
        candidates.extend(folders.iter().map(|folder| folder.join(name)));
    }
    survey.looked_in = folders;
    for installations in installations(search) {
        for release in releases {
            let numbers = [3, u16::from(release.minor())];
            let own = pyenv_folders(&installations, &numbers);
            candidates.extend(own.iter().map(|folder| folder.join("bin/python3")));
        }
        candidates.extend(uv_installations(&installations, releases));
        survey.looked_in.push(installations);
    }
    for candidate in candidates {
        survey.consider(&mut finder, releases, candidate, &mut asked);
    }
    if let Some(uv) = &search.uv {
        for release in releases {
            let has = survey.found.iter().any(|found| found.toolchain.release == *release);
            // Asking costs a process; it may know of installations in places of its own.
            if !has && let Some(executable) = uv_python(uv, &release.to_string(), search) {
                survey.consider(&mut finder, releases, executable, &mut asked);
            }
        }
        survey.looked_in.push(uv.clone());
    }
    finder.identities.write();
    survey
}

impl Survey {
    fn consider(
        &mut self,
        finder: &mut Finder<'_>,
        releases: &[Release],
        executable: PathBuf,
        asked: &mut BTreeSet<PathBuf>,
    ) {
        // `python`, `python3` and `python3.13` are mostly one file.
        let Ok(real) = std::fs::canonicalize(&executable) else { return };
        if !asked.insert(real) {
            return;
        }
        match finder.ask(&executable) {
            Ok((toolchain, evidence)) => {
                let is_known = |found: &Interpreter| found.toolchain == toolchain;
                if releases.contains(&toolchain.release) && !self.found.iter().any(is_known) {
                    self.found.push(Interpreter { executable, toolchain, evidence });
                }
            }
            Err(fault) => self.unusable.push((executable, fault)),
        }
    }
}

/// Folders with an installation in each of their folders: pyenv's and uv's.
fn installations(search: &SearchPath) -> Vec<PathBuf> {
    let pyenv = search.pyenv().map(|pyenv| pyenv.join("versions"));
    let uv = search.home.as_ref().map(|home| home.join(".local/share/uv/python"));
    pyenv.into_iter().chain(uv).filter(|folder| folder.is_absolute()).collect()
}

/// uv names its folders `cpython-3.13.1+freethreaded-linux-x86_64-gnu`.
fn uv_installations(folder: &Path, releases: &[Release]) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(Vec<u16>, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix("cpython-")?.split(['-', '+']).next()?;
            let (numbers, _) = parse_version(version)?;
            let of = |release: &Release| numbers.starts_with(&[3, u16::from(release.minor())]);
            releases.iter().any(of).then(|| (numbers, entry.path().join("bin/python3")))
        })
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}
