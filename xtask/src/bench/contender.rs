//! The command lines of all contenders, each in one function, and the folders they work in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};

use super::corpora::{Corpora, Corpus, count};
use crate::shell;

/// Jobs of every contender that lets itself be told.
const JOBS: &str = "2";

/// Linux's own file system in memory.
const MEMORY: &str = "/dev/shm";

/// Where copies are made: outside the repository, whose `.gitignore` hides `corpora/`.
pub(crate) struct Workplace {
    folder: tempfile::TempDir,
    /// A folder of a file system in memory, where there is one.
    memory: Option<tempfile::TempDir>,
    bytekiln: PathBuf,
    python: PathBuf,
    uv: PathBuf,
    canonicalise: PathBuf,
    add_determinism: PathBuf,
    ruff: PathBuf,
    grimp: PathBuf,
}

impl Workplace {
    pub(crate) fn new(corpora: &Corpora, command: Option<PathBuf>) -> Result<Self> {
        let target = shell::target();
        Ok(Self {
            folder: tempfile::Builder::new().prefix("bytekiln-bench-").tempdir()?,
            memory: tempfile::Builder::new().prefix("bytekiln-bench-").tempdir_in(MEMORY).ok(),
            bytekiln: command.unwrap_or_else(|| target.join("release/bytekiln")),
            python: corpora.python.clone(),
            uv: corpora.uv.clone(),
            canonicalise: target.join("release/examples/canonicalise"),
            add_determinism: corpora.add_determinism.clone(),
            ruff: corpora.ruff.clone(),
            grimp: corpora.grimp.clone(),
        })
    }

    /// A folder of this run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder of this run in memory, where creating a file costs next to nothing.
    pub(crate) fn memory_path(&self, name: &str) -> Option<PathBuf> {
        self.memory.as_ref().map(|folder| folder.path().join(name))
    }

    /// Makes a folder be a fresh copy of a corpus.
    pub(crate) fn copy(&self, corpus: &Corpus, name: &str) -> Result<PathBuf> {
        let to = self.path(name);
        self.remove(name)?;
        copy_tree(&corpus.folder, &to)?;
        // Some collections of ansible are projects of their own; all of the tree is to be built.
        fs::write(to.join("bytekiln.toml"), "[workspace]\nmembers = [\".\"]\n")?;
        Ok(to)
    }

    /// Some sources of the corpora are no Python, or of Python 2. A build that is left with failures has
    /// not found nothing to do, and would look at everything each time.
    pub(crate) fn allow_failures(&self, tree: &Path) -> Result<()> {
        let manifest = "[workspace]\nmembers = [\".\"]\n\n[[allow-failure]]\npath = \"**\"\n\
                        reason = \"as published\"\nexpires = 2999-12-31\n";
        let path = tree.join("bytekiln.toml");
        // Written once: a young manifest is not trusted.
        if fs::read_to_string(&path).is_ok_and(|written| written == manifest) {
            return Ok(());
        }
        Ok(fs::write(path, manifest)?)
    }

    /// Puts a folder out of the way, if it is there; all go at the end. Deleting between runs would
    /// be measured: ext4 hands no inode out again for minutes after it was freed, and looks through
    /// all of those for each file that is created.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        static REMOVED: AtomicUsize = AtomicUsize::new(0);
        let path = self.path(name);
        if path.exists() {
            let number = REMOVED.fetch_add(1, Ordering::Relaxed);
            fs::rename(path, self.path(&format!("removed-{number}")))?;
        }
        Ok(())
    }

    /// `bytekiln build`, the mode being compileall's of [`Workplace::compileall`].
    pub(crate) fn bytekiln(&self, tree: &Path, cache: &Path) -> Command {
        let mut command = self.quiet(&self.bytekiln);
        command.args(["build", "--quiet", "--invalidation-mode", "unchecked-hash"]);
        command.args(["--jobs", JOBS, "--manifest-path"]).arg(tree);
        command.arg("--python").arg(&self.python).arg("--cache-dir").arg(cache);
        command
    }

    /// CPython's own.
    pub(crate) fn compileall(&self, tree: &Path) -> Command {
        let mut command = self.quiet(&self.python);
        command.args(["-m", "compileall", "-q", "-j", JOBS]);
        command.args(["--invalidation-mode", "unchecked-hash"]).arg(tree);
        command
    }

    /// An empty project with an environment that holds a corpus; its folder.
    pub(crate) fn uv_project(&self, corpus: &Corpus, name: &str) -> Result<PathBuf> {
        let project = self.path(name);
        self.remove(name)?;
        fs::create_dir_all(&project)?;
        fs::write(
            project.join("pyproject.toml"),
            "[project]\nname = \"bench\"\nversion = \"0\"\nrequires-python = \">=3.11\"\n",
        )?;
        let mut make = self.quiet(&self.uv);
        make.current_dir(&project).args([
            "venv",
            "--quiet",
            "--offline",
            "--no-project",
            "--python",
        ]);
        shell::run(make.arg(&self.python).arg(".venv"))?;
        copy_tree(&corpus.folder, &project.join(".venv/lib/python3.11/site-packages"))?;
        Ok(project)
    }

    /// uv's compiler alone: the project needs nothing, so nothing is resolved from an index or
    /// installed, and the whole of `site-packages` is compiled, fresh or not.
    pub(crate) fn uv(&self, project: &Path) -> Command {
        let mut command = self.quiet(&self.uv);
        command.current_dir(project);
        command.args(["sync", "--quiet", "--offline", "--inexact", "--no-install-project"]);
        command.args(["--compile-bytecode", "--python"]).arg(&self.python);
        command.env("PYC_INVALIDATION_MODE", "UNCHECKED_HASH").env("UV_CONCURRENT_INSTALLS", JOBS);
        command
    }

    /// The codec alone, in one process.
    pub(crate) fn canonicalise(&self, tree: &Path) -> Command {
        let mut command = self.quiet(&self.canonicalise);
        command.arg(tree);
        command
    }

    /// `bytekiln normalize` on one core: also sees that each cache is of its source and keeps its
    /// meaning.
    pub(crate) fn normalize(&self, tree: &Path) -> Command {
        let mut command = self.quiet(&self.bytekiln);
        command.args(["normalize", "--quiet", "--jobs", "1"]);
        command.args(["--invalidation-mode", "keep"]).arg(tree);
        command
    }

    /// The other rewriter of caches; run, never linked.
    pub(crate) fn add_determinism(&self, tree: &Path) -> Command {
        let mut command = self.quiet(&self.add_determinism);
        command.args(["--handler", "pyc"]).arg(tree);
        command
    }

    /// `bytekiln verify` of caches that compileall made.
    pub(crate) fn verify(&self, tree: &Path, cache: &Path) -> Command {
        let mut command = self.quiet(&self.bytekiln);
        command.args(["verify", "--quiet", "--jobs", JOBS]).arg(tree);
        command.arg("--python").arg(&self.python).arg("--cache-dir").arg(cache);
        command
    }

    /// `bytekiln pack` of one artifact of the workspace `packing`.
    pub(crate) fn pack(&self, artifact: &str) -> Command {
        let mut command = self.pack_all("packing");
        command.arg(artifact);
        command
    }

    /// `bytekiln pack` of everything in a workspace, with a cache that stays.
    pub(crate) fn pack_all(&self, workspace: &str) -> Command {
        let mut command = self.quiet(&self.bytekiln);
        command.args(["pack", "--quiet", "--jobs", JOBS, "--manifest-path"]);
        command.arg(self.path(workspace)).arg("--cache-dir").arg(self.path("pack-cache"));
        command
    }

    /// Info-ZIP, of all that is in a folder.
    pub(crate) fn zip(&self, folder: &str) -> Command {
        let mut command = self.quiet(Path::new("zip"));
        command.current_dir(self.path(folder));
        command.args(["-q", "-r", "-6"]).arg(self.path("other.zip")).arg(".");
        command
    }

    /// GNU tar with gzip.
    pub(crate) fn tar(&self, folder: &str) -> Command {
        let mut command = self.quiet(Path::new("tar"));
        command.arg("--create").arg("--gzip").arg("--file").arg(self.path("other.tar.gz"));
        command.arg("--directory").arg(self.path(folder)).arg(".");
        command
    }

    /// Starts sphinx from an artifact of the workspace `program`.
    pub(crate) fn start(&self, artifact: &str) -> Command {
        let mut command = self.quiet(&self.python);
        let path = self.path("program").join("dist").join(artifact);
        command.args(["-S", "-B"]);
        if artifact.ends_with(".pyz") {
            command.arg(path).arg("--version");
        } else {
            command.env("PYTHONPATH", path).args(["-m", "sphinx", "--version"]);
        }
        command
    }

    /// `bytekiln graph`, all of it, for a version, as ruff is told: of a path the interpreter would have to be
    /// asked.
    pub(crate) fn graph(&self, tree: &Path, state: &Path) -> Command {
        let mut command = self.quiet(&self.bytekiln);
        command.args(["graph", "--quiet", "--format", "json", "--jobs", JOBS, "--manifest-path"]);
        command.arg(tree).args(["--python", "3.11", "--state-dir"]).arg(state);
        command
    }

    /// ruff's graph: files and the files that they import, nothing unresolved.
    pub(crate) fn ruff(&self, tree: &Path) -> Command {
        let mut command = self.quiet(&self.ruff);
        command.current_dir(tree).env("RAYON_NUM_THREADS", JOBS);
        command.args([
            "analyze",
            "graph",
            "--isolated",
            "--quiet",
            "--target-version",
            "py311",
            ".",
        ]);
        command
    }

    /// grimp's graph of django and sympy, with the names of what is imported from elsewhere.
    pub(crate) fn grimp(&self, tree: &Path, cache: Option<&Path>) -> Command {
        let mut command = self.quiet(&self.python);
        let cache =
            cache.map_or("None".to_owned(), |path| format!("{:?}", path.display().to_string()));
        let script = format!(
            "import grimp; \
             grimp.build_graph('django', 'sympy', include_external_packages=True, cache_dir={cache})"
        );
        command.current_dir(tree).env("PYTHONPATH", &self.grimp).args(["-c", &script]);
        command
    }

    /// Runs an interpreter's program.
    pub(crate) fn script(&self, python: &Path, script: &str, arguments: &[&Path]) -> Command {
        let mut command = self.quiet(python);
        command.args(["-I", "-S", "-B", "-c", script]).args(arguments).stdout(Stdio::piped());
        command
    }

    /// A repository of everything in a folder, with the untracked cache on and filled.
    pub(crate) fn git_repository(&self, tree: &Path) -> Result<()> {
        fs::write(tree.join(".gitignore"), "__pycache__/\n.bytekiln/\n")?;
        for arguments in [
            &["init", "--quiet"][..],
            &["config", "user.name", "bench"],
            &["config", "user.email", "bench@invalid"],
            &["config", "core.untrackedCache", "true"],
            &["config", "gc.auto", "0"],
            &["add", "--all"],
            &["commit", "--quiet", "--message", "corpus"],
            &["status", "--porcelain"],
            &["status", "--porcelain"],
        ] {
            let mut git = self.quiet(Path::new("git"));
            shell::run(git.current_dir(tree).args(arguments))?;
        }
        Ok(())
    }

    /// What git users do all day.
    pub(crate) fn git_status(&self, tree: &Path) -> Command {
        let mut command = self.quiet(Path::new("git"));
        command.current_dir(tree).args(["status", "--porcelain"]);
        command
    }

    /// With a home of its own and without a terminal.
    fn quiet(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("HOME", self.folder.path()).env("XDG_CACHE_HOME", self.path("xdg"));
        command.env_remove("PYTHONPYCACHEPREFIX").env_remove("PYTHONDONTWRITEBYTECODE");
        command
    }

    /// A command line for readers, without this machine's folders.
    pub(crate) fn shown(&self, command: &Command) -> String {
        let mut line = String::new();
        for (name, value) in command.get_envs() {
            if let (Some(name), Some(value)) = (name.to_str(), value)
                && (name.starts_with("PYC_") || name.starts_with("UV_"))
            {
                line.push_str(&format!("{name}={} ", value.to_string_lossy()));
            }
        }
        line.push_str(&shell::display(command));
        let python = self.python.to_string_lossy().into_owned();
        let base = format!("{}/", self.folder.path().display());
        if let Some(memory) = &self.memory {
            line = line.replace(&format!("{}/", memory.path().display()), "");
        }
        line.replace(&python, "3.11").replace(&base, "").replacen("python3.11 -m", "python -m", 1)
    }
}

/// Expects about as many outputs as sources: a contender that does nothing is fast.
pub(crate) fn expect_outputs(tree: &Path, corpus: &Corpus) -> Result<()> {
    let outputs = count(tree, "pyc")?;
    if outputs.saturating_mul(100) < corpus.sources.saturating_mul(95) {
        bail!("{outputs} outputs of {} sources in `{}`", corpus.sources, tree.display());
    }
    Ok(())
}

pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    shell::run(Command::new("cp").arg("-a").arg(from.join(".")).arg(to))
}
