//! A lock file's text: TOML with one line a source, in a fixed order, so that two locks differ
//! in the lines that differ, and a diff shows source and outputs side by side.

use std::fmt::Write as _;
use std::path::Path;

use bytekiln_action::{RecordedPath, RepoPath};

use super::text::{put_key, put_string};
use super::{
    LOCK_FILE_VERSION, LockFile, LockFileError, LockFileFault, LockedOutput, LockedProfile,
    LockedSource, LockedTarget,
};

const HEAD: &str = "\
# Written by `bytekiln lock`; not meant to be edited. Each source: its digest, then the digest of
# its output for each target, in their order. `bytekiln lock --check` compares it with the tree.
";

/// Its text.
pub fn render_lock(lock: &LockFile) -> String {
    let sources: usize = lock.profiles.values().map(LockedProfile::sources).sum();
    let mut out = String::with_capacity(4096 + sources * 256);
    out.push_str(HEAD);
    let _ = writeln!(out, "version = {LOCK_FILE_VERSION}");
    for (name, profile) in &lock.profiles {
        let mut path = "profile.".to_owned();
        put_key(&mut path, name);
        let _ = writeln!(out, "\n[{path}]\ncanonical-form = {}", profile.canonical_form);
        for target in &profile.targets {
            put_target(&mut out, &path, target);
        }
        for (member, sources) in &profile.members {
            let _ = write!(out, "\n[{path}.member.");
            put_key(&mut out, member);
            out.push_str("]\n");
            for (source, locked) in sources {
                put_source(&mut out, source, locked);
            }
        }
    }
    out
}

fn put_target(out: &mut String, path: &str, target: &LockedTarget) {
    let toolchain = &target.toolchain;
    let _ = writeln!(out, "\n[[{path}.target]]");
    let mut text = |key: &str, value: &str| {
        let _ = write!(out, "{key} = ");
        put_string(out, value);
        out.push('\n');
    };
    text("implementation", &toolchain.implementation);
    text("version", &toolchain.version);
    text("build", &toolchain.build);
    text("cache-tag", &toolchain.cache_tag);
    text("platform", &toolchain.platform);
    text("invalidation-mode", target.mode.as_str());
    text("layout", &target.layout);
    let _ = writeln!(out, "magic = {}", toolchain.release.magic());
    let _ = writeln!(out, "free-threaded = {}", toolchain.free_threaded);
    let _ = writeln!(out, "debug = {}", toolchain.debug);
    let _ = writeln!(out, "optimization = {}", target.level.as_u8());
    let _ = writeln!(out, "debug-ranges = {}", target.debug_ranges);
}

fn put_source(out: &mut String, path: &RepoPath, source: &LockedSource) {
    // Always quoted: one look for every line.
    put_string(out, &path.to_string());
    let _ = write!(out, " = [\"{}\"", source.content);
    for output in &source.outputs {
        let _ = match output {
            LockedOutput::Written(digest) => write!(out, ", \"{digest}\""),
            LockedOutput::Checked => write!(out, ", \"checked\""),
            LockedOutput::Rejected => write!(out, ", \"rejected\""),
        };
    }
    if source.recorded_path != RecordedPath::from_file_system(path.as_bytes()) {
        out.push_str(", ");
        put_string(out, &format!("co_filename={}", source.recorded_path));
    }
    out.push_str("]\n");
}

/// Puts it in its place, whole or not at all; `false` if it says the same already.
///
/// # Errors
/// The disk's, with the file's name.
pub fn write_lock(path: &Path, lock: &LockFile) -> Result<bool, LockFileError> {
    let text = render_lock(lock);
    if std::fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(false);
    }
    crate::edit::replace(path, &text).map(|()| true).map_err(|error| LockFileError {
        path: path.to_owned(),
        line: None,
        fault: LockFileFault::Unwritable(error),
    })
}
