//! How a Python is laid out on disk: `pyvenv.cfg`, `lib/pythonX.Y`, `site-packages`, `.pth` files.
//! Knows nothing of which Python is wanted.

use std::path::{Path, PathBuf};

/// What `pyvenv.cfg` says.
pub(super) struct Configuration {
    /// The folder of the executable that the environment was made from.
    pub(super) home: Option<PathBuf>,
    pub(super) version: Option<(u16, u16)>,
    /// The installation's own `site-packages` come after the environment's.
    pub(super) system_site: bool,
}

impl Configuration {
    /// None if there is no such file.
    pub(super) fn read(folder: &Path) -> Option<Configuration> {
        let bytes = std::fs::read(folder.join("pyvenv.cfg")).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let mut found = Configuration { home: None, version: None, system_site: false };
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else { continue };
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "home" => found.home = Some(PathBuf::from(value)),
                // The standard library writes the first, virtualenv both, uv the second.
                "version" | "version_info" => found.version = found.version.or(version(value)),
                "include-system-site-packages" => {
                    found.system_site = value.eq_ignore_ascii_case("true");
                }
                _ => {}
            }
        }
        Some(found)
    }
}

fn version(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split('.').map(|part| part.parse::<u16>().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// One `lib/pythonX.Y` below a prefix.
pub(super) struct Installation {
    pub(super) version: (u16, u16),
    /// `lib/pythonX.Y`.
    pub(super) folder: PathBuf,
    /// Those of its `site-packages` that are there.
    pub(super) site: Vec<PathBuf>,
}

/// Those that have a standard library or `site-packages`, by version. `python3.13t` is that of a
/// free-threaded build.
pub(super) fn installations(prefix: &Path) -> Vec<Installation> {
    let mut found: Vec<Installation> = Vec::new();
    let Ok(entries) = std::fs::read_dir(prefix.join("lib")) else { return found };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    for name in names {
        let rest = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
        let Some(version) = rest.and_then(|rest| version(rest.trim_end_matches('t'))) else {
            continue;
        };
        let folder = prefix.join("lib").join(&name);
        let mut site = vec![folder.join("site-packages")];
        if version.0 == 3 {
            // Red Hat's second folder, and Debian's for what the system installs.
            site.push(prefix.join("lib64").join(&name).join("site-packages"));
            site.push(folder.join("dist-packages"));
            site.push(prefix.join("lib/python3/dist-packages"));
        }
        site.retain(|folder| folder.is_dir());
        if !site.is_empty() || folder.join("os.py").is_file() {
            found.push(Installation { version, folder, site });
        }
    }
    found.sort_by(|a, b| (a.version, &a.folder).cmp(&(b.version, &b.folder)));
    found
}

/// The prefix of the Python whose executables are in `home`.
pub(super) fn base_prefix(home: &Path, version: (u16, u16)) -> Option<PathBuf> {
    let (major, minor) = version;
    let beside = home.parent().filter(|prefix| has_library(prefix, version));
    beside.map(Path::to_owned).or_else(|| {
        let names = [format!("python{major}.{minor}"), format!("python{major}"), "python".into()];
        let real = names.iter().find_map(|name| home.join(name).canonicalize().ok())?;
        prefix_around(&real, version)
    })
}

/// The nearest folder around an executable that has a standard library of this version.
pub(super) fn prefix_around(executable: &Path, version: (u16, u16)) -> Option<PathBuf> {
    let mut folders = executable.ancestors().skip(1);
    folders.find(|folder| has_library(folder, version)).map(Path::to_owned)
}

/// Asks for the few names that there are: `/usr/lib` has too many to list for each graph.
fn has_library(prefix: &Path, (major, minor): (u16, u16)) -> bool {
    let names = ["python{}", "python{}t", "pypy{}"];
    names.iter().any(|name| {
        let name = name.replace("{}", &format!("{major}.{minor}"));
        prefix.join("lib").join(name).join("os.py").is_file()
    })
}

/// Folders that `.pth` files add to `sys.path`: editable installations, mostly. Lines that run code
/// are passed over.
pub(super) fn linked_folders(site: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(site) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "pth"))
        .filter(|path| {
            let name = path.file_name().map(std::ffi::OsStr::as_encoded_bytes);
            !name.is_some_and(|name| name.starts_with(b"."))
        })
        .collect();
    files.sort_unstable();
    let mut folders = Vec::new();
    for file in files {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim_end);
        for line in lines {
            if line.is_empty() || line.starts_with('#') || line.starts_with("import ") {
                continue;
            }
            let folder = crate::path::normalize(site, Path::new(line));
            if folder.is_dir() && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    folders
}
