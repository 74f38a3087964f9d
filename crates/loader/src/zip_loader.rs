//! `zipimport`'s `_get_module_code`, step by step, without running anything. Other than in folders
//! a cache stands beside its source, times may differ by a second, and a cache of a source that is
//! not there is taken as it is. The same in 3.8 to 3.15, but for what `finder` knows and the wording
//! of errors.
//!
//! Left out: where `m/__init__.pyc` is rejected, its source is not there and `m.py` is taken instead,
//! CPython gives the package the folder above as its search path. What is below `m` then is anybody's
//! guess; we list it as if `m` were an ordinary package.

use bytekiln_codec::source_hash;

use crate::bytecode::{Header, classify, recorded_path};
use crate::cache_name;
use crate::file_loader::body_fault;
use crate::finder::CACHE_FOLDER;
use crate::index::FolderId;
use crate::simulate::{Judge, Verdict};
use crate::{Effect, Exception, FileId, HashCheck, Reason, Stamp};

/// What a cache comes to.
enum Outcome {
    /// The end of the search.
    Ends(Verdict),
    /// The next file is tried.
    Next(Reason),
}

impl Judge<'_, '_> {
    /// Tries `m/__init__.pyc`, `m/__init__.py`, `m.pyc`, `m.py`. The number is that of the file
    /// that the search ended with.
    pub(crate) fn zip(
        &self,
        root: usize,
        folder: FolderId,
        files: &[Option<usize>; 4],
    ) -> (Verdict, usize) {
        let id = |number: usize| {
            files.get(number).copied().flatten().map(|entry| FileId { root, entry })
        };
        let mut rejected: Option<(FileId, Reason)> = None;
        for number in 0..4 {
            let Some(file) = id(number) else { continue };
            if number % 2 == 1 {
                let (cache, reason) = match rejected {
                    Some((cache, reason)) => (Some(cache), reason),
                    None => (None, self.why_not_beside(root, folder, file)),
                };
                return (self.compiles(file, cache, reason), number);
            }
            match self.zip_cache(file, id(number + 1)) {
                Outcome::Ends(verdict) => return (verdict, number),
                Outcome::Next(reason) => rejected = Some((file, reason)),
            }
        }
        let last = files.iter().rposition(Option::is_some).unwrap_or_default();
        let (cache, reason) =
            rejected.map_or((None, Reason::NoCache), |(cache, reason)| (Some(cache), reason));
        (Verdict::fails(cache, Exception::ImportError, reason), last)
    }

    fn zip_cache(&self, cache: FileId, source: Option<FileId>) -> Outcome {
        let release = self.launch.release;
        let ends =
            |exception, reason| Outcome::Ends(Verdict::fails(Some(cache), exception, reason));
        let data = match self.contents.read(cache) {
            Ok(data) => data,
            Err(error) => return ends(Exception::Unpredictable, Reason::Unreadable(error)),
        };
        let header = match classify(&data, release) {
            Ok(header) => header,
            Err(reason @ Reason::ShortHeader(_)) => return ends(Exception::EofError, reason),
            Err(reason) => return Outcome::Next(reason),
        };
        let mut old_code = false;
        match (header, source) {
            (_, None) => {}
            (Header::Timestamp { mtime, size }, Some(source)) => {
                let Some(entry) = self.tree.entry(source) else {
                    return Outcome::Next(Reason::NoCache);
                };
                let actual = match entry.modified {
                    Stamp::Seconds(seconds) => Some(seconds),
                    Stamp::Dos { date, time } => self.contents.local_seconds(date, time),
                };
                let Some(actual) = actual else {
                    let reason = Reason::Unreadable("its date is none".to_owned());
                    return ends(Exception::Unpredictable, reason);
                };
                // The time 0 stands for "no source" there.
                if actual != 0 {
                    if (i64::from(mtime) - actual).abs() > 1 {
                        return Outcome::Next(Reason::StaleTime { recorded: mtime, actual });
                    }
                    if u64::from(size) != entry.size {
                        let actual = entry.size;
                        return Outcome::Next(Reason::StaleSize { recorded: size, actual });
                    }
                }
            }
            (Header::Hash { checked, hash }, Some(source)) => {
                let is_checked = match self.launch.hash_check {
                    HashCheck::Default => checked,
                    HashCheck::Always => true,
                    HashCheck::Never => false,
                };
                match self.contents.read(source) {
                    Ok(text) if source_hash(release, &text).0 == hash => {}
                    Ok(_) if is_checked => return Outcome::Next(Reason::StaleHash),
                    Ok(_) => old_code = true,
                    Err(error) if is_checked => {
                        return ends(Exception::Unpredictable, Reason::Unreadable(error));
                    }
                    // It is not looked at, and cannot be compared by us either.
                    Err(_) => {}
                }
            }
        }
        Outcome::Ends(match recorded_path(&data, release) {
            Err(reason) => body_fault(cache, reason, Exception::TypeError),
            Ok(_) if old_code => {
                Verdict::new(Some(cache), Effect::RunsOldCode, Reason::UncheckedChanged)
            }
            Ok(path) => self.loads_as_recorded(cache, path),
        })
    }

    /// Whether a source without a cache beside it has one in a `__pycache__`.
    fn why_not_beside(&self, root: usize, folder: FolderId, source: FileId) -> Reason {
        let (Some(index), Some(entry)) = (self.index(root), self.tree.entry(source)) else {
            return Reason::NoCache;
        };
        let stem = entry.path.stem();
        // A package's source is one folder below the folder in which the package was found.
        let parent = entry.path.parent();
        let folder = parent.and_then(|parent| index.find(parent.as_bytes())).unwrap_or(folder);
        let has = index.subfolder(folder, CACHE_FOLDER).is_some_and(|caches| {
            index
                .folder(caches)
                .files
                .keys()
                .any(|name| cache_name::parse(name).is_some_and(|(of, ..)| of == stem))
        });
        if has { Reason::CacheFolderInZip } else { Reason::NoCache }
    }
}
