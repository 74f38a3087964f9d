//! What members declare to depend on, in their `pyproject.toml`. Reads names alone: no versions,
//! markers or sources. Knows nothing of who imports whom.

use std::collections::BTreeSet;

use bytekiln_action::RepoPath;
use toml_edit::Item;

use crate::manifest::{LocatedProblem, ManifestFile, Notes};
use crate::model::{Member, Workspace};
use crate::path::absolute;

/// What one project declares. Names are normalised (PEP 503): `foo-bar` for `Foo.Bar`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Its `pyproject.toml`.
    pub file: RepoPath,
    /// Its own name.
    pub name: String,
    /// What it depends on, extras and groups for development included; none if that is computed
    /// when it is built (`dynamic`).
    pub dependencies: Option<BTreeSet<String>>,
}

/// What each member declares, in the order of [`Workspace::members`]; none for those without a
/// project's name.
///
/// # Errors
/// A `pyproject.toml` that cannot be read.
pub fn declared_dependencies(
    workspace: &Workspace,
) -> Result<Vec<Option<Declared>>, LocatedProblem> {
    let read = |member: &Member| {
        let file = member.path.join(b"pyproject.toml");
        let manifest = Notes::default().read(&absolute(&workspace.root, &file))?;
        Ok(manifest.and_then(|manifest| declared(file, &manifest)))
    };
    workspace.members.iter().map(read).collect()
}

fn declared(file: RepoPath, manifest: &ManifestFile) -> Option<Declared> {
    let poetry = ["tool", "poetry", "name"];
    let name = manifest.get_str(&["project", "name"]).or_else(|| manifest.get_str(&poetry))?;
    let dynamic = manifest.get(&["project", "dynamic"]).and_then(Item::as_array);
    let mut dynamic = dynamic.into_iter().flatten().filter_map(toml_edit::Value::as_str);
    let dependencies = if dynamic.any(|key| key == "dependencies") {
        None
    } else {
        let mut names = BTreeSet::new();
        for keys in [&["project", "dependencies"][..], &["tool", "uv", "dev-dependencies"]] {
            add_list(manifest.get(keys), &mut names);
        }
        for keys in [&["project", "optional-dependencies"][..], &["dependency-groups"]] {
            let table = manifest.get(keys).and_then(Item::as_table_like);
            for (_, list) in table.into_iter().flat_map(|table| table.iter()) {
                add_list(Some(list), &mut names);
            }
        }
        add_poetry(manifest, &mut names);
        Some(names)
    };
    Some(Declared { file, name: normalized_name(name), dependencies })
}

fn add_list(list: Option<&Item>, names: &mut BTreeSet<String>) {
    let list = list.and_then(Item::as_array);
    // What is no string includes another group, which is listed itself.
    for text in list.into_iter().flatten().filter_map(toml_edit::Value::as_str) {
        let text = text.trim_start();
        let plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
        let end = text.find(|letter| !plain(letter)).unwrap_or(text.len());
        names.extend(text.get(..end).filter(|name| !name.is_empty()).map(normalized_name));
    }
}

fn add_poetry(manifest: &ManifestFile, names: &mut BTreeSet<String>) {
    let mut tables = vec![
        manifest.get(&["tool", "poetry", "dependencies"]),
        manifest.get(&["tool", "poetry", "dev-dependencies"]),
    ];
    let groups = manifest.get(&["tool", "poetry", "group"]).and_then(Item::as_table_like);
    for (_, group) in groups.into_iter().flat_map(|groups| groups.iter()) {
        tables.push(group.as_table_like().and_then(|group| group.get("dependencies")));
    }
    for table in tables.into_iter().flatten().filter_map(Item::as_table_like) {
        names.extend(table.iter().map(|(name, _)| normalized_name(name)));
    }
}

/// A distribution's name as indexes compare it (PEP 503).
#[must_use]
pub fn normalized_name(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.map(str::to_ascii_lowercase).collect::<Vec<String>>().join("-")
}
