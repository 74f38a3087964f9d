//! Where a file is opened from: if others of its folder come next, from that folder, so that the system need
//! not find the way there for each of them. Knows nothing of what is read.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};

use super::trees::TreeFile;

/// The folder that a thread opened last.
#[derive(Default)]
pub(super) struct Place(Option<(u32, Vec<u8>, OwnedFd)>);

/// So many files must be left in a folder for it to be opened.
const FEW: usize = 3;

impl Place {
    /// An open folder, and the path from there to the first of `files`, which come by folder; `trees` has
    /// the folder of each tree.
    pub(super) fn of<'a>(
        &'a mut self,
        trees: &'a [Option<OwnedFd>],
        files: &'a [TreeFile],
    ) -> Option<(BorrowedFd<'a>, &'a [u8])> {
        let file = files.first()?;
        let tree = trees.get(file.tree as usize)?.as_ref()?;
        let parent = file.path.parent_bytes();
        let is_in = |folder: &(u32, Vec<u8>, OwnedFd)| folder.0 == file.tree && folder.1 == parent;
        if !self.0.as_ref().is_some_and(is_in) {
            let last = files.get(FEW - 1).map(|last| (last.tree, last.path.parent_bytes()));
            if last != Some((file.tree, parent)) || parent.is_empty() {
                return Some((tree.as_fd(), file.path.as_bytes()));
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let open = rustix::fs::openat(tree, parent, flags, Mode::empty());
            // Whatever is wrong is told of the file.
            self.0 = open.ok().map(|open| (file.tree, parent.to_vec(), open));
        }
        match &self.0 {
            Some((_, _, folder)) => Some((folder.as_fd(), file.path.file_name())),
            None => Some((tree.as_fd(), file.path.as_bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bytekiln_action::RepoPath;
    use bytekiln_graph::FileKind;

    use super::*;
    use crate::load::open_folder;
    use crate::scan::Stamp;

    fn file(path: &str) -> TreeFile {
        TreeFile {
            tree: 0,
            path: RepoPath::new(path.as_bytes()).unwrap(),
            stamp: Stamp::default(),
            kind: FileKind::Source,
            owner: 0,
            script: false,
            executable: false,
        }
    }

    #[test]
    fn each_file_is_opened_whatever_came_before() {
        let root = tempfile::tempdir().unwrap();
        let paths = ["a/b/1", "a/b/2", "a/b/3", "a/b/c/4", "a/b/d", "a/e", "f", "g", "h"];
        for path in paths {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, path.file_name().unwrap().as_encoded_bytes()).unwrap();
        }
        let files: Vec<TreeFile> = paths.iter().copied().map(file).collect();
        let trees = [Some(open_folder(root.path()).unwrap())];
        let mut place = Place::default();
        for start in [0, 1, 2, 3, 4, 5, 6, 7, 8, 3, 0] {
            let (folder, path) = place.of(&trees, &files[start..]).unwrap();
            let open = rustix::fs::openat(folder, path, OFlags::RDONLY, Mode::empty()).unwrap();
            let content = std::io::read_to_string(fs::File::from(open)).unwrap();
            assert_eq!(content.as_bytes(), files[start].path.file_name());
            // 3 is alone in its folder, and 5 too; at the root all are.
            assert_eq!(path == files[start].path.file_name(), !matches!(start, 3 | 5));
        }
        assert!(place.of(&trees, &[]).is_none());
    }
}
