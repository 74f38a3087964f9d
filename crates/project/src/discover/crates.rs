//! Members of mixed repositories: the Python folders of crates, as their own
//! `[package.metadata.bytekiln]` says. Knows nothing of crates without one.

use bytekiln_action::RepoPath;

use super::assemble::{Candidate, refine};
use super::pattern::{absolute, below, matches_pattern};
use crate::manifest::{
    Home, ManifestFile, MemberSettings, Notes, Settings, SettingsKind, read_package_settings,
};
use crate::model::MemberOrigin;

/// A crate that speaks of Python.
pub(crate) struct CrateFolder {
    pub(crate) folder: RepoPath,
    pub(crate) name: String,
    pub(crate) file: ManifestFile,
    pub(crate) settings: MemberSettings,
}

/// What a crate's own table says; `None` if it has none.
pub(crate) fn described_crate(
    folder: RepoPath,
    file: ManifestFile,
    name: Option<&str>,
    notes: &mut Notes,
) -> Option<CrateFolder> {
    let table = SettingsKind::CargoPackage.table(&file)?;
    let (settings, problems) = read_package_settings(&file, table);
    notes.errors.extend(problems);
    let name = name.or_else(|| file.get_str(&["package", "name"]))?.to_owned();
    Some(CrateFolder { folder, name, file, settings })
}

/// Crates of the cargo workspace, when that is where settings come from.
pub(crate) fn cargo_crates(
    home: &Home,
    settings: &Settings,
    notes: &mut Notes,
) -> Vec<CrateFolder> {
    let mut crates = Vec::new();
    let Some(cargo) = &home.cargo else { return crates };
    for package in &cargo.packages {
        let Some(folder) = package.manifest.parent().and_then(|path| below(&home.root, path))
        else {
            continue;
        };
        // The list of packages follows from the folders beside them.
        notes.watch(absolute(&home.root, &folder));
        if let Some(around) = folder.parent() {
            notes.watch(absolute(&home.root, &around));
        }
        if let (true, Some(own), Some((_, file))) =
            (folder.is_root(), &settings.package, &home.settings)
        {
            crates.push(CrateFolder {
                folder,
                name: package.name.clone(),
                file: file.clone(),
                settings: own.clone(),
            });
            continue;
        }
        if let Some(file) = notes.read_or_report(&package.manifest) {
            crates.extend(described_crate(folder, file, Some(&package.name), notes));
        }
    }
    crates
}

/// A crate's Python folder becomes a member, unless a project or a listed member has it already.
pub(crate) fn add_crates(
    home: &Home,
    settings: &Settings,
    crates: Vec<CrateFolder>,
    candidates: &mut Vec<Candidate>,
    notes: &mut Notes,
) {
    let root = home.root.as_path();
    for CrateFolder { folder, name, file, settings: own } in crates {
        let Some(python_root) = &own.python_root else {
            // Settings for the project beside it, or nothing to compile.
            if let Some(there) = candidates.iter_mut().find(|there| there.path == folder) {
                refine(there, &own, root, &file, notes);
            }
            continue;
        };
        let mut refuse = |what: &str, hint: &str| {
            let message = format!("`python-root` is `{}`, {what}", python_root.value);
            notes.errors.push(file.problem(python_root.span.clone(), message, Some(hint.into())));
        };
        let Some(path) = joined(&folder, &python_root.value) else {
            refuse("outside of the workspace", "all members lie below the workspace");
            continue;
        };
        if settings.exclude.iter().any(|pattern| matches_pattern(&pattern.value, &path)) {
            continue;
        }
        if !absolute(root, &path).is_dir() {
            refuse(
                "which is not a folder",
                "name the folder that holds the crate's Python packages",
            );
            continue;
        }
        notes.watch(absolute(root, &path));
        let taken = candidates
            .iter_mut()
            .find(|there| there.path == path || there.import_roots.contains(&path));
        if let Some(there) = taken {
            let own = rebased(own, &path.strip_prefix(&there.path).unwrap_or_default());
            refine(there, &own, root, &file, notes);
            continue;
        }
        let mut candidate = Candidate {
            import_roots: vec![path.clone()],
            path,
            origin: MemberOrigin::CargoPackage,
            name: Some(name),
            roots_are_ours: true,
            include: settings.files_include.clone(),
            exclude: settings.files_exclude.clone(),
        };
        refine(&mut candidate, &own, root, &file, notes);
        candidates.push(candidate);
    }
}

/// What a crate says relative to its Python folder, said relative to a folder around that.
fn rebased(mut own: MemberSettings, python: &RepoPath) -> MemberSettings {
    if python.is_root() {
        return own;
    }
    let folder = globset::escape(&python.to_string());
    for glob in own.include.iter_mut().chain(&mut own.exclude) {
        *glob = format!("{folder}/{glob}");
    }
    for import_root in own.import_roots.iter_mut().flatten() {
        let below = python.join(import_root.value.as_bytes());
        import_root.value = below.to_string();
    }
    own
}

/// `folder` followed by a relative path that may go up, but not out of the workspace.
fn joined(folder: &RepoPath, relative: &str) -> Option<RepoPath> {
    relative.split('/').try_fold(folder.clone(), |at, part| match part {
        "" | "." => Some(at),
        ".." => at.parent(),
        name => RepoPath::new(name.as_bytes()).map(|name| at.join(name.as_bytes())),
    })
}
