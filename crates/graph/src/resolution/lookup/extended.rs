//! Packages with folders in several roots, of which one `__init__` runs: legacy namespace packages, made
//! by `pkgutil.extend_path` or `pkg_resources.declare_namespace`. Knows nothing of statements.

use super::{Found, Inside, Lookup, runtime_file};
use crate::resolution::Target;

impl Lookup<'_, '_> {
    /// Whether what these entries lead to is a package that looks for more of its folders.
    pub(super) fn extending_package(&self, entries: &[u32]) -> bool {
        let mut known = entries.iter().filter_map(|id| self.index.entry(*id));
        let first = known.find_map(|entry| runtime_file(entry).map(|file| (entry, file)));
        first.is_some_and(|(entry, file)| entry.package == file && self.index.extends_path(file))
    }

    /// Notes the package that something was found in, where that is not to be told from its folder.
    pub(super) fn note_package(&mut self, id: u32, parent: &Found) {
        let Some(found) = self.found.get_mut(id as usize) else { return };
        let is_namespace = matches!(found.target, Target::Namespace(_));
        let is_extended = matches!(&parent.inside, Inside::Folders(folders) if folders.len() > 1);
        found.package = match parent.target {
            Target::File(_) if is_extended || is_namespace => Some(parent.target),
            _ => parent.package,
        };
    }

    /// `pkgutil.extend_path`: after its own folder all others of its name, in the order of the path,
    /// with or without `__init__`. So does `pkg_resources.declare_namespace`, near enough.
    pub(super) fn extend_path(&mut self, package: u32, entries: &[u32]) {
        let Some(Found { inside: Inside::Folders(folders), .. }) =
            self.found.get_mut(package as usize)
        else {
            return;
        };
        // A module hides the folder beside it.
        let is_portion = |id: &u32| {
            !folders.contains(id)
                && self.index.entry(*id).is_some_and(|entry| {
                    entry.folder && runtime_file(entry).is_none_or(|file| file == entry.package)
                })
        };
        let more: Vec<u32> = entries.iter().copied().filter(is_portion).collect();
        *folders = folders.iter().copied().chain(more).collect();
    }
}
