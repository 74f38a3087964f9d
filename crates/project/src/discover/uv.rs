//! `[tool.uv.workspace]`: which folders uv takes for members. Knows nothing of other tools.

use std::path::Path;

use bytekiln_action::RepoPath;
use toml_edit::Item;

use super::pattern::{absolute, below, expand, matches_pattern};
use crate::manifest::{LocatedProblem, ManifestFile, Notes};

fn patterns(file: &ManifestFile, key: &str) -> Vec<String> {
    let Some(array) = file.get(&["tool", "uv", "workspace", key]).and_then(Item::as_array) else {
        return Vec::new();
    };
    array
        .iter()
        .filter_map(toml_edit::Value::as_str)
        .map(|pattern| {
            let pattern = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
            if pattern.is_empty() { ".".to_owned() } else { pattern.to_owned() }
        })
        .collect()
}

/// Whether the uv workspace that `file` describes has `folder` as a member.
pub(crate) fn lists_folder(file: &ManifestFile, root: &Path, folder: &Path) -> bool {
    let Some(path) = below(root, folder) else { return false };
    let matches = |key: &str| patterns(file, key).iter().any(|one| matches_pattern(one, &path));
    matches("members") && !matches("exclude")
}

/// A uv workspace.
pub(crate) struct UvWorkspace {
    /// Folders of members without the root, sorted.
    pub(crate) members: Vec<RepoPath>,
    /// Patterns of folders that uv leaves out.
    pub(crate) exclude: Vec<String>,
}

/// The uv workspace of the root's `pyproject.toml`, if it is one.
pub(crate) fn uv_workspace(
    root: &Path,
    file: &ManifestFile,
    notes: &mut Notes,
) -> Result<Option<UvWorkspace>, LocatedProblem> {
    if file.get(&["tool", "uv", "workspace"]).is_none() {
        return Ok(None);
    }
    let exclude = patterns(file, "exclude");
    let mut members = Vec::new();
    for pattern in patterns(file, "members") {
        if pattern == "." {
            continue;
        }
        let expansion = expand(root, &pattern, notes);
        let literal = super::pattern::pattern_is_literal(&pattern);
        let folders = if literal {
            RepoPath::new(pattern.as_bytes()).into_iter().collect()
        } else {
            expansion.folders
        };
        for folder in folders {
            if exclude.iter().any(|one| matches_pattern(one, &folder)) || members.contains(&folder)
            {
                continue;
            }
            let manifest = absolute(root, &folder).join("pyproject.toml");
            notes.watch(manifest.clone());
            if manifest.is_file() {
                members.push(folder);
            } else if literal || !holds_nothing(&absolute(root, &folder)) {
                notes.warn(
                    Some(folder),
                    "matched by `tool.uv.workspace.members`, but has no `pyproject.toml`".into(),
                    Some("uv refuses it; exclude it, or give it one".into()),
                );
            }
        }
        for link in expansion.links {
            notes.warn(Some(link), "a link is not followed to a member".into(), None);
        }
    }
    members.sort_unstable();
    Ok(Some(UvWorkspace { members, exclude }))
}

/// An empty folder, as version control leaves behind when a member goes: uv passes over it too.
fn holds_nothing(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| {
        !entries.any(|entry| {
            entry.is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with(['.', '_']))
        })
    })
}
