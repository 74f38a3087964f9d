//! The search for projects below a root when nothing lists them. It respects `.gitignore` files of
//! the repository (not the user's own: two machines must find the same), passes over hidden
//! folders, `node_modules`, `target` of cargo, tagged caches and virtual environments, and does
//! not look below a project that it found (its test data may hold projects too), except the root,
//! nor into packages (folders with an `__init__.py`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bytekiln_action::RepoPath;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::pattern::{absolute, matches_pattern, never_searched};
use crate::manifest::{ManifestFile, Notes, read_if_there};

/// What a search found.
#[derive(Default)]
pub(crate) struct Found {
    /// Folders with a `pyproject.toml` that describes a project, the root excepted.
    pub(crate) projects: Vec<RepoPath>,
    /// Folders whose `Cargo.toml` has `[package.metadata.bytekiln]`.
    pub(crate) crates: BTreeMap<RepoPath, ManifestFile>,
    /// Folders that are workspaces of their own.
    pub(crate) nested: Vec<RepoPath>,
}

/// Whether a `pyproject.toml` describes something to build, not only settings of tools.
pub(crate) fn is_project(file: &ManifestFile) -> bool {
    if file.get(&["tool", "poetry", "package-mode"]).and_then(toml_edit::Item::as_bool)
        == Some(false)
    {
        return false;
    }
    [&["project"][..], &["build-system"], &["tool", "poetry"]]
        .iter()
        .any(|keys| file.get(keys).is_some())
}

/// A `.gitignore` and those around it.
struct Ignores {
    here: Gitignore,
    around: Option<Rc<Ignores>>,
}

fn ignored(ignores: Option<&Rc<Ignores>>, folder: &Path) -> bool {
    let mut at = ignores;
    while let Some(level) = at {
        match level.here.matched(folder, true) {
            Match::Ignore(_) => return true,
            Match::Whitelist(_) => return false,
            Match::None => at = level.around.as_ref(),
        }
    }
    false
}

fn with_ignores(
    folder: &Path,
    around: Option<Rc<Ignores>>,
    notes: &mut Notes,
) -> Option<Rc<Ignores>> {
    let path = folder.join(".gitignore");
    let mut builder = GitignoreBuilder::new(folder);
    if let Some(error) = builder.add(&path) {
        notes.warn(None, format!("`{}` is read in part: {error}", path.display()), None);
    }
    notes.watch(path);
    match builder.build() {
        Ok(here) if !here.is_empty() => Some(Rc::new(Ignores { here, around })),
        _ => around,
    }
}

/// The `.gitignore` files above the root, up to the repository's.
fn ignores_around(root: &Path, notes: &mut Notes) -> Option<Rc<Ignores>> {
    let mut above: Vec<&Path> = Vec::new();
    for folder in root.ancestors() {
        if folder != root {
            above.push(folder);
        }
        if folder.join(".git").exists() {
            let mut ignores = None;
            for folder in above.into_iter().rev() {
                if folder.join(".gitignore").is_file() {
                    ignores = with_ignores(folder, ignores, notes);
                }
            }
            return ignores;
        }
    }
    None
}

/// Searches the tree below `root`; folders that match an `exclude` pattern are not entered.
pub(crate) fn search(root: &Path, exclude: &[String], notes: &mut Notes) -> Found {
    let mut found = Found::default();
    let ignores = ignores_around(root, notes);
    let mut stack: Vec<(RepoPath, Option<Rc<Ignores>>)> = vec![(RepoPath::default(), ignores)];
    while let Some((folder, ignores)) = stack.pop() {
        let path = absolute(root, &folder);
        notes.watch(path.clone());
        let Listing { folders, files } = match list(&path) {
            Ok(listing) => listing,
            Err(error) => {
                notes.warn(Some(folder), format!("cannot list the folder: {error}"), None);
                continue;
            }
        };
        let has = |name: &str| files.iter().any(|file| file == name.as_bytes());
        if !folder.is_root() {
            let environment = has("pyvenv.cfg") || has("CACHEDIR.TAG");
            if environment || visit(&path, &folder, &has, &mut found, notes) {
                continue;
            }
            // No project lies within a package, and packages are most of a tree: this leaves
            // 3,600 of 25,100 folders to list in one of 86,000 sources, 0.06 s instead of 1.1 s.
            if has("__init__.py") {
                continue;
            }
        }
        let ignores = if has(".gitignore") { with_ignores(&path, ignores, notes) } else { ignores };
        let crate_here = has("Cargo.toml");
        for name in folders {
            let below = folder.join(&name);
            if never_searched(&name)
                || (crate_here && name == b"target")
                || ignored(ignores.as_ref(), &absolute(root, &below))
                || exclude.iter().any(|pattern| matches_pattern(pattern, &below))
            {
                continue;
            }
            stack.push((below, ignores.clone()));
        }
    }
    found.projects.sort_unstable();
    found.nested.sort_unstable();
    found
}

/// Looks at one folder's manifests; whether the search ends here.
fn visit(
    path: &Path,
    folder: &RepoPath,
    has: &dyn Fn(&str) -> bool,
    found: &mut Found,
    notes: &mut Notes,
) -> bool {
    if has("bytekiln.toml") {
        found.nested.push(folder.clone());
        return true;
    }
    let mut done = false;
    if has("Cargo.toml")
        && let Some(file) = foreign(&path.join("Cargo.toml"), folder, Some("bytekiln"), notes)
    {
        if file.get(&["workspace", "metadata", "bytekiln"]).is_some() {
            found.nested.push(folder.clone());
            return true;
        }
        if file.get(&["package", "metadata", "bytekiln"]).is_some() {
            found.crates.insert(folder.clone(), file);
            done = true;
        }
    }
    if has("pyproject.toml")
        && let Some(file) = foreign(&path.join("pyproject.toml"), folder, None, notes)
    {
        if file.get(&["tool", "bytekiln"]).is_some() {
            found.crates.remove(folder);
            found.nested.push(folder.clone());
            return true;
        }
        if is_project(&file) {
            found.projects.push(folder.clone());
            done = true;
        }
    }
    done
}

/// A manifest met by chance: a broken one is a warning, because test data may hold such.
fn foreign(
    path: &Path,
    folder: &RepoPath,
    only_with: Option<&str>,
    notes: &mut Notes,
) -> Option<ManifestFile> {
    notes.watch(path);
    let parsed = read_if_there(path).and_then(|text| match text {
        Some(text) if only_with.is_none_or(|word| text.contains(word)) => {
            ManifestFile::parse(path, text).map(Some)
        }
        _ => Ok(None),
    });
    match parsed {
        Ok(file) => file,
        Err(problem) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let place =
                problem.place.map_or(String::new(), |place| format!(" line {}", place.line));
            notes.warn(
                Some(folder.clone()),
                format!("not taken for a member: `{name}`{place}: {}", problem.message),
                Some("repair it, or exclude the folder with `workspace.exclude`".into()),
            );
            None
        }
    }
}

struct Listing {
    folders: Vec<Vec<u8>>,
    files: Vec<Vec<u8>>,
}

/// Names in a folder, sorted descending (a stack takes the first last); links are neither.
fn list(folder: &PathBuf) -> std::io::Result<Listing> {
    use std::os::unix::ffi::OsStringExt;
    let mut listing = Listing { folders: Vec::new(), files: Vec::new() };
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            listing.folders.push(entry.file_name().into_vec());
        } else if kind.is_file() {
            listing.files.push(entry.file_name().into_vec());
        }
    }
    listing.folders.sort_unstable_by(|left, right| right.cmp(left));
    Ok(listing)
}
