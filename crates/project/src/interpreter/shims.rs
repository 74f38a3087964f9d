//! What pyenv's shims stand for. A shim starts another interpreter in every folder, so it is never
//! started: the version files that it would read are read here, for the workspace's folder.

use std::path::{Path, PathBuf};

/// The `bin` folders that pyenv would look in for commands started in `folder`, and the files that
/// decided it (also those that are not there). The nearest `.python-version` upwards counts, then
/// pyenv's global `version`; `PYENV_VERSION` belongs to a shell, not to a workspace.
pub(super) fn selected(pyenv: &Path, folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut files: Vec<PathBuf> =
        folder.ancestors().map(|ancestor| ancestor.join(".python-version")).collect();
    files.push(pyenv.join("version"));
    let mut looked_at = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file);
        looked_at.push(file);
        if let Ok(text) = text {
            let versions = pyenv.join("versions");
            let names = text.split_whitespace().filter(|name| !name.starts_with('#'));
            let bins = names
                .map(|name| versions.join(name).join("bin"))
                .filter(|bin| bin.is_dir())
                .collect();
            return (bins, looked_at);
        }
    }
    (Vec::new(), looked_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_version_file_counts() {
        let scratch = tempfile::tempdir().unwrap();
        let pyenv = scratch.path().join("pyenv");
        for version in ["3.11.7", "3.13.0"] {
            std::fs::create_dir_all(pyenv.join("versions").join(version).join("bin")).unwrap();
        }
        std::fs::write(pyenv.join("version"), "3.11.7\n").unwrap();
        let work = scratch.path().join("work/deep");
        std::fs::create_dir_all(&work).unwrap();
        let bin = |version: &str| pyenv.join("versions").join(version).join("bin");
        let (bins, looked_at) = selected(&pyenv, &work);
        assert_eq!(bins, [bin("3.11.7")]);
        assert!(looked_at.contains(&work.join(".python-version")));
        std::fs::write(scratch.path().join("work/.python-version"), "3.13.0\n3.9.1\n").unwrap();
        assert_eq!(selected(&pyenv, &work).0, [bin("3.13.0")]);
    }
}
