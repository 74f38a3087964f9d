//! What stands on `sys.path` for a project: the folders that its build back end packages from, as
//! `pyproject.toml` says for setuptools, hatch, poetry, uv, maturin and PDM; else a `src/` folder
//! that is laid out as one; else the project's own folder. Knows nothing of Bytekiln's own keys.

use std::path::Path;

use bytekiln_action::RepoPath;
use toml_edit::{Item, TableLike, Value};

use super::pattern::absolute;
use crate::manifest::{ManifestFile, Notes, lookup};

/// How deep below `src/` a module may lie for `src/` to count as an import root: namespace
/// packages nest (`src/company/team/module.py`).
const NAMESPACE_DEPTH: usize = 4;

/// The import roots of the project in `folder`, in the order in which they are named, at least
/// one.
pub(crate) fn import_roots(
    root: &Path,
    folder: &RepoPath,
    manifest: Option<&ManifestFile>,
    notes: &mut Notes,
) -> Vec<RepoPath> {
    let mut roots = Vec::new();
    for named in manifest.map(named_by_back_end).unwrap_or_default() {
        let Some(path) = clean(&named.folder).map(|below| folder.join(below.as_bytes())) else {
            notes.warn(
                Some(folder.clone()),
                format!("`{}` names `{}`, outside of its project", named.key, named.folder),
                Some("name the member's `import-roots` instead".into()),
            );
            continue;
        };
        if roots.contains(&path) {
            continue;
        }
        let place = absolute(root, &path);
        notes.watch(place.clone());
        if place.is_dir() {
            roots.push(path);
        } else if named.said {
            notes.warn(
                Some(folder.clone()),
                format!("`{}` names `{}`, which is not a folder", named.key, named.folder),
                None,
            );
        }
    }
    if roots.is_empty() {
        let src = folder.join(b"src");
        let place = absolute(root, &src);
        notes.watch(place.clone());
        roots.push(if is_src_layout(&place, notes) { src } else { folder.clone() });
    }
    roots
}

/// A folder that a back end's settings name.
struct Named {
    key: &'static str,
    folder: String,
    /// Written, not a default of the back end.
    said: bool,
}

fn named_by_back_end(manifest: &ManifestFile) -> Vec<Named> {
    let mut named = Vec::new();
    let mut say = |key, folder: &str| named.push(Named { key, folder: folder.into(), said: true });
    let text = |keys: &[&str]| manifest.get_str(keys);

    // setuptools: https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html
    if let Some(map) = table(manifest, &["tool", "setuptools", "package-dir"]) {
        for (package, item) in map.iter() {
            if let Some(folder) = item.as_str() {
                say("tool.setuptools.package-dir", &without_package(folder, package));
            }
        }
    }
    for folder in strings(manifest.get(&["tool", "setuptools", "packages", "find", "where"])) {
        say("tool.setuptools.packages.find.where", folder);
    }
    // hatch: https://hatch.pypa.io/latest/config/build/
    for keys in [&["tool", "hatch", "build", "targets", "wheel"][..], &["tool", "hatch", "build"]] {
        let Some(build) = manifest.get(keys) else { continue };
        for package in strings(lookup(build, &["packages"])) {
            say("tool.hatch.build packages", parent(package));
        }
        match lookup(build, &["sources"]) {
            Some(Item::Value(Value::Array(_))) => {
                for folder in strings(lookup(build, &["sources"])) {
                    say("tool.hatch.build sources", folder);
                }
            }
            Some(item) => {
                let rewritten = item.as_table_like().into_iter().flat_map(TableLike::iter);
                // Only `FOLDER = ""` puts what is in the folder at the top.
                for (folder, _) in rewritten.filter(|(_, to)| to.as_str() == Some("")) {
                    say("tool.hatch.build sources", folder);
                }
            }
            None => {}
        }
    }
    // poetry: https://python-poetry.org/docs/pyproject/#packages
    if let Some(packages) = manifest.get(&["tool", "poetry", "packages"]).and_then(Item::as_array) {
        for package in packages.iter().filter_map(Value::as_inline_table) {
            let from = package.get("from").and_then(Value::as_str).unwrap_or(".");
            say("tool.poetry.packages", from);
        }
    }
    if let Some(packages) =
        manifest.get(&["tool", "poetry", "packages"]).and_then(Item::as_array_of_tables)
    {
        for package in packages.iter() {
            let from = package.get("from").and_then(Item::as_str).unwrap_or(".");
            say("tool.poetry.packages", from);
        }
    }
    // maturin: https://www.maturin.rs/project_layout
    if let Some(folder) = text(&["tool", "maturin", "python-source"]) {
        say("tool.maturin.python-source", folder);
    }
    // PDM: https://backend.pdm-project.org/build_config/
    if let Some(folder) = text(&["tool", "pdm", "build", "package-dir"]) {
        say("tool.pdm.build.package-dir", folder);
    }
    // uv: https://docs.astral.sh/uv/reference/settings/#build-backend
    match text(&["tool", "uv", "build-backend", "module-root"]) {
        Some(folder) => say("tool.uv.build-backend.module-root", folder),
        None if text(&["build-system", "build-backend"]) == Some("uv_build") => {
            named.push(Named { key: "uv_build", folder: "src".into(), said: false })
        }
        None => {}
    }
    named
}

fn table<'a>(manifest: &'a ManifestFile, keys: &[&str]) -> Option<&'a dyn TableLike> {
    manifest.get(keys)?.as_table_like()
}

/// A string, or an array's strings.
fn strings(item: Option<&Item>) -> Vec<&str> {
    match item.and_then(Item::as_value) {
        Some(Value::String(one)) => vec![one.value()],
        Some(Value::Array(array)) => array.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The folder around a package's folder.
fn parent(package: &str) -> &str {
    package.trim_end_matches('/').rsplit_once('/').map_or(".", |(folder, _)| folder)
}

/// The import root of `package`, whose own folder is given: what is left without its last
/// components where they are the package's; else the folder around it.
fn without_package(folder: &str, package: &str) -> String {
    let mut rest = folder.trim_end_matches('/');
    for part in package.rsplit('.').filter(|part| !part.is_empty()) {
        match rest.rsplit_once('/') {
            Some((outer, last)) if last == part => rest = outer,
            None if rest == part => rest = ".",
            _ => return parent(rest).to_owned(),
        }
    }
    rest.to_owned()
}

/// A path below the project; `None` if it leads out of it.
fn clean(folder: &str) -> Option<RepoPath> {
    let parts: Vec<&str> = folder.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if folder.starts_with('/') { None } else { RepoPath::new(parts.join("/").as_bytes()) }
}

/// Whether a `src` folder is an import root: it is no package itself and holds modules.
fn is_src_layout(src: &Path, notes: &mut Notes) -> bool {
    src.is_dir() && !src.join("__init__.py").is_file() && holds_modules(src, 0, notes)
}

fn holds_modules(folder: &Path, depth: usize, notes: &mut Notes) -> bool {
    notes.watch(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let mut folders = Vec::new();
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if kind.is_file() && path.extension().is_some_and(|suffix| suffix == "py") {
            return true;
        }
        if kind.is_dir() && !super::pattern::never_searched(entry.file_name().as_encoded_bytes()) {
            folders.push(path);
        }
    }
    folders.sort_unstable();
    depth < NAMESPACE_DEPTH && folders.iter().any(|path| holds_modules(path, depth + 1, notes))
}
