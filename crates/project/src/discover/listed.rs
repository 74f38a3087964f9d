//! Members that the manifest lists: its patterns, expanded, each with its place. Knows nothing of
//! what is in the folders.

use std::path::Path;

use bytekiln_action::RepoPath;

use super::pattern::{absolute, expand, matches_pattern, pattern_is_literal};
use crate::manifest::{Located, ManifestFile, Notes, own_settings};

/// The folders that `patterns` match, sorted, each once.
pub(crate) fn listed_members(
    root: &Path,
    patterns: &[Located<String>],
    exclude: &[Located<String>],
    file: &ManifestFile,
    notes: &mut Notes,
) -> Vec<RepoPath> {
    let excluded =
        |folder: &RepoPath| exclude.iter().any(|pattern| matches_pattern(&pattern.value, folder));
    let mut folders = Vec::new();
    for pattern in patterns {
        if pattern_is_literal(&pattern.value) {
            folders.extend(literal(root, pattern, file, notes).filter(|one| !excluded(one)));
            continue;
        }
        let expansion = expand(root, &pattern.value, notes);
        let mut any = false;
        for folder in expansion.folders {
            any = true;
            if excluded(&folder) || folders.contains(&folder) {
                continue;
            }
            match nested(root, &folder, notes) {
                Some(manifest) => notes.warn(
                    Some(folder),
                    format!("is a workspace of its own (`{manifest}`), not taken for a member"),
                    Some("exclude it with `workspace.exclude` to silence this".into()),
                ),
                None => folders.push(folder),
            }
        }
        for link in expansion.links {
            any = true;
            notes.warn(
                Some(link),
                "is a link, not taken for a member".into(),
                Some("list the folder that it points to".into()),
            );
        }
        if !any {
            let place = file.place_name(pattern.span.clone());
            notes.warn(
                None,
                format!("`{}` matches no folder ({place})", pattern.value),
                Some("correct the pattern in `workspace.members`, or remove it".into()),
            );
        }
    }
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// A member named without globs must be there, be a folder, and be no link.
fn literal(
    root: &Path,
    pattern: &Located<String>,
    file: &ManifestFile,
    notes: &mut Notes,
) -> Option<RepoPath> {
    let text = if pattern.value == "." { "" } else { &pattern.value };
    let folder = RepoPath::new(text.as_bytes())?;
    let path = absolute(root, &folder);
    notes.watch(path.clone());
    let (message, hint) = match path.canonicalize() {
        Err(_) => (
            format!("member `{}` does not exist", pattern.value),
            nearest_folder(root, &folder).map(|near| format!("did you mean `{near}`?")),
        ),
        Ok(real) if !real.is_dir() => (
            format!("member `{}` is a file", pattern.value),
            Some("members are folders; `include` in `[member.NAME]` chooses files".to_owned()),
        ),
        Ok(real) if real != path => match super::pattern::below(root, &real) {
            Some(real) => (
                format!("member `{}` is a link to `{real}`", pattern.value),
                Some("list the folder that it points to".to_owned()),
            ),
            None => (
                format!("member `{}` is a link that leaves the workspace", pattern.value),
                Some("only what is below the workspace can be compiled reproducibly".to_owned()),
            ),
        },
        Ok(_) => match nested(root, &folder, notes) {
            Some(manifest) => (
                format!("member `{}` is a workspace of its own (`{manifest}`)", pattern.value),
                Some("move its settings here, or remove it from `members`".to_owned()),
            ),
            None => return Some(folder),
        },
    };
    notes.errors.push(file.problem(pattern.span.clone(), message, hint));
    None
}

/// The manifest that makes a folder a workspace of its own.
fn nested(root: &Path, folder: &RepoPath, notes: &mut Notes) -> Option<String> {
    if folder.is_root() {
        return None;
    }
    // A broken manifest there is reported when the member itself is read.
    let found = own_settings(&absolute(root, folder), notes).ok()?;
    let (kind, _) =
        found.into_iter().find(|(kind, _)| *kind != crate::manifest::SettingsKind::CargoPackage)?;
    Some(folder.join(kind.file_name().as_bytes()).to_string())
}

/// The folder beside the missing one whose name is nearest.
fn nearest_folder(root: &Path, folder: &RepoPath) -> Option<RepoPath> {
    let parent = folder.parent()?;
    let name = String::from_utf8_lossy(folder.file_name()).into_owned();
    let mut names: Vec<String> = std::fs::read_dir(absolute(root, &parent))
        .ok()?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let near = crate::manifest::nearest(&name, names.iter().map(String::as_str))?;
    Some(parent.join(near.as_bytes()))
}
