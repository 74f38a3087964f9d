//! The last look before something gets its name: it is read back and compared with what was to be in it,
//! and the import of every module is simulated. Knows nothing of how it was made.
//!
//! What comes back is compared by digest. The digest of a `.pyc` is that of an action's result: of a
//! canonical form that was made from, or validated against, this very source. So each cache is proved to
//! come from its source, as `verify` would find by compiling it once more.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bytekiln_action::{Digest, RepoPath};
use bytekiln_artifact::{Artifact, Content, Entries, EntryKind, ItemKind, OpenOptions};

use super::target::Target;
use crate::arguments::TargetChoice;
use crate::commands::doctor::{Expected, Simulated, simulate};
use crate::commands::parallel;
use crate::environment::Environment;
use crate::failure::CommandFailure;

/// Larger members are not read back: their bytes were hashed as they were written.
const MOST_READ_BACK: u64 = 64 << 20;

/// What must be at a path.
pub(super) fn digests(entries: &Entries) -> BTreeMap<RepoPath, Option<Digest>> {
    let files = entries.items().iter().filter_map(|item| match &item.kind {
        ItemKind::File { content, .. } => Some((item.path.clone(), digest(content))),
        ItemKind::Directory | ItemKind::Symlink(_) => None,
    });
    files.collect()
}

fn digest(content: &Content) -> Option<Digest> {
    match content {
        Content::Bytes(bytes) => Some(Digest::of(bytes)),
        Content::File { digest, .. } => *digest,
        Content::Object { digest, .. } => Some(*digest),
        Content::Member { .. } => None,
    }
}

/// Whether what is in a container is what was to be in it.
pub(super) fn read_back(
    path: &Path,
    shown: &Path,
    expected: &BTreeMap<RepoPath, Option<Digest>>,
    jobs: NonZeroUsize,
) -> Result<(), CommandFailure> {
    let failed = |what: String| {
        CommandFailure::failure(format!("`{}`, read back, {what}", shown.display()))
            .hint("nothing was published; the disk or the memory of this machine may be faulty")
    };
    let artifact = Artifact::open(path, &OpenOptions::new(jobs))
        .map_err(|error| failed(format!("cannot be read: {error}")))?;
    if let Some(problem) = artifact.problems().first() {
        return Err(failed(format!("is damaged: {problem}")));
    }
    let files: Vec<usize> = artifact
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.kind == EntryKind::File)
        .map(|(index, _)| index)
        .collect();
    if files.len() != expected.len() {
        return Err(failed(format!("has {} files, not {}", files.len(), expected.len())));
    }
    let wrong = parallel::map(&files, jobs, |index| {
        let entry = artifact.entries().get(*index)?;
        let expected = match expected.get(&entry.path) {
            None => return Some(format!("has `{}`, which is not to be there", entry.path)),
            Some(expected) => expected,
        };
        if entry.size > MOST_READ_BACK {
            return None;
        }
        match artifact.read(*index) {
            Err(error) => Some(format!("cannot give back a member: {error}")),
            Ok(bytes) if expected.is_none_or(|expected| Digest::of(&bytes) == expected) => None,
            Ok(_) => Some(format!("holds other bytes as `{}` than were written", entry.path)),
        }
    });
    match wrong.into_iter().flatten().next() {
        Some(what) => Err(failed(what)),
        None => Ok(()),
    }
}

/// How something is imported.
pub(super) struct Imported<'a> {
    /// Entries of `sys.path`, where they can be read now.
    pub(super) paths: Vec<PathBuf>,
    /// Where they will lie, if that is known and matters.
    pub(super) deployed: Vec<PathBuf>,
    pub(super) pycache_prefix: Option<PathBuf>,
    /// It is unpacked first.
    pub(super) unpacked: bool,
    pub(super) targets: &'a [Target],
    /// Places of modules with bytecode, below the entry of `sys.path` with this number, without suffix.
    pub(super) modules: Vec<(usize, RepoPath)>,
}

/// Modules that are imported as they should be, and warnings about others.
pub(super) fn import(
    imported: &Imported<'_>,
    shown: &Path,
    jobs: NonZeroUsize,
    environment: &Environment,
) -> Result<(usize, Vec<String>), CommandFailure> {
    let (mut simulated, mut warnings) = (0, Vec::new());
    for target in imported.targets {
        let compiler = &target.compiler;
        let interpreter = bytekiln_project::Interpreter::new(
            compiler.executable.clone(),
            std::sync::Arc::clone(&compiler.toolchain),
        );
        let found = simulate(
            &Expected {
                paths: &imported.paths,
                deployed: &imported.deployed,
                pycache_prefix: imported.pycache_prefix.as_deref(),
                target: imported.unpacked.then_some(TargetChoice::Dir),
                interpreter: &interpreter,
                level: target.level.as_u8(),
            },
            jobs,
            environment,
        )?;
        let mut by_module: BTreeMap<(usize, RepoPath), &Simulated> = BTreeMap::new();
        for one in &found {
            // What is told of a source comes before what is told of a cache that nobody looks at.
            let known = by_module.entry((one.root, module_of(&one.path))).or_insert(one);
            if one.path.as_bytes().ends_with(b".py") {
                *known = one;
            }
        }
        let mut faults = Vec::new();
        let named = imported.modules.iter().filter(|(_, module)| can_be_named(module));
        for (root, module) in named {
            match by_module.get(&(*root, module.clone())) {
                Some(one) if one.loads => simulated += 1,
                Some(one) if one.is_fault => faults.push(format!("`{}` {}", one.path, one.words)),
                Some(one) => warnings.push(format!("`{}` {}", one.path, one.words)),
                None => warnings.push(format!("`{module}` is reached by no import")),
            }
        }
        if let Some(first) = faults.first() {
            let more = match faults.len() {
                1 => String::new(),
                count => format!(", and {} more like it", count - 1),
            };
            let message =
                format!("{first}{more}, if `{}` is run with {}", shown.display(), target.label());
            return Err(CommandFailure::failure(message).hint("nothing was published"));
        }
    }
    warnings.sort();
    warnings.dedup();
    Ok((simulated, warnings))
}

/// Whether a statement can name a module. Others are loaded by means that are not simulated, or by none:
/// a folder `test-examples` is no package.
fn can_be_named(module: &RepoPath) -> bool {
    module.as_bytes().split(|byte| *byte == b'/').all(bytekiln_python::is_module_name)
}

/// `a/b` of `a/b.py`, `a/b.pyc` and `a/__pycache__/b.cpython-311.pyc`.
fn module_of(path: &RepoPath) -> RepoPath {
    let folder = path.parent().filter(|folder| folder.file_name() == b"__pycache__");
    let Some(folder) = folder else { return without_suffix(path) };
    let stem = path.file_name().split(|byte| *byte == b'.').next().unwrap_or_default();
    folder.parent().unwrap_or_default().join(stem)
}

/// `a/b` of `a/b.py`, `a/b.pyc` and `a/b`.
pub(super) fn without_suffix(path: &RepoPath) -> RepoPath {
    let bytes = path.as_bytes();
    let stem = bytes.strip_suffix(b".py").or_else(|| bytes.strip_suffix(b".pyc"));
    stem.and_then(RepoPath::new).unwrap_or_else(|| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_of_files() {
        for (path, expected) in [
            ("a/b.py", "a/b"),
            ("a/b.pyc", "a/b"),
            ("a/__pycache__/b.cpython-311.opt-2.pyc", "a/b"),
            ("__pycache__/b.cpython-314.pyc", "b"),
            ("a/b", "a/b"),
        ] {
            let path = RepoPath::new(path.as_bytes()).unwrap_or_default();
            assert_eq!(module_of(&path).to_string(), expected);
        }
    }
}
