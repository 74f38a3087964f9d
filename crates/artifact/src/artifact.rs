//! An artifact, opened: its entries, and their contents on demand. Knows nothing of what the
//! entries mean, except that a wheel has a `RECORD`.

use std::fs::File;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bytekiln_action::RepoPath;

use crate::error::Fault;
use crate::links::{self, Destination};
use crate::member::{MemberReader, Stream};
use crate::{ArtifactError, Container, Entry, EntryKind, EntryProblem, EntryProblemKind};
use crate::{directory, tar, zip};

/// What may be asked of the machine.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The longest file that is read, in bytes, unpacked.
    pub max_file_bytes: u64,
    /// The most bytes that all files of an archive together may have, unpacked. Folders have no
    /// such limit: nothing is unpacked.
    pub max_total_bytes: u64,
    /// Threads to list a folder with.
    pub jobs: NonZeroUsize,
}

impl OpenOptions {
    /// What [`OpenOptions::new`] allows one file: more than any `.pyc` that the codec reads.
    pub const MAX_FILE_BYTES: u64 = 512 << 20;
    /// What [`OpenOptions::new`] allows an archive: no wheel or layer known to us has a quarter.
    pub const MAX_TOTAL_BYTES: u64 = 64 << 30;

    /// The limits above, and this many threads.
    pub fn new(jobs: NonZeroUsize) -> OpenOptions {
        OpenOptions {
            max_file_bytes: OpenOptions::MAX_FILE_BYTES,
            max_total_bytes: OpenOptions::MAX_TOTAL_BYTES,
            jobs,
        }
    }
}

/// A folder or an archive. Entries can be read on several threads at once.
#[derive(Debug)]
pub struct Artifact {
    path: PathBuf,
    container: Container,
    entries: Vec<Entry>,
    problems: Vec<EntryProblem>,
    max_file_bytes: u64,
    storage: Storage,
}

#[derive(Debug)]
enum Storage {
    Directory { root: OwnedFd, absolute: Option<PathBuf> },
    Zip { file: File, places: Vec<zip::Place> },
    Tar { file: File, places: Vec<tar::Place> },
}

/// What kind of archive a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archive {
    Zip,
    Tar,
    PackedTar(tar::Packing),
}

/// Looks at the beginning and the end of a file. `None` if it is no archive.
pub(crate) fn recognise(file: &File) -> std::io::Result<Option<Archive>> {
    let mut first = [0; 512];
    let mut length = 0;
    while let Some(rest) = first.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    let first = first.get(..length).unwrap_or_default();
    // A tar may end with a stored zip, and looks like one then; but no zip begins like a tar.
    if tar::looks_like_tar(first) {
        return Ok(Some(Archive::Tar));
    }
    if let Some(packing) = tar::packing(first)
        && tar::holds_tar(file, packing)?
    {
        return Ok(Some(Archive::PackedTar(packing)));
    }
    Ok(zip::looks_like_zip(file)?.then_some(Archive::Zip))
}

impl Artifact {
    /// Opens a folder, zip, wheel or tar, the last also packed with gzip or zstd; which of them is told from the content.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Artifact, ArtifactError> {
        let fail = |fault: Fault| fault.at(path, None);
        let metadata = std::fs::metadata(path).map_err(|error| fail(error.into()))?;
        if metadata.is_dir() {
            return Artifact::open_folder(path, options).map_err(|error| fail(error.into()));
        }
        if !metadata.is_file() {
            return Err(ArtifactError::Unknown { path: path.to_owned() });
        }
        let file = File::open(path).map_err(|error| fail(error.into()))?;
        match recognise(&file).map_err(|error| fail(error.into()))? {
            None => Err(ArtifactError::Unknown { path: path.to_owned() }),
            Some(Archive::Zip) => Artifact::open_zip(path, file, options).map_err(fail),
            Some(Archive::Tar) => Artifact::open_tar(path, file, options).map_err(fail),
            Some(Archive::PackedTar(packing)) => {
                tar::unpack(&file, packing, options.max_total_bytes)
                    .and_then(|plain| Artifact::open_tar(path, plain, options))
                    .map_err(fail)
            }
        }
    }

    fn open_folder(path: &Path, options: &OpenOptions) -> std::io::Result<Artifact> {
        let root = directory::open(path)?;
        let directory::Listing { entries, mut problems } =
            directory::list(root.as_fd(), options.jobs);
        let (entries, _) = links::sort_entries(entries, &mut problems);
        let storage = Storage::Directory { root, absolute: std::fs::canonicalize(path).ok() };
        Ok(Artifact::new(path, Container::Directory, entries, problems, options, storage))
    }

    fn open_zip(path: &Path, file: File, options: &OpenOptions) -> Result<Artifact, Fault> {
        let zip::Directory { entries, mut problems } = zip::list(&file, options.max_total_bytes)?;
        let (entries, places) = links::sort_entries(entries, &mut problems);
        let has_record = entries.iter().any(|entry| {
            entry
                .path
                .as_bytes()
                .strip_suffix(b".dist-info/RECORD")
                .is_some_and(|name| !name.contains(&b'/'))
        });
        let is_wheel = has_record && path.extension().is_some_and(|suffix| suffix == "whl");
        let container = if is_wheel { Container::Wheel } else { Container::Zip };
        let storage = Storage::Zip { file, places };
        Ok(Artifact::new(path, container, entries, problems, options, storage))
    }

    fn open_tar(path: &Path, file: File, options: &OpenOptions) -> Result<Artifact, Fault> {
        let tar::Members { entries, mut problems } = tar::list(&file, options.max_total_bytes)?;
        let (mut entries, mut places) = links::sort_entries(entries, &mut problems);
        for index in 0..places.len() {
            resolve_hard_link(&mut entries, &mut places, index, &mut problems);
        }
        let storage = Storage::Tar { file, places };
        Ok(Artifact::new(path, Container::Tar, entries, problems, options, storage))
    }

    fn new(
        path: &Path,
        container: Container,
        entries: Vec<Entry>,
        mut problems: Vec<EntryProblem>,
        options: &OpenOptions,
        storage: Storage,
    ) -> Artifact {
        let root = match &storage {
            Storage::Directory { absolute: Some(path), .. } => Some(path.as_os_str().as_bytes()),
            _ => None,
        };
        for (index, entry) in entries.iter().enumerate() {
            if !matches!(entry.kind, EntryKind::Symlink(_)) {
                continue;
            }
            let kind = match links::follow(&entries, index, root) {
                Destination::Entry(_) | Destination::Root => continue,
                Destination::Outside => EntryProblemKind::LinkLeadsOutside,
                Destination::Nowhere => EntryProblemKind::DanglingLink,
            };
            problems.push(EntryProblem { name: entry.path.as_bytes().to_vec(), kind });
        }
        problems.sort();
        let max_file_bytes = options.max_file_bytes;
        Artifact { path: path.to_owned(), container, entries, problems, max_file_bytes, storage }
    }

    /// What kind of thing it is.
    pub fn container(&self) -> Container {
        self.container
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything in it, sorted by the bytes of the paths, each path once.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was refused or cannot be read, sorted.
    pub fn problems(&self) -> &[EntryProblem] {
        &self.problems
    }

    /// Which entry has this path; links on the way are not followed.
    pub fn find(&self, path: &RepoPath) -> Option<usize> {
        links::find(&self.entries, path.as_bytes())
    }

    /// The entry that entry `index` stands for: itself, or where its link leads. `None` if that
    /// is outside, or nothing, or the artifact's own folder.
    pub fn resolve(&self, index: usize) -> Option<usize> {
        let entry = self.entries.get(index)?;
        if !matches!(entry.kind, EntryKind::Symlink(_)) {
            return Some(index);
        }
        let root = match &self.storage {
            Storage::Directory { absolute: Some(path), .. } => Some(path.as_os_str().as_bytes()),
            _ => None,
        };
        match links::follow(&self.entries, index, root) {
            Destination::Entry(index) => Some(index),
            _ => None,
        }
    }

    /// The content of a file, or of the file that a link leads to inside the artifact. The
    /// checksum of a zip's entry is checked.
    pub fn read(&self, index: usize) -> Result<Vec<u8>, ArtifactError> {
        let (resolved, entry) = self.file(index)?;
        let no_file = || self.no_file(index);
        let limit = self.max_file_bytes;
        let content = match &self.storage {
            Storage::Directory { root, .. } => directory::read(root, &entry.path, limit),
            Storage::Zip { file, places } => match places.get(resolved) {
                Some(place) => zip::read(file, place, limit),
                None => return Err(no_file()),
            },
            Storage::Tar { file, places } => match places.get(resolved) {
                Some(tar::Place::Offset(offset)) => tar::read(file, *offset, entry.size, limit),
                _ => return Err(no_file()),
            },
        };
        content.map_err(|fault| fault.at(&self.path, self.name(index)))
    }

    /// The same content, read in parts; it may be longer than the longest file.
    pub(crate) fn reader(&self, index: usize) -> Result<MemberReader<'_>, ArtifactError> {
        let (resolved, entry) = self.file(index)?;
        let stream = match &self.storage {
            Storage::Directory { root, .. } => {
                directory::open_file(root, &entry.path).map(|(file, _)| Stream::File(file))
            }
            Storage::Zip { file, places } => match places.get(resolved) {
                Some(place) => zip::open(file, place).map(|stream| Stream::Zip(Box::new(stream))),
                None => return Err(self.no_file(index)),
            },
            Storage::Tar { file, places } => match places.get(resolved) {
                Some(tar::Place::Offset(offset)) => {
                    Ok(Stream::Range(tar::At::range(file, *offset, entry.size)))
                }
                _ => return Err(self.no_file(index)),
            },
        };
        let stream = stream.map_err(|fault| fault.at(&self.path, self.name(index)))?;
        Ok(MemberReader::new(self, index, stream))
    }

    /// The file that entry `index` stands for.
    fn file(&self, index: usize) -> Result<(usize, &Entry), ArtifactError> {
        let found = self.resolve(index).and_then(|at| Some((at, self.entries.get(at)?)));
        found.filter(|(_, entry)| entry.kind == EntryKind::File).ok_or_else(|| self.no_file(index))
    }

    /// How errors call an entry.
    pub(crate) fn name(&self, index: usize) -> Option<String> {
        self.entries.get(index).map(|entry| entry.path.to_string())
    }

    fn no_file(&self, index: usize) -> ArtifactError {
        let member = self.name(index).unwrap_or_else(|| format!("entry {index}"));
        ArtifactError::NotAFile { path: self.path.clone(), member }
    }
}

/// Gives a hard link of a tar the place and size of what it links to.
fn resolve_hard_link(
    entries: &mut [Entry],
    places: &mut [tar::Place],
    index: usize,
    problems: &mut Vec<EntryProblem>,
) {
    let mut at = index;
    // Links to links are rare, circles are hostile.
    for _ in 0..8 {
        let Some(tar::Place::Same(target)) = places.get(at) else { break };
        match links::find(entries, target) {
            Some(next) => at = next,
            None => break,
        }
    }
    if at == index {
        if let (Some(tar::Place::Same(_)), Some(entry)) = (places.get(index), entries.get(index)) {
            problems.push(dangling(entry));
        }
        return;
    }
    let found = entries.get(at).map(|entry| (entry.kind.clone(), entry.size));
    let place = places.get(at).cloned();
    let (Some(entry), Some(own)) = (entries.get_mut(index), places.get_mut(index)) else { return };
    match (found, place) {
        (Some((kind @ (EntryKind::File | EntryKind::Symlink(_)), size)), Some(place))
            if matches!(place, tar::Place::Offset(_)) =>
        {
            (entry.kind, entry.size, *own) = (kind, size, place);
        }
        _ => problems.push(dangling(entry)),
    }
}

fn dangling(entry: &Entry) -> EntryProblem {
    EntryProblem { name: entry.path.as_bytes().to_vec(), kind: EntryProblemKind::DanglingLink }
}
