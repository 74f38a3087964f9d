//! Names of modules and paths of data files: which are right, and which origin follows from a name.

use alloc::string::String;

/// Whether this can be the name of a module: parts between dots, none empty, without separators.
pub(crate) fn is_module(name: &str) -> bool {
    name.split('.').all(|part| !part.is_empty()) && !name.contains(['/', '\\', '\0'])
}

/// Whether this is a path below an entry of `sys.path`: `/` between parts, no empty one, none that
/// climbs.
pub(crate) fn is_path(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains(['\\', '\0'])
}

/// `app.main` → `app/main.py`; of a package, `app/main/__init__.py`.
pub(crate) fn origin(name: &str, package: bool) -> String {
    let mut origin = name.replace('.', "/");
    origin.push_str(if package { "/__init__.py" } else { ".py" });
    origin
}

/// Whether this can be a cache tag: letters, digits, `-`, `_` and `.` of ASCII.
pub(crate) fn is_cache_tag(tag: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    !tag.is_empty() && tag.iter().all(fits)
}
