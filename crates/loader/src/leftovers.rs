//! Caches that belong to no source, or lie where no importer looks. Knows nothing of modules.

use bytekiln_python::is_module_name;

use crate::cache_name;
use crate::finder::{CACHE_FOLDER, Finder};
use crate::{Container, Effect, FileId, ModuleReport, Reason, Tree};

/// Every `.pyc` in a `__pycache__` that no module of a folder, or no module of a zip at all, is
/// served by, unless a verdict on the module says so. Caches for other interpreters and levels beside their source are nobody's fault.
pub(crate) fn leftovers(tree: &Tree, finder: &Finder<'_>) -> Vec<ModuleReport> {
    let mut found = Vec::new();
    for (number, root) in tree.roots.iter().enumerate() {
        let Some(index) = finder.indexes.get(number) else { continue };
        for (position, entry) in root.entries.iter().enumerate() {
            let name = entry.path.file_name();
            let Some(folder) = entry.path.parent() else { continue };
            if folder.file_name() != CACHE_FOLDER || !name.ends_with(b".pyc") {
                continue;
            }
            // `source_from_cache` takes what is before the first point; a stem with points in it
            // is no module, but its source is there all the same.
            let stem = cache_name::parse(name).map(|(stem, ..)| stem);
            let stem =
                stem.unwrap_or_else(|| name.split(|byte| *byte == b'.').next().unwrap_or(name));
            let parent = folder.parent().and_then(|parent| index.find(parent.as_bytes()));
            let has = |suffix: &[u8]| {
                parent.is_some_and(|parent| index.file(parent, &[stem, suffix].concat()).is_some())
            };
            let reason = match (root.container, has(b".py")) {
                (Container::Directory, true) => continue,
                (Container::Directory, false) => Reason::NoSource,
                // Its module is reported with this very reason.
                (Container::Zip, true) if !has(b".pyc") && is_module_name(stem) => continue,
                (Container::Zip, _) => Reason::CacheFolderInZip,
            };
            found.push(ModuleReport {
                name: entry.path.as_bytes().to_vec(),
                file: FileId { root: number, entry: position },
                cache: Some(FileId { root: number, entry: position }),
                effect: Effect::NotUsed,
                reason,
                compiled_bytes: 0,
            });
        }
    }
    found
}
