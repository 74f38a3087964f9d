//! `SourceFileLoader.get_code` and `SourcelessFileLoader.get_code`, step by step, without running
//! anything. The same in 3.8 to 3.15.

use bytekiln_codec::source_hash;

use crate::bytecode::{Header, classify, recorded_path};
use crate::cache_name;
use crate::finder::CACHE_FOLDER;
use crate::index::FolderId;
use crate::simulate::{Judge, Verdict};
use crate::{Effect, Exception, FileId, HashCheck, Reason, Stamp};

impl Judge<'_, '_> {
    /// A `.py` in a folder. Every fault of the cache up to and including its validation means
    /// compiling; once it is validated, a bad body is an exception.
    pub(crate) fn source(&self, root: usize, folder: FolderId, entry: usize) -> Verdict {
        let source = FileId { root, entry };
        let Some(cache) = self.cache_of(root, folder, entry) else {
            return self.compiles(source, None, self.why_no_cache(root, folder, entry));
        };
        // What cannot be read counts as not there.
        let data = match self.contents.read(cache) {
            Ok(data) => data,
            Err(error) => return self.compiles(source, Some(cache), Reason::Unreadable(error)),
        };
        let header = match classify(&data, self.launch.release) {
            Ok(header) => header,
            Err(reason) => return self.compiles(source, Some(cache), reason),
        };
        let old_code = match header {
            Header::Timestamp { mtime, size } => {
                let Some(stale) = self.stale(source, mtime, size) else {
                    return self.after_validation(&data, cache, false);
                };
                return self.compiles(source, Some(cache), stale);
            }
            Header::Hash { checked, hash } => {
                let is_checked = match self.launch.hash_check {
                    HashCheck::Default => checked,
                    HashCheck::Always => true,
                    HashCheck::Never => false,
                };
                let matches = match self.contents.read(source) {
                    Ok(text) => source_hash(self.launch.release, &text).0 == hash,
                    Err(error) if is_checked => {
                        let reason = Reason::Unreadable(error);
                        return Verdict::fails(Some(cache), Exception::Unpredictable, reason);
                    }
                    // The importer does not look at it, and we cannot compare.
                    Err(_) => true,
                };
                if !matches && is_checked {
                    return self.compiles(source, Some(cache), Reason::StaleHash);
                }
                !matches
            }
        };
        self.after_validation(&data, cache, old_code)
    }

    /// A lone `.pyc` in a folder: nothing to compare it with, nothing to fall back to.
    pub(crate) fn sourceless(&self, root: usize, entry: usize) -> Verdict {
        let cache = FileId { root, entry };
        let data = match self.contents.read(cache) {
            Ok(data) => data,
            Err(error) => {
                let reason = Reason::Unreadable(error);
                return Verdict::fails(Some(cache), Exception::Unpredictable, reason);
            }
        };
        if let Err(reason) = classify(&data, self.launch.release) {
            let exception = match reason {
                Reason::ShortHeader(_) => Exception::EofError,
                _ => Exception::ImportError,
            };
            return Verdict::fails(Some(cache), exception, reason);
        }
        match recorded_path(&data, self.launch.release) {
            Ok(path) => self.loads_as_recorded(cache, path),
            Err(reason) => body_fault(cache, reason, Exception::ImportError),
        }
    }

    fn after_validation(&self, data: &[u8], cache: FileId, old_code: bool) -> Verdict {
        match recorded_path(data, self.launch.release) {
            Err(reason) => body_fault(cache, reason, Exception::ImportError),
            Ok(_) if old_code => {
                Verdict::new(Some(cache), Effect::RunsOldCode, Reason::UncheckedChanged)
            }
            // `_fix_co_filename` puts the right path in.
            Ok(_) => Verdict::new(Some(cache), Effect::Loads, Reason::Matches),
        }
    }

    /// Loads with the path that is recorded in it.
    pub(crate) fn loads_as_recorded(&self, cache: FileId, path: Vec<u8>) -> Verdict {
        let reason =
            if self.is_foreign(cache, &path) { Reason::ForeignPath(path) } else { Reason::Matches };
        Verdict::new(Some(cache), Effect::Loads, reason)
    }

    /// An absolute path that is not the one of the source of this cache.
    fn is_foreign(&self, cache: FileId, path: &[u8]) -> bool {
        let (Some(root), Some(entry)) = (self.tree.root(cache.root), self.tree.entry(cache)) else {
            return false;
        };
        let mut here = root.location.clone();
        here.push(b'/');
        let cache_path = entry.path.as_bytes();
        here.extend_from_slice(cache_path.strip_suffix(b"c").unwrap_or(cache_path));
        path.starts_with(b"/") && path != here
    }

    /// `_validate_timestamp_pyc`: both numbers modulo 2^32, time first.
    fn stale(&self, source: FileId, mtime: u32, size: u32) -> Option<Reason> {
        let entry = self.tree.entry(source)?;
        let actual = match entry.modified {
            Stamp::Seconds(seconds) => seconds,
            Stamp::Dos { date, time } => {
                self.contents.local_seconds(date, time).unwrap_or_default()
            }
        };
        // The last 32 bits, also of times before 1970.
        if actual.rem_euclid(1 << 32) != i64::from(mtime) {
            return Some(Reason::StaleTime { recorded: mtime, actual });
        }
        if entry.size % (1 << 32) != u64::from(size) {
            return Some(Reason::StaleSize { recorded: size, actual: entry.size });
        }
        None
    }

    /// The file that `cache_from_source` names, if it is there.
    fn cache_of(&self, root: usize, folder: FolderId, entry: usize) -> Option<FileId> {
        let tag = self.launch.cache_tag.as_ref()?;
        let level = match self.launch.optimize {
            0 => String::new(),
            level => format!(".opt-{level}"),
        };
        let path = self.tree.entry(FileId { root, entry })?.path.clone();
        let stem = path.stem();
        let name = [stem, b".", tag.as_bytes(), level.as_bytes(), b".pyc"].concat();
        if self.tree.pycache_prefix.is_some() {
            let folder = self.prefix_folder(root, &path)?;
            let number = self.tree.roots.len();
            let entry = self.index(number)?.file(folder, &name)?;
            return Some(FileId { root: number, entry });
        }
        let index = self.index(root)?;
        let caches = index.subfolder(folder, CACHE_FOLDER)?;
        Some(FileId { root, entry: index.file(caches, &name)? })
    }

    /// Where below the prefix the caches of a source's folder are: its absolute path once more.
    fn prefix_folder(&self, root: usize, path: &bytekiln_action::RepoPath) -> Option<FolderId> {
        let mut absolute = self.tree.root(root)?.location.clone();
        if let Some(parent) = path.parent().filter(|parent| !parent.is_root()) {
            absolute.push(b'/');
            absolute.extend_from_slice(parent.as_bytes());
        }
        self.index(self.tree.roots.len())?.find(&absolute)
    }

    /// What there is instead of the cache that the importer looks for.
    fn why_no_cache(&self, root: usize, folder: FolderId, entry: usize) -> Reason {
        let Some(wanted) = &self.launch.cache_tag else { return Reason::NoCacheTag };
        let Some(source) = self.tree.entry(FileId { root, entry }) else { return Reason::NoCache };
        let stem = source.path.stem();
        let beside = self
            .index(root)
            .and_then(|index| Some((index, index.subfolder(folder, CACHE_FOLDER)?)));
        let looked_in = match &self.tree.pycache_prefix {
            None => beside,
            Some(_) => self
                .prefix_folder(root, &source.path)
                .and_then(|folder| Some((self.index(self.tree.roots.len())?, folder))),
        };
        let (mut levels, mut tags) = (Vec::new(), Vec::new());
        if let Some((index, caches)) = looked_in {
            for name in index.folder(caches).files.keys() {
                match cache_name::parse(name) {
                    Some((of, tag, level)) if of == stem && tag == wanted => {
                        levels.push(level);
                    }
                    Some((of, tag, _)) if of == stem => tags.push(tag.to_owned()),
                    _ => {}
                }
            }
        }
        tags.sort();
        tags.dedup();
        if !levels.is_empty() {
            return Reason::OtherLevels(levels);
        }
        if !tags.is_empty() {
            return Reason::OtherInterpreters(tags);
        }
        let outside = self.tree.pycache_prefix.is_some()
            && beside.is_some_and(|(index, caches)| {
                let mut names = index.folder(caches).files.keys();
                names.any(|name| {
                    cache_name::parse(name).is_some_and(|(of, tag, _)| of == stem && tag == wanted)
                })
            });
        if outside { Reason::CacheOutsidePrefix } else { Reason::NoCache }
    }
}

/// A body that cannot be loaded, after the header was accepted.
pub(crate) fn body_fault(cache: FileId, reason: Reason, not_code: Exception) -> Verdict {
    let exception = match reason {
        Reason::TruncatedBody => Exception::EofError,
        Reason::NotCode => not_code,
        _ => Exception::Unpredictable,
    };
    Verdict::fails(Some(cache), exception, reason)
}
