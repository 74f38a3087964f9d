//! What is to be written, brought into the one order that all containers have. Knows nothing of
//! containers.

use std::path::PathBuf;
use std::sync::Arc;

use bytekiln_action::{Digest, RepoPath};

use crate::links::{self, Destination};
use crate::{Artifact, Entry, EntryKind, Modified};

/// Something to be written at a path below the container's root.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where.
    pub path: RepoPath,
    /// What.
    pub kind: ItemKind,
}

/// What an item is.
#[derive(Debug, Clone)]
pub enum ItemKind {
    /// A folder. Those that hold other items need not be named.
    Directory,
    /// A regular file.
    File {
        /// Where its bytes come from.
        content: Content,
        /// Whether its mode is 0755 instead of 0644.
        executable: bool,
    },
    /// A symbolic link to this.
    Symlink(Vec<u8>),
}

/// Where a file's bytes come from. They are read when they are written, never all at once.
#[derive(Debug, Clone)]
pub enum Content {
    /// These.
    Bytes(Arc<[u8]>),
    /// A file on this machine. With a digest, it must still have it when it is read; without, it
    /// must not change while it is read. Else the write fails.
    File {
        /// Where it is.
        path: PathBuf,
        /// What it must be.
        digest: Option<Digest>,
    },
    /// An object of our cache: a file that nobody changes, which a tree may link to instead of
    /// copying it. Its digest is checked as that of a file is.
    Object {
        /// Where it is.
        path: PathBuf,
        /// What it must be.
        digest: Digest,
    },
    /// A file of an opened artifact, or the one that a link in it leads to.
    Member {
        /// Which artifact.
        artifact: Arc<Artifact>,
        /// Which of its entries.
        index: usize,
    },
}

/// Where the targets of symbolic links may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Inside the container, whatever folder that is unpacked to: absolute ones are refused.
    Relative,
    /// Inside too, but the container's root is `/`, as in a layer: absolute ones are inside.
    Rooted,
}

/// Items that fit together: sorted by the bytes of their paths, each path once, every folder there.
#[derive(Debug, Clone)]
pub struct Entries(Vec<Item>);

impl Entries {
    /// The items, sorted; a folder comes before what is in it.
    pub fn items(&self) -> &[Item] {
        &self.0
    }

    /// Whether nothing lies below item `index`.
    pub(super) fn is_empty_folder(&self, index: usize) -> bool {
        let Some(item) = self.0.get(index) else { return true };
        let mut prefix = item.path.as_bytes().to_vec();
        prefix.push(b'/');
        // `a.b` may stand between `a` and `a/b`.
        let below = self.0.partition_point(|other| other.path.as_bytes() < prefix.as_slice());
        !self.0.get(below).is_some_and(|other| other.path.as_bytes().starts_with(&prefix))
    }
}

/// Items that do not fit together. Each names both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayoutError {
    /// Two items have one path.
    Duplicate {
        /// The path.
        path: RepoPath,
        /// What the one is.
        first: String,
        /// What the other one is.
        second: String,
    },
    /// Something lies below an item that is no folder.
    NotAFolder {
        /// The path of the item that is no folder.
        path: RepoPath,
        /// What it is.
        first: String,
        /// What lies below.
        below: RepoPath,
        /// What that is.
        second: String,
    },
    /// A symbolic link leads out of the container.
    LinkLeadsOutside {
        /// The path of the link.
        path: RepoPath,
        /// Its target.
        target: Vec<u8>,
    },
    /// A symbolic link has a target that no file system takes: empty, with a NUL, or longer than
    /// 4,095 bytes.
    BadTarget {
        /// The path of the link.
        path: RepoPath,
        /// Its target.
        target: Vec<u8>,
    },
    /// A file or link is to be the root itself.
    Root {
        /// What it is.
        what: String,
    },
}

impl std::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LayoutError::Duplicate { path, first, second } => {
                write!(f, "`{path}` would be there twice: {first}, and {second}")
            }
            LayoutError::NotAFolder { path, first, below, second } => write!(
                f,
                "`{path}` ({first}) is no folder, but `{below}` ({second}) would lie below it"
            ),
            LayoutError::LinkLeadsOutside { path, target } => write!(
                f,
                "`{path}` is a link to `{}`, which leads out of the artifact",
                target.escape_ascii()
            ),
            LayoutError::BadTarget { path, target } => write!(
                f,
                "`{path}` is a link whose target no file system takes: {} bytes, `{}`",
                target.len(),
                target.get(..target.len().min(40)).unwrap_or_default().escape_ascii()
            ),
            LayoutError::Root { what } => {
                write!(f, "the root of an artifact is a folder, and cannot be {what}")
            }
        }
    }
}

impl std::error::Error for LayoutError {}

/// The longest target of a link that Linux takes.
const LONGEST_TARGET: usize = 4095;

/// Brings items into order and adds the folders above them.
///
/// # Errors
/// Two of one path (folders excepted), something below a file, a link that leads outside.
pub fn lay_out(mut items: Vec<Item>, links: Links) -> Result<Entries, LayoutError> {
    // Stable, and the error of two equals names them in an order of its own.
    items.sort_by(|a, b| a.path.cmp(&b.path));
    let mut laid: Vec<Item> = Vec::with_capacity(items.len() + items.len() / 8);
    // Folders that hold the last item, the root not among them.
    let mut above: Vec<RepoPath> = Vec::new();
    let mut known = std::collections::BTreeMap::new();
    for item in items {
        if item.path.is_root() {
            if matches!(item.kind, ItemKind::Directory) {
                continue;
            }
            return Err(LayoutError::Root { what: describe(&item.kind) });
        }
        if let Some(index) = known.get(&item.path) {
            let Some(twin): Option<&Item> = laid.get(*index) else { continue };
            if matches!((&twin.kind, &item.kind), (ItemKind::Directory, ItemKind::Directory)) {
                continue;
            }
            return Err(twice(twin, &item));
        }
        above.clear();
        let mut folder = item.path.parent();
        while let Some(path) = folder.filter(|path| !path.is_root()) {
            if let Some(index) = known.get(&path) {
                let parent: Option<&Item> = laid.get(*index);
                if let Some(parent) =
                    parent.filter(|parent| !matches!(parent.kind, ItemKind::Directory))
                {
                    return Err(LayoutError::NotAFolder {
                        path,
                        first: describe(&parent.kind),
                        below: item.path.clone(),
                        second: describe(&item.kind),
                    });
                }
                break;
            }
            folder = path.parent();
            above.push(path);
        }
        for path in above.drain(..).rev() {
            known.insert(path.clone(), laid.len());
            laid.push(Item { path, kind: ItemKind::Directory });
        }
        known.insert(item.path.clone(), laid.len());
        laid.push(item);
    }
    // `a.b` sorts before `a/b`, so that folders may have been added too late.
    laid.sort_by(|a, b| a.path.cmp(&b.path));
    check_links(&laid, links)?;
    Ok(Entries(laid))
}

/// The same whichever of the two came first.
fn twice(one: &Item, other: &Item) -> LayoutError {
    let mut both = [describe(&one.kind), describe(&other.kind)];
    both.sort();
    let [first, second] = both;
    LayoutError::Duplicate { path: one.path.clone(), first, second }
}

fn describe(kind: &ItemKind) -> String {
    match kind {
        ItemKind::Directory => "a folder".to_owned(),
        ItemKind::Symlink(target) => format!("a link to `{}`", target.escape_ascii()),
        ItemKind::File { content, .. } => match content {
            Content::Bytes(bytes) => format!("a made file of {} bytes", bytes.len()),
            Content::File { path, .. } => format!("the file `{}`", path.display()),
            Content::Object { digest, .. } => format!("the object {}", digest.to_hex()),
            Content::Member { artifact, index } => match artifact.entries().get(*index) {
                Some(entry) => format!("`{}` of `{}`", entry.path, artifact.path().display()),
                None => format!("entry {index} of `{}`", artifact.path().display()),
            },
        },
    }
}

fn check_links(laid: &[Item], links: Links) -> Result<(), LayoutError> {
    if !laid.iter().any(|item| matches!(item.kind, ItemKind::Symlink(_))) {
        return Ok(());
    }
    let root: Option<&[u8]> = match links {
        Links::Relative => None,
        Links::Rooted => Some(b""),
    };
    let entries: Vec<Entry> = laid.iter().map(listed).collect();
    for (index, item) in laid.iter().enumerate() {
        let ItemKind::Symlink(target) = &item.kind else { continue };
        let (path, target) = (item.path.clone(), target.clone());
        if target.is_empty() || target.len() > LONGEST_TARGET || target.contains(&0) {
            return Err(LayoutError::BadTarget { path, target });
        }
        // By its text too: what is missing now may be a folder tomorrow.
        if climbs_out(&item.path, &target)
            || links::follow(&entries, index, root) == Destination::Outside
        {
            return Err(LayoutError::LinkLeadsOutside { path, target });
        }
    }
    Ok(())
}

fn listed(item: &Item) -> Entry {
    let kind = match &item.kind {
        ItemKind::Directory => EntryKind::Directory,
        ItemKind::File { .. } => EntryKind::File,
        ItemKind::Symlink(target) => EntryKind::Symlink(target.clone()),
    };
    let modified = Modified::Unix { seconds: 0, nanoseconds: 0 };
    Entry { path: item.path.clone(), kind, size: 0, executable: false, modified }
}

/// Whether a target has more `..` than there are folders at some place of it.
fn climbs_out(link: &RepoPath, target: &[u8]) -> bool {
    let mut depth = link.as_bytes().iter().filter(|byte| **byte == b'/').count();
    if target.starts_with(b"/") {
        depth = 0;
    }
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            },
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests;
