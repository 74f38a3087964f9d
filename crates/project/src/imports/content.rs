//! What is known of one file: which content it has, as of when, and what that says of imports. Knows nothing of
//! how it was found out.

use std::num::NonZeroU32;

use bytekiln_graph::ModuleImports;

use super::identity::ContentId;
use crate::index::IndexedKind;
use crate::scan::Stamp;

/// What is known of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content {
    /// As of when it was read; of what is not read, as of the walk.
    pub(super) stamp: Stamp,
    pub(super) known: Known,
    /// A number of [`Records`].
    pub(super) record: Option<NonZeroU32>,
    /// Its first line names Python.
    pub(super) shebang: bool,
}

/// Which content a file has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// No source, or one that could not be read.
    Nothing,
    /// Gone since the walk.
    Gone,
    Source(ContentId),
    /// An executable of another language.
    Other(ContentId),
}

impl Content {
    pub(super) fn unknown(stamp: Stamp) -> Content {
        Content { stamp, known: Known::Nothing, record: None, shebang: false }
    }

    /// Of a source that could be read.
    pub(super) fn id(&self) -> Option<ContentId> {
        match self.known {
            Known::Source(id) => Some(id),
            Known::Nothing | Known::Gone | Known::Other(_) => None,
        }
    }

    /// Whether the file is none of the graph's.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self.known, Known::Gone | Known::Other(_))
    }

    /// What the index says of it.
    pub(super) fn entry(&self) -> Option<(Stamp, IndexedKind, ContentId)> {
        match self.known {
            Known::Source(id) => Some((self.stamp, IndexedKind::Source, id)),
            Known::Other(id) => Some((self.stamp, IndexedKind::Other, id)),
            Known::Nothing | Known::Gone => None,
        }
    }
}

/// What each distinct content says, numbered from one.
#[derive(Debug, Default)]
pub(super) struct Records(Vec<ModuleImports>);

impl Records {
    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, more: usize) {
        self.0.reserve(more);
    }

    pub(super) fn of(&self, content: &Content) -> Option<&ModuleImports> {
        self.0.get(content.record?.get() as usize - 1)
    }

    pub(super) fn push(&mut self, record: ModuleImports) -> Option<NonZeroU32> {
        self.0.push(record);
        NonZeroU32::new(u32::try_from(self.0.len()).unwrap_or(0))
    }
}
