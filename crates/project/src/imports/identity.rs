//! How the import graph tells contents apart: by a fast hash, because a cold load would else spend a sixth
//! of its time on SHA-256. It is a key of what is kept in the state folder and nothing else: it never
//! leaves it, no action, output or fingerprint depends on it (see `digests`), and a state folder is of one
//! machine. 127 bits of XXH3 keep honest contents apart (with a million of them the odds of any clash are
//! one to 10^26); they are no defence against somebody who makes two sources clash. Such a source could
//! hide imports, which any source can do with `__import__` anyway. Knows nothing of files.

use twox_hash::XxHash3_128;

use crate::index::{Identity, Reader, StateFile, Writer};

/// Of a content, and whether it is a package's: of other modules no names are extracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ContentId(pub(super) [u8; 16]);

impl ContentId {
    /// The lowest bit tells packages from other modules.
    pub(super) fn of(bytes: &[u8], package: bool) -> ContentId {
        let hash = XxHash3_128::oneshot(bytes) & !1;
        ContentId((hash | u128::from(package)).to_le_bytes())
    }
}

/// Which content each file had.
impl Identity for ContentId {
    const FILE: StateFile =
        StateFile { magic: *b"bkseen\0\0", version: 2, what: "the index of imports" };

    fn put(&self, out: &mut Writer) {
        out.fixed(&self.0);
    }

    fn take(reader: &mut Reader<'_>) -> Option<ContentId> {
        reader.array().map(ContentId)
    }
}
