//! What `cargo metadata` says of a mixed repository: the cargo workspace's root and its packages.
//! The settings themselves are read from the files, for their places. Knows no keys.

use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use super::problem::LocatedProblem;

/// A package of the cargo workspace.
#[derive(Debug, Clone)]
pub(crate) struct CargoPackage {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
}

/// A cargo workspace.
#[derive(Debug, Clone)]
pub(crate) struct CargoWorkspace {
    pub(crate) root: PathBuf,
    /// By manifest.
    pub(crate) packages: Vec<CargoPackage>,
}

/// Asks cargo, without network and without resolving dependencies.
pub(crate) fn cargo_workspace(manifest: &Path) -> Result<CargoWorkspace, LocatedProblem> {
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .map_err(|error| refusal(manifest, &error))?;
    let mut packages: Vec<CargoPackage> = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| CargoPackage {
            name: package.name.to_string(),
            manifest: package.manifest_path.clone().into_std_path_buf(),
        })
        .collect();
    packages.sort_by(|left, right| left.manifest.cmp(&right.manifest));
    Ok(CargoWorkspace { root: metadata.workspace_root.into_std_path_buf(), packages })
}

fn refusal(manifest: &Path, error: &cargo_metadata::Error) -> LocatedProblem {
    let (message, hint) = match error {
        cargo_metadata::Error::Io(error) if error.kind() == std::io::ErrorKind::NotFound => (
            "`cargo` is needed to read this manifest, and was not found".to_owned(),
            Some("install it, or move the settings to a `bytekiln.toml`".to_owned()),
        ),
        cargo_metadata::Error::CargoMetadata { stderr } => {
            let said: Vec<&str> =
                stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            (
                format!("`cargo metadata` failed: {}", said.join("; ")),
                Some("`cargo metadata --no-deps --offline` must succeed here".to_owned()),
            )
        }
        other => (format!("`cargo metadata` failed: {other}"), None),
    };
    LocatedProblem { path: manifest.into(), place: None, message, hint }
}
