//! Patterns of folders: which folder one matches, and all folders below a root that it does. Links
//! are not followed. Knows nothing of members.

use std::path::Path;

use bytekiln_action::RepoPath;
use globset::GlobMatcher;

use crate::manifest::Notes;

/// Whether a pattern has no glob characters.
pub(crate) fn pattern_is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?', '[', '{', '\\'])
}

fn matcher(pattern: &str) -> Option<GlobMatcher> {
    globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .ok()
        .map(|glob| glob.compile_matcher())
}

/// Whether `folder` or a folder around it matches; `.` is the root only.
pub(crate) fn matches_pattern(pattern: &str, folder: &RepoPath) -> bool {
    if pattern == "." {
        return folder.is_root();
    }
    let Some(matcher) = matcher(pattern) else { return false };
    let mut at = Some(folder.clone());
    while let Some(path) = at.filter(|path| !path.is_root()) {
        if matcher.is_match(as_path(&path)) {
            return true;
        }
        at = path.parent();
    }
    false
}

/// What is left of a pattern for paths relative to `folder`; `None` if it matches nothing below
/// that.
pub(crate) fn pattern_below(pattern: &str, folder: &RepoPath) -> Option<String> {
    let mut parts = pattern.split('/').filter(|part| *part != ".").peekable();
    if !folder.is_root() {
        for component in folder.as_bytes().split(|byte| *byte == b'/') {
            // From here on any depth matches, this component included.
            if parts.peek() == Some(&"**") {
                break;
            }
            let component = RepoPath::new(component)?;
            if !matcher(parts.next()?)?.is_match(as_path(&component)) {
                return None;
            }
        }
    }
    let rest: Vec<&str> = parts.collect();
    (!rest.is_empty()).then(|| rest.join("/"))
}

/// A path below the workspace as the file system takes it.
pub(crate) fn as_path(path: &RepoPath) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()))
}

/// Absolute path of a folder of the workspace.
pub(crate) fn absolute(root: &Path, path: &RepoPath) -> std::path::PathBuf {
    if path.is_root() { root.to_owned() } else { root.join(as_path(path)) }
}

/// `path` as one below `root`, if it is.
pub(crate) fn below(root: &Path, path: &Path) -> Option<RepoPath> {
    use std::os::unix::ffi::OsStrExt;
    RepoPath::new(path.strip_prefix(root).ok()?.as_os_str().as_bytes())
}

/// Folders of no interest to any search, whatever a `.gitignore` says.
pub(crate) fn never_searched(name: &[u8]) -> bool {
    name.starts_with(b".") || name == b"node_modules" || name == b"__pycache__"
}

/// The folders that a glob matches, sorted, and the links passed over that would match.
pub(crate) struct Expansion {
    pub(crate) folders: Vec<RepoPath>,
    pub(crate) links: Vec<RepoPath>,
}

/// All folders below `root` that a glob matches. Every folder listed is watched. Hidden folders
/// are matched by components that begin with a dot only.
pub(crate) fn expand(root: &Path, pattern: &str, notes: &mut Notes) -> Expansion {
    let mut expansion = Expansion { folders: Vec::new(), links: Vec::new() };
    let Some(matcher) = matcher(pattern) else { return expansion };
    // Literal leading components need no listing.
    let fixed: Vec<&str> = pattern.split('/').take_while(|part| pattern_is_literal(part)).collect();
    let base = RepoPath::new(fixed.join("/").as_bytes()).unwrap_or_default();
    let unbounded = pattern.contains("**") || pattern.contains('{');
    let depth_limit = pattern.split('/').count().saturating_sub(fixed.len());
    let hidden_wanted = pattern.split('/').any(|part| part.starts_with('.'));

    let mut stack = vec![(base, 0_usize)];
    while let Some((folder, depth)) = stack.pop() {
        if !unbounded && depth >= depth_limit {
            continue;
        }
        let absolute = absolute(root, &folder);
        notes.watch(absolute.clone());
        // A folder that is not there, or not one, matches nothing; that is reported as such.
        let Ok(entries) = std::fs::read_dir(&absolute) else { continue };
        for entry in entries.flatten() {
            use std::os::unix::ffi::OsStrExt;
            let name = entry.file_name();
            let name = name.as_bytes();
            if never_searched(name) && !(hidden_wanted && name.starts_with(b".")) {
                continue;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let path = folder.join(name);
            let matched = matcher.is_match(as_path(&path));
            if kind.is_symlink() {
                if matched && entry.path().is_dir() {
                    expansion.links.push(path);
                }
            } else if kind.is_dir() {
                if matched {
                    expansion.folders.push(path.clone());
                }
                stack.push((path, depth + 1));
            }
        }
    }
    expansion.folders.sort_unstable();
    expansion.links.sort_unstable();
    expansion
}
