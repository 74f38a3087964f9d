//! Folders of installed packages: what the manifest names, as entries of `sys.path`. Knows nothing of what
//! is in them.

use std::path::{Path, PathBuf};

use bytekiln_project::{ArtifactRule, VenvChoice, Workspace, absolute, find_venv, normalize};
use bytekiln_python::Release;

use crate::failure::CommandFailure;

/// The folders that `dependencies` of a rule names: a virtual environment means its `site-packages`.
pub(super) fn folders(
    rule: &ArtifactRule,
    root: &Path,
    release: Option<Release>,
) -> Result<Vec<PathBuf>, CommandFailure> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for named in &rule.dependencies {
        let folder = root.join(named);
        if !folder.is_dir() {
            let message = format!("{}: there is no folder `{}`", rule.place, named.display());
            return Err(CommandFailure::usage(message)
                .hint("install the dependencies first, e.g. with `uv pip install --target`"));
        }
        if folder.join("pyvenv.cfg").is_file() {
            folders.push(site_packages(rule, &folder, release)?);
        } else {
            folders.push(std::fs::canonicalize(&folder).unwrap_or(folder));
        }
    }
    Ok(folders)
}

/// What this rule and those of the manifest name, and is no part of any member: installed code that lies in
/// the workspace is nobody's source.
pub(super) fn all_named(rule: &ArtifactRule, workspace: &Workspace) -> Vec<PathBuf> {
    let rules = workspace.artifacts.iter().chain([rule]);
    let named = rules.flat_map(|rule| rule.dependencies.iter().chain(&rule.site));
    let holds_member = |folder: &Path| {
        let mut members = workspace.members.iter();
        members.any(|member| absolute(&workspace.root, &member.path).starts_with(folder))
    };
    named
        .map(|named| normalize(&workspace.root, named))
        .filter(|folder| !holds_member(folder))
        .collect()
}

/// The `site-packages` of a virtual environment, which must be of the release that is packed for.
pub(super) fn site_packages(
    rule: &ArtifactRule,
    venv: &Path,
    release: Option<Release>,
) -> Result<PathBuf, CommandFailure> {
    let fail = |message: String| CommandFailure::usage(format!("{}: {message}", rule.place));
    let found = find_venv(venv, &VenvChoice::Named(venv.to_owned()), None)
        .map_err(|error| fail(error.to_string()).hint(error.hint()))?;
    let (found, site) = found
        .and_then(|found| found.site.first().cloned().map(|site| (found, site)))
        .ok_or_else(|| fail(format!("`{}` has no `site-packages`", venv.display())))?;
    if let Some(release) = release
        && found.release() != Some(release)
    {
        let (major, minor) = found.version;
        return Err(fail(format!(
            "`{}` is an environment of Python {major}.{minor}, and `{}` is for {release}",
            venv.display(),
            rule.name
        ))
        .hint(format!("name an environment of {release}, or choose with `python`")));
    }
    Ok(site)
}
