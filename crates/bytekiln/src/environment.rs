//! The environment of the process, read once at the start and passed on as values. Besides these,
//! clap reads the `BYTEKILN_*` variables named in `arguments` and shown by `--help`.

use std::ffi::OsString;
use std::path::PathBuf;

use bytekiln_project::SearchPath;

/// Folders are searched for interpreters.
pub const PATH: &str = "PATH";
/// The user's home: caches and pyenv lie below it.
pub const HOME: &str = "HOME";
/// Where the user's caches are, if not in `~/.cache`.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// Where pyenv keeps its interpreters, if not in `~/.pyenv`.
pub const PYENV_ROOT: &str = "PYENV_ROOT";
/// The virtual environment that is active: where the import graph finds distributions.
pub const VIRTUAL_ENV: &str = "VIRTUAL_ENV";
/// Where an interpreter looks for caches: what `importtime` measures as it is.
pub const PYTHONPYCACHEPREFIX: &str = "PYTHONPYCACHEPREFIX";
/// Where an interpreter looks for modules first: what `importtime` puts trees and zips before.
pub const PYTHONPATH: &str = "PYTHONPATH";
/// Set to anything: no colours (no-color.org).
pub const NO_COLOR: &str = "NO_COLOR";
/// Set to anything but 0: colours even where standard error is no terminal.
pub const CLICOLOR_FORCE: &str = "CLICOLOR_FORCE";
/// Passed on to interpreters, whose start may need them; no other variable is.
pub const FOR_INTERPRETERS: [&str; 3] =
    ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];
/// Seconds since 1970 of everything in an artifact (reproducible-builds.org).
pub const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";
/// `dumb` terminals get neither colours nor bars.
pub const TERM: &str = "TERM";

/// What the command takes from its surroundings.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Folder that it was started in; `None` where it has been deleted.
    pub current_dir: Option<PathBuf>,
    /// This program, for files that are to start it.
    pub executable: Option<PathBuf>,
    /// `PATH`.
    pub path: Option<OsString>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_CACHE_HOME`, if absolute, as the specification wants it.
    pub xdg_cache_home: Option<PathBuf>,
    /// `PYENV_ROOT`.
    pub pyenv_root: Option<PathBuf>,
    /// `VIRTUAL_ENV`.
    pub virtual_env: Option<PathBuf>,
    /// `SOURCE_DATE_EPOCH`.
    pub source_date_epoch: Option<OsString>,
    /// `PYTHONPYCACHEPREFIX`.
    pub pycache_prefix: Option<PathBuf>,
    /// `PYTHONPATH`.
    pub python_path: Option<OsString>,
    /// Colours: forbidden, forced, or as the terminal is.
    pub color: Option<bool>,
    /// Bars may be shown.
    pub bars: bool,
    /// The variables of [`FOR_INTERPRETERS`] that are set.
    pub for_interpreters: Vec<(OsString, OsString)>,
}

impl Environment {
    /// Of this process.
    pub fn read() -> Environment {
        let set = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let dumb = set(TERM).is_some_and(|term| term == "dumb");
        let color = if set(NO_COLOR).is_some() || dumb {
            Some(false)
        } else if set(CLICOLOR_FORCE).is_some_and(|value| value != "0") {
            Some(true)
        } else {
            None
        };
        Environment {
            current_dir: std::env::current_dir().ok(),
            executable: std::env::current_exe().ok(),
            path: set(PATH),
            home: set(HOME).map(PathBuf::from),
            xdg_cache_home: set(XDG_CACHE_HOME)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute()),
            pyenv_root: set(PYENV_ROOT).map(PathBuf::from),
            virtual_env: set(VIRTUAL_ENV).map(PathBuf::from),
            source_date_epoch: set(SOURCE_DATE_EPOCH),
            pycache_prefix: set(PYTHONPYCACHEPREFIX).map(PathBuf::from),
            python_path: set(PYTHONPATH),
            color,
            bars: !dumb,
            for_interpreters: FOR_INTERPRETERS
                .into_iter()
                .filter_map(|name| Some((OsString::from(name), set(name)?)))
                .collect(),
        }
    }

    /// The user's cache folder, if there is a place for one.
    pub fn default_cache_dir(&self) -> Option<PathBuf> {
        let base = self
            .xdg_cache_home
            .clone()
            .or_else(|| self.home.as_ref().map(|home| home.join(".cache")))?;
        Some(base.join("bytekiln"))
    }

    /// Where interpreters are looked for.
    pub fn search_path(&self) -> SearchPath {
        SearchPath {
            path_variable: self.path.clone(),
            home: self.home.clone(),
            pyenv_root: self.pyenv_root.clone(),
            folders: Vec::new(),
            uv: self.on_path("uv"),
        }
    }

    /// The command `git`, by its name where `PATH` has none, so that a message names it.
    pub fn git(&self) -> PathBuf {
        self.on_path("git").unwrap_or_else(|| PathBuf::from("git"))
    }

    /// The command `uv`, if it is on `PATH`.
    pub fn uv(&self) -> Option<PathBuf> {
        self.on_path("uv")
    }

    fn on_path(&self, name: &str) -> Option<PathBuf> {
        let path = self.path.as_ref()?;
        std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
    }
}
