//! Which sources are modules, told from their names. Knows nothing of what is in them.

use bytekiln_action::RepoPath;

/// Whether a source can be loaded as a module: an `import` statement takes its name, or it lies in a
/// package, where programs load others by name too (`0001_initial.py` of Django's migrations by
/// `importlib.import_module`). `is_package` tells whether a folder has an `__init__.py`.
pub fn is_module(path: &RepoPath, is_package: impl Fn(&RepoPath) -> bool) -> bool {
    let Some(stem) = path.file_name().strip_suffix(b".py") else { return false };
    if bytekiln_python::is_module_name(stem) {
        return true;
    }
    let is_plain = !stem.is_empty() && !stem.contains(&b'.');
    is_plain && path.parent().is_some_and(|folder| is_package(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (path, expected) in [
            ("a.py", true),
            ("app/migrations/0001_initial.py", true),
            ("app/migrations/0001.initial.py", false),
            ("tools/my-tool.py", false),
            ("0001_initial.py", false),
            ("app/migrations/a.txt", false),
        ] {
            let path = RepoPath::new(path.as_bytes()).unwrap_or_default();
            let is_package = |folder: &RepoPath| folder.as_bytes() == b"app/migrations";
            assert_eq!(is_module(&path, is_package), expected, "{path}");
        }
    }
}
