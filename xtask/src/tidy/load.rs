//! Reads the repository into a value: `cargo metadata` for packages, `git ls-files` for files.
//! Knows no rule.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::model::{Dependency, Package, Repository, TextFile};
use crate::shell;

/// Reads packages and text files. Files that are not UTF-8 or that hold a NUL are not text.
pub(crate) fn load(root: &Path) -> Result<Repository> {
    let metadata = shell::read(shell::cargo().args([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]))?;
    let metadata: Value =
        serde_json::from_str(&metadata).context("`cargo metadata` printed no JSON")?;
    Ok(Repository { packages: packages(&metadata)?, files: files(root)? })
}

fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let root = text(metadata, "workspace_root")?;
    let mut packages = Vec::new();
    for package in list(metadata, "packages")? {
        let manifest = text(package, "manifest_path")?;
        let folder = manifest
            .strip_prefix(root)
            .and_then(|path| path.strip_suffix("/Cargo.toml"))
            .unwrap_or(manifest)
            .trim_start_matches('/');
        let mut dependencies = Vec::new();
        for dependency in list(package, "dependencies")? {
            dependencies.push(Dependency {
                name: text(dependency, "name")?.to_owned(),
                dev: dependency.get("kind").and_then(Value::as_str) == Some("dev"),
            });
        }
        packages.push(Package {
            name: text(package, "name")?.to_owned(),
            folder: folder.to_owned(),
            dependencies,
        });
    }
    packages.sort_by(|left, right| left.folder.cmp(&right.folder));
    Ok(packages)
}

fn files(root: &Path) -> Result<Vec<TextFile>> {
    let listed = shell::read(Command::new("git").current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut files = Vec::new();
    for path in paths {
        let full = root.join(path);
        if !full.is_file() {
            continue; // deleted but not yet committed, or a symbolic link to nothing
        }
        let bytes = std::fs::read(&full).with_context(|| format!("could not read `{path}`"))?;
        if let Ok(text) = String::from_utf8(bytes)
            && !text.contains('\0')
        {
            files.push(TextFile { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

fn text<'value>(value: &'value Value, key: &str) -> Result<&'value str> {
    value
        .get(key)
        .and_then(Value::as_str)
        .with_context(|| format!("`cargo metadata` without `{key}`"))
}

fn list<'value>(value: &'value Value, key: &str) -> Result<&'value Vec<Value>> {
    value
        .get(key)
        .and_then(Value::as_array)
        .with_context(|| format!("`cargo metadata` without `{key}`"))
}
