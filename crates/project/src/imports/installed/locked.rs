//! Distributions that a lock file names and no environment has. A lock file knows no modules, so each
//! is taken to have one of its own name; where that is not so (`PyYAML` is `yaml`), imports stay
//! unresolved.

use std::collections::BTreeSet;
use std::path::Path;

use bytekiln_planner::{Problem, Severity};
use toml_edit::{Document, Item};

use super::record::normalized;
use super::{Distribution, LOCKED};
use crate::index::Watch;
use crate::path::show;

/// File, and the array that its distributions stand in.
const FILES: [(&str, &str); 4] = [
    ("uv.lock", "package"),
    // PEP 751.
    ("pylock.toml", "packages"),
    ("poetry.lock", "package"),
    ("pdm.lock", "package"),
];

/// What the lock files in `root` name, by normalized name, without what is `installed`.
pub(super) fn locked(
    root: &Path,
    installed: &[Distribution],
    watches: &mut Vec<Watch>,
    problems: &mut Vec<Problem>,
) -> Vec<Distribution> {
    let mut seen: BTreeSet<String> =
        installed.iter().map(|found| normalized(&found.name)).collect();
    let mut found = Vec::new();
    for (file, key) in FILES {
        let path = root.join(file);
        watches.push(Watch::take(path.clone()));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                problems.push(unread(&path, &error.to_string()));
                continue;
            }
        };
        match names(&text, key) {
            Ok(names) => found.extend(names.into_iter().filter_map(|name| {
                let normal = normalized(&name);
                let tops = vec![normal.replace('-', "_")];
                let distribution =
                    Distribution { name, tree: LOCKED, files: Vec::new(), tops, editable: None };
                seen.insert(normal).then_some(distribution)
            })),
            Err(error) => problems.push(unread(&path, &error)),
        }
    }
    found.sort_by_cached_key(|one| normalized(&one.name));
    found
}

/// Names of distributions that are not folders of the workspace itself.
fn names(text: &str, key: &str) -> Result<Vec<String>, String> {
    let document = Document::parse(text)
        .map_err(|error| error.message().lines().next().unwrap_or("no TOML").to_owned())?;
    let packages = document.get(key).and_then(Item::as_array_of_tables);
    let ours = |source: &Item| {
        ["editable", "virtual", "directory", "workspace"]
            .iter()
            .any(|kind| source.get(kind).is_some())
    };
    let names = packages.into_iter().flatten().filter_map(|package| {
        let is_folder =
            package.get("source").is_some_and(ours) || package.get("directory").is_some();
        package.get("name").and_then(Item::as_str).filter(|_| !is_folder)
    });
    Ok(names.map(str::to_owned).collect())
}

fn unread(path: &Path, why: &str) -> Problem {
    Problem {
        severity: Severity::Warning,
        path: None,
        message: format!("`{}` could not be read: {why}", show(path)),
        hint: Some("distributions that it names are not known to the import graph".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_files_of_four_tools() {
        let uv = "version = 1\n[[package]]\nname = \"Flask-Login\"\nversion = \"1\"\n\
                  source = { registry = \"r\" }\n[[package]]\nname = \"app\"\n\
                  source = { editable = \".\" }\n[[package]]\nname = \"docs\"\n\
                  source = { virtual = \"docs\" }\n";
        assert_eq!(names(uv, "package").unwrap(), ["Flask-Login"]);
        let pylock = "lock-version = \"1.0\"\n[[packages]]\nname = \"attrs\"\n[[packages]]\n\
                      name = \"own\"\n[packages.directory]\npath = \".\"\n";
        assert_eq!(names(pylock, "packages").unwrap(), ["attrs"]);
        assert_eq!(names("[[package]]\nname = \"six\"\n", "package").unwrap(), ["six"]);
        assert!(names("[[package", "package").is_err());
        assert!(names("package = 3", "package").unwrap().is_empty());
    }

    #[test]
    fn what_is_installed_is_known_better() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "uv.lock",
            "[[package]]\nname = \"PyYAML\"\n[[package]]\nname = \"typing-inspect\"\n",
        );
        write("poetry.lock", "[[package]]\nname = \"typing_inspect\"\n[[package]\n");
        write("pdm.lock", "[[package]]\nname = \"Typing.Inspect\"\n");
        let installed = Distribution {
            name: "pyyaml".to_owned(),
            tree: 0,
            files: Vec::new(),
            tops: vec!["yaml".to_owned()],
            editable: None,
        };
        let (mut watches, mut problems) = (Vec::new(), Vec::new());
        let found = locked(folder.path(), &[installed], &mut watches, &mut problems);
        let found: Vec<_> =
            found.iter().map(|one| (one.name.as_str(), one.tops.concat())).collect();
        assert_eq!(found, [("typing-inspect", "typing_inspect".to_owned())]);
        assert_eq!(watches.len(), FILES.len());
        assert!(problems[0].message.contains("poetry.lock"), "{problems:?}");
    }
}
