//! What an interpreter finds beside the workspace: the virtual environment that was named or is there,
//! its `site-packages`, and the standard library. Looks at files alone and starts nothing; knows
//! nothing of modules.

mod platform;
mod site;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use bytekiln_python::Release;

use crate::path::show;
pub use platform::{target_platform, this_platform};
use site::{Configuration, Installation, base_prefix, installations, linked_folders};

/// Folders in a workspace's root that are looked at without being named, as uv and type checkers do.
const USUAL: [&str; 2] = [".venv", "venv"];

/// Which environment is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VenvChoice {
    /// This one, by an argument. Absolute.
    Named(PathBuf),
    /// This one, by `VIRTUAL_ENV`. Absolute.
    Variable(PathBuf),
    /// What is there: `.venv`, else `venv`, in the workspace's root.
    Search,
    /// None.
    Without,
}

/// An environment: a virtual one, or the prefix of an installation that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Venv {
    /// Where it is. Absolute.
    pub folder: PathBuf,
    /// Major and minor version of its Python.
    pub version: (u16, u16),
    /// `site-packages` and the folders that its `.pth` files add, outside the workspace, in the order
    /// of `sys.path`.
    pub site: Vec<PathBuf>,
    /// Where its Python is installed, if that is there.
    base: Option<PathBuf>,
}

/// Why an environment, or a part of it, cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The folder is no environment.
    NoVenv {
        /// As it was asked for.
        choice: VenvChoice,
        /// The folder.
        folder: PathBuf,
        /// It is not even there.
        missing: bool,
    },
    /// It has no `site-packages` where they should be.
    NoSite {
        /// The environment.
        folder: PathBuf,
        /// Its version, if it says one.
        version: Option<(u16, u16)>,
    },
    /// It holds several Pythons, and nothing says which is meant.
    Several {
        /// The prefix.
        folder: PathBuf,
        /// Their versions.
        versions: Vec<(u16, u16)>,
    },
    /// The standard library was not found.
    NoStandardLibrary {
        /// Whose.
        release: Release,
    },
}

impl EnvironmentError {
    /// Whether an argument is wrong, and not the surroundings.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            EnvironmentError::NoVenv { choice, .. } => matches!(choice, VenvChoice::Named(_)),
            EnvironmentError::Several { .. } => true,
            EnvironmentError::NoSite { .. } | EnvironmentError::NoStandardLibrary { .. } => false,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            EnvironmentError::NoVenv { choice: VenvChoice::Variable(_), .. } => {
                "name another with `--venv`, or none with `--no-venv`"
            }
            EnvironmentError::NoVenv { .. } => {
                "name the folder that holds `pyvenv.cfg`, or the prefix of an installation of Python"
            }
            EnvironmentError::NoSite { .. } => "make the environment again, or use `--no-venv`",
            EnvironmentError::Several { .. } => "say which with `--python`",
            EnvironmentError::NoStandardLibrary { .. } => {
                "name an interpreter by its path with `--python`, or do not `--follow all`"
            }
        }
    }
}

impl std::fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EnvironmentError::NoVenv { choice, folder, missing } => {
                match choice {
                    VenvChoice::Variable(_) => {
                        write!(f, "`VIRTUAL_ENV` names `{}`, ", show(folder))?;
                    }
                    _ => write!(f, "`{}` is no virtual environment: ", show(folder))?,
                }
                match (missing, choice) {
                    (true, VenvChoice::Variable(_)) => f.write_str("and there is no such folder"),
                    (true, _) => f.write_str("there is no such folder"),
                    (false, VenvChoice::Variable(_)) => {
                        f.write_str("which is no virtual environment: it has no `pyvenv.cfg`")
                    }
                    (false, _) => f.write_str("it has no `pyvenv.cfg`"),
                }
            }
            EnvironmentError::NoSite { folder, version: Some((major, minor)) } => write!(
                f,
                "the virtual environment `{}` has no `lib/python{major}.{minor}/site-packages`",
                show(folder)
            ),
            EnvironmentError::NoSite { folder, version: None } => {
                write!(f, "the virtual environment `{}` has no `site-packages`", show(folder))
            }
            EnvironmentError::Several { folder, versions } => {
                let versions: Vec<String> =
                    versions.iter().map(|(major, minor)| format!("{major}.{minor}")).collect();
                write!(f, "`{}` holds Python {}", show(folder), versions.join(", "))
            }
            EnvironmentError::NoStandardLibrary { release } => write!(
                f,
                "the standard library of Python 3.{} was not found beside its interpreter",
                release.minor()
            ),
        }
    }
}

impl std::error::Error for EnvironmentError {}

/// Finds the environment. `root` is the workspace, whose own folders are left out of what `.pth` files
/// add: they are there as members. `release` chooses among the Pythons of a prefix such as `/usr`.
///
/// # Errors
/// The one that was named is none, or cannot be used. Without a name, a folder that is none is passed
/// over.
pub fn find_venv(
    root: &Path,
    choice: &VenvChoice,
    release: Option<Release>,
) -> Result<Option<Venv>, EnvironmentError> {
    match choice {
        VenvChoice::Without => Ok(None),
        VenvChoice::Search => {
            let folder = USUAL.iter().map(|name| root.join(name));
            let folder = folder.into_iter().find(|folder| folder.join("pyvenv.cfg").is_file());
            folder.map(|folder| open(root, choice, &folder, release)).transpose()
        }
        VenvChoice::Named(folder) | VenvChoice::Variable(folder) => {
            open(root, choice, folder, release).map(Some)
        }
    }
}

fn open(
    root: &Path,
    choice: &VenvChoice,
    folder: &Path,
    release: Option<Release>,
) -> Result<Venv, EnvironmentError> {
    let Some(configuration) = Configuration::read(folder) else {
        return prefix(root, choice, folder, release);
    };
    let all = installations(folder);
    let version = configuration.version;
    let own: Vec<&Installation> = match version {
        Some(version) => all.iter().filter(|one| one.version == version).collect(),
        None => all.iter().collect(),
    };
    let Some(version) = own.first().map(|one| one.version) else {
        return Err(EnvironmentError::NoSite { folder: folder.to_owned(), version });
    };
    if own.iter().any(|one| one.version != version) {
        return Err(several(folder, &all));
    }
    let base = configuration.home.as_deref().and_then(|home| base_prefix(home, version));
    let mut site: Vec<PathBuf> = own.iter().flat_map(|one| one.site.iter().cloned()).collect();
    if configuration.system_site
        && let Some(base) = &base
    {
        let shared = installations(base).into_iter().filter(|one| one.version == version);
        site.extend(shared.flat_map(|one| one.site));
    }
    Ok(venv(root, folder, version, site, base))
}

/// The prefix of an installation, such as `/usr` or a conda environment.
fn prefix(
    root: &Path,
    choice: &VenvChoice,
    folder: &Path,
    release: Option<Release>,
) -> Result<Venv, EnvironmentError> {
    let mut all = installations(folder);
    all.retain(|one| one.folder.join("os.py").is_file());
    if let Some(release) = release
        && all.iter().any(|one| one.version == (3, u16::from(release.minor())))
    {
        all.retain(|one| one.version == (3, u16::from(release.minor())));
    }
    let Some(version) = all.first().map(|one| one.version) else {
        return Err(EnvironmentError::NoVenv {
            choice: choice.clone(),
            folder: folder.to_owned(),
            missing: !folder.is_dir(),
        });
    };
    if all.iter().any(|one| one.version != version) {
        return Err(several(folder, &all));
    }
    let site = all.into_iter().flat_map(|one| one.site).collect();
    Ok(venv(root, folder, version, site, Some(folder.to_owned())))
}

fn several(folder: &Path, all: &[Installation]) -> EnvironmentError {
    let mut versions: Vec<(u16, u16)> = all.iter().map(|one| one.version).collect();
    versions.dedup();
    EnvironmentError::Several { folder: folder.to_owned(), versions }
}

fn venv(
    root: &Path,
    folder: &Path,
    version: (u16, u16),
    own: Vec<PathBuf>,
    base: Option<PathBuf>,
) -> Venv {
    let mut site: Vec<PathBuf> = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for folder in own {
        let linked = linked_folders(&folder).into_iter();
        for folder in std::iter::once(folder).chain(linked.filter(|one| !one.starts_with(root))) {
            // `lib64` is often a link to `lib`.
            let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            if !seen.contains(&real) {
                seen.push(real);
                site.push(folder);
            }
        }
    }
    Venv { folder: folder.to_owned(), version, site, base }
}

impl Venv {
    /// The release of its Python, if Bytekiln knows it.
    #[must_use]
    pub fn release(&self) -> Option<Release> {
        let (3, minor) = self.version else { return None };
        u8::try_from(minor).ok().and_then(Release::from_minor)
    }

    /// Its standard library, if that is there and of this release.
    #[must_use]
    pub fn standard_library(&self, release: Release) -> Option<PathBuf> {
        standard_library_below(self.base.as_deref()?, release)
    }
}

/// The standard library of an interpreter, as it finds it itself: in `lib/pythonX.Y` of the folder that
/// its executable, links followed, is in, or of one around it; a virtual environment's is that of the
/// Python that it was made from.
#[must_use]
pub fn standard_library(executable: &Path, release: Release) -> Option<PathBuf> {
    let version = (3, u16::from(release.minor()));
    let around = executable.parent().and_then(Path::parent);
    if let Some(configuration) = around.and_then(Configuration::read) {
        let base = base_prefix(&configuration.home?, version)?;
        return standard_library_below(&base, release);
    }
    let base = base_prefix(executable.parent()?, version)
        .filter(|base| around == Some(base))
        .or_else(|| site::prefix_around(&executable.canonicalize().ok()?, version))?;
    standard_library_below(&base, release)
}

fn standard_library_below(base: &Path, release: Release) -> Option<PathBuf> {
    let version = (3, u16::from(release.minor()));
    let mut all = installations(base).into_iter().filter(|one| one.version == version);
    all.find(|one| one.folder.join("os.py").is_file()).map(|one| one.folder)
}
