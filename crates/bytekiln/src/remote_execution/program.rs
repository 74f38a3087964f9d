//! What a worker runs: a bytekiln, and perhaps the files of an interpreter. Read once, when the first
//! batch is to go. Knows nothing of sources.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use bytekiln_cache::Blob;
use bytekiln_executor::Compiler;
use bytekiln_remote::{InputKind, InputTree};

/// The program in the root of an action.
pub(super) const BINARY: &str = "bytekiln";
/// The folder of the interpreter's files there.
const PYTHON_FOLDER: &str = "python";
/// More is no interpreter, and does not fit into memory.
const LARGEST_FOLDER: u64 = 1 << 30;

/// Where an interpreter is on the workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RemotePython {
    /// Of which version; `None`: of all.
    version: Option<String>,
    pub(super) path: String,
}

impl RemotePython {
    /// Reads `[VERSION=]PATH`.
    pub(super) fn parse(text: &str) -> RemotePython {
        match text.split_once('=') {
            Some((version, path)) if version.starts_with("3.") => {
                RemotePython { version: Some(version.to_owned()), path: path.to_owned() }
            }
            Some(_) | None => RemotePython { version: None, path: text.to_owned() },
        }
    }

    fn is_for(&self, version: &str) -> bool {
        self.version.as_ref().is_none_or(|wanted| {
            let rest = version.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Program {
    binary: PathBuf,
    pythons: Vec<RemotePython>,
    python_files: Option<PathBuf>,
    /// The time that a worker gives one source, at least.
    pub(super) limit: Duration,
    inputs: OnceLock<Result<InputTree, String>>,
}

impl Program {
    pub(super) fn new(
        binary: PathBuf,
        pythons: Vec<RemotePython>,
        python_files: Option<PathBuf>,
        limit: Duration,
    ) -> Program {
        Program { binary, pythons, python_files, limit, inputs: OnceLock::new() }
    }

    /// Where this interpreter is for an action; `None` where it cannot be said in text.
    pub(super) fn python(&self, compiler: &Compiler) -> Option<String> {
        let named = self.pythons.iter().find(|python| python.is_for(&compiler.toolchain.version));
        match (named, &self.python_files) {
            (Some(python), Some(_)) => Some(format!("{PYTHON_FOLDER}/{}", python.path)),
            (Some(python), None) => Some(python.path.clone()),
            (None, Some(_)) => None,
            (None, None) => {
                // Links are of this machine: `/usr/bin/python3` may be another one there.
                let real = std::fs::canonicalize(&compiler.executable).ok()?;
                real.to_str().map(str::to_owned)
            }
        }
    }

    /// Its files, to add sources to.
    pub(super) fn inputs(&self) -> Result<InputTree, String> {
        self.inputs.get_or_init(|| self.read()).clone()
    }

    fn read(&self) -> Result<InputTree, String> {
        let mut tree = InputTree::default();
        let binary = read(&self.binary)?;
        tree.add_file(BINARY, Blob::of(binary), InputKind::Executable);
        if let Some(folder) = &self.python_files {
            let mut room = LARGEST_FOLDER;
            add_folder(&mut tree, folder, PYTHON_FOLDER, &mut room)?;
        }
        Ok(tree)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("could not read `{}`: {error}", path.display()))
}

/// Whether a link at a path below the folder leads to something below it, as far as its text says.
fn stays_inside(link: &str, target: &Path) -> bool {
    // The folder itself and the link's own name are no room to climb.
    let mut depth = link.split('/').count().saturating_sub(2);
    for part in target.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    true
}

/// Regular files and links that stay inside; sockets and pipes are no part of an interpreter.
fn add_folder(
    tree: &mut InputTree,
    folder: &Path,
    name: &str,
    room: &mut u64,
) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("could not read `{}`: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let (path, own) = (entry.path(), entry.file_name());
        let Some(own) = own.to_str() else {
            return Err(format!("`{}` has a name that is no text", path.display()));
        };
        let inside = format!("{name}/{own}");
        let kind = entry.file_type().map_err(fail)?;
        if kind.is_dir() {
            add_folder(tree, &path, &inside, room)?;
        } else if kind.is_symlink() {
            let target = std::fs::read_link(&path).map_err(fail)?;
            match target.to_str().filter(|_| stays_inside(&inside, &target)) {
                Some(target) => tree.add_link(&inside, target),
                None => {
                    return Err(format!("`{}` is a link that leads outside", path.display()));
                }
            }
        } else if kind.is_file() {
            let metadata = entry.metadata().map_err(fail)?;
            *room = room.checked_sub(metadata.len()).ok_or_else(|| {
                format!("`{}` has more than 1 GiB: is it an interpreter?", folder.display())
            })?;
            let runs = metadata.permissions().mode() & 0o111 != 0;
            let kind = if runs { InputKind::Executable } else { InputKind::Data };
            tree.add_file(&inside, Blob::of(read(&path)?), kind);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_by_version() {
        let python = RemotePython::parse("3.11=/usr/bin/python3.11");
        assert!(python.is_for("3.11.7") && python.is_for("3.11"));
        assert!(!python.is_for("3.1.1") && !python.is_for("3.12.0"));
        assert_eq!(python.path, "/usr/bin/python3.11");
        let any = RemotePython::parse("/opt/a=b/python");
        assert!(any.is_for("3.8.1"));
        assert_eq!(any.path, "/opt/a=b/python");
    }

    #[test]
    fn links_that_lead_outside() {
        let inside = |link, target: &str| stays_inside(link, Path::new(target));
        assert!(inside("python/bin/python3", "python3.11"));
        assert!(inside("python/bin/python3", "../lib/./a"));
        assert!(inside("python/a/b/c", "../../d"));
        assert!(!inside("python/a/b/c", "../../../python/d"));
        assert!(!inside("python/a", "../sources/00000.py"));
        assert!(!inside("python/bin/python3", "/usr/bin/python3"));
        assert!(!inside("python/a", "b/../../c"));
    }
}
