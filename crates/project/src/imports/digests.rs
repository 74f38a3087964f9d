//! SHA-256 of sources, for graphs whose fingerprints are asked for: from the build's file index where it
//! knows the file as it was read, else from the file. A file that changes between its imports and its
//! digest makes a fingerprint that no later load will give again; what is keyed on it is never found by
//! mistake. Knows nothing of imports.

use std::os::fd::AsFd as _;

use bytekiln_action::Digest;

use super::content::Content;
use super::contents::Reading;
use super::trees::TreeFile;
use crate::index::{FileIndex, IndexEntry};
use crate::scan::read_source;

/// Of each file that has a content, in their order. A damaged index is the build's to tell of.
pub(super) fn of(
    reading: &Reading<'_>,
    files: &[TreeFile],
    contents: &[Content],
) -> Vec<Option<Digest>> {
    let index = FileIndex::<Digest>::read(&reading.state_dir.join("index")).unwrap_or_default();
    let asked: Vec<(&TreeFile, &Content)> = files.iter().zip(contents).collect();
    crate::parallel::map(&asked, reading.threads, Vec::new, |buffer, (file, content)| {
        content.id()?;
        if let Some(known) = known(&index, file).filter(|known| known.stamp == content.stamp) {
            return Some(known.digest);
        }
        let folder = reading.open.get(file.tree as usize)?.as_ref()?;
        read_source(folder.as_fd(), file.path.as_bytes(), false, buffer).ok()?;
        Some(Digest::of(buffer))
    })
}

fn known<'a>(index: &'a FileIndex, file: &TreeFile) -> Option<&'a IndexEntry> {
    if !file.is_built() {
        return None;
    }
    let at = index.entries.binary_search_by(|entry| entry.path.cmp(&file.path)).ok()?;
    index.entries.get(at)
}
