//! Items and options to write, and names for them.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bytekiln_action::RepoPath;
use bytekiln_artifact::{
    Artifact, Content, DeflateLevel, EntryKind, Item, ItemKind, Owner, TarCompression, TarOptions,
    ZipCompression, ZipFolders, ZipOptions,
};

pub(crate) const MODIFIED: i64 = 1_700_000_000;

pub(crate) fn jobs(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

pub(crate) fn zip_options() -> ZipOptions {
    ZipOptions {
        compression: ZipCompression::Deflated(DeflateLevel::DEFAULT),
        preamble: None,
        modified: MODIFIED,
        zip64: true,
        folders: ZipFolders::All,
        last: None,
        jobs: jobs(2),
    }
}

pub(crate) fn tar_options() -> TarOptions {
    TarOptions {
        compression: TarCompression::None,
        modified: MODIFIED,
        owner: Owner::ROOT,
        jobs: jobs(2),
    }
}

pub(crate) fn file(path: &str, content: &[u8]) -> Item {
    let content = Content::Bytes(content.into());
    let kind = ItemKind::File { content, executable: false };
    Item { path: RepoPath::new(path.as_bytes()).unwrap(), kind }
}

pub(crate) fn link(path: &str, target: &str) -> Item {
    let kind = ItemKind::Symlink(target.as_bytes().to_vec());
    Item { path: RepoPath::new(path.as_bytes()).unwrap(), kind }
}

/// Everything in an artifact as items; no file is executable.
pub(crate) fn members(artifact: &Arc<Artifact>) -> Vec<Item> {
    let item = |(index, entry): (usize, &bytekiln_artifact::Entry)| {
        let kind = match &entry.kind {
            EntryKind::Directory => ItemKind::Directory,
            EntryKind::Symlink(target) => ItemKind::Symlink(target.clone()),
            EntryKind::File => ItemKind::File {
                content: Content::Member { artifact: Arc::clone(artifact), index },
                executable: false,
            },
        };
        Item { path: entry.path.clone(), kind }
    };
    artifact.entries().iter().enumerate().map(item).collect()
}

/// Bytes that pack to about a half, always the same ones.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"0123456789abcdef"[(state >> 28) as usize]
    };
    (0..length).map(|_| next()).collect()
}
