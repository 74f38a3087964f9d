//! What is to be compiled, in words of the manifest. Everything that is not said is as `bytekiln build`
//! has it.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::planned::Planned;
use crate::arguments::{Global, PartArguments, SelectArguments};
use crate::environment::Environment;
use crate::failure::CommandFailure;
use crate::report::terminal::Terminal;
use crate::session::Session;
use crate::settings::{settings, start_folder, workspace};

/// A workspace, and what of it. Environment variables are read when it is made: those of
/// [`crate::environment`], none of `BYTEKILN_…`.
#[derive(Debug)]
pub struct Precompile {
    folder: PathBuf,
    manifest: Option<PathBuf>,
    pub(super) select: SelectArguments,
    pub(super) part: PartArguments,
    pub(super) force: bool,
    environment: Environment,
    terminal: Terminal,
}

impl Precompile {
    /// The workspace that this folder is in, as if the command were started there.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Precompile {
        Precompile {
            folder: folder.into(),
            manifest: None,
            select: SelectArguments::default(),
            part: PartArguments::default(),
            force: false,
            environment: Environment::read(),
            terminal: Terminal::collecting(),
        }
    }

    /// This workspace: its folder, or its `bytekiln.toml`, `pyproject.toml` or `Cargo.toml`.
    pub fn manifest(mut self, path: impl Into<PathBuf>) -> Precompile {
        self.manifest = Some(path.into());
        self
    }

    /// Only this member; several are added up.
    pub fn member(mut self, name: impl Into<String>) -> Precompile {
        self.select.package.push(name.into());
        self
    }

    /// Only this module and all that it imports; several are added up.
    pub fn entry(mut self, module: impl Into<String>) -> Precompile {
        self.part.entry.push(module.into());
        self
    }

    /// Another profile than `dev`.
    pub fn profile(mut self, name: impl Into<String>) -> Precompile {
        self.select.profile = Some(name.into());
        self
    }

    /// This interpreter instead of the profile's: a version, path or command; several are added up.
    pub fn python(mut self, python: impl Into<String>) -> Precompile {
        self.select.python.push(python.into());
        self
    }

    /// This cache instead of the user's.
    pub fn cache_dir(mut self, folder: impl Into<PathBuf>) -> Precompile {
        self.select.cache_dir = Some(folder.into());
        self
    }

    /// No cache.
    pub fn without_cache(mut self) -> Precompile {
        self.select.no_cache = true;
        self
    }

    /// Threads and compilers at once.
    pub fn jobs(mut self, jobs: NonZeroUsize) -> Precompile {
        self.select.jobs = Some(jobs);
        self
    }

    /// Everything, fresh or not.
    pub fn force(mut self) -> Precompile {
        self.force = true;
        self
    }

    /// Looks at the workspace, and says what is to be done. Holds the workspace's build lock until the
    /// plan is dropped; waits for it, if another build has it.
    ///
    /// # Errors
    /// Manifest, interpreter or folder are not usable; names them.
    pub fn plan(&self) -> Result<Planned<'_>, CommandFailure> {
        let mut session = self.session()?;
        let lock = session.lock()?;
        session.choose(&self.part)?;
        Planned::new(session, lock, self.force, &self.terminal)
    }

    fn session(&self) -> Result<Session<'_>, CommandFailure> {
        let global = Global {
            manifest_path: self.manifest.clone(),
            directory: Some(self.folder.clone()),
            color: None,
            verbose: 0,
            quiet: false,
        };
        let workspace = workspace(&global, &self.environment)?;
        crate::report::problems::say(&self.terminal, &workspace.problems);
        let start = start_folder(&global, &self.environment)?;
        let settings = settings(&self.select, workspace, start, &self.environment)?;
        Ok(Session::new(settings, &self.environment, &self.terminal))
    }
}
