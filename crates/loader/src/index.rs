//! The files of one root by folder, as importers look them up. Knows nothing of modules.

use std::collections::BTreeMap;

use crate::{Kind, Root};

/// Number of a folder in an [`Index`]; 0 is the root.
pub(crate) type FolderId = usize;

#[derive(Debug, Default)]
pub(crate) struct Folder<'t> {
    pub(crate) folders: BTreeMap<&'t [u8], FolderId>,
    /// Name to index into [`Root::entries`].
    pub(crate) files: BTreeMap<&'t [u8], usize>,
    /// Has an entry of its own.
    pub(crate) explicit: bool,
}

#[derive(Debug)]
pub(crate) struct Index<'t> {
    folders: Vec<Folder<'t>>,
}

impl<'t> Index<'t> {
    pub(crate) fn new(root: &'t Root) -> Index<'t> {
        let mut index = Index { folders: vec![Folder { explicit: true, ..Folder::default() }] };
        for (number, entry) in root.entries.iter().enumerate() {
            let path = entry.path.as_bytes();
            if path.is_empty() {
                continue;
            }
            let (parent, name) = match path.iter().rposition(|byte| *byte == b'/') {
                Some(slash) => (path.get(..slash), path.get(slash + 1..)),
                None => (Some(&[][..]), Some(path)),
            };
            let folder = index.make(parent.unwrap_or_default());
            let name = name.unwrap_or_default();
            match entry.kind {
                Kind::Directory => {
                    let child = index.child(folder, name);
                    if let Some(child) = index.folders.get_mut(child) {
                        child.explicit = true;
                    }
                }
                Kind::File => {
                    if let Some(folder) = index.folders.get_mut(folder) {
                        folder.files.insert(name, number);
                    }
                }
            }
        }
        index
    }

    fn make(&mut self, path: &'t [u8]) -> FolderId {
        let components = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        components.fold(0, |folder, name| self.child(folder, name))
    }

    fn child(&mut self, parent: FolderId, name: &'t [u8]) -> FolderId {
        let next = self.folders.len();
        let Some(folder) = self.folders.get_mut(parent) else { return parent };
        let child = *folder.folders.entry(name).or_insert(next);
        if child == next {
            self.folders.push(Folder::default());
        }
        child
    }

    /// The folder with this number; of any other number an empty one.
    pub(crate) fn folder(&self, id: FolderId) -> &Folder<'t> {
        const EMPTY: &Folder<'static> =
            &Folder { folders: BTreeMap::new(), files: BTreeMap::new(), explicit: false };
        self.folders.get(id).unwrap_or(EMPTY)
    }

    /// A folder by its path.
    pub(crate) fn find(&self, path: &[u8]) -> Option<FolderId> {
        let mut components = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        components.try_fold(0, |folder, name| self.folder(folder).folders.get(name).copied())
    }

    /// A file in a folder: its index into [`Root::entries`].
    pub(crate) fn file(&self, folder: FolderId, name: &[u8]) -> Option<usize> {
        self.folder(folder).files.get(name).copied()
    }

    /// A folder in a folder.
    pub(crate) fn subfolder(&self, folder: FolderId, name: &[u8]) -> Option<FolderId> {
        self.folder(folder).folders.get(name).copied()
    }
}
