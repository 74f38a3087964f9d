//! Writes, compares and removes outputs. Whatever happens, an output is the whole old file or the
//! whole new one. Knows nothing of how its bytes were made.

mod error;
mod folder;
mod link;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytekiln_action::{Digest, RepoPath};
use bytekiln_planner::{OutputPath, RootId};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::LinkPolicy;
pub(crate) use error::OutputError;
pub(crate) use folder::Missing;
use link::LinkMethod;

/// Permissions of outputs, whatever the umask: they are part of what is reproducible.
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);

/// Where an output's bytes are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content<'a> {
    /// In memory.
    Bytes(&'a [u8]),
    /// In a file that may be linked from, and in memory.
    Both(&'a Path, &'a [u8]),
    /// In a file that may be linked from.
    File(&'a Path),
}

/// All folders that outputs may be in.
pub(crate) struct Outputs<'a> {
    roots: &'a [PathBuf],
    policy: LinkPolicy,
    /// The best method that still works, for each root: what one file system refuses once is not
    /// tried ten thousand times.
    methods: Vec<LinkMethod>,
}

/// The folder used last; outputs come in the order of their folders.
#[derive(Default)]
pub(crate) struct LastFolder(Option<(RootId, RepoPath, OwnedFd)>);

impl<'a> Outputs<'a> {
    pub(crate) fn new(roots: &'a [PathBuf], policy: LinkPolicy) -> Outputs<'a> {
        Outputs { roots, policy, methods: roots.iter().map(|_| LinkMethod::best()).collect() }
    }

    /// Whether exactly these bytes stand there already, as a private or linked regular file.
    pub(crate) fn holds(
        &self,
        last: &mut LastFolder,
        output: &OutputPath,
        digest: &Digest,
    ) -> bool {
        let Ok(Some(folder)) = self.folder(last, output, Missing::Leave) else { return false };
        let name = output.path.file_name();
        // Most often nothing is there, or something of another size: one system call says so.
        let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
            || u64::try_from(stat.st_size) != Ok(digest.size)
            || Mode::from_raw_mode(stat.st_mode) != FILE_MODE
        {
            return false;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = openat(folder, name, flags, Mode::empty()) else { return false };
        let mut bytes = vec![0; usize::try_from(digest.size).unwrap_or(0)];
        File::from(file).read_exact(&mut bytes).is_ok() && Digest::of(&bytes) == *digest
    }

    /// Puts the content there.
    pub(crate) fn place(
        &self,
        last: &mut LastFolder,
        output: &OutputPath,
        content: Content<'_>,
    ) -> Result<(), OutputError> {
        match self.try_place(last, output, content) {
            // Another build removed the folder as empty between two steps.
            Err(OutputError::Io { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
                last.0 = None;
                self.try_place(last, output, content)
            }
            placed => placed,
        }
    }

    fn try_place(
        &self,
        last: &mut LastFolder,
        output: &OutputPath,
        content: Content<'_>,
    ) -> Result<(), OutputError> {
        let target = self.path_of(output);
        let Some(folder) = self.folder(last, output, Missing::Create)? else {
            return Err(OutputError::system("open the folder", &target, Errno::NOENT));
        };
        let place = Place { folder, name: output.path.file_name(), target: &target };
        if let (LinkPolicy::Link, Content::Both(file, _) | Content::File(file)) =
            (self.policy, content)
            && let Some(method) = self.methods.get(usize::from(output.root.0))
            && method.place(&place, file)?
        {
            return Ok(());
        }
        match content {
            Content::Bytes(bytes) | Content::Both(_, bytes) => place.write(bytes),
            Content::File(file) => {
                let bytes = std::fs::read(file).map_err(|error| OutputError::Io {
                    action: "read the cached file",
                    path: file.to_owned(),
                    error,
                })?;
                place.write(&bytes)
            }
        }
    }

    /// Removes an output, and the folders that this leaves empty: a `__pycache__`, or in a tree of
    /// outputs all of them. `Ok` also if it is gone already.
    pub(crate) fn remove(&self, output: &OutputPath) -> std::io::Result<()> {
        let mut last = LastFolder::default();
        let folder =
            self.folder(&mut last, output, Missing::Leave).map_err(OutputError::into_io)?;
        if let Some(folder) = folder {
            match unlinkat(folder, output.path.file_name(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut emptied = output.path.parent();
        while let Some(folder) = emptied.filter(|folder| !folder.is_root()) {
            if folder.file_name() != b"__pycache__" && output.root == RootId::WORKSPACE {
                break;
            }
            let above = OutputPath { root: output.root, path: folder.clone() };
            let Ok(Some(parent)) = self.folder(&mut last, &above, Missing::Leave) else { break };
            match unlinkat(parent, folder.file_name(), AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(_) => break, // not empty, most often
            }
            emptied = folder.parent();
        }
        Ok(())
    }

    fn path_of(&self, output: &OutputPath) -> PathBuf {
        use std::os::unix::ffi::OsStrExt as _;
        let root = self.roots.get(usize::from(output.root.0)).map(PathBuf::as_path);
        root.unwrap_or(Path::new("")).join(std::ffi::OsStr::from_bytes(output.path.as_bytes()))
    }

    fn folder<'b>(
        &self,
        last: &'b mut LastFolder,
        output: &OutputPath,
        missing: Missing,
    ) -> Result<Option<&'b OwnedFd>, OutputError> {
        let parent = output.path.parent().unwrap_or_default();
        let same =
            last.0.as_ref().is_some_and(|(root, path, _)| *root == output.root && *path == parent);
        if !same {
            last.0 = None;
            let Some(root) = self.roots.get(usize::from(output.root.0)) else {
                return Err(OutputError::system(
                    "find the folder of",
                    &self.path_of(output),
                    Errno::NOENT,
                ));
            };
            let Some(folder) = folder::open_folder(root, &parent, missing)? else {
                return Ok(None);
            };
            last.0 = Some((output.root, parent, folder));
        }
        Ok(last.0.as_ref().map(|(_, _, folder)| folder))
    }
}

/// One output's place.
struct Place<'a> {
    folder: &'a OwnedFd,
    name: &'a [u8],
    target: &'a Path,
}

impl Place<'_> {
    /// Refuses to replace what is no regular file.
    fn check_replaceable(&self) -> Result<(), OutputError> {
        match statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(OutputError::system("look at", self.target, error)),
            Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Ok(()),
                FileType::Directory => Err(OutputError::IsAFolder(self.target.to_owned())),
                _ => Err(OutputError::NotAFile(self.target.to_owned())),
            },
        }
    }

    /// A private file: written beside, then renamed.
    fn write(&self, bytes: &[u8]) -> Result<(), OutputError> {
        self.through_temporary(
            |temporary| {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let file = openat(self.folder, temporary, flags, FILE_MODE)?;
                Ok(Some(file))
            },
            |file| {
                let mut file = File::from(file);
                if Mode::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FILE_MODE {
                    rustix::fs::fchmod(&file, FILE_MODE)?;
                }
                file.write_all(bytes)
            },
        )
    }

    /// Makes a temporary name in the same folder by `make`, fills it by `fill`, renames it over the
    /// output; leaves nothing behind if either fails.
    fn through_temporary(
        &self,
        make: impl Fn(&[u8]) -> Result<Option<OwnedFd>, Errno>,
        fill: impl FnOnce(OwnedFd) -> std::io::Result<()>,
    ) -> Result<(), OutputError> {
        self.check_replaceable()?;
        let failed =
            |error| OutputError::Io { action: "write", path: self.target.to_owned(), error };
        let (temporary, file) = loop {
            let temporary = temporary_name();
            match make(&temporary) {
                Ok(file) => break (temporary, file),
                // A process with our number in another container.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(failed(error.into())),
            }
        };
        let filled = file.map_or(Ok(()), fill).and_then(|()| {
            renameat(self.folder, &*temporary, self.folder, self.name).map_err(Into::into)
        });
        // Gone after a rename, except where both names were links to one file: then the rename does
        // nothing. What is left after a failure goes as well.
        let _: Result<(), Errno> = unlinkat(self.folder, &*temporary, AtFlags::empty());
        filled.map_err(failed)
    }
}

/// Unlike any module's cache, and unlike what other threads and processes use.
fn temporary_name() -> Vec<u8> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!(".bytekiln-{}-{number}.tmp", std::process::id()).into_bytes()
}
