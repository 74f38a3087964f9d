//! What an action reads, as a Merkle tree: files with their bytes below a root, and the `Directory`
//! messages over them, sorted as the API wants it so that equal trees have equal digests. Pure.

use std::collections::BTreeMap;

use bytekiln_action::Digest;
use bytekiln_cache::Blob;
use prost::Message as _;

use crate::execution_protocol::{DirectoryMessage, DirectoryNode, FileNode, SymlinkNode};

/// Files below the root of an action. A later file of one path replaces an earlier one.
#[derive(Debug, Clone, Default)]
pub struct InputTree {
    root: Folder,
}

#[derive(Debug, Clone, Default)]
struct Folder {
    files: BTreeMap<String, File>,
    links: BTreeMap<String, String>,
    folders: BTreeMap<String, Folder>,
}

#[derive(Debug, Clone)]
struct File {
    blob: Blob,
    executable: bool,
}

/// Whether a file may be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// It is read.
    Data,
    /// It is run.
    Executable,
}

impl InputTree {
    /// Adds a file. The path is relative, without `.` and `..`.
    pub fn add_file(&mut self, path: &str, blob: Blob, kind: InputKind) {
        let (folder, name) = self.folder_of(path);
        let executable = kind == InputKind::Executable;
        folder.files.insert(name.to_owned(), File { blob, executable });
    }

    /// Adds a symbolic link; its target is relative to its folder, and inside the tree.
    pub fn add_link(&mut self, path: &str, target: &str) {
        let (folder, name) = self.folder_of(path);
        folder.links.insert(name.to_owned(), target.to_owned());
    }

    fn folder_of<'p>(&mut self, path: &'p str) -> (&mut Folder, &'p str) {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut folder = &mut self.root;
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            folder = folder.folders.entry(part.to_owned()).or_default();
        }
        (folder, name)
    }

    /// The digest of the root, and all blobs that a server needs to know for it.
    pub(crate) fn encode(&self) -> (Digest, Vec<Blob>) {
        let mut blobs = Vec::new();
        let root = encode(&self.root, &mut blobs);
        (root, blobs)
    }
}

fn encode(folder: &Folder, blobs: &mut Vec<Blob>) -> Digest {
    let mut message = DirectoryMessage::default();
    for (name, file) in &folder.files {
        let digest = Some((&file.blob.digest).into());
        message.files.push(FileNode { name: name.clone(), digest, is_executable: file.executable });
        blobs.push(file.blob.clone());
    }
    for (name, folder) in &folder.folders {
        let digest = Some((&encode(folder, blobs)).into());
        message.directories.push(DirectoryNode { name: name.clone(), digest });
    }
    for (name, target) in &folder.links {
        message.symlinks.push(SymlinkNode { name: name.clone(), target: target.clone() });
    }
    let blob = Blob::of(message.encode_to_vec());
    let digest = blob.digest;
    blobs.push(blob);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> InputTree {
        let mut tree = InputTree::default();
        for path in paths {
            tree.add_file(path, Blob::of(path.as_bytes().to_vec()), InputKind::Data);
        }
        tree
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        let paths = ["a", "b/c", "b/d/e", "b-c"];
        let reversed: Vec<&str> = paths.iter().rev().copied().collect();
        let (root, blobs) = tree(&paths).encode();
        assert_eq!(tree(&reversed).encode().0, root);
        // Four files, three folders.
        assert_eq!(blobs.len(), 7);
        assert!(blobs.iter().all(Blob::is_true));
        assert_ne!(tree(&paths[1..]).encode().0, root);
        let mut other = tree(&paths);
        other.add_file("a", Blob::of(&b"a"[..]), InputKind::Executable);
        assert_ne!(other.encode().0, root);
        let mut other = tree(&paths);
        other.add_link("l", "a");
        assert_ne!(other.encode().0, root);
    }

    /// The wire form of one file `a` with `x` in it, so that no field number changes unseen.
    #[test]
    fn golden_bytes() {
        let mut tree = InputTree::default();
        tree.add_file("a", Blob::of(&b"x"[..]), InputKind::Executable);
        let (_, blobs) = tree.encode();
        let hash = Digest::of(b"x").to_hex();
        let mut expected = vec![0x0a, 75, 0x0a, 1, b'a', 0x12, 68, 0x0a, 64];
        expected.extend_from_slice(hash.as_bytes());
        expected.extend([0x10, 1, 0x20, 1]);
        assert_eq!(blobs.last().map(|blob| blob.bytes.to_vec()), Some(expected));
    }
}
