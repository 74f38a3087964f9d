//! `.gitignore` files, the deepest first, as git reads them; a git repository is not needed. The
//! user's own global excludes and `.git/info/exclude` are left out: the same tree must give the
//! same sources on every machine.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use bytekiln_action::RepoPath;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The rules that hold in a folder: its own and those of the folders above it.
#[derive(Debug)]
pub(crate) struct IgnoreLayer {
    above: Option<Arc<IgnoreLayer>>,
    /// Bytes of a path below the workspace that precede the part that the rules are about.
    skip: usize,
    /// For files above the workspace: what precedes a path below the workspace.
    lead: Vec<u8>,
    rules: Gitignore,
}

/// Reads the file at `file`; `below` is its folder below the workspace, or for a folder above the
/// workspace the way from there to the workspace is in `lead`. Lines that cannot be understood
/// are told.
pub(crate) fn read_layer(
    file: &Path,
    below: &RepoPath,
    lead: &[u8],
    above: Option<Arc<IgnoreLayer>>,
) -> (Option<Arc<IgnoreLayer>>, Option<String>) {
    // The rules are matched against paths relative to their folder, so the builder's root is the
    // empty path.
    let mut builder = GitignoreBuilder::new("");
    let trouble = builder.add(file);
    let (rules, trouble) = match builder.build() {
        Ok(rules) => (rules, trouble),
        Err(error) => (Gitignore::empty(), Some(error)),
    };
    let trouble = trouble.map(|error| error.to_string());
    if rules.is_empty() {
        return (above, trouble);
    }
    let skip = if below.is_root() { 0 } else { below.as_bytes().len() + 1 };
    let mut lead = lead.to_vec();
    if !lead.is_empty() {
        lead.push(b'/');
    }
    (Some(Arc::new(IgnoreLayer { above, skip, lead, rules })), trouble)
}

impl IgnoreLayer {
    /// Whether the rules ignore this entry.
    pub(crate) fn ignores(&self, path: &RepoPath, is_folder: bool) -> bool {
        let mut layer = Some(self);
        while let Some(this) = layer {
            let relative = path.as_bytes().get(this.skip..).unwrap_or_default();
            let matched = if this.lead.is_empty() {
                this.rules.matched(Path::new(OsStr::from_bytes(relative)), is_folder)
            } else {
                let full = [this.lead.as_slice(), relative].concat();
                this.rules.matched(Path::new(OsStr::from_bytes(&full)), is_folder)
            };
            if matched.is_ignore() {
                return true;
            }
            if matched.is_whitelist() {
                return false;
            }
            layer = this.above.as_deref();
        }
        false
    }
}
