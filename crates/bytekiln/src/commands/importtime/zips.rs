//! The zips that a program loads modules from: what is in them, and what `doctor` would say of it. Knows
//! nothing of how they came to be on the path.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytekiln_artifact::{LocatedKind, locate};
use bytekiln_loader::{Contents, FileId, Kind, simulate};
use bytekiln_python::Release;
use bytekiln_startup::{Origin, Verbose};

use super::observed::root_of;
use super::simulate::{Agreement, Circumstances, Expected, launch};
use crate::commands::doctor::artifacts::{Artifacts, Deployment};
use crate::commands::doctor::interpreter::ask;
use crate::environment::Environment;

/// One entry of the path: a zip, or a folder in one.
struct Zip {
    path: PathBuf,
    artifacts: Artifacts,
    /// By name below it.
    members: BTreeMap<Vec<u8>, usize>,
}

/// All that modules came from.
#[derive(Default)]
pub(super) struct Zips {
    zips: Vec<Zip>,
    /// Those that could not be read, and why.
    pub(super) problems: Vec<String>,
}

impl Zips {
    /// Opens those of which modules were loaded, and the program itself if it is one.
    pub(super) fn open(
        verbose: &Verbose,
        script: Option<&Path>,
        folder: &Path,
        release: Release,
        jobs: NonZeroUsize,
    ) -> Zips {
        let zipped = verbose.modules.iter().filter(|(_, loaded)| loaded.zipped);
        let mut paths: BTreeSet<PathBuf> = zipped
            .filter_map(|(name, loaded)| root_of(name, &folder.join(loaded.file.as_ref()?)))
            .collect();
        let is_archive =
            |path: &&Path| locate(path).is_ok_and(|located| located.kind == LocatedKind::Archive);
        paths.extend(script.filter(is_archive).map(Path::to_owned));
        let mut zips = Zips::default();
        for path in paths {
            let as_is = Deployment { target: None, mtime: None };
            match Artifacts::open(std::slice::from_ref(&path), None, release, as_is, folder, jobs) {
                Ok(artifacts) => zips.zips.push(Zip::new(path, artifacts)),
                Err(error) => zips.problems.extend(error.messages),
            }
        }
        zips
    }

    /// Whether this is one.
    pub(super) fn is_zip(&self, path: &Path) -> bool {
        self.zips.iter().any(|zip| zip.path == path)
    }

    /// The zip that a path leads into, and the name in it.
    fn find<'a>(&self, path: &'a Path) -> Option<(&Zip, &'a [u8])> {
        let inside = |zip: &Zip| path.strip_prefix(&zip.path).ok().map(|name| name.as_os_str());
        let all = self.zips.iter().filter_map(|zip| Some((zip, inside(zip)?.as_bytes())));
        all.min_by_key(|(_, name)| name.len())
    }

    /// The bytes of a member.
    pub(super) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let (zip, name) = self.find(path)?;
        let entry = *zip.members.get(name)?;
        zip.artifacts.read(FileId { root: 0, entry }).ok()
    }

    /// Puts right what the interpreter does not tell: a source whose cache was read, and a cache that was
    /// looked at and not taken.
    pub(super) fn settle(&self, verbose: &mut Verbose, folder: &Path) {
        for loaded in verbose.modules.values_mut().filter(|loaded| loaded.zipped) {
            let Some(file) = &loaded.file else { continue };
            let path = folder.join(file);
            let Some((zip, name)) = self.find(&path) else { continue };
            match (loaded.origin, name.strip_suffix(b"c")) {
                (Origin::Cache, Some(source)) if zip.members.contains_key(source) => {
                    loaded.file = file.strip_suffix('c').map(str::to_owned);
                }
                (Origin::Compiled, None) if zip.members.contains_key(&*[name, b"c"].concat()) => {
                    loaded.origin = Origin::Stale;
                }
                _ => {}
            }
        }
    }

    /// What `doctor` says of them, against what the interpreter did.
    pub(super) fn agreement(
        &self,
        verbose: &Verbose,
        circumstances: &Circumstances<'_>,
        environment: &Environment,
    ) -> Agreement {
        let mut agreement = Agreement::default();
        for zip in &self.zips {
            let mut expected = Expected::new();
            for (name, loaded) in verbose.modules.iter().filter(|(_, loaded)| loaded.zipped) {
                let file = loaded.file.as_ref().map(|file| circumstances.folder.join(file));
                let root = file.as_ref().and_then(|file| root_of(name, file));
                if root.as_deref() == Some(&zip.path) {
                    expected.insert((0, name.as_bytes().to_vec()), (name, loaded.origin));
                }
            }
            if expected.is_empty() {
                continue;
            }
            let stamps = zip.artifacts.stamps();
            let executable = &circumstances.interpreter.executable;
            let Ok(facts) = ask(executable, false, &stamps, None, environment) else {
                agreement.unknown += expected.len();
                continue;
            };
            let dated = Dated { artifacts: &zip.artifacts, local_seconds: &facts.local_seconds };
            let reports = simulate(&zip.artifacts.tree, &launch(circumstances), &dated);
            agreement.hold(&reports, expected);
        }
        agreement
    }

    /// Writes what is in them below a folder; where each entry of the path went.
    pub(super) fn unpack(&self, into: &Path) -> std::io::Result<BTreeMap<PathBuf, PathBuf>> {
        let mut unpacked = BTreeMap::new();
        for (number, zip) in self.zips.iter().enumerate() {
            let folder = into.join(number.to_string());
            let root = zip.artifacts.tree.roots.first();
            let entries = root.into_iter().flat_map(|root| root.entries.iter().enumerate());
            std::fs::create_dir_all(&folder)?;
            for (entry, found) in entries {
                let place = folder.join(OsStr::from_bytes(found.path.as_bytes()));
                if found.kind == Kind::Directory {
                    std::fs::create_dir_all(&place)?;
                    continue;
                }
                if let Some(parent) = place.parent() {
                    std::fs::create_dir_all(parent)?;
                }
                let bytes = zip.artifacts.read(FileId { root: 0, entry });
                std::fs::write(&place, bytes.map_err(std::io::Error::other)?)?;
            }
            unpacked.insert(zip.path.clone(), folder);
        }
        Ok(unpacked)
    }
}

impl Zip {
    fn new(path: PathBuf, artifacts: Artifacts) -> Zip {
        let entries = artifacts.tree.roots.first().map(|root| root.entries.as_slice());
        let files = entries.unwrap_or_default().iter().enumerate();
        let members = files
            .filter(|(_, entry)| entry.kind == Kind::File)
            .map(|(at, entry)| (entry.path.as_bytes().to_vec(), at))
            .collect();
        Zip { path, artifacts, members }
    }
}

/// Members with dates that an interpreter turned into seconds.
struct Dated<'a> {
    artifacts: &'a Artifacts,
    local_seconds: &'a BTreeMap<(u16, u16), i64>,
}

impl Contents for Dated<'_> {
    fn read(&self, file: FileId) -> Result<Vec<u8>, String> {
        self.artifacts.read(file)
    }

    fn local_seconds(&self, date: u16, time: u16) -> Option<i64> {
        self.local_seconds.get(&(date, time)).copied()
    }
}
