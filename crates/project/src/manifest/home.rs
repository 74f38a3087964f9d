//! Where the workspace is: the search for settings from a folder upwards, and what is taken for
//! the root when there are none. Knows nothing of what the settings say.
//!
//! Settings win, the nearest first. Without any, the root is the nearest folder with a
//! `pyproject.toml` (or the uv workspace above that lists it, or the cargo workspace around), else
//! the nearest cargo workspace, else the repository (`.git`), else the folder itself; nothing
//! outside the repository counts then.

use std::path::{Path, PathBuf};

use toml_edit::TableLike;

use super::cargo::{CargoWorkspace, cargo_workspace};
use super::document::{ManifestFile, Notes, lookup};
use super::problem::{LocatedProblem, WorkspaceError};
use crate::discover::lists_folder;

/// The workspace's root and the file that holds its settings.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) root: PathBuf,
    pub(crate) settings: Option<(SettingsKind, ManifestFile)>,
    /// Asked only when a `Cargo.toml` holds the settings or is named.
    pub(crate) cargo: Option<CargoWorkspace>,
}

/// Which table of which file holds settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettingsKind {
    Bytekiln,
    Pyproject,
    CargoWorkspace,
    CargoPackage,
}

impl SettingsKind {
    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            SettingsKind::Bytekiln => &[],
            SettingsKind::Pyproject => &["tool", "bytekiln"],
            SettingsKind::CargoWorkspace => &["workspace", "metadata", "bytekiln"],
            SettingsKind::CargoPackage => &["package", "metadata", "bytekiln"],
        }
    }

    pub(crate) fn file_name(self) -> &'static str {
        match self {
            SettingsKind::Bytekiln => "bytekiln.toml",
            SettingsKind::Pyproject => "pyproject.toml",
            SettingsKind::CargoWorkspace | SettingsKind::CargoPackage => "Cargo.toml",
        }
    }

    fn described(self) -> String {
        match self {
            SettingsKind::Bytekiln => "`bytekiln.toml`".to_owned(),
            _ => format!("`[{}]` in `{}`", self.keys().join("."), self.file_name()),
        }
    }

    /// The table, if the file has it and it is one.
    pub(crate) fn table(self, file: &ManifestFile) -> Option<&dyn TableLike> {
        lookup(file.document.as_item(), self.keys())?.as_table_like()
    }
}

/// The settings that stand in a folder itself: every kind that is there.
pub(crate) fn own_settings(
    folder: &Path,
    notes: &mut Notes,
) -> Result<Vec<(SettingsKind, ManifestFile)>, LocatedProblem> {
    let mut found = Vec::new();
    let path = folder.join("bytekiln.toml");
    if let Some(file) = notes.read(&path)? {
        found.push((SettingsKind::Bytekiln, file));
    }
    for (name, kinds) in [
        ("pyproject.toml", &[SettingsKind::Pyproject][..]),
        ("Cargo.toml", &[SettingsKind::CargoWorkspace, SettingsKind::CargoPackage][..]),
    ] {
        let path = folder.join(name);
        notes.watch(&path);
        let Some(text) = super::document::read_if_there(&path)? else { continue };
        // Files of others are parsed only when they speak of us: a broken one elsewhere on the
        // way up is not ours to report.
        if !text.contains("bytekiln") {
            continue;
        }
        let file = ManifestFile::parse(&path, text)?;
        if let Some(kind) = kinds.iter().find(|kind| file.get(kind.keys()).is_some()) {
            found.push((*kind, file));
        }
    }
    Ok(found)
}

/// Finds the workspace: see the module.
pub(crate) fn locate(
    start: &Path,
    manifest_path: Option<&Path>,
    notes: &mut Notes,
) -> Result<Home, WorkspaceError> {
    match manifest_path {
        Some(path) => named(&absolute(path, start)?, notes),
        None => search(&absolute(start, Path::new(""))?, notes),
    }
}

fn absolute(path: &Path, start: &Path) -> Result<PathBuf, LocatedProblem> {
    start.join(path).canonicalize().map_err(|error| LocatedProblem {
        path: path.into(),
        place: None,
        message: match error.kind() {
            std::io::ErrorKind::NotFound => "no such file or folder".to_owned(),
            _ => format!("cannot be opened: {error}"),
        },
        hint: None,
    })
}

/// `--manifest-path`: that file or folder, and nothing above it.
fn named(path: &Path, notes: &mut Notes) -> Result<Home, WorkspaceError> {
    if path.is_dir() {
        let mut found = own_settings(path, notes)?;
        refuse_two(path, &found)?;
        let settings = found.pop();
        let cargo = match &settings {
            Some((SettingsKind::CargoWorkspace | SettingsKind::CargoPackage, file)) => {
                Some(cargo_workspace(&file.path)?)
            }
            _ => None,
        };
        return Ok(Home { root: path.into(), settings, cargo });
    }
    let root = path.parent().unwrap_or(path).to_owned();
    let kinds: &[SettingsKind] = match path.file_name().and_then(|name| name.to_str()) {
        Some("bytekiln.toml") => &[SettingsKind::Bytekiln],
        Some("pyproject.toml") => &[SettingsKind::Pyproject],
        Some("Cargo.toml") => &[SettingsKind::CargoWorkspace, SettingsKind::CargoPackage],
        _ => {
            return Err(WorkspaceError::of(
                path,
                "not a manifest".into(),
                Some(
                    "name a `bytekiln.toml`, `pyproject.toml` or `Cargo.toml`, or a folder".into(),
                ),
            ));
        }
    };
    let Some(file) = notes.read(path)? else {
        return Err(WorkspaceError::of(path, "no such file".into(), None));
    };
    let cargo = match kinds.contains(&SettingsKind::CargoPackage) {
        true => Some(cargo_workspace(path)?),
        false => None,
    };
    let kind = kinds.iter().find(|kind| file.get(kind.keys()).is_some());
    Ok(Home { root, settings: kind.map(|kind| (*kind, file)), cargo })
}

fn search(start: &Path, notes: &mut Notes) -> Result<Home, WorkspaceError> {
    let start = if start.is_dir() { start } else { start.parent().unwrap_or(start) };
    // The cargo workspace of a package met on the way up that has a table of its own.
    let mut around: Option<CargoWorkspace> = None;
    for folder in start.ancestors() {
        let mut found = own_settings(folder, notes)?;
        if let Some(at) = found.iter().position(|(kind, _)| *kind == SettingsKind::CargoPackage)
            && let Some((_, file)) = found.get(at)
        {
            // A package's table speaks for the workspace only if the package is its root.
            let cargo = cargo_workspace(&file.path)?;
            if cargo.root != folder {
                found.remove(at);
                around = Some(cargo);
            }
        }
        refuse_two(folder, &found)?;
        if let Some((kind, file)) = found.pop() {
            let cargo = match kind {
                SettingsKind::CargoWorkspace | SettingsKind::CargoPackage => {
                    Some(cargo_workspace(&file.path)?)
                }
                SettingsKind::Bytekiln | SettingsKind::Pyproject => None,
            };
            return Ok(Home { root: folder.into(), settings: Some((kind, file)), cargo });
        }
        if let Some(cargo) = around.take_if(|cargo| cargo.root == folder) {
            return Ok(Home { root: folder.into(), settings: None, cargo: Some(cargo) });
        }
    }
    Ok(Home { root: root_without_settings(start, notes)?, settings: None, cargo: None })
}

fn refuse_two(folder: &Path, found: &[(SettingsKind, ManifestFile)]) -> Result<(), LocatedProblem> {
    let [first, second, ..] = found else { return Ok(()) };
    Err(LocatedProblem {
        path: folder.into(),
        place: None,
        message: format!(
            "two manifests in one folder: {} and {}",
            first.0.described(),
            second.0.described()
        ),
        hint: Some("keep the settings in one of them".into()),
    })
}

fn root_without_settings(start: &Path, notes: &mut Notes) -> Result<PathBuf, LocatedProblem> {
    let mut project: Option<&Path> = None;
    let mut cargo: Option<&Path> = None;
    for folder in start.ancestors() {
        if let Some(file) = notes.read(&folder.join("pyproject.toml"))? {
            let uv = file.get(&["tool", "uv", "workspace"]).is_some();
            match project {
                None => project = Some(folder),
                Some(inner) if uv && lists_folder(&file, folder, inner) => {
                    return Ok(folder.into());
                }
                Some(_) => {}
            }
            if uv && project == Some(folder) {
                return Ok(folder.into());
            }
        }
        let manifest = folder.join("Cargo.toml");
        notes.watch(&manifest);
        if cargo.is_none()
            && super::document::read_if_there(&manifest)?
                .is_some_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
        {
            cargo = Some(folder);
        }
        // A `.git` that is a file marks a worktree or submodule: a repository all the same.
        if folder.join(".git").exists() {
            return Ok(project.or(cargo).unwrap_or(folder).into());
        }
    }
    Ok(project.or(cargo).unwrap_or(start).into())
}
